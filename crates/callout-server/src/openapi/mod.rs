//! The API's own description.

use axum::response::Response;

/// The OpenAPI document.
pub fn document() -> &'static str {
    "{}"
}

pub(crate) async fn show() -> Response {
    Response::new(document().into())
}

pub(crate) async fn docs() -> Response {
    Response::new(String::new().into())
}
