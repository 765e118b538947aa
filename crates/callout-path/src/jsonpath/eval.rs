//! The walk over a document (RFC 9535 sections 2.3 to 2.5): depth first, which is the order in
//! which the standard lists nodes.
//!
//! It recurses once for each segment, which the length of a path bounds and which goes one level
//! down each; descents, which go down as far as the document does, keep a list.

use callout_core::json::Json;

use super::{
    filter::Patterns,
    query::{Segment, Selector, Slice},
    sink::Sink,
};
use crate::{
    budget::{Budget, TooMuch},
    step::{child, children},
};

/// Why a walk ends before its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// The sink has what it wants.
    Enough,
    TooMuch(TooMuch),
}

impl From<TooMuch> for Halt {
    fn from(error: TooMuch) -> Self {
        Self::TooMuch(error)
    }
}

type Walk = Result<(), Halt>;

/// One evaluation of one query over one document.
pub(super) struct Eval<'a, 'w> {
    /// What `$` means.
    pub(super) root: &'a Json,
    pub(super) budget: Budget<'w>,
    pub(super) patterns: Patterns,
    /// The containers that descents are in, innermost last, each with its next child.
    descents: Vec<(&'a Json, usize)>,
}

impl<'a, 'w> Eval<'a, 'w> {
    pub(super) const fn new(root: &'a Json, budget: Budget<'w>) -> Self {
        Self { root, budget, patterns: Patterns::new(), descents: Vec::new() }
    }

    /// Hands all nodes to `sink` that the segments select from `node`, until it has enough.
    pub(super) fn all(
        &mut self,
        segments: &'a [Segment],
        node: &'a Json,
        sink: &mut impl Sink<'a>,
    ) -> Result<(), TooMuch> {
        let outer = self.descents.len();
        let outcome = self.segments(segments, node, sink);
        // A walk that was halted has not come back up.
        self.descents.truncate(outer);
        match outcome {
            Ok(()) | Err(Halt::Enough) => Ok(()),
            Err(Halt::TooMuch(error)) => Err(error),
        }
    }

    fn segments(&mut self, segments: &'a [Segment], node: &'a Json, sink: &mut impl Sink<'a>) -> Walk {
        let Some((segment, rest)) = segments.split_first() else { return sink.found(node) };
        if segment.descendants {
            self.descend(&segment.selectors, node, rest, sink)
        } else {
            self.select(&segment.selectors, node, rest, sink)
        }
    }

    /// Selects from `node` and all nodes below it, parents first.
    fn descend(
        &mut self,
        selectors: &'a [Selector],
        node: &'a Json,
        rest: &'a [Segment],
        sink: &mut impl Sink<'a>,
    ) -> Walk {
        if children(node) == 0 {
            // Where it begins alone: below, it goes everywhere.
            if matches!(node, Json::Array(_)) {
                sink.empty();
            }
            return Ok(());
        }
        let outer = self.descents.len();
        self.select(selectors, node, rest, sink)?;
        self.descents.push((node, 0));
        while let Some((parent, next)) = self.descents.last_mut() {
            let position = *next;
            let Some(node) = child(parent, position) else {
                self.descents.pop();
                if self.descents.len() == outer {
                    break;
                }
                sink.leave();
                continue;
            };
            *next += 1;
            self.budget.take(1)?;
            // A node without children has nothing to select from.
            if children(node) > 0 {
                sink.enter(position);
                self.select(selectors, node, rest, sink)?;
                self.descents.push((node, 0));
            }
        }
        Ok(())
    }

    /// Selects from the children of `node`.
    fn select(
        &mut self,
        selectors: &'a [Selector],
        node: &'a Json,
        rest: &'a [Segment],
        sink: &mut impl Sink<'a>,
    ) -> Walk {
        // Looking for one name costs nothing if it is not there; a list of them is no free repetition.
        self.budget.take(selectors.len().saturating_sub(1))?;
        if let Json::Array(elements) = node
            && elements.is_empty()
            && selectors.iter().any(Selector::goes_over)
        {
            sink.empty();
        }
        for selector in selectors {
            match selector {
                Selector::Step(step) => {
                    if let Some((position, child)) = step.find_within(node, &mut self.budget)? {
                        self.child(position, child, rest, sink)?;
                    }
                }
                Selector::Wildcard => {
                    let mut position = 0;
                    while let Some(child) = child(node, position) {
                        self.child(position, child, rest, sink)?;
                        position += 1;
                    }
                }
                Selector::Slice(slice) => {
                    if let Json::Array(elements) = node {
                        for position in slice.positions(elements.len()) {
                            if let Some(child) = elements.get(position) {
                                self.child(position, child, rest, sink)?;
                            }
                        }
                    }
                }
                Selector::Filter(filter) => {
                    let mut position = 0;
                    while let Some(child) = child(node, position) {
                        self.budget.take(1)?;
                        if self.holds(filter, child)? {
                            sink.enter(position);
                            self.segments(rest, child, sink)?;
                            sink.leave();
                        }
                        position += 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn child(&mut self, position: usize, child: &'a Json, rest: &'a [Segment], sink: &mut impl Sink<'a>) -> Walk {
        self.budget.take(1)?;
        sink.enter(position);
        self.segments(rest, child, sink)?;
        sink.leave();
        Ok(())
    }
}

impl Slice {
    /// The positions of a slice in an array of that length (section 2.3.4.2.2), in its order.
    fn positions(self, length: usize) -> impl Iterator<Item = usize> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let from_start = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
        let (first, end) = match self.step {
            0 => (0, 0),
            1.. => {
                let start = self.start.map_or(0, |index| from_start(index).clamp(0, length));
                (start, self.end.map_or(length, |index| from_start(index).clamp(0, length)))
            }
            _ => {
                let start = self.start.map_or(length - 1, |index| from_start(index).clamp(-1, length - 1));
                (start, self.end.map_or(-1, |index| from_start(index).clamp(-1, length - 1)))
            }
        };
        let step = self.step;
        let inside = move |at: &i64| if step > 0 { *at < end } else { *at > end };
        std::iter::successors(Some(first), move |at| at.checked_add(step))
            .take_while(inside)
            .map_while(|at| usize::try_from(at).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices() {
        type Row = (Option<i64>, Option<i64>, i64, &'static [usize]);
        let table: [Row; 16] = [
            (None, None, 1, &[0, 1, 2, 3, 4]),
            (Some(1), Some(3), 1, &[1, 2]),
            (Some(1), None, 2, &[1, 3]),
            (Some(-2), None, 1, &[3, 4]),
            (None, Some(-2), 1, &[0, 1, 2]),
            (Some(-9), Some(9), 3, &[0, 3]),
            (Some(3), Some(1), 1, &[]),
            (None, None, -1, &[4, 3, 2, 1, 0]),
            (Some(3), Some(0), -1, &[3, 2, 1]),
            (Some(9), Some(-9), -2, &[4, 2, 0]),
            (Some(-1), Some(-3), -1, &[4, 3]),
            (Some(1), Some(3), -1, &[]),
            (None, None, 0, &[]),
            (Some(i64::MIN), Some(i64::MAX), i64::MAX, &[0]),
            (Some(i64::MAX), Some(i64::MIN), i64::MIN, &[4]),
            (Some(5), None, 1, &[]),
        ];
        for (start, end, step, expected) in table {
            let slice = Slice { start, end, step };
            assert_eq!(slice.positions(5).collect::<Vec<_>>(), expected, "{slice:?}");
            assert_eq!(slice.positions(0).count(), 0, "{slice:?}");
        }
    }
}
