//! The retry loop: attempts, waits and bounds of one exchange.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    time::{Duration, Instant},
};

use callout_core::{
    Error, ErrorKind,
    http::{Exchange, HttpRequest, HttpResponse, HttpService, Redirects, Replay, RetryReason},
    limits::Limits,
    time::{Deadline, SharedClock, SharedRng},
};
use futures_util::future::{Either, poll_immediate, select};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use hyper::body::Incoming;
use tracing::Instrument as _;

use crate::{
    TransportBuilder,
    body::{self, BodyFault},
    client::Client,
    fault::Fault,
    permits::Permits,
    redirect,
    retry::{Budgets, Ending, Failure, RetryPolicy, Waits, again, at_once, retry_after},
    span,
    target::Target,
};

/// Sends exchanges over HTTP: the engine's own [`HttpService`].
///
/// Cloning is cheap, and clones share connections, budgets and counters. It starts no task of its
/// own; dropping the future of a call ends its attempt and everything after it. Connections are
/// driven by the tokio runtime on which they were made, which must have its I/O and time drivers on.
#[derive(Clone, Debug)]
pub struct Transport(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    client: Client,
    budgets: Budgets,
    permits: Permits,
    policy: RetryPolicy,
    clock: SharedClock,
    rng: SharedRng,
}

impl Transport {
    /// A transport with every setting at its default.
    pub fn builder() -> TransportBuilder {
        TransportBuilder::default()
    }

    pub(crate) fn new(
        client: Client,
        limits: &Limits,
        policy: RetryPolicy,
        clock: SharedClock,
        rng: SharedRng,
    ) -> Self {
        Self(Arc::new(Parts {
            client,
            budgets: Budgets::new(&policy),
            permits: Permits::new(limits.max_calls_per_upstream),
            policy,
            clock,
            rng,
        }))
    }
}

impl HttpService for Transport {
    #[expect(clippy::manual_async_fn, reason = "a call in flight would have room for what it is given twice")]
    fn send<'a>(&'a self, exchange: Exchange<'a>) -> impl Future<Output = Result<HttpResponse, Error>> + Send {
        async move {
            let run = Run { parts: &self.0, began: self.0.clock.now(), exchange: &exchange };
            let mut retries = 0;
            match run.attempts(&mut retries).await {
                Ok(mut response) => {
                    response.retries = retries;
                    Ok(response)
                }
                Err(error) => Err(error.with_retries(retries)),
            }
        }
    }
}

/// One exchange under way.
struct Run<'r, 'a> {
    parts: &'r Parts,
    began: Instant,
    exchange: &'r Exchange<'a>,
}

impl Run<'_, '_> {
    /// The loop. `retries` counts attempts after the first, but for one because a connection had been closed.
    async fn attempts(&self, retries: &mut u32) -> Result<HttpResponse, Error> {
        // By one reference each: what is taken apart here has room of its own in a call in flight.
        let (parts, exchange) = (self.parts, self.exchange);
        // Most calls are one attempt, and have no room for what others need.
        let mut waits: Option<Box<Waits>> = None;
        // Held to the end, waits included: the call is in flight all the while.
        let mut permit = None;
        let mut attempt = 0;
        let mut is_resent = false;
        loop {
            let (mut request, target) = self.request().await?;
            *retries = attempt;
            if permit.is_none() {
                permit = Some(parts.permits.take(&target)?);
                parts.budgets.gain(exchange.caller, target.host());
            }
            if let Some(observer) = exchange.watch.observer {
                observer.attempt(attempt, &request);
            }
            let span = span::attempt(&request, &target, exchange.watch.path_template, attempt + u32::from(is_resent));
            let method = request.method.clone();
            // In a block, so that a wait has no room for the answer that it comes after.
            let wait = {
                let result = {
                    let mut attempt = pin!(self.attempt(&mut request, &target).instrument(span));
                    let result = attempt.as_mut().await;
                    span::ended(attempt.span(), &result);
                    result
                };
                let (ending, asked) = match &result {
                    Ok(response) => (Ending::Status(response.status), response.retry_after),
                    Err(fault) => (Ending::Failed(fault.failure), None),
                };
                if !is_resent && at_once(exchange.replay, ending) {
                    is_resent = true;
                    tracing::debug!(%target, attempt, "the connection had been closed, sending again");
                    if let (Some(observer), Some(why)) = (exchange.watch.observer, why(ending)) {
                        observer.retrying(Duration::ZERO, why);
                    }
                    continue;
                }
                // What led to another place by GET has been carried out: it is that place which did not answer.
                let is_done = exchange.replay == Replay::OnlyUnsent && request.method != method;
                let result = result.map_err(|fault| fault.into_error(exchange.replay));
                let result = result.map(|mut response| {
                    response.carried_out = is_done;
                    response
                });
                if is_done || !again(exchange.replay, ending, attempt, exchange.retry) {
                    return result;
                }
                // No delay asked for, or one that is over, is no reason to come back at once.
                let waits = waits.get_or_insert_with(|| Box::new(Waits::new(&parts.policy, self.began)));
                let wait = asked.filter(|delay| !delay.is_zero()).unwrap_or_else(|| waits.next(&parts.rng));
                if wait >= exchange.deadline.remaining(&parts.clock)
                    || !parts.budgets.pay(exchange.caller, target.host())
                {
                    return result;
                }
                tracing::debug!(%target, attempt, ?ending, wait_ms = wait.as_millis() as u64, "retrying");
                if let (Some(observer), Some(why)) = (exchange.watch.observer, why(ending)) {
                    observer.retrying(wait, why);
                }
                wait
            };
            parts.clock.sleep(wait).await;
            attempt += 1;
        }
    }

    /// What the factory makes, under the call's deadline.
    async fn request(&self) -> Result<(HttpRequest, Arc<Target>), Error> {
        let Exchange { request, deadline, .. } = self.exchange;
        let now = self.parts.clock.now();
        if now >= deadline.moment() {
            return Err(self.out_of_time(None));
        }
        let made = within(&self.parts.clock, deadline.moment(), pin!(request(now))).await;
        let request = made.ok_or_else(|| self.out_of_time(None))??;
        let target = Arc::new(Target::of(&request.url)?);
        Ok((request, target))
    }

    /// One attempt, under its own bound and the call's.
    async fn attempt(&self, request: &mut HttpRequest, target: &Target) -> Result<HttpResponse, Fault> {
        let Exchange { attempt_timeout, deadline, .. } = self.exchange;
        let own = Deadline::after(&self.parts.clock, *attempt_timeout);
        let work = pin!(self.answer(request, target));
        match within(&self.parts.clock, own.min(*deadline).moment(), work).await {
            Some(result) => result,
            None if own < *deadline => Err(Fault::attempt_timed_out(target, *attempt_timeout)),
            // No later attempt fits, so the loop ends with it.
            None => Err(Fault { failure: Failure::TimedOut, error: self.out_of_time(Some(target)) }),
        }
    }

    async fn answer(&self, request: &mut HttpRequest, target: &Target) -> Result<HttpResponse, Fault> {
        let response = self.follow(request, target).await?;
        // Apart, so that a call which waits for its answer holds no room for what reads it.
        Box::pin(self.read(response, target)).await
    }

    /// Sends, and sends on where a redirect within the origin leads.
    async fn follow(&self, request: &mut HttpRequest, target: &Target) -> Result<Response<Incoming>, Fault> {
        let client = &self.parts.client;
        let redirects: Redirects = self.exchange.redirects;
        let mut followed = 0;
        loop {
            let kept = kept(&request.headers);
            let response = match client.send(parted(request), target) {
                Ok(sent) => client.head(sent, target).await,
                Err(fault) => Err(fault),
            };
            let response = response.map_err(|fault| if followed > 0 { fault.after_an_answer() } else { fault })?;
            let status = response.status().as_u16();
            if redirect::is_one(status, response.headers()) {
                request.headers = kept.into_iter().collect();
            }
            let next = redirect::next(request, status, response.headers(), redirects, followed);
            match next.map_err(|error| Fault::last(error.with_status(status)))? {
                Some(next) => *request = next,
                None => return Ok(response),
            }
            followed += 1;
        }
    }

    async fn read(&self, response: Response<Incoming>, target: &Target) -> Result<HttpResponse, Fault> {
        let status = response.status().as_u16();
        let most = self.exchange.max_response_bytes;
        let is_open_ended = body::is_open_ended(&response);
        match body::read(response, most).await {
            Ok((headers, body)) => {
                let asked = retry_after(&headers, self.parts.clock.unix());
                let mut response = HttpResponse::new(status, headers, body);
                response.retry_after = asked;
                response.is_open_ended = is_open_ended;
                Ok(response)
            }
            Err(fault) => {
                let Fault { failure, error } = self.body_fault(fault, target, most);
                Err(Fault { failure, error: error.with_status(status) })
            }
        }
    }

    fn body_fault(&self, fault: BodyFault, target: &Target, most: usize) -> Fault {
        match fault {
            BodyFault::TooLarge => Fault::last(Error::new(
                ErrorKind::ResponseTooLarge,
                format!("the answer of {target} is larger than {most} bytes"),
            )),
            BodyFault::TooManyCodings => Fault::last(Error::new(
                ErrorKind::ResponseTooLarge,
                format!("the answer of {target} is compressed more often than is undone"),
            )),
            BodyFault::Wire(error) => Fault::of_answer(&*error, target, self.parts.client.settings()),
            BodyFault::Corrupt(error) => {
                Fault::broken(format!("the compressed answer of {target} is cut short or corrupt"), &error)
            }
        }
    }

    fn out_of_time(&self, target: Option<&Target>) -> Error {
        let spent = self.parts.clock.now().saturating_duration_since(self.began);
        let spent = Duration::from_millis(u64::try_from(spent.as_millis()).unwrap_or(u64::MAX));
        let message = match target {
            Some(target) => {
                format!("the call's time was over before {target} had answered, {spent:?} after it was first called")
            }
            None => "the call's time was over before the request could be sent".to_owned(),
        };
        Error::new(ErrorKind::Timeout, message).with_retryable(true)
    }
}

/// Headers for a redirect, which few calls meet: a map of them has room for more.
fn kept(headers: &HeaderMap) -> Box<[(HeaderName, HeaderValue)]> {
    headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The request, which is left without its headers.
fn parted(request: &mut HttpRequest) -> HttpRequest {
    let headers = std::mem::take(&mut request.headers);
    HttpRequest { headers, ..request.clone() }
}

/// Why an attempt that ended so is made again; `None` for one that is not.
fn why(ending: Ending) -> Option<RetryReason> {
    match ending {
        Ending::Status(status) => Some(RetryReason::Status(status)),
        Ending::Failed(Failure::Unsent) => Some(RetryReason::Connect),
        Ending::Failed(Failure::Unprocessed | Failure::Stale | Failure::Broken) => Some(RetryReason::Interrupted),
        Ending::Failed(Failure::TimedOut) => Some(RetryReason::Timeout),
        Ending::Failed(Failure::Final) => None,
    }
}

/// The future's result, or `None` if the moment comes first. No timer is made for a future that is
/// ready at once. It is taken by reference: a future that is moved into another has its room there twice.
async fn within<F: Future>(clock: &SharedClock, moment: Instant, mut work: Pin<&mut F>) -> Option<F::Output> {
    if let Some(result) = poll_immediate(work.as_mut()).await {
        return Some(result);
    }
    match select(work, pin!(clock.until(moment))).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}
