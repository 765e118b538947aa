//! Time that skips the waits, and dice that fall the same way each time.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use callout_core::time::{Clock, Rng, SharedClock, SharedRng};
use tokio::sync::Notify;

/// A clock that records each [`Clock::sleep`] and jumps over it. Deadlines must be made from the same
/// clock. Between jumps it runs with real
/// time, so that watchdogs ([`Clock::until`]) on a real socket work. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct TestClock(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    skipped: Mutex<Duration>,
    sleeps: Mutex<Vec<Duration>>,
    still: bool,
    jumped: Notify,
}

impl TestClock {
    /// A clock that shows the real time.
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock that shows the real time and on which a sleep takes none: for many calls at once,
    /// since one call's wait would else use up the time of all others.
    pub fn still() -> Self {
        Self(Arc::new(Parts { still: true, ..Parts::default() }))
    }

    /// As the engine takes it.
    pub fn shared(&self) -> SharedClock {
        SharedClock::new(self.clone())
    }

    /// The pauses so far, in order.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.0.sleeps.lock().unwrap().clone()
    }

    /// Jumps ahead.
    pub fn advance(&self, by: Duration) {
        *self.0.skipped.lock().unwrap() += by;
        self.0.jumped.notify_waiters();
    }

    fn skipped(&self) -> Duration {
        *self.0.skipped.lock().unwrap()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::now() + self.skipped()
    }

    fn unix(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + self.skipped()
    }

    fn sleep(&self, pause: Duration) -> impl Future<Output = ()> + Send {
        self.0.sleeps.lock().unwrap().push(pause);
        if !self.0.still {
            self.advance(pause);
        }
        tokio::task::yield_now()
    }

    async fn until(&self, moment: Instant) {
        loop {
            let jumped = self.0.jumped.notified();
            let left = moment.saturating_duration_since(Clock::now(self));
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = jumped => {}
            }
        }
    }
}

/// Dice with a seed (splitmix64).
#[derive(Debug)]
pub struct SeededRng(Mutex<u64>);

impl SeededRng {
    /// Falls the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// As the engine takes it.
    pub fn shared(seed: u64) -> SharedRng {
        SharedRng::new(Self::new(seed))
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Rng for SeededRng {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
