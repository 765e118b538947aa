//! A short way to send one exchange through a transport.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytes::Bytes;
use callout_core::{
    Error,
    config::RetryConfig,
    http::{Caller, Exchange, HttpRequest, HttpResponse, HttpService, Redirects, Replay, Watch},
    time::{Deadline, SharedClock},
};
use callout_transport::{Transport, system_clock};

/// One request and how it is sent. Every field may be changed; [`Sender::send`] may be called again.
#[derive(Debug)]
pub struct Sender {
    /// What is sent.
    pub request: HttpRequest,
    /// Default: 2 retries on 429, 502, 503 and 504.
    pub retry: RetryConfig,
    /// Default: by the method.
    pub replay: Replay,
    /// Default: followed within the origin.
    pub redirects: Redirects,
    /// Default: 1 MiB.
    pub max_response_bytes: usize,
    /// Default: 10 s.
    pub attempt_timeout: Duration,
    /// Default: 20 s.
    pub call_timeout: Duration,
    /// Whose call it is.
    pub caller: Caller,
    /// The clock of the deadline; the transport's.
    pub clock: SharedClock,
    /// How many attempts were begun.
    pub attempts: AtomicU32,
}

impl Sender {
    /// With every default; POST, PUT and PATCH carry `{}`.
    pub fn new(method: &str, url: impl AsRef<str>) -> Self {
        let body = if matches!(method, "POST" | "PUT" | "PATCH") { "{}" } else { "" };
        Self {
            request: HttpRequest {
                method: method.parse().unwrap(),
                url: url.as_ref().parse().unwrap(),
                headers: http::HeaderMap::new(),
                body: Bytes::from_static(body.as_bytes()),
            },
            retry: RetryConfig::default(),
            replay: if matches!(method, "POST" | "PATCH") { Replay::OnlyUnsent } else { Replay::Safe },
            redirects: Redirects::SameOrigin,
            max_response_bytes: 1 << 20,
            attempt_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(20),
            caller: Caller { workspace: "acme".into(), integration: "crm".into() },
            clock: system_clock(),
            attempts: AtomicU32::new(0),
        }
    }

    /// `GET`
    pub fn get(url: impl AsRef<str>) -> Self {
        Self::new("GET", url)
    }

    /// `POST`
    pub fn post(url: impl AsRef<str>) -> Self {
        Self::new("POST", url)
    }

    /// With that header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers.append(name, value.parse().unwrap());
        self
    }

    /// With that body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.request.body = body.into();
        self
    }

    /// With that many retries.
    #[must_use]
    pub fn retries(mut self, max_retries: u32) -> Self {
        self.retry.max_retries = max_retries;
        self
    }

    /// With that bound on the body.
    #[must_use]
    pub fn most(mut self, max_response_bytes: usize) -> Self {
        self.max_response_bytes = max_response_bytes;
        self
    }

    /// With these bounds on attempt and call.
    #[must_use]
    pub fn timeouts(mut self, attempt: Duration, call: Duration) -> Self {
        (self.attempt_timeout, self.call_timeout) = (attempt, call);
        self
    }

    /// With that clock.
    #[must_use]
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// For that workspace.
    #[must_use]
    pub fn workspace(mut self, workspace: &str) -> Self {
        self.caller.workspace = workspace.into();
        self
    }

    /// Sends it. The header `x-attempt` counts the attempts, as auth that is applied to each would.
    ///
    /// # Errors
    ///
    /// The transport's.
    pub async fn send(&self, transport: &Transport) -> Result<HttpResponse, Error> {
        let exchange = Exchange {
            request: Box::new(|_| {
                let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
                let mut request = self.request.clone();
                request.headers.insert("x-attempt", attempt.into());
                Box::pin(async move { Ok(request) })
            }),
            retry: &self.retry,
            replay: self.replay,
            redirects: self.redirects,
            max_response_bytes: self.max_response_bytes,
            attempt_timeout: self.attempt_timeout,
            deadline: Deadline::after(&self.clock, self.call_timeout),
            caller: &self.caller,
            watch: Watch::default(),
        };
        transport.send(exchange).await
    }
}
