//! How far the schemas of one operation are looked through.

use std::cell::Cell;

/// Schemas, and names of their members, that are looked at for one operation. The largest of Stripe's takes some 800.
const MAX_STEPS: usize = 10_000;

/// What is left of the steps. Combinations within each other are a tree: its depth alone bounds nothing.
#[derive(Debug)]
pub(crate) struct Steps(
    /// `None` once more were wanted than there were.
    Cell<Option<usize>>,
);

impl Default for Steps {
    fn default() -> Self {
        Self(Cell::new(Some(MAX_STEPS)))
    }
}

impl Steps {
    /// Takes so many; `false` if there are not so many any more, and from then on.
    pub(crate) fn take(&self, count: usize) -> bool {
        let left = self.0.get().and_then(|left| left.checked_sub(count));
        self.0.set(left);
        left.is_some()
    }

    /// Whether something was not looked at.
    pub(crate) fn were_too_few(&self) -> bool {
        self.0.get().is_none()
    }
}
