//! The tour's API: a server on this machine that answers as GitHub does, and remembers what it got.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

use super::identity;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Received {
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Upstream {
    address: SocketAddr,
    state: Arc<State>,
    _server: JoinSet<()>,
}

#[derive(Debug, Default)]
struct State {
    received: Mutex<Vec<Received>>,
    attempts: AtomicUsize,
}

impl Upstream {
    pub(crate) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { address, state, _server: server })
    }

    /// `127.0.0.1:port`
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has arrived since the last time this was asked.
    pub(super) fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut self.state.received.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&state)));
            // A connection that breaks is the client's affair.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let received = Received {
        method: head.method,
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let reply = identity::reply(&received).unwrap_or_else(|| reply(&received, &state));
    state.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    let mut response = Response::builder().status(reply.status).header("content-type", "application/json");
    if let Some(seconds) = reply.retry_after {
        response = response.header("retry-after", seconds);
    }
    let body = Full::new(Bytes::from(reply.body));
    Ok(response.body(body).unwrap_or_else(|_| Response::new(Full::default())))
}

/// What the server answers.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    retry_after: Option<u32>,
    body: String,
}

impl Reply {
    pub(super) fn new(status: StatusCode, body: impl Into<String>) -> Self {
        Self { status, retry_after: None, body: body.into() }
    }

    pub(super) fn ok(body: impl Into<String>) -> Self {
        Self::new(StatusCode::OK, body)
    }
}

fn reply(received: &Received, state: &State) -> Reply {
    match (received.method.as_str(), received.path()) {
        ("GET", "/orgs/octo-org/issues") => Reply::ok(include_str!("../../demo/bodies/issues.json")),
        ("GET", "/search/code") => Reply::ok(include_str!("../../demo/bodies/search-code.json")),
        ("GET", "/repos/octocat/hello-world/commits/main/check-runs") => {
            Reply::ok(include_str!("../../demo/bodies/check-runs.json"))
        }
        ("GET", "/repos/octocat/hello-world/labels/bug") => Reply::ok(include_str!("../../demo/bodies/label.json")),
        ("POST", "/repos/octocat/hello-world/issues") => {
            Reply::new(StatusCode::CREATED, include_str!("../../demo/bodies/issue.json"))
        }
        ("GET", "/repos/octocat/hello-world/commits") if state.attempts.fetch_add(1, Ordering::Relaxed) == 0 => {
            let body = r#"{"message": "Service unavailable, back in a second"}"#;
            Reply { retry_after: Some(1), ..Reply::new(StatusCode::SERVICE_UNAVAILABLE, body) }
        }
        ("GET", "/repos/octocat/hello-world/commits") => Reply::ok(include_str!("../../demo/bodies/commits.json")),
        ("POST", "/login/device/code") => {
            let form: HashMap<_, _> = form_urlencoded::parse(received.body.as_bytes()).into_owned().collect();
            if form.get("client_id").map(String::as_str) == Some("demo-app") {
                Reply::ok(
                    r#"{"user_code": "WDJB-MJHT", "verification_uri": "https://github.com/login/device", "expires_in": 900}"#,
                )
            } else {
                Reply::new(StatusCode::BAD_REQUEST, r#"{"error": "incorrect_client_credentials"}"#)
            }
        }
        ("POST", "/graphql") => Reply::ok(r#"{"data": {"user": {"followers": {"totalCount": 16801}}}}"#),
        ("GET", "/whoami") => {
            let key = received.header("x-api-key").unwrap_or("nobody");
            Reply::ok(format!(r#"{{"you": "the holder of {key}"}}"#))
        }
        _ => Reply::new(StatusCode::NOT_FOUND, r#"{"message": "Not Found", "status": "404"}"#),
    }
}
