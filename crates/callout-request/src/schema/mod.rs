//! The `input_schema` of an endpoint: compiled once, without ever fetching anything, and bounded in
//! what it can cost.
//!
//! JSON Schema 2020-12 unless `$schema` names draft 4, 6, 7 or 2019-09. `$ref` goes to places of the
//! same schema only (`#`, `#/$defs/name`, `#anchor`). `format`, `contentMediaType` and `contentEncoding`
//! are annotations in every draft. `pattern` runs on an engine of linear time, so that look-around and
//! back-references are faults.

mod cost;
mod graph;
mod violation;
mod walk;

use std::collections::HashSet;

use callout_core::{
    Error, ErrorKind,
    fault::{FaultCode, Faults, Place},
    json::{Json, Object, SmolStr},
    limits::Limits,
};
use jsonschema::{PatternCache, PatternOptions, ValidationOptions, Validator};
use serde_json::{Map, Value, json};

use crate::bounds::{self, Excess};
use cost::{Cost, LITTLE_WORK, MAX_WORK, Over};
use graph::{Declared, Graph};

/// Bytes that a compiled pattern may take: the sizes that are tried.
const PATTERN_SIZES: [usize; 5] = [4 << 10, 16 << 10, 64 << 10, 256 << 10, LARGEST_PATTERN];
const LARGEST_PATTERN: usize = 1 << 20;
/// Bytes that reading a class of Unicode (`\p{L}`) takes: it is a table of hundreds of ranges.
const CLASS_BYTES: usize = 4 << 10;
/// Bytes that the search through one pattern may remember.
const PATTERN_CACHE_BYTES: usize = 256 << 10;
/// Encodings of content that would be checked in drafts 6 and 7, as often as they stand there.
const ENCODINGS: [&str; 5] = ["base64", "base64url", "base32", "base32hex", "base16"];
/// Violations that one call lists.
const MAX_VIOLATIONS: usize = 50;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct InputSchema {
    /// `None` for `{}`, which takes anything.
    checker: Option<Checker>,
}

/// How much a check may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// About a millisecond at worst.
    Little,
    /// As much as any check may.
    Full,
}

/// Why params were not checked.
#[derive(Debug)]
pub(crate) enum Unchecked {
    /// It takes more than a little.
    Later,
    /// It takes more than any check may.
    Never(Error),
}

#[derive(Debug)]
struct Checker {
    validator: Validator,
    graph: Graph,
}

impl InputSchema {
    /// Compiles a schema; the caller stands at the endpoint. Of the params in `taken` each that the schema requires
    /// may be there, though the schema is closed and has no property of that name.
    pub(crate) fn compile(schema: &Object, taken: &[SmolStr], limits: &Limits, faults: &mut Faults) -> Option<Self> {
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
            let mut schema = Value::from(&schema);
            // The graph goes first: it finds what would cost too much to compile.
            let mut graph = Graph::of(&schema, faults)?;
            pay_for(std::mem::take(&mut graph.patterns), limits, faults)?;
            let only_required: Vec<&SmolStr> = {
                let declared = graph.declared();
                let is_it = |name: &&SmolStr| declared.contains(name) && !declared.has_property(name);
                taken.iter().filter(is_it).collect()
            };
            admit(&mut schema, &only_required);
            let validator = compile(&schema, faults)?;
            Some(Self { checker: Some(Checker { validator, graph }) })
        })
    }

    /// Whether it is `{}`, which says nothing of the params.
    pub(crate) fn takes_anything(&self) -> bool {
        self.checker.is_none()
    }

    /// The params that the schema itself speaks of: those that it names in `properties` or `required`,
    /// at its root or in what its root combines.
    pub(crate) fn declared(&self) -> Declared<'_> {
        self.checker.as_ref().map(|checker| checker.graph.declared()).unwrap_or_default()
    }

    /// Reports every violation, up to a bound, at its place in the params. Params for which
    /// `set_aside` holds are not looked at.
    ///
    /// # Errors
    ///
    /// If the check would take longer than this effort allows.
    pub(crate) fn check(
        &self,
        params: &Object,
        set_aside: impl Fn(&str) -> bool,
        effort: Effort,
        faults: &mut Faults,
    ) -> Result<(), Unchecked> {
        let Some(Checker { validator, graph }) = &self.checker else { return Ok(()) };
        let checked = params.iter().filter(|(name, _)| !set_aside(name));
        let value = Value::Object(checked.map(|(name, value)| (name.to_owned(), Value::from(value))).collect());
        let most = match effort {
            Effort::Little => LITTLE_WORK,
            Effort::Full => MAX_WORK,
        };
        let cost = Cost::estimate(graph, &value, most).map_err(|over| match (over, effort) {
            (Over::Work, Effort::Little) => Unchecked::Later,
            _ => Unchecked::Never(Error::new(ErrorKind::LimitExceeded, over.to_string())),
        })?;
        if validator.is_valid(&value) {
            return Ok(());
        }
        match cost {
            Cost::Small => violation::report(validator.iter_errors(&value), &value, MAX_VIOLATIONS, faults),
            Cost::Large => faults.report(
                FaultCode::SchemaViolation,
                "do not fit the endpoint's input schema, and are too large to say where",
            ),
        }
        Ok(())
    }
}

/// The patterns of a config's schemas: each is paid for and compiled once, for all of them.
#[derive(Clone, Debug, Default)]
struct Patterns {
    paid: HashSet<String>,
    compiled: PatternCache,
}

/// Finds out how large the patterns are, each alone, so that what they cost goes on the config's account.
fn pay_for(patterns: Vec<(String, Place)>, limits: &Limits, faults: &mut Faults) -> Option<()> {
    for (pattern, place) in patterns {
        if faults.shared::<Patterns>().paid.contains(&pattern) {
            continue;
        }
        let classes = (pattern.matches("\\p").count() + pattern.matches("\\P").count()).saturating_mul(CLASS_BYTES);
        let alone = json!({ "pattern": pattern });
        for size in PATTERN_SIZES {
            if !faults.afford_pattern(size + classes, limits) {
                let message = format!(
                    "with this pattern, those of this config take more than {} bytes when compiled \
                     (`max_pattern_bytes`), use fewer ones, smaller `{{…}}` repetitions and less `\\p{{…}}`",
                    limits.max_pattern_bytes
                );
                faults.report_at(place, FaultCode::TooLong, message);
                return None;
            }
            if options(size).build(&alone).is_ok() {
                break;
            }
        }
        faults.shared::<Patterns>().paid.insert(pattern);
    }
    Some(())
}

/// Has a schema that is closed take these params, whatever they are: it, and each that always applies with it.
fn admit(schema: &mut Value, names: &[&SmolStr]) {
    let Some(schema) = schema.as_object_mut().filter(|_| !names.is_empty()) else { return };
    let is_false = |keyword: &str| schema.get(keyword) == Some(&Value::Bool(false));
    if is_false("additionalProperties") || is_false("unevaluatedProperties") {
        let properties = schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        for name in names {
            if let Some(properties) = properties.as_object_mut() {
                // Draft 4 has no `true` for a schema.
                properties.entry(name.as_str()).or_insert_with(|| Value::Object(Map::new()));
            }
        }
    }
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        admit(part, names);
    }
}

fn options(pattern_bytes: usize) -> ValidationOptions<'static> {
    let patterns = PatternOptions::regex().size_limit(pattern_bytes).dfa_size_limit(PATTERN_CACHE_BYTES);
    let options = jsonschema::options().offline().should_validate_formats(false).with_pattern_options(patterns);
    let options = options.without_content_media_type_support("application/json");
    ENCODINGS.into_iter().fold(options, ValidationOptions::without_content_encoding_support)
}

fn compile(schema: &Value, faults: &mut Faults) -> Option<Validator> {
    let compiled = faults.shared::<Patterns>().compiled.clone();
    match options(LARGEST_PATTERN).with_pattern_cache(compiled).build(schema) {
        Ok(validator) => Some(validator),
        Err(error) => {
            let place = violation::place(faults.here(), &error);
            faults.report_at(place, FaultCode::Schema, violation::of_schema(&error));
            None
        }
    }
}
