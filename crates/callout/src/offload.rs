//! Where an answer is worked on: at once, where it came in, or on a thread that may take its time.
//!
//! An async runtime's threads serve everybody. Most answers take some microseconds and are worked on there.
//! One that is large, or is not done within [`AT_ONCE`], goes to [`Workers`], where workspaces take turns;
//! and so do the answers of an endpoint that has
//! shown to take long, and params of which it is known beforehand that their check will. Where nothing is made
//! of a large answer but the lines of a text, it is read fast enough to be worked on at once all the same.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use callout_core::{
    Error,
    time::{Deadline, SharedClock},
};
use callout_transport::Workers;

/// How long work may hold up a thread of the async runtime. It looks at the time between steps, each of
/// which is bounded: this is when it begins to end.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Larger bodies are not begun there: reading alone would take as long.
pub(crate) const AT_ONCE_BYTES: usize = 128 << 10;

/// The same where no values are made: a gigabyte a second is what a slow machine does, several what others do.
pub(crate) const LINES_AT_ONCE_BYTES: usize = 1 << 20;

/// How often in a row long work must be quick before it is tried at once again.
const QUICK_IN_A_ROW: u8 = 32;

/// Whether an endpoint's answers have taken long of late.
#[derive(Debug, Default)]
pub(crate) struct Habit {
    /// How often it is still to be quick; 0 if it is expected to be.
    wary: AtomicU8,
}

impl Habit {
    fn is_quick(&self) -> bool {
        self.wary.load(Ordering::Relaxed) == 0
    }

    /// Does what takes as long as its bytes, which are few enough. `None` if that is not expected to be quick:
    /// because it has taken far longer than they need, which tells of a machine that is too slow and not of one
    /// that had something else to do meanwhile.
    pub(crate) fn at_once<T>(&self, clock: &SharedClock, work: impl FnOnce() -> Option<T>) -> Option<T> {
        if !self.is_quick() {
            return None;
        }
        let started = clock.now();
        let done = work();
        if clock.now().saturating_duration_since(started) > AT_ONCE * 8 {
            self.learn(Duration::MAX);
        }
        done
    }

    fn learn(&self, took: Duration) {
        if took > AT_ONCE {
            self.wary.store(QUICK_IN_A_ROW, Ordering::Relaxed);
        } else {
            // Two at once count as one: it is a habit, not a tally.
            self.wary.store(self.wary.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
        }
    }
}

/// Whose work it is, and until when.
#[derive(Clone, Copy)]
pub(crate) struct Offload<'a> {
    pub(crate) workers: &'a Workers,
    pub(crate) clock: &'a SharedClock,
    pub(crate) workspace: &'a str,
    pub(crate) deadline: Deadline,
}

impl Offload<'_> {
    /// Works on an answer with a deadline, and once more on a thread of its own with all the time that there is
    /// if the first was too soon: `is_late` tells. The work gives the same whenever it is done.
    ///
    /// # Errors
    ///
    /// Those of [`Workers::run`].
    pub(crate) async fn run_answer<T: Send + 'static>(
        self,
        habit: &Arc<Habit>,
        is_large: bool,
        work: impl Fn(Deadline) -> T + Send + 'static,
        is_late: impl Fn(&T) -> bool,
    ) -> Result<T, Error> {
        if !is_large && habit.is_quick() {
            let soon = Deadline::after(self.clock, AT_ONCE).min(self.deadline);
            let done = work(soon);
            if !is_late(&done) || soon == self.deadline {
                return Ok(done);
            }
        }
        let (habit, clock, deadline) = (habit.clone(), self.clock.clone(), self.deadline);
        let timed = move || {
            let started = clock.now();
            let done = work(deadline);
            habit.learn(clock.now().saturating_duration_since(started));
            done
        };
        self.workers.run(self.workspace, self.clock, self.deadline, "answer", timed).await
    }

    /// Works on params where it may take its time, from the beginning.
    ///
    /// # Errors
    ///
    /// Those of [`Workers::run`].
    pub(crate) async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        self.workers.run(self.workspace, self.clock, self.deadline, "params", work).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use callout_core::{ErrorKind, time::SteppingClock};
    use callout_transport::system_clock;

    use super::*;

    #[test]
    fn one_slow_answer_makes_wary_and_many_quick_ones_trust() {
        let habit = Habit::default();
        assert!(habit.is_quick());
        habit.learn(AT_ONCE * 2);
        for _ in 0..QUICK_IN_A_ROW {
            assert!(!habit.is_quick());
            habit.learn(AT_ONCE / 2);
        }
        assert!(habit.is_quick());
    }

    #[test]
    fn what_is_done_at_once_is_not_where_it_took_far_too_long() {
        let hands = SteppingClock::new();
        let (clock, habit) = (SharedClock::new(hands.clone()), Habit::default());
        let takes = |milliseconds| {
            habit.at_once(&clock, || {
                hands.advance(Duration::from_millis(milliseconds));
                Some(())
            })
        };
        // Something else may have had its turn meanwhile.
        assert_eq!([takes(0), takes(3), takes(9)], [Some(()); 3]);
        assert_eq!(takes(0), None);
    }

    #[tokio::test]
    async fn who_waits_in_vain_is_told_for_what_and_may_come_again() {
        let (workers, clock) = (Workers::new(1), system_clock());
        let within = |milliseconds| {
            let deadline = Deadline::after(&clock, Duration::from_millis(milliseconds));
            Offload { workers: &workers, clock: &clock, workspace: "a", deadline }
        };
        let (let_go, go) = mpsc::channel::<()>();
        let busy = within(20_000).run(move || go.recv());
        let late = async {
            let params = within(10).run(|| ()).await.unwrap_err();
            let answer = within(10).run_answer(&Arc::default(), true, |_| (), |()| false).await.unwrap_err();
            let_go.send(()).unwrap();
            [(params, "params"), (answer, "answer")]
        };
        let (busy, late) = tokio::join!(busy, late);
        busy.unwrap().unwrap();
        for (error, what) in late {
            assert!(error.kind() == ErrorKind::Timeout && error.is_retryable(), "{error}");
            assert!(error.message().contains(&format!("before its {what} could be worked on")), "{error}");
        }
    }
}
