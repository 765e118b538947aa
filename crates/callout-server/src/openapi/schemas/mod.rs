//! The schemas: described by types, in the form that the contract has.

mod answers;
mod config;
mod shape;

use callout::{
    Json,
    json::{Object, ObjectBuilder},
};
pub(super) use shape::title;
use utoipa::{
    PartialSchema,
    openapi::{ObjectBuilder as SchemaBuilder, RefOr, Schema, Type},
};

/// Any JSON object.
struct AnyObject;

impl PartialSchema for AnyObject {
    fn schema() -> RefOr<Schema> {
        SchemaBuilder::new().schema_type(Type::Object).into()
    }
}

/// Every schema by its name, in the order of the document.
pub(super) fn all() -> Vec<(&'static str, Json)> {
    use answers::{
        ApiKeyResponse, AuditEntry, CallError, CreateApiKeyRequest, CreateApiKeyResponse, CreateWorkspaceRequest,
        ErrorResponse, ExecuteEndpointResponse, HealthResponse, PaginatedResponse, TestConnectionRequest,
        TestConnectionResponse, Truncation, WorkspaceResponse,
    };
    use config::{
        AuthConfig, AuthConfigChange, AuthConfigWithSecrets, CreateIntegrationRequest, EndpointConfig,
        ExchangeHeaderMapping, HTTPValidationError, IntegrationResponse, NameString, RequestTransform, RetryConfig,
        SearchString, SecretInput, TestEndpointRequest, TestEndpointResponse, UpdateIntegrationRequest,
        ValidationError,
    };
    let auth = of::<AuthConfig>("AuthConfig");
    let auth_with_secrets = extended(&auth, &of::<AuthConfigWithSecrets>("AuthConfigWithSecrets"));
    let auth_change = changed(&auth_with_secrets, &of::<AuthConfigChange>("AuthConfigChange"));
    let key = of::<ApiKeyResponse>("ApiKeyResponse");
    let key_with_secret = extended(&key, &of::<CreateApiKeyResponse>("CreateApiKeyResponse"));
    vec![
        one::<SearchString>("SearchString"),
        one::<NameString>("NameString"),
        one::<PaginatedResponse<IntegrationResponse>>("PaginatedResponse_IntegrationResponse_"),
        one::<IntegrationResponse>("IntegrationResponse"),
        ("AuthConfig", auth),
        one::<ExchangeHeaderMapping>("ExchangeHeaderMapping"),
        one::<EndpointConfig>("EndpointConfig"),
        one::<RetryConfig>("RetryConfig"),
        one::<RequestTransform>("RequestTransform"),
        one::<HTTPValidationError>("HTTPValidationError"),
        one::<ValidationError>("ValidationError"),
        one::<CreateIntegrationRequest>("CreateIntegrationRequest"),
        ("AuthConfigWithSecrets", auth_with_secrets),
        one::<SecretInput>("SecretInput"),
        one::<TestEndpointRequest>("TestEndpointRequest"),
        one::<TestEndpointResponse>("TestEndpointResponse"),
        one::<UpdateIntegrationRequest>("UpdateIntegrationRequest"),
        ("AuthConfigChange", auth_change),
        one::<ExecuteEndpointResponse>("ExecuteEndpointResponse"),
        one::<Truncation>("Truncation"),
        one::<CallError>("CallError"),
        one::<TestConnectionRequest>("TestConnectionRequest"),
        one::<TestConnectionResponse>("TestConnectionResponse"),
        one::<PaginatedResponse<ApiKeyResponse>>("PaginatedResponse_ApiKeyResponse_"),
        ("ApiKeyResponse", key),
        one::<CreateApiKeyRequest>("CreateApiKeyRequest"),
        ("CreateApiKeyResponse", key_with_secret),
        one::<PaginatedResponse<WorkspaceResponse>>("PaginatedResponse_WorkspaceResponse_"),
        one::<WorkspaceResponse>("WorkspaceResponse"),
        one::<CreateWorkspaceRequest>("CreateWorkspaceRequest"),
        one::<PaginatedResponse<AuditEntry>>("PaginatedResponse_AuditEntry_"),
        one::<AuditEntry>("AuditEntry"),
        one::<HealthResponse>("HealthResponse"),
        one::<ErrorResponse>("ErrorResponse"),
    ]
}

fn one<T: PartialSchema>(name: &'static str) -> (&'static str, Json) {
    (name, of::<T>(name))
}

fn of<T: PartialSchema>(name: &str) -> Json {
    // What the derive makes can always be written; a test over all schemas says so.
    let text = serde_json::to_string(&T::schema()).unwrap_or_default();
    shape::schema(name, &Json::parse(&text).unwrap_or_default())
}

/// The schema of a type that has all fields of another, and its own behind them.
fn extended(base: &Json, own: &Json) -> Json {
    let properties = members(base, "properties").chain(members(own, "properties")).collect();
    let required: Vec<Json> = elements(base, "required").chain(elements(own, "required")).collect();
    with(&with(own, "properties", properties), "required", required.into_iter().collect())
}

/// The schema of a change of such an object: nothing is required, nothing has a default because what
/// is absent stays, and null stands for the default.
fn changed(base: &Json, own: &Json) -> Json {
    let nullable = |(name, property): (String, Json)| {
        let (required, has_default) = (name == "type", property.get("default").is_some());
        let list = property.get("type").and_then(Json::as_str) == Some("array");
        let property = without(&property, &["default"]);
        (name, if !required && (has_default || list) { shape::nullable(&property) } else { property })
    };
    let properties = members(base, "properties").map(nullable).collect();
    let closed = Json::Bool(false);
    with(&with(own, "properties", properties), "additionalProperties", closed)
}

fn members(schema: &Json, name: &str) -> impl Iterator<Item = (String, Json)> {
    let object = schema.get(name).and_then(Json::as_object).cloned().unwrap_or_default();
    let all: Vec<_> = object.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    all.into_iter()
}

fn elements(schema: &Json, name: &str) -> impl Iterator<Item = Json> {
    let all: Vec<_> =
        schema.get(name).and_then(Json::as_array).into_iter().flat_map(|array| array.iter().cloned()).collect();
    all.into_iter()
}

/// That object with one member more, or another value of it.
fn with(object: &Json, name: &str, value: Json) -> Json {
    let mut members = ObjectBuilder::new();
    let mut value = Some(value);
    for (other, old) in object.as_object().unwrap_or(&Object::default()).iter() {
        let replaced = (other == name).then(|| value.take()).flatten();
        members = members.with(other, replaced.unwrap_or_else(|| old.clone()));
    }
    match value {
        Some(value) => members.with(name, value).into(),
        None => members.into(),
    }
}

/// That object without some members.
fn without(object: &Json, names: &[&str]) -> Json {
    let object = object.as_object().cloned().unwrap_or_default();
    object
        .iter()
        .filter(|(name, _)| !names.contains(name))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}
