//! MCP: what a client is shown, told and answered, on streams and over HTTP. The clients here speak raw
//! JSON-RPC, so that they can say what no SDK would; those of others are in `clients`.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]
#![expect(clippy::disallowed_methods, reason = "clients and upstreams take real time here")]

mod calls;
mod changes;
mod client;
mod direct;
#[path = "../server/harness.rs"]
#[expect(dead_code, reason = "the server's own tests use all of it")]
mod harness;
mod http_client;
mod revision;
mod rights;
mod server;
mod sessions;

use callout::{
    EgressPolicy, Engine, EngineBuilder, Faults, Integration, IntegrationConfig, Json, ToolRegistry, UnknownFields,
};
use callout_mcp::{Progress, Registry};
use callout_tests::Upstream;

/// An engine that may call this machine and tells of progress.
fn builder() -> EngineBuilder {
    Engine::builder().with_egress(EgressPolicy::public().allow("127.0.0.1").unwrap()).with_observer(Progress)
}

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

/// An integration `shop` with these endpoints, which are JSON.
fn integration(upstream: &Upstream, endpoints: &str) -> Integration {
    let document =
        format!(r#"{{"name":"shop","display_name":"Shop","base_url":"{}","endpoints":{endpoints}}}"#, upstream.url());
    let mut faults = Faults::new();
    let (config, secrets) = IntegrationConfig::read(&json(&document), UnknownFields::Refuse, &mut faults).unwrap();
    assert!(faults.is_empty(), "{faults:?}");
    builder().build().unwrap().load(config, &secrets).unwrap()
}

/// One endpoint as JSON: GET, unless `more` says otherwise.
fn endpoint(name: &str, path: &str, more: &str) -> String {
    format!(r#"{{"name":"{name}","description":"Does {name}","method":"GET","path":"{path}"{more}}}"#)
}

fn tools(upstream: &Upstream, endpoints: &[String]) -> ToolRegistry {
    ToolRegistry::new().with_integration(&integration(upstream, &format!("[{}]", endpoints.join(","))))
}

fn registry(upstream: &Upstream, endpoints: &[String]) -> Registry {
    Registry::new(builder().build().unwrap(), tools(upstream, endpoints), Json::empty_object())
}

/// A member by names and indexes between dots; null if it is not there.
fn at(value: &Json, path: &str) -> Json {
    path.split('.').fold(value.clone(), |value, step| {
        let element = value.as_array().zip(step.parse().ok()).and_then(|(all, at): (_, usize)| all.get(at));
        element.or_else(|| value.get(step)).cloned().unwrap_or_default()
    })
}

fn text_at(value: &Json, path: &str) -> String {
    at(value, path).as_str().map(str::to_owned).unwrap_or_default()
}
