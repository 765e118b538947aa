//! Time and chance as seams: tests set the clock, record the waits and seed the dice.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A duration in milliseconds, to the microsecond: as answers and logs show it.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Where the engine takes time from.
pub trait Clock: Send + Sync + 'static {
    /// Monotonic time: deadlines, token freshness, durations.
    fn now(&self) -> Instant;

    /// Wall time since 1970-01-01 UTC: `iat` and `exp` of assertions, dates in `Retry-After`.
    fn unix(&self) -> Duration;

    /// A pause that a policy asks for, such as the wait before a retry. A test clock may record it,
    /// advance its own time and return at once.
    fn sleep(&self, pause: Duration) -> impl Future<Output = ()> + Send;

    /// Returns when that moment has come: the watchdog behind deadlines. Unlike [`Clock::sleep`] it
    /// never returns early.
    fn until(&self, moment: Instant) -> impl Future<Output = ()> + Send;
}

type Pause<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

trait DynClock: Send + Sync {
    fn now(&self) -> Instant;
    fn unix(&self) -> Duration;
    fn sleep(&self, pause: Duration) -> Pause<'_>;
    fn until(&self, moment: Instant) -> Pause<'_>;
}

impl<C: Clock> DynClock for C {
    fn now(&self) -> Instant {
        Clock::now(self)
    }

    fn unix(&self) -> Duration {
        Clock::unix(self)
    }

    fn sleep(&self, pause: Duration) -> Pause<'_> {
        Box::pin(Clock::sleep(self, pause))
    }

    fn until(&self, moment: Instant) -> Pause<'_> {
        Box::pin(Clock::until(self, moment))
    }
}

/// A [`Clock`] that many parts hold.
#[derive(Clone)]
pub struct SharedClock(Arc<dyn DynClock>);

impl SharedClock {
    /// Shares a clock.
    pub fn new(clock: impl Clock) -> Self {
        Self(Arc::new(clock))
    }

    /// See [`Clock::now`].
    pub fn now(&self) -> Instant {
        self.0.now()
    }

    /// See [`Clock::unix`].
    pub fn unix(&self) -> Duration {
        self.0.unix()
    }

    /// See [`Clock::sleep`].
    pub async fn sleep(&self, pause: Duration) {
        self.0.sleep(pause).await;
    }

    /// See [`Clock::until`].
    pub async fn until(&self, moment: Instant) {
        self.0.until(moment).await;
    }
}

impl<C: Clock> From<C> for SharedClock {
    fn from(clock: C) -> Self {
        Self::new(clock)
    }
}

impl fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedClock").finish_non_exhaustive()
    }
}

/// A [`Clock`] at which nothing happens by itself: time stands still, so that no outcome depends on how fast
/// a machine is. A pause is over at once, and no moment ever comes. For tests and measurements.
#[derive(Clone, Copy, Debug)]
pub struct StillClock {
    now: Instant,
    unix: Duration,
}

impl StillClock {
    /// Stands at the moment of its making; [`Clock::unix`] is 0 unless it is set.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one moment at which it stands")]
    #[expect(clippy::new_without_default, reason = "two of them are not the same")]
    pub fn new() -> Self {
        Self { now: Instant::now(), unix: Duration::ZERO }
    }

    /// With that time since 1970-01-01 UTC.
    #[must_use]
    pub fn with_unix(mut self, unix: Duration) -> Self {
        self.unix = unix;
        self
    }
}

impl Clock for StillClock {
    fn now(&self) -> Instant {
        self.now
    }

    fn unix(&self) -> Duration {
        self.unix
    }

    async fn sleep(&self, _: Duration) {}

    fn until(&self, _: Instant) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// A [`Clock`] whose time passes as it is told to, or by a step with each look. As at a [`StillClock`], a pause is over
/// at once, and no moment ever comes. Clones are the same clock. For tests.
#[derive(Clone, Debug)]
pub struct SteppingClock {
    start: StillClock,
    /// In nanoseconds, as what has passed.
    step: u64,
    passed: Arc<AtomicU64>,
}

impl SteppingClock {
    /// Begins at the moment of its making, with [`Clock::unix`] at 0. Time passes by [`SteppingClock::advance`] alone.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two of them are not the same")]
    pub fn new() -> Self {
        Self { start: StillClock::new(), step: 0, passed: Arc::default() }
    }

    /// With so much passing after each look, which is [`Clock::now`].
    #[must_use]
    pub fn with_step(mut self, step: Duration) -> Self {
        self.step = step.as_nanos() as u64;
        self
    }

    /// Lets so much pass.
    pub fn advance(&self, by: Duration) {
        self.passed.fetch_add(by.as_nanos() as u64, Ordering::Relaxed);
    }

    /// How much has passed since its making. To ask is no look.
    pub fn passed(&self) -> Duration {
        Duration::from_nanos(self.passed.load(Ordering::Relaxed))
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Instant {
        Clock::now(&self.start) + Duration::from_nanos(self.passed.fetch_add(self.step, Ordering::Relaxed))
    }

    fn unix(&self) -> Duration {
        self.passed()
    }

    async fn sleep(&self, _: Duration) {}

    fn until(&self, _: Instant) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// Where the engine takes chance from: the jitter of waits, the `jti` of assertions.
pub trait Rng: Send + Sync + 'static {
    /// Fills the buffer; unpredictable unless in a test.
    fn fill(&self, buffer: &mut [u8]);
}

/// An [`Rng`] that many parts hold.
#[derive(Clone)]
pub struct SharedRng(Arc<dyn Rng>);

impl SharedRng {
    /// Shares a source of chance.
    pub fn new(rng: impl Rng) -> Self {
        Self(Arc::new(rng))
    }

    /// See [`Rng::fill`].
    pub fn fill(&self, buffer: &mut [u8]) {
        self.0.fill(buffer);
    }

    /// A number from 0 (included) to 1 (excluded), evenly spread.
    pub fn unit(&self) -> f64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl<R: Rng> From<R> for SharedRng {
    fn from(rng: R) -> Self {
        Self::new(rng)
    }
}

impl fmt::Debug for SharedRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRng").finish_non_exhaustive()
    }
}

/// The moment at which a call must have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// That moment.
    pub const fn at(moment: Instant) -> Self {
        Self(moment)
    }

    /// `length` from now. A length beyond what the clock can hold is a day.
    pub fn after(clock: &SharedClock, length: Duration) -> Self {
        Self::from_moment(clock.now(), length)
    }

    /// `length` from a moment, for those who have read the clock already; see [`Deadline::after`].
    pub fn from_moment(moment: Instant, length: Duration) -> Self {
        Self(moment.checked_add(length).unwrap_or(moment + Duration::from_hours(24)))
    }

    /// The moment.
    pub const fn moment(self) -> Instant {
        self.0
    }

    /// What is left of it; zero once it has passed.
    pub fn remaining(self, clock: &SharedClock) -> Duration {
        self.0.saturating_duration_since(clock.now())
    }
}
