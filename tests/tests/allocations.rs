//! What may be allocated where calls are frequent: a cached token, with its key, costs one
//! allocation at most.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

use std::time::Duration;

use bytes::Bytes;
use callout_auth::{Auth, AuthContext, TokenCache};
use callout_core::{
    Error,
    config::{AuthConfig, AuthType, ExchangeHeaderMapping},
    fault::Faults,
    http::{Caller, Exchange, HttpResponse, HttpService, SharedHttp},
    json::Json,
    limits::{Limits, Timeouts},
    secret::{SecretName, Secrets},
    time::Deadline,
};
use callout_tests::{SeededRng, TestClock};

/// A token endpoint without a network.
struct Always;

impl HttpService for Always {
    async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
        (exchange.request)(0).await?;
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
            let deadline = Deadline::after(&clock, Duration::from_mins(1));
            let context = AuthContext {
                http: &http,
                clock: &clock,
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
