//! Runs what is made to hurt where it hurts nobody: in a child process with bounded memory, on a thread
//! with a small stack. What each case takes of CPU and memory is measured there and judged here.
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

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

#[cfg(target_os = "linux")]
pub use child::{Seen, Suite, case, child};

/// How long this thread has run, which is not how long it waited for a processor.
pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Does `work`, and tells how long its thread ran for it.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = cpu_time();
    let done = work();
    (done, cpu_time().saturating_sub(started))
}
