//! Ten thousand calls at once, on several loopback addresses, held by the upstream until all have come.

use std::{fs, pin::Pin, sync::Arc, time::Duration};

use callout::{EgressPolicy, Engine, Json, Limits, Timeouts};

use crate::{call::integration, caller::TOKEN, measure::now, upstream::Upstream};

const CALLS: usize = 10_000;
const ADDRESSES: usize = 20;

/// By the engine, or by the client alone: each in a process of its own, so that neither uses what the other
/// has left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Callout,
    Bare,
}

pub(crate) fn report(way: Way) -> String {
    let upstream = Upstream::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let calls = match way {
        Way::Callout => by_callout(upstream.port),
        Way::Bare => by_client(upstream.port),
    };
    let (peak, mut waits) = runtime.block_on(async {
        let before = resident();
        let mut calls: tokio::task::JoinSet<_> = (0..CALLS).map(calls).collect();
        let mut peak = 0;
        let mut waits = Vec::with_capacity(CALLS);
        while let Some(ended) = calls.join_next().await {
            peak = peak.max(resident());
            waits.push(ended.expect("no call panics"));
        }
        (peak.saturating_sub(before), waits)
    });
    waits.sort();
    let at = |share: f64| waits.get(((CALLS as f64 * share) as usize).min(CALLS - 1)).copied().unwrap_or_default();
    format!(
        "{CALLS} calls in flight, {}: {:.1} KB each at the peak; p50 {:.0?}, p99.9 {:.0?} ({:.1} × p50)",
        if way == Way::Callout { "by callout" } else { "by the client alone" },
        peak as f64 / CALLS as f64 / 1e3,
        at(0.5),
        at(0.999),
        at(0.999).as_secs_f64() / at(0.5).as_secs_f64()
    )
}

/// A call by its number; it gives how long it took.
type OneCall = Box<dyn Fn(usize) -> Pin<Box<dyn Future<Output = Duration> + Send>>>;

fn by_callout(port: u16) -> OneCall {
    let mut limits = Limits::default();
    limits.max_calls_per_upstream = CALLS;
    let mut timeouts = Timeouts::default();
    timeouts.connect = Duration::from_mins(1);
    timeouts.attempt = Duration::from_mins(2);
    timeouts.call = Duration::from_mins(2);
    let egress = EgressPolicy::public().allow("127.0.0.0/8").expect("a network");
    let engine = Engine::builder().with_egress(egress).with_limits(limits).with_timeouts(timeouts);
    let engine = engine.build().expect("a good engine");
    let integrations = bases(port).map(|base| Arc::new(integration(&engine, &base, &format!("hold/{CALLS}"))));
    let integrations: Vec<_> = integrations.collect();
    Box::new(move |at| {
        let (engine, integration) = (engine.clone(), Arc::clone(&integrations[at % ADDRESSES]));
        Box::pin(async move {
            let began = now();
            let params = Json::from_iter([("q", Json::from("x"))]);
            let outcome = engine.call(&integration, "events", params).await;
            outcome.unwrap_or_else(|error| panic!("{error}"));
            began.elapsed()
        })
    })
}

fn by_client(port: u16) -> OneCall {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(2)).build().expect("a client");
    let urls: Vec<_> = bases(port).map(|base| format!("{base}/hold/{CALLS}")).collect();
    Box::new(move |at| {
        let request = client.post(&urls[at % ADDRESSES]).bearer_auth(TOKEN);
        let request = request.json(&serde_json::json!({"q": "x"}));
        Box::pin(async move {
            let began = now();
            request.send().await.expect("an answer").bytes().await.expect("a body");
            began.elapsed()
        })
    })
}

fn bases(port: u16) -> impl Iterator<Item = String> {
    (1..=ADDRESSES).map(move |at| format!("http://127.0.0.{at}:{port}"))
}

/// Bytes of this process that are in memory; what the kernel keeps for sockets is not among them.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok())
        .map_or(0, |kilobytes| kilobytes * 1024)
}
