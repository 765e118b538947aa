//! How much work one look-up may do.

use callout_core::limits::Limits;
use thiserror::Error;

/// One path visited more nodes of one body than [`Limits::max_path_matches`] allows.
///
/// Every node that is looked at counts each time: a child that a wildcard, a slice, a filter or a
/// descent goes over, a member that a name finds, a step in a condition, a node that two values are
/// compared by. Long texts that are measured, compared or matched count as more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a path visits more than {0} nodes of one body; make it more specific, or ask the API for less")]
pub struct TooManyNodes(
    /// How many nodes a path may visit.
    pub usize,
);

/// Bytes of text that cost as much as one node when they are only compared or counted.
const BYTES_PER_NODE: usize = 1024;

/// What is left of the nodes that a look-up may visit.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    limit: usize,
}

impl Budget {
    pub(crate) const fn new(limits: &Limits) -> Self {
        Self { left: limits.max_path_matches, limit: limits.max_path_matches }
    }

    /// Pays for visiting that many nodes.
    pub(crate) const fn take(&mut self, nodes: usize) -> Result<(), TooManyNodes> {
        match self.left.checked_sub(nodes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(TooManyNodes(self.limit)),
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
        assert_eq!(budget.take(1), Err(TooManyNodes(3)));
    }
}
