//! The API's own description: an OpenAPI 3.1 document, and a page that shows it.
//!
//! [`schemas`] says what bodies hold, as types; [`operations`] what can be asked, as a table;
//! [`examples`] how it looks. The document is made once.

mod examples;
mod operations;
mod parts;
mod schemas;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use callout::{Json, json::ObjectBuilder};
use http::{
    HeaderValue,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY},
};
use sha2::{Digest, Sha256};

use crate::error::ApiError;

const ABOUT: &str = "Calls to other people's HTTP APIs, configured as *integrations* and made for agents.

Every operation but those of the server itself needs an API key: `Authorization: Bearer callout_…`. A key belongs to one \
workspace and has a role (viewer, member, admin, owner) and permissions; the operator's key, printed when the server \
first starts, reaches all workspaces. Another workspace and one that does not exist are refused alike, with 403.

Lists come in pages: `limit`, and `continuation_token` from the page before. A page of integrations ends at 8 MiB of \
configs too; `has_more` says whether there is another.

A refusal has `detail` for people, `error_code` for programs and `request_id`, which stands in `X-Request-Id` and in the \
server's log too. An invalid request is a 422 that lists every fault with its place.";

const PAGE: &str = include_str!("docs.html");

static DOCUMENT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", describe()));

/// Nothing but the page's own script and style runs, and it asks nobody but this server.
static PAGE_POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let digest = |element: &str| {
        let text = PAGE.split_once(&format!("<{element}>"))?.1.split_once(&format!("</{element}>"))?.0;
        Some(BASE64_STANDARD.encode(Sha256::digest(text)))
    };
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        digest("script")?,
        digest("style")?
    );
    HeaderValue::from_str(&policy).ok()
});

/// The OpenAPI 3.1 document of the API, as indented JSON.
pub fn document() -> &'static str {
    &DOCUMENT
}

/// `GET /openapi.json`
pub(crate) async fn show() -> Response {
    let mut response = Response::new(Body::from(document()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `GET /docs`
pub(crate) async fn docs() -> Response {
    let Some(policy) = PAGE_POLICY.clone() else { return ApiError::not_found("page").into_response() };
    let mut response = Response::new(Body::from(PAGE));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn describe() -> Json {
    let info = ObjectBuilder::new()
        .with("title", "Callout")
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("description", ABOUT)
        .with(
            "license",
            ObjectBuilder::new().with("name", "MIT OR Apache-2.0").with("identifier", "MIT OR Apache-2.0"),
        );
    let here = ObjectBuilder::new().with("url", "/").with("description", "This server");
    let with_key = ObjectBuilder::new().with("BearerAuth", Json::from_iter(Vec::<Json>::new()));
    let tags = [
        (operations::INTEGRATIONS, "APIs and how to call them"),
        (operations::API_KEYS, "Who may ask in a workspace"),
        (operations::WORKSPACES, "Tenants: none sees another's integrations, keys or secrets"),
        (operations::AUDIT_LOG, "Who changed what"),
        (operations::SERVER, "The server itself"),
    ];
    let tags = tags.map(|(name, says)| Json::from(ObjectBuilder::new().with("name", name).with("description", says)));
    ObjectBuilder::new()
        .with("openapi", "3.1.0")
        .with("info", info)
        .with("servers", Json::from_iter([Json::from(here)]))
        .with("security", Json::from_iter([Json::from(with_key)]))
        .with("tags", Json::from_iter(tags))
        .with("paths", operations::paths())
        .with("components", components())
        .into()
}

fn components() -> ObjectBuilder {
    let bearer = ObjectBuilder::new()
        .with("type", "http")
        .with("scheme", "bearer")
        .with("description", "An API key, `callout_…`");
    let responses =
        operations::SHARED.iter().map(|(status, name, description)| (*name, parts::refusal(*status, description)));
    ObjectBuilder::new()
        .with("securitySchemes", ObjectBuilder::new().with("BearerAuth", bearer))
        .with("schemas", schemas::all().into_iter().collect::<Json>())
        .with("responses", responses.collect::<Json>())
        .with("headers", parts::header_components())
}
