//! Ten thousand calls with every fault at random, at a fixed seed: each ends in one of the ways that
//! its faults allow, nothing is sent too often, and nothing is left open.

use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};

use callout_core::ErrorKind;
use callout_tests::{Recorded, Reply, SeededRng, Sender, TestClock, Upstream};
use futures_util::{StreamExt as _, stream};

use crate::builder;

const CALLS: u64 = 10_000;

/// By the call and its attempt, so that each attempt may meet another fault.
fn reply(request: &Recorded) -> Reply {
    let call: u64 = request.path().trim_start_matches('/').parse().unwrap();
    let attempt: u64 = request.header("x-attempt").unwrap().parse().unwrap();
    let dice = SeededRng::new(call * 16 + attempt);
    match dice.next() % 40 {
        0 => Reply::hang_up(),
        1 => Reply::reset(),
        2 => Reply::status(503),
        3 => Reply::status(429).header("retry-after", "1"),
        4 => Reply::status(500),
        5 => Reply::truncated("{", 10),
        6 => Reply::bad_chunk(),
        7 => Reply::unfinished_chunks("{"),
        8 => Reply::redirect(307, "/0000000000"),
        9 => Reply::redirect(307, "http://127.0.0.1:1/"),
        10 => Reply::json(200, "{}").header("content-encoding", "gzip"),
        11 => Reply::json(200, "x".repeat(2_000)),
        12 => Reply::large_headers(70_000),
        13 => Reply::json(200, "{}").then_close(),
        14 => Reply::stray_second("{}", "[\"stray\"]"),
        15 => Reply::json(404, "{}"),
        16 if call.is_multiple_of(16) => Reply::stall(),
        _ => Reply::json(200, "{}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_with_every_fault() {
    let upstream = Upstream::with(reply).await;
    let transport = builder(&[&upstream], &TestClock::still()).build().unwrap();
    let ended = stream::iter(1..=CALLS)
        .map(|call| {
            let (transport, url) = (transport.clone(), upstream.at(&format!("/{call}")));
            async move {
                let method = if call % 3 == 0 { "POST" } else { "GET" };
                let attempt = Duration::from_millis(300);
                let sender = Sender::new(method, url).most(1_000).timeouts(attempt, Duration::from_mins(1));
                let result = sender.send(&transport).await;
                let retries = result.as_ref().map_or_else(callout_core::Error::retries, |response| response.retries);
                assert_eq!(retries + 1, sender.attempts.load(Ordering::Relaxed), "call {call}");
                if let Ok(response) = &result {
                    assert!(response.status != 200 || &response.body[..] == b"{}", "call {call}: {:?}", response.body);
                }
                result.map(|response| response.status).map_err(|error| error.kind())
            }
        })
        .buffer_unordered(32)
        .collect::<Vec<_>>()
        .await;

    let mut outcomes: HashMap<_, u64> = HashMap::new();
    for outcome in ended {
        *outcomes.entry(outcome).or_default() += 1;
    }
    for expected in [
        Ok(200),
        Ok(404),
        Ok(500),
        Err(ErrorKind::Interrupted),
        Err(ErrorKind::RedirectRefused),
        Err(ErrorKind::ResponseTooLarge),
    ] {
        assert!(outcomes.contains_key(&expected), "{expected:?} is missing from {outcomes:?}");
    }
    // Faults meet four of ten attempts; retries and listed statuses mend some of them.
    assert!(outcomes[&Ok(200)] > CALLS * 6 / 10, "{outcomes:?}");

    let mut sends: HashMap<_, Vec<Recorded>> = HashMap::new();
    for request in upstream.requests() {
        sends.entry(request.target.clone()).or_default().push(request);
    }
    for (target, requests) in &sends {
        let redirected = requests.iter().filter(|request| request.path() == "/0000000000").count();
        assert!(redirected > 0 || requests.len() <= 3, "{target} was sent {} times", requests.len());
        if requests[0].method == "POST" && redirected == 0 {
            let statuses = requests[..requests.len() - 1].iter().map(reply_status);
            assert!(statuses.into_iter().all(|retried| retried), "{target}: a POST was repeated after a fault");
        }
    }
    drop(transport);
    assert!(upstream.settled(0).await, "{} connections are still open", upstream.open_connections());
}

/// Whether the answer to it was a status on which even a POST is sent again.
fn reply_status(request: &Recorded) -> bool {
    let shown = format!("{:?}", reply(request));
    shown.contains("status: 503") || shown.contains("status: 429")
}
