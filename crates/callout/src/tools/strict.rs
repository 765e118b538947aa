//! Schemas for OpenAI's strict mode, in which the model's arguments always fit the schema.
//!
//! It takes a subset of JSON Schema: every object is closed and every property required; what is
//! optional is nullable instead. A schema that cannot be said in it is not bent to fit.

use callout_core::json::{Json, Object, ObjectBuilder};

use super::schema::target;

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

/// The schema in strict mode's subset; `None` if it cannot be said there.
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
    converted(&object, 0)
}

fn converted(schema: &Object, depth: u32) -> Option<Json> {
    if depth > MAX_NESTING {
        return None;
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
            ("$defs", Json::Object(definitions)) => {
                let definitions =
                    definitions.iter().map(|(name, part)| Some((name, converted(part.as_object()?, depth + 1)?)));
                strict.insert(keyword, definitions.collect::<Option<Vec<_>>>()?.into_iter().collect::<Json>());
            }
            ("$ref", Json::String(reference)) if reference.starts_with("#/$defs/") => {
                typed = true;
                strict.insert(keyword, value.clone());
            }
            ("$ref", _) => return None,
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
        let member = converted(property.as_object()?, depth + 1)?;
        Some((name, if required.contains(&name) { member } else { nullable(member) }))
    });
    strict.insert("properties", members.collect::<Option<Vec<_>>>()?.into_iter().collect::<Json>());
    strict.insert("required", properties.keys().map(Json::from).collect::<Json>());
    strict.insert("additionalProperties", false);
    Some(())
}

/// The same, or null.
fn nullable(schema: Json) -> Json {
    let null = || Json::from("null");
    let Some(object) = schema.as_object() else { return schema };
    let simple = !object.contains("$ref") && !object.contains("anyOf") && !object.contains("const");
    let Some(kind) = object.get("type").filter(|_| simple) else {
        let either = vec![schema.clone(), ObjectBuilder::new().with("type", "null").into()];
        return ObjectBuilder::new().with("anyOf", either).into();
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
pub(super) fn without_nulls(root: &Json, schema: &Json, value: &Json) -> Json {
    let schema = schema.get("$ref").and_then(Json::as_str).and_then(|to| target(root, to)).unwrap_or(schema);
    match value {
        Json::Object(members) => {
            let required = schema.get("required").and_then(Json::as_array);
            let needed =
                |name: &str| required.is_some_and(|names| names.iter().any(|other| other.as_str() == Some(name)));
            let members = members.iter().filter_map(|(name, member)| {
                let Some(property) = schema.get("properties").and_then(|all| all.get(name)) else {
                    return Some((name, member.clone()));
                };
                if member.is_null() && !needed(name) && !takes_null(root, property, 0) {
                    return None;
                }
                Some((name, without_nulls(root, property, member)))
            });
            members.collect()
        }
        Json::Array(elements) => match schema.get("items") {
            Some(items) => elements.iter().map(|element| without_nulls(root, items, element)).collect(),
            None => value.clone(),
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}

fn takes_null(root: &Json, schema: &Json, depth: u32) -> bool {
    if depth > MAX_NESTING {
        return true;
    }
    if let Some(target) = schema.get("$ref").and_then(Json::as_str).and_then(|to| target(root, to)) {
        return takes_null(root, target, depth + 1);
    }
    let types = match schema.get("type") {
        Some(Json::String(only)) => only == "null",
        Some(Json::Array(types)) => types.iter().any(|other| other.as_str() == Some("null")),
        _ => true,
    };
    let values = schema.get("enum").and_then(Json::as_array).is_none_or(|values| values.contains(&Json::Null));
    let constant = schema.get("const").is_none_or(Json::is_null);
    let any = schema.get("anyOf").and_then(Json::as_array);
    types && values && constant && any.is_none_or(|parts| parts.iter().any(|part| takes_null(root, part, depth + 1)))
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
            assert_eq!(without_nulls(&schema, &schema, &json(params)).to_string(), expected);
        }
    }
}
