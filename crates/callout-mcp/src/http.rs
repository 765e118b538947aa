//! The protocol over HTTP: one endpoint, requests by POST, announcements by GET.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt as _, Empty, Full, LengthLimitError, Limited, combinators::BoxBody};
use rmcp::{
    model::{ServerJsonRpcMessage, ServerResult},
    transport::{StreamableHttpServerConfig, StreamableHttpService},
};
use tokio_util::sync::CancellationToken;

use crate::{
    McpServer, Owner, ToolSource,
    direct::{self, Direct},
    handler::{Handler, cancelled},
    sessions::OwnedSessions,
    surrogates,
};

/// How an [`HttpService`] serves, each with its default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpOptions {
    /// Bytes of a request's body. Default 4 MiB.
    pub max_body_bytes: usize,
    /// The hosts that a request may name (`name` or `name:port`), so that no web page reaches a server
    /// on this machine under a name of its own (DNS rebinding). None: any. Default: loopback's names.
    pub allowed_hosts: Vec<String>,
    /// The web origins that may ask (`https://app.example:443`, `http://localhost:*`). What comes from
    /// another is refused with 403; programs send no `Origin` and are not concerned. Default: none.
    pub allowed_origins: Vec<String>,
    /// Sessions of one tenant at once; with another one the one that has rested longest ends. Clients of
    /// revision 2026-07-28 have none. Default 256.
    pub max_sessions: usize,
    /// How long a session may rest before it ends. Default 1 h.
    pub session_idle: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            max_body_bytes: 4 << 20,
            allowed_hosts: ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec(),
            allowed_origins: Vec::new(),
            max_sessions: 256,
            session_idle: Duration::from_hours(1),
        }
    }
}

/// Answers HTTP requests to one MCP endpoint (Streamable HTTP). Cheap to clone.
///
/// Requests of revision 2026-07-28 stand for themselves: any process may answer them. Earlier clients
/// begin a session, which lives in this process and belongs to whoever began it.
pub struct HttpService<S: ToolSource>(Arc<Parts<S>>);

struct Parts<S: ToolSource> {
    service: StreamableHttpService<Handler<S>, OwnedSessions>,
    sessions: Arc<OwnedSessions>,
    server: McpServer<S>,
    end: CancellationToken,
}

impl<S: ToolSource> HttpService<S> {
    /// Serves that server's tools.
    pub fn new(server: &McpServer<S>, options: HttpOptions) -> Self {
        let HttpOptions { max_body_bytes, allowed_hosts, allowed_origins, max_sessions, session_idle } = options;
        let end = CancellationToken::new();
        let sessions = Arc::new(OwnedSessions::new(max_sessions, session_idle, server.closing().clone()));
        let config = StreamableHttpServerConfig::default()
            .with_json_response(true)
            .with_sse_retry(None)
            .with_max_request_body_bytes(max_body_bytes)
            .with_allowed_hosts(allowed_hosts)
            .with_allowed_origins(allowed_origins)
            .enforce_origin_validation()
            .with_cancellation_token(end.clone());
        let each = server.clone();
        let service = StreamableHttpService::new(move || Ok(each.handler()), Arc::clone(&sessions), config);
        Self(Arc::new(Parts { service, sessions, server: server.clone(), end }))
    }

    /// Answers a request. `owner` is who asks, as the host has found out: to any other there is no
    /// such session (404). The request's extensions reach the [`ToolSource`].
    pub async fn handle<B>(&self, owner: Owner<'_>, request: Request<B>) -> Response<BoxBody<Bytes, Infallible>>
    where
        B: Body + Send + 'static,
        B::Error: fmt::Display,
    {
        let Parts { service, sessions, server, .. } = &*self.0;
        let is_end = request.method() == Method::DELETE;
        // The SDK ends a session for whoever names it.
        if is_end && sessions.is_named_by_another(owner, request.headers()) {
            return text(StatusCode::NOT_FOUND, "Not Found: Session not found");
        }
        let (mut parts, body) = request.into_parts();
        let mut bytes = Bytes::new();
        if parts.method == Method::POST {
            bytes = match collect(body, service.config.max_request_body_bytes).await {
                Ok(bytes) => bytes,
                Err(refused) => return refused,
            };
            if bytes.contains(&b'\\') {
                let mut text = Vec::from(bytes);
                surrogates::replace(&mut text);
                bytes = text.into();
            }
            if let Some(call) = Direct::read(&parts.headers, &bytes, &service.config.allowed_hosts) {
                // A call is large; what is answered otherwise does not carry room for it.
                return Box::pin(self.call(&parts.extensions, call)).await;
            }
            if direct::is_wish_to_listen(&parts.headers) {
                // Before the SDK says that it does.
                let begun = server.begin(Some(&parts.extensions)).await;
                parts.extensions.insert(begun);
            }
        }
        let request = Request::from_parts(parts, Full::new(bytes));
        let answer = sessions.as_owner(owner, service.handle(request)).await;
        if is_end && answer.status() == StatusCode::ACCEPTED {
            // It has ended when this is answered; clients take 202 for a failure.
            return empty(StatusCode::NO_CONTENT);
        }
        answer
    }

    /// Answers a call as the SDK does, without what only other requests need.
    async fn call(&self, http: &http::Extensions, call: Direct) -> Response<BoxBody<Bytes, Infallible>> {
        let Direct { id, tool, arguments } = call;
        let call = self.0.server.call(Some(http), &tool, arguments, true);
        let (status, called) = match self.0.end.run_until_cancelled(call).await {
            Some(called) => (StatusCode::OK, called),
            None => (StatusCode::INTERNAL_SERVER_ERROR, Err(cancelled())),
        };
        let message = match called {
            Ok(result) => ServerJsonRpcMessage::response(ServerResult::CallToolResult(result), id),
            Err(error) => ServerJsonRpcMessage::error(error, Some(id)),
        };
        let Ok(text) = serde_json::to_vec(&message) else { return empty(StatusCode::INTERNAL_SERVER_ERROR) };
        let mut response = Response::new(Full::from(text).boxed());
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// Ends every stream of announcements, so that a host can wait for what is left: calls in flight.
    pub fn close(&self) {
        self.0.server.closing().cancel();
    }

    /// Ends everything, calls in flight too.
    pub fn end(&self) {
        self.close();
        self.0.end.cancel();
    }
}

fn empty(status: StatusCode) -> Response<BoxBody<Bytes, Infallible>> {
    let mut response = Response::new(Empty::new().boxed());
    *response.status_mut() = status;
    response
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<BoxBody<Bytes, Infallible>> {
    let mut response = Response::new(Full::new(text.into()).boxed());
    *response.status_mut() = status;
    response
}

/// The whole body, or the answer to one that is too large or broke off.
async fn collect<B>(body: B, most: usize) -> Result<Bytes, Response<BoxBody<Bytes, Infallible>>>
where
    B: Body,
    B::Error: fmt::Display,
{
    let body = body.map_err(|error| error.to_string());
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(text(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {most} bytes")))
        }
        Err(error) => Err(text(StatusCode::BAD_REQUEST, format!("the body could not be read: {error}"))),
    }
}

impl<S: ToolSource> Clone for HttpService<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: ToolSource> fmt::Debug for HttpService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService").field("sessions", &self.0.sessions).finish_non_exhaustive()
    }
}
