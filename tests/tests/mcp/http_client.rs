//! A client of `/mcp`, of either kind of revision.

use std::time::Duration;

use bytes::Bytes;
use callout::Json;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{client::initialize, json, revision::META};

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// One client with its key; of a revision before 2026-07-28 if it has a session.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    pub(crate) address: String,
    pub(crate) key: String,
    pub(crate) session: Option<String>,
    /// Headers besides.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What came, and its messages as they come.
pub(crate) struct Messages {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    unread: String,
    is_stream: bool,
    /// The id of the last event that had one.
    last_id: String,
}

impl HttpClient {
    /// A client of revision 2026-07-28.
    pub(crate) fn new(address: &str, key: &str) -> Self {
        Self { address: address.to_owned(), key: key.to_owned(), session: None, headers: Vec::new() }
    }

    /// A client of a revision before, with a session.
    pub(crate) async fn start(address: &str, key: &str) -> Self {
        let mut client = Self::new(address, key);
        let body = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}}"#, initialize());
        let mut answer = client.send(Method::POST, &body).await;
        assert_eq!(answer.status, 200);
        client.session = Some(answer.headers["mcp-session-id"].to_str().unwrap().to_owned());
        let started = answer.message().await.unwrap();
        assert_eq!(crate::text_at(&started, "result.protocolVersion"), "2025-06-18", "{started}");
        let said = client.send(Method::POST, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
        assert_eq!(said.status, 202);
        client
    }

    /// A request on a connection of its own, which ends with the answer.
    pub(crate) async fn send(&self, method: Method, body: &str) -> Messages {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri("/mcp")
            .header("host", &self.address)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json");
        if !self.key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session).header("mcp-protocol-version", "2025-06-18");
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let response: Response<Incoming> =
            tokio::time::timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap();
        let (head, body) = response.into_parts();
        let kind = head.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_stream = kind.starts_with("text/event-stream");
        Messages {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            unread: String::new(),
            is_stream,
            last_id: String::new(),
        }
    }

    /// Listens, or comes back for what came after that event.
    pub(crate) async fn listen(&self, last_event_id: Option<&str>) -> Messages {
        let mut client = self.clone();
        client.headers.extend(last_event_id.map(|id| ("last-event-id", id.to_owned())));
        client.send(Method::GET, "").await
    }

    /// Begins a request, with what its revision wants of it; `params` is an object.
    pub(crate) async fn begin(&self, id: u64, method: &str, params: &str) -> Messages {
        if self.session.is_some() {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
            return self.send(Method::POST, &body).await;
        }
        let open = params.strip_suffix('}').unwrap();
        let comma = if open.trim() == "{" { "" } else { "," };
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{open}{comma}{META}}}}}"#);
        let mut client = self.clone();
        client.headers.push(("mcp-protocol-version", "2026-07-28".to_owned()));
        client.headers.push(("mcp-method", method.to_owned()));
        if let Some(name) = json(params).get("name").and_then(Json::as_str) {
            client.headers.push(("mcp-name", name.to_owned()));
        }
        client.send(Method::POST, &body).await
    }

    /// The whole answer to a request.
    pub(crate) async fn ask(&self, method: &str, params: &str) -> Json {
        let mut messages = self.begin(7, method, params).await;
        assert_eq!(messages.status, 200);
        loop {
            let message = messages.message().await.unwrap();
            if message.get("id").is_some() {
                return message;
            }
        }
    }

    pub(crate) async fn call(&self, tool: &str, arguments: &str) -> Json {
        self.ask("tools/call", &crate::client::call(tool, arguments)).await
    }

    /// The names of the tools.
    pub(crate) async fn tools(&self) -> Vec<String> {
        let listed = self.ask("tools/list", "{}").await;
        let tools = crate::at(&listed, "result.tools");
        let tools = tools.as_array().unwrap_or_else(|| unreachable!("{listed}"));
        tools.iter().map(|tool| crate::text_at(tool, "name")).collect()
    }
}

impl Messages {
    /// The id of the last event that came, by which its client comes back.
    pub(crate) fn last_id(&self) -> &str {
        &self.last_id
    }

    /// The next message; `None` at the end.
    pub(crate) async fn message(&mut self) -> Option<Json> {
        // As a whole: a stream on which nothing comes is kept alive by comments.
        tokio::time::timeout(PATIENCE, self.next()).await.unwrap()
    }

    async fn next(&mut self) -> Option<Json> {
        loop {
            if !self.is_stream {
                let rest = self.rest().await;
                return (!rest.is_empty()).then(|| json(&rest));
            }
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let data = field("data:").unwrap_or_default().to_owned();
                if let Some(id) = field("id:") {
                    id.clone_into(&mut self.last_id);
                }
                self.unread = String::from(rest);
                if data.is_empty() {
                    continue;
                }
                return Some(json(&data));
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// What is left, as text.
    pub(crate) async fn rest(&mut self) -> String {
        tokio::time::timeout(PATIENCE, async { while self.more().await {} }).await.unwrap();
        std::mem::take(&mut self.unread)
    }

    async fn more(&mut self) -> bool {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                self.unread.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
                true
            }
            Some(Err(_)) | None => false,
        }
    }
}
