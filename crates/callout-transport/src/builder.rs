//! Makes a [`Transport`].

use callout_core::{
    Error, ErrorKind,
    limits::{Limits, Timeouts},
    time::{SharedClock, SharedRng},
};

use crate::{
    EgressPolicy, Resolver, RetryPolicy, Transport,
    client::{Client, ClientConfig},
    resolver::SharedResolver,
    system_clock, system_rng,
};

/// Makes a [`Transport`]; needs no runtime. `Debug` shows neither key nor proxy.
#[derive(Clone, Debug)]
#[must_use]
pub struct TransportBuilder {
    client: ClientConfig,
    limits: Limits,
    timeouts: Timeouts,
    retry: RetryPolicy,
    clock: SharedClock,
    rng: SharedRng,
}

impl Default for TransportBuilder {
    fn default() -> Self {
        Self {
            client: ClientConfig {
                egress: EgressPolicy::public(),
                resolver: None,
                roots: Vec::new(),
                identity: None,
                proxy: None,
            },
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            clock: system_clock(),
            rng: system_rng(),
        }
    }
}

impl TransportBuilder {
    /// Which addresses may be called. Default: public ones.
    pub fn with_egress(mut self, egress: EgressPolicy) -> Self {
        self.client.egress = egress;
        self
    }

    /// Bounds: `max_header_bytes` and `max_calls_per_upstream` are kept here. The bound on a body
    /// comes with each exchange.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Timeouts: `connect` is kept here. Those on attempt and call come with each exchange.
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Waits and budgets of retries.
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The clock of waits and deadlines. Default: the system's.
    pub fn with_clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// The dice of the waits' jitter. Default: the system's.
    pub fn with_rng(mut self, rng: SharedRng) -> Self {
        self.rng = rng;
        self
    }

    /// The look-up of host names. Default: the system's.
    pub fn with_resolver(mut self, resolver: impl Resolver) -> Self {
        self.client.resolver = Some(SharedResolver::new(resolver));
        self
    }

    /// Trusts the certificates of this PEM text besides the platform's (on Android, in place of them): a
    /// private CA. May be called more than once.
    pub fn with_root_certificate_pem(mut self, pem: &[u8]) -> Self {
        self.client.roots.push(pem.to_vec());
        self
    }

    /// Shows this certificate to upstreams that ask for one (mTLS): PEM with the certificate, its
    /// chain, and its private key (PKCS#8, PKCS#1 or SEC1).
    pub fn with_client_identity_pem(mut self, pem: &[u8]) -> Self {
        self.client.identity = Some(pem.to_vec());
        self
    }

    /// Sends everything through this HTTP proxy (`http://user:password@proxy.internal:3128`). The
    /// environment's proxy variables are never read.
    ///
    /// The proxy may be anywhere. Host names are then looked up by the proxy: the egress policy
    /// still judges addresses that stand in a URL, but what a name leads to is the proxy's to decide.
    pub fn with_proxy(mut self, url: &str) -> Self {
        self.client.proxy = Some(url.to_owned());
        self
    }

    /// The transport.
    ///
    /// # Errors
    ///
    /// `invalid_config`: a certificate, the identity, the proxy's URL or the retry policy cannot be used.
    pub fn build(self) -> Result<Transport, Error> {
        let Self { client, limits, timeouts, retry, clock, rng } = self;
        if !(0.0..=1.0).contains(&retry.gain) {
            let message = format!("retry policy: `gain` must be 0 to 1 retries per call, not {}", retry.gain);
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        let client = Client::new(client, &limits, &timeouts)?;
        Ok(Transport::new(client, &limits, retry, clock, rng))
    }
}
