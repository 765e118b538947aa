//! The CPU that the server takes for a test of an endpoint, beside the CPU of the engine's trace of the same call.
#![expect(clippy::print_stdout, reason = "what it finds is printed beside the benchmarks")]

use std::{fs, future::Future, sync::mpsc, thread, time::Duration};

use callout_benches::{obvious::Shape, upstream};
use tokio::runtime::{Builder, Runtime};

use crate::{Bench, sizes};

const ROUNDS: usize = 9;
const IN_FLIGHT: usize = 64;
const CALLS_EACH: usize = 8;

pub(crate) fn report() {
    for (name, body, shape) in sizes() {
        let Cost { test, trace, exchange, ratio } = measure(body, shape);
        println!(
            "POST …/test, {name}, 64 in flight: the server {test:.0} µs CPU (an exchange that asks for nothing: \
             {exchange:.0}), the engine's trace {trace:.0} µs: {ratio:.2}"
        );
    }
}

/// Microseconds of CPU, and how often the trace's the test's is.
struct Cost {
    test: f64,
    trace: f64,
    exchange: f64,
    ratio: f64,
}

/// Client and upstream run on threads of their own; what the process takes besides is the server's, its database's
/// threads among it.
fn measure(body: Vec<u8>, shape: Shape) -> Cost {
    let (bench, of_upstream) = started(body, shape);
    let own = this_thread();
    let runtime = runtime();
    runtime.block_on(at_rest(&bench));
    let each = |all: f64| all / (IN_FLIGHT * CALLS_EACH) as f64 / 1e3;
    let servers = || on_cpu_of_all() - on_cpu(&own) - on_cpu(&of_upstream);
    let mut costs: Vec<Cost> = (0..=ROUNDS)
        .map(|_| {
            let before = on_cpu(&own);
            runtime.block_on(many(|| bench.trace()));
            let trace = on_cpu(&own) - before;
            let before = servers();
            runtime.block_on(many(|| bench.test()));
            let test = servers() - before;
            let before = servers();
            runtime.block_on(many(|| bench.health()));
            let exchange = servers() - before;
            Cost { test: each(test), trace: each(trace), exchange: each(exchange), ratio: test / trace }
        })
        // The first opens connections.
        .skip(1)
        .collect();
    costs.sort_by(|one, other| one.ratio.total_cmp(&other.ratio));
    costs.swap_remove(costs.len() / 2)
}

/// Client, server and upstream on threads of their own, of which the last is told.
pub(crate) fn started(body: Vec<u8>, shape: Shape) -> (Bench, String) {
    let (address, of_upstream) = apart(|| async { upstream(body).await.expect("a port") });
    let (bench, _) = apart(move || Bench::start(address, shape, 0));
    (bench, of_upstream)
}

/// Until the database is known to be at rest, as it is between changes: it is looked at by calls alone, and has to
/// have been found as it is for a second.
pub(crate) async fn at_rest(bench: &Bench) {
    // Where a connection is opened, SQLite sets the owner of the log's file: all that are needed are opened first.
    many(|| bench.test()).await;
    bench.test().await;
    callout::system_clock().sleep(Duration::from_secs(2)).await;
}

/// So many calls, [`IN_FLIGHT`] of them at any time.
async fn many<F: Future<Output = ()>>(one: impl Fn() -> F) {
    let lane = || async {
        for _ in 0..CALLS_EACH {
            one().await;
        }
    };
    futures_util::future::join_all((0..IN_FLIGHT).map(|_| lane())).await;
}

/// Starts something on a thread of its own, which then goes on with what that has begun; and tells which thread.
fn apart<T, F>(start: impl FnOnce() -> F + Send + 'static) -> (T, String)
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async move {
            let started = start().await;
            tell.send((started, this_thread())).expect("somebody waits for it");
            std::future::pending::<()>().await;
        });
    });
    told.recv().expect("it starts")
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Its folder in `/proc`.
fn this_thread() -> String {
    let link = fs::read_link("/proc/thread-self").expect("Linux tells");
    format!("/proc/{}", link.display())
}

/// Nanoseconds that a thread has been on a processor.
fn on_cpu(thread: &str) -> f64 {
    let stat = fs::read_to_string(format!("{thread}/schedstat")).unwrap_or_default();
    stat.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0.0)
}

fn on_cpu_of_all() -> f64 {
    let threads = fs::read_dir("/proc/self/task").expect("Linux tells");
    threads.flatten().map(|thread| on_cpu(&thread.path().display().to_string())).sum()
}
