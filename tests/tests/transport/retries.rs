//! How often something is sent, and how long is waited before.

use std::{sync::atomic::Ordering, time::Duration};

use callout_core::{ErrorKind, config::RetryConfig};
use callout_tests::{Reply, Sender, TestClock, Upstream};
use callout_transport::{ConnectFault, EgressPolicy, RetryPolicy};
use tokio::net::TcpListener;

use crate::{builder, pause, transport};

const SOON: Duration = Duration::from_millis(60);

/// Every method × fault × number of retries: attempts, requests at the server (connections, where
/// nothing is read), and how it ended.
#[tokio::test]
async fn sends_counted_at_the_server() {
    let mut table = String::new();
    let faults = ["refused", "reset unread", "reset", "hang up", "timeout", "cut", "400", "429", "500", "503"];
    for fault in faults {
        for max_retries in [0, 2] {
            let mut line = format!("{fault}, {max_retries} retries:");
            for method in ["GET", "PUT", "DELETE", "POST", "PATCH"] {
                let upstream = Upstream::start().await;
                let open = EgressPolicy::public().allow("127.0.0.1").unwrap();
                let transport = builder(&[], &TestClock::still()).with_egress(open).build().unwrap();
                match fault {
                    "reset unread" => upstream.reset_connections(100),
                    "reset" => upstream.reply("/x", Reply::reset()),
                    "hang up" => upstream.reply("/x", Reply::hang_up()),
                    "timeout" => upstream.reply("/x", Reply::stall()),
                    "cut" => upstream.reply("/x", Reply::truncated("{", 10)),
                    "refused" => {}
                    status => upstream.reply("/x", Reply::status(status.parse().unwrap())),
                }
                let mut sender = Sender::new(method, upstream.at("/x")).retries(max_retries).timeouts(SOON, SOON * 100);
                if fault == "refused" {
                    sender.request.url.set_port(Some(free_port().await)).unwrap();
                }
                let result = sender.send(&transport).await;
                pause(Duration::from_millis(2)).await;
                let count = if fault == "reset unread" { upstream.connections() } else { upstream.count() };
                let (ended, retries) = match &result {
                    Ok(response) => (response.status.to_string(), response.retries),
                    Err(error) => (error.kind().to_string(), error.retries()),
                };
                let attempts = sender.attempts.load(Ordering::Relaxed);
                assert_eq!(attempts, retries + 1, "{fault} {method}: what is reported is what was tried");
                line += &format!(" {method} {attempts}/{count} {ended}");
            }
            table.push_str(&line);
            table.push('\n');
        }
    }
    insta::assert_snapshot!(table);
}

/// Where nobody listens.
async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_listed_status_is_retried_for_every_method_and_ends_with_the_last_answer() {
    for method in ["GET", "POST"] {
        let upstream = Upstream::start().await;
        for reply in [Reply::status(418), Reply::status(503), Reply::json(200, "{}")] {
            upstream.reply("/x", reply);
        }
        let mut sender = Sender::new(method, upstream.at("/x"));
        sender.retry = RetryConfig { max_retries: 5, retry_on_status: vec![418, 503] };
        let response = sender.send(&transport(&upstream)).await.unwrap();
        assert_eq!((response.status, response.retries, upstream.count()), (200, 2, 3), "{method}");
    }
}

#[tokio::test]
async fn a_retried_body_is_the_same_and_each_attempt_has_its_own_headers() {
    let upstream = Upstream::start().await;
    upstream.reply("/x", Reply::status(503));
    let body = (0..=255_u8).cycle().take(100_000).collect::<Vec<_>>();
    let sender = Sender::post(upstream.at("/x")).body(body.clone()).retries(3);
    assert_eq!(sender.send(&transport(&upstream)).await.unwrap().retries, 3);
    let requests = upstream.requests();
    let attempts: Vec<_> = requests.iter().map(|request| request.header("x-attempt").unwrap()).collect();
    assert_eq!(attempts, ["0", "1", "2", "3"]);
    assert!(requests.iter().all(|request| request.body == body));
}

#[tokio::test]
async fn waits_grow_with_full_jitter() {
    let upstream = Upstream::start().await;
    upstream.reply("/x", Reply::status(503));
    let clock = TestClock::new();
    let transport = builder(&[&upstream], &clock).build().unwrap();
    let sender = Sender::get(upstream.at("/x"))
        .retries(10)
        .clock(clock.shared())
        .timeouts(Duration::from_secs(10), Duration::from_hours(1));
    sender.send(&transport).await.unwrap();
    let sleeps = clock.sleeps();
    assert_eq!(sleeps.len(), 10);
    for (at, sleep) in sleeps.iter().enumerate() {
        assert!(*sleep <= Duration::from_secs(30).min(Duration::from_millis(250 << at)), "wait {at}: {sleep:?}");
    }
    assert!(sleeps.iter().skip(5).any(|sleep| *sleep > Duration::from_secs(5)), "{sleeps:?}");
}

#[tokio::test]
async fn retry_after_wins_over_the_own_wait() {
    // The first two are kept; the rest say nothing usable, so the wait is the policy's own.
    for (values, kept) in [
        (&["7"][..], Some(7)),
        (&["2", "5"], Some(5)),
        (&["Wed, 21 Oct 2015 07:28:00 GMT"], None),
        (&["0"], None),
        (&["-1"], None),
        (&["soon"], None),
        (&[""], None),
    ] {
        let upstream = Upstream::start().await;
        let busy = values.iter().fold(Reply::status(429), |reply, value| reply.header("retry-after", value));
        upstream.reply("/x", busy);
        upstream.reply("/x", Reply::json(200, "{}"));
        let clock = TestClock::new();
        let transport = builder(&[&upstream], &clock).build().unwrap();
        let response = Sender::get(upstream.at("/x")).clock(clock.shared()).send(&transport).await.unwrap();
        assert_eq!((response.status, response.retries), (200, 1), "{values:?}");
        match kept {
            Some(seconds) => assert_eq!(clock.sleeps(), [Duration::from_secs(seconds)], "{values:?}"),
            None => assert!(clock.sleeps()[0] <= Duration::from_millis(250), "{values:?}"),
        }
    }
}

#[tokio::test]
async fn a_wait_past_the_deadline_is_not_begun() {
    for (asked, delay) in [
        ("21", 21),
        ("86400", 86_400),
        ("1000000000", 1_000_000_000),
        ("18446744073709551616", u64::from(u32::MAX)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", u64::from(u32::MAX)),
    ] {
        let upstream = Upstream::start().await;
        upstream.reply("/x", Reply::json(503, "[]").header("retry-after", asked));
        let clock = TestClock::new();
        let transport = builder(&[&upstream], &clock).build().unwrap();
        let response = Sender::get(upstream.at("/x")).clock(clock.shared()).send(&transport).await.unwrap();
        assert_eq!((response.status, response.retries, &response.body[..]), (503, 0, &b"[]"[..]), "{asked}");
        assert_eq!(response.retry_after, Some(Duration::from_secs(delay)), "{asked}");
        assert!(clock.sleeps().is_empty() && upstream.count() == 1, "{asked}");
    }
}

#[tokio::test]
async fn a_dead_upstream_costs_few_retries_and_nobody_elses() {
    let upstream = Upstream::with(|_| Reply::status(503)).await;
    let transport = transport(&upstream);
    let sender = Sender::get(upstream.at("/x"));
    for _ in 0..1_000 {
        sender.send(&transport).await.unwrap();
    }
    let retries = upstream.count() - 1_000;
    assert!((100..=200).contains(&retries), "{retries} retries");
    let other = Sender::get(upstream.at("/x")).workspace("other").send(&transport).await.unwrap();
    assert_eq!(other.retries, 2);
    let other_host = Upstream::with(|_| Reply::status(503)).await;
    let mut sender = Sender::get(other_host.named("localhost", "/x"));
    sender.caller.integration = "another".into();
    let open = builder(&[], &TestClock::still())
        .with_egress(EgressPolicy::public().allow("localhost").unwrap())
        .build()
        .unwrap();
    assert_eq!(sender.send(&open).await.unwrap().retries, 2);
}

#[tokio::test]
async fn the_budget_is_a_setting() {
    let upstream = Upstream::with(|_| Reply::status(503)).await;
    let mut policy = RetryPolicy::default();
    (policy.budget, policy.gain) = (1, 0.0);
    let transport = builder(&[&upstream], &TestClock::still()).with_retry_policy(policy.clone()).build().unwrap();
    let sender = Sender::get(upstream.at("/x"));
    assert_eq!(sender.send(&transport).await.unwrap().retries, 1);
    assert_eq!(sender.send(&transport).await.unwrap().retries, 0);
    for gain in [-0.1, 1.1, f64::NAN] {
        policy.gain = gain;
        let error = builder(&[], &TestClock::still()).with_retry_policy(policy.clone()).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    }
}

#[tokio::test]
async fn what_is_not_sent_again_says_whether_that_would_help() {
    let upstream = Upstream::start().await;
    upstream.reply("/hang-up", Reply::hang_up());
    let transport = transport(&upstream);
    let get = Sender::get(upstream.at("/hang-up")).send(&transport).await.unwrap_err();
    assert_eq!((get.kind(), get.is_retryable(), get.retries()), (ErrorKind::Interrupted, true, 2));
    let post = Sender::post(upstream.at("/hang-up")).send(&transport).await.unwrap_err();
    assert_eq!((post.kind(), post.is_retryable(), post.retries()), (ErrorKind::Interrupted, false, 0));
    assert!(post.message().contains("may have been carried out"), "{post}");
    assert_eq!(ConnectFault::of(&post), None);
}

#[tokio::test]
async fn what_the_factory_refuses_is_returned_as_it_is() {
    use callout_core::{
        Error,
        http::{Exchange, HttpService as _, Redirects, Replay, Watch},
        time::Deadline,
    };
    let upstream = Upstream::start().await;
    let transport = transport(&upstream);
    let exchange = Exchange {
        request: Box::new(|_| Box::pin(async { Err(Error::new(ErrorKind::AuthFailed, "no token")) })),
        retry: &RetryConfig::default(),
        replay: Replay::Safe,
        redirects: Redirects::Refuse,
        max_response_bytes: 1,
        attempt_timeout: SOON,
        deadline: Deadline::after(&callout_transport::system_clock(), SOON),
        caller: &callout_core::http::Caller::default(),
        watch: Watch::default(),
    };
    let error = transport.send(exchange).await.unwrap_err();
    assert_eq!((error.kind(), error.message(), error.retries()), (ErrorKind::AuthFailed, "no token", 0));
}
