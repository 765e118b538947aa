//! Runs what is made to hurt where it hurts nobody: in a child process with bounded memory, on a thread
//! with a small stack. What each case takes of CPU and memory is measured there and judged here, by what the
//! processor does in that time just then: see [`within`].
//!
//! A test binary has two tests: one that is the child, and one that starts it for batches of cases.
//!
//! ```no_run
//! # #[cfg(target_os = "linux")] {
//! use callout_hostile::{Suite, case, child};
//!
//! // What the test `child` does:
//! child(|batch| {
//!     for at in batch {
//!         case(at, "a name", || "what came of it".to_owned());
//!     }
//! });
//! // What the other test does:
//! let seen = Suite::default().run(&[0..10, 10..20]);
//! assert_eq!(seen.len(), 20);
//! # }
//! ```
//!
//! `CALLOUT_HOSTILE_SHOW=1` prints each case with its figures.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's support fails loudly where a test would")]
#![expect(clippy::missing_panics_doc, reason = "they panic where a test would")]

#[cfg(target_os = "linux")]
mod child;

use std::{collections::BTreeMap, env, hint::black_box, time::Duration};

use rustix::time::{ClockId, clock_gettime};

#[cfg(target_os = "linux")]
pub use child::{Seen, Suite, case, child};

/// How long this thread has run, which is not how long it waited for a processor.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Does `work`, and tells how long its thread ran for it.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = cpu_time();
    let done = work();
    (done, cpu_time().saturating_sub(started))
}

/// How often a piece of work is done that takes too long. What else a machine does only adds to that.
const TRIES: usize = 3;

/// How much slower than the machine that bounds were set on one may be: on a still slower one too much would pass.
const SLOWEST: f64 = 8.0;

/// Does `work`, and fails if its thread runs longer than that each of three times.
///
/// A bound is what the work may take of one core at some 3.5 GHz that does nothing else. On a processor that is
/// slower, or that others share, the bound is longer by as much as pieces of work take longer there that are always
/// the same: what a test finds out is how much there is to do, not what it runs on.
pub fn within<T>(longest: Duration, name: &str, mut work: impl FnMut() -> T) -> T {
    judge(longest, name, || timed(&mut work))
}

fn judge<T>(longest: Duration, name: &str, mut run: impl FnMut() -> (T, Duration)) -> T {
    let mut tries = 1;
    loop {
        let (done, took) = run();
        if env::var_os("CALLOUT_HOSTILE_SHOW").is_some() {
            println!("{name}: {took:?} of {longest:?}");
        }
        if took <= longest {
            return done;
        }
        let pace = pace();
        if took <= longest.mul_f64(pace) {
            return done;
        }
        assert!(tries < TRIES, "{name} took {took:?}, which is more than {longest:?} at a pace of {pace:.1}");
        tries += 1;
    }
}

/// How many times as long as where bounds were set the same work takes now, between one time and [`SLOWEST`].
fn pace() -> f64 {
    slowness().clamp(1.0, SLOWEST)
}

/// How many times as long this thread takes as the machine that bounds were set on: for a piece of work that computes,
/// or for one that waits for memory, whichever is worse. Large values make the one kind of case, small ones the other.
fn slowness() -> f64 {
    computing().max(waiting())
}

fn computing() -> f64 {
    let there = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 25 });
    let ((), here) = timed(|| {
        for round in 0..200 {
            let names = (0..1_000).map(|at| ((at * 7_919 % 1_000).to_string(), at));
            black_box(names.collect::<BTreeMap<String, usize>>().get(&round.to_string()));
        }
    });
    here.div_duration_f64(there)
}

/// Each step tells where the next one is, in more memory than a core has caches for.
fn waiting() -> f64 {
    const PLACES: u32 = 1 << 24;
    const STEPS: usize = 100_000;
    let there = Duration::from_millis(15);
    // A linear congruential generator that comes to all places (Knuth, volume 2, section 3.2.1.2, theorem A).
    let behind = |at: u32| at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) % PLACES;
    let next: Vec<u32> = (0..PLACES).map(behind).collect();
    let (at, here) = timed(|| (0..STEPS).fold(0, |at, _| next.get(at as usize).copied().unwrap_or_default()));
    black_box(at);
    here.div_duration_f64(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Were the work not done, or its time set wrong, each bound would be another than it says.
    #[test]
    fn this_machine_is_of_the_kind_that_bounds_were_set_on() {
        for slowness in [computing(), waiting()] {
            assert!((0.1..SLOWEST).contains(&slowness), "{slowness}");
        }
    }

    #[test]
    #[should_panic(expected = "a loop took")]
    fn what_takes_much_longer_than_its_bound_fails() {
        within(Duration::from_nanos(100), "a loop", || (0..1_000_000).map(black_box).max());
    }

    #[test]
    fn what_takes_too_long_once_is_done_again() {
        let mut times = [Duration::from_secs(100), Duration::from_millis(1)].into_iter();
        let took = judge(Duration::from_millis(2), "a case", || {
            let took = times.next().unwrap();
            (took, took)
        });
        assert_eq!(took, Duration::from_millis(1));
    }
}
