//! What engines share, and how much one of them works on at once.

use std::{
    sync::{Arc, Condvar, Mutex},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use bytes::Bytes;
use callout::{
    Clock, EndpointConfig, Engine, Error, Exchange, HttpResponse, HttpService, IntegrationConfig, Json, Secrets,
    StillClock, TokenCache,
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
        Ok(HttpResponse::new(200, http::HeaderMap::new(), Bytes::from(body)))
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
