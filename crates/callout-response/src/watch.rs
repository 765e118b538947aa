//! The call's deadline, looked at between steps that each take a bounded time.

use std::fmt::Display;

use callout_core::{
    Error, ErrorKind,
    limits::Limits,
    time::{Deadline, SharedClock},
};
use callout_path::{TooMuch, Visits};

/// The clock and the deadline of a call.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// Tells the time.
    pub clock: &'a SharedClock,
    /// When the call must have ended.
    pub deadline: Deadline,
}

impl<'a> Watch<'a> {
    /// What all paths of an endpoint may visit, until then.
    pub(crate) fn visits(&self, limits: &Limits) -> Visits<'a> {
        Visits::new(limits).with_deadline(self.clock, self.deadline)
    }

    /// Whether the deadline has passed.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.remaining(self.clock).is_zero()
    }

    /// Fails once the deadline has passed, naming the stage.
    pub(crate) fn check(&self, stage: &str) -> Result<(), Error> {
        if self.is_over() { Err(ended(stage, TooMuch::Time)) } else { Ok(()) }
    }
}

/// Why what stands at `place` in an endpoint ended before its end.
pub(crate) fn ended(place: impl Display, error: TooMuch) -> Error {
    let kind = match error {
        TooMuch::OnePath(_) | TooMuch::Together(_) => ErrorKind::LimitExceeded,
        TooMuch::Time => ErrorKind::Timeout,
    };
    Error::new(kind, format!("{place}: {error}"))
}
