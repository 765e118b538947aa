//! The walk through a schema that makes its graph.

use std::collections::HashMap;

use callout_core::fault::{FaultCode, Faults, Place, excerpt};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::graph::{Graph, Id, Node};

/// Who applies whom in a schema; the caller stands at it. References that lead nowhere, or out of the
/// schema, are reported.
pub(super) fn graph_of(schema: &Value, faults: &mut Faults) -> Graph {
    let draft_4 = schema.get("$schema").and_then(Value::as_str).is_some_and(|uri| uri.contains("draft-04"));
    let mut walk = Walk {
        schema,
        id_keyword: if draft_4 { "id" } else { "$id" },
        ids: HashMap::new(),
        anchors: HashMap::new(),
        graph: Graph::default(),
        open: Vec::new(),
        references: Vec::new(),
    };
    walk.visit(schema, faults.here());
    walk.run(faults);
    walk.graph
}

/// The walk: what is found, and what is left to look into.
struct Walk<'s> {
    schema: &'s Value,
    /// What the schema's draft calls the id of a subschema.
    id_keyword: &'static str,
    /// Subschemas by address: a place that is reached twice is one node.
    ids: HashMap<*const Value, Id>,
    anchors: HashMap<&'s str, Id>,
    graph: Graph,
    open: Vec<(&'s Value, Id, Place)>,
    references: Vec<(&'s str, Id, Place)>,
}

impl<'s> Walk<'s> {
    /// The number of a subschema, which is looked into later.
    fn visit(&mut self, schema: &'s Value, place: Place) -> Id {
        if let Some(&id) = self.ids.get(&std::ptr::from_ref(schema)) {
            return id;
        }
        let id = self.graph.nodes.len();
        self.graph.nodes.push(Node::default());
        self.ids.insert(std::ptr::from_ref(schema), id);
        self.open.push((schema, id, place));
        id
    }

    /// Looks into subschemas until there is none left; references last, for their targets may be
    /// anchors that are found on the way, or places that no keyword leads to.
    fn run(&mut self, faults: &mut Faults) {
        loop {
            if let Some((schema, id, place)) = self.open.pop() {
                if let Value::Object(schema) = schema {
                    self.look_into(schema, id, &place, faults);
                }
            } else if let Some((reference, id, place)) = self.references.pop() {
                match self.target(reference, &place) {
                    Ok(target) => self.node(id, |node| node.in_place.push(target)),
                    Err(why) => faults.report_at(place, FaultCode::Schema, why),
                }
            } else {
                return;
            }
        }
    }

    fn node(&mut self, id: Id, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.graph.nodes.get_mut(id) {
            change(node);
        }
    }

    fn look_into(&mut self, schema: &'s Map<String, Value>, id: Id, place: &Place, faults: &mut Faults) {
        for (keyword, value) in schema {
            let below = || place.clone().field(keyword.as_str());
            match keyword.as_str() {
                "allOf" | "anyOf" | "oneOf" => {
                    let found = self.list(value, &below());
                    let alternatives = keyword != "allOf";
                    self.node(id, |node| {
                        node.in_place.extend(found);
                        node.alternatives |= alternatives;
                    });
                }
                "not" | "if" | "then" | "else" => {
                    let found = self.visit(value, below());
                    self.node(id, |node| node.in_place.push(found));
                }
                "dependentSchemas" | "dependentRequired" | "dependencies" => {
                    let found = self.map(value, &below());
                    self.node(id, |node| {
                        node.in_place.extend(found.into_iter().map(|(_, id)| id));
                        node.lookups += lookups(value);
                    });
                }
                "properties" => {
                    let found = self.map(value, &below());
                    self.node(id, |node| {
                        node.properties = found.into_iter().map(|(name, id)| (name.to_owned(), id)).collect();
                    });
                }
                "patternProperties" => {
                    let found = self.map(value, &below());
                    let named = found.iter().map(|(pattern, _)| ((*pattern).to_owned(), below().field(*pattern)));
                    self.graph.patterns.extend(named);
                    let states = found.iter().map(|(pattern, _)| states(pattern)).sum();
                    self.node(id, |node| {
                        node.members.extend(found.into_iter().map(|(_, id)| id));
                        node.name_patterns = states;
                    });
                }
                "additionalProperties" | "unevaluatedProperties" => {
                    let found = self.visit(value, below());
                    let again = keyword == "unevaluatedProperties";
                    self.node(id, |node| {
                        node.members.push(found);
                        node.unevaluated |= again;
                    });
                }
                "propertyNames" => {
                    let found = self.visit(value, below());
                    self.node(id, |node| node.names.push(found));
                }
                "prefixItems" => {
                    let found = self.list(value, &below());
                    self.node(id, |node| node.positions.extend(found));
                }
                // Before 2020-12 `items` may be a list, one schema for each position.
                "items" if value.is_array() => {
                    let found = self.list(value, &below());
                    self.node(id, |node| node.positions.extend(found));
                }
                "items" | "contains" | "additionalItems" | "unevaluatedItems" => {
                    let found = self.visit(value, below());
                    let again = keyword == "unevaluatedItems";
                    self.node(id, |node| {
                        node.elements.push(found);
                        node.unevaluated |= again;
                    });
                }
                // Nothing applies these, but what they refer to is looked for when compiling.
                "$defs" | "definitions" => drop(self.map(value, &below())),
                "contentSchema" => drop(self.visit(value, below())),
                "$ref" | "$dynamicRef" | "$recursiveRef" => {
                    if let Some(reference) = value.as_str() {
                        self.references.push((reference, id, below()));
                    }
                }
                "$anchor" | "$dynamicAnchor" => {
                    if let Some(name) = value.as_str() {
                        self.anchor(name, id, below(), faults);
                    }
                }
                keyword if keyword == self.id_keyword => self.identify(value, id, below(), faults),
                "$schema" => check_dialect(value, id, &below(), faults),
                "pattern" => {
                    if let Some(pattern) = value.as_str() {
                        self.graph.patterns.push((pattern.to_owned(), below()));
                        self.node(id, |node| node.pattern = states(pattern));
                    }
                }
                "enum" | "const" => self.node(id, |node| node.constants += size(value)),
                "multipleOf" => {
                    let fraction = value.as_f64().filter(|number| number.fract() != 0.0);
                    self.node(id, |node| node.fraction = fraction);
                }
                "uniqueItems" => self.node(id, |node| node.unique = value.as_bool().unwrap_or(false)),
                "required" => {
                    let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                    self.node(id, |node| {
                        node.required.extend(names.map(str::to_owned));
                        node.lookups += node.required.len() as u64;
                    });
                }
                _ => {}
            }
        }
    }

    /// A subschema with an id of its own is another document in this one, from which references
    /// count anew: tool schemas do not need it, and it would hide where a reference leads.
    fn identify(&mut self, value: &'s Value, id: Id, place: Place, faults: &mut Faults) {
        let Some(name) = value.as_str() else { return };
        if let Some(anchor) = name.strip_prefix('#').filter(|anchor| !anchor.is_empty()) {
            // How drafts 4 to 7 write an anchor.
            self.anchor(anchor, id, place, faults);
        } else if id != Graph::ROOT {
            let message = format!(
                "only the schema itself may have an `{}`: refer to subschemas as `#/$defs/…` or by `$anchor`",
                self.id_keyword
            );
            faults.report_at(place, FaultCode::Schema, message);
        }
    }

    fn anchor(&mut self, name: &'s str, id: Id, place: Place, faults: &mut Faults) {
        if self.anchors.insert(name, id).is_some_and(|other| other != id) {
            faults.report_at(place, FaultCode::Duplicate, format!("the anchor {:?} stands twice", excerpt(name, 100)));
        }
    }

    fn list(&mut self, value: &'s Value, place: &Place) -> Vec<Id> {
        let schemas = value.as_array().into_iter().flatten().enumerate();
        schemas.map(|(at, schema)| self.visit(schema, place.clone().index(at))).collect()
    }

    fn map(&mut self, value: &'s Value, place: &Place) -> Vec<(&'s str, Id)> {
        let schemas = value.as_object().into_iter().flatten().filter(|(_, schema)| !schema.is_array());
        schemas.map(|(name, schema)| (name.as_str(), self.visit(schema, place.clone().field(name.as_str())))).collect()
    }

    fn target(&mut self, reference: &'s str, place: &Place) -> Result<Id, String> {
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(format!(
                "refers to {:?}, but nothing is ever fetched: put the schema under `$defs` and refer to `#/$defs/…`",
                excerpt(reference, 100)
            ));
        };
        let nothing = || format!("refers to {:?}, which is not in this schema", excerpt(reference, 100));
        let fragment = percent_decode_str(fragment).decode_utf8().map_err(|_| nothing())?;
        if fragment.is_empty() || fragment.starts_with('/') {
            let target = self.schema.pointer(&fragment).ok_or_else(nothing)?;
            return Ok(self.visit(target, place.clone()));
        }
        self.anchors.get(fragment.as_ref()).copied().ok_or_else(nothing)
    }
}

fn check_dialect(value: &Value, id: Id, place: &Place, faults: &mut Faults) {
    const KNOWN: [&str; 5] = [
        "json-schema.org/draft/2020-12/schema",
        "json-schema.org/draft/2019-09/schema",
        "json-schema.org/draft-07/schema",
        "json-schema.org/draft-06/schema",
        "json-schema.org/draft-04/schema",
    ];
    let Some(uri) = value.as_str() else { return };
    let bare = uri.trim_end_matches('#');
    let bare = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://")).unwrap_or(bare);
    if id != Graph::ROOT {
        faults.report_at(place.clone(), FaultCode::Schema, "only the schema itself may have a `$schema`");
    } else if !KNOWN.contains(&bare) {
        let message = format!(
            "{:?} is not known here: leave it out for JSON Schema 2020-12, or name draft 4, 6, 7, 2019-09 or 2020-12",
            excerpt(uri, 100)
        );
        faults.report_at(place.clone(), FaultCode::Schema, message);
    }
}

/// How many names stand in lists by name, the names of the lists included.
fn lookups(lists: &Value) -> u64 {
    let lists = lists.as_object().into_iter().flatten().filter_map(|(_, names)| names.as_array());
    lists.map(|names| 1 + names.len() as u64).sum()
}

/// How many values a value is made of.
fn size(value: &Value) -> u64 {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(size).sum::<u64>(),
        Value::Object(members) => 1 + members.values().map(size).sum::<u64>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// About how many states a pattern has: its length, plus what is counted once (`a{9}`), times what is
/// counted as a group (`(ab){9}`).
fn states(pattern: &str) -> u64 {
    let (mut once, mut groups) = (pattern.len() as u64, 1_u64);
    for (at, _) in pattern.match_indices('{') {
        let inside = pattern.get(at + 1..).and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
        let count = inside.split(',').filter_map(|number| number.trim().parse::<u64>().ok()).max().unwrap_or(1).max(1);
        if pattern.get(..at).is_some_and(|before| before.ends_with(')')) {
            groups = groups.saturating_mul(count);
        } else {
            once = once.saturating_add(count);
        }
    }
    once.saturating_mul(groups).min(100_000)
}
