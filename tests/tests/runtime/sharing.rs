//! What engines share, what can stand around the network of one, and how much it works on at once.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use callout::{
    Clock, EndpointConfig, Engine, Error, ErrorKind, Exchange, HttpResponse, HttpService, Integration,
    IntegrationConfig, Json, Method, Replay, Secrets, SharedHttp, StillClock, TokenCache, bytes::Bytes,
    http::HeaderMap,
};
use callout_tests::{Recorded, Reply, Upstream};

use super::{builder, load};

#[tokio::test]
async fn engines_that_share_a_token_cache_share_its_tokens() {
    let upstream = Upstream::with(|request: &Recorded| match request.path() {
        "/token" => Reply::json(200, r#"{"access_token":"a-token","expires_in":3600}"#),
        _ => Reply::json(200, "{}"),
    })
    .await;
    let shop = load(
        &upstream,
        r#"{"name":"shop","display_name":"Shop","base_url":"URL","auth":{"type":"oauth2_client_credentials",
            "token_url":"URL/token","client_id":"me","client_secret_value":{"value":"a-secret"}},
            "endpoints":[{"name":"go","description":"Goes","path":"/x"}]}"#,
    );
    let tokens = TokenCache::default();
    let sharing = || builder().with_token_cache(tokens.clone()).build().unwrap();
    for engine in [sharing(), sharing(), builder().build().unwrap()] {
        engine.call(&shop, "go", Json::empty_object()).await.unwrap();
    }
    let asked = upstream.requests().iter().filter(|request| request.path() == "/token").count();
    assert_eq!(asked, 2, "one for those that share, one for the engine with a cache of its own");
    let stats = tokens.stats();
    assert_eq!((stats.fetches, stats.misses, stats.hits), (1, 1, 1));
}

/// What came of each exchange, and whether it may be sent again.
type Seen = Arc<Mutex<Vec<(Replay, Result<u16, ErrorKind>)>>>;

/// Stands around the network of an engine.
struct Around {
    inner: SharedHttp,
    seen: Seen,
}

impl HttpService for Around {
    async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
        let replay = exchange.replay;
        let sent = self.inner.send(exchange).await;
        let ending = sent.as_ref().map(|answer| answer.status).map_err(Error::kind);
        self.seen.lock().unwrap().push((replay, ending));
        sent
    }
}

#[tokio::test]
async fn a_network_around_the_engines_own_sees_all_that_is_sent_and_changes_no_rule() {
    let upstream = Upstream::start().await;
    upstream.reply("/token", Reply::json(200, r#"{"access_token":"a-token","expires_in":3600}"#));
    upstream.reply("/x", Reply::status(503).header("retry-after", "0"));
    upstream.reply("/x", Reply::json(200, "{}"));
    let endpoints = r#""endpoints":[{"name":"go","description":"Goes","path":"/x"}]"#;
    let plain = format!(r#"{{"name":"shop","display_name":"Shop","base_url":"URL",{endpoints}}}"#);
    let auth = r#""auth":{"type":"oauth2_client_credentials","token_url":"URL/token","client_id":"me",
        "client_secret_value":{"value":"a-secret"}},"endpoints""#;
    let (plain, with_token) = (load(&upstream, &plain), load(&upstream, &plain.replace(r#""endpoints""#, auth)));
    let seen = Seen::default();
    let around = || {
        let seen = seen.clone();
        |inner| Around { inner, seen }
    };
    let engine = builder().with_http_around(around()).build().unwrap();
    let outcome = engine.call(&with_token, "go", Json::empty_object()).await.unwrap();
    assert_eq!((outcome.retries(), upstream.count()), (1, 3));
    // This machine is closed to this one.
    let engine = Engine::builder().with_http_around(around()).build().unwrap();
    engine.call(&plain, "go", Json::empty_object()).await.unwrap_err();
    assert_eq!(upstream.count(), 3);
    let once = (Replay::OnlyUnsent, Ok(200));
    let expected = [(Replay::Safe, Ok(200)), once, (Replay::OnlyUnsent, Err(ErrorKind::EgressDenied))];
    assert_eq!(*seen.lock().unwrap(), expected);
}

/// A clock on which no time passes. It holds up whoever asks on a thread that is not the runtime's, as work on
/// large answers does, until it is opened.
#[derive(Clone)]
struct Gate(Arc<Door>);

struct Door {
    runtime: ThreadId,
    now: Instant,
    held: Mutex<Held>,
    opened: Condvar,
}

#[derive(Default)]
struct Held {
    count: usize,
    is_open: bool,
}

impl Gate {
    /// For the runtime of this thread.
    fn closed() -> Self {
        let now = StillClock::new().now();
        Self(Arc::new(Door { runtime: thread::current().id(), now, held: Mutex::default(), opened: Condvar::new() }))
    }

    fn held(&self) -> usize {
        self.0.held.lock().unwrap().count
    }

    fn open(&self) {
        self.0.held.lock().unwrap().is_open = true;
        self.0.opened.notify_all();
    }
}

impl Clock for Gate {
    fn now(&self) -> Instant {
        let Door { runtime, now, held, opened } = &*self.0;
        if thread::current().id() != *runtime {
            let mut held = held.lock().unwrap();
            held.count += 1;
            // A test that has failed does not open it.
            let longest = Duration::from_secs(20);
            let _held = opened.wait_timeout_while(held, longest, |held| !held.is_open).unwrap();
        }
        *now
    }

    fn unix(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _: Duration) {}

    fn until(&self, _: Instant) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// Answers with two megabytes.
struct Large(Gate);

impl HttpService for Large {
    async fn send(&self, exchange: Exchange<'_>) -> Result<HttpResponse, Error> {
        (exchange.request)(self.0.now()).await?;
        let body = format!("\"{}\"", "x".repeat(2 << 20));
        Ok(HttpResponse::new(200, HeaderMap::new(), Bytes::from(body)))
    }
}

#[tokio::test]
async fn an_engine_works_on_as_many_answers_at_once_as_it_was_told() {
    for most in [1, 2] {
        let gate = Gate::closed();
        let building = Engine::builder().with_http(Large(gate.clone())).with_clock(gate.clone());
        let engine = building.with_workers(most).build().unwrap();
        let calls: Vec<_> = (0..4)
            .map(|at| {
                let endpoint = EndpointConfig::new("get", "Gets", "/things");
                let config = IntegrationConfig::new("shop", "https://api.example").with_endpoint(endpoint);
                let shop = engine.load_as(&format!("tenant {at}"), "shop", config, &Secrets::new()).unwrap();
                let engine = engine.clone();
                tokio::spawn(async move { engine.call(&shop, "get", Json::empty_object()).await })
            })
            .collect();
        for _ in 0..1_000 {
            if gate.held() >= most {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Time enough for one too many.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(gate.held(), most);
        gate.open();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }
}

/// Answers all with one text, which is too large to be worked on where it came in; and how many it has answered.
struct OneText(Bytes, Arc<AtomicUsize>);

impl HttpService for OneText {
    async fn send(&self, _: Exchange<'_>) -> Result<HttpResponse, Error> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(HttpResponse::new(200, http::HeaderMap::new(), self.0.clone()))
    }
}

#[tokio::test]
async fn no_more_than_1024_of_a_workspace_wait_and_4096_in_all() {
    let (gate, answered) = (Gate::closed(), Arc::new(AtomicUsize::new(0)));
    let text = OneText(Bytes::from(format!("\"{}\"", "x".repeat(200 << 10))), answered.clone());
    let engine = Engine::builder().with_http(text).with_clock(gate.clone()).with_workers(1).build().unwrap();
    let shop = |workspace: &str| {
        let mut config = IntegrationConfig::new("shop", "https://api.example");
        for method in [Method::Get, Method::Post] {
            let mut endpoint = EndpointConfig::new(method.as_str().to_lowercase(), "Does", "/things");
            endpoint.method = method;
            config = config.with_endpoint(endpoint);
        }
        engine.load_as(workspace, "shop", config, &Secrets::new()).unwrap()
    };
    let begin = |shop: &Integration| {
        let (engine, shop) = (engine.clone(), shop.clone());
        tokio::spawn(async move { engine.call(&shop, "get", Json::empty_object()).await })
    };
    let refused = async |shop: &Integration, endpoint: &str| {
        let call = engine.call(shop, endpoint, Json::empty_object());
        tokio::time::timeout(Duration::from_secs(10), call).await.unwrap().unwrap_err()
    };
    let until = async |is_so: &dyn Fn() -> bool| {
        for _ in 0..4_000 {
            if is_so() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(is_so(), "{} calls were answered", answered.load(Ordering::SeqCst));
    };
    let shops = ["a", "b", "c", "d"].map(shop);
    // It has its turn, and keeps it.
    let mut calls = vec![begin(&shops[0])];
    until(&|| gate.held() == 1).await;
    for shop in &shops {
        let before = answered.load(Ordering::SeqCst);
        calls.extend((0..1024).map(|_| begin(shop)));
        // In the moment in which a call is answered it comes to wait.
        until(&|| answered.load(Ordering::SeqCst) == before + 1024).await;
        // What has changed something may not be asked once more.
        for (endpoint, retryable) in [("get", true), ("post", false)] {
            let error = refused(shop, endpoint).await;
            assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::LimitExceeded, retryable), "{error}");
            assert!(error.message().starts_with("1024 calls of this workspace wait"), "{error}");
        }
    }
    let error = refused(&shop("e"), "get").await;
    assert!(error.message().starts_with("4096 calls in all wait"), "{error}");
    for call in calls {
        call.abort();
    }
    gate.open();
}
