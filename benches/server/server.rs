//! The HTTP API beside what it stands on: a test of an endpoint beside the engine's trace of the same
//! call and an exchange that asks for nothing, lists of a large workspace from the first page to a late one.
//! Before that, what the server itself takes for a test, beside the engine's call: of the CPU, without its client,
//! the upstream, and the time that threads take to wake each other; and of time, as its own metrics count it.
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

mod clock;
mod cpu;

use std::net::SocketAddr;

use callout::{
    AuthConfig, AuthType, EgressPolicy, Engine, ExposeSecret, Integration, IntegrationConfig, Json, SecretName, Secrets,
};
use callout_benches::{
    events, github,
    obvious::{self, Shape},
    upstream,
};
use callout_server::{App, ServerOptions, serve};
use callout_store::{Actor, NewApiKey, NewIntegration, Role, Store, StoreOptions, Uuid};
use criterion::{Criterion, criterion_group};
use tokio::net::TcpListener;

/// Integrations of the large workspace.
const MANY: usize = 2_000;

const ENDPOINT: &str = "bench";

struct Bench {
    engine: Engine,
    integration: Integration,
    client: reqwest::Client,
    /// Of the server, with the key.
    origin: String,
    key: String,
    operator: String,
    workspace: Uuid,
    id: Uuid,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// With so many other integrations in the workspace.
    async fn start(upstream: SocketAddr, shape: Shape, others: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("bench.db").display().to_string().parse().expect("a path");
        let (clock, rng) = (callout::system_clock(), callout::system_rng());
        let options = StoreOptions::new(database).with_clock(clock.clone()).with_rng(rng.clone());
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
        let new = NewIntegration { config: config.clone(), secrets: secrets.clone(), builtin: false };
        let id = store.create_integration(workspace, new, &by).await.expect("an integration").id;
        for at in 0..others {
            let config = IntegrationConfig::new(format!("many-{at:05}"), "https://api.example.com");
            let new = NewIntegration { config, secrets: Secrets::new(), builtin: false };
            store.create_integration(workspace, new, &by).await.expect("an integration");
        }
        // One for each, or they would share connections, and with them the threads that read from those.
        let engine = || {
            let egress = EgressPolicy::public().allow(&upstream.to_string()).expect("an address");
            Engine::builder().with_egress(egress).build().expect("the defaults are good")
        };
        let app = App::new(store, engine(), clock, rng, ServerOptions::default());
        let engine = engine();
        let integration = engine.load(config, &secrets).expect("the config is good");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(serve(listener, app, std::future::pending()));
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let (key, operator) = (key.expose_secret().to_owned(), operator.expose_secret().to_owned());
        Self { engine, integration, client, origin, key, operator, workspace, id, _folder: folder }
    }

    async fn trace(&self) {
        let trace = self.engine.trace(&self.integration, ENDPOINT, Json::empty_object()).await;
        assert!(trace.error.is_none());
    }

    async fn test(&self) {
        let path = format!("/integrations/{}/endpoints/{ENDPOINT}/test", self.id);
        let url = format!("{}/v1/{}{path}", self.origin, self.workspace);
        let request = self.client.post(url).bearer_auth(&self.key).body("{}");
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success());
        answer.bytes().await.expect("a body");
    }

    /// What one exchange with the server costs though nothing is asked.
    async fn health(&self) {
        let answer = self.client.get(format!("{}/healthz", self.origin)).send().await.expect("an answer");
        assert!(answer.status().is_success());
        answer.bytes().await.expect("a body");
    }

    /// What the server counts, as it shows it.
    async fn metrics(&self) -> String {
        let request = self.client.get(format!("{}/metrics", self.origin)).bearer_auth(&self.operator);
        request.send().await.expect("an answer").text().await.expect("a text")
    }

    async fn list(&self, query: &str) {
        let url = format!("{}/v1/{}/integrations?{query}", self.origin, self.workspace);
        let answer = self.client.get(url).bearer_auth(&self.key).send().await.expect("an answer");
        assert!(answer.status().is_success());
        answer.bytes().await.expect("a body");
    }
}

fn integration(upstream: SocketAddr, shape: Shape) -> (IntegrationConfig, Secrets) {
    let mut endpoint = shape.endpoint();
    endpoint.name = ENDPOINT.into();
    let mut config = IntegrationConfig::new("bench", format!("http://{upstream}")).with_endpoint(endpoint);
    config.auth = Some(AuthConfig::new(AuthType::BearerToken));
    (config, Secrets::new().with(SecretName::BearerToken, "a-token-of-the-bench"))
}

/// GitHub's example of an issue, and a few of its fields.
fn issue() -> (Vec<u8>, Shape) {
    let fields = &[("title", "title"), ("by", "user.login")];
    (github("issues/get-parent"), Shape { list: "", fields, template: "{{ result.title }} {{ result.by }}" })
}

/// For an answer of 1 kB, of 6 kB and of 32 kB.
fn sizes() -> [(&'static str, Vec<u8>, Shape); 3] {
    let (body, shape) = issue();
    let list = obvious::EVENTS;
    [("1 kB", events(1_000), list), ("6 kB", body, shape), ("32 kB", events(32_000), list)]
}

fn server(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (body, shape) = issue();
    let bench = runtime.block_on(async { Bench::start(upstream(body).await.expect("a port"), shape, MANY).await });
    let mut group = criterion.benchmark_group("server");
    group.bench_function("the engine's trace, 6 kB", |bencher| bencher.to_async(&runtime).iter(|| bench.trace()));
    group.bench_function("GET /healthz", |bencher| bencher.to_async(&runtime).iter(|| bench.health()));
    group.bench_function("POST …/test, 6 kB", |bencher| bencher.to_async(&runtime).iter(|| bench.test()));
    for (name, query) in [
        ("a list of 10, first page", "limit=10"),
        ("a list of 10 by name, page 100", "limit=10&sort_by=name&continuation_token=1000"),
        ("a search", "limit=10&search=many-01999"),
    ] {
        group.bench_function(name, |bencher| bencher.to_async(&runtime).iter(|| bench.list(query)));
    }
    group.finish();
}

criterion_group!(benches, server);

fn main() {
    cpu::report();
    clock::report();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
