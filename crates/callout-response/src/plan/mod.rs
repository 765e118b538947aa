//! What of a body the stages of an endpoint look at, compiled with them.
//!
//! Building a value of every byte of an answer is most of what a call costs, and most endpoints want a
//! few fields. A [`Plan`] is made from the first configured stage (what later ones see is what it gives)
//! and from the template's uses of the body: where each of them can lead
//! ([`callout_path::Route`]), all merged into one machine of [`states`], which a body is read by in one
//! pass. What no route leads to is passed over, and checked to be JSON all the same.
//!
//! A mapping of plain dotted paths over an object or a list of objects, which most are, is more: its result
//! is read at once ([`MappedRows`]), and what it is made of is never built. Of a list no more objects are made
//! than can come into the text before it is full; and none where all that the template does is to write a line
//! for each ([`Lines`]).
//!
//! A plan changes no outcome. What it reads is the body without parts that nobody looks at, so that
//! stages give the same values and pay the same for them. Whatever cannot be told beforehand makes the
//! whole body wanted, which is no plan: descents, conditions in a `JSONPath`, a template that uses
//! `response` or a whole `result`. And where a stage fails on what was read, or the body is no JSON or
//! holds a secret, [`Pipeline::run_wanted`](crate::Pipeline::run_wanted) gives nothing, and the
//! caller goes the long way, whose errors know the whole body.

mod rows;
mod states;

use std::cell::Cell;

use callout_core::{
    json::{Json, LoneSurrogates, ReadOptions},
    limits::Limits,
    redact::Redactor,
};
use callout_path::Route;

pub(crate) use self::rows::{MappedRows, TextRoom};
use self::states::{At, States};
use crate::template::Lines;

/// One place that a stage looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) route: Route,
    pub(crate) end: End,
}

/// What is looked at where a route ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All that stands there.
    Whole,
    /// That something stands there, and under which name.
    Place,
}

impl Reach {
    pub(crate) fn whole(route: Route) -> Self {
        Self { route, end: End::Whole }
    }
}

/// See [the module](self).
#[derive(Debug)]
pub(crate) struct Plan {
    states: States,
    rows: Option<MappedRows>,
}

/// As much of a body as is wanted.
#[derive(Debug)]
pub(crate) enum Part {
    Body {
        body: Json,
        /// Members of the largest object of which some were left out.
        widest: usize,
    },
    /// What the mapping makes of it.
    Mapped {
        result: Json,
        /// Whether all elements are there, also those that the text has no room for.
        is_whole: bool,
    },
}

impl Plan {
    /// `None` if the whole body is wanted, or the places are too many to be worth it.
    pub(crate) fn compile(reaches: &[Reach], rows: Option<MappedRows>) -> Option<Self> {
        States::compile(reaches).map(|states| Self { states, rows })
    }

    /// The rows that the template makes lines of, and how it does.
    pub(crate) fn lines(&self) -> Option<(&MappedRows, &Lines)> {
        let rows = self.rows.as_ref()?;
        Some((rows, rows.lines()?))
    }

    /// Reads what is wanted of a body that holds no secret as it is written. `None` if it is not JSON within the
    /// limits, or a secret stands in it in escapes: a name that is masked is another name.
    pub(crate) fn read(&self, bytes: &[u8], limits: &Limits, redactor: &Redactor) -> Option<Part> {
        watching_for(redactor, |may_pass| {
            if let Some(rows) = &self.rows
                && let Some(mapped) = rows.read(bytes, options(limits), may_pass).ok()?
            {
                return Some(Part::Mapped { result: mapped.rows, is_whole: mapped.is_whole });
            }
            let widest = Cell::new(0);
            let body = options(limits).read_wanted(bytes, At::start(&self.states, &widest), may_pass).ok()?;
            Some(Part::Body { body, widest: widest.get() })
        })
    }
}

/// Gives a reader what it needs to stop at a secret that is written with escapes.
pub(crate) fn watching_for<T>(redactor: &Redactor, read: impl FnOnce(Option<&dyn Fn(&str) -> bool>) -> T) -> T {
    let may_pass = |text: &str| !redactor.may_match(text.as_bytes());
    read(if redactor.is_empty() { None } else { Some(&may_pass) })
}

/// How bodies are read.
pub(crate) fn options(limits: &Limits) -> ReadOptions {
    ReadOptions { max_depth: limits.max_json_depth, lone_surrogates: LoneSurrogates::Replace, ..ReadOptions::default() }
}
