//! The HTTP API beside what it stands on: a test of an endpoint beside the engine's trace of the same
//! call and an exchange that asks for nothing, lists of a large workspace from the first page to a late one.
//! Before that, what the server itself takes for a test, beside the engine's call: of the CPU, in processes of their
//! own; and of time, as the server's own metrics count it.
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

mod client;
mod clock;
mod cpu;
mod processes;
mod serving;

use callout_benches::{
    apart::APART,
    events, github,
    obvious::{self, Shape},
    upstream,
};
use criterion::{Criterion, criterion_group};

use crate::{
    processes::Part,
    serving::{Serving, Traced},
};

/// As `callout serve` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Integrations of the large workspace, which are made within a minute.
const MANY: usize = 100_000;

const ENDPOINT: &str = "bench";

/// GitHub's example of an issue, and a few of its fields.
fn issue() -> (Vec<u8>, Shape) {
    let fields = &[("title", "title"), ("by", "user.login")];
    (github("issues/get-parent"), Shape { list: "", fields, template: "{{ result.title }} {{ result.by }}" })
}

/// For an answer of 1 kB, of 6 kB and of 32 kB.
fn sizes() -> [(&'static str, Vec<u8>, Shape); 3] {
    let (body, shape) = issue();
    let list = obvious::EVENTS;
    [("1 kB", events(1_000), list), ("6 kB", body, shape), ("32 kB", events(32_000), list)]
}

fn server(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (body, shape) = issue();
    let (serving, traced) = runtime.block_on(async {
        let upstream = upstream(body).await.expect("a port");
        (Serving::start(upstream, &shape, MANY).await, Traced::new(upstream, &shape))
    });
    let client = &serving.client;
    let mut group = criterion.benchmark_group("server");
    group.bench_function("the engine's trace, 6 kB", |bencher| bencher.to_async(&runtime).iter(|| traced.trace()));
    group.bench_function("GET /healthz", |bencher| bencher.to_async(&runtime).iter(|| client.health()));
    group.bench_function("POST …/test, 6 kB", |bencher| bencher.to_async(&runtime).iter(|| client.test()));
    for (name, query) in [
        ("a list of 100, first page", "limit=100"),
        ("a list of 100, page 1,000", "limit=100&continuation_token=99900"),
        ("a list of 100 by name, first page", "limit=100&sort_by=name"),
        ("a list of 100 by name, page 1,000", "limit=100&sort_by=name&continuation_token=99900"),
        ("a search", "limit=100&search=many-001999"),
    ] {
        group.bench_function(name, |bencher| bencher.to_async(&runtime).iter(|| client.list(query)));
    }
    group.finish();
}

criterion_group!(benches, server);

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(APART) {
        let part = arguments.next().and_then(|name| Part::named(&name)).expect("upstream, server or engine");
        return part.run(arguments);
    }
    cpu::report();
    clock::report();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
