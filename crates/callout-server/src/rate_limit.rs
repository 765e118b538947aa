//! A bound on the requests of one key, for operators who set one.

use std::{fmt, num::NonZeroU32, time::Instant};

use callout::SharedClock;
use callout_store::Uuid;
use governor::{
    Quota, RateLimiter, clock::Clock, middleware::StateInformationMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER};

use crate::error::ApiError;

/// The bound, what is left of it, and when it is whole again.
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// How many keys are tracked before those at rest are let go.
const TRACKED: usize = 10_000;

/// So many requests a minute per key, a whole minute's worth at once (GCRA).
pub(crate) struct RateLimit {
    per_minute: NonZeroU32,
    limiter: RateLimiter<Uuid, DashMapStateStore<Uuid>, OwnClock, StateInformationMiddleware>,
    clock: OwnClock,
}

/// The server's clock, as the limiter takes it: time since the limit was set.
#[derive(Clone)]
struct OwnClock {
    clock: SharedClock,
    start: Instant,
}

impl Clock for OwnClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.clock.now().saturating_duration_since(self.start).into()
    }
}

/// What is left to a key after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    limit: u32,
    remaining: u32,
}

impl Allowance {
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        // One request comes back every sixtieth of the bound.
        let missing = u64::from(self.limit - self.remaining.min(self.limit));
        headers.insert(RESET, HeaderValue::from((missing * 60).div_ceil(u64::from(self.limit.max(1)))));
    }
}

impl RateLimit {
    pub(crate) fn new(per_minute: NonZeroU32, clock: SharedClock) -> Self {
        let clock = OwnClock { start: clock.now(), clock };
        let limiter = RateLimiter::dashmap_with_clock(Quota::per_minute(per_minute), clock.clone());
        Self { per_minute, limiter: limiter.with_middleware(), clock }
    }

    /// What is left; 429 with the wait if the key has used up its requests.
    pub(crate) fn check(&self, key: Uuid) -> Result<Allowance, ApiError> {
        if self.limiter.len() > TRACKED {
            self.limiter.retain_recent();
        }
        let limit = self.per_minute.get();
        match self.limiter.check_key(&key) {
            Ok(state) => Ok(Allowance { limit, remaining: state.remaining_burst_capacity() }),
            Err(early) => {
                let wait = early.wait_time_from(self.clock.now()).as_secs() + 1;
                let detail = format!("this key may ask {limit} times a minute; ask again in {wait} s");
                let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
                    .with_header(RETRY_AFTER, HeaderValue::from(wait));
                let mut headers = HeaderMap::new();
                Allowance { limit, remaining: 0 }.write(&mut headers);
                error.headers.extend(headers.into_iter().filter_map(|(name, value)| Some((name?, value))));
                Err(error)
            }
        }
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("per_minute", &self.per_minute).finish_non_exhaustive()
    }
}
