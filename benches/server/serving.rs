//! A server with one integration that is tested, and the engine by itself with the same one.

use std::net::SocketAddr;

use callout::{
    AuthConfig, AuthType, EgressPolicy, Engine, ExposeSecret, Integration, IntegrationConfig, Json, SecretName, Secrets,
};
use callout_benches::obvious::Shape;
use callout_server::{App, ServerOptions, serve};
use callout_store::{Actor, NewApiKey, NewIntegration, Role, Store, StoreOptions};
use tokio::net::TcpListener;

use crate::{
    ENDPOINT,
    client::{self, Client},
};

/// A server that runs as long as the runtime, and its client.
pub(crate) struct Serving {
    pub(crate) client: Client,
    _folder: tempfile::TempDir,
}

impl Serving {
    /// With so many other integrations in the workspace.
    pub(crate) async fn start(upstream: SocketAddr, shape: &Shape, others: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("bench.db").display().to_string().parse().expect("a path");
        let (clock, rng) = (callout::system_clock(), callout::system_rng());
        let options = StoreOptions::new(database, clock.clone(), rng.clone());
        let store = Store::open(options).await.expect("a database");
        let by = Actor::new("bench");
        let workspace = store.create_workspace("bench", &by).await.expect("a workspace").id;
        let new = NewApiKey {
            workspace_id: Some(workspace),
            name: None,
            role: Role::Member,
            permissions: Vec::new(),
            days: 1,
        };
        let (_, key) = store.create_api_key(new.clone(), &by).await.expect("a key");
        let new = NewApiKey { workspace_id: None, role: Role::Operator, ..new };
        let (_, operator) = store.create_api_key(new, &by).await.expect("a key");
        let (config, secrets) = integration(upstream, shape);
        let new = NewIntegration { config, secrets, builtin: false };
        let id = store.create_integration(workspace, new, &by).await.expect("an integration").id;
        for at in 0..others {
            let config = IntegrationConfig::new(format!("many-{at:06}"), "https://api.example.com");
            let new = NewIntegration { config, secrets: Secrets::new(), builtin: false };
            store.create_integration(workspace, new, &by).await.expect("an integration");
        }
        let app = App::new(store, engine(upstream), clock, rng, ServerOptions::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(serve(listener, app, std::future::pending()));
        let (key, operator) = (key.expose_secret().to_owned(), operator.expose_secret().to_owned());
        Self { client: Client { http: client::http(), origin, key, operator, workspace, id }, _folder: folder }
    }
}

/// The engine by itself.
pub(crate) struct Traced {
    engine: Engine,
    integration: Integration,
}

impl Traced {
    pub(crate) fn new(upstream: SocketAddr, shape: &Shape) -> Self {
        let engine = engine(upstream);
        let (config, secrets) = integration(upstream, shape);
        let integration = engine.load(config, &secrets).expect("the config is good");
        Self { engine, integration }
    }

    pub(crate) async fn trace(&self) {
        let trace = self.engine.trace(&self.integration, ENDPOINT, Json::empty_object()).await;
        assert!(trace.error.is_none());
    }
}

/// One for each, or they would share connections, and with them the threads that read from those.
fn engine(upstream: SocketAddr) -> Engine {
    let egress = EgressPolicy::public().allow(&upstream.to_string()).expect("an address");
    Engine::builder().with_egress(egress).build().expect("the defaults are good")
}

fn integration(upstream: SocketAddr, shape: &Shape) -> (IntegrationConfig, Secrets) {
    let mut endpoint = shape.endpoint();
    endpoint.name = ENDPOINT.into();
    let mut config = IntegrationConfig::new("bench", format!("http://{upstream}")).with_endpoint(endpoint);
    config.auth = Some(AuthConfig::new(AuthType::BearerToken));
    (config, Secrets::new().with(SecretName::BearerToken, "a-token-of-the-bench"))
}
