//! What each stage costs on real bodies, beside reading the body into a `serde_json::Value`.
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::time::{Duration, Instant};

use callout::{Clock, Limits};
use callout_benches::bodies;
use callout_core::{
    config::EndpointConfig,
    fault::Faults,
    json::Object,
    redact::Redactor,
    time::{Deadline, SharedClock},
};
use callout_response::{Input, Pipeline, read_body};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A clock that stands still: no deadline is ever reached.
struct Still(Instant);

impl Clock for Still {
    fn now(&self) -> Instant {
        self.0
    }

    fn unix(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _: Duration) {}

    async fn until(&self, _: Instant) {
        std::future::pending::<()>().await;
    }
}

/// Paths that find a few values in each of the bodies.
const PATHS: [&str; 3] = ["$..login", "entry.resource.id", "resources.charge.id"];

fn endpoint(change: impl FnOnce(&mut EndpointConfig)) -> EndpointConfig {
    let mut endpoint = EndpointConfig::new("bench", "Benchmark", "/");
    change(&mut endpoint);
    endpoint
}

fn stages() -> Vec<(&'static str, EndpointConfig)> {
    vec![
        ("filter", endpoint(|endpoint| endpoint.response_filter = Some(PATHS.map(Into::into).to_vec()))),
        (
            "mapping",
            endpoint(|endpoint| {
                endpoint.response_mapping = Some(PATHS.map(|path| (path.to_owned(), path.to_owned())).to_vec());
            }),
        ),
        ("result key", endpoint(|endpoint| endpoint.result_key = Some("$..login".into()))),
        (
            "template",
            endpoint(|endpoint| {
                endpoint.result_key = Some("$..login".into());
                endpoint.result_template = Some("{% for login in result[:50] %}{{ login }} {% endfor %}".into());
            }),
        ),
        ("text, cut at 4,000", endpoint(|endpoint| endpoint.max_result_length = 4_000)),
    ]
}

fn pipeline(criterion: &mut Criterion) {
    #[expect(clippy::disallowed_methods, reason = "the one moment at which the still clock stands")]
    let clock = SharedClock::new(Still(Instant::now()));
    let limits = Limits::default();
    for (body_name, bytes) in bodies() {
        let mut group = criterion.benchmark_group(format!("pipeline/{body_name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function("serde_json::Value alone", |bencher| {
            bencher.iter(|| serde_json::from_slice::<serde_json::Value>(&bytes).map(drop));
        });
        group.bench_function("read alone", |bencher| {
            bencher.iter(|| read_body(200, None, &bytes, &limits).map(drop));
        });
        let body = read_body(200, None, &bytes, &limits).expect("real bodies are JSON");
        for (stage, endpoint) in stages() {
            let pipeline = Pipeline::compile(&endpoint, &limits, &mut Faults::new()).expect("the config is good");
            let (params, redactor) = (Object::default(), Redactor::default());
            let deadline = Deadline::after(&clock, Duration::from_mins(1));
            let input =
                Input { body: &body, params: &params, status: 200, redactor: &redactor, clock: &clock, deadline };
            group.bench_function(BenchmarkId::new("stage", stage), |bencher| {
                bencher.iter(|| pipeline.run(&input).map(drop));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
