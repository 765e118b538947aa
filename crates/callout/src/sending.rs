//! A request on its way: its attempts, each with the auth header of that moment, and what they have carried.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use callout_auth::{Auth, AuthHeader, AuthParams};
use callout_core::{
    Error,
    config::RetryConfig,
    http::{Exchange, ExchangeObserver, HttpRequest, HttpResponse, Redirects, Replay, RequestFactory, Watch},
    json::Object,
    redact::Redactor,
    time::Deadline,
};
use http::HeaderValue;

use crate::{
    call::Call,
    challenge::says_invalid_token,
    idempotency,
    integration::Endpoint,
    observer::{Event, Watched},
    outcome::SentRequest,
};

const UNAUTHORIZED: u16 = 401;

/// What the attempts send, auth aside.
pub(crate) enum Requests<'a> {
    /// The same, which is none of an endpoint's.
    Fixed(Box<HttpRequest>),
    /// An endpoint's. Most calls are one attempt: the request that was made for them goes out itself, and
    /// is made once more, of the same params, for another.
    Made {
        /// Apart, so that there is no room for it once it has gone out.
        first: Mutex<Option<Box<HttpRequest>>>,
        endpoint: &'a Endpoint,
        params: &'a Object,
        idempotency_key: Option<HeaderValue>,
    },
}

impl Requests<'_> {
    /// The next attempt's.
    fn next(&self) -> Result<HttpRequest, Error> {
        let (first, endpoint, params, key) = match self {
            Self::Fixed(request) => return Ok(HttpRequest::clone(request)),
            Self::Made { first, endpoint, params, idempotency_key } => (first, endpoint, params, idempotency_key),
        };
        if let Some(request) = first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(*request);
        }
        let mut request = endpoint.request.build(params)?;
        if let Some(key) = key {
            idempotency::set_key(&mut request.headers, key);
        }
        Ok(request)
    }
}

/// A request on its way, with the auth header that its last attempt carried.
pub(crate) struct Sending<'a> {
    pub(crate) call: &'a Call<'a>,
    /// `None` for what is no call.
    pub(crate) watch: Option<&'a Watched<'a>>,
    /// Of the endpoint, without its query.
    pub(crate) path_template: &'a str,
    pub(crate) auth: Option<(&'a Auth, &'a AuthParams)>,
    pub(crate) requests: Requests<'a>,
    pub(crate) replay: Replay,
    pub(crate) deadline: Deadline,
    /// Of one attempt.
    pub(crate) attempt_timeout: Duration,
    pub(crate) carried: Mutex<Carried>,
}

/// What attempts have carried so far.
#[derive(Default)]
pub(crate) struct Carried {
    last: Option<AuthHeader>,
    /// Whether the last was refused, and there is no other yet.
    is_refused: bool,
    /// Masks the tokens before that: an answer can hold what was sent with any.
    earlier: Redactor,
}

impl Carried {
    fn add(&mut self, header: AuthHeader) {
        self.is_refused = false;
        if let Some(before) = self.last.replace(header).filter(|before| !self.is_last(before)) {
            self.earlier = self.earlier.and(&before.redactor());
        }
    }

    fn is_last(&self, header: &AuthHeader) -> bool {
        self.last.as_ref().is_some_and(|last| last.value() == header.value())
    }
}

impl Sending<'_> {
    /// Sends, and once more with a new token if the upstream no longer takes the one it got.
    pub(crate) async fn send_with_fresh_token(&self, retry: &RetryConfig) -> Result<HttpResponse, Error> {
        let has_token = self.auth.is_some_and(|(auth, _)| auth.kind().has_token());
        let first = if has_token && retry.retry_on_status.contains(&UNAUTHORIZED) {
            // Apart, so that calls have no room for what few of them need.
            Box::pin(self.send_until_unauthorized(retry)).await?
        } else {
            self.send(retry).await?
        };
        let has_dropped = refuses_token(&first) && self.drop_token();
        // The next call gets another token all the same.
        if !has_dropped || first.carried_out {
            return Ok(first);
        }
        // Apart for the same reason.
        Box::pin(self.send_again(first, retry)).await
    }

    /// Ends with a 401 though it is to be tried again: a token that was refused once is refused again.
    async fn send_until_unauthorized(&self, retry: &RetryConfig) -> Result<HttpResponse, Error> {
        let others = retry.retry_on_status.iter().copied().filter(|status| *status != UNAUTHORIZED);
        self.send(&RetryConfig { max_retries: retry.max_retries, retry_on_status: others.collect() }).await
    }

    /// With a new token, in place of that answer, and as often as is left.
    async fn send_again(&self, first: HttpResponse, retry: &RetryConfig) -> Result<HttpResponse, Error> {
        if let Some(watch) = self.watch {
            watch.tell(|| Event::TokenRefused { status: first.status });
        }
        let left = RetryConfig {
            max_retries: retry.max_retries.saturating_sub(first.retries),
            retry_on_status: retry.retry_on_status.clone(),
        };
        match self.send(&left).await {
            Ok(mut second) => {
                second.retries += first.retries;
                Ok(second)
            }
            Err(error) => {
                let retries = first.retries + error.retries();
                // Where there was no other answer that refusal is the last.
                let error = if error.status().is_none() { error.with_status(first.status) } else { error };
                Err(error.with_retries(retries))
            }
        }
    }

    async fn send(&self, retry: &RetryConfig) -> Result<HttpResponse, Error> {
        let request: RequestFactory<'_> = Box::new(|now| Box::pin(self.attempt(now)));
        let exchange = Exchange {
            request,
            retry,
            replay: self.replay,
            redirects: Redirects::SameOrigin,
            max_response_bytes: self.call.engine.limits.max_response_bytes,
            attempt_timeout: self.attempt_timeout,
            deadline: self.deadline,
            caller: self.call.integration.owner(),
            watch: Watch {
                path_template: self.path_template,
                observer: self.watch.map(|watch| watch as &dyn ExchangeObserver),
            },
        };
        self.call.engine.http.send(exchange).await
    }

    /// One attempt's request: the same bytes each time, auth applied anew. The auth header beats a
    /// configured one of its name.
    async fn attempt(&self, now: Instant) -> Result<HttpRequest, Error> {
        let mut request = self.requests.next()?;
        if let Some((auth, params)) = self.auth {
            let context = self.call.engine.auth_context(now, self.deadline);
            let since = self.watch.and_then(Watched::timer);
            let header = auth.header(params, &context).await;
            if let Some(watch) = self.watch {
                watch.token(since, header.as_ref().map(|header| header.source).map_err(Error::kind));
            }
            let header = header?;
            request.headers.insert(auth.header_name().clone(), header.value().clone());
            self.carried().add(header);
        }
        Ok(request)
    }

    fn last_header(&self) -> Option<AuthHeader> {
        self.carried().last.clone()
    }

    /// Whether there is what auth needs: nothing, a secret, or a token that has been sent and was not refused.
    pub(crate) fn is_authenticated(&self) -> bool {
        let carried = self.carried();
        self.auth.is_none() || carried.last.is_some() && !carried.is_refused
    }

    fn carried(&self) -> MutexGuard<'_, Carried> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the token that was refused; false where there is none to renew.
    fn drop_token(&self) -> bool {
        let mut carried = self.carried();
        let dropped = match (self.auth, &carried.last) {
            (Some((auth, params)), Some(header)) => auth.invalidate(params, header, &self.call.engine.tokens),
            _ => false,
        };
        if dropped {
            carried.is_refused = true;
        }
        dropped
    }

    /// Masks the integration's secrets and the tokens that were sent.
    pub(crate) fn redactor(&self) -> Redactor {
        let own = self.call.integration.redactor();
        let carried = self.carried();
        let all = carried.last.as_ref().map_or_else(|| own.clone(), |header| own.and(&header.redactor()));
        if carried.earlier.is_empty() { all } else { all.and(&carried.earlier) }
    }

    /// `None` only if the request cannot be made a second time.
    pub(crate) fn shown(&self, redactor: &Redactor) -> Option<SentRequest> {
        let sent = self.auth.zip(self.last_header());
        let auth = sent.map(|((auth, _), header)| (auth.header_name().clone(), header.value().clone()));
        Some(SentRequest::masked(&self.requests.next().ok()?, auth, redactor))
    }
}

/// Whether the answer says that the token is no longer good: 401, or 403 with
/// `WWW-Authenticate: Bearer error="invalid_token"` (RFC 6750 section 3.1).
fn refuses_token(response: &HttpResponse) -> bool {
    response.status == UNAUTHORIZED || (response.status == 403 && says_invalid_token(&response.headers))
}
