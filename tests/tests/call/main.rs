//! Whole calls through the engine, against an upstream on this machine: the order of a call, its
//! request, its answer, its errors, and what of it may be shown.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

mod auth;
mod order;
mod outcome;
mod request;
mod secrets;

use callout::{EgressPolicy, Engine, Error, Integration, Json, Outcome, Secrets};
use callout_tests::{Recorded, Reply, Upstream};

/// An engine that may call this machine.
fn engine() -> Engine {
    Engine::builder().with_egress(EgressPolicy::public().allow("127.0.0.1").unwrap()).build().unwrap()
}

/// Reads and loads an integration; `URL` stands for the upstream's.
fn load(upstream: &Upstream, text: &str) -> Result<Integration, Error> {
    let document = Json::parse(&text.replace("URL", &upstream.url())).unwrap();
    engine().load_json(&document, &Secrets::new())
}

/// An integration without auth that has this one endpoint, called `go`.
fn with_endpoint(upstream: &Upstream, endpoint: &str) -> Integration {
    let endpoint = endpoint.trim_start().strip_prefix('{').unwrap();
    let text = format!(
        r#"{{"name":"shop","display_name":"Shop","base_url":"URL/v1",
            "endpoints":[{{"name":"go","description":"Goes",{endpoint}]}}"#
    );
    load(upstream, &text).unwrap()
}

async fn go(integration: &Integration, params: &str) -> Result<Outcome, Error> {
    engine().call(integration, "go", Json::parse(params).unwrap()).await
}

/// An upstream that answers everything with an empty object.
async fn friendly() -> Upstream {
    Upstream::with(|_: &Recorded| Reply::json(200, "{}")).await
}
