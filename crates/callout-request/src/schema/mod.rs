//! The `input_schema` of an endpoint: compiled once, without ever fetching anything, and bounded in
//! what it can cost.
//!
//! JSON Schema 2020-12 unless `$schema` names draft 4, 6, 7 or 2019-09. `$ref` goes to places of the
//! same schema only (`#`, `#/$defs/name`, `#anchor`). `format` is an annotation in every draft.
//! `pattern` runs on an engine of linear time, so that look-around and back-references are faults.

mod cost;
mod graph;
mod violation;
mod walk;

use callout_core::{
    Error, ErrorKind,
    fault::{FaultCode, Faults},
    json::{Json, Object},
    limits::Limits,
};
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::bounds::{self, Excess};
use cost::Cost;
use graph::Graph;

/// What is shared between the patterns of one schema, in bytes of compiled patterns.
const PATTERN_BYTES: usize = 4 << 20;
/// Bytes that the search through one pattern may remember.
const PATTERN_CACHE_BYTES: usize = 256 << 10;
/// Violations that one call lists.
const MAX_VIOLATIONS: usize = 50;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct InputSchema {
    /// `None` for `{}`, which takes anything.
    checker: Option<Checker>,
}

#[derive(Debug)]
struct Checker {
    validator: Validator,
    graph: Graph,
}

impl InputSchema {
    /// Compiles a schema; the caller stands at the endpoint.
    pub(crate) fn compile(schema: &Object, limits: &Limits, faults: &mut Faults) -> Option<Self> {
        if schema.is_empty() {
            return Some(Self { checker: None });
        }
        faults.field("input_schema", |faults| {
            let schema = Json::Object(schema.clone());
            if let Err(excess) = bounds::within(&schema, limits.max_json_depth, limits.max_schema_bytes) {
                let message = match excess {
                    Excess::Depth => format!("must not nest deeper than {} levels", limits.max_json_depth),
                    Excess::Size => format!("must have at most {} bytes as compact JSON", limits.max_schema_bytes),
                };
                faults.report(FaultCode::TooLong, message);
                return None;
            }
            let schema = Value::from(&schema);
            // The graph goes first: it finds what would cost too much to compile.
            let graph = Graph::of(&schema, faults)?;
            let validator = compile(&schema, graph.patterns, faults)?;
            Some(Self { checker: Some(Checker { validator, graph }) })
        })
    }

    /// Whether it is `{}`, which says nothing of the params.
    pub(crate) fn takes_anything(&self) -> bool {
        self.checker.is_none()
    }

    /// Whether the schema itself speaks of a param: names it in `properties` or `required`, at its
    /// root or in what its root combines.
    pub(crate) fn declares(&self, name: &str) -> bool {
        self.checker.as_ref().is_some_and(|checker| checker.graph.declares(name))
    }

    /// Reports every violation, up to a bound, at its place in the params. Params for which
    /// `set_aside` holds are not looked at.
    ///
    /// # Errors
    ///
    /// `limit_exceeded` if the check would take too long.
    pub(crate) fn check(
        &self,
        params: &Object,
        set_aside: impl Fn(&str) -> bool,
        faults: &mut Faults,
    ) -> Result<(), Error> {
        let Some(Checker { validator, graph }) = &self.checker else { return Ok(()) };
        let checked = params.iter().filter(|(name, _)| !set_aside(name));
        let value = Value::Object(checked.map(|(name, value)| (name.to_owned(), Value::from(value))).collect());
        let cost = Cost::estimate(graph, &value).map_err(|why| Error::new(ErrorKind::LimitExceeded, why))?;
        if validator.is_valid(&value) {
            return Ok(());
        }
        match cost {
            Cost::Small => violation::report(validator.iter_errors(&value), MAX_VIOLATIONS, faults),
            Cost::Large => faults.report(
                FaultCode::SchemaViolation,
                "do not fit the endpoint's input schema, and are too large to say where",
            ),
        }
        Ok(())
    }
}

fn compile(schema: &Value, patterns: usize, faults: &mut Faults) -> Option<Validator> {
    let bytes = PATTERN_BYTES / patterns.max(4);
    let patterns = PatternOptions::regex().size_limit(bytes).dfa_size_limit(PATTERN_CACHE_BYTES);
    let options = jsonschema::options().offline().should_validate_formats(false).with_pattern_options(patterns);
    match options.build(schema) {
        Ok(validator) => Some(validator),
        Err(error) => {
            let place = violation::place(faults.here(), &error);
            faults.report_at(place, FaultCode::Schema, violation::of_schema(&error));
            None
        }
    }
}
