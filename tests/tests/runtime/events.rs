//! What an observer and `tracing` are told of a call, and that no secret and no param is among it.

use std::{
    collections::HashSet,
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use callout::{
    Approval, Approver, CallInfo, CallOptions, Decision, Engine, Event, HeldCall, Json, Observer, ToolRegistry,
};
use callout_tests::{Recorded, Reply, SeededRng, Spans, TestClock, Upstream};

use super::{builder, json, load};

const SHOP: &str = r#"{"name":"shop","display_name":"Shop","base_url":"URL/v1","auth":{"type":"oauth2_client_credentials",
    "token_url":"URL/token?key=canary-query","client_id":"canary-client","client_secret_value":{"value":"canary-secret"}},
    "endpoints":[{"name":"find","description":"Finds","method":"GET","path":"/things/{id}/parts{?q}","max_result_length":9,
    "headers":{"X-Plain":"canary-header"}}]}"#;

/// Hands out tokens, refuses the first of them, and is busy twice.
async fn upstream() -> Upstream {
    let (handed, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Upstream::with(move |request: &Recorded| {
        if request.path() == "/token" {
            let number = handed.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::json(200, format!(r#"{{"access_token":"canary-token-{number}","expires_in":3600}}"#));
        }
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::status(503),
            1 => Reply::status(401),
            2 => Reply::status(429).header("retry-after", "2"),
            _ => Reply::json(200, r#"{"found":"canary-answer"}"#),
        }
    })
    .await
}

/// Writes down what it hears, times left out.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<String>>);

impl Listener {
    fn heard(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Listener {
    fn observe(&self, call: &CallInfo<'_>, event: &Event) {
        let mut event = event.clone();
        match &mut event {
            Event::Token { duration, .. } | Event::TokenFailed { duration, .. } | Event::Finished { duration, .. } => {
                *duration = Duration::ZERO;
            }
            _ => {}
        }
        writeln!(self.0.lock().unwrap(), "{} {}.{} {event:?}", call.id, call.integration, call.endpoint).unwrap();
    }
}

fn engine(listener: &Listener) -> Engine {
    let builder = builder().with_observer(listener.clone()).with_clock(TestClock::new());
    builder.with_rng(SeededRng::new(7)).build().unwrap()
}

fn params() -> Json {
    json(r#"{"id":"canary-id","q":"canary-param"}"#)
}

#[tokio::test]
async fn a_whole_call_as_an_observer_hears_it() {
    let upstream = upstream().await;
    let (listener, integration) = (Listener::default(), load(&upstream, SHOP));
    let engine = engine(&listener);
    engine.call(&integration, "find", params()).await.unwrap();
    // Again, from the cache.
    engine.call(&integration, "find", params()).await.unwrap();
    engine.call(&integration, "none", params()).await.unwrap_err();
    let heard = listener.heard();
    assert!(!heard.contains("canary"), "{heard}");
    insta::assert_snapshot!(heard, @r##"
    call-1 shop.find Started
    call-1 shop.find Token { source: Fetched, duration: 0ns }
    call-1 shop.find Attempt { number: 0, method: Get }
    call-1 shop.find Retrying { after: 97.457437ms, why: Status(503) }
    call-1 shop.find Token { source: Cached, duration: 0ns }
    call-1 shop.find Attempt { number: 1, method: Get }
    call-1 shop.find TokenRefused { status: 401 }
    call-1 shop.find Token { source: Fetched, duration: 0ns }
    call-1 shop.find Attempt { number: 2, method: Get }
    call-1 shop.find Retrying { after: 2s, why: Status(429) }
    call-1 shop.find Token { source: Cached, duration: 0ns }
    call-1 shop.find Attempt { number: 3, method: Get }
    call-1 shop.find Finished { status: Some(200), duration: 0ns, retries: 2, truncated: true, error: None }
    call-2 shop.find Started
    call-2 shop.find Token { source: Cached, duration: 0ns }
    call-2 shop.find Attempt { number: 0, method: Get }
    call-2 shop.find Finished { status: Some(200), duration: 0ns, retries: 0, truncated: true, error: None }
    call-3 shop.none Started
    call-3 shop.none Finished { status: None, duration: 0ns, retries: 0, truncated: false, error: Some(UnknownEndpoint) }
    "##);
}

/// A connection that was closed before the second call came on it.
#[tokio::test]
async fn a_resend_for_a_closed_connection_is_heard_and_not_counted() {
    let served = Mutex::new(HashSet::new());
    let upstream = Upstream::with(move |request: &Recorded| {
        if served.lock().unwrap().insert(request.connection) { Reply::json(200, "{}") } else { Reply::hang_up() }
    })
    .await;
    let shop = r#"{"name":"shop","display_name":"Shop","base_url":"URL",
        "endpoints":[{"name":"find","description":"Finds","method":"GET","path":"/things"}]}"#;
    let (listener, integration) = (Listener::default(), load(&upstream, shop));
    let engine = engine(&listener);
    engine.call(&integration, "find", json("{}")).await.unwrap();
    let before = listener.heard().len();
    engine.call(&integration, "find", json("{}")).await.unwrap();
    insta::assert_snapshot!(&listener.heard()[before..], @r##"
    call-2 shop.find Started
    call-2 shop.find Attempt { number: 0, method: Get }
    call-2 shop.find Retrying { after: 0ns, why: Interrupted }
    call-2 shop.find Attempt { number: 1, method: Get }
    call-2 shop.find Finished { status: Some(200), duration: 0ns, retries: 0, truncated: false, error: None }
    "##);
}

#[tokio::test]
async fn a_whole_call_as_tracing_shows_it() {
    let upstream = upstream().await;
    let integration = load(&upstream, SHOP);
    let engine = engine(&Listener::default());
    let spans = Spans::begin();
    engine.call(&integration, "find", params()).await.unwrap();
    let said = spans.text();
    assert!(!said.contains("canary"), "{said}");
    insta::assert_snapshot!(said.replace(&upstream.address().port().to_string(), "PORT"), @r##"
    INFO execute_tool otel.name=execute_tool shop__find otel.kind="internal" gen_ai.operation.name="execute_tool" gen_ai.tool.name="shop__find" gen_ai.tool.type="function" callout.call_id=call-1 callout.integration="shop" callout.endpoint="find" http.response.status_code=200 callout.retries=2 callout.truncated=true
      INFO HTTP otel.name=POST /token otel.kind="client" http.request.method="POST" server.address=127.0.0.1 server.port=PORT url.scheme="http" url.template="/token" http.response.status_code=200
      INFO HTTP otel.name=GET /things/{id}/parts otel.kind="client" http.request.method="GET" server.address=127.0.0.1 server.port=PORT url.scheme="http" url.template="/things/{id}/parts" http.response.status_code=503 error.type=503
      INFO HTTP otel.name=GET /things/{id}/parts otel.kind="client" http.request.method="GET" http.request.resend_count=1 server.address=127.0.0.1 server.port=PORT url.scheme="http" url.template="/things/{id}/parts" http.response.status_code=401 error.type=401
      INFO HTTP otel.name=POST /token otel.kind="client" http.request.method="POST" server.address=127.0.0.1 server.port=PORT url.scheme="http" url.template="/token" http.response.status_code=200
      INFO HTTP otel.name=GET /things/{id}/parts otel.kind="client" http.request.method="GET" server.address=127.0.0.1 server.port=PORT url.scheme="http" url.template="/things/{id}/parts" http.response.status_code=429 error.type=429
      INFO HTTP otel.name=GET /things/{id}/parts otel.kind="client" http.request.method="GET" http.request.resend_count=1 server.address=127.0.0.1 server.port=PORT url.scheme="http" url.template="/things/{id}/parts" http.response.status_code=200
    --
    DEBUG in INFO execute_tool: got a token integration="shop" lifetime_seconds=3600
    DEBUG in INFO execute_tool: token source=Fetched
    DEBUG in INFO execute_tool: retrying target=127.0.0.1:PORT attempt=0 ending=Status(503) wait_ms=97
    DEBUG in INFO execute_tool: token source=Cached
    DEBUG in INFO execute_tool: the endpoint refused a token integration="shop" dropped=true
    DEBUG in INFO execute_tool: got a token integration="shop" lifetime_seconds=3600
    DEBUG in INFO execute_tool: token source=Fetched
    DEBUG in INFO execute_tool: retrying target=127.0.0.1:PORT attempt=0 ending=Status(429) wait_ms=2000
    DEBUG in INFO execute_tool: token source=Cached
    DEBUG in INFO execute_tool: finished status=200 retries=2 truncated=true
    "##);
}

/// Approves each call, and keeps by which id of the host it was asked.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<Option<Arc<str>>>>>);

impl Approver for Asked {
    async fn decide(&self, call: &HeldCall) -> Decision {
        self.0.lock().unwrap().push(call.host_id.clone());
        Decision::Approved
    }
}

#[tokio::test]
async fn a_call_goes_by_the_hosts_id_wherever_it_is_told_of() {
    let upstream = Upstream::start().await;
    upstream.reply("/x", Reply::json(200, "{}"));
    let text = r#"{"name":"shop","display_name":"Shop","base_url":"URL",
        "endpoints":[{"name":"go","description":"Goes","path":"/x"}]}"#;
    let (shop, asked) = (load(&upstream, text), Asked::default());
    let heard: Arc<Mutex<Vec<Option<Arc<str>>>>> = Arc::default();
    let ids = heard.clone();
    let engine = builder()
        .with_observer(move |call: &CallInfo<'_>, _: &Event| ids.lock().unwrap().push(call.host_id.map(Arc::from)))
        .with_approval(Approval::all(asked.clone()))
        .build()
        .unwrap();
    let (registry, inbox) = (ToolRegistry::new().with_integration(&shop), engine.inbox());
    let by = |id: &str| CallOptions::default().with_id(id);
    let spans = Spans::begin();
    engine.call_with(&shop, "go", json("{}"), &by("called")).await.unwrap();
    registry.call_with(&engine, "shop__go", Json::Null, Json::Null, &by("tool")).await.unwrap();
    inbox.spawn_with(&shop, "go", json("{}"), &by("spawned")).unwrap();
    assert_eq!(inbox.interrupted().await.host_id.as_deref(), Some("spawned"));
    // It is cancelled before its task has had a turn.
    let id = registry.spawn_with(&inbox, "shop__go", Json::Null, Json::Null, &by("cancelled")).unwrap();
    assert!(inbox.cancel(id));
    assert_eq!(inbox.interrupted().await.host_id.as_deref(), Some("cancelled"));
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    engine.call(&shop, "go", json("{}")).await.unwrap();

    let all = [Some("called"), Some("tool"), Some("spawned"), Some("cancelled"), None];
    let said = spans.text();
    let lines = said.lines().filter(|line| line.starts_with("INFO execute_tool"));
    let shown = lines.map(|line| line.split_once("gen_ai.tool.call.id=\"")?.1.split('"').next());
    assert_eq!(shown.collect::<Vec<_>>(), all, "{said}");
    for event in ["held for approval\n", "decided approved=true waited_ms="] {
        assert!(said.contains(&format!("DEBUG in INFO execute_tool: {event}")), "{said}");
    }
    let mut heard = heard.lock().unwrap().clone();
    heard.dedup();
    assert_eq!(heard.iter().map(Option::as_deref).collect::<Vec<_>>(), all);
    let asked = asked.0.lock().unwrap();
    let held = all.into_iter().filter(|id| *id != Some("cancelled"));
    assert_eq!(asked.iter().map(Option::as_deref).collect::<Vec<_>>(), held.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_call_that_is_dropped_has_finished() {
    let upstream = Upstream::start().await;
    upstream.reply("/x", Reply::stall());
    let text = r#"{"name":"shop","display_name":"Shop","base_url":"URL",
        "endpoints":[{"name":"go","description":"Goes","method":"GET","path":"/x"}]}"#;
    let (listener, integration) = (Listener::default(), load(&upstream, text));
    let engine = engine(&listener);
    let call = engine.call(&integration, "go", Json::empty_object());
    assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    insta::assert_snapshot!(listener.heard(), @r##"
    call-1 shop.go Started
    call-1 shop.go Attempt { number: 0, method: Get }
    call-1 shop.go Finished { status: None, duration: 0ns, retries: 0, truncated: false, error: Some(Cancelled) }
    "##);
}

#[tokio::test]
async fn a_spawned_call_that_is_cancelled_before_its_task_has_had_a_turn_has_finished() {
    let upstream = Upstream::start().await;
    let (listener, integration) = (Listener::default(), load(&upstream, SHOP));
    let inbox = engine(&listener).inbox();
    let id = inbox.spawn(&integration, "find", params()).unwrap();
    // There is one thread, which is busy with this.
    assert!(inbox.cancel(id) && listener.heard().is_empty());
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    insta::assert_snapshot!(listener.heard(), @r##"
    call-1 shop.find Started
    call-1 shop.find Finished { status: None, duration: 0ns, retries: 0, truncated: false, error: Some(Cancelled) }
    "##);
}

/// Panics at every event, as one does whose lock is poisoned. Counts them.
struct Broken(Arc<AtomicUsize>);

impl Observer for Broken {
    fn observe(&self, _: &CallInfo<'_>, _: &Event) {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::panic::resume_unwind(Box::new("broken"))
    }
}

#[tokio::test]
async fn an_observer_that_panics_at_every_event_ends_its_call_and_not_the_program() {
    let upstream = Upstream::start().await;
    let integration = load(&upstream, SHOP);
    let told = Arc::new(AtomicUsize::new(0));
    let engine = builder().with_observer(Broken(told.clone())).build().unwrap();
    let call = tokio::spawn(async move { engine.call(&integration, "find", params()).await });
    assert!(call.await.unwrap_err().is_panic());
    // That it began, and in its panic that it is over.
    assert_eq!((told.load(Ordering::SeqCst), upstream.count()), (2, 0));
}

#[tokio::test]
async fn the_resend_of_a_call_that_is_dropped_is_no_retry() {
    for (before, expected) in [(vec![401], 0), (vec![503, 401], 1), (vec![401, 503], 1)] {
        let upstream = Upstream::start().await;
        upstream.reply("/token", Reply::json(200, r#"{"access_token":"a-token","expires_in":3600}"#));
        for &status in &before {
            upstream.reply("/v1/things/canary-id/parts", Reply::status(status));
        }
        upstream.reply("/v1/things/canary-id/parts", Reply::stall());
        let (listener, integration) = (Listener::default(), load(&upstream, SHOP));
        let engine = engine(&listener);
        let mut call = Box::pin(engine.call(&integration, "find", params()));
        let last = format!("Attempt {{ number: {}, method: Get }}", before.len());
        for _ in 0..1_000 {
            if listener.heard().contains(&last) {
                break;
            }
            assert!(tokio::time::timeout(Duration::from_millis(20), call.as_mut()).await.is_err());
        }
        drop(call);
        let heard = listener.heard();
        assert!(heard.contains(&format!("Attempt {{ number: {}, method: Get }}", before.len())), "{heard}");
        assert!(heard.contains(&format!("retries: {expected}, truncated: false, error: Some(Cancelled)")), "{heard}");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_told() {
    let upstream = Upstream::start().await;
    upstream.reply("/token", Reply::json(400, r#"{"error":"invalid_client","error_description":"canary-why"}"#));
    let (listener, integration) = (Listener::default(), load(&upstream, SHOP));
    let spans = Spans::begin();
    engine(&listener).call(&integration, "find", params()).await.unwrap_err();
    let said = listener.heard() + &spans.text();
    assert!(!said.contains("canary"), "{said}");
    insta::assert_snapshot!(listener.heard(), @r##"
    call-1 shop.find Started
    call-1 shop.find TokenFailed { kind: AuthFailed, duration: 0ns }
    call-1 shop.find Finished { status: None, duration: 0ns, retries: 0, truncated: false, error: Some(AuthFailed) }
    "##);
}
