//! What a check will cost, found out before it is made: the walk that the validator would take,
//! counted and ended at a bound.

use std::fmt;

use serde_json::Value;

use super::graph::{Graph, Id};

/// Steps of work that one check may take, each a few nanoseconds. A second at the very worst.
pub(super) const MAX_WORK: u64 = 50_000_000;
/// Steps that take a millisecond at worst.
pub(super) const LITTLE_WORK: u64 = 50_000;
/// What it takes to apply one subschema to one value.
const VISIT: u64 = 50;
/// What it takes to look for a member's name among those that a subschema has properties for.
const NAME: u64 = 3;
/// What it takes to ask an object for a member by name.
const LOOKUP: u64 = 8;
/// What it takes to divide numbers that are far apart: they are fractions of hundreds of digits then.
const FAR_DIVISION: u64 = 1_000;
/// Subschemas within each other, which is what a validator's stack holds.
const MAX_DEPTH: u32 = 512;
/// Values that the explanation of a refusal may copy, beside one for each subschema applied.
const MAX_EXPLAINED: u64 = 100_000;

/// How much a refusal can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// Everything.
    Small,
    /// Only that it is one: to list every violation would take much more than to find one.
    Large,
}

impl Cost {
    /// Counts what checking `params` costs.
    ///
    /// # Errors
    ///
    /// If it is more than `most`, or nests too deep.
    pub(super) fn estimate(graph: &Graph, params: &Value, most: u64) -> Result<Self, Over> {
        let mut count = Count { graph, work: most, explained: MAX_EXPLAINED };
        count.apply(Graph::ROOT, params, 0, false)?;
        Ok(if count.explained == 0 { Self::Large } else { Self::Small })
    }
}

/// Why a check is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Work,
    Depth,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Work => {
                f.write_str("checking the params against the input schema takes too long: pass fewer or shorter ones")
            }
            Self::Depth => write!(f, "the params and the input schema nest more than {MAX_DEPTH} deep together"),
        }
    }
}

struct Count<'g> {
    graph: &'g Graph,
    work: u64,
    /// 0 once it is used up.
    explained: u64,
}

impl Count<'_> {
    fn spend(&mut self, work: u64) -> Result<(), Over> {
        self.work = self.work.checked_sub(work).ok_or(Over::Work)?;
        Ok(())
    }

    /// Counts applying a subschema to a value. `explained`: it is one of several alternatives, whose
    /// violations are kept with copies of their values.
    fn apply(&mut self, id: Id, value: &Value, depth: u32, explained: bool) -> Result<(), Over> {
        let graph = self.graph;
        let Some(node) = graph.node(id) else { return Ok(()) };
        if depth > MAX_DEPTH {
            return Err(Over::Depth);
        }
        self.spend(VISIT + node.constants)?;
        self.explained = self.explained.saturating_sub(1);
        let explained = explained || node.alternatives;
        if explained {
            self.explain(value);
        }
        for &next in &node.in_place {
            self.apply(next, value, depth + 1, explained)?;
        }
        match value {
            Value::String(text) => {
                let length = text.len() as u64;
                self.spend(length / 64)?;
                self.spend(length.saturating_mul(node.pattern))?;
            }
            Value::Object(members) => {
                self.spend(node.lookups.saturating_mul(LOOKUP))?;
                // Each name that is missing is a violation of its own, and so may be what another name asks for.
                let missing = node.required.iter().filter(|name| !members.contains_key(*name)).count() as u64;
                let asked_for = node.lookups.saturating_sub(node.required.len() as u64);
                self.explained = self.explained.saturating_sub(missing + asked_for);
                if node.unevaluated {
                    self.spend((members.len() as u64).saturating_add(1).saturating_mul(node.expansion * VISIT))?;
                }
                if !node.properties.is_empty() {
                    self.spend((members.len() as u64).saturating_mul(NAME))?;
                } else if node.members.is_empty() && node.names.is_empty() {
                    return Ok(());
                }
                for (name, member) in members {
                    let length = name.len() as u64;
                    self.spend(length / 64 + length.saturating_mul(node.name_patterns))?;
                    let named = node.properties.get(name);
                    for &next in node.members.iter().chain(named) {
                        self.apply(next, member, depth + 1, explained)?;
                    }
                    for &next in &node.names {
                        self.apply(next, &Value::String(name.clone()), depth + 1, explained)?;
                    }
                }
            }
            Value::Array(elements) => {
                if node.unevaluated {
                    self.spend((elements.len() as u64).saturating_add(1).saturating_mul(node.expansion * VISIT))?;
                }
                // The others meet nothing, however many there are.
                let met = if node.unique || !node.elements.is_empty() { elements.len() } else { node.positions.len() };
                for (at, element) in elements.iter().enumerate().take(met) {
                    if node.unique {
                        self.compare(element)?;
                    }
                    for &next in node.elements.iter().chain(node.positions.get(at)) {
                        self.apply(next, element, depth + 1, explained)?;
                    }
                }
            }
            Value::Number(number) => {
                if let (Some(by), Some(number)) = (node.fraction, number.as_f64())
                    // Less than that is no multiple of it, which is seen at once.
                    && number.abs() >= by
                    && !(is_near(by) && is_near(number))
                {
                    self.spend(FAR_DIVISION)?;
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
        Ok(())
    }

    /// Counts the values that a copy of this one holds.
    fn explain(&mut self, value: &Value) {
        self.explained = self.explained.saturating_sub(1);
        if self.explained == 0 {
            return;
        }
        match value {
            Value::Array(elements) => elements.iter().for_each(|element| self.explain(element)),
            Value::Object(members) => members.values().for_each(|member| self.explain(member)),
            Value::String(text) => self.explained = self.explained.saturating_sub(text.len() as u64 / 64),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Counts comparing a value with its siblings: they are hashed, or sorted.
    fn compare(&mut self, value: &Value) -> Result<(), Over> {
        self.spend(VISIT)?;
        match value {
            Value::Array(elements) => elements.iter().try_for_each(|element| self.compare(element)),
            Value::Object(members) => members.values().try_for_each(|member| self.compare(member)),
            Value::String(text) => self.spend(text.len() as u64 / 8),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }
}

/// Whether two such numbers, of 17 digits each, are divided as integers of 128 bits.
fn is_near(number: f64) -> bool {
    (1e-6..=1e15).contains(&number.abs())
}
