//! Whether the alternatives of a `oneOf` exclude each other.
//!
//! A format is not checked and a discriminator not read, and many documents write `oneOf` where they mean any of several.
//! So a value that is meant for one alternative may fit another one too, and would be refused for it. `oneOf` is kept
//! where that cannot be: where alternatives differ in their types, in their constants, or in those of a member that
//! there must be. It is kept, too, where they say only which members there are: then it is the `oneOf` that is meant.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use callout_core::json::{Json, Object};

use super::Converter;
use crate::{
    document::{Document, Found, Version},
    pointer::Pointer,
    report::Findings,
    steps::Steps,
};

/// Combinations within each other that are looked into.
const MAX_DEPTH: u32 = 12;
/// Constants or names that are listed, or pairs of them or of alternatives that are compared, in one step.
const A_STEP: usize = 64;

/// Types of values, a bit each.
type Kinds = u8;

const ANY_KIND: Kinds = u8::MAX;
const NULL_KIND: Kinds = 1;
const OBJECT_KIND: Kinds = 2;

static NULL: Json = Json::Null;

/// Whether a value may fit several of a `oneOf`'s alternatives. This is noted, for it is let through then. `around` is
/// what else is said of the value.
pub(crate) fn may_fit_several<'d>(
    converter: &Converter<'d>,
    parts: &[Found<'d>],
    around: &Values<'d>,
    place: &Pointer,
    findings: &mut Findings,
) -> bool {
    let look = Look { document: converter.document, steps: &converter.compared };
    let may = !look.exclude_each_other(parts, around) && !look.are_choices_of_members(parts);
    if may {
        findings.note(place, "a value that fits several of the alternatives is let through: `oneOf` becomes `anyOf`");
    }
    may
}

/// What is known of the values that fit a schema.
#[derive(Clone, Debug)]
pub(crate) struct Values<'d> {
    /// Their types.
    kinds: Kinds,
    /// All there are, where they are listed.
    constants: Option<Vec<&'d Json>>,
    /// Of an object: what a member can be, where that is listed.
    members: BTreeMap<&'d str, Vec<&'d Json>>,
    /// Of an object: the members that there are.
    required: BTreeSet<&'d str>,
}

impl<'d> Values<'d> {
    /// No value is known not to fit.
    pub(crate) const ANY: Self =
        Self { kinds: ANY_KIND, constants: None, members: BTreeMap::new(), required: BTreeSet::new() };

    /// Objects that have these members.
    pub(crate) fn objects(required: impl Iterator<Item = &'d str>) -> Self {
        Self { kinds: OBJECT_KIND, required: required.collect(), ..Self::ANY }
    }

    /// By what a schema says itself, of members that are only read aside.
    pub(crate) fn of_own(schema: &'d Object, only_read: &HashSet<&'d str>) -> Self {
        let constants = constants(schema);
        let of_constants = || constants.as_ref().map(|all| all.iter().fold(0, |kinds, value| kinds | kind(value)));
        let kinds = schema.get("type").map(kinds).or_else(of_constants).unwrap_or(ANY_KIND);
        let names = schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let required = names.filter(|name| !only_read.contains(name)).collect();
        Self { kinds, constants, required, ..Self::ANY }
    }

    fn and(mut self, other: Self) -> Self {
        self.kinds &= other.kinds;
        self.constants = self.constants.or(other.constants);
        for (name, constants) in other.members {
            self.members.entry(name).or_insert(constants);
        }
        self.required.extend(other.required);
        self
    }

    fn or(mut self, mut other: Self) -> Self {
        let (one, another) = (self.kinds & OBJECT_KIND != 0, other.kinds & OBJECT_KIND != 0);
        if one && another {
            self.members.retain(|name, constants| match other.members.remove(name) {
                Some(others) => {
                    constants.extend(others);
                    true
                }
                None => false,
            });
            self.required.retain(|name| other.required.contains(name));
        } else if another {
            // What is no object says nothing of one.
            self.members = other.members;
            self.required = other.required;
        }
        self.kinds |= other.kinds;
        self.constants = self.constants.zip(other.constants).map(|(one, others)| [one, others].concat());
        self
    }
}

#[derive(Clone, Copy)]
struct Look<'d, 's> {
    document: &'d Document,
    steps: &'s Steps,
}

impl<'d> Look<'d, '_> {
    fn exclude_each_other(self, parts: &[Found<'d>], around: &Values<'d>) -> bool {
        // Each is compared with the others, and has a copy of what is around it.
        let listed = around.required.len() + around.constants.as_ref().map_or(0, Vec::len);
        if !self.steps.take(parts.len().saturating_mul(parts.len() + listed) / A_STEP) {
            return false;
        }
        let all: Vec<Values<'d>> = parts.iter().map(|part| self.values(part, 0).and(around.clone())).collect();
        all.iter().enumerate().all(|(at, one)| all.iter().skip(at + 1).all(|other| self.excludes(one, other)))
    }

    fn excludes(self, one: &Values<'d>, other: &Values<'d>) -> bool {
        let common = one.kinds & other.kinds;
        let constants = one.constants.as_ref().zip(other.constants.as_ref());
        if common == 0 || constants.is_some_and(|(one, others)| self.differ(one, others)) {
            return true;
        }
        let is_there = |name: &str| one.required.contains(name) || other.required.contains(name);
        let mut members = one.members.iter().filter(|(name, _)| is_there(name));
        common == OBJECT_KIND
            && members.any(|(name, own)| other.members.get(name).is_some_and(|others| self.differ(own, others)))
    }

    /// Whether none of some constants is among the others.
    fn differ(self, constants: &[&Json], others: &[&Json]) -> bool {
        self.steps.take(constants.len().saturating_mul(others.len()) / A_STEP)
            && !constants.iter().any(|one| others.iter().any(|other| is_same(one, other)))
    }

    /// What is not looked at may be anything.
    fn values(self, schema: &Found<'d>, depth: u32) -> Values<'d> {
        let Some((schema, members)) = self.schema(schema, depth) else { return Values::ANY };
        let mut values = Values::of_own(members, &HashSet::new());
        for (name, property) in schema.get("properties").into_iter().flat_map(|all| all.members()) {
            if let Some(constants) = self.constants(&property, depth + 1) {
                values.members.insert(name, constants);
            }
        }
        for part in schema.get("allOf").into_iter().flat_map(|list| list.elements()) {
            values = values.and(self.values(&part, depth + 1));
        }
        for name in ["anyOf", "oneOf"] {
            let parts = schema.get(name).into_iter().flat_map(|list| list.elements());
            if let Some(any) = parts.map(|part| self.values(&part, depth + 1)).reduce(Values::or) {
                values = values.and(any);
            }
        }
        if self.is_nullable(&schema) {
            values.kinds |= NULL_KIND;
            values.constants = values.constants.map(|all| [all, vec![&NULL]].concat());
        }
        values
    }

    /// The constants that a value is one of.
    fn constants(self, schema: &Found<'d>, depth: u32) -> Option<Vec<&'d Json>> {
        let (schema, members) = self.schema(schema, depth)?;
        let in_part = || schema.get("allOf")?.elements().find_map(|part| self.constants(&part, depth + 1));
        let mut constants = constants(members).or_else(in_part)?;
        if self.is_nullable(&schema) {
            constants.push(&NULL);
        }
        Some(constants)
    }

    /// What a schema refers to, and its keywords.
    fn schema(self, schema: &Found<'d>, depth: u32) -> Option<(Found<'d>, &'d Object)> {
        let schema = self.document.follow(schema.node, &schema.place).ok()?;
        let members = schema.node.as_object().filter(|_| depth <= MAX_DEPTH)?;
        // Many may refer to one that lists very much.
        let lists = ["enum", "required"].iter().filter_map(|name| members.get(name).and_then(Json::as_array));
        let listed: usize = lists.map(|list| list.len()).sum();
        self.steps.take(1 + listed / A_STEP).then_some((schema, members))
    }

    fn is_nullable(self, schema: &Found<'d>) -> bool {
        self.document.version() == Version::V3_0 && schema.flag("nullable") == Some(true)
    }

    /// Whether the alternatives say only which members there are.
    fn are_choices_of_members(self, parts: &[Found<'d>]) -> bool {
        parts.iter().all(|part| {
            let members = self.schema(part, 0).map(|(_, members)| members);
            members.is_some_and(|members| {
                let names = members.get("required").and_then(Json::as_array);
                names.is_some_and(|names| !names.is_empty())
                    && members.keys().all(|name| matches!(name, "required" | "type" | "title" | "description"))
            })
        })
    }
}

/// The constants that a schema lists, if they are scalars.
fn constants(schema: &Object) -> Option<Vec<&Json>> {
    let all: Vec<&Json> = match (schema.get("const"), schema.get("enum").and_then(Json::as_array)) {
        (Some(one), _) => vec![one],
        (None, Some(several)) if !several.is_empty() => several.iter().collect(),
        _ => return None,
    };
    // YAML makes numbers of what is meant as text.
    let is_text = schema.get("type").and_then(Json::as_str) == Some("string");
    let is_plain = |value: &&Json| match value {
        Json::Null | Json::String(_) => true,
        Json::Bool(_) | Json::Number(_) => !is_text,
        Json::Array(_) | Json::Object(_) => false,
    };
    all.iter().all(is_plain).then_some(all)
}

fn is_same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one.compare(other).is_eq(),
        (one, other) => one == other,
    }
}

/// The types of a schema's `type`.
fn kinds(kind: &Json) -> Kinds {
    match kind {
        Json::String(name) => of_name(name),
        Json::Array(names) if !names.is_empty() => {
            names.iter().fold(0, |kinds, name| kinds | name.as_str().map_or(ANY_KIND, of_name))
        }
        _ => ANY_KIND,
    }
}

fn kind(value: &Json) -> Kinds {
    of_name(value.type_name())
}

fn of_name(name: &str) -> Kinds {
    match name {
        "null" => NULL_KIND,
        "object" => OBJECT_KIND,
        "array" => 4,
        "boolean" => 8,
        // An integer is a number.
        "integer" | "number" => 16,
        "string" => 32,
        _ => ANY_KIND,
    }
}
