//! Whole calls at 64 in flight: a POST with a bearer token, five paths, a template with a loop, a cut at
//! 4,000 characters. CPU of the process that calls, and of this and the upstream's together.

use std::cell::RefCell;

use callout::{EgressPolicy, EndpointConfig, Engine, Integration, IntegrationConfig, Method, SecretName, Secrets};
use callout_benches::obvious;

use crate::{
    Row,
    caller::{self, IN_FLIGHT, TOKEN, Way},
    measure::interleaved_by,
    upstream::{SIZES, Upstream},
};

fn rounds() -> usize {
    std::env::var("REPORT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(15)
}

pub(crate) fn rows() -> Vec<Row> {
    let upstream = RefCell::new(Upstream::start());
    let port = upstream.borrow().port;
    let mut rows = Vec::new();
    for (path, size) in SIZES {
        let calls = (20_000_000 / (size + 5_000) / IN_FLIGHT).clamp(8, 50) * IN_FLIGHT;
        let mut ways = [Way::Bare, Way::ByHand, Way::Callout].map(|way| {
            // It takes many times as long.
            let calls = if way == Way::ByHand { calls / 4 } else { calls };
            let mut caller = caller::start(way, port, path);
            let upstream = || upstream.borrow_mut().cpu();
            move || {
                let before = upstream();
                let own = caller.time(&calls.to_string());
                [own, own + upstream().saturating_sub(before)].map(|all| all / calls as u32)
            }
        });
        let [own, both] = interleaved_by(rounds(), &mut ways);
        let each = |way: usize| own.times.get(way).copied().unwrap_or_default();
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

pub(crate) fn loaded(port: u16, path: &str) -> (Engine, Integration) {
    let egress = EgressPolicy::public().allow("127.0.0.0/8").expect("a network");
    let engine = Engine::builder().with_egress(egress).build().expect("the defaults are good");
    let integration = integration(&engine, &format!("http://127.0.0.1:{port}"), path);
    (engine, integration)
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
