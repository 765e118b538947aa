//! What a cached token costs, with its key, and what signing an assertion costs.
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::time::Duration;

use bytes::Bytes;
use callout_auth::{Auth, AuthContext, TokenCache};
use callout_core::{
    Error,
    config::{AuthConfig, AuthType, ExchangeHeaderMapping},
    fault::Faults,
    http::{Caller, Exchange, HttpResponse, HttpService, SharedHttp},
    json::{Json, Object},
    limits::{Limits, Timeouts},
    secret::{SecretName, Secrets},
    time::Deadline,
};
use callout_transport::{system_clock, system_rng};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;

/// A token endpoint without a network.
struct Always;

impl HttpService for Always {
    async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
        (exchange.request)(0).await?;
        let body = Bytes::from_static(br#"{"access_token": "a-token", "token": "a-token", "expires_in": 3600}"#);
        Ok(HttpResponse::new(200, http::HeaderMap::new(), body))
    }
}

fn compile(config: &AuthConfig, secrets: &Secrets) -> Auth {
    let owner = Caller { workspace: "bench".into(), integration: "bench".into() };
    Auth::compile(config, secrets, &owner, &Limits::default(), &mut Faults::new()).expect("the config is good")
}

fn exchange(params: bool) -> Auth {
    let mut config = AuthConfig::new(AuthType::BearerTokenExchange);
    config.exchange_url = Some("https://id.example/token".into());
    if params {
        config.exchange_param_headers = ["X-User", "X-Tenant"]
            .map(|name| ExchangeHeaderMapping {
                header_name: name.into(),
                param_name: name.to_lowercase(),
                consume: true,
                required: true,
            })
            .to_vec();
    }
    compile(&config, &Secrets::new().with(SecretName::ExchangeSecret, "a-secret"))
}

fn assertion(pem: &str) -> Auth {
    let mut config = AuthConfig::new(AuthType::OAuth2JwtBearer);
    config.assertion_issuer = Some("bench@example.test".into());
    compile(&config, &Secrets::new().with(SecretName::PrivateKey, pem))
}

fn token(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (http, clock, rng) = (SharedHttp::new(Always), system_clock(), system_rng());
    let (limits, timeouts) = (Limits::default(), Timeouts::default());
    // A call has its deadline before it asks for its header.
    let deadline = Deadline::after(&clock, Duration::from_hours(1));
    let header = |auth: &Auth, params: &Object, cache: &TokenCache| {
        let context = AuthContext {
            http: &http,
            clock: &clock,
            rng: &rng,
            cache,
            limits: &limits,
            timeouts: &timeouts,
            deadline,
        };
        let params = auth.take_params(params).expect("the params are good");
        // A hit is ready at once, and so needs no runtime, which would be most of what is measured.
        match auth.header(&params, &context).now_or_never() {
            Some(header) => header.map(drop),
            None => runtime.block_on(auth.header(&params, &context)).map(drop),
        }
    };
    let params = match Json::parse(r#"{"x-user": "alice", "x-tenant": 42, "q": "x"}"#) {
        Ok(Json::Object(params)) => params,
        _ => Object::default(),
    };
    let mut group = criterion.benchmark_group("token");
    let cache = TokenCache::default();
    for (name, auth) in [("hit", exchange(false)), ("hit, keyed by two params", exchange(true))] {
        group.bench_function(name, |bencher| bencher.iter(|| header(&auth, &params, &cache)));
    }
    let keys = [
        ("miss and sign, RS256 with 2,048 bits", include_str!("../data/rsa-2048.pem")),
        ("miss and sign, ES256", include_str!("../data/p-256.pem")),
    ];
    for (name, pem) in keys {
        let auth = assertion(pem);
        group.bench_function(name, |bencher| bencher.iter(|| header(&auth, &params, &TokenCache::default())));
    }
    group.finish();
}

criterion_group!(benches, token);
criterion_main!(benches);
