//! Connections that are kept and lost: a server closes idle ones at the very moment of use (A7).
//! Alone in its process and one after another, so that the moments are not moved by other tests.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, with the time of the world outside")]

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use callout_core::ErrorKind;
use callout_tests::{Reply, SeededRng, Sender, Upstream};
use callout_transport::{EgressPolicy, RetryPolicy, Transport};
use futures_util::{StreamExt as _, future::join, stream};
use tokio::sync::Barrier;

/// One test at a time.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const ATTEMPT: Duration = Duration::from_secs(1);

/// A server's patience with an idle connection, and how long the calls of a volley are held, so that each
/// of them has a connection of its own.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
const HOLD: Duration = Duration::from_millis(60);
/// As many connections to each of as many servers: what the pool keeps idle and the process may open.
const SERVERS: usize = 4;
const LANES: usize = 100;

/// What came of calls around the ends of patience.
#[derive(Debug, Default)]
struct Ends {
    failures: Vec<ErrorKind>,
    /// Attempts beyond the first: each met a connection that closed under it.
    repeated: u32,
}

/// Calls that come just when the server's patience ends, one volley after another: each volley leaves
/// its connections idle at once, and the next comes as they end, some just before, some just after.
/// Each call is followed by one that finds a connection fresh from use.
async fn call_at_the_end_of_a_second(volleys: usize) -> (Ends, Vec<Upstream>) {
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        let server = Upstream::with(|request| {
            let reply = Reply::json(200, "{}");
            if request.target.ends_with("/first") { reply.after(HOLD) } else { reply }
        })
        .await;
        server.set_keep_alive(KEEP_ALIVE);
        servers.push(server);
    }
    // A real server's resets are far fewer, and its budget lasts.
    let mut policy = RetryPolicy::default();
    policy.budget = u32::try_from(volleys * LANES).unwrap();
    let transports: Vec<_> = servers.iter().map(|server| transport(server, policy.clone())).collect();
    let dice = SeededRng::new(3);
    let ends = Mutex::new(Ends::default());
    for volley in 0..volleys {
        let lanes = (0..SERVERS * LANES).map(|lane| (lane % SERVERS, lane, dice.next() % 60_000));
        stream::iter(lanes.collect::<Vec<_>>())
            .for_each_concurrent(None, |(server, lane, micros)| {
                let (server, transport, ends) = (&servers[server], &transports[server], &ends);
                async move {
                    tokio::time::sleep(Duration::from_micros(micros)).await;
                    for which in ["first", "second"] {
                        let target = server.at(&format!("/{volley}/{lane}/{which}"));
                        let sender = Sender::get(target).timeouts(ATTEMPT, ATTEMPT * 10);
                        let answer = sender.send(transport).await;
                        let mut ends = ends.lock().unwrap();
                        ends.repeated += sender.attempts.load(Ordering::Relaxed) - 1;
                        ends.failures.extend(answer.err().map(|error| error.kind()));
                    }
                }
            })
            .await;
        if volley + 1 < volleys {
            // The last connections have been idle for no time, the first for as long as a volley takes: the
            // moments at which most meet their end are tried in turn.
            let idle = [910, 890, 870, 850][volley % 4];
            tokio::time::sleep(Duration::from_millis(idle)).await;
        }
    }
    (ends.into_inner().unwrap(), servers)
}

/// Writes that come just when the server's patience ends. Its second is twenty milliseconds here, so that
/// hundreds of calls hit its end within one.
async fn write_at_the_end_of_patience(calls: u64) -> (Vec<ErrorKind>, Upstream) {
    let upstream = Upstream::with(|_| Reply::json(200, "{}")).await;
    upstream.set_keep_alive(Duration::from_millis(20));
    let transport = transport(&upstream, RetryPolicy::default());
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
                let sender = Sender::post(upstream.at(&format!("/{at}"))).timeouts(ATTEMPT, ATTEMPT * 10);
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
    const VOLLEYS: usize = 13;
    let _turn = TURN.lock().await;
    let (ends, servers) = call_at_the_end_of_a_second(VOLLEYS).await;
    assert_eq!(ends.failures, []);
    let served: usize = servers.iter().map(Upstream::count).sum();
    assert!(served >= 10_000, "{served} calls");
    let connections: usize = servers.iter().map(Upstream::connections).sum();
    let closed = connections - SERVERS * LANES;
    let kept = (VOLLEYS - 1) * SERVERS * LANES - closed;
    println!("{served} calls: {closed} idle ends came first, {kept} calls did, {} came together", ends.repeated);
    // Both came first often, and so they met.
    assert!(closed > 300 && kept > 300, "{closed} connections were closed idle, {kept} used again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_never_sent_twice_for_it() {
    let _turn = TURN.lock().await;
    let (failures, upstream) = write_at_the_end_of_patience(3_000).await;
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

/// Answers the first request on each connection and ends the connection at the next, as a server does whose patience
/// ends just then.
async fn impatient(first: Reply, end: fn() -> Reply) -> Upstream {
    let served = Mutex::new(HashSet::new());
    Upstream::with(move |request| if served.lock().unwrap().insert(request.connection) { first.clone() } else { end() })
        .await
}

#[tokio::test]
async fn a_read_on_a_connection_that_was_closed_costs_no_retry() {
    let _turn = TURN.lock().await;
    for end in [Reply::hang_up, Reply::reset] {
        let upstream = impatient(Reply::json(200, "{}"), end).await;
        let mut policy = RetryPolicy::default();
        (policy.budget, policy.gain) = (0, 0.0);
        let transport = transport(&upstream, policy);
        for method in ["GET", "PUT", "DELETE"].into_iter().cycle().take(99) {
            let response = Sender::new(method, upstream.at("/x")).retries(0).send(&transport).await.unwrap();
            assert_eq!((response.status, response.retries), (200, 0), "{method}");
        }
        // Each but the first met the connection of the one before.
        assert_eq!((upstream.count(), upstream.connections()), (197, 99));
        // A write may have been carried out there.
        let error = Sender::post(upstream.at("/x")).send(&transport).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable(), error.retries()), (ErrorKind::Interrupted, false, 0));
        assert_eq!((upstream.count(), upstream.connections()), (198, 99));
    }
}

#[tokio::test]
async fn a_call_is_sent_again_for_a_closed_connection_once() {
    let _turn = TURN.lock().await;
    let upstream = impatient(Reply::json(200, "{}").together(&Arc::new(Barrier::new(2))), Reply::hang_up).await;
    let transport = transport(&upstream, RetryPolicy::default());
    let sender = Sender::get(upstream.at("/x")).retries(0);
    let (one, other) = join(sender.send(&transport), sender.send(&transport)).await;
    assert_eq!((one.unwrap().status, other.unwrap().status), (200, 200));
    // Both connections end under the same call.
    let error = sender.send(&transport).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable(), error.retries()), (ErrorKind::Interrupted, true, 0));
    assert_eq!((upstream.count(), upstream.connections()), (4, 2));
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
