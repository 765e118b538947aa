//! How long the server takes for a test, from the request's head to its answer, beside the engine's call within it:
//! one at a time, as its metrics count both.
#![expect(clippy::print_stdout, reason = "what it finds is printed beside the benchmarks")]

use crate::{
    client::Client,
    processes::{Processes, at_rest, runtime},
    sizes,
};

const ROUNDS: usize = 9;
const CALLS: usize = 200;

pub(crate) fn report() {
    for (size, (name, ..)) in sizes().iter().enumerate() {
        let Processes { client, .. } = &Processes::start(size);
        let mut rounds = runtime().block_on(async {
            at_rest(client).await;
            let mut rounds = Vec::new();
            for _ in 0..=ROUNDS {
                rounds.push(round(client).await);
            }
            // The first opens connections.
            rounds.split_off(1)
        });
        rounds.sort_by(|one, other| one.ratio().total_cmp(&other.ratio()));
        let middle = rounds.swap_remove(rounds.len() / 2);
        let each = |all: f64| all / CALLS as f64 * 1e6;
        println!(
            "POST …/test, {name}, one at a time: the server {:.0} µs, the engine's call in it {:.0} µs: {:.2}",
            each(middle.request),
            each(middle.call),
            middle.ratio()
        );
    }
}

/// What requests have taken, and the calls in them.
struct Seconds {
    request: f64,
    call: f64,
}

impl Seconds {
    fn ratio(&self) -> f64 {
        self.request / self.call
    }

    fn read(metrics: &str) -> Self {
        let of = |metric: &str, label: &str| {
            let is_it = |line: &&str| line.starts_with(metric) && line.contains(label);
            let value = metrics.lines().find(is_it).and_then(|line| line.rsplit(' ').next());
            value.and_then(|value| value.parse::<f64>().ok()).expect("it is counted")
        };
        Self { request: of("callout_http_request_seconds_sum", "/test\""), call: of("callout_call_seconds_sum", "") }
    }
}

async fn round(client: &Client) -> Seconds {
    let before = Seconds::read(&client.metrics().await);
    for _ in 0..CALLS {
        client.test().await;
    }
    let after = Seconds::read(&client.metrics().await);
    Seconds { request: after.request - before.request, call: after.call - before.call }
}
