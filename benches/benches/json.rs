//! Ways to read a body: our reader beside `serde_json` and `sonic-rs`. Only ours keeps the order of
//! members and the digits of numbers.

use callout_benches::bodies;
use callout_core::json::ReadOptions;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn json(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json");
    for (name, body) in bodies() {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_with_input(BenchmarkId::new("callout", name), &body, |bencher, body| {
            bencher.iter(|| ReadOptions::default().read(body).map(drop));
        });
        group.bench_with_input(BenchmarkId::new("serde_json", name), &body, |bencher, body| {
            bencher.iter(|| serde_json::from_slice::<serde_json::Value>(body).map(drop));
        });
        group.bench_with_input(BenchmarkId::new("serde_json raw", name), &body, |bencher, body| {
            bencher.iter(|| serde_json::from_slice::<&serde_json::value::RawValue>(body).map(drop));
        });
        group.bench_with_input(BenchmarkId::new("sonic-rs", name), &body, |bencher, body| {
            bencher.iter(|| sonic_rs::from_slice::<sonic_rs::Value>(body).map(drop));
        });
    }
    group.finish();
}

criterion_group!(benches, json);
criterion_main!(benches);
