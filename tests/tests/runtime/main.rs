//! Behaviour, section 9: what an agent runtime needs around a call. Delivery, events, approval, dry
//! runs, idempotency keys, lenient params and what engines share, through whole calls against an upstream on this
//! machine.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]
#![expect(clippy::disallowed_methods, reason = "people and turns take real time here")]

mod approval;
mod events;
mod inbox;
mod requests;
mod sharing;
mod shown;
mod tools;

use callout::{EgressPolicy, Engine, EngineBuilder, Integration, Json, Secrets};
use callout_tests::Upstream;

/// An engine that may call this machine.
fn builder() -> EngineBuilder {
    Engine::builder().with_egress(EgressPolicy::public().allow("127.0.0.1").unwrap())
}

/// Reads and loads an integration; `URL` stands for the upstream's.
fn load(upstream: &Upstream, text: &str) -> Integration {
    let document = Json::parse(&text.replace("URL", &upstream.url())).unwrap();
    builder().build().unwrap().load_json(&document, &Secrets::new()).unwrap()
}

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}
