//! What a cached token costs, with its key, and what signing an assertion costs.

use callout_benches::token::Tokens;
use criterion::{Criterion, criterion_group, criterion_main};

fn token(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("token");
    for (name, params) in [("hit", 0), ("hit, keyed by two params", 2)] {
        let tokens = Tokens::new(params);
        group.bench_function(name, |bencher| bencher.iter(|| tokens.hit()));
    }
    let keys = [
        ("miss and sign, RS256 with 2,048 bits", include_str!("../data/rsa-2048.pem")),
        ("miss and sign, ES256", include_str!("../data/p-256.pem")),
    ];
    for (name, pem) in keys {
        let tokens = Tokens::signing(pem);
        group.bench_function(name, |bencher| bencher.iter(|| tokens.miss()));
    }
    group.finish();
}

criterion_group!(benches, token);
criterion_main!(benches);
