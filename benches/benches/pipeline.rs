//! What shaping costs on real bodies, beside reading the body into a `serde_json::Value` and beside
//! the same by hand; and each stage alone, on a body that has been read.
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use callout::Limits;
use callout_benches::{bodies, obvious, pipeline::Shaping};
use callout_core::config::EndpointConfig;
use callout_response::read_body;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

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
    for (name, bytes, shape) in obvious::bodies() {
        let mut group = criterion.benchmark_group(format!("pipeline/{name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function("serde_json::Value alone", |bencher| {
            bencher.iter(|| serde_json::from_slice::<serde_json::Value>(&bytes).map(drop));
        });
        group.bench_function("by hand", |bencher| {
            bencher.iter(|| serde_json::from_slice(&bytes).map(|body| obvious::shape(&body, &shape)));
        });
        let shaping = Shaping::of(&shape.endpoint());
        group.bench_function("callout, what is wanted", |bencher| bencher.iter(|| shaping.wanted(&bytes)));
        group.bench_function("callout, the whole body", |bencher| bencher.iter(|| shaping.whole(&bytes)));
        group.finish();
    }
    for (name, bytes) in bodies() {
        let mut group = criterion.benchmark_group(format!("stages/{name}"));
        let body = read_body(200, None, &bytes, &Limits::default()).expect("real bodies are JSON");
        for (stage, endpoint) in stages() {
            let shaping = Shaping::of(&endpoint);
            group.bench_function(BenchmarkId::new("stage", stage), |bencher| bencher.iter(|| shaping.stages(&body)));
        }
        group.finish();
    }
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
