//! Whole calls at 64 in flight: a POST with a bearer token, five paths, a template with a loop, a cut at
//! 4,000 characters. CPU of this process, and of this and the upstream's together.

use std::{future::Future, sync::Arc, time::Duration};

use callout::{
    EgressPolicy, EndpointConfig, Engine, Integration, IntegrationConfig, Json, Method, SecretName, Secrets,
};
use callout_benches::obvious;
use serde_json::json;

use crate::{
    Row,
    measure::{cpu, interleaved_by},
    upstream::{SIZES, Upstream},
};

const IN_FLIGHT: usize = 64;
const TOKEN: &str = "a-token-that-is-as-long-as-one-is";

fn rounds() -> usize {
    std::env::var("REPORT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(15)
}

pub(crate) fn rows() -> Vec<Row> {
    let upstream = Upstream::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut rows = Vec::new();
    for (path, size) in SIZES {
        let calls = (20_000_000 / (size + 5_000) / IN_FLIGHT).clamp(2, 50) * IN_FLIGHT;
        let url = format!("http://127.0.0.1:{}/{path}", upstream.port);
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let (engine, integration) = loaded(upstream.port, path);
        let bare = || {
            let (client, url) = (client.clone(), url.clone());
            async move {
                let sent = client.post(&url).bearer_auth(TOKEN).json(&json!({"q": "x", "page": 1})).send().await;
                sent.expect("an answer").bytes().await.expect("a body").len()
            }
        };
        let by_hand = || {
            let (client, url) = (client.clone(), url.clone());
            async move {
                let sent = client.post(&url).bearer_auth(TOKEN).json(&json!({"q": "x", "page": 1})).send().await;
                let body: serde_json::Value = sent.expect("an answer").json().await.expect("JSON");
                obvious::shape(&body, &obvious::EVENTS).len()
            }
        };
        let ours = || {
            let (engine, integration) = (engine.clone(), integration.clone());
            async move {
                let params = Json::from_iter([("q", Json::from("x")), ("page", Json::from(1))]);
                let outcome = engine.call(&integration, "events", params).await.expect("an outcome");
                outcome.text().len()
            }
        };
        let clocks = || {
            let own = cpu();
            [own, own + upstream.cpu()]
        };
        let [own, both] = interleaved_by(
            rounds(),
            &clocks,
            &mut [
                &mut || runtime.block_on(many(calls, bare)),
                &mut || runtime.block_on(many(calls, by_hand)),
                &mut || runtime.block_on(many(calls, ours)),
            ],
        );
        let each = |way: usize| own.times.get(way).map_or(Duration::ZERO, |time| *time / calls as u32);
        for (what, way, beside, name) in
            [("call by hand", 1, 0, "bare reqwest"), ("call", 2, 0, "bare reqwest"), ("call", 2, 1, "by hand")]
        {
            rows.push(Row {
                with_upstream: both.ratio(way, beside),
                ..Row::new(
                    format!("{what}, {path}"),
                    own.ratio(way, beside),
                    name,
                    format!("{:.1} µs CPU", each(way).as_secs_f64() * 1e6),
                )
            });
        }
    }
    rows
}

/// So many calls, [`IN_FLIGHT`] of them at any time.
async fn many<F>(calls: usize, one: impl Fn() -> F + Clone)
where
    F: Future<Output = usize>,
{
    let lane = || {
        let one = one.clone();
        async move {
            for _ in 0..calls / IN_FLIGHT {
                assert!(one().await > 0, "an empty answer");
            }
        }
    };
    futures_util::future::join_all((0..IN_FLIGHT).map(|_| lane())).await;
}

pub(crate) fn loaded(port: u16, path: &str) -> (Engine, Arc<Integration>) {
    let egress = EgressPolicy::public().allow("127.0.0.0/8").expect("a network");
    let engine = Engine::builder().with_egress(egress).build().expect("the defaults are good");
    let integration = integration(&engine, &format!("http://127.0.0.1:{port}"), path);
    (engine, Arc::new(integration))
}

pub(crate) fn integration(engine: &Engine, base: &str, path: &str) -> Integration {
    let mut endpoint = EndpointConfig::new("events", "Events", format!("/{path}"));
    endpoint.method = Method::Post;
    endpoint.response_mapping = Some(obvious::EVENTS.mapping());
    endpoint.result_template = Some(obvious::EVENTS.template.into());
    endpoint.max_result_length = obvious::MAX_CHARS as u64;
    let mut config = IntegrationConfig::new("report", base.to_owned()).with_endpoint(endpoint);
    config.auth = Some(callout_core::config::AuthConfig::new(callout_core::config::AuthType::BearerToken));
    let secrets = Secrets::new().with(SecretName::BearerToken, TOKEN);
    engine.load(config, &secrets).expect("the config is good")
}
