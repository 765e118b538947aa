//! The protocol over HTTP: one endpoint, requests by POST, announcements by GET.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Empty, Full, combinators::BoxBody};
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use crate::{McpServer, Owner, ToolSource, handler::Handler, sessions::OwnedSessions};

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
pub struct HttpService<S: ToolSource> {
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
        Self { service, sessions, server: server.clone(), end }
    }

    /// Answers a request. `owner` is who asks, as the host has found out: to any other there is no
    /// such session (404). The request's extensions reach the [`ToolSource`].
    pub async fn handle<B>(&self, owner: Owner<'_>, request: Request<B>) -> Response<BoxBody<Bytes, Infallible>>
    where
        B: Body + Send + 'static,
        B::Error: fmt::Display,
    {
        let is_end = request.method() == Method::DELETE;
        // The SDK ends a session for whoever names it.
        if is_end && !self.sessions.is_named_by_its_owner(owner, request.headers()) {
            return no_such_session();
        }
        let answer = self.sessions.as_owner(owner, self.service.handle(request)).await;
        if is_end && answer.status() == StatusCode::ACCEPTED {
            // It has ended when this is answered; clients take 202 for a failure.
            return empty(StatusCode::NO_CONTENT);
        }
        answer
    }

    /// Ends every stream of announcements, so that a host can wait for what is left: calls in flight.
    pub fn close(&self) {
        self.server.closing().cancel();
    }

    /// Ends everything, calls in flight too.
    pub fn end(&self) {
        self.close();
        self.end.cancel();
    }
}

fn empty(status: StatusCode) -> Response<BoxBody<Bytes, Infallible>> {
    let mut response = Response::new(Empty::new().boxed());
    *response.status_mut() = status;
    response
}

fn no_such_session() -> Response<BoxBody<Bytes, Infallible>> {
    let mut response = Response::new(Full::from("Not Found: Session not found").boxed());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

impl<S: ToolSource> Clone for HttpService<S> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            sessions: Arc::clone(&self.sessions),
            server: self.server.clone(),
            end: self.end.clone(),
        }
    }
}

impl<S: ToolSource> fmt::Debug for HttpService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}
