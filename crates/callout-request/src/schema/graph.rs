//! A schema as a graph of its subschemas: who applies whom, to the same value or to one within it.
//!
//! It is made before the schema is compiled, so that references that leave the schema and
//! combinations that multiply are refused first; afterwards it tells what a check will cost.

use std::collections::{HashMap, HashSet};

use callout_core::fault::{FaultCode, Faults, Place};
use serde_json::Value;

use super::walk;

/// Subschemas that apply to one and the same value, references followed.
const MAX_EXPANSION: u64 = 2_000;
/// How deeply they may stand within each other.
const MAX_NESTING: u32 = 64;
/// The sum over all `unevaluated…` of the square of what they have to look through.
const MAX_UNEVALUATED: u64 = 1_000_000;
/// Patterns of one schema.
const MAX_PATTERNS: usize = 100;

/// A subschema's number.
pub(super) type Id = usize;

/// The subschemas that the root reaches.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// All patterns, each with its place.
    pub(super) patterns: Vec<(String, Place)>,
}

/// What one subschema applies.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// To the same value.
    pub(super) in_place: Vec<Id>,
    /// To members by name.
    pub(super) properties: HashMap<String, Id>,
    /// To members, whichever: of patterns and of what is additional.
    pub(super) members: Vec<Id>,
    /// To the names of members.
    pub(super) names: Vec<Id>,
    /// To elements by position.
    pub(super) positions: Vec<Id>,
    /// To elements, whichever.
    pub(super) elements: Vec<Id>,
    /// Whether it has alternatives, each of which explains itself when none fits.
    pub(super) alternatives: bool,
    /// Whether it has to look through everything in place again (`unevaluated…`).
    pub(super) unevaluated: bool,
    /// About how many states its `pattern` has, 0 for none.
    pub(super) pattern: u64,
    /// About how many states the patterns on member names have.
    pub(super) name_patterns: u64,
    /// Values to compare with: `enum` and `const`.
    pub(super) constants: u64,
    /// What numbers must be multiples of, where that is a fraction.
    pub(super) fraction: Option<f64>,
    /// Whether elements are compared with each other.
    pub(super) unique: bool,
    /// Subschemas that apply to one value of this one, itself included.
    pub(super) expansion: u64,
    /// Names that each object is asked for: what `required` lists, and the keys and lists of
    /// `dependentRequired` and `dependencies`.
    pub(super) lookups: u64,
    /// The members it requires.
    pub(super) required: Vec<String>,
}

/// The params that a schema speaks of.
#[derive(Debug, Default)]
pub(crate) struct Declared<'g> {
    /// Those that it has a schema for.
    properties: HashSet<&'g str>,
    /// Those that it requires, everywhere or in some alternative.
    required: HashSet<&'g str>,
}

impl Declared<'_> {
    /// Whether it says anything of that param.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.has_property(name) || self.required.contains(name)
    }

    /// Whether it has a schema for that param.
    pub(crate) fn has_property(&self, name: &str) -> bool {
        self.properties.contains(name)
    }
}

impl Graph {
    /// The graph of a schema; the caller stands at the schema. Refuses what would fetch something or
    /// multiply beyond the bounds.
    pub(super) fn of(schema: &Value, faults: &mut Faults) -> Option<Self> {
        let before = faults.len();
        let mut graph = walk::graph_of(schema, faults);
        if graph.patterns.len() > MAX_PATTERNS {
            faults.report(
                FaultCode::TooLong,
                format!("must have at most {MAX_PATTERNS} patterns, not {}", graph.patterns.len()),
            );
        }
        if let Err(why) = graph.expand() {
            faults.report(FaultCode::Schema, why);
        }
        (faults.len() == before).then_some(graph)
    }

    pub(super) const ROOT: Id = 0;

    pub(super) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The params that the root, or what it combines in place, names.
    pub(super) fn declared(&self) -> Declared<'_> {
        let mut declared = Declared::default();
        let mut seen = vec![false; self.nodes.len()];
        let mut open = vec![Self::ROOT];
        while let Some(id) = open.pop() {
            let (Some(node), Some(seen)) = (self.nodes.get(id), seen.get_mut(id)) else { continue };
            if std::mem::replace(seen, true) {
                continue;
            }
            declared.properties.extend(node.properties.keys().map(String::as_str));
            declared.required.extend(node.required.iter().map(String::as_str));
            open.extend(&node.in_place);
        }
        declared
    }

    /// Counts, for each subschema, what applies in place with it. Each is counted as often as it is
    /// reached: twofold references, twenty deep, are a million.
    fn expand(&mut self) -> Result<(), String> {
        const CYCLE: &str =
            "has a reference that comes back to where it stands without going into a property or an element";
        let mut nesting = vec![0_u32; self.nodes.len()];
        let mut state = vec![State::New; self.nodes.len()];
        let mut unevaluated = 0_u64;
        for start in 0..self.nodes.len() {
            let mut open = vec![start];
            while let Some(&id) = open.last() {
                match state[id] {
                    State::Done => drop(open.pop()),
                    State::New => {
                        state[id] = State::Open;
                        for &next in &self.nodes[id].in_place {
                            match state[next] {
                                State::New => open.push(next),
                                State::Open => return Err(CYCLE.to_owned()),
                                State::Done => {}
                            }
                        }
                    }
                    State::Open => {
                        open.pop();
                        state[id] = State::Done;
                        let mut expansion = 1_u64;
                        for &next in &self.nodes[id].in_place {
                            expansion = expansion.saturating_add(self.nodes[next].expansion);
                            nesting[id] = nesting[id].max(nesting[next] + 1);
                        }
                        self.nodes[id].expansion = expansion;
                        if self.nodes[id].unevaluated {
                            unevaluated = unevaluated.saturating_add(expansion.saturating_mul(expansion));
                        }
                        if expansion > MAX_EXPANSION {
                            return Err(format!(
                                "applies more than {MAX_EXPANSION} subschemas to one value, references followed"
                            ));
                        }
                        if nesting[id] > MAX_NESTING {
                            return Err(format!(
                                "combines subschemas more than {MAX_NESTING} deep, references followed"
                            ));
                        }
                    }
                }
            }
        }
        if unevaluated > MAX_UNEVALUATED {
            return Err(
                "has `unevaluatedProperties` or `unevaluatedItems` over too many combined subschemas".to_owned()
            );
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}
