//! The hot paths, most of them without a network.

use std::{future::Future, hint::black_box};

use bytes::Bytes;
use callout::{
    EgressPolicy, EndpointConfig, Engine, Integration, IntegrationConfig, Json, Method, SecretName, Secrets,
};
use callout_benches::{events, obvious, pipeline::Shaping, token::Tokens, upstream};
use callout_core::{
    Error,
    config::{AuthConfig, AuthType},
    http::{Exchange, HttpResponse, HttpService},
    json::ReadOptions,
};
use futures_util::FutureExt as _;

const TOKEN: &str = "a-token-that-is-as-long-as-one-is";

/// A call over loopback, and what bare reqwest does for the same: to look at function by function. They are
/// not counted against a baseline, for how often a socket is asked is chance.
const CALL: &str = "call over loopback";
const BARE: &str = "bare over loopback";

/// Names, and how often each is run at least.
pub(crate) const ALL: [(&str, u64); 6] = [
    ("call, 1 KB", 200),
    ("pipeline, 1 KB", 500),
    ("pipeline, 32 KB", 50),
    ("read the whole, 32 KB", 50),
    ("token hit", 2_000),
    ("token hit, keyed by two params", 1_000),
];

pub(crate) fn run(path: &str, times: u64) {
    let repeat = |work: &dyn Fn()| (0..times).for_each(|_| work());
    match path {
        "call, 1 KB" => {
            let (engine, integration) = loaded(events(1_000));
            repeat(&|| ready(call(&engine, &integration)));
        }
        "pipeline, 1 KB" | "pipeline, 32 KB" => {
            let body = events(if path.ends_with("32 KB") { 32_000 } else { 1_000 });
            let shaping = Shaping::of(&obvious::EVENTS.endpoint());
            repeat(&|| assert!(black_box(shaping.wanted(&body)).is_some()));
        }
        "read the whole, 32 KB" => {
            let body = events(32_000);
            repeat(&|| assert!(black_box(ReadOptions::default().read(&body)).is_ok()));
        }
        "token hit" | "token hit, keyed by two params" => {
            let tokens = Tokens::new(if path == "token hit" { 0 } else { 2 });
            repeat(&|| tokens.hit());
        }
        CALL | BARE => over_loopback(path == CALL, times),
        other => panic!("there is no path {other:?}"),
    }
}

fn over_loopback(is_call: bool, times: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let address = upstream(events(1_000)).await.expect("a port");
        if is_call {
            let egress = EgressPolicy::public().allow("127.0.0.1").expect("an address");
            let engine = Engine::builder().with_egress(egress).build().expect("the defaults are good");
            let integration = integration(&engine, &format!("http://{address}"));
            for _ in 0..times {
                call(&engine, &integration).await;
            }
        } else {
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            let url = format!("http://{address}/events");
            for _ in 0..times {
                let sent = client.post(&url).bearer_auth(TOKEN).json(&serde_json::json!({"q": "x", "page": 1})).send();
                black_box(sent.await.expect("an answer").bytes().await.expect("a body"));
            }
        }
    });
}

/// A network that has the answer already.
struct Canned(Bytes);

impl HttpService for Canned {
    async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
        let request =
            (exchange.request)(callout_core::time::Clock::now(&callout_core::time::StillClock::new())).await?;
        black_box(request);
        Ok(HttpResponse::new(200, http::HeaderMap::new(), self.0.clone()))
    }
}

fn loaded(body: Vec<u8>) -> (Engine, Integration) {
    let engine = Engine::builder().with_http(Canned(body.into())).build().expect("the defaults are good");
    let integration = integration(&engine, "https://api.example");
    (engine, integration)
}

fn integration(engine: &Engine, base: &str) -> Integration {
    let mut endpoint = EndpointConfig::new("events", "Events", "/events");
    endpoint.method = Method::Post;
    endpoint.response_mapping = Some(obvious::EVENTS.mapping());
    endpoint.result_template = Some(obvious::EVENTS.template.into());
    endpoint.max_result_length = obvious::MAX_CHARS as u64;
    let mut config = IntegrationConfig::new("paths", base.to_owned()).with_endpoint(endpoint);
    config.auth = Some(AuthConfig::new(AuthType::BearerToken));
    let secrets = Secrets::new().with(SecretName::BearerToken, TOKEN);
    engine.load(config, &secrets).expect("the config is good")
}

async fn call(engine: &Engine, integration: &Integration) {
    let params = Json::from_iter([("q", Json::from("x")), ("page", Json::from(1))]);
    let outcome = engine.call(integration, "events", params).await.expect("an outcome");
    assert!(!black_box(outcome).text().is_empty());
}

fn ready(work: impl Future<Output = ()>) {
    work.now_or_never().expect("nothing in it waits");
}
