//! Schemas for OpenAI's strict mode, in which the model's arguments always fit the schema.
//!
//! It takes a subset of JSON Schema: every object is closed and every property required; what is
//! optional is nullable instead. A schema that cannot be said in it is not bent to fit.

use callout_core::json::{Json, Object, ObjectBuilder, pointer_of};
use callout_request::references::definition;

use super::size;
use crate::schema_walk::{Looks, MAX_REFERENCES, cost};

/// How deep schemas may nest there.
const MAX_NESTING: u32 = 10;

/// What is said as it is.
const KEPT: [&str; 9] = [
    "description",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
];

/// What says nothing about which values fit.
const ANNOTATIONS: [&str; 9] =
    ["title", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly", "$schema", "$id"];

/// The formats there are; others are annotations here too.
const FORMATS: [&str; 9] = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// The schema in strict mode's subset; `None` if it cannot be said there, or is too large for it.
///
/// What fits the result, less its nulls ([`without_nulls`]), is what the schema names, and nothing
/// beside it: params that an open schema does not name cannot be passed so.
pub(super) fn schema(root: &Json) -> Option<Json> {
    let object = root.as_object().filter(|object| !object.contains("anyOf") && !object.contains("$ref"))?;
    // Params are an object, also where a schema takes null in its place.
    let object: Object = object
        .iter()
        .map(|(keyword, value)| (keyword, if keyword == "type" { "object".into() } else { value.clone() }))
        .collect();
    converted(&object, 0).filter(size::is_within_bounds)
}

fn converted(schema: &Object, depth: u32) -> Option<Json> {
    if depth > MAX_NESTING {
        return None;
    }
    if let Some(target) = schema.get("$ref") {
        return reference(schema, target);
    }
    let mut strict = ObjectBuilder::new();
    let mut typed = false;
    for (keyword, value) in schema.iter() {
        match (keyword, value) {
            ("type", Json::String(_) | Json::Array(_)) => {
                typed = true;
                strict.insert(keyword, value.clone());
            }
            ("format", Json::String(format)) => {
                if FORMATS.contains(&format.as_str()) {
                    strict.insert(keyword, value.clone());
                }
            }
            ("items", Json::Object(items)) => drop(strict.insert(keyword, converted(items, depth + 1)?)),
            ("anyOf", Json::Array(parts)) => {
                typed = true;
                let parts = parts.iter().map(|part| converted(part.as_object()?, depth + 1));
                strict.insert(keyword, parts.collect::<Option<Vec<_>>>()?);
            }
            ("$defs" | "definitions", Json::Object(definitions)) => {
                let definitions =
                    definitions.iter().map(|(name, part)| Some((name, converted(part.as_object()?, depth + 1)?)));
                strict.insert(keyword, definitions.collect::<Option<Vec<_>>>()?.into_iter().collect::<Json>());
            }
            ("enum", Json::Array(values)) => {
                if !schema.contains("type") {
                    strict.insert("type", only_type(values)?);
                    typed = true;
                }
                strict.insert(keyword, value.clone());
            }
            ("const", constant) => {
                if !schema.contains("type") {
                    strict.insert("type", only_type(std::slice::from_ref(constant))?);
                    typed = true;
                }
                strict.insert(keyword, value.clone());
            }
            ("properties" | "required" | "additionalProperties", _) => {}
            (keyword, _) if KEPT.contains(&keyword) => drop(strict.insert(keyword, value.clone())),
            (keyword, _) if ANNOTATIONS.contains(&keyword) => {}
            _ => return None,
        }
    }
    let is = |name: &str| match schema.get("type") {
        Some(Json::String(only)) => only == name,
        Some(Json::Array(several)) => several.iter().any(|other| other.as_str() == Some(name)),
        _ => false,
    };
    if is("object") {
        close(schema, &mut strict, depth)?;
    } else if schema.contains("properties") || (is("array") && !schema.contains("items")) {
        return None;
    }
    // A schema without a type takes anything, which cannot be said.
    typed.then(|| strict.into())
}

/// A reference alone, for strict mode takes nothing beside it. `None` if what is there says which values fit.
fn reference(schema: &Object, target: &Json) -> Option<Json> {
    // It takes a definition, and no place within one.
    let is_to_definition = target.as_str().is_some_and(|target| {
        definition(target).is_some() && pointer_of(target).is_some_and(|pointer| pointer.matches('/').count() == 2)
    });
    let mut beside = schema.keys().filter(|keyword| *keyword != "$ref" && *keyword != "description");
    let is_alone = beside.all(|keyword| ANNOTATIONS.contains(&keyword));
    (is_to_definition && is_alone).then(|| ObjectBuilder::new().with("$ref", target.clone()).into())
}

/// The members of an object schema: all required, no others.
fn close(schema: &Object, strict: &mut ObjectBuilder, depth: u32) -> Option<()> {
    let closed = matches!(schema.get("additionalProperties"), Some(Json::Bool(false)));
    let open = matches!(schema.get("additionalProperties"), None | Some(Json::Bool(true)));
    let none = Object::default();
    let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
    // A map from names to values, or an object that may hold anything.
    if !closed && (!open || properties.is_empty()) {
        return None;
    }
    let required: Vec<&str> =
        schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    if !required.iter().all(|name| properties.contains(name)) {
        return None;
    }
    let members = properties.iter().map(|(name, property)| {
        let property = property.as_object()?;
        let member = converted(property, depth + 1)?;
        Some((name, if required.contains(&name) { member } else { nullable(member, property.get("description")) }))
    });
    strict.insert("properties", members.collect::<Option<Vec<_>>>()?.into_iter().collect::<Json>());
    strict.insert("required", properties.keys().map(Json::from).collect::<Json>());
    strict.insert("additionalProperties", false);
    Some(())
}

/// The same, or null. Its description finds a place beside the two if it is a reference.
fn nullable(schema: Json, description: Option<&Json>) -> Json {
    let null = || Json::from("null");
    let Some(object) = schema.as_object() else { return schema };
    let simple = !object.contains("$ref") && !object.contains("anyOf") && !object.contains("const");
    let Some(kind) = object.get("type").filter(|_| simple) else {
        let either = vec![schema.clone(), ObjectBuilder::new().with("type", "null").into()];
        let description = description.filter(|_| object.contains("$ref"));
        let members = [("anyOf", Json::from(either))].into_iter();
        return members.chain(description.map(|text| ("description", text.clone()))).collect();
    };
    let mut types = kind.as_array().map_or_else(|| vec![kind.clone()], |types| types.to_vec());
    if !types.contains(&null()) {
        types.push(null());
    }
    let members = object.iter().map(|(keyword, value)| match keyword {
        "type" => (keyword, Json::from(types.clone())),
        "enum" => {
            let mut values = value.as_array().map_or_else(Vec::new, |values| values.to_vec());
            if !values.contains(&Json::Null) {
                values.push(Json::Null);
            }
            (keyword, values.into())
        }
        _ => (keyword, value.clone()),
    });
    members.collect()
}

/// The JSON type that all values have.
fn only_type(values: &[Json]) -> Option<Json> {
    let first = values.first()?.type_name();
    values.iter().all(|value| value.type_name() == first).then(|| first.into())
}

/// The params without the nulls that strict mode has put for what is optional: those of properties
/// that need not be there and may not be null.
///
/// Of alternatives that describe objects the one counts that knows all members of the value.
pub(super) fn without_nulls(schema: &Json, params: &Json) -> Json {
    Nulls { root: schema, looks: Looks::default() }.taken_out(std::iter::once(schema), params)
}

struct Nulls<'s> {
    root: &'s Json,
    /// What is come to after them keeps its nulls.
    looks: Looks,
}

impl<'s> Nulls<'s> {
    fn taken_out(&mut self, schemas: impl Iterator<Item = &'s Json>, value: &Json) -> Json {
        if !matches!(value, Json::Object(_) | Json::Array(_)) {
            return value.clone();
        }
        let parts: Vec<_> = schemas.flat_map(|schema| self.parts(schema)).collect();
        self.of_parts(&parts, value)
    }

    fn of_parts(&mut self, parts: &[&'s Object], value: &Json) -> Json {
        match value {
            Json::Object(members) => {
                let chosen = self.chosen(parts, members);
                if chosen.is_empty() { value.clone() } else { self.of_members(&chosen, members) }
            }
            Json::Array(elements) => {
                // Once for all elements.
                let items = parts.iter().filter_map(|&part| part.get("items"));
                let parts: Vec<&'s Object> = items.flat_map(|items| self.parts(items)).collect();
                if parts.is_empty() {
                    return value.clone();
                }
                let each = |element: &Json| match self.looks.spend(parts.len()) {
                    Some(()) => self.of_parts(&parts, element),
                    None => element.clone(),
                };
                elements.iter().map(each).collect()
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
        }
    }

    /// By all of the parts that may be meant: a null that one of them takes stays.
    fn of_members(&mut self, parts: &[&'s Object], members: &Object) -> Json {
        let members = members.iter().filter_map(|(name, member)| {
            if member.is_null() && parts.iter().all(|part| self.leaves_out(part, name)) {
                return None;
            }
            let properties = parts.iter().filter_map(|part| part.get("properties").and_then(|all| all.get(name)));
            Some((name, self.taken_out(properties, member)))
        });
        members.collect()
    }

    /// Whether a null stands for the absence of that member.
    fn leaves_out(&mut self, part: &'s Object, name: &str) -> bool {
        let Some(property) = part.get("properties").and_then(|all| all.get(name)) else { return false };
        let required = part.get("required").and_then(Json::as_array);
        // It is compared with all of them.
        if self.looks.spend(required.map_or(0, |names| names.len())).is_none() {
            return false;
        }
        let is_needed = required.is_some_and(|names| names.iter().any(|other| other.as_str() == Some(name)));
        !is_needed && !self.takes_null(property, 0)
    }

    /// What speaks of a value's members or elements: the schema itself, or what it stands for. References
    /// are followed to their end, those in circles to a bound, and alternatives are all there.
    fn parts(&mut self, schema: &'s Json) -> Vec<&'s Object> {
        let mut found = Vec::new();
        let mut open = vec![(schema, 0)];
        while let Some((schema, depth)) = open.pop() {
            if self.looks.spend(cost(schema)).is_none() {
                return Vec::new();
            }
            let Some(schema) = schema.as_object().filter(|_| depth <= MAX_REFERENCES) else { continue };
            if let Some(target) = self.referred(schema) {
                open.push((target, depth + 1));
            } else if schema.contains("properties") || schema.contains("items") {
                found.push(schema);
            } else {
                // The first is the next.
                open.extend(alternatives(schema).rev().map(|part| (part, depth + 1)));
            }
        }
        found
    }

    /// What describes an object of these members: the only part that describes an object, or of several those
    /// that know every name and admit what they list, and have the fewest names beside. Empty if there is none.
    fn chosen(&mut self, parts: &[&'s Object], members: &Object) -> Vec<&'s Object> {
        let objects: Vec<(&'s Object, &'s Object)> =
            parts.iter().filter_map(|&part| Some((part, part.get("properties").and_then(Json::as_object)?))).collect();
        if let [(only, _)] = objects.as_slice() {
            return vec![*only];
        }
        // What is listed is compared with too.
        let names = objects.len().saturating_mul(members.len());
        if self.looks.spend(parts.len() + names).is_none() {
            return Vec::new();
        }
        let of_name = |all: &Object, name: &str| all.get(name).and_then(Json::as_object).map_or(0, listed);
        let compared = objects.iter().flat_map(|(_, all)| members.keys().map(|name| of_name(all, name)));
        if self.looks.spend(compared.sum()).is_none() {
            return Vec::new();
        }
        let fits = |properties: &Object| {
            members.iter().all(|(name, member)| properties.get(name).is_some_and(|property| admits(property, member)))
        };
        let fitting: Vec<_> = objects.into_iter().filter(|(_, properties)| fits(properties)).collect();
        let fewest = fitting.iter().map(|(_, properties)| properties.len()).min();
        fitting.into_iter().filter(|(_, all)| Some(all.len()) == fewest).map(|(part, _)| part).collect()
    }

    /// What a schema refers to.
    fn referred(&self, schema: &Object) -> Option<&'s Json> {
        self.root.referred(schema.get("$ref").and_then(Json::as_str)?)
    }

    fn takes_null(&mut self, schema: &'s Json, depth: u32) -> bool {
        if depth > MAX_REFERENCES || self.looks.spend(cost(schema)).is_none() {
            return true;
        }
        let Some(schema) = schema.as_object() else { return true };
        if let Some(target) = self.referred(schema) {
            return self.takes_null(target, depth + 1);
        }
        if self.looks.spend(listed(schema)).is_none() {
            return true;
        }
        let types = match schema.get("type") {
            Some(Json::String(only)) => only == "null",
            Some(Json::Array(types)) => types.iter().any(|other| other.as_str() == Some("null")),
            _ => true,
        };
        let mut alternatives = alternatives(schema).peekable();
        types
            && admits_listed(schema, &Json::Null)
            && (alternatives.peek().is_none() || alternatives.any(|part| self.takes_null(part, depth + 1)))
    }
}

/// The schemas of which one applies.
fn alternatives(schema: &Object) -> impl DoubleEndedIterator<Item = &Json> {
    ["anyOf", "oneOf"].into_iter().filter_map(move |keyword| schema.get(keyword).and_then(Json::as_array)).flatten()
}

/// Whether a value is among those that a schema lists, or stands where strict mode has put a null.
fn admits(schema: &Json, value: &Json) -> bool {
    value.is_null() || schema.as_object().is_none_or(|schema| admits_listed(schema, value))
}

/// How many values a schema lists.
fn listed(schema: &Object) -> usize {
    schema.get("enum").and_then(Json::as_array).map_or(0, |values| values.len())
}

fn admits_listed(schema: &Object, value: &Json) -> bool {
    schema.get("enum").and_then(Json::as_array).is_none_or(|values| values.contains(value))
        && schema.get("const").is_none_or(|constant| constant == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    const ORDER: &str = r##"{"type":"object","properties":{"id":{"type":"string","minimum":1},
        "n":{"type":"integer","default":3},"kind":{"enum":["a","b"]},"at":{"type":"string","format":"odd"},
        "note":{"type":["string","null"]},"to":{"$ref":"#/$defs/to"},"list":{"type":"array","items":{"$ref":"#/$defs/to"}}},
        "required":["id"],"$defs":{"to":{"type":"object","properties":{"zip":{"type":"string"}},"additionalProperties":false}}}"##;

    #[test]
    fn what_is_optional_becomes_nullable_and_objects_closed() {
        insta::assert_snapshot!(schema(&json(ORDER)).unwrap(), @r##"{"type":"object","$defs":{"to":{"type":"object","properties":{"zip":{"type":["string","null"]}},"required":["zip"],"additionalProperties":false}},"properties":{"id":{"type":"string","minimum":1},"n":{"type":["integer","null"]},"kind":{"type":["string","null"],"enum":["a","b",null]},"at":{"type":["string","null"]},"note":{"type":["string","null"]},"to":{"anyOf":[{"$ref":"#/$defs/to"},{"type":"null"}]},"list":{"type":["array","null"],"items":{"$ref":"#/$defs/to"}}},"required":["id","n","kind","at","note","to","list"],"additionalProperties":false}"##);
    }

    #[test]
    fn definitions_of_either_keyword_are_said_alike() {
        let said = schema(&json(&ORDER.replace("$defs", "definitions"))).unwrap();
        assert_eq!(said.to_string(), schema(&json(ORDER)).unwrap().to_string().replace("$defs", "definitions"));
    }

    #[test]
    fn a_reference_has_nothing_beside_it() {
        let described = r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/x","description":"A","default":"a"},
            "b":{"description":"B","$ref":"#/$defs/x"},"c":{"anyOf":[{"$ref":"#/$defs/x","title":"X"}],"description":"C"}},
            "required":["a","c"],"$defs":{"x":{"type":"string"}}}"##;
        insta::assert_snapshot!(schema(&json(described)).unwrap(), @r##"{"type":"object","$defs":{"x":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/x"},"b":{"anyOf":[{"$ref":"#/$defs/x"},{"type":"null"}],"description":"B"},"c":{"anyOf":[{"$ref":"#/$defs/x"}],"description":"C"}},"required":["a","b","c"],"additionalProperties":false}"##);
    }

    #[test]
    fn what_cannot_be_said_is_left_alone() {
        for text in [
            "{}",
            r#"{"type":"object"}"#,
            r#"{"type":"object","properties":{"a":{}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"object"}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"array"}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string","minLength":1}}}"#,
            r#"{"type":"object","properties":{"a":{"oneOf":[{"type":"string"}]}}}"#,
            r#"{"type":"object","properties":{"a":{"enum":["a",1]}}}"#,
            r#"{"type":"object","properties":{"a":true}}"#,
            r#"{"type":"object","properties":{"a":{"type":"object","additionalProperties":{"type":"string"}}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["b"]}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}},"patternProperties":{}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}},"anyOf":[{"type":"object"}]}"#,
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/x","pattern":"a"}},"$defs":{"x":{"type":"string"}}}"##,
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/x/items"}},
                "$defs":{"x":{"type":"array","items":{"type":"string"}}}}"##,
        ] {
            assert_eq!(schema(&json(text)), None, "{text}");
        }
        assert!(schema(&json(r#"{"type":"object","additionalProperties":false}"#)).is_some());
    }

    #[test]
    fn nulls_that_stand_for_nothing_are_taken_out_again() {
        let schema = json(ORDER);
        for (params, expected) in [
            (
                r#"{"id":"1","n":null,"kind":null,"note":null,"to":null,"list":[{"zip":null},{"zip":"z"}],"more":null}"#,
                r#"{"id":"1","note":null,"list":[{},{"zip":"z"}],"more":null}"#,
            ),
            // A null in place of what is required is the model's fault, and stays to be refused.
            (r#"{"id":null}"#, r#"{"id":null}"#),
        ] {
            assert_eq!(without_nulls(&schema, &json(params)).to_string(), expected);
        }
    }

    #[test]
    fn nulls_are_taken_out_behind_references_to_references_and_within_alternatives() {
        let schema = json(
            r##"{"type":"object","properties":{
                "address":{"anyOf":[{"$ref":"#/$defs/Address"},{"type":"null"}]},
                "chain":{"$ref":"#/$defs/Alias"},
                "stops":{"anyOf":[{"type":"null"},
                    {"type":"array","items":{"anyOf":[{"$ref":"#/$defs/Alias"},{"type":"null"}]}}]},
                "by":{"oneOf":[{"$ref":"#/$defs/Mail"},{"$ref":"#/$defs/Phone"}]},
                "kind":{"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}]},
                "alike":{"anyOf":[{"properties":{"id":{"type":"string"},"note":{"type":"string"}}},
                    {"properties":{"id":{"type":"integer"},"note":{"type":["string","null"]}}}]},
                "round":{"$ref":"#/$defs/Round"},
                "number":{"oneOf":[{"type":"integer"},{"type":"string"}]}},
                "$defs":{"Alias":{"$ref":"#/$defs/Address"},
                "Address":{"type":"object","required":["street"],
                    "properties":{"street":{"type":"string"},"zip":{"type":"string"}}},
                "Mail":{"type":"object","properties":{
                    "to":{"type":"string"},"cc":{"type":"string"},"subject":{"type":["string","null"]}}},
                "Phone":{"type":"object","properties":{"to":{"type":"string"},"subject":{"type":"string"}}},
                "A":{"type":"object","properties":{"is":{"const":"a"},"note":{"type":["string","null"]}}},
                "B":{"type":"object","properties":{"is":{"const":"b"},"note":{"type":"string"}}},
                "Round":{"anyOf":[{"$ref":"#/$defs/Round"},{"$ref":"#/$defs/Trip"}]},
                "Trip":{"$ref":"#/$defs/Round"}}}"##,
        );
        for (params, expected) in [
            (r#"{"address":{"street":"s","zip":null}}"#, r#"{"address":{"street":"s"}}"#),
            (r#"{"address":null}"#, r#"{"address":null}"#),
            (r#"{"chain":{"street":"s","zip":null}}"#, r#"{"chain":{"street":"s"}}"#),
            (r#"{"chain":null}"#, "{}"),
            (r#"{"stops":[{"street":null,"zip":null},null]}"#, r#"{"stops":[{"street":null},null]}"#),
            // Of several the one that has all names, and of those the one that has no others.
            (r#"{"by":{"to":"a","cc":null,"subject":null}}"#, r#"{"by":{"to":"a","subject":null}}"#),
            (r#"{"by":{"to":"a","subject":null}}"#, r#"{"by":{"to":"a"}}"#),
            (r#"{"by":{"to":"a","more":null}}"#, r#"{"by":{"to":"a","more":null}}"#),
            // Of those of the same names the one that takes the constant.
            (r#"{"kind":{"is":"a","note":null}}"#, r#"{"kind":{"is":"a","note":null}}"#),
            (r#"{"kind":{"is":"b","note":null}}"#, r#"{"kind":{"is":"b"}}"#),
            // Where either may be meant, a null that one of them takes stays.
            (r#"{"alike":{"id":5,"note":null}}"#, r#"{"alike":{"id":5,"note":null}}"#),
            (r#"{"alike":{"id":null,"note":null}}"#, r#"{"alike":{"note":null}}"#),
            (r#"{"round":{"zip":null}}"#, r#"{"round":{"zip":null}}"#),
            (r#"{"number":null}"#, "{}"),
        ] {
            assert_eq!(without_nulls(&schema, &json(params)).to_string(), expected);
        }
    }

    /// How many nulls are left of a list of that many objects with one each, and one beside it, by the schema of
    /// the objects.
    fn nulls_left(items: &str, definitions: &str, length: usize) -> usize {
        let properties = format!(r#"{{"list":{{"items":{items}}},"z":{{"type":"string"}}}}"#);
        let schema = json(&format!(r#"{{"properties":{properties},"$defs":{definitions}}}"#));
        let list = vec![r#"{"a":null}"#; length].join(",");
        let params = without_nulls(&schema, &json(&format!(r#"{{"list":[{list}],"z":null}}"#)));
        params.to_string().matches("null").count()
    }

    #[test]
    fn what_has_not_been_come_to_after_a_million_looks_keeps_its_nulls() {
        let nothing = vec![r#"{"type":"string"}"#; 1_999].join(",");
        let items = format!(r#"{{"properties":{{"a":{{"anyOf":[{nothing}]}}}}}}"#);
        assert_eq!(nulls_left(&items, "{}", 400), 0);
        // Those of 499 elements are gone.
        assert_eq!(nulls_left(&items, "{}", 1_000), 502);
    }

    #[test]
    fn what_is_compared_with_many_and_referred_to_at_length_takes_as_many_looks() {
        let names: Vec<_> = (0..10_000).map(|at| format!(r#""n{at}""#)).collect();
        let names = names.join(",");
        let name = "n".repeat(640_000);
        let definitions = format!(r#"{{"{name}":{{"type":"string"}}}}"#);
        for items in [
            format!(r#"{{"properties":{{"a":{{"type":"string"}}}},"required":[{names}]}}"#),
            format!(r#"{{"properties":{{"a":{{"enum":[{names}]}}}}}}"#),
            format!(r##"{{"properties":{{"a":{{"$ref":"#/$defs/{name}"}}}}}}"##),
        ] {
            assert_eq!(nulls_left(&items, &definitions, 50), 0);
            // Those of 99 elements are gone.
            assert_eq!(nulls_left(&items, &definitions, 200), 102);
        }
        // What a part does not describe is looked for in no list.
        let items = format!(r#"{{"properties":{{"b":{{"type":"string"}}}},"required":[{names}]}}"#);
        assert_eq!(nulls_left(&items, "{}", 200), 200);
    }
}
