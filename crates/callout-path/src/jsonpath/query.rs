//! A compiled query.

use callout_core::json::Json;

use super::pattern::{Extent, Pattern};
use crate::{
    route::{Hop, Route},
    step::Step,
};

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

    /// As far as it can be told: a descent goes anywhere below, a condition looks at anything there.
    pub(crate) fn route(&self) -> Route {
        if self.segments.iter().any(Segment::asks_for_root) {
            return Route::new();
        }
        self.segments.iter().map_while(Segment::hops).collect()
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
    /// `None` where it cannot be told.
    fn hops(&self) -> Option<Vec<Hop>> {
        let mut hops = Vec::new();
        for selector in self.selectors.iter().filter(|_| !self.descendants) {
            match selector {
                Selector::Step(step) => hops.push(step.hop()),
                Selector::Wildcard => hops.extend([Hop::Members, Hop::Elements]),
                Selector::Slice(_) => hops.push(Hop::Elements),
                Selector::Filter(_) => return None,
            }
        }
        (!self.descendants).then_some(hops)
    }

    fn asks_for_root(&self) -> bool {
        self.selectors.iter().any(|selector| match selector {
            Selector::Filter(filter) => filter.asks_for_root(),
            Selector::Step(_) | Selector::Wildcard | Selector::Slice(_) => false,
        })
    }

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

impl Selector {
    /// Whether it goes over the elements of an array, be it that it takes some of them.
    pub(super) const fn goes_over(&self) -> bool {
        match self {
            Self::Step(_) => false,
            Self::Wildcard | Self::Slice(_) | Self::Filter(_) => true,
        }
    }
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

impl Filter {
    /// Whether it, or a condition in it, looks at more than the node that it is about.
    fn asks_for_root(&self) -> bool {
        match self {
            Self::Any(all) | Self::All(all) => all.iter().any(Self::asks_for_root),
            Self::Not(inner) => inner.asks_for_root(),
            Self::Exists(start, query) => start.asks_for_root(query),
            Self::Present(start, _) => matches!(start, Start::Root),
            Self::Compare(left, _, right) => left.asks_for_root() || right.asks_for_root(),
            Self::Matches { text, pattern, extent: _ } => {
                let pattern = match pattern {
                    PatternOperand::Known(_) => false,
                    PatternOperand::Found(operand) => operand.asks_for_root(),
                };
                pattern || text.asks_for_root()
            }
        }
    }
}

impl Start {
    fn asks_for_root(self, query: &Query) -> bool {
        matches!(self, Self::Root) || query.segments.iter().any(Segment::asks_for_root)
    }
}

impl Operand {
    /// Whether it is the same in all documents, so that nothing is visited for it.
    pub(super) fn is_written(&self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::Length(operand) => operand.is_written(),
            Self::Node(..) | Self::Count(..) | Self::Value(..) => false,
        }
    }

    fn asks_for_root(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Node(start, _) => matches!(start, Start::Root),
            Self::Length(operand) => operand.asks_for_root(),
            Self::Count(start, query) | Self::Value(start, query) => start.asks_for_root(query),
        }
    }
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
