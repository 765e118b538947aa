//! Examples of bodies, as they come and go. The server accepts each request.

use callout::{Json, json::ObjectBuilder};

pub(super) const WORKSPACE: &str = "0195f3a0-0000-7000-8000-000000000001";
pub(super) const INTEGRATION: &str = "0195f3a0-0000-7000-8000-000000000002";
pub(super) const KEY: &str = "0195f3a0-0000-7000-8000-000000000003";

/// Name, summary and the value as JSON.
pub(super) type Example = (&'static str, &'static str, &'static str);

/// `examples` of a media type.
pub(super) fn to_json(examples: &[Example]) -> Json {
    examples
        .iter()
        .map(|(name, summary, value)| {
            // A test reads each of them.
            let value = Json::parse(value).unwrap_or_default();
            (*name, Json::from(ObjectBuilder::new().with("summary", *summary).with("value", value)))
        })
        .collect()
}

/// Bodies that an operation takes.
pub(super) fn request(operation: &str) -> &'static [Example] {
    match operation {
        "create-integration" => &CREATE,
        "update-integration" => &[
            ("rename", "For people it has another name now", r#"{"display_name": "GitHub (support)"}"#),
            ("rotate", "A new secret", r#"{"auth": {"bearer_token_value": {"value": "ghp_new"}}}"#),
            ("disable", "No calls until it is enabled again", r#"{"enabled": false}"#),
        ],
        "test-integration-endpoint" | "execute-integration-endpoint" => &[(
            "issues",
            "Params as the endpoint declares them",
            r#"{"params": {"owner": "rust-lang", "repo": "rust"}}"#,
        )],
        "test-integration-connection" => &[
            ("none", "No params", "{}"),
            ("exchange", "Params that a token exchange needs", r#"{"params": {"user_id": "u-17"}}"#),
        ],
        "create-api-key" => &[
            ("agent", "A key that sees and executes, for 30 days", r#"{"duration_days": 30, "name": "agent"}"#),
            (
                "auditor",
                "A key that sees, and reads the audit log",
                r#"{"duration_days": 7, "role": "viewer", "permissions": ["Audit.view"]}"#,
            ),
        ],
        "create-workspace" => &[("support", "A workspace", r#"{"name": "support"}"#)],
        _ => &[],
    }
}

const CREATE: [Example; 3] = [
    (
        "token",
        "A bearer token, and one endpoint whose answer becomes a short list",
        r#"{
            "name": "github",
            "display_name": "GitHub",
            "base_url": "https://api.github.com",
            "auth": {"type": "bearer_token", "bearer_token_value": {"value": "ghp_example"}},
            "endpoints": [{
                "name": "list-issues",
                "description": "Lists the open issues of a repository",
                "method": "GET",
                "path": "/repos/{owner}/{repo}/issues{?labels}",
                "input_schema": {
                    "type": "object",
                    "properties": {
                        "owner": {"type": "string"},
                        "repo": {"type": "string"},
                        "labels": {"type": "string", "description": "Comma-separated"}
                    },
                    "required": ["owner", "repo"],
                    "additionalProperties": false
                },
                "response_mapping": {"number": "number", "title": "title"},
                "result_template": "{% for issue in result %}#{{ issue.number }} {{ issue.title }}\n{% endfor %}",
                "max_result_length": 4000
            }]
        }"#,
    ),
    (
        "client-credentials",
        "OAuth 2.0 client credentials, and an endpoint that posts a form",
        r#"{
            "name": "orders",
            "display_name": "Orders",
            "base_url": "https://orders.example.com/v2",
            "auth": {
                "type": "oauth2_client_credentials",
                "token_url": "https://id.example.com/oauth/token",
                "client_id": "callout",
                "client_secret_value": {"value": "s3cr3t"},
                "scopes": ["orders.write"]
            },
            "endpoints": [{
                "name": "create-order",
                "description": "Orders a product",
                "path": "/orders",
                "body_format": "form",
                "input_schema": {
                    "type": "object",
                    "properties": {"sku": {"type": "string"}, "quantity": {"type": "integer", "minimum": 1}},
                    "required": ["sku"]
                },
                "request_transform": {"inject": {"channel": "agent"}},
                "result_key": "order.id",
                "retry_config": {"max_retries": 0}
            }]
        }"#,
    ),
    (
        "exchange",
        "A secret exchanged for the token of one user, who is named by a param",
        r#"{
            "name": "calendar",
            "display_name": "Calendar",
            "base_url": "https://calendar.example.com",
            "auth": {
                "type": "bearer_token_exchange",
                "exchange_url": "https://calendar.example.com/sessions",
                "exchange_secret_header": "Authorization",
                "exchange_secret_format": "Key {secret}",
                "exchange_secret_value": {"value": "s3cr3t"},
                "exchange_param_headers": [{"header_name": "X-User-Id", "param_name": "user_id"}]
            },
            "endpoints": [{
                "name": "today",
                "description": "The user's appointments of today",
                "method": "GET",
                "path": "/appointments/today",
                "response_filter": ["items.title", "items.start"],
                "result_delivery": "queue"
            }]
        }"#,
    ),
];

/// Bodies that an operation answers with.
pub(super) fn answer(operation: &str) -> &'static [Example] {
    match operation {
        "test-integration-endpoint" => &[
            (
                "done",
                "Each stage of a call",
                r##"{"status_code": 200, "duration_ms": 182.4, "retries": 0,
                    "raw_response": [{"number": 7, "title": "Crash", "state": "open"}],
                    "after_filter": [{"number": 7, "title": "Crash", "state": "open"}],
                    "after_mapping": [{"number": 7, "title": "Crash"}],
                    "final_result": "#7 Crash\n", "error": null}"##,
            ),
            (
                "failed",
                "The upstream refused",
                r#"{"status_code": 404, "duration_ms": 97.1, "retries": 0, "raw_response": {"message": "Not Found"},
                    "after_filter": null, "after_mapping": null, "final_result": null,
                    "error": "github.list-issues: the upstream answered 404"}"#,
            ),
        ],
        "execute-integration-endpoint" => &[
            (
                "done",
                "The text for the model",
                r##"{"status": 200, "text": "#7 Crash\n", "truncation": null, "delivery": "interrupt",
                    "duration_ms": 182.4, "retries": 0, "error": null}"##,
            ),
            (
                "failed",
                "The upstream was busy",
                r#"{"status": 503, "text": null, "truncation": null, "delivery": null, "duration_ms": 961.8,
                    "retries": 2, "error": {"code": "upstream_status",
                    "message": "github.list-issues: the upstream answered 503", "retryable": true,
                    "retry_after_ms": 30000, "body": {"message": "Service unavailable"}}}"#,
            ),
        ],
        "test-integration-connection" => &[(
            "healthy",
            "It is there and takes the credentials",
            r#"{"status": "healthy", "auth_resolved": true, "http_status": 200, "duration_ms": 88.2,
                "message": "the API answered 200", "tested_at": "2026-05-04T09:30:00Z"}"#,
        )],
        "create-api-key" | "rotate-api-key" => &[(
            "agent",
            "The secret is shown once",
            r#"{"key_id": "0195f3a0-0000-7000-8000-000000000003", "name": "agent", "role": "member", "permissions": [],
                "created_at": "2026-05-04T09:30:00Z", "expires_at": "2026-06-03T09:30:00Z", "api_key": "callout_…"}"#,
        )],
        _ => &[],
    }
}

/// Bodies that refuse.
pub(super) fn refusal(status: u16) -> &'static [Example] {
    match status {
        400 => &[(
            "incomplete_body",
            "The body broke off",
            r#"{"detail": "the body broke off", "error_code": "incomplete_body", "request_id": "6f1c"}"#,
        )],
        401 => &[(
            "unauthorized",
            "No key, or one that is unknown, expired or deleted",
            r#"{"detail": "a valid API key is required: `Authorization: Bearer callout_…`",
                "error_code": "unauthorized", "request_id": "6f1c"}"#,
        )],
        403 => &[(
            "forbidden",
            "A missing permission, or another or an absent workspace: all alike",
            r#"{"detail": "this key does not permit that in this workspace", "error_code": "forbidden",
                "request_id": "6f1c"}"#,
        )],
        404 => &[(
            "not_found",
            "It is not there",
            r#"{"detail": "there is no such integration", "error_code": "not_found", "request_id": "6f1c"}"#,
        )],
        408 => &[(
            "request_timeout",
            "The body came too slowly",
            r#"{"detail": "the body came too slowly", "error_code": "request_timeout", "request_id": "6f1c"}"#,
        )],
        413 => &[(
            "body_too_large",
            "The body is too large",
            r#"{"detail": "the body is larger than 2097152 bytes", "error_code": "body_too_large", "request_id": "6f1c"}"#,
        )],
        415 => &[(
            "unsupported_media_type",
            "The body is no JSON",
            r#"{"detail": "the body must be JSON: `Content-Type: application/json`",
                "error_code": "unsupported_media_type", "request_id": "6f1c"}"#,
        )],
        422 => &[(
            "faults",
            "Every fault at once",
            r#"{"detail": [{"loc": ["body", "endpoints", 0, "path"], "msg": "is required", "type": "missing"},
                {"loc": ["body", "auth", "type"], "msg": "must be one of api_key_header, bearer_token, …", "type": "enum"}]}"#,
        )],
        429 => &[(
            "rate_limited",
            "Ask again later",
            r#"{"detail": "this key may ask 60 times a minute; ask again in 2 s", "error_code": "rate_limited",
                "request_id": "6f1c"}"#,
        )],
        500 => &[
            (
                "internal",
                "The log has the request id",
                r#"{"detail": "the server failed; please report the request id", "error_code": "internal",
                    "request_id": "6f1c"}"#,
            ),
            (
                "answer_let_go",
                "Done, but its answer is lost",
                r#"{"detail": "the request has been carried out, but its answer was let go: too much of this workspace's answers waits for clients to take it",
                    "error_code": "answer_let_go", "request_id": "6f1c"}"#,
            ),
        ],
        503 => &[(
            "store_unavailable",
            "It heals by itself",
            r#"{"detail": "the database or the secret store cannot be reached now; try again",
                "error_code": "store_unavailable", "request_id": "6f1c"}"#,
        )],
        _ => &[],
    }
}
