//! A token endpoint: requests to it, and what comes back.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use callout_core::{
    Error,
    config::RetryConfig,
    http::{Caller, Exchange, HttpRequest, OWN_USER_AGENT, Redirects, Replay, RequestFactory, SharedHttp, Watch},
    json::Json,
    limits::{Limits, Timeouts},
    redact::Redactor,
    time::{Deadline, SharedClock},
};
use form_urlencoded::Serializer;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, CONTENT_TYPE, USER_AGENT},
};
use url::Url;

use crate::answer::{AnswerRules, Granted};

/// Attempts after the first.
const MAX_RETRIES: u32 = 2;

/// Where tokens come from.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    url: Url,
    answer: AnswerRules,
    retry: RetryConfig,
}

/// One attempt's request, with what it says that no error may show.
pub(crate) struct TokenRequest {
    http: HttpRequest,
    assertion: Option<String>,
}

impl TokenRequest {
    /// With the assertion that stands in its body.
    pub(crate) fn with_assertion(mut self, assertion: String) -> Self {
        self.assertion = Some(assertion);
        self
    }

    /// The headers, to add to.
    pub(crate) fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.http.headers
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http, assertion: _ } = self; // assertion: secret
        f.debug_struct("TokenRequest").field("http", http).finish_non_exhaustive()
    }
}

/// What sending a token request needs.
pub(crate) struct Wire {
    pub(crate) http: SharedHttp,
    pub(crate) clock: SharedClock,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) caller: Caller,
    pub(crate) redactor: Redactor,
}

/// A token with the moment at which its lifetime began.
pub(crate) struct Issued {
    pub(crate) granted: Granted,
    /// When the request was made that it answers: no later than when the endpoint began to count.
    pub(crate) since: Instant,
}

impl TokenEndpoint {
    /// `None` if the URL is none, which the config's check has reported.
    pub(crate) fn new(url: Option<&str>, answer: AnswerRules) -> Option<Self> {
        let retry_on_status = std::iter::once(429).chain(500..600).collect();
        let retry = RetryConfig { max_retries: MAX_RETRIES, retry_on_status };
        Some(Self { url: Url::parse(url?).ok()?, answer, retry })
    }

    /// A POST of a form.
    pub(crate) fn form<'v>(&self, fields: impl IntoIterator<Item = (&'v str, &'v str)>) -> TokenRequest {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(Some("application/x-www-form-urlencoded"), body.into())
    }

    /// A POST of JSON.
    pub(crate) fn json(&self, body: &Json) -> TokenRequest {
        self.post(Some("application/json"), body.to_string().into())
    }

    /// A POST of nothing.
    pub(crate) fn empty(&self) -> TokenRequest {
        self.post(None, Bytes::new())
    }

    fn post(&self, content_type: Option<&'static str>, body: Bytes) -> TokenRequest {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(OWN_USER_AGENT));
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let http = HttpRequest { method: Method::POST, url: self.url.clone(), headers, body };
        TokenRequest { http, assertion: None }
    }

    /// Sends the request, made anew for each attempt, and reads the answer.
    ///
    /// # Errors
    ///
    /// Those of the network with their kind; `auth_failed` if the answer is no token. All say that
    /// it was the token request, and hold none of its secrets, nor its status but in the message: a
    /// call's status is its endpoint's, which has not been asked.
    pub(crate) async fn ask(
        &self,
        request: impl Fn() -> Result<TokenRequest, Error> + Send + Sync,
        wire: &Wire,
    ) -> Result<Issued, Error> {
        let last = Mutex::new(Attempt { since: wire.clock.now(), assertion: None });
        let factory: RequestFactory<'_> = Box::new(|_| {
            let made = request().map(|TokenRequest { http, assertion }| {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Attempt { since: wire.clock.now(), assertion };
                http
            });
            Box::pin(std::future::ready(made))
        });
        let exchange = Exchange {
            request: factory,
            retry: &self.retry,
            replay: Replay::Safe,
            redirects: Redirects::Refuse,
            max_response_bytes: wire.limits.max_token_response_bytes,
            attempt_timeout: wire.timeouts.attempt,
            deadline: Deadline::after(&wire.clock, wire.timeouts.call),
            caller: &wire.caller,
            watch: Watch { path_template: self.url.path(), observer: None },
        };
        let sent = wire.http.send(exchange).await.map_err(status_told);
        let Attempt { since, assertion } = last.into_inner().unwrap_or_else(PoisonError::into_inner);
        // An assertion lives for minutes: an answer that repeats it must not bring it into an error.
        let redactor = wire.redactor.and(&Redactor::new(assertion.as_deref()));
        let read = sent.and_then(|response| {
            let read = self.answer.read(&response, &wire.caller.integration, &wire.limits, &redactor);
            read.map_err(|error| error.with_retries(response.retries))
        });
        read.map(|granted| Issued { granted, since }).map_err(|error| {
            error.map_message(|message| {
                redactor.text(&format!("token request to {}: {message}", self.shown())).into_owned()
            })
        })
    }

    /// Scheme, host, port and path: a query may hold a key.
    fn shown(&self) -> String {
        format!("{}{}", self.url.origin().ascii_serialization(), self.url.path())
    }
}

/// A status that came with a fault of the network, moved into its message.
fn status_told(error: Error) -> Error {
    let Some(status) = error.status() else { return error };
    let is_told = error.message().contains(&format!("answered {status}"));
    let error = error.without_status();
    if is_told { error } else { error.map_message(|message| format!("{message}; it had answered {status}")) }
}

/// The last attempt made.
struct Attempt {
    since: Instant,
    assertion: Option<String>,
}
