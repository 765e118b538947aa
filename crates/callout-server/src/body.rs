//! Reads the body of a request: bounded in bytes and time, as JSON that says each name once.

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use callout::{
    FaultCode, Faults, Json,
    json::{Duplicates, ReadOptions},
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{App, error::ApiError};

/// What may stand around the params of a call, white space included.
const AROUND_PARAMS: usize = 64 << 10;

/// The bytes of a body that is JSON, as its type says; at most `most` of them.
///
/// # Errors
///
/// 408 if it comes too slowly, 413 if it is too large, 415 if it is of another type.
pub(crate) async fn receive(app: &App, request: Request, most: usize) -> Result<Bytes, ApiError> {
    let (head, body) = request.into_parts();
    receive_of(app, &head.headers, body, most).await
}

/// As [`receive`], with the head apart.
pub(crate) async fn receive_of(app: &App, headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, ApiError> {
    let limited = Limited::new(body, most).collect();
    let patience = app.wait(app.options().read_timeout);
    let collected = tokio::select! {
        // Most bodies have come with their headers, and need no timer.
        biased;
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
    if !bytes.is_empty() && !headers.get(CONTENT_TYPE).is_none_or(|kind| kind.to_str().is_ok_and(is_json)) {
        let detail = "the body must be JSON: `Content-Type: application/json`";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    Ok(bytes)
}

/// How large the body of a call may be.
pub(crate) fn most_of_a_call(app: &App) -> usize {
    app.engine().limits().max_params_bytes + AROUND_PARAMS
}

/// A body that is small, and must be there.
pub(crate) async fn required(app: &App, request: Request) -> Result<Json, ApiError> {
    parse(&receive(app, request, most_of_a_call(app)).await?, app.engine().limits().max_json_depth)
}

/// A body that is small, and may be left out.
pub(crate) async fn optional(app: &App, request: Request) -> Result<Option<Json>, ApiError> {
    let bytes = receive(app, request, most_of_a_call(app)).await?;
    if bytes.is_empty() { Ok(None) } else { parse(&bytes, app.engine().limits().max_json_depth).map(Some) }
}

/// Reads a body that must be there.
///
/// # Errors
///
/// 422 if it is no JSON, nests too deep or says a name twice: that would be read by one party in one
/// way and by another in the other.
pub(crate) fn parse(bytes: &[u8], max_depth: usize) -> Result<Json, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::invalid_value(&["body"], "missing", "a JSON body is required"));
    }
    let options = ReadOptions { max_depth, duplicates: Duplicates::Refuse, ..ReadOptions::default() };
    options.read(bytes).map_err(|error| ApiError::invalid_value(&["body"], "json_invalid", &error.to_string()))
}

/// Most characters of a name that people give a key or a workspace.
const MAX_NAME: usize = 256;

/// Checks a name that people read: 1 to 256 characters, no control characters.
pub(crate) fn check_name(name: &str, faults: &mut Faults) {
    if !(1..=MAX_NAME).contains(&name.chars().count()) {
        faults.report(FaultCode::OutOfRange, format!("must have 1 to {MAX_NAME} characters"));
    } else if name.chars().any(char::is_control) {
        faults.report(FaultCode::Pattern, "must not hold control characters");
    }
}

/// `application/json` or a type with the suffix `+json` (RFC 6839), whatever its parameters.
fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
