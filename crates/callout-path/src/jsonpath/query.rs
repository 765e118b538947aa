//! A compiled query.

use callout_core::json::Json;

use super::pattern::{Extent, Pattern};
use crate::step::Step;

/// A query: what each segment selects from the nodes of the one before it.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(super) segments: Box<[Segment]>,
}

impl Query {
    /// The steps, if this is a singular query (RFC 9535 section 2.3.5.1): it selects one node at most.
    pub(crate) fn steps(&self) -> Option<Vec<Step>> {
        self.segments.iter().map(Segment::step).collect()
    }
}

/// Section 2.5.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Whether it selects from the node's descendants (and the node itself) or from the node.
    pub(super) descendants: bool,
    pub(super) selectors: Box<[Selector]>,
}

impl Segment {
    fn step(&self) -> Option<Step> {
        match &*self.selectors {
            [Selector::Step(step)] if !self.descendants => Some(step.clone()),
            _ => None,
        }
    }
}

/// Section 2.3.
#[derive(Clone, Debug)]
pub(super) enum Selector {
    Step(Step),
    Wildcard,
    Slice(Slice),
    Filter(Filter),
}

/// Section 2.3.4.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) step: i64,
}

/// A condition on a node (section 2.3.5).
#[derive(Clone, Debug)]
pub(super) enum Filter {
    Any(Box<[Filter]>),
    All(Box<[Filter]>),
    Not(Box<Filter>),
    Exists(Start, Query),
    /// The same of a singular query, which needs no walk.
    Present(Start, Box<[Step]>),
    Compare(Operand, Operator, Operand),
    Matches {
        text: Operand,
        pattern: PatternOperand,
        extent: Extent,
    },
}

/// Where a query in a condition begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// `$`
    Root,
    /// `@`
    Current,
}

/// What is compared, or handed to a function that takes a value: one value or nothing.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Literal(Json),
    /// A singular query.
    Node(Start, Box<[Step]>),
    /// `length(…)`
    Length(Box<Operand>),
    /// `count(…)`
    Count(Start, Query),
    /// `value(…)`
    Value(Start, Query),
}

#[derive(Clone, Debug)]
pub(super) enum PatternOperand {
    /// Written in the query, compiled with it.
    Known(Pattern),
    /// Known when the document is.
    Found(Operand),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
