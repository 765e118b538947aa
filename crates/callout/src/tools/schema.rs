//! Changes to the schemas that models see. What a call takes is decided by the endpoint's own schema,
//! so that what is left out here is still checked there.

use std::collections::{HashMap, HashSet};

use callout_core::json::{Json, Object, ObjectBuilder};
use callout_request::references::rerooted;

use crate::schema_walk::MAX_REFERENCES;

/// Keywords that apply one of several schemas to the same value.
const ALTERNATIVES: [&str; 2] = ["anyOf", "oneOf"];

/// What providers refuse at the root of a schema.
const COMBINING: [&str; 10] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "enum", "const", "$ref"];

/// How many schemas that apply to one value are looked at. A schema that applies more of them is a config fault.
const MAX_IN_PLACE: usize = 2_000;

/// How many names that schemas require are looked at: a list counts as often as it is referred to.
const MAX_REQUIRED: usize = 100_000;

/// The value without members of those names.
fn without(object: &Object, names: &[&str]) -> ObjectBuilder {
    let kept = object.iter().filter(|(name, _)| !names.contains(name));
    kept.fold(ObjectBuilder::new(), |all, (name, value)| all.with(name, value.clone()))
}

/// When what a part of a schema says of a value holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Always,
    /// Where the alternative is the one that applies.
    Sometimes,
    /// It is only asked for (`if`): what does not fit it is as good.
    Never,
}

/// The schema and what it applies to the same value, in the order in which they stand there.
fn in_place(root: &Json) -> Vec<(&Object, Holds)> {
    let mut found = Vec::new();
    let mut open = vec![(root, Holds::Always, 0)];
    while let Some((schema, holds, depth)) = open.pop() {
        let Some(schema) = schema.as_object().filter(|_| depth <= MAX_REFERENCES && found.len() < MAX_IN_PLACE) else {
            continue;
        };
        found.push((schema, holds));
        let within = |part: Holds| if holds == Holds::Always { part } else { holds };
        let mut parts = Vec::new();
        parts.extend(referred(root, schema).map(|target| (target, holds, depth + 1)));
        parts.extend(listed(schema, "allOf").map(|part| (part, holds, depth + 1)));
        for keyword in ALTERNATIVES {
            parts.extend(listed(schema, keyword).map(|part| (part, within(Holds::Sometimes), depth + 1)));
        }
        parts.extend(schema.get("if").map(|part| (part, Holds::Never, depth + 1)));
        for keyword in ["then", "else"] {
            parts.extend(schema.get(keyword).map(|part| (part, within(Holds::Sometimes), depth + 1)));
        }
        // The first is the next.
        open.extend(parts.into_iter().rev());
    }
    found
}

/// What a schema refers to.
fn referred<'s>(root: &'s Json, schema: &Object) -> Option<&'s Json> {
    root.referred(schema.get("$ref").and_then(Json::as_str)?)
}

/// What stands in a list under a keyword.
fn listed<'s>(schema: &'s Object, keyword: &str) -> impl Iterator<Item = &'s Json> + use<'s> {
    schema.get(keyword).and_then(Json::as_array).into_iter().flatten()
}

/// Whether the schema has or requires a property of that name, at its root or in what its root combines.
pub(super) fn declares(root: &Json, name: &str) -> bool {
    in_place(root).iter().any(|(schema, _)| {
        schema.get("properties").is_some_and(|all| all.get(name).is_some())
            || listed(schema, "required").any(|required| required.as_str() == Some(name))
    })
}

/// The names of the properties that [`flat`] shows: those of the schema, at its root and in what its root combines,
/// and those that it only requires.
pub(super) fn property_names(root: &Json) -> Vec<&str> {
    let mut known = HashSet::new();
    let properties = in_place(root).into_iter().filter_map(|(schema, _)| schema.get("properties")?.as_object());
    let required = Required::of_root(root);
    properties.flat_map(Object::keys).chain(required).filter(|name| known.insert(*name)).collect()
}

/// The schema as providers take it for a tool: `"type": "object"`, and none of the combining keywords
/// at the root, which they refuse there. The properties that these name are kept, with all that any of several
/// alternatives which name them may take, and what each value must have is still required.
pub(super) fn flat(root: &Json) -> Json {
    let Some(object) = root.as_object() else { return root.clone() };
    let mut named = properties(root);
    let required = Required::of_root(root);
    let known: HashSet<&str> = named.iter().map(|(name, _)| *name).collect();
    // Some providers refuse a name that is required and has no schema.
    let unnamed = required.iter().filter(|name| !known.contains(*name));
    named.extend(unnamed.map(|name| (*name, Json::empty_object())));
    let mut left_out = vec!["type", "properties", "required", "$schema", "$id"];
    if in_place(root).iter().skip(1).any(|(schema, _)| takes_unnamed(schema)) {
        // What is combined has taken members that it does not name.
        left_out.push("unevaluatedProperties");
    }
    let mut flat = ObjectBuilder::new().with("type", "object");
    flat.insert("properties", named.into_iter().collect::<Json>());
    if !required.is_empty() {
        flat.insert("required", required);
    }
    for (name, value) in without(object, &[&left_out[..], &COMBINING[..]].concat()).build().iter() {
        flat.insert(name, value.clone());
    }
    let flat = Json::from(flat);
    // What refers to the root, or to a place in what it combines, means what was there.
    let is_object = object.get("type").and_then(Json::as_str) == Some("object");
    let has_changed = !is_object || COMBINING.iter().any(|keyword| object.contains(keyword));
    if has_changed { rerooted(&flat, root) } else { flat }
}

/// Whether a schema speaks of members that it does not name, and takes some.
fn takes_unnamed(schema: &Object) -> bool {
    let mut spoken = ["additionalProperties", "patternProperties", "unevaluatedProperties"].into_iter();
    spoken.any(|keyword| schema.get(keyword).is_some_and(|members| members.as_bool() != Some(false)))
}

/// What the schema says of each property, at its root and in what its root combines.
fn properties(root: &Json) -> Vec<(&str, Json)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut said: Vec<(&str, Said<'_>)> = Vec::new();
    for (schema, holds) in in_place(root) {
        for (name, property) in schema.get("properties").and_then(Json::as_object).into_iter().flat_map(Object::iter) {
            let at = *places.entry(name).or_insert(said.len());
            if at == said.len() {
                said.push((name, Said::default()));
            }
            if let Some((_, said)) = said.get_mut(at) {
                said.add(property, holds);
            }
        }
    }
    said.into_iter().map(|(name, said)| (name, said.shown())).collect()
}

/// What a schema says of one property.
#[derive(Default)]
struct Said<'s> {
    /// The first that always holds. The root comes first, and says more than what is combined with it.
    always: Option<&'s Json>,
    /// Those of which one may hold, each once.
    alternatives: Vec<&'s Json>,
    /// Whether any value may do as well, as where a value is only asked for.
    is_open: bool,
}

impl<'s> Said<'s> {
    fn add(&mut self, property: &'s Json, holds: Holds) {
        match holds {
            Holds::Always => {
                self.always.get_or_insert(property);
            }
            Holds::Sometimes | Holds::Never => {
                self.is_open |= holds == Holds::Never || property.as_bool() == Some(true);
                if property.as_object().is_some() && !self.alternatives.contains(&property) {
                    self.alternatives.push(property);
                }
            }
        }
    }

    /// A schema that takes what any of them takes. Alternatives that do not name the property, and leave it open, do not
    /// count: models would be told nothing of it.
    fn shown(self) -> Json {
        if let Some(always) = self.always {
            return always.clone();
        }
        let open = Json::empty_object();
        let is_listed = self.alternatives.iter().any(|one| **one == open);
        let beside = (self.is_open && !is_listed).then_some(&open);
        match self.alternatives.as_slice() {
            // Whatever names it has said that it may not be there.
            [] if beside.is_none() => Json::Bool(false),
            [] => Json::empty_object(),
            [only] if beside.is_none() => (*only).clone(),
            several => {
                let all: Json = several.iter().copied().chain(beside).cloned().collect();
                ObjectBuilder::new().with("anyOf", all).into()
            }
        }
    }
}

/// A look for the names that each value must have.
struct Required<'s> {
    root: &'s Json,
    /// How many schemas are still looked at. What is not is taken to require nothing.
    looks: usize,
    /// How many names.
    names: usize,
}

impl<'s> Required<'s> {
    fn of_root(root: &'s Json) -> Vec<&'s str> {
        Self { root, looks: MAX_IN_PLACE, names: MAX_REQUIRED }.of(root, 0)
    }

    /// The names, each once.
    fn of(&mut self, schema: &'s Json, depth: u32) -> Vec<&'s str> {
        let Some(left) = self.looks.checked_sub(1).filter(|_| depth <= MAX_REFERENCES) else { return Vec::new() };
        self.looks = left;
        let Some(schema) = schema.as_object() else { return Vec::new() };
        let own = schema.get("required").and_then(Json::as_array).map_or(0, |names| names.len());
        let Some(left) = self.names.checked_sub(own) else { return Vec::new() };
        self.names = left;
        let mut names: Vec<&str> = listed(schema, "required").filter_map(Json::as_str).collect();
        for part in referred(self.root, schema).into_iter().chain(listed(schema, "allOf")) {
            names.extend(self.of(part, depth + 1));
        }
        for keyword in ALTERNATIVES {
            let each: Vec<_> = listed(schema, keyword).map(|part| self.of(part, depth + 1)).collect();
            names.extend(common(each));
        }
        if let (Some(_), Some(then), Some(otherwise)) = (schema.get("if"), schema.get("then"), schema.get("else")) {
            names.extend(common(vec![self.of(then, depth + 1), self.of(otherwise, depth + 1)]));
        }
        let mut known = HashSet::new();
        names.retain(|name| known.insert(*name));
        names
    }
}

/// The names that all lists have.
fn common(lists: Vec<Vec<&str>>) -> Vec<&str> {
    let common = lists.into_iter().reduce(|all, names| {
        let names: HashSet<&str> = names.into_iter().collect();
        all.into_iter().filter(|name| names.contains(name)).collect()
    });
    common.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn providers_get_a_plain_object() {
        let table = [
            ("{}", r#"{"type":"object","properties":{}}"#),
            (
                r#"{"type":["object","null"],"properties":{"a":{}},"additionalProperties":false,"$schema":"x"}"#,
                r#"{"type":"object","properties":{"a":{}},"additionalProperties":false}"#,
            ),
            (
                r##"{"required":["a"],"allOf":[{"properties":{"b":{"minimum":1}},"required":["b"]}],
                    "anyOf":[{"required":["c"],"properties":{"c":{}}},{"$ref":"#/$defs/d"}],
                    "$defs":{"d":{"properties":{"d":{}}}}}"##,
                r#"{"type":"object","properties":{"b":{"minimum":1},"c":{},"d":{},"a":{}},"required":["a","b"],"$defs":{"d":{"properties":{"d":{}}}}}"#,
            ),
            (
                r#"{"oneOf":[{"properties":{"kind":{"const":"card"},"number":{"type":"string"}},"required":["kind","number"]},
                    {"properties":{"kind":{"const":"bank"},"iban":{}},"required":["iban","kind"]}]}"#,
                r#"{"type":"object","properties":{"kind":{"anyOf":[{"const":"card"},{"const":"bank"}]},"number":{"type":"string"},"iban":{}},"required":["kind"]}"#,
            ),
            // What always holds is not more than what one of several asks for beside it.
            (
                r#"{"anyOf":[{"properties":{"kind":{"const":"a"}}},{"properties":{"kind":{"const":"b"}}}],
                    "allOf":[{"properties":{"kind":{"enum":["a","b"]}}}]}"#,
                r#"{"type":"object","properties":{"kind":{"enum":["a","b"]}}}"#,
            ),
            // Where the `if` does not fit, `kind` may be anything.
            (
                r#"{"if":{"properties":{"kind":{"const":"a"}}},"then":{"required":["x","y"]},
                    "else":{"required":["y"],"properties":{"y":{"type":"string"}}}}"#,
                r#"{"type":"object","properties":{"kind":{"anyOf":[{"const":"a"},{}]},"y":{"type":"string"}},"required":["y"]}"#,
            ),
            (
                r#"{"anyOf":[{"properties":{"a":{"type":"string"},"b":false}},{"properties":{"a":false,"b":true}},
                    {"properties":{"a":{"type":"string"}}}]}"#,
                r#"{"type":"object","properties":{"a":{"type":"string"},"b":{}}}"#,
            ),
            // Members that only an alternative has taken, by a pattern or as others.
            (
                r#"{"anyOf":[{"patternProperties":{"^x":{}}},{"additionalProperties":false}],"unevaluatedProperties":false}"#,
                r#"{"type":"object","properties":{}}"#,
            ),
            (
                r#"{"anyOf":[{"properties":{"a":{}},"additionalProperties":false}],"unevaluatedProperties":false}"#,
                r#"{"type":"object","properties":{"a":{}},"unevaluatedProperties":false}"#,
            ),
            // A value of the form of all params may be null still.
            (
                r##"{"type":["object","null"],"properties":{"a":{"$ref":"#"}}}"##,
                r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/params"}},"$defs":{"params":{"type":["object","null"],"properties":{"a":{"$ref":"#/$defs/params"}}}}}"##,
            ),
            // What is referred to is still there.
            (
                r##"{"anyOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"b":{"$ref":"#/anyOf/0/properties/a"}}}]}"##,
                r##"{"type":"object","properties":{"a":{"type":"string"},"b":{"$ref":"#/$defs/params/anyOf/0/properties/a"}},"$defs":{"params":{"anyOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"b":{"$ref":"#/$defs/params/anyOf/0/properties/a"}}}]}}}"##,
            ),
        ];
        for (schema, expected) in table {
            let schema = json(schema);
            let shown = flat(&schema);
            assert_eq!(shown.to_string(), expected);
            let names: HashSet<_> = shown.get("properties").unwrap().as_object().unwrap().keys().collect();
            assert_eq!(property_names(&schema).into_iter().collect::<HashSet<_>>(), names, "{schema}");
        }
    }
    #[test]
    fn a_list_that_is_referred_to_often_is_looked_at_so_often_only() {
        let names: Vec<String> = (0..3_000).map(|at| format!("n{at}")).collect();
        let refer = vec![r##"{"$ref":"#/$defs/r"}"##; 900].join(",");
        let schema = json(&format!(
            r#"{{"allOf":[{refer},{{"required":["last"]}}],"$defs":{{"r":{{"required":["{}"]}}}}}}"#,
            names.join(r#"",""#)
        ));
        let mut required = Required { root: &schema, looks: MAX_IN_PLACE, names: MAX_REQUIRED };
        let found = required.of(&schema, 0);
        assert!(found.len() == 3_001 && found[0] == "n0" && found[3_000] == "last", "{}", found.len());
        assert_eq!(required.names, 999);
    }
}
