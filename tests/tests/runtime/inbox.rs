//! Delivery: what interrupts, what waits for the end of the turn, and that nothing is lost or doubled.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use callout::{
    Approval, Approver, CallId, Decision, Delivered, Delivery, ErrorKind, HeldCall, Inbox, Integration, Json,
};
use callout_tests::{Recorded, Reply, TestClock, Upstream};

use super::{builder, json, load};

const SHOP: &str = r#"{"name":"shop","display_name":"Shop","base_url":"URL","endpoints":[
    {"name":"weather","description":"W","method":"GET","path":"/weather","result_delivery":"interrupt"},
    {"name":"report","description":"R","method":"POST","path":"/report","result_delivery":"queue"},
    {"name":"ask","description":"A","method":"GET","path":"/n/{n}","result_delivery":"interrupt"},
    {"name":"tell","description":"T","method":"POST","path":"/n/{n}","result_delivery":"queue"}]}"#;

/// Waits until a condition holds; 5 s at most.
async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(condition(), "{what} has not come true");
}

/// Says its words one by one; what interrupts is written between them as it lands.
async fn speak(inbox: &Inbox, words: &[&str], after: impl AsyncFn(&str), transcript: &Mutex<Vec<String>>) {
    for word in words {
        transcript.lock().unwrap().push(format!("says {word}"));
        let saying = after(word);
        let mut saying = std::pin::pin!(saying);
        loop {
            tokio::select! {
                biased;
                landed = inbox.interrupted() => transcript.lock().unwrap().push(format!("interrupted by {}", landed.text())),
                () = &mut saying => break,
            }
        }
    }
}

#[tokio::test]
async fn an_interrupting_result_cuts_speech_and_a_queued_one_waits_for_the_turns_end() {
    let upstream = Upstream::with(|request: &Recorded| match request.path() {
        "/weather" => Reply::json(200, r#""it rains""#).after(Duration::from_millis(200)),
        _ => Reply::json(200, r#""the report""#),
    })
    .await;
    let shop = load(&upstream, SHOP);
    let engine = builder().build().unwrap();
    let inbox = engine.inbox();
    inbox.spawn(&shop, "weather", Json::empty_object()).unwrap();
    inbox.spawn(&shop, "report", Json::empty_object()).unwrap();
    let transcript: Mutex<Vec<String>> = Mutex::default();
    let landed = |held: usize| {
        let inbox = &inbox;
        async move { until("a landing", || inbox.in_flight() == held).await }
    };
    // The report lands during the first word, the weather during the second.
    let after = async |word: &str| match word {
        "one" => landed(1).await,
        "two" => {
            landed(0).await;
            until("an interruption", || transcript.lock().unwrap().iter().any(|line| line.starts_with("int"))).await;
        }
        _ => {}
    };
    speak(&inbox, &["one", "two", "three"], after, &transcript).await;
    transcript.lock().unwrap().push("ends the turn".to_owned());
    for queued in inbox.drain() {
        transcript.lock().unwrap().push(format!("hears {}", queued.text()));
    }
    let transcript = transcript.into_inner().unwrap();
    let expected =
        ["says one", "says two", "interrupted by it rains", "says three", "ends the turn", "hears the report"];
    assert_eq!(transcript, expected);
    assert!(inbox.is_empty());
}

#[tokio::test]
async fn a_queued_result_that_lands_after_the_turns_end_wakes_who_waits_for_it() {
    let upstream = Upstream::with(|request: &Recorded| match request.path() {
        "/weather" => Reply::stall(),
        _ => Reply::json(200, r#""the report""#).after(Duration::from_millis(200)),
    })
    .await;
    let (shop, engine) = (load(&upstream, SHOP), builder().build().unwrap());
    let inbox = engine.inbox();
    // This goes on: whoever waits for all calls would wait for it.
    inbox.spawn(&shop, "weather", Json::empty_object()).unwrap();
    inbox.spawn(&shop, "report", Json::empty_object()).unwrap();
    assert!(inbox.drain().is_empty(), "the turn has ended");
    let landed = tokio::time::timeout(Duration::from_secs(5), inbox.queued()).await.unwrap();
    assert_eq!(landed.iter().map(Delivered::text).collect::<Vec<_>>(), ["the report"]);
    assert!(tokio::time::timeout(Duration::from_millis(20), inbox.queued()).await.is_err(), "there is nothing more");
    assert_eq!((inbox.len(), inbox.in_flight()), (1, 1));
}

fn fault(call: u64) -> u64 {
    call.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60
}

/// One in three answers is broken, in every way.
fn mixed(request: &Recorded) -> Reply {
    let call: u64 = request.path().trim_start_matches("/n/").parse().unwrap();
    match fault(call) {
        0 => Reply::hang_up(),
        1 => Reply::reset(),
        2 => Reply::status(503),
        3 => Reply::truncated("{", 10),
        4 => Reply::bad_chunk(),
        5 => Reply::json(404, "{}").after(Duration::from_millis(20)),
        6 => Reply::json(200, format!("{call}")).after(Duration::from_millis(call % 50)),
        7 => Reply::json(200, format!("{call}")).then_close(),
        _ => Reply::json(200, format!("{call}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mixed_calls_with_faults_lose_and_duplicate_nothing() {
    let upstream = Upstream::with(mixed).await;
    let shop = load(&upstream, SHOP);
    let engine = builder().with_clock(TestClock::still()).build().unwrap();
    let inbox = Arc::new(engine.inbox());
    let taken: Arc<Mutex<Vec<(Delivery, Delivered)>>> = Arc::default();
    // Three tasks take what interrupts, the fourth ends its turn every few milliseconds.
    let takers: Vec<_> = (0..4)
        .map(|number| {
            let (inbox, taken) = (Arc::clone(&inbox), Arc::clone(&taken));
            tokio::spawn(async move {
                loop {
                    if number < 3 {
                        let landed = inbox.interrupted().await;
                        taken.lock().unwrap().push((Delivery::Interrupt, landed));
                    } else {
                        tokio::time::sleep(Duration::from_millis(3)).await;
                        taken.lock().unwrap().extend(inbox.drain().into_iter().map(|landed| (Delivery::Queue, landed)));
                    }
                }
            })
        })
        .collect();
    let spawners: Vec<_> = (0..4)
        .map(|part| {
            let (inbox, shop) = (Arc::clone(&inbox), shop.clone());
            tokio::spawn(async move {
                let mut spawned = Vec::new();
                for call in (part * 250)..(part * 250 + 250) {
                    let endpoint = match call % 20 {
                        0 => "no-such",
                        even if even % 2 == 0 => "ask",
                        _ => "tell",
                    };
                    // Every 50th lacks its param.
                    let params =
                        if call % 50 == 1 { Json::empty_object() } else { json(&format!(r#"{{"n":{call}}}"#)) };
                    let id = inbox.spawn(&shop, endpoint, params).unwrap();
                    let cancelled = call % 25 == 7 && inbox.cancel(id);
                    spawned.push((id, call, cancelled));
                    if call % 16 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                spawned
            })
        })
        .collect();
    let mut spawned: BTreeMap<CallId, (u64, bool)> = BTreeMap::new();
    for spawner in spawners {
        spawned.extend(spawner.await.unwrap().into_iter().map(|(id, call, cancelled)| (id, (call, cancelled))));
    }
    tokio::time::timeout(Duration::from_secs(30), inbox.idle()).await.unwrap();
    until("the inbox is empty", || inbox.is_empty()).await;
    for taker in takers {
        taker.abort();
        let _ = taker.await;
    }
    let taken = std::mem::take(&mut *taken.lock().unwrap());
    assert_eq!((spawned.len(), taken.len()), (1_000, 1_000));
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for (lane, delivered) in taken {
        let (call, cancelled) = spawned.remove(&delivered.id).expect("each call is delivered once");
        assert_eq!(lane, delivered.delivery);
        let wanted = if delivered.endpoint == "tell" { Delivery::Queue } else { Delivery::Interrupt };
        assert_eq!(lane, wanted, "{}", delivered.endpoint);
        let kind = delivered.result.as_ref().map_or_else(|error| error.kind().code(), |_| "ok");
        *kinds.entry(kind).or_default() += 1;
        assert_eq!(kind == "cancelled", cancelled, "call {call}: {kind}");
        match &delivered.result {
            Ok(outcome) => assert_eq!(outcome.text(), call.to_string()),
            Err(error) if call % 20 == 0 && !cancelled => assert_eq!(error.kind(), ErrorKind::UnknownEndpoint),
            Err(error) if call % 50 == 1 && !cancelled => assert_eq!(error.kind(), ErrorKind::InvalidParams),
            Err(_) => {}
        }
    }
    assert!(spawned.is_empty());
    for kind in ["ok", "cancelled", "interrupted", "upstream_status", "unknown_endpoint", "invalid_params"] {
        assert!(kinds.contains_key(kind), "no {kind} among {kinds:?}");
    }
    assert!(kinds["ok"] > 400 && kinds["cancelled"] > 10, "{kinds:?}");
}

#[tokio::test]
async fn results_come_in_the_order_in_which_they_landed() {
    let upstream = Upstream::with(|request: &Recorded| {
        let call: u64 = request.path().trim_start_matches("/n/").parse().unwrap();
        // The later ones answer sooner.
        Reply::json(200, call.to_string()).after(Duration::from_millis(400 - 100 * call))
    })
    .await;
    let (shop, engine) = (load(&upstream, SHOP), builder().build().unwrap());
    let inbox = engine.inbox();
    for call in 0..3 {
        for endpoint in ["ask", "tell"] {
            inbox.spawn(&shop, endpoint, json(&format!(r#"{{"n":{call}}}"#))).unwrap();
        }
    }
    inbox.idle().await;
    let queued: Vec<_> = inbox.drain().iter().map(Delivered::text).collect();
    let interrupting: Vec<_> = std::iter::from_fn(|| inbox.try_interrupted()).map(|landed| landed.text()).collect();
    assert_eq!(
        (queued, interrupting),
        (vec!["2".into(), "1".into(), "0".into()], vec!["2".into(), "1".into(), "0".into()])
    );
}

#[tokio::test]
async fn what_cannot_be_called_fails_through_the_lane_of_its_endpoint() {
    let upstream = Upstream::start().await;
    let shop = load(&upstream, &SHOP.replace(r#""base_url""#, r#""protocol":"desktop","base_url""#));
    let engine = builder().build().unwrap();
    let inbox = engine.inbox();
    for endpoint in ["ask", "tell"] {
        inbox.spawn(&shop, endpoint, json(r#"{"n":1}"#)).unwrap();
    }
    inbox.idle().await;
    let queued = inbox.drain();
    let interrupting: Vec<_> = std::iter::from_fn(|| inbox.try_interrupted()).collect();
    for (lane, landed, endpoint) in [(Delivery::Queue, &queued, "tell"), (Delivery::Interrupt, &interrupting, "ask")] {
        assert_eq!(landed.len(), 1, "{landed:?}");
        assert_eq!((landed[0].delivery, landed[0].endpoint.as_str()), (lane, endpoint));
        assert_eq!(landed[0].result.as_ref().unwrap_err().kind(), ErrorKind::UnsupportedProtocol);
    }
    assert_eq!(engine.trace(&shop, "tell", Json::empty_object()).await.delivery, Some(Delivery::Queue));
}

async fn stalling() -> (Upstream, Integration) {
    let upstream = Upstream::with(|_: &Recorded| Reply::stall()).await;
    let shop = load(&upstream, SHOP);
    (upstream, shop)
}

#[tokio::test]
async fn a_full_inbox_says_so_and_taking_makes_room() {
    let (_upstream, shop) = stalling().await;
    let engine = builder().build().unwrap();
    let inbox = engine.inbox_with_capacity(2);
    let first = inbox.spawn(&shop, "report", Json::empty_object()).unwrap();
    inbox.spawn(&shop, "no-such", Json::empty_object()).unwrap();
    let error = inbox.spawn(&shop, "report", Json::empty_object()).unwrap_err();
    assert_eq!(
        (error.kind(), error.is_retryable(), error.endpoint()),
        (ErrorKind::LimitExceeded, true, Some("report"))
    );
    assert!(error.message().starts_with("the inbox is full: 2 calls are in flight"), "{error}");
    // A landed result holds its place until it is taken.
    assert_eq!(inbox.interrupted().await.result.unwrap_err().kind(), ErrorKind::UnknownEndpoint);
    inbox.spawn(&shop, "report", Json::empty_object()).unwrap();
    assert!(inbox.cancel(first));
    assert!(inbox.spawn(&shop, "report", Json::empty_object()).is_err());
    assert_eq!(inbox.drain().len(), 1);
    inbox.spawn(&shop, "report", Json::empty_object()).unwrap();
}

#[tokio::test]
async fn a_cancelled_call_ends_in_one_result_and_its_connection() {
    let (upstream, shop) = stalling().await;
    let engine = builder().build().unwrap();
    let inbox = engine.inbox();
    let id = inbox.spawn(&shop, "report", Json::empty_object()).unwrap();
    until("the request", || upstream.count() == 1).await;
    assert!(inbox.drain().is_empty());
    assert!(inbox.cancel(id));
    assert!(!inbox.cancel(id), "it has landed");
    let landed = inbox.drain();
    assert_eq!((landed.len(), landed[0].id, landed[0].endpoint.as_str()), (1, id, "report"));
    assert_eq!(landed[0].result.as_ref().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(upstream.settled(0).await, "the connection is closed");
    assert!(inbox.is_empty());
}

#[tokio::test]
async fn dropping_the_inbox_cancels_what_is_in_flight() {
    let (upstream, shop) = stalling().await;
    let engine = builder().build().unwrap();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let inbox = engine.inbox();
    for _ in 0..20 {
        inbox.spawn(&shop, "weather", Json::empty_object()).unwrap();
    }
    until("the requests", || upstream.count() == 20).await;
    drop(inbox);
    assert!(upstream.settled(0).await, "{} connections are open", upstream.open_connections());
    until("the tasks have ended", || tasks() <= before).await;
}

/// Panics where a call is held, as any code of a host may.
struct Broken;

impl Approver for Broken {
    async fn decide(&self, _: &HeldCall) -> Decision {
        std::panic::resume_unwind(Box::new("broken"))
    }
}

#[tokio::test]
async fn a_call_whose_task_breaks_is_delivered_too() {
    let (_upstream, shop) = stalling().await;
    let engine = builder().with_approval(Approval::all(Broken)).build().unwrap();
    let inbox = engine.inbox();
    let id = inbox.spawn(&shop, "weather", Json::empty_object()).unwrap();
    let landed = inbox.interrupted().await;
    assert_eq!((landed.id, landed.result.as_ref().unwrap_err().kind()), (id, ErrorKind::Cancelled));
    assert!(landed.text().contains("it panicked"), "{}", landed.text());
}

#[test]
fn without_a_runtime_a_spawn_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_upstream, shop) = runtime.block_on(stalling());
    let engine = builder().build().unwrap();
    let spawned =
        std::panic::catch_unwind(AssertUnwindSafe(|| engine.inbox().spawn(&shop, "weather", Json::empty_object())));
    let error = spawned.unwrap().unwrap_err();
    assert!(error.message().contains("tokio runtime"), "{error}");
    // Calls that a runtime takes with it when it ends are delivered.
    let inbox = engine.inbox();
    runtime.block_on(async { inbox.spawn(&shop, "weather", Json::empty_object()) }).unwrap();
    drop(runtime);
    assert_eq!(inbox.try_interrupted().unwrap().result.unwrap_err().kind(), ErrorKind::Cancelled);
}
