//! The keywords of one schema, each in the form that JSON Schema 2020-12 gives it.

use std::collections::{BTreeSet, HashSet};

use callout_core::json::{Json, Number, Object, ObjectBuilder};

use super::{
    Converter, DESCRIPTION, Values,
    exclusive::may_fit_several,
    lost::{self, Holds},
};
use crate::{
    document::{Found, Version},
    report::Findings,
    text,
};

/// Bytes of a `default` that is kept.
const MAX_DEFAULT: usize = 500;

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

pub(crate) fn is_type(name: &str) -> bool {
    TYPES.contains(&name)
}

pub(super) fn convert<'d>(
    converter: &mut Converter<'d>,
    schema: &Found<'d>,
    depth: usize,
    findings: &mut Findings,
) -> Json {
    let written = members(converter, schema, |_| true, depth, findings);
    nullable(converter, schema, written)
}

/// What a schema says beside its reference, if it has one, by those keywords that are wanted.
pub(super) fn members<'d>(
    converter: &mut Converter<'d>,
    schema: &Found<'d>,
    wanted: impl Fn(&str) -> bool,
    depth: usize,
    findings: &mut Findings,
) -> Object {
    let Some(members) = schema.node.as_object() else { return Object::default() };
    let around = std::mem::take(&mut converter.only_read);
    let only_read = only_read(converter, schema, &around);
    let mut written = ObjectBuilder::new();
    for (name, node) in members.iter().filter(|(name, _)| wanted(name)) {
        let value = Found { node, place: schema.place.below(name) };
        // Parts in place speak of the same object, and what is below of another one.
        converter.only_read = if name == "allOf" { only_read.clone() } else { HashSet::new() };
        let all = keyword(converter, members, &only_read, name, &value, depth, findings);
        if let Some(mark) = misshapen(name, node).filter(|_| all.is_none()) {
            findings.loss(&value.place, format!("`{name}` is not in shape: it is not checked"));
            written.insert(mark, true);
        }
        for (name, value) in all.into_iter().flatten() {
            written.insert(name, value);
        }
    }
    converter.only_read = around;
    written.build()
}

/// The names of an object that are only read, by the word of a schema, of those that it combines by `allOf`, or of the
/// one around it. Only where it matters.
fn only_read<'d>(converter: &mut Converter<'d>, schema: &Found<'d>, around: &HashSet<&'d str>) -> HashSet<&'d str> {
    if ["required", "allOf"].iter().all(|name| schema.node.get(name).is_none()) {
        return HashSet::new();
    }
    let mut names = around.clone();
    for part in parts_in_place(converter, schema) {
        for (name, property) in part.get("properties").into_iter().flat_map(|all| all.members()) {
            if read_only(converter, property.node) {
                names.insert(name);
            }
        }
    }
    names
}

/// Of the names that are only read by the word of what is around a schema, those that it requires, and does not have as
/// only read itself.
pub(super) fn wrongly_required<'d>(converter: &mut Converter<'d>, schema: &Found<'d>) -> BTreeSet<&'d str> {
    if converter.only_read.is_empty() {
        return BTreeSet::new();
    }
    let around = converter.only_read.clone();
    let own = only_read(converter, schema, &HashSet::new());
    let parts = parts_in_place(converter, schema);
    let lists = parts.iter().filter_map(|part| part.node.get("required").and_then(Json::as_array));
    let names = lists.flatten().filter_map(Json::as_str);
    names.filter(|name| around.contains(name) && !own.contains(name)).collect()
}

/// A schema and those that it combines by `allOf`, also behind references.
fn parts_in_place<'d>(converter: &mut Converter<'d>, schema: &Found<'d>) -> Vec<Found<'d>> {
    let document = converter.document();
    let mut parts = Vec::new();
    let mut open = vec![schema.clone()];
    let mut seen: HashSet<*const Json> = HashSet::new();
    while let Some(schema) = open.pop() {
        let properties = schema.node.get("properties").and_then(Json::as_object).map_or(0, Object::len);
        let required = schema.node.get("required").and_then(Json::as_array).map_or(0, |names| names.len());
        converter.names_left = converter.names_left.saturating_sub(properties + required + 1);
        // The schema itself is always looked at.
        if !seen.is_empty() && converter.names_left == 0 {
            break;
        }
        if !seen.insert(std::ptr::from_ref(schema.node)) {
            continue;
        }
        open.extend(schema.get("allOf").into_iter().flat_map(|list| list.elements()));
        if schema.text("$ref").is_some() {
            open.extend(document.follow(schema.node, &schema.place));
        }
        parts.push(schema);
    }
    parts
}

type Written = Vec<(&'static str, Json)>;

/// What a keyword becomes; `None` if it says nothing about a request, or is not in shape.
fn keyword<'d>(
    converter: &mut Converter<'d>,
    schema: &'d Object,
    only_read: &HashSet<&'d str>,
    name: &str,
    value: &Found<'d>,
    depth: usize,
    findings: &mut Findings,
) -> Option<Written> {
    let node = value.node;
    let one = |name: &'static str, value: Json| Some(vec![(name, value)]);
    match name {
        "type" => one("type", kinds(node)?),
        "enum" => one("enum", constants(node, schema)?),
        "const" => one("const", node.clone()),
        "format" => one("format", node.as_str()?.into()),
        "default" => one("default", small(node)?),
        "description" => {
            let text = text::brief(node.as_str().filter(|_| converter.describes(depth))?, DESCRIPTION);
            (!text.is_empty()).then(|| vec![("description", text.into())])
        }
        "deprecated" => node.as_bool().filter(|is| *is).map(|_| vec![("deprecated", true.into())]),
        "pattern" if converter.detail.patterns => one("pattern", node.as_str()?.into()),
        "pattern" => node.as_str().and_then(|_| one(lost::LOST, true.into())),
        "minimum" => limit("minimum", "exclusiveMinimum", node, schema),
        "maximum" => limit("maximum", "exclusiveMaximum", node, schema),
        "exclusiveMinimum" => node.as_number().and_then(|number| one("exclusiveMinimum", number.clone().into())),
        "exclusiveMaximum" => node.as_number().and_then(|number| one("exclusiveMaximum", number.clone().into())),
        "multipleOf" => node
            .as_number()
            .filter(|number| number.as_f64() > 0.0)
            .and_then(|number| one("multipleOf", number.clone().into())),
        "minLength" => count("minLength", node),
        "maxLength" => count("maxLength", node),
        "minItems" => count("minItems", node),
        "maxItems" => count("maxItems", node),
        "minProperties" => count("minProperties", node),
        "maxProperties" => count("maxProperties", node),
        "minContains" => count("minContains", node),
        "maxContains" => count("maxContains", node),
        "uniqueItems" => node.as_bool().and_then(|is| one("uniqueItems", is.into())),
        "required" => required(node, only_read),
        "properties" => {
            let written = map(converter, value, depth, true, findings)?;
            let is_whole = written.as_object().map(Object::len) == node.as_object().map(Object::len);
            let mark = (!is_whole).then(|| (lost::LOST, Json::from(true)));
            Some([("properties", written)].into_iter().chain(mark).collect())
        }
        "patternProperties" if converter.detail.patterns => {
            one("patternProperties", map(converter, value, depth, false, findings)?)
        }
        "patternProperties" => {
            node.as_object().filter(|all| !all.is_empty()).and_then(|_| one(lost::UNNAMED, true.into()))
        }
        "dependentSchemas" => one("dependentSchemas", map(converter, value, depth, false, findings)?),
        "dependentRequired" => one("dependentRequired", dependent_required(node)?),
        "items" if node.as_array().is_some() => one("prefixItems", list(converter, value, depth, findings)?),
        "items" => one("items", inner(converter, value, depth, findings)?),
        "additionalProperties" => one("additionalProperties", inner(converter, value, depth, findings)?),
        "unevaluatedProperties" => one("unevaluatedProperties", inner(converter, value, depth, findings)?),
        "unevaluatedItems" => one("unevaluatedItems", inner(converter, value, depth, findings)?),
        "propertyNames" => one("propertyNames", inner(converter, value, depth, findings)?),
        "contains" => one("contains", inner(converter, value, depth, findings)?),
        "not" => one("not", inner(converter, value, depth, findings)?),
        "if" => one("if", inner(converter, value, depth, findings)?),
        "then" => one("then", inner(converter, value, depth, findings)?),
        "else" => one("else", inner(converter, value, depth, findings)?),
        "allOf" => one("allOf", list(converter, value, depth, findings)?),
        "anyOf" => one("anyOf", list(converter, value, depth, findings)?),
        "oneOf" => {
            let written = list(converter, value, depth, findings)?;
            let (parts, around): (Vec<_>, _) = (value.elements().collect(), Values::of_own(schema, only_read));
            let mark = may_fit_several(converter, &parts, &around, &value.place, findings).then_some(lost::SEVERAL);
            Some([("oneOf", written)].into_iter().chain(mark.map(|mark| (mark, true.into()))).collect())
        }
        "prefixItems" => one("prefixItems", list(converter, value, depth, findings)?),
        "$dynamicRef" | "$recursiveRef" => {
            findings.loss(&value.place, format!("`{name}` is not followed: anything is accepted"));
            one(lost::UNNAMED, true.into())
        }
        _ => None,
    }
}

/// The mark for a keyword of which nothing is written, if it was to check something.
fn misshapen(name: &str, node: &Json) -> Option<&'static str> {
    // A flag beside a bound, and a list or a map without schemas, say nothing by themselves; `required` as a flag of a
    // property, which many documents have, was another version's.
    let says_nothing = matches!(
        (name, node),
        ("exclusiveMinimum" | "exclusiveMaximum" | "required", Json::Bool(_))
            | ("items" | "prefixItems" | "allOf" | "anyOf" | "oneOf", Json::Array(_))
            | ("patternProperties", Json::Object(_))
    );
    if says_nothing || (*node == Json::Null && name != "type") {
        return None;
    }
    match name {
        "type" | "enum" | "pattern" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
        | "multipleOf" | "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
        | "minContains" | "maxContains" | "uniqueItems" | "required" | "dependentRequired" => Some(lost::LOST),
        _ => (Holds::of(name) != Holds::Nothing && name != "$defs").then_some(lost::UNNAMED),
    }
}

/// The types that there are, of one or of several. One that is none may stand for any.
fn kinds(node: &Json) -> Option<Json> {
    match node {
        Json::String(name) => is_type(name).then(|| node.clone()),
        Json::Array(names) => {
            let mut kinds: Vec<Json> = Vec::new();
            for name in names {
                if !name.as_str().is_some_and(is_type) {
                    return None;
                }
                if !kinds.contains(name) {
                    kinds.push(name.clone());
                }
            }
            (!kinds.is_empty()).then(|| kinds.into())
        }
        _ => None,
    }
}

/// Each constant once. YAML makes numbers of what a `type: string` means as text.
fn constants(node: &Json, schema: &Object) -> Option<Json> {
    let is_text = schema.get("type").and_then(Json::as_str) == Some("string");
    let mut constants: Vec<Json> = Vec::new();
    for value in node.as_array()? {
        let value = match value {
            Json::Number(_) | Json::Bool(_) if is_text => value.to_string().into(),
            other => other.clone(),
        };
        if !constants.contains(&value) {
            constants.push(value);
        }
    }
    (!constants.is_empty()).then(|| constants.into())
}

fn small(node: &Json) -> Option<Json> {
    (node.to_string().len() <= MAX_DEFAULT).then(|| node.clone())
}

/// A bound. In 3.0 a flag beside it says that it is itself not allowed.
fn limit(name: &'static str, exclusive: &'static str, node: &Json, schema: &Object) -> Option<Written> {
    let number = node.as_number()?.clone();
    let is_exclusive = schema.get(exclusive).and_then(Json::as_bool) == Some(true);
    Some(vec![(if is_exclusive { exclusive } else { name }, number.into())])
}

fn count(name: &'static str, node: &Json) -> Option<Written> {
    let number = node.as_number()?;
    let whole = number.as_u64().or_else(|| number.as_whole()?.try_into().ok())?;
    Some(vec![(name, Json::Number(Number::from(whole)))])
}

/// The names that are required, but for what is only read.
fn required(node: &Json, only_read: &HashSet<&str>) -> Option<Written> {
    let mut names: Vec<Json> = Vec::new();
    let mut written = Written::new();
    for name in node.as_array()? {
        if name.as_str().is_some_and(|name| only_read.contains(name)) {
            written.push((lost::LOST, true.into()));
        } else if name.as_str().is_some() && !names.contains(name) {
            names.push(name.clone());
        }
    }
    if !names.is_empty() {
        written.push(("required", names.into()));
    }
    Some(written)
}

/// Whether a property is in answers only.
pub(crate) fn read_only(converter: &Converter<'_>, property: &Json) -> bool {
    let is = |schema: &Json| schema.get("readOnly").and_then(Json::as_bool) == Some(true);
    is(property)
        || converter.document().follow(property, &crate::pointer::Pointer::root()).is_ok_and(|found| is(found.node))
}

fn map<'d>(
    converter: &mut Converter<'d>,
    value: &Found<'d>,
    depth: usize,
    are_properties: bool,
    findings: &mut Findings,
) -> Option<Json> {
    value.node.as_object()?;
    let mut written = ObjectBuilder::new();
    for (name, schema) in value.members() {
        if are_properties && read_only(converter, schema.node) {
            continue;
        }
        written.insert(name, converter.subschema(&schema, depth + 1, findings));
    }
    Some(written.into())
}

fn list<'d>(converter: &mut Converter<'d>, value: &Found<'d>, depth: usize, findings: &mut Findings) -> Option<Json> {
    let written: Vec<Json> = value.elements().map(|schema| converter.subschema(&schema, depth + 1, findings)).collect();
    (!written.is_empty()).then(|| written.into())
}

fn inner<'d>(converter: &mut Converter<'d>, value: &Found<'d>, depth: usize, findings: &mut Findings) -> Option<Json> {
    match value.node {
        Json::Bool(is) => Some((*is).into()),
        Json::Object(_) => Some(converter.subschema(value, depth + 1, findings)),
        _ => None,
    }
}

fn dependent_required(node: &Json) -> Option<Json> {
    let members = node.as_object()?.iter();
    let good = members.filter(|(_, names)| {
        names.as_array().is_some_and(|names| {
            names.iter().enumerate().all(|(at, name)| name.as_str().is_some() && !names[..at].contains(name))
        })
    });
    Some(good.map(|(name, names)| (name, names.clone())).collect())
}

/// 3.0's `nullable`: null is a value beside the others.
fn nullable(converter: &Converter<'_>, schema: &Found<'_>, written: Object) -> Json {
    if converter.document().version() != Version::V3_0 || schema.flag("nullable") != Some(true) {
        return written.into();
    }
    let kind = written.get("type").and_then(Json::as_str);
    let combined = ["allOf", "anyOf", "oneOf", "not", "$ref"].iter().any(|name| written.contains(name));
    let Some(kind) = kind.filter(|_| !combined) else {
        if written.is_empty() {
            return written.into();
        }
        let null = Json::from(ObjectBuilder::new().with("type", "null"));
        return ObjectBuilder::new().with("anyOf", vec![Json::Object(written), null]).into();
    };
    let mut all = ObjectBuilder::new();
    for (name, value) in written.iter() {
        let value = match name {
            "type" => vec![Json::from(kind), "null".into()].into(),
            "enum" => {
                let mut constants = value.as_array().map_or_else(Vec::new, |constants| constants.to_vec());
                if !constants.contains(&Json::Null) {
                    constants.push(Json::Null);
                }
                constants.into()
            }
            _ => value.clone(),
        };
        all.insert(name, value);
    }
    all.into()
}
