//! The CPU that the server takes for a test of an endpoint, beside the CPU of the engine's trace of the same call.
#![expect(clippy::print_stdout, reason = "what it finds is printed beside the benchmarks")]

use std::time::Duration;

use callout_benches::many;

use crate::{
    processes::{IN_FLIGHT, Processes, at_rest, runtime},
    sizes,
};

const ROUNDS: usize = 9;
const CALLS: usize = 8 * IN_FLIGHT;

pub(crate) fn report() {
    for (size, (name, ..)) in sizes().iter().enumerate() {
        let Cost { test, trace, exchange, ratio } = measure(size);
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

fn measure(size: usize) -> Cost {
    let mut processes = Processes::start(size);
    let runtime = runtime();
    runtime.block_on(at_rest(&processes.client));
    let each = |all: Duration| all.as_secs_f64() * 1e6 / CALLS as f64;
    let mut costs: Vec<Cost> = (0..=ROUNDS)
        .map(|_| {
            let trace = each(processes.traces(CALLS));
            let test = processes.of_server(|client| runtime.block_on(many(CALLS, IN_FLIGHT, || client.test())));
            let exchange = processes.of_server(|client| runtime.block_on(many(CALLS, IN_FLIGHT, || client.health())));
            Cost { test: each(test), trace, exchange: each(exchange), ratio: each(test) / trace }
        })
        // The first opens connections.
        .skip(1)
        .collect();
    costs.sort_by(|one, other| one.ratio.total_cmp(&other.ratio));
    costs.swap_remove(costs.len() / 2)
}
