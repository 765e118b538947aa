//! The members of an object schema, found through references and combinations.

use std::collections::HashSet;

use callout_core::json::{Json, Object, ObjectBuilder};

use crate::{
    document::{Document, Found},
    report::Findings,
    schema::{Converter, lost, read_only},
    shape::Shape,
    steps::Steps,
};

/// Schemas within each other that are looked into.
const MAX_DEPTH: u32 = 12;

/// What an object schema says.
#[derive(Debug, Default)]
pub(crate) struct Members<'d> {
    /// Each property, with everything that is said of it.
    pub(crate) properties: Vec<(&'d str, Vec<Found<'d>>)>,
    pub(crate) required: Vec<&'d str>,
    /// `additionalProperties`, where one schema alone says it.
    pub(crate) additional: Option<Found<'d>>,
    /// Alternatives: `oneOf` or `anyOf` with their schemas.
    pub(crate) alternatives: Vec<(&'static str, Vec<Found<'d>>)>,
    /// `minProperties` and what else concerns the object as a whole, by the schema that says it.
    pub(crate) others: Vec<Found<'d>>,
    /// How many schemas there were.
    parts: u32,
    /// Those that were looked into, by address: what is said twice says no more.
    seen: HashSet<*const Json>,
}

/// Keywords of an object as a whole that are kept as they are.
const OTHERS: [&str; 10] = [
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "unevaluatedProperties",
    "minProperties",
];

impl<'d> Members<'d> {
    /// Of a schema that lets objects through. Alternatives that are no objects are left out and
    /// reported.
    pub(crate) fn of(document: &'d Document, steps: &Steps, schema: &Found<'d>, findings: &mut Findings) -> Self {
        Self::of_all(document, steps, std::slice::from_ref(schema), findings)
    }

    /// Of schemas that all are said of one object.
    pub(crate) fn of_all(
        document: &'d Document,
        steps: &Steps,
        schemas: &[Found<'d>],
        findings: &mut Findings,
    ) -> Self {
        let mut members = Self::default();
        for schema in schemas {
            members.collect(document, steps, schema, 0, findings);
        }
        if members.parts > 1 {
            // What closes one part of several would refuse the others.
            members.additional = None;
        }
        let mut seen = HashSet::new();
        members.required.retain(|name| seen.insert(*name));
        members
    }

    fn collect(
        &mut self,
        document: &'d Document,
        steps: &Steps,
        schema: &Found<'d>,
        depth: u32,
        findings: &mut Findings,
    ) {
        if !steps.take(1) {
            return;
        }
        let schema = match document.follow(schema.node, &schema.place) {
            Ok(schema) if depth <= MAX_DEPTH => schema,
            Ok(_) => return findings.loss(&schema.place, "combines schemas too deep: the rest is not looked into"),
            Err(why) => return findings.loss(&schema.place, format!("{why}: anything is accepted")),
        };
        let properties = schema.node.get("properties").and_then(Json::as_object).map_or(0, Object::len);
        let required = schema.node.get("required").and_then(Json::as_array);
        if !self.seen.insert(std::ptr::from_ref(schema.node))
            || !steps.take(properties + required.map_or(0, |names| names.len()))
        {
            return;
        }
        let says = ["properties", "additionalProperties", "required"];
        if says.iter().any(|name| schema.node.get(name).is_some()) {
            self.parts += 1;
        }
        for (name, property) in schema.get("properties").into_iter().flat_map(|all| all.members()) {
            match self.properties.iter_mut().find(|(other, _)| *other == name) {
                Some((_, all)) if all.iter().any(|other| other.node == property.node) => {}
                Some((_, all)) => all.push(property),
                None => self.properties.push((name, vec![property])),
            }
        }
        self.required.extend(required.into_iter().flatten().filter_map(Json::as_str));
        if let Some(additional) = schema.get("additionalProperties") {
            self.additional = Some(additional);
        }
        if OTHERS.iter().any(|name| schema.node.get(name).is_some()) || schema.node.get("maxProperties").is_some() {
            self.others.push(schema.clone());
        }
        for part in schema.get("allOf").into_iter().flat_map(|list| list.elements()) {
            self.collect(document, steps, &part, depth + 1, findings);
        }
        for name in ["oneOf", "anyOf"] {
            let Some(list) = schema.get(name) else { continue };
            let (objects, others): (Vec<_>, Vec<_>) =
                list.elements().partition(|part| Shape::of(document, steps, part).object);
            for part in &others {
                findings.loss(&part.place, "an alternative that is no object cannot be sent");
            }
            match objects.as_slice() {
                [] => {}
                [one] => self.collect(document, steps, one, depth + 1, findings),
                _ => {
                    self.parts += 1;
                    self.alternatives.push((name, objects));
                }
            }
        }
    }

    /// The properties that can be sent: what is only read is not.
    pub(crate) fn sent(&self, converter: &Converter<'d>) -> Vec<(&'d str, Vec<Found<'d>>)> {
        let sent = |all: &[Found<'d>]| !all.iter().any(|schema| read_only(converter, schema.node));
        self.properties.iter().filter(|(_, all)| sent(all)).cloned().collect()
    }

    /// Whether a property must be there.
    pub(crate) fn requires(&self, name: &str) -> bool {
        self.required.contains(&name)
    }

    /// What the object as a whole must be, alternatives aside, by keyword.
    pub(crate) fn write_others(&self, converter: &mut Converter<'d>, findings: &mut Findings) -> Vec<(String, Json)> {
        let mut written: Vec<(String, Json)> = Vec::new();
        for schema in &self.others {
            let is_other = |name: &str| name == "maxProperties" || OTHERS.contains(&name);
            let all = converter.convert_members(schema, is_other, findings);
            for (name, value) in all.iter() {
                if !lost::is_mark(name) && written.iter().any(|(other, _)| other == name) {
                    findings.loss(&schema.place.below(name), "is not checked, for another part says it too");
                } else {
                    written.push((name.to_owned(), value.clone()));
                }
            }
        }
        written
    }
}

/// One schema of all that is said of a property.
pub(crate) fn all_of<'d>(converter: &mut Converter<'d>, schemas: &[Found<'d>], findings: &mut Findings) -> Json {
    if let [one] = schemas {
        return converter.convert(one, findings);
    }
    let all: Vec<Json> = schemas.iter().map(|schema| converter.convert(schema, findings)).collect();
    ObjectBuilder::new().with("allOf", all).into()
}

/// A schema within alternatives, open for further members of these names.
pub(crate) fn opened(schema: &Json, names: &[String]) -> Json {
    let Some(members) = schema.as_object() else { return schema.clone() };
    let open = |value: &Json| value.as_bool() == Some(true);
    let is_closed = ["additionalProperties", "unevaluatedProperties"]
        .iter()
        .any(|name| members.get(name).is_some_and(|value| !open(value)));
    let mut written = ObjectBuilder::new();
    for (name, value) in members.iter() {
        let value = match (name, value.as_array()) {
            ("allOf" | "anyOf" | "oneOf", Some(parts)) => parts.iter().map(|part| opened(part, names)).collect(),
            _ => value.clone(),
        };
        written.insert(name, value);
    }
    if is_closed {
        let mut properties = ObjectBuilder::new();
        for (name, value) in members.get("properties").and_then(Json::as_object).into_iter().flat_map(Object::iter) {
            properties.insert(name, value.clone());
        }
        for name in names {
            if members.get("properties").is_none_or(|all| all.get(name).is_none()) {
                properties.insert(name.as_str(), Json::empty_object());
            }
        }
        written.insert("properties", properties);
    }
    written.into()
}

/// Whether a schema, where it is combined with others in place, refuses members that it does not name,
/// behind a reference of its own.
pub(crate) fn is_closed_behind(document: &Document, steps: &Steps, schema: &Found<'_>) -> bool {
    fn look(document: &Document, steps: &Steps, schema: &Found<'_>, depth: u32, behind: bool) -> bool {
        if depth > MAX_DEPTH || !steps.take(1) {
            return true;
        }
        let behind = behind || (depth > 0 && schema.text("$ref").is_some());
        let Ok(schema) = document.follow(schema.node, &schema.place) else { return false };
        let closed = |name: &str| schema.node.get(name).is_some_and(|value| value.as_bool() != Some(true));
        (behind && (closed("additionalProperties") || closed("unevaluatedProperties")))
            || ["allOf", "anyOf", "oneOf"]
                .into_iter()
                .filter_map(|name| schema.get(name))
                .flat_map(|list| list.elements())
                .any(|part| look(document, steps, &part, depth + 1, behind))
    }
    look(document, steps, schema, 0, false)
}
