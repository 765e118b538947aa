//! How much work look-ups may do: each alone, and all of one evaluation together.

use callout_core::limits::Limits;
use thiserror::Error;

/// Paths visited more nodes of one body than [`Limits`] allow.
///
/// Every node that is looked at counts each time: a child that a wildcard, a slice, a filter or a
/// descent goes over, a member that a name finds, a step in a condition, a node that two values are
/// compared by. Long texts that are measured, compared or matched count as more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooManyNodes {
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
}

/// The nodes that the paths of one evaluation may visit: so many each, and so many together.
///
/// ```
/// use callout_core::{json::Json, limits::Limits};
/// use callout_path::{Path, TooManyNodes, Visits};
///
/// let mut limits = Limits::default();
/// limits.max_total_path_matches = 5;
/// let path = Path::parse("$[*]", &limits)?;
/// let body = Json::parse("[1, 2, 3]")?;
/// let mut visits = Visits::new(&limits);
/// assert!(path.value_within(&body, &mut visits).is_ok());
/// assert_eq!(path.value_within(&body, &mut visits).map(drop), Err(TooManyNodes::Together(5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Visits {
    left: usize,
    each: usize,
    together: usize,
}

impl Visits {
    /// As many as the limits allow.
    pub const fn new(limits: &Limits) -> Self {
        Self {
            left: limits.max_total_path_matches,
            each: limits.max_path_matches,
            together: limits.max_total_path_matches,
        }
    }

    /// How many one path may visit: [`Limits::max_path_matches`].
    pub const fn each(&self) -> usize {
        self.each
    }

    /// Looks one path up, within what is left.
    pub(crate) fn path<T>(
        &mut self,
        look_up: impl FnOnce(&mut Budget) -> Result<T, TooManyNodes>,
    ) -> Result<T, TooManyNodes> {
        let (most, over) = if self.left < self.each {
            (self.left, TooManyNodes::Together(self.together))
        } else {
            (self.each, TooManyNodes::OnePath(self.each))
        };
        let mut budget = Budget { left: most, over };
        let found = look_up(&mut budget);
        // A path that failed has used up what it had.
        self.left -= if found.is_ok() { most - budget.left } else { most };
        found
    }
}

/// Bytes of text that cost as much as one node when they are only compared or counted.
const BYTES_PER_NODE: usize = 1024;

/// What is left of the nodes that a look-up may visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    left: usize,
    over: TooManyNodes,
}

impl Budget {
    #[cfg(test)]
    pub(crate) const fn new(limits: &Limits) -> Self {
        Self { left: limits.max_path_matches, over: TooManyNodes::OnePath(limits.max_path_matches) }
    }

    /// Pays for visiting that many nodes.
    pub(crate) const fn take(&mut self, nodes: usize) -> Result<(), TooManyNodes> {
        match self.left.checked_sub(nodes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.over),
        }
    }

    /// Pays for reading a text once; short ones are free, their node is paid for.
    pub(crate) const fn read(&mut self, bytes: usize) -> Result<(), TooManyNodes> {
        self.take(bytes / BYTES_PER_NODE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed() {
        let mut limits = Limits::default();
        limits.max_path_matches = 3;
        let mut budget = Budget::new(&limits);
        assert_eq!(budget.take(2), Ok(()));
        assert_eq!(budget.read(2 * BYTES_PER_NODE - 1), Ok(()));
        assert_eq!(budget.take(0), Ok(()));
        assert_eq!(budget.take(1), Err(TooManyNodes::OnePath(3)));
    }

    #[test]
    fn paths_share_what_there_is() {
        let mut limits = Limits::default();
        (limits.max_path_matches, limits.max_total_path_matches) = (4, 10);
        let mut visits = Visits::new(&limits);
        let mut path = |nodes| visits.path(|budget| budget.take(nodes));
        assert_eq!([path(4), path(3)], [Ok(()), Ok(())]);
        // Three are left, which is less than one may have.
        assert_eq!([path(3), path(1)], [Ok(()), Err(TooManyNodes::Together(10))]);
        let mut visits = Visits::new(&limits);
        let mut path = |nodes| visits.path(|budget| budget.take(nodes));
        assert_eq!([path(5), path(4), path(2)], [Err(TooManyNodes::OnePath(4)), Ok(()), Ok(())]);
        assert_eq!(path(1), Err(TooManyNodes::Together(10)));
    }
}
