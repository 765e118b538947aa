//! The call's deadline, looked at between steps that each take a bounded time.

use callout_core::{
    Error, ErrorKind,
    time::{Deadline, SharedClock},
};

/// The clock and the deadline of a call.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// Tells the time.
    pub clock: &'a SharedClock,
    /// When the call must have ended.
    pub deadline: Deadline,
}

impl Watch<'_> {
    /// Whether the deadline has passed.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.remaining(self.clock).is_zero()
    }

    /// Fails once the deadline has passed, naming the stage.
    pub(crate) fn check(&self, stage: &str) -> Result<(), Error> {
        if self.is_over() {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!("{stage}: the call's time was over before it had ended"),
            ));
        }
        Ok(())
    }
}
