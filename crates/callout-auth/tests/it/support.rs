//! A scripted network, a clock that stands still until it is moved, and dice that count.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use callout_auth::{Auth, AuthContext, AuthHeader, AuthParams, TokenCache, TokenInfo};
use callout_core::{
    Error,
    config::{AuthConfig, AuthType, ExchangeHeaderMapping},
    fault::Faults,
    http::{BoxFuture, Caller, Exchange, HttpRequest, HttpResponse, HttpService, SharedHttp},
    json::Json,
    limits::{Limits, Timeouts},
    secret::{SecretName, Secrets},
    time::{Clock, Deadline, Rng, SharedClock, SharedRng, StillClock},
};
use http::HeaderMap;
use tokio::sync::watch;

type Script = dyn Fn(usize) -> BoxFuture<'static, Result<HttpResponse, Error>> + Send + Sync;

/// Answers each request by its number, from 0, and keeps what was sent. It retries on the statuses
/// that the exchange lists, as a transport does, but does not wait in between.
#[derive(Clone)]
pub(crate) struct Network {
    script: Arc<Script>,
    sent: Arc<Mutex<Vec<HttpRequest>>>,
}

impl Network {
    pub(crate) fn new<F>(script: impl Fn(usize) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<HttpResponse, Error>> + Send + 'static,
    {
        Self { script: Arc::new(move |number| Box::pin(script(number))), sent: Arc::default() }
    }

    /// Answers `200` with that JSON, always.
    pub(crate) fn answering(body: &str) -> Self {
        Self::with_status(200, body)
    }

    pub(crate) fn with_status(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::new(move |_| std::future::ready(Ok(response(status, &body))))
    }

    pub(crate) fn sent(&self) -> Vec<HttpRequest> {
        self.sent.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

impl HttpService for Network {
    async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
        for attempt in 0.. {
            let request = (exchange.request)(Clock::now(&StillClock::new())).await?;
            let number = {
                let mut sent = self.sent.lock().unwrap();
                sent.push(request);
                sent.len() - 1
            };
            let mut answer = (self.script)(number).await?;
            if attempt == exchange.retry.max_retries || !exchange.retry.retry_on_status.contains(&answer.status) {
                answer.retries = attempt;
                return Ok(answer);
            }
        }
        unreachable!("an attempt is the last one")
    }
}

pub(crate) fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status, HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes()))
}

/// `{"access_token": "token-<n>", "expires_in": …}`
pub(crate) fn numbered(number: usize, expires_in: u64) -> HttpResponse {
    response(
        200,
        &format!(r#"{{"access_token":"token-{number:06}","token":"token-{number:06}","expires_in":{expires_in}}}"#),
    )
}

/// Stands at the same moment until it is told to advance.
#[derive(Clone)]
pub(crate) struct TestClock {
    start: Instant,
    passed: watch::Sender<Duration>,
}

/// What the wall clock says when a test clock starts: 2026-01-01.
pub(crate) const START_UNIX: u64 = 1_767_225_600;

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "any moment will do to start from")]
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), passed: watch::Sender::new(Duration::ZERO) }
    }

    pub(crate) fn advance(&self, step: Duration) {
        self.passed.send_modify(|passed| *passed += step);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.start + *self.passed.borrow()
    }

    fn unix(&self) -> Duration {
        Duration::from_secs(START_UNIX) + *self.passed.borrow()
    }

    async fn sleep(&self, pause: Duration) {
        self.advance(pause);
    }

    async fn until(&self, moment: Instant) {
        let mut passed = self.passed.subscribe();
        let _ = passed.wait_for(|passed| self.start + *passed >= moment).await;
    }
}

/// Lets other tasks run until it is so; fails if that does not come.
pub(crate) async fn when(mut is_so: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if is_so() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("waited in vain");
}

/// What the task came to; fails if it does not end.
pub(crate) async fn joined<T>(task: tokio::task::JoinHandle<T>) -> T {
    in_time(task).await.unwrap()
}

/// What it came to; fails if it does not end.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.unwrap()
}

/// A runtime for a test that does more than wait.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// Fills every buffer with the next number.
#[derive(Default)]
pub(crate) struct Dice(Mutex<u8>);

impl Rng for Dice {
    fn fill(&self, buffer: &mut [u8]) {
        let mut next = self.0.lock().unwrap();
        *next = next.wrapping_add(1);
        buffer.fill(*next);
    }
}

/// Everything that a context borrows.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) http: SharedHttp,
    pub(crate) clock: TestClock,
    shared_clock: SharedClock,
    rng: SharedRng,
    pub(crate) cache: TokenCache,
    pub(crate) limits: Limits,
    timeouts: Timeouts,
}

impl World {
    pub(crate) fn new(network: &Network) -> Self {
        Self::with_cache(network, TokenCache::default())
    }

    pub(crate) fn with_cache(network: &Network, cache: TokenCache) -> Self {
        let clock = TestClock::new();
        Self {
            http: SharedHttp::new(network.clone()),
            shared_clock: SharedClock::new(clock.clone()),
            clock,
            rng: SharedRng::new(Dice::default()),
            cache,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// With a deadline in 60 s.
    pub(crate) fn context(&self) -> AuthContext<'_> {
        self.context_until(Duration::from_mins(1))
    }

    pub(crate) fn context_until(&self, length: Duration) -> AuthContext<'_> {
        AuthContext {
            http: &self.http,
            clock: &self.shared_clock,
            now: self.shared_clock.now(),
            rng: &self.rng,
            cache: &self.cache,
            limits: &self.limits,
            timeouts: &self.timeouts,
            deadline: Deadline::after(&self.shared_clock, length),
        }
    }

    pub(crate) async fn header(&self, auth: &Auth) -> Result<AuthHeader, Error> {
        in_time(auth.header(&no_params(auth), &self.context())).await
    }

    /// The header's value as text.
    pub(crate) async fn value(&self, auth: &Auth) -> Result<String, Error> {
        self.header(auth).await.map(|header| text(&header))
    }

    pub(crate) async fn token(&self, auth: &Auth) -> Result<TokenInfo, Error> {
        auth.token(&no_params(auth), &self.context()).await
    }
}

pub(crate) fn text(header: &AuthHeader) -> String {
    String::from_utf8(header.value().as_bytes().to_vec()).unwrap()
}

pub(crate) fn params(auth: &Auth, params: &str) -> Result<AuthParams, Error> {
    auth.take_params(Json::parse(params).unwrap().as_object().unwrap())
}

pub(crate) fn no_params(auth: &Auth) -> AuthParams {
    params(auth, "{}").unwrap()
}

/// Compiles as workspace `w`, integration `shop`.
pub(crate) fn compile(config: &AuthConfig, secrets: &Secrets) -> Result<Auth, Vec<String>> {
    compile_as("w", "shop", config, secrets)
}

pub(crate) fn compile_as(
    workspace: &str,
    integration: &str,
    config: &AuthConfig,
    secrets: &Secrets,
) -> Result<Auth, Vec<String>> {
    let owner = Caller { workspace: workspace.into(), integration: integration.into() };
    let mut faults = Faults::new();
    let auth = faults.field("auth", |faults| Auth::compile(config, secrets, &owner, &Limits::default(), faults));
    match auth {
        Some(auth) if faults.is_empty() => Ok(auth),
        _ => Err(faults.iter().map(ToString::to_string).collect()),
    }
}

pub(crate) const CLIENT_SECRET: &str = "canary-client-secret";
pub(crate) const EXCHANGE_SECRET: &str = "canary-exchange-secret";

pub(crate) fn client_secret() -> Secrets {
    Secrets::new().with(SecretName::ClientSecret, CLIENT_SECRET)
}

pub(crate) fn client_credentials() -> AuthConfig {
    AuthConfig {
        token_url: Some("https://id.example/token".to_owned()),
        client_id: Some("client".to_owned()),
        ..AuthConfig::new(AuthType::OAuth2ClientCredentials)
    }
}

/// Client credentials, compiled.
pub(crate) fn client() -> Auth {
    compile(&client_credentials(), &client_secret()).unwrap()
}

/// A `bearer_token_exchange` with these (header, param, consume, required).
pub(crate) fn exchange(headers: &[(&str, &str, bool, bool)]) -> AuthConfig {
    let mappings = headers.iter().map(|(header_name, param_name, consume, required)| ExchangeHeaderMapping {
        header_name: (*header_name).to_owned(),
        param_name: (*param_name).to_owned(),
        consume: *consume,
        required: *required,
    });
    AuthConfig {
        exchange_url: Some("https://id.example/exchange".to_owned()),
        exchange_param_headers: mappings.collect(),
        ..AuthConfig::new(AuthType::BearerTokenExchange)
    }
}

pub(crate) fn exchange_secret() -> Secrets {
    Secrets::new().with(SecretName::ExchangeSecret, EXCHANGE_SECRET)
}

/// A key from `tests/keys`.
pub(crate) fn key(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub(crate) fn private_key(name: &str) -> Secrets {
    Secrets::new().with(SecretName::PrivateKey, key(name))
}

/// A JWT bearer config with an issuer and a token URL.
pub(crate) fn jwt_bearer() -> AuthConfig {
    AuthConfig {
        token_url: Some("https://id.example/token".to_owned()),
        assertion_issuer: Some("issuer".to_owned()),
        ..AuthConfig::new(AuthType::OAuth2JwtBearer)
    }
}

/// The fields of a form body.
pub(crate) fn form(request: &HttpRequest) -> HashMap<String, String> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}
