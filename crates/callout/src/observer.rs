//! What a host can see of calls while they run: an [`Observer`], and `tracing` spans.
//!
//! The spans have OpenTelemetry's names. A call is `execute_tool {tool}` (GenAI conventions:
//! `gen_ai.operation.name`, `gen_ai.tool.name`, `gen_ai.tool.type`, `gen_ai.tool.call.id` where the host
//! has given one, `error.type`); within it each attempt, those of token calls too, is a span of the HTTP client
//! conventions (`http.request.method`, `http.request.resend_count`, `server.address`, `server.port`,
//! `url.scheme`, `url.template`, `http.response.status_code`, `error.type`). `url.full` is left out,
//! for it is made of params. Fields of our own begin with `callout.`.
//!
//! Neither carries params, headers, bodies, texts or secrets: [`crate::Engine::trace`] shows those to
//! whoever asks for one call. Where nobody listens nothing is formatted or allocated for them.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use callout_auth::CredentialSource;
use callout_core::{
    Error, ErrorKind,
    config::Method,
    http::{ExchangeObserver, HttpRequest, RetryReason},
    time::SharedClock,
};
use tracing::{Span, field::Empty};

use crate::{Outcome, Trace, integration::Endpoint};

/// A call's number within its engine, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub(crate) u64);

impl CallId {
    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call-{}", self.0)
    }
}

/// Which call an event is about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallInfo<'a> {
    /// Its id; the inbox gives the same one.
    pub id: CallId,
    /// What the host calls it ([`crate::CallOptions::with_id`]).
    pub host_id: Option<&'a str>,
    /// The workspace; empty where there is none.
    pub workspace: &'a str,
    /// The integration's name.
    pub integration: &'a str,
    /// The endpoint that was asked for, whether or not there is one.
    pub endpoint: &'a str,
}

/// What happens on the way of a call.
///
/// [`Event::Started`] comes first and [`Event::Finished`] last, each exactly once, also for a call
/// that is refused, dropped or cancelled, one in an inbox before its task has had a turn included. What a
/// full inbox refuses, and a call's future that nobody polls, is no call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The call began. Nothing has been checked yet.
    Started,
    /// The host's approval policy holds the call.
    Held,
    /// The hold has ended.
    Decided {
        /// Whether the call goes on.
        approved: bool,
        /// How long it was held.
        waited: Duration,
    },
    /// The auth header of an attempt is there.
    Token {
        /// Where its credential came from.
        source: CredentialSource,
        /// How long it took.
        duration: Duration,
    },
    /// There is no auth header, so nothing is sent.
    TokenFailed {
        /// Why.
        kind: ErrorKind,
        /// How long it took.
        duration: Duration,
    },
    /// An attempt is sent.
    Attempt {
        /// Counted from 0 over the whole call, resends with a new token or for a closed connection included.
        number: u32,
        /// The method.
        method: Method,
    },
    /// The attempt failed in a way that is tried again.
    Retrying {
        /// The wait before the next one.
        after: Duration,
        /// Why.
        why: RetryReason,
    },
    /// The upstream no longer takes the token: the call is sent once more with a new one.
    TokenRefused {
        /// The status that said so.
        status: u16,
    },
    /// The call is over.
    Finished {
        /// The last status received.
        status: Option<u16>,
        /// From the call to its end, a hold included.
        duration: Duration,
        /// Attempts after the first; a resend after a 401, or for a connection that had been closed, is not counted.
        retries: u32,
        /// Whether the text was cut.
        truncated: bool,
        /// What kind of failure it was; `None` for a success. [`ErrorKind::Cancelled`] if the call's
        /// future was dropped.
        error: Option<ErrorKind>,
    },
}

/// Hears of every event of every call of an engine; see [`crate::EngineBuilder::with_observer`].
///
/// It is called on the task that makes the call, so it should hand over what takes long. Its panic ends the
/// call.
///
/// ```
/// use callout::{CallInfo, Event, Observer};
///
/// struct Log;
///
/// impl Observer for Log {
///     fn observe(&self, call: &CallInfo<'_>, event: &Event) {
///         println!("{} {}.{} {event:?}", call.id, call.integration, call.endpoint);
///     }
/// }
///
/// let engine = callout::Engine::builder().with_observer(Log).build()?;
/// # Ok::<(), callout::Error>(())
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Something has happened.
    fn observe(&self, call: &CallInfo<'_>, event: &Event);
}

impl<F: Fn(&CallInfo<'_>, &Event) + Send + Sync + 'static> Observer for F {
    fn observe(&self, call: &CallInfo<'_>, event: &Event) {
        self(call, event);
    }
}

/// An [`Observer`] that many parts hold.
#[derive(Clone)]
pub(crate) struct SharedObserver(Arc<dyn Observer>);

impl SharedObserver {
    pub(crate) fn new(observer: impl Observer) -> Self {
        Self(Arc::new(observer))
    }
}

impl fmt::Debug for SharedObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedObserver").finish_non_exhaustive()
    }
}

/// One call as it is watched: what the observer and the span are told, from its start to its end.
pub(crate) struct Watched<'a> {
    info: CallInfo<'a>,
    method: Method,
    observer: Option<&'a SharedObserver>,
    clock: &'a SharedClock,
    span: Span,
    began: Instant,
    attempts: AtomicU32,
    /// The last one's number within its exchange.
    in_exchange: AtomicU32,
    /// Those that are not the first of their exchange: a resend with a new token is one of its own.
    retries: AtomicU32,
    ended: bool,
}

impl<'a> Watched<'a> {
    pub(crate) fn start(
        info: CallInfo<'a>,
        endpoint: Option<&Endpoint>,
        observer: Option<&'a SharedObserver>,
        clock: &'a SharedClock,
    ) -> Self {
        let tool = endpoint.map_or(info.endpoint, |endpoint| endpoint.tool_name.as_str());
        let span = tracing::info_span!(
            "execute_tool",
            otel.name = %format_args!("execute_tool {tool}"),
            otel.kind = "internal",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = tool,
            "gen_ai.tool.type" = "function",
            gen_ai.tool.call.id = info.host_id,
            callout.call_id = %info.id,
            callout.integration = info.integration,
            callout.endpoint = info.endpoint,
            callout.retries = Empty,
            callout.truncated = Empty,
            http.response.status_code = Empty,
            "error.type" = Empty,
        );
        let watched = Self {
            info,
            method: endpoint.map_or_else(Method::default, |endpoint| endpoint.request.method()),
            observer,
            clock,
            span,
            began: clock.now(),
            attempts: AtomicU32::new(0),
            in_exchange: AtomicU32::new(0),
            retries: AtomicU32::new(0),
            ended: false,
        };
        watched.tell(|| Event::Started);
        watched
    }

    /// The call's id.
    pub(crate) fn id(&self) -> CallId {
        self.info.id
    }

    /// When the call began.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// The span that the call's work runs in.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The event is made only if somebody listens.
    pub(crate) fn tell(&self, event: impl FnOnce() -> Event) {
        if let Some(observer) = self.observer {
            observer.0.observe(&self.info, &event());
        }
    }

    /// Tells that the call is held.
    pub(crate) fn held(&self) {
        tracing::debug!("held for approval");
        self.tell(|| Event::Held);
    }

    /// Tells how the hold has ended.
    pub(crate) fn decided(&self, approved: bool, waited: Duration) {
        tracing::debug!(approved, waited_ms = waited.as_millis() as u64, "decided");
        self.tell(|| Event::Decided { approved, waited });
    }

    /// Now, if anybody is to be told how long something takes.
    pub(crate) fn timer(&self) -> Option<Instant> {
        self.observer.map(|_| self.clock.now())
    }

    /// Tells of an auth header, or that there is none.
    pub(crate) fn token(&self, since: Option<Instant>, result: Result<CredentialSource, ErrorKind>) {
        let duration = || since.map_or(Duration::ZERO, |since| self.since(since));
        match result {
            Ok(source) => {
                if source != CredentialSource::Static {
                    tracing::debug!(?source, "token");
                }
                self.tell(|| Event::Token { source, duration: duration() });
            }
            Err(kind) => self.tell(|| Event::TokenFailed { kind, duration: duration() }),
        }
    }

    pub(crate) fn finish(mut self, result: &Result<Outcome, Error>) {
        match result {
            Ok(outcome) => self.end(Some(outcome.status()), outcome.retries(), outcome.truncation().is_some(), None),
            Err(error) => self.end(error.status(), error.retries(), false, Some(error.kind())),
        }
    }

    pub(crate) fn finish_trace(mut self, trace: &Trace) {
        let truncated = trace.text.as_ref().is_some_and(|text| text.truncation.is_some());
        self.end(trace.status, trace.retries, truncated, trace.error.as_ref().map(Error::kind));
    }

    fn since(&self, moment: Instant) -> Duration {
        self.clock.now().saturating_duration_since(moment)
    }

    fn end(&mut self, status: Option<u16>, retries: u32, truncated: bool, error: Option<ErrorKind>) {
        self.ended = true;
        self.tell(|| Event::Finished { status, duration: self.since(self.began), retries, truncated, error });
        if self.span.is_disabled() {
            return;
        }
        if let Some(status) = status {
            self.span.record("http.response.status_code", status);
        }
        self.span.record("callout.retries", retries).record("callout.truncated", truncated);
        if let Some(kind) = error {
            self.span.record("error.type", kind.code());
        }
        let code = error.map(ErrorKind::code);
        self.span.in_scope(|| tracing::debug!(status, retries, truncated, error = code, "finished"));
    }
}

impl ExchangeObserver for Watched<'_> {
    fn attempt(&self, in_exchange: u32, _: &HttpRequest) {
        let number = self.attempts.fetch_add(1, Relaxed);
        // One that is sent again for a closed connection has the number of the one before.
        if in_exchange > self.in_exchange.swap(in_exchange, Relaxed) {
            self.retries.fetch_add(1, Relaxed);
        }
        self.tell(|| Event::Attempt { number, method: self.method });
    }

    fn retrying(&self, after: Duration, why: RetryReason) {
        self.tell(|| Event::Retrying { after, why });
    }
}

/// A call that is dropped has ended too.
impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let retries = self.retries.load(Relaxed);
            // An observer that has panicked may do so at each event, as with a poisoned lock, and a second
            // panic beside the first would end the program.
            drop(catch_unwind(AssertUnwindSafe(|| self.end(None, retries, false, Some(ErrorKind::Cancelled)))));
        }
    }
}
