//! Connections that are kept and lost: a server closes idle ones at the very moment of use (A7).
//! Alone in its process and one after another, so that the moments are not moved by other tests.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, with the time of the world outside")]

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use callout_core::ErrorKind;
use callout_tests::{Reply, SeededRng, Sender, Upstream};
use callout_transport::{EgressPolicy, RetryPolicy, Transport};
use futures_util::{StreamExt as _, stream};

/// One test at a time.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const ATTEMPT: Duration = Duration::from_secs(1);

/// Calls that come just when the server's patience ends. The real server's second of patience is
/// twenty milliseconds here, so that hundreds of calls hit its end.
async fn call_at_the_end_of_patience(method: &'static str, calls: u64) -> (Vec<ErrorKind>, Upstream) {
    let upstream = Upstream::with(|_| Reply::json(200, "{}")).await;
    upstream.set_keep_alive(Duration::from_millis(20));
    // So many resets are far more than a real server's, and would use up the usual budget.
    let mut policy = RetryPolicy::default();
    policy.budget = u32::try_from(calls).unwrap();
    let transport = transport(&upstream, policy);
    let dice = SeededRng::new(3);
    let failures = Arc::new(Mutex::new(Vec::new()));
    stream::iter(0..calls)
        .map(|at| (at, dice.next() % 40_000))
        .for_each_concurrent(64, |(at, micros)| {
            let (failures, transport, upstream) = (failures.clone(), transport.clone(), &upstream);
            async move {
                tokio::time::sleep(Duration::from_micros(micros)).await;
                // In some ten thousand calls, one is handed to a connection whose task is just ending on another
                // thread, and the client never hears of it again: the attempt's own bound ends that.
                let sender = Sender::new(method, upstream.at(&format!("/{at}"))).timeouts(ATTEMPT, ATTEMPT * 10);
                if let Err(error) = sender.send(&transport).await {
                    failures.lock().unwrap().push(error.kind());
                }
            }
        })
        .await;
    let failures = failures.lock().unwrap().clone();
    (failures, upstream)
}

fn transport(upstream: &Upstream, policy: RetryPolicy) -> Transport {
    let egress = EgressPolicy::public().allow(&upstream.address().to_string()).unwrap();
    Transport::builder().with_egress(egress).with_retry_policy(policy).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_closed_before_use_is_no_failure() {
    let _turn = TURN.lock().await;
    let (failures, upstream) = call_at_the_end_of_patience("GET", 10_000).await;
    assert_eq!(failures, []);
    assert!(upstream.connections() > 100, "{} connections: the server did close them", upstream.connections());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_never_sent_twice_for_it() {
    let _turn = TURN.lock().await;
    let (failures, upstream) = call_at_the_end_of_patience("POST", 3_000).await;
    assert!(upstream.connections() > 30, "the server did close them");
    let mut seen = HashSet::new();
    for request in upstream.requests() {
        assert!(seen.insert(request.target.clone()), "{} was carried out twice", request.target);
    }
    // What failed was not carried out unseen: it either reached the server or it did not.
    assert!(seen.len() + failures.len() >= 3_000);
    let kinds: HashSet<_> = failures.into_iter().collect();
    assert!(kinds.is_subset(&HashSet::from([ErrorKind::Interrupted, ErrorKind::Timeout])), "{kinds:?}");
}

#[tokio::test]
async fn connections_are_used_again() {
    let _turn = TURN.lock().await;
    let upstream = Upstream::with(|_| Reply::json(200, "{}")).await;
    let transport = transport(&upstream, RetryPolicy::default());
    for _ in 0..100 {
        Sender::get(upstream.at("/x")).send(&transport).await.unwrap();
    }
    assert_eq!(upstream.connections(), 1);
}
