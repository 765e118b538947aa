//! Answers that succeed: JSON as the engine writes it, digits and order kept.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use callout::{Json, json::compact};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};

/// An answer with a JSON body.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    body: String,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Json>) -> Self {
        Self::written(compact(&body.into(), None))
    }

    pub(crate) fn created(body: impl Into<Json>) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(body) }
    }

    /// With JSON that has been written.
    pub(crate) fn written(body: String) -> Self {
        Self { status: StatusCode::OK, body }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
