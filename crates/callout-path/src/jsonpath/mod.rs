//! `JSONPath` (RFC 9535): read by [`scan`] into a [`skeleton`], parsed by jsonpath-rust, checked and
//! compiled by [`compile`], walked by [`eval`] with its conditions decided by [`filter`].

mod compile;
mod eval;
mod filter;
mod literal;
mod pattern;
mod query;
mod scan;
mod sink;
mod skeleton;

use callout_core::{json::Json, limits::Limits};
pub(crate) use pattern::Account;
pub(crate) use query::Query;

use self::{
    eval::Eval,
    sink::{Collect, Select, Sink},
};
use crate::{
    budget::{Budget, TooMuch},
    error::PathError,
    mask::Mask,
};

impl Query {
    /// Compiles a text that begins with `$`.
    pub(crate) fn parse(text: &str, limits: &Limits, account: &mut Account<'_>) -> Result<Self, PathError> {
        compile::compile(text, limits, account)
    }

    /// The nodes that the query selects, in its order, each as often as it is selected.
    pub(crate) fn nodes<'a>(&'a self, root: &'a Json, budget: &mut Budget<'_>) -> Result<Vec<&'a Json>, TooMuch> {
        let mut found = Collect::default();
        self.walk(root, budget, &mut found)?;
        Ok(found.nodes)
    }

    /// Marks every node that the query selects.
    pub(crate) fn select(&self, root: &Json, mask: &mut Mask, budget: &mut Budget<'_>) -> Result<(), TooMuch> {
        self.walk(root, budget, &mut Select::new(root, mask))
    }

    fn walk<'a>(&'a self, root: &'a Json, budget: &mut Budget<'_>, sink: &mut impl Sink<'a>) -> Result<(), TooMuch> {
        let mut eval = Eval::new(root, *budget);
        eval.all(&self.segments, root, sink)?;
        *budget = eval.budget;
        Ok(())
    }
}
