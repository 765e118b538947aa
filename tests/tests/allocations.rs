//! What may be allocated where calls are frequent: by a cached token, with its key, one time at most; by
//! a call with a small answer, a few times more than by the HTTP client that it uses.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

use std::time::Duration;

use bytes::Bytes;
use callout::{EgressPolicy, EndpointConfig, Engine, IntegrationConfig};
use callout_auth::{Auth, AuthContext, TokenCache};
use callout_core::{
    Error,
    config::{AuthConfig, AuthType, ExchangeHeaderMapping},
    fault::Faults,
    http::{Caller, Exchange, HttpResponse, HttpService, SharedHttp},
    json::Json,
    limits::{Limits, Timeouts},
    secret::{SecretName, Secrets},
    time::{Clock, Deadline, StillClock},
};
use callout_tests::{SeededRng, TestClock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A token endpoint without a network.
struct Always;

impl HttpService for Always {
    async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
        (exchange.request)(Clock::now(&StillClock::new())).await?;
        let body = Bytes::from_static(br#"{"token": "a-token", "expires_in": 3600}"#);
        Ok(HttpResponse::new(200, http::HeaderMap::new(), body))
    }
}

fn exchange(params: &[&str]) -> Auth {
    let mut config = AuthConfig::new(AuthType::BearerTokenExchange);
    config.exchange_url = Some("https://id.example/token".into());
    let mapping = |param: &&str| ExchangeHeaderMapping {
        header_name: format!("X-{param}"),
        param_name: (*param).to_owned(),
        consume: true,
        required: true,
    };
    config.exchange_param_headers = params.iter().map(mapping).collect();
    let secrets = Secrets::new().with(SecretName::ExchangeSecret, "a-secret");
    Auth::compile(&config, &secrets, &Caller::default(), &Limits::default(), &mut Faults::new()).unwrap()
}

#[test]
fn a_cached_token_costs_one_allocation_at_most() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (http, clock, rng) = (SharedHttp::new(Always), TestClock::new().shared(), SeededRng::shared(1));
    let (limits, timeouts, cache) = (Limits::default(), Timeouts::default(), TokenCache::default());
    let params = Json::parse(r#"{"user": "alice", "tenant": 42, "q": "a text that is too long to be stored inline"}"#);
    let params = params.unwrap().as_object().unwrap().clone();
    for (names, most) in [(&[][..], 0), (&["user"][..], 1), (&["user", "tenant", "q"][..], 1)] {
        let auth = exchange(names);
        let hit = || {
            let now = clock.now();
            let deadline = Deadline::from_moment(now, Duration::from_mins(1));
            let context = AuthContext {
                http: &http,
                clock: &clock,
                now,
                rng: &rng,
                cache: &cache,
                limits: &limits,
                timeouts: &timeouts,
                deadline,
            };
            let params = auth.take_params(&params).unwrap();
            drop(runtime.block_on(auth.header(&params, &context)).unwrap());
        };
        // The first fetches, the next lets the cache do its housekeeping.
        hit();
        let misses = cache.stats().misses;
        for _ in 0..100 {
            hit();
        }
        let fewest = (0..100).map(|_| allocation_counter::measure(hit).count_total).min().unwrap();
        assert!(fewest <= most, "{names:?}: {fewest} allocations");
        assert_eq!(cache.stats().misses, misses, "every call after the first is a hit");
    }
}

/// Allocations of a whole call: as many as there are, and a few for what differs between machines. It may
/// fall, and not grow.
const MOST_PER_CALL: u64 = 47;

/// An answer of a kilobyte: two GitHub events.
fn answer() -> Vec<u8> {
    let event = |id: u64| {
        format!(
            r#"{{"id":"{id}","type":"WatchEvent","actor":{{"id":1,"login":"octocat","gravatar_id":"","url":"https://api.github.com/users/octocat","avatar_url":"https://github.com/images/error/octocat_happy.gif"}},"repo":{{"id":3,"name":"octocat/Hello-World","url":"https://api.github.com/repos/octocat/Hello-World"}},"payload":{{"action":"started"}},"public":false,"created_at":"2011-09-06T17:26:27Z","org":{{"id":1,"login":"github","url":"https://api.github.com/orgs/github"}}}}"#
        )
    };
    let body = format!("[{},{}]", event(22_249_084_947), event(22_237_752_260));
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head, body].concat().into_bytes()
}

/// Serves that answer on one connection after the other, on a thread of its own.
fn upstream() -> u16 {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            tell.send(listener.local_addr().unwrap().port()).unwrap();
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (answer, mut read, mut buffer) = (answer(), Vec::new(), [0; 4096]);
                    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                        read.extend_from_slice(&buffer[..length]);
                        if read.ends_with(b"}") {
                            read.clear();
                            stream.write_all(&answer).await.unwrap();
                        }
                    }
                });
            }
        });
    });
    told.recv().unwrap()
}

fn engine_and_integration(port: u16) -> (Engine, callout::Integration) {
    let egress = EgressPolicy::public().allow("127.0.0.1").unwrap();
    let engine = Engine::builder().with_egress(egress).build().unwrap();
    let mut endpoint = EndpointConfig::new("events", "Events", "/events");
    let members = [("id", "id"), ("type", "type"), ("by", "actor.login"), ("repo", "repo.name"), ("at", "created_at")];
    endpoint.response_mapping = Some(members.map(|(name, path)| (name.to_owned(), path.to_owned())).to_vec());
    endpoint.max_result_length = 4_000;
    let mut config = IntegrationConfig::new("calls", format!("http://127.0.0.1:{port}")).with_endpoint(endpoint);
    config.auth = Some(AuthConfig::new(AuthType::BearerToken));
    let secrets = Secrets::new().with(SecretName::BearerToken, "a-token-that-is-as-long-as-one-is");
    let integration = engine.load(config, &secrets).unwrap();
    (engine, integration)
}

/// The fewest of many runs: the others are disturbed by housekeeping, never helped.
fn fewest(work: impl Fn()) -> u64 {
    (0..20).for_each(|_| work());
    (0..200).map(|_| allocation_counter::measure(&work).count_total).min().unwrap()
}

#[test]
fn a_small_call_allocates_less_than_a_bare_request() {
    let port = upstream();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{port}/events");
    let bare = fewest(|| {
        let sent = client.post(&url).bearer_auth("a-token-that-is-as-long-as-one-is");
        let sent = sent.header("content-type", "application/json").body(r#"{"q":"x","page":1}"#).send();
        runtime.block_on(async { sent.await.unwrap().bytes().await.unwrap() });
    });
    let (engine, integration) = engine_and_integration(port);
    let params = Json::parse(r#"{"q":"x","page":1}"#).unwrap();
    let ours = fewest(|| {
        let outcome = runtime.block_on(engine.call(&integration, "events", params.clone())).unwrap();
        assert!(outcome.text().starts_with(r#"[{"id":"22249084947","type":"WatchEvent","by":"octocat""#));
    });
    println!("{ours} allocations in a call, {bare} in a bare request");
    assert!(ours <= MOST_PER_CALL.min(bare), "{ours} allocations in a call, {bare} in a bare request");
}
