//! The one place that reads the system's clock and its source of chance.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use callout_core::time::{Clock, Rng, SharedClock, SharedRng};

/// The system's clock; waits run on the tokio runtime that polls them.
pub fn system_clock() -> SharedClock {
    SharedClock::new(SystemClock)
}

/// The operating system's source of chance.
pub fn system_rng() -> SharedRng {
    SharedRng::new(SystemRng)
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the system's side of the seam")]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the system's side of the seam")]
    fn unix(&self) -> Duration {
        // A clock set before 1970 is as wrong as one that says 1970.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the system's side of the seam")]
    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }

    async fn until(&self, moment: Instant) {
        tokio::time::sleep_until(moment.into()).await;
    }
}

struct SystemRng;

impl Rng for SystemRng {
    #[expect(clippy::expect_used, reason = "without chance, nothing that must not be guessed can be made")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system has a source of chance");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_differs_and_time_does_not_run_back() {
        let (rng, clock) = (system_rng(), system_clock());
        let mut bytes = [[0; 16]; 2];
        let [one, other] = &mut bytes;
        rng.fill(one);
        rng.fill(other);
        assert_ne!(one, other);
        let before = clock.now();
        assert!(clock.now() >= before);
        assert!(clock.unix() > Duration::from_secs(1_700_000_000));
    }
}
