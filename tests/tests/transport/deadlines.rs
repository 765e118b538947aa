//! Bounds on time, dropped calls, the bound on calls at once.

use std::{
    future::pending,
    io,
    net::IpAddr,
    time::{Duration, Instant},
};

use callout_core::{
    ErrorKind,
    limits::{Limits, Timeouts},
    time::Rng as _,
};
use callout_tests::{Reply, SeededRng, Sender, TestClock, Upstream};
use callout_transport::{ConnectFault, EgressPolicy, Resolver, RetryPolicy, Transport, system_clock};
use futures_util::future::join_all;
use tokio::net::TcpListener;

use crate::{builder, pause};

const DAY: Duration = Duration::from_hours(24);

#[expect(clippy::disallowed_methods, reason = "the test measures the world outside")]
fn now() -> Instant {
    Instant::now()
}

/// Bounds hold to 100 ms; a noisy machine is given some more.
fn assert_took(began: Instant, bound: Duration) {
    let took = now() - began;
    assert!(took >= bound && took < bound + Duration::from_millis(300), "took {took:?}, bound {bound:?}");
}

fn real(upstream: &Upstream) -> Transport {
    builder(&[upstream], &TestClock::still()).with_clock(system_clock()).build().unwrap()
}

#[tokio::test]
async fn one_deadline_covers_whatever_the_upstream_does() {
    let bound = Duration::from_millis(400);
    let upstream = Upstream::start().await;
    upstream.reply("/drip", Reply::drip("x".repeat(100), Duration::from_millis(90)));
    upstream.reply("/stall", Reply::stall());
    upstream.reply("/stall-in-body", Reply::stall_in_body());
    upstream.reply("/endless-1xx", Reply::endless_informational());
    let transport = real(&upstream);
    for path in ["/drip", "/stall", "/stall-in-body", "/endless-1xx"] {
        let began = now();
        let error = Sender::get(upstream.at(path)).timeouts(DAY, bound).send(&transport).await.unwrap_err();
        assert_took(began, bound);
        assert_eq!((error.kind(), error.retries()), (ErrorKind::Timeout, 0), "{path}: {error}");
        assert!(error.message().starts_with("the call's time was over before 127.0.0.1:"), "{error}");
    }
}

#[tokio::test]
async fn the_deadline_covers_all_attempts_and_an_attempt_has_its_own_bound() {
    let (attempt, call) = (Duration::from_millis(100), Duration::from_secs(5));
    let upstream = Upstream::start().await;
    upstream.reply("/stall", Reply::stall());
    let transport = builder(&[&upstream], &TestClock::still()).build().unwrap();
    let began = now();
    let error = Sender::get(upstream.at("/stall")).timeouts(attempt, call).send(&transport).await.unwrap_err();
    assert_took(began, attempt * 3);
    assert_eq!((error.kind(), error.retries()), (ErrorKind::Timeout, 2));
    assert!(error.message().ends_with("within 100ms, the bound on one attempt"), "{error}");

    // Ten attempts would take a second; the call has a quarter of one.
    let call = Duration::from_millis(250);
    let transport = real(&upstream);
    let began = now();
    let sender = Sender::get(upstream.at("/stall")).timeouts(attempt, call).retries(10);
    let error = sender.send(&transport).await.unwrap_err();
    assert!(now() - began < call + Duration::from_millis(300));
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_slow_request_factory_is_under_the_deadline_too() {
    use callout_core::{
        config::RetryConfig,
        http::{Caller, Exchange, HttpService as _, Redirects, Replay, Watch},
        time::Deadline,
    };
    let bound = Duration::from_millis(100);
    let upstream = Upstream::start().await;
    for length in [bound, Duration::ZERO] {
        let exchange = Exchange {
            request: Box::new(|_| Box::pin(pending())),
            retry: &RetryConfig::default(),
            replay: Replay::Safe,
            redirects: Redirects::Refuse,
            max_response_bytes: 1,
            attempt_timeout: DAY,
            deadline: Deadline::after(&system_clock(), length),
            caller: &Caller::default(),
            watch: Watch::default(),
        };
        let began = now();
        let error = real(&upstream).send(exchange).await.unwrap_err();
        assert!(now() - began < length + Duration::from_millis(300));
        assert_eq!((error.kind(), error.retries()), (ErrorKind::Timeout, 0), "{error}");
    }
}

struct Silent;

impl Resolver for Silent {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        pending().await
    }
}

#[tokio::test]
async fn connecting_has_its_own_bound_name_look_up_and_tls_included() {
    let mut timeouts = Timeouts::default();
    timeouts.connect = Duration::from_millis(150);
    let transport = builder(&[], &TestClock::still())
        .with_egress(EgressPolicy::public().allow("127.0.0.1").unwrap())
        .with_timeouts(timeouts)
        .with_resolver(Silent)
        .build()
        .unwrap();
    // Accepts, and never shakes hands.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("https://{}/", silent.local_addr().unwrap());
    for url in ["http://silent.example/", &silent] {
        let began = now();
        let error = Sender::post(url).retries(1).send(&transport).await.unwrap_err();
        assert_took(began, timeouts.connect * 2);
        // Nothing was sent, so even a POST is tried again.
        assert_eq!((error.kind(), error.retries()), (ErrorKind::Connect, 1), "{url}: {error}");
        assert_eq!(ConnectFault::of(&error), Some(ConnectFault::Timeout));
        assert!(error.is_retryable() && error.message().ends_with("in time, for which it has 150ms"), "{error}");
    }
}

#[tokio::test]
async fn dropped_calls_leave_nothing_behind() {
    let upstream = Upstream::start().await;
    upstream.reply("/stall", Reply::stall());
    upstream.reply("/stall-in-body", Reply::stall_in_body());
    upstream.reply("/503", Reply::status(503).header("retry-after", "3600"));
    upstream.reply("/ok", Reply::json(200, "{}"));
    let mut limits = Limits::default();
    limits.max_calls_per_upstream = 50;
    // Else the budget would end the calls that wait to be retried.
    let mut policy = RetryPolicy::default();
    policy.budget = 1_000;
    let transport = builder(&[&upstream], &TestClock::still())
        .with_clock(system_clock())
        .with_retry_policy(policy)
        .with_limits(limits)
        .build()
        .unwrap();
    let dice = SeededRng::new(42);
    for _ in 0..20 {
        let calls = (0..50).map(|_| {
            let mut byte = [0; 2];
            dice.fill(&mut byte);
            let path = ["/stall", "/stall-in-body", "/503"][usize::from(byte[0]) % 3];
            let (sender, transport) = (Sender::get(upstream.at(path)).timeouts(DAY, DAY), &transport);
            let dropped_after = Duration::from_micros(u64::from(byte[1]) * 100);
            async move {
                tokio::select! {
                    biased;
                    result = sender.send(transport) => panic!("{path} ended: {result:?}"),
                    () = pause(dropped_after) => {}
                }
            }
        });
        // Fifty at once, as many as are allowed: none of the thousand may keep its permit.
        join_all(calls).await;
    }
    let began = upstream.count();
    pause(Duration::from_millis(200)).await;
    assert_eq!(upstream.count(), began, "an attempt was begun after its call was dropped");
    let calls = (0..50).map(|_| async { Sender::get(upstream.at("/ok")).send(&transport).await.unwrap().status });
    assert!(join_all(calls).await.into_iter().all(|status| status == 200));
    drop(transport);
    assert!(upstream.settled(0).await, "{} connections are still open", upstream.open_connections());
}

#[tokio::test]
async fn a_slow_upstream_fills_up_at_once_and_delays_nobody_else() {
    let (slow, other) = (Upstream::start().await, Upstream::start().await);
    slow.reply("/stall", Reply::stall());
    slow.reply("/ok", Reply::json(200, "{}"));
    other.reply("/ok", Reply::json(200, "{}"));
    let mut limits = Limits::default();
    limits.max_calls_per_upstream = 3;
    let transport = builder(&[&slow, &other], &TestClock::still()).with_limits(limits).build().unwrap();
    let stalled: Vec<_> = (0..3)
        .map(|_| {
            let (sender, transport) = (Sender::get(slow.at("/stall")).timeouts(DAY, DAY), transport.clone());
            tokio::spawn(async move { sender.send(&transport).await })
        })
        .collect();
    while slow.count() < 3 {
        pause(Duration::from_millis(5)).await;
    }
    let began = now();
    let error = Sender::get(slow.at("/ok")).send(&transport).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::LimitExceeded, true));
    assert_eq!(Sender::get(other.at("/ok")).send(&transport).await.unwrap().status, 200);
    assert!(now() - began < Duration::from_secs(1));
    for call in stalled {
        call.abort();
        let _ = call.await;
    }
    assert_eq!(Sender::get(slow.at("/ok")).send(&transport).await.unwrap().status, 200);
}
