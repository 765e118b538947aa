//! The operations: one table, and how an entry is written as OpenAPI.

use callout::{Json, json::ObjectBuilder};

use super::{
    examples,
    parts::{
        filter_parameters, headers, json_content, list, page_parameters, path_parameter, reference, refusal, response,
    },
};

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    /// Anybody, without a key.
    Open,
    /// The operator's key.
    Operator,
    /// A key of the workspace with that permission, or the operator's.
    Key(&'static str),
}

/// Which params the query takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Query {
    None,
    Page,
    Integrations,
}

#[derive(Clone, Copy)]
enum Body {
    None,
    Required(&'static str),
    Optional(&'static str),
}

/// What the answer holds when all is well.
#[derive(Clone, Copy)]
enum Answer {
    Ok(&'static str),
    Created(&'static str),
    NoContent,
    Other(&'static str),
}

/// One operation. Refusals that follow from right, path, query and body are not listed.
struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    right: Right,
    query: Query,
    body: Body,
    answer: Answer,
    conflict: Option<&'static str>,
}

pub(super) const INTEGRATIONS: &str = "Integrations";
pub(super) const API_KEYS: &str = "API keys";
pub(super) const WORKSPACES: &str = "Workspaces";
pub(super) const AUDIT_LOG: &str = "Audit log";
pub(super) const SERVER: &str = "Server";

/// What an entry does not say: no query, no body, and nothing to conflict with. The rest stands in each.
const PLAIN: Operation = Operation {
    method: "",
    path: "",
    id: "",
    tag: "",
    summary: "",
    description: "",
    right: Right::Operator,
    query: Query::None,
    body: Body::None,
    answer: Answer::NoContent,
    conflict: None,
};

const OPERATIONS: [Operation; 22] = [
    Operation {
        method: "get",
        path: "/v1/{workspace_id}/integrations",
        id: "list-integrations",
        tag: INTEGRATIONS,
        summary: "List integrations",
        description: "The integrations of the workspace that match every filter, a page at a time.",
        right: Right::Key("Integration.view"),
        query: Query::Integrations,
        answer: Answer::Ok("PaginatedResponse_IntegrationResponse_"),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/{workspace_id}/integrations",
        id: "create-integration",
        tag: INTEGRATIONS,
        summary: "Create an integration",
        description: "Checks and compiles the whole config: what is accepted here can be called. Every fault is told at \
             once. Its secrets are stored with it and never shown again.",
        right: Right::Key("Integration.create"),
        body: Body::Required("CreateIntegrationRequest"),
        answer: Answer::Created("IntegrationResponse"),
        conflict: Some("Name taken"),
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/v1/{workspace_id}/integrations/{integration_id}",
        id: "get-integration",
        tag: INTEGRATIONS,
        summary: "Get an integration",
        description: "The config, without its secrets.",
        right: Right::Key("Integration.view"),
        answer: Answer::Ok("IntegrationResponse"),
        ..PLAIN
    },
    Operation {
        method: "patch",
        path: "/v1/{workspace_id}/integrations/{integration_id}",
        id: "update-integration",
        tag: INTEGRATIONS,
        summary: "Change an integration",
        description: "What is absent stays as it is. A secret alone rotates it. A URL that leads to another origin than \
             before needs the secret in the same request, so that nobody collects a secret by editing a URL.",
        right: Right::Key("Integration.update"),
        body: Body::Required("UpdateIntegrationRequest"),
        answer: Answer::Ok("IntegrationResponse"),
        conflict: Some("Built in, or changed by somebody else at the same time"),
        ..PLAIN
    },
    Operation {
        method: "delete",
        path: "/v1/{workspace_id}/integrations/{integration_id}",
        id: "delete-integration",
        tag: INTEGRATIONS,
        summary: "Delete an integration",
        description: "With its secrets.",
        right: Right::Key("Integration.delete"),
        answer: Answer::NoContent,
        conflict: Some("Built in"),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/{workspace_id}/integrations/{integration_id}/test-connection",
        id: "test-integration-connection",
        tag: INTEGRATIONS,
        summary: "Test the connection",
        description: "Resolves the auth, then sends HEAD to `base_url`. Whatever is found, the answer is 200 and says it.",
        right: Right::Key("Integration.view"),
        body: Body::Optional("TestConnectionRequest"),
        answer: Answer::Ok("TestConnectionResponse"),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/{workspace_id}/integrations/{integration_id}/endpoints/{endpoint_name}/test",
        id: "test-integration-endpoint",
        tag: INTEGRATIONS,
        summary: "Test an endpoint",
        description: "Calls the endpoint and shows each stage, also of an integration that is disabled. A call that fails \
             is a 200 with `error`.",
        right: Right::Key("Integration.view"),
        body: Body::Required("TestEndpointRequest"),
        answer: Answer::Ok("TestEndpointResponse"),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/{workspace_id}/integrations/{integration_id}/endpoints/{endpoint_name}/execute",
        id: "execute-integration-endpoint",
        tag: INTEGRATIONS,
        summary: "Execute an endpoint",
        description: "Calls the endpoint and gives the text for the model. A call that fails at the upstream is a 200 with \
             `error`; params that the endpoint does not take are a 422.",
        right: Right::Key("Integration.execute"),
        body: Body::Required("TestEndpointRequest"),
        answer: Answer::Ok("ExecuteEndpointResponse"),
        conflict: Some("The integration is disabled, or not called over HTTP"),
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/v1/{workspace_id}/api-keys",
        id: "list-api-keys",
        tag: API_KEYS,
        summary: "List API keys",
        description: "Without their secrets.",
        right: Right::Key("ApiKey.view"),
        query: Query::Page,
        answer: Answer::Ok("PaginatedResponse_ApiKeyResponse_"),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/{workspace_id}/api-keys",
        id: "create-api-key",
        tag: API_KEYS,
        summary: "Make an API key",
        description: "It grants no more than the key that makes it. The secret is shown in this answer and never again.",
        right: Right::Key("ApiKey.create"),
        body: Body::Required("CreateApiKeyRequest"),
        answer: Answer::Created("CreateApiKeyResponse"),
        ..PLAIN
    },
    Operation {
        method: "delete",
        path: "/v1/{workspace_id}/api-keys/{key_id}",
        id: "delete-api-key",
        tag: API_KEYS,
        summary: "Delete an API key",
        description: "It stops at once here, and within a second on every server.",
        right: Right::Key("ApiKey.delete"),
        answer: Answer::NoContent,
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/{workspace_id}/api-keys/{key_id}/rotate",
        id: "rotate-api-key",
        tag: API_KEYS,
        summary: "Rotate an API key",
        description: "The same key with a new secret, valid as long again; the old secret stops.",
        right: Right::Key("ApiKey.create"),
        answer: Answer::Ok("CreateApiKeyResponse"),
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/v1/{workspace_id}/audit-log",
        id: "list-audit-log",
        tag: AUDIT_LOG,
        summary: "Read the audit log",
        description: "Who changed what in the workspace, newest first.",
        right: Right::Key("Audit.view"),
        query: Query::Page,
        answer: Answer::Ok("PaginatedResponse_AuditEntry_"),
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/v1/workspaces",
        id: "list-workspaces",
        tag: WORKSPACES,
        summary: "List workspaces",
        description: "All of them.",
        right: Right::Operator,
        query: Query::Page,
        answer: Answer::Ok("PaginatedResponse_WorkspaceResponse_"),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/workspaces",
        id: "create-workspace",
        tag: WORKSPACES,
        summary: "Create a workspace",
        description: "Make its first API key with the operator's key.",
        right: Right::Operator,
        body: Body::Required("CreateWorkspaceRequest"),
        answer: Answer::Created("WorkspaceResponse"),
        conflict: Some("Name taken"),
        ..PLAIN
    },
    Operation {
        method: "delete",
        path: "/v1/workspaces/{workspace_id}",
        id: "delete-workspace",
        tag: WORKSPACES,
        summary: "Delete a workspace",
        description: "With its integrations, secrets and keys.",
        right: Right::Key("Workspace.delete"),
        answer: Answer::NoContent,
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/v1/audit-log",
        id: "list-all-audit-log",
        tag: AUDIT_LOG,
        summary: "Read the audit log of all workspaces",
        description: "And of what belongs to none, newest first.",
        right: Right::Operator,
        query: Query::Page,
        answer: Answer::Ok("PaginatedResponse_AuditEntry_"),
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/metrics",
        id: "get-metrics",
        tag: SERVER,
        summary: "Counters for Prometheus",
        description: "In the OpenMetrics text format.",
        right: Right::Operator,
        answer: Answer::Other("application/openmetrics-text"),
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/healthz",
        id: "get-health",
        tag: SERVER,
        summary: "Whether the process answers",
        description: "For a supervisor that restarts what hangs.",
        right: Right::Open,
        answer: Answer::Ok("HealthResponse"),
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/readyz",
        id: "get-readiness",
        tag: SERVER,
        summary: "Whether requests can be served",
        description: "503 while the database cannot be reached.",
        right: Right::Open,
        answer: Answer::Ok("HealthResponse"),
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/openapi.json",
        id: "get-openapi",
        tag: SERVER,
        summary: "This document",
        description: "OpenAPI 3.1.",
        right: Right::Open,
        answer: Answer::Other("application/json"),
        ..PLAIN
    },
    Operation {
        method: "get",
        path: "/docs",
        id: "get-docs",
        tag: SERVER,
        summary: "This document for people",
        description: "One page that needs nothing else.",
        right: Right::Open,
        answer: Answer::Other("text/html"),
        ..PLAIN
    },
];

/// Statuses whose answers are alike in every operation; they stand in `components.responses`.
pub(super) const SHARED: [(u16, &str, &str); 7] = [
    (400, "BadRequest", "The body broke off"),
    (408, "RequestTimeout", "The body came too slowly"),
    (413, "PayloadTooLarge", "The body is too large"),
    (415, "UnsupportedMediaType", "The body is no JSON by its content type"),
    (
        429,
        "TooManyRequests",
        "Too many requests of the workspace at once, too much of the key's answers that clients have not taken, or too \
         many requests of the key in a minute where the operator set a limit",
    ),
    (500, "InternalServerError", "The server failed, and its log says why; or an answer was let go"),
    (503, "ServiceUnavailable", "The database or the secret store cannot be reached now"),
];

/// `paths` of the document.
pub(super) fn paths() -> Json {
    let mut paths: Vec<(&str, ObjectBuilder)> = Vec::new();
    for operation in &OPERATIONS {
        let described = operation.describe();
        match paths.iter_mut().find(|(path, _)| *path == operation.path) {
            Some((_, item)) => *item = std::mem::take(item).with(operation.method, described),
            None => paths.push((operation.path, ObjectBuilder::new().with(operation.method, described))),
        }
    }
    paths.into_iter().map(|(path, item)| (path, Json::from(item))).collect()
}

impl Operation {
    fn describe(&self) -> Json {
        let mut operation = ObjectBuilder::new()
            .with("tags", list([self.tag]))
            .with("summary", self.summary)
            .with("description", self.description)
            .with("operationId", self.id);
        match self.right {
            Right::Open => operation = operation.with("security", list::<&str>([])),
            Right::Operator => operation = operation.with("x-permission", "operator"),
            Right::Key(permission) => operation = operation.with("x-permission", permission),
        }
        let parameters = self.parameters();
        if !parameters.is_empty() {
            operation = operation.with("parameters", list(parameters));
        }
        if let Some(body) = self.request_body() {
            operation = operation.with("requestBody", body);
        }
        operation.with("responses", self.responses()).into()
    }

    fn parameters(&self) -> Vec<Json> {
        let names = self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        let mut parameters: Vec<Json> = names.map(path_parameter).collect();
        match self.query {
            Query::None => {}
            Query::Page => parameters.extend(page_parameters(Some(0))),
            Query::Integrations => {
                parameters.extend(filter_parameters());
                parameters.extend(page_parameters(None));
            }
        }
        parameters
    }

    fn request_body(&self) -> Option<Json> {
        let (schema, required) = match self.body {
            Body::None => return None,
            Body::Required(schema) => (schema, true),
            Body::Optional(schema) => (schema, false),
        };
        let content = json_content(schema, examples::request(self.id));
        Some(ObjectBuilder::new().with("required", required).with("content", content).into())
    }

    fn responses(&self) -> Json {
        let (status, description, content) = match self.answer {
            Answer::Ok(schema) => (200, "OK", Some(json_content(schema, examples::answer(self.id)))),
            Answer::Created(schema) => (201, "Created", Some(json_content(schema, examples::answer(self.id)))),
            Answer::NoContent => (204, "No content", None),
            Answer::Other(media) => {
                let kind = if media == "application/json" { "object" } else { "string" };
                let schema = ObjectBuilder::new().with("schema", ObjectBuilder::new().with("type", kind));
                (200, "OK", Some(ObjectBuilder::new().with(media, schema).into()))
            }
        };
        let limited = self.right != Right::Open;
        let mut responses = vec![(status, response(description, content, headers(status, limited)))];
        for status in self.refusals() {
            let shared = SHARED.iter().find(|(shared, _, _)| *shared == status);
            let response = match (shared, status) {
                (Some((_, name, _)), _) => reference("responses", name),
                (None, 422) => {
                    let content = json_content("HTTPValidationError", examples::refusal(422));
                    response("Invalid request", Some(content), headers(422, limited))
                }
                (None, _) => {
                    let description = match status {
                        401 => "Missing or invalid key",
                        403 => "Not permitted",
                        404 => "Not found",
                        _ => self.conflict.unwrap_or_default(),
                    };
                    refusal(status, description)
                }
            };
            responses.push((status, response));
        }
        responses.into_iter().map(|(status, response)| (status.to_string(), response)).collect()
    }

    /// What may be refused, by what the operation is.
    fn refusals(&self) -> Vec<u16> {
        let signed = self.right != Right::Open;
        let has_body = !matches!(self.body, Body::None);
        let on_something = self.path.contains('{');
        [
            (400, has_body),
            (401, signed),
            (403, signed),
            (404, on_something),
            (408, has_body),
            (409, self.conflict.is_some()),
            (413, has_body),
            (415, has_body),
            (422, on_something || has_body || self.query != Query::None),
            (429, signed),
            (500, signed || self.id == "get-readiness"),
            (503, signed || self.id == "get-readiness"),
        ]
        .into_iter()
        .filter_map(|(status, possible)| possible.then_some(status))
        .collect()
    }
}
