//! What the contract leaves to us: pages, calls, connections, keys, workspaces, the audit log, errors.

#![expect(dead_code, reason = "the types are read by the derive alone")]

use serde_json::Value;
use utoipa::ToSchema;

use super::config::Delivery;

/// A page of a list.
#[derive(ToSchema)]
pub(super) struct PaginatedResponse<T> {
    /// The items of this page.
    items: Vec<T>,
    /// Whether there are more behind it.
    has_more: bool,
    /// The `continuation_token` of the next page; null on the last one.
    continuation_token: Option<i64>,
    /// How many items there are on all pages.
    total: Option<i64>,
}

/// What a call gave.
#[derive(ToSchema)]
pub(super) struct ExecuteEndpointResponse {
    /// The last status received; null if there was none.
    #[schema(required)]
    status: Option<i64>,
    /// The text for the model; null if the call failed.
    #[schema(required)]
    text: Option<String>,
    /// How much was cut; null if nothing was.
    #[schema(required)]
    truncation: Option<Truncation>,
    /// When the endpoint wants the result handed over; null if the call failed.
    #[schema(required, inline)]
    delivery: Option<Delivery>,
    /// From the call to its end.
    #[schema(minimum = 0)]
    duration_ms: f64,
    /// Attempts after the first.
    #[schema(minimum = 0)]
    retries: i64,
    /// Why the call failed; null if it did not.
    #[schema(required)]
    error: Option<CallError>,
}

/// That the text was longer than the endpoint's `max_result_length`.
#[derive(ToSchema)]
pub(super) struct Truncation {
    /// Characters that were kept.
    #[schema(minimum = 0)]
    length: i64,
    /// Characters of the whole text.
    #[schema(minimum = 0)]
    original_length: i64,
    /// Whether that is exact; else it is at least so many.
    is_exact: bool,
}

/// Why a call failed.
#[derive(ToSchema)]
pub(super) struct CallError {
    /// A stable word for programs.
    #[schema(examples("upstream_status", "timeout", "auth_failed", "egress_denied"))]
    code: String,
    /// For people: what went wrong and what to do. Holds no secret.
    message: String,
    /// Whether the same call may succeed later.
    retryable: bool,
    /// After how many milliseconds, if the upstream said so.
    #[schema(required, minimum = 0)]
    retry_after_ms: Option<i64>,
    /// The upstream's answer, secrets masked; null if there was none.
    body: Value,
}

/// Params for the auth of the connection.
#[derive(ToSchema)]
pub(super) struct TestConnectionRequest {
    /// Those that a token exchange takes its headers from.
    #[schema(required = false, value_type = Object)]
    params: super::AnyObject,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum ConnectionStatus {
    Healthy,
    AuthFailed,
    Unreachable,
    Timeout,
    SslError,
    Misconfigured,
}

/// Whether an integration can be reached and authenticates.
#[derive(ToSchema)]
pub(super) struct TestConnectionResponse {
    /// How it stands.
    #[schema(inline)]
    status: ConnectionStatus,
    /// Whether there is something to authenticate with; true without `auth`.
    auth_resolved: bool,
    /// What the API answered with; null if it did not.
    #[schema(required)]
    http_status: Option<i64>,
    /// From the start to the answer.
    #[schema(minimum = 0)]
    duration_ms: f64,
    /// For people: what was found and what to do.
    message: String,
    /// When (RFC 3339, UTC).
    #[schema(format = DateTime)]
    tested_at: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Role {
    Viewer,
    Member,
    Admin,
    Owner,
}

#[derive(ToSchema)]
enum Permission {
    #[schema(rename = "Integration.view")]
    IntegrationView,
    #[schema(rename = "Integration.execute")]
    IntegrationExecute,
    #[schema(rename = "Integration.create")]
    IntegrationCreate,
    #[schema(rename = "Integration.update")]
    IntegrationUpdate,
    #[schema(rename = "Integration.delete")]
    IntegrationDelete,
    #[schema(rename = "ApiKey.view")]
    ApiKeyView,
    #[schema(rename = "ApiKey.create")]
    ApiKeyCreate,
    #[schema(rename = "ApiKey.delete")]
    ApiKeyDelete,
    #[schema(rename = "Audit.view")]
    AuditView,
    #[schema(rename = "Workspace.delete")]
    WorkspaceDelete,
}

/// A key to make. It grants no more than its maker has.
#[derive(ToSchema)]
pub(super) struct CreateApiKeyRequest {
    /// Days until it expires.
    #[schema(minimum = 1, maximum = 90, examples(30))]
    duration_days: i64,
    /// For people: 1 to 256 characters without control characters.
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$", examples("agent"))]
    name: Option<String>,
    /// `viewer` sees integrations; `member` executes them too; `admin` changes them, makes keys and
    /// reads the audit log; `owner` may delete the workspace.
    #[schema(inline, default = "member")]
    role: Role,
    /// Rights beyond the role's.
    #[schema(inline, max_items = 32, default = json!([]))]
    permissions: Vec<Permission>,
}

/// An API key, without its secret.
#[derive(ToSchema)]
pub(super) struct ApiKeyResponse {
    /// What it is known by.
    #[schema(format = Uuid)]
    key_id: String,
    /// For people.
    #[schema(required)]
    name: Option<String>,
    /// Its role.
    #[schema(inline)]
    role: Role,
    /// Its rights beyond the role's.
    #[schema(inline)]
    permissions: Vec<Permission>,
    /// When it was made (RFC 3339, UTC).
    #[schema(format = DateTime)]
    created_at: String,
    /// When it stops (RFC 3339, UTC).
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
}

/// An API key with its secret, which is shown here and never again.
#[derive(ToSchema)]
pub(super) struct CreateApiKeyResponse {
    /// The secret: `Authorization: Bearer <api_key>`.
    api_key: String,
}

/// A workspace to make.
#[derive(ToSchema)]
pub(super) struct CreateWorkspaceRequest {
    /// Unique: 1 to 256 characters without control characters.
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$", examples("support"))]
    name: String,
}

/// A workspace: integrations and keys that no other workspace sees.
#[derive(ToSchema)]
pub(super) struct WorkspaceResponse {
    /// Given by the server.
    #[schema(format = Uuid)]
    id: String,
    /// For people.
    name: String,
    /// When it was made (RFC 3339, UTC).
    #[schema(format = DateTime)]
    created_at: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum AuditResult {
    Done,
    Denied,
    Conflict,
}

/// One change, or one that was refused: who, what, when, with what result; never a value.
#[derive(ToSchema)]
pub(super) struct AuditEntry {
    /// Rises with time.
    id: i64,
    /// When (RFC 3339, UTC).
    #[schema(format = DateTime)]
    at: String,
    /// The workspace; null if it concerns none.
    #[schema(required, format = Uuid)]
    workspace_id: Option<String>,
    /// The key that asked; null for the command line.
    #[schema(required, format = Uuid)]
    key_id: Option<String>,
    /// The key's name then.
    actor: String,
    /// The request that it was part of.
    #[schema(required)]
    request_id: Option<String>,
    /// What.
    #[schema(examples("integration.create", "api_key.rotate"))]
    action: String,
    /// On what.
    #[schema(examples("integration:0195f3a0-5a3c-7c5e-9f43-2a7d4c1b8e90"))]
    target: String,
    /// How it ended.
    #[schema(inline)]
    result: AuditResult,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Health {
    Ok,
}

/// That the server is well.
#[derive(ToSchema)]
pub(super) struct HealthResponse {
    /// Always `ok`: anything else is an error.
    #[schema(inline)]
    status: Health,
}

/// Why a request was refused.
#[derive(ToSchema)]
pub(super) struct ErrorResponse {
    /// For people.
    detail: String,
    /// A stable word for programs.
    #[schema(examples("not_found", "name_taken", "rate_limited"))]
    error_code: String,
    /// The id of the request, as in `X-Request-Id` and in the server's log.
    request_id: String,
}
