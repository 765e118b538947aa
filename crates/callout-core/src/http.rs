//! The network seam: what a strategy or the engine asks for, who sends it, and what holds for all that is sent.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use url::Url;

use crate::{Error, config::RetryConfig, time::Deadline};

/// The `User-Agent` of requests whose config sets none, and of token requests: `callout/` and the version.
pub const OWN_USER_AGENT: &str = concat!("callout/", env!("CARGO_PKG_VERSION"));

/// How long a URL may be, in bytes. More cannot be sent, and few servers take a tenth of it.
pub const MAX_URL_BYTES: usize = 65_534;

/// Leaves what RFC 3986 section 2.3 calls unreserved as it is, every other byte being escaped, as RFC 6570 expands
/// values: nothing in a value can end the segment, the pair or the query that it stands in.
pub const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One request as it goes out: complete, auth included.
///
/// `Debug` shows method, origin and header names: values, query and body can hold secrets.
#[derive(Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The whole URL, query included.
    pub url: Url,
    /// The headers; secret values are marked sensitive.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, url, headers, body } = self;
        f.debug_struct("HttpRequest")
            .field("method", method)
            .field("origin", &url.origin().ascii_serialization())
            .field("header_names", &headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &body.len())
            .finish_non_exhaustive()
    }
}

/// An answer, read to its end under the limits and decompressed.
///
/// `Debug` shows the status and the size only.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body after content decoding; the same bytes for every charset.
    pub body: Bytes,
    /// How many attempts were made after the first. One that was sent again at once, for its connection had been
    /// closed, is not counted.
    pub retries: u32,
    /// What the answer's `Retry-After` asks for, if it has a usable one.
    pub retry_after: Option<Duration>,
    /// Whether this is what a redirect led to by GET, and what was asked for has been carried out before that and
    /// must not be twice: sending the request again would. `false` where it may be ([`Replay::Safe`]).
    pub carried_out: bool,
    /// Whether nothing but the connection's end told where the body ends (RFC 9112 section 6.3), so that it may have
    /// been cut without a word.
    pub is_open_ended: bool,
}

impl HttpResponse {
    /// An answer at the first attempt.
    pub fn new(status: u16, headers: HeaderMap, body: Bytes) -> Self {
        Self { status, headers, body, retries: 0, retry_after: None, carried_out: false, is_open_ended: false }
    }

    /// Whether the status tells of a passing state, so that the same request may succeed later: 408, 425, 429, 500, 502
    /// to 504, those by which CDNs say that the server behind them is away or overloaded (520 to 530), and any from 400
    /// up that comes with a `Retry-After`, as GitHub's 403 for too many requests does.
    pub fn may_pass(&self) -> bool {
        let is_passing = matches!(self.status, 408 | 425 | 429 | 500 | 502..=504 | 520..=530);
        is_passing || (self.status >= 400 && self.retry_after.is_some())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers: _, body, retries, retry_after, carried_out, is_open_ended } = self;
        f.debug_struct("HttpResponse")
            .field("status", status)
            .field("body_bytes", &body.len())
            .field("retries", retries)
            .field("retry_after", retry_after)
            .field("carried_out", carried_out)
            .field("is_open_ended", is_open_ended)
            .finish_non_exhaustive()
    }
}

/// A future in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes the request of each attempt, so that auth is applied anew and an assertion gets its own
/// `jti`. It is given the time: what is fresh then may be used.
pub type RequestFactory<'a> = Box<dyn Fn(Instant) -> BoxFuture<'a, Result<HttpRequest, Error>> + Send + Sync + 'a>;

/// Whether a request may be sent again when its first sending may have reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It may: GET, PUT, DELETE (RFC 9110 section 9.2.2), and token requests.
    Safe,
    /// It may not, except on a status that the config lists: POST, PATCH.
    OnlyUnsent,
}

/// What becomes of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// It is refused: token requests.
    Refuse,
    /// It is followed within the origin, at most five times in one attempt: everything else.
    SameOrigin,
}

/// Whose call it is: retry budgets are kept per caller and host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The workspace; empty where there is none.
    pub workspace: Arc<str>,
    /// The integration.
    pub integration: Arc<str>,
}

/// Who is told of an exchange's attempts as they happen. It decides nothing.
pub trait ExchangeObserver: Send + Sync {
    /// An attempt begins; counted from 0 within the exchange. One that is sent again at once, for its connection had
    /// been closed, keeps its number.
    fn attempt(&self, number: u32, request: &HttpRequest);

    /// An attempt ended in a way that is tried again, once that wait is over.
    fn retrying(&self, after: Duration, why: RetryReason);
}

/// Why an attempt is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryReason {
    /// A status that the config lists.
    Status(u16),
    /// No connection could be made.
    Connect,
    /// The connection broke, or the server says that it has not processed the request.
    Interrupted,
    /// The attempt ran out of its own time.
    Timeout,
}

/// How an exchange is told apart in spans and events, and who is told of it. The default is nobody.
#[derive(Clone, Copy, Default)]
pub struct Watch<'a> {
    /// The path as it is configured, without its query: it holds no param. Empty if there is none.
    pub path_template: &'a str,
    /// Who is told.
    pub observer: Option<&'a dyn ExchangeObserver>,
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path_template, observer } = self;
        f.debug_struct("Watch")
            .field("path_template", path_template)
            .field("observer", &observer.is_some())
            .finish_non_exhaustive()
    }
}

/// One HTTP exchange: the attempts and everything that decides about them.
pub struct Exchange<'a> {
    /// Makes each attempt's request.
    pub request: RequestFactory<'a>,
    /// How often and on which statuses to try again.
    pub retry: &'a RetryConfig,
    /// Whether a sent request may be sent again.
    pub replay: Replay,
    /// What becomes of a redirect.
    pub redirects: Redirects,
    /// The bound on the decompressed body.
    pub max_response_bytes: usize,
    /// The bound on one attempt.
    pub attempt_timeout: Duration,
    /// When everything must have ended, waits included.
    pub deadline: Deadline,
    /// Whose call it is.
    pub caller: &'a Caller,
    /// Who is told of the attempts.
    pub watch: Watch<'a>,
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("retry", self.retry)
            .field("replay", &self.replay)
            .field("redirects", &self.redirects)
            .field("max_response_bytes", &self.max_response_bytes)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("deadline", &self.deadline)
            .field("caller", self.caller)
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

/// Sends exchanges. Implemented by the transport; a host or a test may put its own in its place.
pub trait HttpService: Send + Sync + 'static {
    /// Runs the whole exchange: attempts, waits, redirects, the body.
    ///
    /// The answer is the last attempt's, whatever its status.
    ///
    /// # Errors
    ///
    /// Kinds `egress_denied`, `connect`, `timeout`, `interrupted`, `redirect_refused`,
    /// `response_too_large`, `limit_exceeded`, or what the request factory returned. The error
    /// carries the number of retries.
    fn send<'a>(&'a self, exchange: Exchange<'a>) -> impl Future<Output = Result<HttpResponse, Error>> + Send + 'a;
}

trait DynHttpService: Send + Sync {
    fn send<'a>(&'a self, exchange: Exchange<'a>) -> BoxFuture<'a, Result<HttpResponse, Error>>;
}

impl<S: HttpService> DynHttpService for S {
    fn send<'a>(&'a self, exchange: Exchange<'a>) -> BoxFuture<'a, Result<HttpResponse, Error>> {
        Box::pin(HttpService::send(self, exchange))
    }
}

/// An [`HttpService`] that many parts hold.
#[derive(Clone)]
pub struct SharedHttp(Arc<dyn DynHttpService>);

impl SharedHttp {
    /// Shares a service.
    pub fn new(service: impl HttpService) -> Self {
        Self(Arc::new(service))
    }

    /// See [`HttpService::send`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
        self.0.send(exchange).await
    }
}

impl fmt::Debug for SharedHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedHttp").finish_non_exhaustive()
    }
}
