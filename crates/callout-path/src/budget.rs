//! How much work look-ups may do, and until when: each alone, and all of one evaluation together.

use callout_core::{
    json::Number,
    limits::Limits,
    time::{Deadline, SharedClock},
};
use thiserror::Error;

/// Paths have more to do with one body than [`Limits`] allow, or than there is time for.
///
/// Work is counted in nodes. Every node that is looked at counts each time: a child that a wildcard, a slice, a filter
/// or a descent goes over, a member that a name finds, a node that two values are compared by. Each path in a condition
/// counts as many as it has steps, and `@` and `$` alone count one; so does a condition that asks for no path. What
/// takes longer counts as more than one: to measure, compare or match a long text, to look for a name of 32 bytes or
/// more, to compare a number of more than 19 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooMuch {
    /// One path visits more than [`Limits::max_path_matches`], which stands here.
    #[error(
        "a path visits more than {0} nodes of one body (`max_path_matches`); make it more specific, or ask the API \
         for less"
    )]
    OnePath(usize),
    /// The paths of an evaluation together visit more than [`Limits::max_total_path_matches`], which
    /// stands here.
    #[error(
        "the paths up to this one visit more than {0} nodes of one body together (`max_total_path_matches`); use \
         fewer paths, make them more specific, or ask the API for less"
    )]
    Together(usize),
    /// The deadline of [`Visits::with_deadline`] passed before a path had ended.
    #[error("the call's time was over before it had ended")]
    Time,
}

/// The nodes that the paths of one evaluation may visit: so many each, and so many together.
///
/// ```
/// use callout_core::{json::Json, limits::Limits};
/// use callout_path::{Path, TooMuch, Visits};
///
/// let mut limits = Limits::default();
/// limits.max_total_path_matches = 5;
/// let path = Path::parse("$[*]", &limits)?;
/// let body = Json::parse("[1, 2, 3]")?;
/// let mut visits = Visits::new(&limits);
/// assert!(path.value_within(&body, &mut visits).is_ok());
/// assert_eq!(path.value_within(&body, &mut visits).map(drop), Err(TooMuch::Together(5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Visits<'w> {
    left: usize,
    each: usize,
    together: usize,
    deadline: Option<(&'w SharedClock, Deadline)>,
}

impl<'w> Visits<'w> {
    /// As many as the limits allow.
    pub const fn new(limits: &Limits) -> Self {
        Self {
            left: limits.max_total_path_matches,
            each: limits.max_path_matches,
            together: limits.max_total_path_matches,
            deadline: None,
        }
    }

    /// With a deadline, which is looked at while a path visits many nodes: for each thousand once. Who asks for a
    /// path looks at it before.
    #[must_use]
    pub const fn with_deadline(mut self, clock: &'w SharedClock, deadline: Deadline) -> Self {
        self.deadline = Some((clock, deadline));
        self
    }

    /// How many one path may visit: [`Limits::max_path_matches`].
    pub const fn each(&self) -> usize {
        self.each
    }

    /// Looks one path up, within what is left.
    pub(crate) fn path<T>(
        &mut self,
        look_up: impl FnOnce(&mut Budget<'w>) -> Result<T, TooMuch>,
    ) -> Result<T, TooMuch> {
        let (most, over) = if self.left < self.each {
            (self.left, TooMuch::Together(self.together))
        } else {
            (self.each, TooMuch::OnePath(self.each))
        };
        let mut budget = Budget::within(most, over, self.deadline);
        let found = look_up(&mut budget);
        // A path that failed has used up what it had.
        self.left -= if found.is_ok() { most - budget.left() } else { most };
        found
    }
}

/// Nodes between two looks at the clock: half a millisecond at most, as a rule some microseconds.
const BETWEEN_LOOKS: usize = 1_000;

/// Bytes of text that cost as much as one node when they are only compared or counted.
const BYTES_PER_NODE: usize = 1024;

/// Bytes of a name that cost as much as one node when it is looked for: it may be compared with hundreds of others. How
/// many there are is not asked, so that a part of a body costs what the whole does.
const NAME_BYTES_PER_NODE: usize = 32;

/// Digits of a number that cost as much as one node when they are calculated with.
const DIGITS_PER_NODE: usize = 16;

/// No number has more digits that are calculated with; those beyond are only read.
const MOST_DIGITS: usize = 1_088;

/// What is left of the nodes that a look-up may visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget<'w> {
    /// Those until the clock is looked at.
    soon: usize,
    /// Those behind them.
    later: usize,
    over: TooMuch,
    deadline: Option<(&'w SharedClock, Deadline)>,
}

impl<'w> Budget<'w> {
    #[cfg(test)]
    pub(crate) fn new(limits: &Limits) -> Self {
        Self::within(limits.max_path_matches, TooMuch::OnePath(limits.max_path_matches), None)
    }

    fn within(most: usize, over: TooMuch, deadline: Option<(&'w SharedClock, Deadline)>) -> Self {
        let soon = most.min(BETWEEN_LOOKS);
        Self { soon, later: most - soon, over, deadline }
    }

    const fn left(&self) -> usize {
        self.soon + self.later
    }

    /// Pays for visiting that many nodes.
    #[inline]
    pub(crate) fn take(&mut self, nodes: usize) -> Result<(), TooMuch> {
        match self.soon.checked_sub(nodes) {
            Some(soon) => {
                self.soon = soon;
                Ok(())
            }
            None => self.take_later(nodes),
        }
    }

    #[cold]
    fn take_later(&mut self, nodes: usize) -> Result<(), TooMuch> {
        let left = self.left().checked_sub(nodes).ok_or(self.over)?;
        *self = Self::within(left, self.over, self.deadline);
        match self.deadline {
            Some((clock, deadline)) if deadline.remaining(clock).is_zero() => Err(TooMuch::Time),
            _ => Ok(()),
        }
    }

    /// Pays for reading a text once; short ones are free, their node is paid for.
    pub(crate) fn read(&mut self, bytes: usize) -> Result<(), TooMuch> {
        self.take(bytes / BYTES_PER_NODE)
    }

    /// Pays for looking for a name; short ones are free, as above.
    pub(crate) fn look_for(&mut self, name: &str) -> Result<(), TooMuch> {
        self.take(name.len() / NAME_BYTES_PER_NODE)
    }

    /// Pays for finding out what a number means; it is free if it has no more digits than others have.
    pub(crate) fn calculate(&mut self, number: &Number) -> Result<(), TooMuch> {
        let digits = Number::slow_digits(number.as_str());
        self.take(digits.min(MOST_DIGITS) / DIGITS_PER_NODE + digits / BYTES_PER_NODE)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use callout_core::time::{Clock, SteppingClock};

    use super::*;

    #[test]
    fn the_limit_itself_is_allowed() {
        let mut limits = Limits::default();
        limits.max_path_matches = 3;
        let mut budget = Budget::new(&limits);
        assert_eq!(budget.take(2), Ok(()));
        assert_eq!(budget.read(2 * BYTES_PER_NODE - 1), Ok(()));
        assert_eq!(budget.take(0), Ok(()));
        assert_eq!(budget.take(1), Err(TooMuch::OnePath(3)));
    }

    #[test]
    fn what_lies_behind_a_look_at_the_clock_counts_as_well() {
        let mut limits = Limits::default();
        limits.max_path_matches = 3 * BETWEEN_LOOKS;
        for step in [1, 7, BETWEEN_LOOKS - 1, BETWEEN_LOOKS, BETWEEN_LOOKS + 1, limits.max_path_matches] {
            let mut budget = Budget::new(&limits);
            let steps = limits.max_path_matches / step;
            assert_eq!((0..steps).try_for_each(|_| budget.take(step)), Ok(()), "{step}");
            assert_eq!(budget.left(), limits.max_path_matches - steps * step);
            assert_eq!(budget.take(step), Err(TooMuch::OnePath(limits.max_path_matches)), "{step}");
        }
    }

    #[test]
    fn what_takes_longer_costs_more_than_one() {
        let cost = |pay: &dyn Fn(&mut Budget<'_>) -> Result<(), TooMuch>| {
            let mut budget = Budget::new(&Limits::default());
            pay(&mut budget).map(|()| Limits::default().max_path_matches - budget.left())
        };
        let number = |text: &str| Number::from_text(text).unwrap();
        for (text, nodes) in [
            ("9.5", 0),
            ("-0.30000000000000004", 0),
            ("9007199254740993.0000001", 1),
            ("1.0000000000000001268e300", 21),
            ("7".repeat(1_000).as_str(), 62),
            ("7".repeat(100_000).as_str(), 68 + 97),
        ] {
            assert_eq!(cost(&|budget| budget.calculate(&number(text))), Ok(nodes), "{text}");
        }
        assert_eq!(cost(&|budget| budget.look_for("customfield_10010")), Ok(0));
        assert_eq!(cost(&|budget| budget.look_for(&"k".repeat(900))), Ok(28));
    }

    #[test]
    fn the_deadline_is_looked_at_while_nodes_are_visited() {
        let clock = SteppingClock::new();
        let deadline = Deadline::at(clock.now() + Duration::from_secs(3));
        let seconds = clock.with_step(Duration::from_secs(1));
        let clock = SharedClock::new(seconds.clone());
        let mut visits = Visits::new(&Limits::default()).with_deadline(&clock, deadline);
        let mut path = |nodes: usize| visits.path(|budget| (0..nodes).try_for_each(|_| budget.take(1)));
        assert_eq!(path(BETWEEN_LOOKS), Ok(()));
        assert_eq!(seconds.passed(), Duration::ZERO, "a short path does not pay for it");
        assert_eq!(path(5 * BETWEEN_LOOKS), Err(TooMuch::Time));
        assert_eq!(seconds.passed(), Duration::from_secs(4), "a second for each look");
    }

    #[test]
    fn paths_share_what_there_is() {
        let mut limits = Limits::default();
        (limits.max_path_matches, limits.max_total_path_matches) = (4, 10);
        let mut visits = Visits::new(&limits);
        let mut path = |nodes| visits.path(|budget| budget.take(nodes));
        assert_eq!([path(4), path(3)], [Ok(()), Ok(())]);
        // Three are left, which is less than one may have.
        assert_eq!([path(3), path(1)], [Ok(()), Err(TooMuch::Together(10))]);
        let mut visits = Visits::new(&limits);
        let mut path = |nodes| visits.path(|budget| budget.take(nodes));
        assert_eq!([path(5), path(4), path(2)], [Err(TooMuch::OnePath(4)), Ok(()), Ok(())]);
        assert_eq!(path(1), Err(TooMuch::Together(10)));
    }
}
