//! What every answer goes through: the request's id, the error's body, the log line, the counters.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use callout::milliseconds;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};

use crate::{App, access::KeyId, error::ApiError, giving_way::giving_way};

/// The header that carries a request's id, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id that is taken over from a client.
const MAX_REQUEST_ID: usize = 128;

/// The id of one request: the client's own, or one made here.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Gives the request its id, writes the body of errors, logs and counts.
pub(crate) async fn envelope(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = app.clock().now();
    let id = RequestId(request_id(request.headers()).unwrap_or_else(|| app.new_id().to_string()).into());
    request.extensions_mut().insert(id.clone());
    let may_be_coded = request.headers().contains_key(ACCEPT_ENCODING);
    let method = request.method().clone();
    // The pattern, not the path: few values for the counters, no ids in the log.
    let route: Arc<str> = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).into();
    let flight = app.metrics().in_flight();
    let waited_for = WaitedFor {
        app: app.clone(),
        method: method.clone(),
        route: Arc::clone(&route),
        id: id.clone(),
        is_answered: false,
    };
    let mut response = next.run(request).await;
    waited_for.answered();
    drop(flight);
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        error.tell(Some(&id));
        write_error(&mut response, &error, &id);
    } else if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        // That header is written around all layers.
        let detail = format!("this path does not take {method}; the header `Allow` says what it takes");
        write_error(&mut response, &ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail), &id);
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let duration = app.clock().now().saturating_duration_since(started);
    let status = response.status().as_u16();
    app.metrics().answered(&method, &route, status, duration);
    let key = response.extensions().get::<KeyId>().map(|KeyId(id)| tracing::field::display(id));
    tracing::info!(
        http.request.method = %method,
        http.route = &*route,
        http.response.status_code = status,
        duration_ms = milliseconds(duration),
        request_id = id.as_str(),
        key_id = key,
        "request"
    );
    if may_be_coded { response.map(giving_way) } else { response }
}

/// A request that somebody waits for. If it is dropped before its end, the client has gone away: what
/// was done till then is in no answer, so it is logged and counted.
struct WaitedFor {
    app: App,
    method: Method,
    route: Arc<str>,
    id: RequestId,
    is_answered: bool,
}

impl WaitedFor {
    fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for WaitedFor {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        self.app.metrics().abandoned(&self.route);
        tracing::info!(
            http.request.method = %self.method,
            http.route = &*self.route,
            request_id = self.id.as_str(),
            "the client went away before its answer"
        );
    }
}

/// The client's own id, if it is fit for a header and a log line.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let fits = !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| id.to_owned())
}

fn write_error(response: &mut Response, error: &ApiError, id: &RequestId) {
    let body = error.to_json(id.as_str()).to_string();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().remove(CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
}
