//! What operations are written with: answers, headers and params.

use callout::{Json, json::ObjectBuilder};

use super::{examples, schemas};

/// An answer that refuses, with the error envelope.
pub(super) fn refusal(status: u16, description: &str) -> Json {
    response(
        description,
        Some(json_content("ErrorResponse", examples::refusal(status))),
        headers(status, status == 429),
    )
}

/// `components.headers`.
pub(super) fn header_components() -> Json {
    let header = |description: &str, required: bool, schema: ObjectBuilder| {
        Json::from(
            ObjectBuilder::new().with("description", description).with("required", required).with("schema", schema),
        )
    };
    let count = || ObjectBuilder::new().with("type", "integer").with("minimum", 0);
    let id = ObjectBuilder::new().with("type", "string").with("minLength", 1).with("maxLength", 128);
    ObjectBuilder::new()
        .with("RequestId", header("The request's own `X-Request-Id`, or one made here", true, id))
        .with("RateLimit", header("Requests a minute that the key has, where the operator set a limit", false, count()))
        .with("RateLimitRemaining", header("Requests that are left to the key now", false, count()))
        .with("RateLimitReset", header("Seconds until all of them are there again", false, count()))
        .with("RetryAfter", header("Seconds after which to ask again", true, count()))
        .with("Authenticate", header("The scheme to use (RFC 6750)", true, ObjectBuilder::new().with("type", "string")))
        .into()
}

pub(super) fn headers(status: u16, limited: bool) -> Json {
    let mut headers = ObjectBuilder::new().with("X-Request-Id", reference("headers", "RequestId"));
    if limited && (status < 300 || status == 429) {
        headers = headers
            .with("X-RateLimit-Limit", reference("headers", "RateLimit"))
            .with("X-RateLimit-Remaining", reference("headers", "RateLimitRemaining"))
            .with("X-RateLimit-Reset", reference("headers", "RateLimitReset"));
    }
    if matches!(status, 429 | 503) {
        headers = headers.with("Retry-After", reference("headers", "RetryAfter"));
    }
    if status == 401 {
        headers = headers.with("WWW-Authenticate", reference("headers", "Authenticate"));
    }
    headers.into()
}

pub(super) fn response(description: &str, content: Option<Json>, headers: Json) -> Json {
    let mut response = ObjectBuilder::new().with("description", description).with("headers", headers);
    if let Some(content) = content {
        response = response.with("content", content);
    }
    response.into()
}

pub(super) fn json_content(schema: &str, examples: &[examples::Example]) -> Json {
    let mut media = ObjectBuilder::new().with("schema", reference("schemas", schema));
    if !examples.is_empty() {
        media = media.with("examples", examples::to_json(examples));
    }
    ObjectBuilder::new().with("application/json", media).into()
}

pub(super) fn reference(kind: &str, name: &str) -> Json {
    ObjectBuilder::new().with("$ref", format!("#/components/{kind}/{name}")).into()
}

pub(super) fn list<T: Into<Json>>(elements: impl IntoIterator<Item = T>) -> Json {
    elements.into_iter().map(Into::into).collect()
}

pub(super) fn path_parameter(name: &str) -> Json {
    let text = ObjectBuilder::new().with("type", "string");
    let (description, schema, example) = match name {
        "workspace_id" => ("The workspace", text.with("format", "uuid"), examples::WORKSPACE),
        "integration_id" => ("The integration", text.with("format", "uuid"), examples::INTEGRATION),
        "key_id" => ("The API key", text.with("format", "uuid"), examples::KEY),
        _ => ("The endpoint's name within the integration", text, "list-issues"),
    };
    parameter(name, "path", description, schema).with("example", example).into()
}

pub(super) fn filter_parameters() -> [Json; 4] {
    let nullable = |schema: ObjectBuilder| {
        let null = ObjectBuilder::new().with("type", "null");
        ObjectBuilder::new().with("anyOf", list([schema, null]))
    };
    let of_type = |kind: &str| nullable(ObjectBuilder::new().with("type", kind));
    let search = ObjectBuilder::new().with("$ref", "#/components/schemas/SearchString");
    [
        ("enabled", "Only those that are enabled, or are not", of_type("boolean"), Json::from(true)),
        ("protocol", "Only those of that protocol: `rest` or `desktop`", of_type("string"), Json::from("rest")),
        (
            "search",
            "Only those whose name, display name or id has that text in it, in any case",
            nullable(search),
            Json::from("git"),
        ),
        (
            "sort_by",
            "`name`, `created_at` or `updated_at`, with `+` (rising) or `-` (falling) before it; no sign means `+`. \
             Default `-created_at`. The id breaks ties",
            of_type("string"),
            Json::from("-updated_at"),
        ),
    ]
    .map(|(name, description, schema, example)| {
        parameter(name, "query", description, schema).with("example", example).into()
    })
}

/// `limit` and `continuation_token`; the contract has no lowest value for the latter.
pub(super) fn page_parameters(minimum: Option<u64>) -> [Json; 2] {
    let integer = || ObjectBuilder::new().with("type", "integer");
    let limit = integer().with("maximum", 100).with("exclusiveMinimum", 0).with("default", 10);
    let mut token = integer();
    if let Some(minimum) = minimum {
        token = token.with("minimum", minimum).with("maximum", i64::MAX);
    }
    [
        parameter("limit", "query", "Items of a page", limit).into(),
        parameter(
            "continuation_token",
            "query",
            "Where the page begins: that of the page before, 0 for the first",
            token.with("default", 0),
        )
        .into(),
    ]
}

fn parameter(name: &str, place: &str, description: &str, schema: ObjectBuilder) -> ObjectBuilder {
    ObjectBuilder::new()
        .with("name", name)
        .with("in", place)
        .with("required", place == "path")
        .with("description", description)
        .with("schema", schema.with("title", schemas::title(name)))
}
