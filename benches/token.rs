//! Auth with a token that is cached after the first time.

use std::time::{Duration, Instant};

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
    time::{Clock, Deadline, SharedClock, SharedRng, StillClock},
};
use callout_transport::{system_clock, system_rng};
use futures_util::FutureExt as _;

/// A token endpoint without a network.
struct Always;

impl HttpService for Always {
    async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
        (exchange.request)(Clock::now(&StillClock::new())).await?;
        let body = Bytes::from_static(br#"{"access_token": "a-token", "token": "a-token", "expires_in": 3600}"#);
        Ok(HttpResponse::new(200, http::HeaderMap::new(), body))
    }
}

/// An integration's auth and what its calls have at hand.
#[derive(Debug)]
pub struct Tokens {
    auth: Auth,
    params: Object,
    http: SharedHttp,
    clock: SharedClock,
    rng: SharedRng,
    cache: TokenCache,
    limits: Limits,
    timeouts: Timeouts,
    now: Instant,
    deadline: Deadline,
}

impl Tokens {
    /// A token exchange that maps so many params into headers.
    ///
    /// # Panics
    ///
    /// If the config is not good.
    pub fn new(params: usize) -> Self {
        let mut config = AuthConfig::new(AuthType::BearerTokenExchange);
        config.exchange_url = Some("https://id.example/token".into());
        config.exchange_param_headers = ["X-User", "X-Tenant"]
            .into_iter()
            .take(params)
            .map(|name| ExchangeHeaderMapping {
                header_name: name.into(),
                param_name: name.to_lowercase(),
                consume: true,
                required: true,
            })
            .collect();
        Self::with(&config, &Secrets::new().with(SecretName::ExchangeSecret, "a-secret"))
    }

    /// An assertion signed with this key, which is the token itself.
    ///
    /// # Panics
    ///
    /// If the key is not good.
    pub fn signing(pem: &str) -> Self {
        let mut config = AuthConfig::new(AuthType::OAuth2JwtBearer);
        config.assertion_issuer = Some("bench@example.test".into());
        Self::with(&config, &Secrets::new().with(SecretName::PrivateKey, pem))
    }

    fn with(config: &AuthConfig, secrets: &Secrets) -> Self {
        let owner = Caller { workspace: "bench".into(), integration: "bench".into() };
        let limits = Limits::default();
        let auth = Auth::compile(config, secrets, &owner, &limits, &mut Faults::new()).expect("the config is good");
        let params = match Json::parse(r#"{"x-user": "alice", "x-tenant": 42, "q": "x"}"#) {
            Ok(Json::Object(params)) => params,
            _ => Object::default(),
        };
        let clock = system_clock();
        // A call knows its deadline and the time before it asks for its header.
        let now = clock.now();
        let deadline = Deadline::from_moment(now, Duration::from_hours(1));
        Self {
            auth,
            params,
            http: SharedHttp::new(Always),
            clock,
            rng: system_rng(),
            cache: TokenCache::default(),
            limits,
            timeouts: Timeouts::default(),
            now,
            deadline,
        }
    }

    /// The header of one attempt, as a call gets it: from the cache, but for the first time. It is
    /// ready at once, and so needs no runtime, which would be most of what is measured.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn hit(&self) {
        self.header(&self.cache);
    }

    /// The same with nothing cached.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn miss(&self) {
        self.header(&TokenCache::default());
    }

    fn header(&self, cache: &TokenCache) {
        let Self { auth, params, http, clock, rng, limits, timeouts, now, deadline, .. } = self;
        let context = AuthContext { http, clock, now: *now, rng, cache, limits, timeouts, deadline: *deadline };
        let params = auth.take_params(params).expect("the params are good");
        auth.header(&params, &context).now_or_never().expect("it is ready").expect("a header");
    }
}
