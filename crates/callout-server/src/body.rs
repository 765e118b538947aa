//! Reads the body of a request: bounded in bytes and time, as JSON that says each name once.

use axum::extract::Request;
use bytes::Bytes;
use callout::{
    Json,
    json::{Duplicates, ReadOptions},
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{App, error::ApiError};

/// The body as JSON; `None` if there is none.
///
/// # Errors
///
/// 408 if it comes too slowly, 413 if it is too large, 415 if it is of another type, 422 if it is no
/// JSON, nests too deep or says a name twice.
pub(crate) async fn read(app: &App, request: Request) -> Result<Option<Json>, ApiError> {
    let (head, body) = request.into_parts();
    let most = app.options().max_body_bytes;
    let limited = Limited::new(body, most).collect();
    let patience = app.clock().until(app.clock().now() + app.options().read_timeout);
    let collected = tokio::select! {
        collected = limited => collected,
        () = patience => {
            return Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the body came too slowly"));
        }
    };
    let bytes = match collected {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("the body is larger than {most} bytes");
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail));
        }
        Err(_) => {
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "incomplete_body", "the body broke off"));
        }
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    parse(&head.headers, &bytes, app.engine().limits().max_json_depth).map(Some)
}

/// As [`read`], for requests that must have a body.
pub(crate) async fn required(app: &App, request: Request) -> Result<Json, ApiError> {
    let body = read(app, request).await?;
    body.ok_or_else(|| ApiError::invalid_value(&["body"], "missing", "a JSON body is required"))
}

fn parse(headers: &HeaderMap, bytes: &Bytes, max_depth: usize) -> Result<Json, ApiError> {
    if let Some(kind) = headers.get(CONTENT_TYPE)
        && !kind.to_str().is_ok_and(is_json)
    {
        let detail = "the body must be JSON: `Content-Type: application/json`";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    // A name that stands twice would be read by one party in one way and by another in the other.
    let options = ReadOptions { max_depth, duplicates: Duplicates::Refuse, ..ReadOptions::default() };
    options.read(bytes).map_err(|error| ApiError::invalid_value(&["body"], "json_invalid", &error.to_string()))
}

/// `application/json` or a type with the suffix `+json` (RFC 6839), whatever its parameters.
fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
