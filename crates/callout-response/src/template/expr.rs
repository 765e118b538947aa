//! The form of expressions. Chains of one operator, of dots, calls and filters are flat lists, so
//! that only what the writer nests in brackets nests here.

use callout_core::json::{Json, SmolStr};

use super::{
    filters::Filter,
    ops::{Arith, Compare},
    predicates::Test,
};

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Const(Json),
    List(Vec<Self>),
    Map(Vec<(Self, Self)>),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Negate(Box<Self>),
    Compare(Box<Self>, Vec<(Compare, Self)>),
    Arith(Box<Self>, Vec<(Arith, Self)>),
    Concat(Vec<Self>),
    If(Box<Branches>),
    Chain(Box<Chain>),
}

/// `then if test else other`
#[derive(Clone, Debug)]
pub(super) struct Branches {
    pub(super) then: Expr,
    pub(super) test: Expr,
    pub(super) other: Option<Expr>,
}

/// A value and what is done to it, one step after the other.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) root: Root,
    pub(super) steps: Vec<Step>,
    /// Where it begins in the source, for messages.
    pub(super) start: usize,
    /// Where the root ends.
    pub(super) end: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Root {
    Name(SmolStr),
    Loop(&'static str),
    Cycle(Vec<Expr>),
    Range(Vec<Expr>),
    Value(Expr),
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    pub(super) end: usize,
}

#[derive(Clone, Debug)]
pub(super) enum StepKind {
    Attr(SmolStr),
    Item(Expr),
    Slice(Box<[Option<Expr>; 3]>),
    Method(&'static str, Vec<Expr>),
    Filter(&'static Filter, Args),
    Test { test: &'static Test, args: Vec<Expr>, negated: bool },
}

/// The arguments of a filter: one place for each that it names, then the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Args {
    /// The filter that `map` applies to each element, if its name stands there: the others are that one's arguments.
    pub(super) mapped: Option<&'static Filter>,
    pub(super) named: Vec<Option<Expr>>,
    pub(super) rest: Vec<Expr>,
}
