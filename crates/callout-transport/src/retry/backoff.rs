//! How long to wait before an attempt: exponential, with full jitter from the injected dice.
//!
//! The one module that names the `backoff` crate. Its own jitter is off, since it cannot be seeded.

use std::time::{Duration, Instant};

use backoff::{Clock, backoff::Backoff as _, exponential::ExponentialBackoff};
use callout_core::time::SharedRng;

use super::RetryPolicy;

/// The waits of one exchange, in order.
pub(crate) struct Waits {
    ceilings: ExponentialBackoff<Still>,
    cap: Duration,
}

/// No time passes: waits are bounded by the call's deadline, not by the crate's.
#[derive(Debug)]
struct Still(Instant);

impl Clock for Still {
    fn now(&self) -> Instant {
        self.0
    }
}

impl Waits {
    pub(crate) fn new(policy: &RetryPolicy, now: Instant) -> Self {
        Self {
            ceilings: ExponentialBackoff {
                current_interval: policy.base,
                initial_interval: policy.base,
                randomization_factor: 0.0,
                multiplier: 2.0,
                max_interval: policy.cap,
                max_elapsed_time: None,
                start_time: now,
                clock: Still(now),
            },
            cap: policy.cap,
        }
    }

    /// The next wait, evenly spread from zero up to the ceiling.
    pub(crate) fn next(&mut self, rng: &SharedRng) -> Duration {
        self.next_ceiling().mul_f64(rng.unit())
    }

    /// `min(cap, base · 2^i)` for the i-th wait, in whole microseconds: the crate adds up to one
    /// nanosecond of its own.
    fn next_ceiling(&mut self) -> Duration {
        let ceiling = self.ceilings.next_backoff().unwrap_or(self.cap).min(self.cap);
        Duration::from_micros(u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::system_clock;

    struct Dice(AtomicU64);

    impl callout_core::time::Rng for Dice {
        fn fill(&self, buffer: &mut [u8]) {
            for byte in buffer {
                // A linear congruential generator: its high bits are even enough for a bound.
                let step =
                    |seed: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let seed = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seed| Some(step(seed))).unwrap();
                *byte = (seed >> 56) as u8;
            }
        }
    }

    #[test]
    fn ceilings_double_up_to_the_cap() {
        let mut waits = Waits::new(&RetryPolicy::default(), system_clock().now());
        let millis: Vec<_> = (0..10).map(|_| waits.next_ceiling().as_millis()).collect();
        assert_eq!(millis, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        let odd = RetryPolicy { base: Duration::MAX, cap: Duration::from_secs(1), ..RetryPolicy::default() };
        assert!(Waits::new(&odd, system_clock().now()).next_ceiling() <= Duration::from_secs(1));
    }

    #[test]
    fn waits_of_a_thousand_seeds_lie_below_their_ceilings_and_fill_them() {
        let policy = RetryPolicy::default();
        let mut longest = [0.0_f64; 10];
        for seed in 0..1_000 {
            let rng = SharedRng::new(Dice(AtomicU64::new(seed)));
            let mut waits = Waits::new(&policy, system_clock().now());
            for (at, longest) in longest.iter_mut().enumerate() {
                let ceiling = policy.cap.min(policy.base * 2_u32.pow(at as u32));
                let wait = waits.next(&rng);
                assert!(wait <= ceiling, "seed {seed}, wait {at}: {wait:?}");
                *longest = longest.max(wait.as_secs_f64() / ceiling.as_secs_f64());
            }
        }
        assert!(longest.iter().all(|share| *share > 0.95), "jitter reaches the ceiling: {longest:?}");
    }
}
