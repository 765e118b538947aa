//! A server on a free port of this machine, and a client that asks it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_compression::tokio::write::GzipDecoder;
use callout::{EgressPolicy, Engine, ExposeSecret, Json, SharedClock};
use callout_core::{
    secret::SecretString,
    secret_store::{SecretStore, SecretStoreError, SharedSecretStore},
};
use callout_server::{App, ServerOptions, serve};
use callout_store::{
    Actor, NewApiKey, Permission, Role, SecretBackend, Store, StoreOptions, Uuid, secrets::MemorySecrets,
};
use callout_tests::{SeededRng, TestClock};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

/// A running server with a workspace `shop` and the operator's key.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) store: Store,
    pub(crate) clock: TestClock,
    /// The workspace.
    pub(crate) workspace: Uuid,
    /// A key of the workspace's owner.
    pub(crate) owner: String,
    /// The operator's key.
    pub(crate) operator: String,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
    folder: Option<Arc<tempfile::TempDir>>,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Json {
        Json::parse(&self.text).unwrap()
    }

    /// A member of the body, by names and indexes between dots; null if it is not there.
    pub(crate) fn at(&self, path: &str) -> Json {
        path.split('.').fold(self.json(), |value, step| {
            let element = value.as_array().zip(step.parse().ok()).and_then(|(all, at): (_, usize)| all.get(at));
            element.or_else(|| value.get(step)).cloned().unwrap_or_default()
        })
    }

    /// As [`Answer::at`], as text.
    pub(crate) fn text_at(&self, path: &str) -> String {
        self.at(path).as_str().map(str::to_owned).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The answer, if it has that status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// A store of secrets that takes them, and does not answer who asks for one.
#[derive(Clone, Default)]
pub(crate) struct Silent {
    kept: MemorySecrets,
    asked: Arc<AtomicUsize>,
}

impl Silent {
    /// How often it was asked for a secret.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl SecretStore for Silent {
    async fn put(&self, path: &str, value: &SecretString) -> Result<u64, SecretStoreError> {
        SecretStore::put(&self.kept, path, value).await
    }

    async fn get(&self, _: &str, _: u64) -> Result<SecretString, SecretStoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }

    async fn delete(&self, path: &str) -> Result<(), SecretStoreError> {
        SecretStore::delete(&self.kept, path).await
    }
}

pub(crate) fn actor() -> Actor {
    Actor { key_id: None, name: "test".to_owned(), request_id: None }
}

/// An engine that may call this machine.
pub(crate) fn engine() -> Engine {
    let egress = EgressPolicy::public().allow("127.0.0.1").unwrap();
    Engine::builder().with_egress(egress).with_observer(callout_mcp::Progress).build().unwrap()
}

impl Server {
    /// On a SQLite database of its own.
    pub(crate) async fn start() -> Self {
        Self::with(ServerOptions::default()).await
    }

    pub(crate) async fn with(options: ServerOptions) -> Self {
        Self::made(options, SecretBackend::Database).await
    }

    /// With its secrets outside, in that store.
    pub(crate) async fn with_secrets(secrets: &Silent) -> Self {
        let secrets = SecretBackend::External(SharedSecretStore::new(secrets.clone()));
        Self::made(ServerOptions::default(), secrets).await
    }

    async fn made(options: ServerOptions, secrets: SecretBackend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("callout.db").display().to_string();
        let mut server = Self::on(&database, |store| store.with_secrets(secrets), options).await;
        server.folder = Some(Arc::new(folder));
        server
    }

    /// On that database, which may be one that another server has filled.
    pub(crate) async fn on(
        database: &str,
        with: impl FnOnce(StoreOptions) -> StoreOptions,
        options: ServerOptions,
    ) -> Self {
        let clock = TestClock::new();
        let shared: SharedClock = clock.shared();
        let store = StoreOptions::new(database.parse().unwrap(), shared.clone(), callout::system_rng());
        let store = Store::open(with(store)).await.unwrap();
        let workspace = match store.workspace_by_name("shop").await {
            Ok(workspace) => workspace,
            Err(_) => store.create_workspace("shop", &actor()).await.unwrap(),
        };
        let operator = store.create_operator_key_once(&actor()).await.unwrap();
        let operator = operator.map(|(_, key)| key.expose_secret().to_owned()).unwrap_or_default();
        let new = key_of(workspace.id, Role::Owner);
        let (_, owner) = store.create_api_key(new, &actor()).await.unwrap();

        let app = App::new(store.clone(), engine(), shared, SeededRng::shared(7), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            serve(listener, app, async { drop(stopped.await) }).await.unwrap();
        });
        Self {
            address,
            store,
            clock,
            workspace: workspace.id,
            owner: owner.expose_secret().to_owned(),
            operator,
            stop: Some(stop),
            running: Some(running),
            folder: None,
        }
    }

    /// The folder of the database.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Tells the server to stop, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(running) = self.running.take() {
            running.await.unwrap();
        }
    }

    /// Tells the server to stop, and does not wait.
    pub(crate) fn ask_to_stop(&mut self) -> JoinHandle<()> {
        drop(self.stop.take());
        self.running.take().unwrap()
    }

    /// A key of the workspace with that role and these rights besides.
    pub(crate) async fn key(&self, role: Role, permissions: &[Permission]) -> (Uuid, String) {
        let new = NewApiKey { permissions: permissions.to_vec(), ..key_of(self.workspace, role) };
        let (key, secret) = self.store.create_api_key(new, &actor()).await.unwrap();
        (key.id, secret.expose_secret().to_owned())
    }

    /// A path below the workspace: `/v1/{workspace}{rest}`.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v1/{}{rest}", self.workspace)
    }

    /// Asks as the workspace's owner, below the workspace.
    pub(crate) async fn ask(&self, method: &str, rest: &str, body: Option<&str>) -> Answer {
        self.ask_as(Some(&self.owner), method, &self.path(rest), body).await
    }

    /// Asks with that key, or none.
    pub(crate) async fn ask_as(&self, key: Option<&str>, method: &str, path: &str, body: Option<&str>) -> Answer {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.send(request.body(body.unwrap_or_default().to_owned()).unwrap()).await
    }

    /// Sends a request on a connection of its own.
    pub(crate) async fn send(&self, request: Request<String>) -> Answer {
        send(&self.address, request).await
    }

    /// Creates an integration as the owner and gives its id.
    pub(crate) async fn create(&self, body: &str) -> String {
        self.ask("POST", "/integrations", Some(body)).await.expect(201).text_at("id")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}

pub(crate) fn key_of(workspace: Uuid, role: Role) -> NewApiKey {
    NewApiKey { workspace_id: Some(workspace), name: None, role, permissions: Vec::new(), days: 30 }
}

pub(crate) async fn send(address: &str, request: Request<String>) -> Answer {
    try_send(address, request).await.unwrap()
}

/// `None` if the connection ends without an answer.
pub(crate) async fn try_send(address: &str, request: Request<String>) -> Option<Answer> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let (mut head, body) = request.into_parts();
    head.headers.insert("host", address.parse().unwrap());
    let response = sender.send_request(Request::from_parts(head, Full::new(bytes::Bytes::from(body)))).await.ok()?;
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    connection.abort();
    assert_ne!(head.status, StatusCode::SWITCHING_PROTOCOLS);
    let bytes = match head.headers.get("content-encoding") {
        None => bytes.to_vec(),
        Some(coding) => {
            assert_eq!(coding, "gzip");
            let mut plain = GzipDecoder::new(Vec::new());
            plain.write_all(&bytes).await.unwrap();
            plain.shutdown().await.unwrap();
            plain.into_inner()
        }
    };
    let text = String::from_utf8(bytes).unwrap();
    Some(Answer { status: head.status.as_u16(), headers: head.headers, text })
}

/// A body that creates an integration at that URL, with an API key and one endpoint, `go`.
pub(crate) fn integration(name: &str, base_url: &str) -> String {
    format!(
        r#"{{"name":"{name}","display_name":"Shop","base_url":"{base_url}",
            "auth":{{"type":"api_key_header","header_name":"X-Key","api_key_value":{{"value":"sk-live-0123456789"}}}},
            "endpoints":[{{"name":"go","description":"Goes","method":"GET","path":"/items/{{id}}",
                "input_schema":{{"type":"object","properties":{{"id":{{"type":"integer"}}}}}},
                "response_filter":["a","b"],"response_mapping":{{"x":"a"}},"result_template":"x is {{{{ x }}}}"}}]}}"#
    )
}
