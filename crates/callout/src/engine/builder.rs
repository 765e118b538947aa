//! Makes an engine.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use callout_auth::TokenCache;
use callout_core::{
    Error,
    http::{HttpService, SharedHttp},
    limits::{Limits, Timeouts},
    time::{SharedClock, SharedRng},
};
use callout_transport::{
    EgressPolicy, Resolver, RetryPolicy, Transport, TransportBuilder, Workers, system_clock, system_rng,
};

use super::{Engine, Parts};
use crate::{Approval, Observer, observer::SharedObserver};

/// Makes an [`Engine`].
#[derive(Debug)]
pub struct EngineBuilder {
    transport: TransportBuilder,
    http: Option<SharedHttp>,
    around: Vec<Around>,
    clock: SharedClock,
    rng: SharedRng,
    tokens: TokenCache,
    limits: Limits,
    timeouts: Timeouts,
    workers: Workers,
    observer: Option<SharedObserver>,
    approval: Option<Approval>,
    lenient_params: bool,
    idempotency_keys: bool,
}

/// Puts a network around another.
struct Around(Box<dyn FnOnce(SharedHttp) -> SharedHttp + Send + Sync>);

impl fmt::Debug for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around").finish_non_exhaustive()
    }
}

impl Default for EngineBuilder {
    fn default() -> Self {
        Self {
            transport: Transport::builder(),
            http: None,
            around: Vec::new(),
            clock: system_clock(),
            rng: system_rng(),
            tokens: TokenCache::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            workers: Workers::default(),
            observer: None,
            approval: None,
            lenient_params: false,
            idempotency_keys: false,
        }
    }
}

impl EngineBuilder {
    /// Which addresses may be called. Default: [`EgressPolicy::public`].
    #[must_use]
    pub fn with_egress(mut self, egress: EgressPolicy) -> Self {
        self.transport = self.transport.with_egress(egress);
        self
    }

    /// The bounds on configs, params and answers.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long calls may take, unless a call says otherwise. `connect` holds for all of them.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How long to wait between attempts, and how many retries an upstream that is down may cost.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.transport = self.transport.with_retry_policy(policy);
        self
    }

    /// Trusts the certificates in this PEM file's content besides the platform's: a private CA. On Linux and the BSDs
    /// the platform's are those that `SSL_CERT_FILE` and `SSL_CERT_DIR` lead to, where the environment has either.
    #[must_use]
    pub fn with_root_certificate_pem(mut self, pem: &[u8]) -> Self {
        self.transport = self.transport.with_root_certificate_pem(pem);
        self
    }

    /// Presents this certificate and key (PEM, both in one) to upstreams that ask: mTLS.
    #[must_use]
    pub fn with_client_identity_pem(mut self, pem: &[u8]) -> Self {
        self.transport = self.transport.with_client_identity_pem(pem);
        self
    }

    /// Sends everything through this proxy. The environment's proxy variables are never read.
    #[must_use]
    pub fn with_proxy(mut self, url: &str) -> Self {
        self.transport = self.transport.with_proxy(url);
        self
    }

    /// Another way to look host names up. Default: the system's.
    #[must_use]
    pub fn with_resolver(mut self, resolver: impl Resolver) -> Self {
        self.transport = self.transport.with_resolver(resolver);
        self
    }

    /// A token cache shared with other engines. Default: one of its own.
    #[must_use]
    pub fn with_token_cache(mut self, tokens: TokenCache) -> Self {
        self.tokens = tokens;
        self
    }

    /// How many calls' params and answers are worked on at once that take long, on the threads that the
    /// runtime has for blocking work; workspaces take turns. Default: one less than the machine has cores,
    /// one at least. What takes some microseconds is done where the call is polled.
    #[must_use]
    pub fn with_workers(mut self, most: usize) -> Self {
        self.workers = Workers::new(most);
        self
    }

    /// Another network in place of the transport: a replay, a test. The egress policy, TLS and
    /// retry settings of this builder do not reach it; [`HttpService`] says what it has to keep to.
    #[must_use]
    pub fn with_http(mut self, http: impl HttpService) -> Self {
        self.http = Some(SharedHttp::new(http));
        self
    }

    /// A network around the engine's own, which it is given: to record, to count, to refuse. What it hands on is sent
    /// under all that this builder sets. Each exchange goes through it once, however many attempts it makes, and token
    /// calls do too; the requests that it can see hold secrets. Of several the last stands outermost.
    ///
    /// ```
    /// use callout::{Engine, Error, Exchange, HttpResponse, HttpService, SharedHttp};
    ///
    /// /// Says what comes of each exchange.
    /// struct Log(SharedHttp);
    ///
    /// impl HttpService for Log {
    ///     async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
    ///         let caller = exchange.caller;
    ///         let answer = self.0.send(exchange).await;
    ///         println!("{}: {:?}", caller.integration, answer.as_ref().map(|answer| answer.status));
    ///         answer
    ///     }
    /// }
    ///
    /// let engine = Engine::builder().with_http_around(Log).build()?;
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn with_http_around<S: HttpService>(
        mut self,
        around: impl FnOnce(SharedHttp) -> S + Send + Sync + 'static,
    ) -> Self {
        self.around.push(Around(Box::new(|inner| SharedHttp::new(around(inner)))));
        self
    }

    /// Tells this observer of every event of every call. Default: nobody.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(SharedObserver::new(observer));
        self
    }

    /// Holds calls until they are approved, as this policy says. Default: none is held.
    ///
    /// A call is held after it was checked and before anything of it is sent, a token call included.
    /// Its deadline begins when it is approved: people take longer than upstreams.
    #[must_use]
    pub fn with_approval(mut self, approval: Approval) -> Self {
        self.approval = Some(approval);
        self
    }

    /// Converts params that are strings to the numbers and booleans that the input schema asks for,
    /// where the text is one (`"5"`, `"1.50"`, `"true"`) and a string would be refused: models write
    /// such. Params that fit as they are given are left alone, and if others do not fit when they are
    /// converted either, what is wrong is told of them as they were given.
    /// [`Outcome::conversions`](crate::Outcome::conversions) tells what was converted. Default: off.
    ///
    /// Numbers such as `5.0`, which JSON Schema takes as integers, are written as such (`5`) where the
    /// schema asks for one and takes no other number: hosts whose numbers are all floats write such.
    ///
    /// Params beyond [`Limits::max_params_bytes`] are refused before any is converted. For the params of
    /// one call subschemas are looked at a million times at most. What comes after, in the order of the
    /// params, stays as it was given, so that the call ends as `invalid_params` if it does not fit.
    #[must_use]
    pub fn with_lenient_params(mut self, lenient: bool) -> Self {
        self.lenient_params = lenient;
        self
    }

    /// Sends a header `Idempotency-Key` with each POST, PUT, PATCH and DELETE: one random UUID per
    /// call, the same on every attempt and on the resend with a new token. A configured header of
    /// that name wins. What is sent again and what not stays as it is. Default: off.
    #[must_use]
    pub fn with_idempotency_keys(mut self, keys: bool) -> Self {
        self.idempotency_keys = keys;
        self
    }

    /// Another clock, for tests: a [`Clock`](crate::Clock), or a [`SharedClock`] that other parts of the program
    /// have too. Default: [`system_clock`].
    ///
    /// ```
    /// use callout::{Engine, SharedClock, StillClock};
    ///
    /// let clock = SharedClock::new(StillClock::new());
    /// let engine = Engine::builder().with_clock(clock.clone()).build()?;
    /// # Ok::<(), callout::Error>(())
    /// ```
    #[must_use]
    pub fn with_clock(mut self, clock: impl Into<SharedClock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Another source of chance, for tests: an [`Rng`](crate::Rng), or a [`SharedRng`] that other parts of the
    /// program have too. Default: [`system_rng`].
    #[must_use]
    pub fn with_rng(mut self, rng: impl Into<SharedRng>) -> Self {
        self.rng = rng.into();
        self
    }

    /// The engine.
    ///
    /// # Errors
    ///
    /// `invalid_config`, if a certificate, an identity or the proxy's URL cannot be used.
    pub fn build(self) -> Result<Engine, Error> {
        let Self {
            transport,
            http,
            around,
            clock,
            rng,
            tokens,
            limits,
            timeouts,
            workers,
            observer,
            approval,
            lenient_params,
            idempotency_keys,
        } = self;
        let http = match http {
            Some(http) => http,
            None => SharedHttp::new(
                transport
                    .with_limits(limits.clone())
                    .with_timeouts(timeouts)
                    .with_clock(clock.clone())
                    .with_rng(rng.clone())
                    .build()?,
            ),
        };
        let http = around.into_iter().fold(http, |inner, Around(put)| put(inner));
        Ok(Engine(Arc::new(Parts {
            http,
            clock,
            rng,
            tokens,
            limits,
            timeouts,
            workers,
            observer,
            approval,
            lenient_params,
            idempotency_keys,
            calls: AtomicU64::new(0),
        })))
    }
}
