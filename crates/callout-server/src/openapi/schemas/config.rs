//! An integration as it is written and read: the schemas of the engine's config types.
//!
//! The engine reads and writes configs itself ([`callout::config`]); these types say the same in
//! JSON Schema. A test holds both together.

#![expect(dead_code, reason = "the types are read by the derive alone")]

use std::collections::HashMap;

use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use super::AnyObject;

/// 1 to 200 characters.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 200)]
pub(super) struct SearchString(String);

/// 1 to 256 characters.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 256)]
pub(super) struct NameString(String);

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Protocol {
    Rest,
    Desktop,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Creatable {
    Rest,
}

/// An integration: one API, how to authenticate to it, and its endpoints. No secret stands in it.
#[derive(ToSchema)]
pub(super) struct IntegrationResponse {
    /// Given by the server.
    #[schema(format = Uuid, examples("0195f3a0-5a3c-7c5e-9f43-2a7d4c1b8e90"))]
    id: String,
    /// The workspace that it belongs to.
    #[schema(format = Uuid)]
    workspace_id: String,
    /// Unique in its workspace: lower-case letters, digits, `_` and `-`.
    #[schema(examples("github"))]
    name: String,
    /// For people.
    #[schema(examples("GitHub"))]
    display_name: String,
    /// `rest` is called over HTTP; `desktop` runs on a person's machine and is listed only.
    #[schema(inline)]
    protocol: Protocol,
    /// Where the API is; empty if every endpoint's path is a whole URL.
    #[schema(default = "", examples("https://api.github.com"))]
    base_url: String,
    /// How to authenticate; null for not at all.
    auth: Option<AuthConfig>,
    /// In the order in which they were given.
    #[schema(required = false)]
    endpoints: Vec<EndpointConfig>,
    /// Whether it may be called. A test runs on a disabled one too.
    enabled: bool,
    /// Whether it came with the installation: then it cannot be changed or deleted here.
    #[schema(default = false)]
    builtin: bool,
    /// When it was created (RFC 3339, UTC).
    #[schema(format = DateTime, examples("2026-05-04T09:30:00Z"))]
    created_at: String,
    /// When it was last changed (RFC 3339, UTC).
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A new integration, with the secrets that its auth needs. Secrets are write-only.
#[derive(ToSchema)]
pub(super) struct CreateIntegrationRequest {
    /// Unique in its workspace, and final: lower-case letters, digits, `_` and `-`, beginning and
    /// ending with a letter or digit.
    #[schema(min_length = 2, max_length = 128, examples("github"))]
    name: String,
    /// For people.
    display_name: NameString,
    /// Only integrations that are called over HTTP are created here.
    #[schema(inline, default = "rest")]
    protocol: Creatable,
    /// An http or https URL without query, fragment and user; may have a path. Empty if every
    /// endpoint's path is a whole URL.
    #[schema(max_length = 2048, default = "", examples("https://api.github.com"))]
    base_url: String,
    /// How to authenticate; absent or null for not at all.
    auth: Option<AuthConfigWithSecrets>,
    /// Names are unique within the integration.
    #[schema(max_items = 50, default = json!([]))]
    endpoints: Vec<EndpointConfig>,
    /// Whether it may be called.
    #[schema(default = true)]
    enabled: bool,
}

/// A change of an integration: what is absent stays as it is. `name` and `protocol` are final.
///
/// A `base_url`, token URL, exchange URL or endpoint that leads to another origin than before needs
/// the secret in the same request.
#[derive(ToSchema)]
#[schema(min_properties = 1)]
pub(super) struct UpdateIntegrationRequest {
    /// For people.
    #[schema(required = false)]
    display_name: NameString,
    /// Where the API is; empty if every endpoint's path is a whole URL.
    #[schema(max_length = 2048, required = false)]
    base_url: String,
    /// Fields that are absent stay, unless `type` changes: then the rest is at its default. A secret
    /// alone rotates it. Null clears auth and secrets.
    auth: Option<AuthConfigChange>,
    /// All endpoints anew.
    #[schema(max_items = 50, required = false)]
    endpoints: Vec<EndpointConfig>,
    /// Whether it may be called.
    #[schema(required = false)]
    enabled: bool,
}

#[derive(ToSchema)]
enum AuthType {
    #[schema(rename = "api_key_header")]
    ApiKeyHeader,
    #[schema(rename = "bearer_token")]
    BearerToken,
    #[schema(rename = "oauth2_client_credentials")]
    OAuth2ClientCredentials,
    #[schema(rename = "json_token_exchange")]
    JsonTokenExchange,
    #[schema(rename = "oauth2_jwt_bearer")]
    OAuth2JwtBearer,
    #[schema(rename = "bearer_token_exchange")]
    BearerTokenExchange,
}

/// How an integration authenticates. A field that the type does not use stays at its default.
#[derive(ToSchema)]
pub(super) struct AuthConfig {
    /// `api_key_header`: a key in a header of any name. `bearer_token`: a static token.
    /// `oauth2_client_credentials`: RFC 6749 section 4.4. `json_token_exchange`: client id and secret
    /// posted as JSON for a token. `oauth2_jwt_bearer`: a signed JWT, exchanged for a token (RFC 7523)
    /// or used as one. `bearer_token_exchange`: a secret and params in headers, posted for a token.
    #[schema(inline)]
    r#type: AuthType,
    /// The header that carries key or token. `api_key_header` needs it; else it is `Authorization`.
    #[schema(examples("X-API-Key"))]
    header_name: Option<String>,
    /// The token endpoint.
    #[schema(examples("https://id.example.com/oauth/token"))]
    token_url: Option<String>,
    /// The client's id.
    client_id: Option<String>,
    /// The scopes asked for.
    scopes: Option<Vec<String>>,
    /// The body field of the client's id. If it or the secret's is set for
    /// `oauth2_client_credentials`, the client goes in the body instead of HTTP Basic.
    #[schema(min_length = 1, max_length = 256)]
    token_request_client_id_field: Option<String>,
    /// The body field of the client's secret.
    #[schema(min_length = 1, max_length = 256)]
    token_request_client_secret_field: Option<String>,
    /// Where the token stands in the answer: a dotted path, JSON Pointer or JSONPath.
    /// `access_token` if absent.
    #[schema(min_length = 1, max_length = 512)]
    token_response_path: Option<String>,
    /// The assertion's `iss`; the client's id if absent.
    assertion_issuer: Option<String>,
    /// The assertion's `sub`; the issuer if absent.
    assertion_subject: Option<String>,
    /// The assertion's `aud`; the token URL if absent.
    assertion_audience: Option<String>,
    /// Seconds: the life of an assertion, and of a token whose answer names none. At least 1.
    #[schema(default = 3600)]
    token_lifetime_seconds: i64,
    /// Whether the scopes go into the assertion rather than the form.
    #[schema(default = false)]
    assertion_scopes_in_jwt: bool,
    /// The exchange endpoint.
    #[schema(max_length = 2048)]
    exchange_url: Option<String>,
    /// The header of the exchange secret.
    #[schema(min_length = 1, max_length = 256, pattern = "^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$", default = "X-API-KEY")]
    exchange_secret_header: String,
    /// That header's value; `{secret}` stands for the secret.
    #[schema(min_length = 8, max_length = 128, pattern = "^[^{}]*\\{secret\\}[^{}]*$", default = "{secret}")]
    exchange_secret_format: String,
    /// Headers of the exchange that are filled from params of the call.
    #[schema(max_items = 20, required = false)]
    exchange_param_headers: Vec<ExchangeHeaderMapping>,
    /// Where the token stands in the exchange's answer.
    #[schema(min_length = 1, max_length = 256, default = "token")]
    exchange_token_field: String,
    /// Where its lifetime stands in the exchange's answer.
    #[schema(max_length = 256)]
    exchange_expires_in_field: Option<String>,
    /// Seconds: the life of an exchanged token whose answer names none.
    #[schema(minimum = 120, default = 3600)]
    exchange_default_ttl_seconds: i64,
}

/// How a new integration authenticates, with its secrets: the one that the type needs, no other
/// (but `client_secret_value` beside a private key). Other fields are refused.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
pub(super) struct AuthConfigWithSecrets {
    /// The key of `api_key_header`.
    api_key_value: Option<SecretInput>,
    /// The token of `bearer_token`.
    bearer_token_value: Option<SecretInput>,
    /// The client's secret of `oauth2_client_credentials` and `json_token_exchange`; allowed for
    /// `oauth2_jwt_bearer`.
    client_secret_value: Option<SecretInput>,
    /// The key of `oauth2_jwt_bearer`, RSA, EC (P-256, P-384) or Ed25519: PEM (PKCS#8, PKCS#1, SEC1), a Google
    /// service-account file, or any JSON with a `private_key` and, for a `kid` in the assertion's header, its
    /// `private_key_id`.
    private_key_value: Option<SecretInput>,
    /// The secret of `bearer_token_exchange`.
    exchange_secret_value: Option<SecretInput>,
}

/// What changes in how an integration authenticates. Null puts a field at its default, and takes a secret away.
#[derive(ToSchema)]
pub(super) struct AuthConfigChange {}

/// A secret: stored sealed, never shown again.
#[derive(ToSchema)]
pub(super) struct SecretInput {
    /// The secret itself.
    #[schema(min_length = 1, max_length = 8192, examples("s3cr3t"))]
    value: String,
}

/// One header of a token exchange, filled from a param.
#[derive(ToSchema)]
pub(super) struct ExchangeHeaderMapping {
    /// The header of the exchange request.
    #[schema(min_length = 1, max_length = 256, pattern = "^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$", examples("X-User-Id"))]
    header_name: String,
    /// The param whose value it carries.
    #[schema(min_length = 1, max_length = 256, pattern = "^[A-Za-z0-9_\\-]+$", examples("user_id"))]
    param_name: String,
    /// Whether the param is kept from the endpoint.
    #[schema(default = true)]
    consume: bool,
    /// Whether a call without it fails before anything is sent.
    #[schema(default = true)]
    required: bool,
}

#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Delivery {
    Interrupt,
    Queue,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum BodyFormat {
    Json,
    Form,
}

/// One operation of the API: its request, and what becomes of its answer.
#[derive(ToSchema)]
pub(super) struct EndpointConfig {
    /// Letters, digits, `_` and `-`, beginning and ending with a letter or digit; at most 128.
    #[schema(examples("list-issues"))]
    name: String,
    /// What it does, for the model that chooses it.
    #[schema(examples("Lists the open issues of a repository"))]
    description: String,
    /// GET and DELETE send the remaining params in the query, the others in the body.
    #[schema(inline, default = "POST")]
    method: Method,
    /// Below `base_url`, or a whole URL if that is empty. `{name}` takes a param, `{?a,b}` at the end
    /// names optional ones of the query.
    #[schema(examples("/repos/{owner}/{repo}/issues"))]
    path: String,
    /// JSON Schema of the params.
    #[schema(default = json!({}))]
    input_schema: HashMap<String, Value>,
    /// A new object of the answer: name to path (dotted, JSON Pointer or JSONPath).
    response_mapping: Option<HashMap<String, String>>,
    /// Paths of what is kept of the answer, in place.
    response_filter: Option<Vec<String>>,
    /// Jinja template of the text. Names: `result`, `response`, `params`, `status`, and the result's
    /// keys.
    result_template: Option<String>,
    /// Path of the value that is the result.
    result_key: Option<String>,
    /// Most characters of the text; 0 is no limit.
    #[schema(default = 0)]
    max_result_length: i64,
    /// When to try again.
    #[schema(default = json!({"max_retries": 2, "retry_on_status": [429, 502, 503, 504]}))]
    retry_config: RetryConfig,
    /// Whether the result is handed over the moment it lands, or when the agent's turn ends.
    #[schema(inline, default = "interrupt")]
    result_delivery: Delivery,
    /// Of every request. Those of the connection, `Host` and `Content-Length` are refused.
    #[schema(default = json!({}))]
    headers: HashMap<String, String>,
    /// How the body is written.
    #[schema(inline, default = "json")]
    body_format: BodyFormat,
    /// What is added around the params in a body.
    request_transform: Option<RequestTransform>,
}

/// How often an endpoint is tried again, and on which statuses.
#[derive(ToSchema)]
pub(super) struct RetryConfig {
    /// Attempts after the first, 0 to 10.
    #[schema(default = 2)]
    max_retries: i64,
    /// Statuses, 100 to 599, on which to try again.
    #[schema(default = json!([429, 502, 503, 504]))]
    retry_on_status: Vec<i64>,
}

/// What is added around the params in a body.
#[derive(ToSchema)]
pub(super) struct RequestTransform {
    /// Constant fields of the outermost object; they win over params of that name.
    #[schema(schema_with = injected, required = false)]
    inject: HashMap<String, String>,
    /// The key under which the params stand.
    #[schema(max_length = 128)]
    wrap_params_key: Option<String>,
}

fn injected() -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let object = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(text));
    let says = "Constant fields of the outermost object; they win over params of that name.";
    object.max_properties(Some(20)).description(Some(says)).into()
}

/// Params of the call.
#[derive(ToSchema)]
pub(super) struct TestEndpointRequest {
    /// What the endpoint's `input_schema` takes.
    #[schema(default = json!({}))]
    params: HashMap<String, Value>,
}

/// A call with each of its stages. What was not reached is null.
#[derive(ToSchema)]
pub(super) struct TestEndpointResponse {
    /// The last status received.
    status_code: Option<i64>,
    /// From the call to its end.
    #[schema(default = 0)]
    duration_ms: f64,
    /// Attempts after the first.
    #[schema(default = 0)]
    retries: i64,
    /// The body as received, secrets masked.
    #[schema(required = false)]
    raw_response: Value,
    /// After `response_filter`.
    #[schema(required = false)]
    after_filter: Value,
    /// After `response_mapping`.
    #[schema(required = false)]
    after_mapping: Value,
    /// The text for the model.
    final_result: Option<String>,
    /// Why the call failed, if it did.
    error: Option<String>,
}

/// The faults of a request, all at once.
#[derive(ToSchema)]
pub(super) struct HTTPValidationError {
    /// Each with its place.
    #[schema(required = false)]
    detail: Vec<ValidationError>,
}

#[derive(ToSchema)]
#[serde(untagged)]
enum Step {
    Field(String),
    Index(i64),
}

/// One fault.
#[derive(ToSchema)]
pub(super) struct ValidationError {
    /// The steps to it: `body`, `query` or `path`, then names and indexes.
    #[schema(inline)]
    loc: Vec<Step>,
    /// For people.
    msg: String,
    /// A stable word for programs.
    #[schema(examples("missing"))]
    r#type: String,
    /// What was given, where it is no secret.
    #[schema(required = false)]
    input: Value,
    /// More about the fault.
    #[schema(required = false, value_type = Object)]
    ctx: AnyObject,
}
