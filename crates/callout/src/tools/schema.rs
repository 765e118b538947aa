//! Changes to the schemas that models see. What a call takes is decided by the endpoint's own schema,
//! so that what is left out here is still checked there.

use std::collections::HashSet;

use callout_core::json::{Json, Object, ObjectBuilder, pointer_of, unescaped_step};

use crate::schema_walk::MAX_REFERENCES;

/// Keywords that apply further schemas to the same value.
const COMBINING: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Where schemas stand to be referred to; `definitions` up to draft 7, and where generators still write it.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// The value without members of those names.
fn without(object: &Object, names: &[&str]) -> ObjectBuilder {
    let kept = object.iter().filter(|(name, _)| !names.contains(name));
    kept.fold(ObjectBuilder::new(), |all, (name, value)| all.with(name, value.clone()))
}

/// The keyword and the name of the definition that a reference goes to: `#/$defs/name`, `#/definitions/name`.
pub(super) fn definition(reference: &str) -> Option<(&'static str, String)> {
    let pointer = pointer_of(reference)?;
    let (keyword, name) = pointer.strip_prefix('/')?.split_once('/')?;
    let keyword = DEFINITIONS.into_iter().find(|known| *known == keyword)?;
    Some((keyword, unescaped_step(name).into_owned()))
}

/// The schema and what it applies to the same value; whether each part always applies.
fn in_place(root: &Json) -> Vec<(&Object, bool)> {
    let mut found = Vec::new();
    let mut open = vec![(root, true, 0)];
    while let Some((schema, always, depth)) = open.pop() {
        let Some(schema) = schema.as_object().filter(|_| depth <= MAX_REFERENCES && found.len() < 2_000) else {
            continue;
        };
        found.push((schema, always));
        if let Some(target) = schema.get("$ref").and_then(Json::as_str).and_then(|to| root.referred(to)) {
            open.push((target, always, depth + 1));
        }
        for keyword in COMBINING {
            let combined = schema.get(keyword).and_then(Json::as_array).into_iter().flatten();
            open.extend(combined.map(|part| (part, always && keyword == "allOf", depth + 1)));
        }
        for keyword in ["if", "then", "else"] {
            open.extend(schema.get(keyword).map(|part| (part, false, depth + 1)));
        }
    }
    found
}

/// Whether the schema names that property, at its root or in what its root combines.
pub(super) fn declares(root: &Json, name: &str) -> bool {
    in_place(root).iter().any(|(schema, _)| schema.get("properties").is_some_and(|all| all.get(name).is_some()))
}

/// The names of the schema's properties, at its root and in what its root combines.
pub(super) fn property_names(root: &Json) -> Vec<&str> {
    let mut known = HashSet::new();
    let properties = in_place(root).into_iter().filter_map(|(schema, _)| schema.get("properties")?.as_object());
    properties.flat_map(Object::keys).filter(|name| known.insert(*name)).collect()
}

/// The schema as providers take it for a tool: `"type": "object"`, and none of the combining keywords
/// at the root, which they refuse there. The properties that these name are kept, what always holds
/// is still required.
pub(super) fn flat(root: &Json) -> Json {
    let Some(object) = root.as_object() else { return root.clone() };
    let mut properties = ObjectBuilder::new();
    let mut known = HashSet::new();
    let mut required: Vec<Json> = Vec::new();
    for (schema, always) in in_place(root) {
        for (name, property) in schema.get("properties").and_then(Json::as_object).into_iter().flat_map(Object::iter) {
            // The root comes first, and says more of a property than what is combined with it.
            if known.insert(name) {
                properties.insert(name, property.clone());
            }
        }
        let names = schema.get("required").and_then(Json::as_array).into_iter().flatten();
        for name in names.filter(|_| always) {
            if !required.contains(name) {
                required.push(name.clone());
            }
        }
    }
    let mut flat = ObjectBuilder::new().with("type", "object");
    let left_out = [
        "type",
        "properties",
        "required",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "enum",
        "const",
        "$ref",
        "$schema",
        "$id",
    ];
    flat.insert("properties", properties);
    if !required.is_empty() {
        flat.insert("required", required);
    }
    for (name, value) in without(object, &left_out).build().iter() {
        flat.insert(name, value.clone());
    }
    flat.into()
}

/// The schema without a param: in its properties and everywhere that the same value is spoken of.
pub(super) fn hide(root: &Json, param: &str) -> Json {
    // What the root refers to speaks of the same value.
    let referred: Vec<(&str, String)> = in_place(root)
        .into_iter()
        .filter_map(|(schema, _)| schema.get("$ref").and_then(Json::as_str))
        .filter_map(definition)
        .collect();
    let shown = hidden(root, param, 0);
    let Some(members) = shown.as_object().filter(|_| !referred.is_empty()) else { return shown };
    let members = members.iter().map(|(keyword, value)| {
        let Some(definitions) = value.as_object().filter(|_| DEFINITIONS.contains(&keyword)) else {
            return (keyword, value.clone());
        };
        let changed = definitions.iter().map(|(name, schema)| {
            let reached = referred.iter().any(|(place, other)| *place == keyword && other == name);
            (name, if reached { hidden(schema, param, 0) } else { schema.clone() })
        });
        (keyword, changed.collect::<Json>())
    });
    members.collect()
}

fn hidden(schema: &Json, param: &str, depth: u32) -> Json {
    let Some(object) = schema.as_object().filter(|_| depth <= MAX_REFERENCES) else { return schema.clone() };
    let members = object.iter().map(|(keyword, value)| {
        let changed = match (keyword, value) {
            ("properties" | "dependentSchemas" | "dependencies", Json::Object(members)) => {
                without(members, &[param]).into()
            }
            ("required", Json::Array(names)) => names_without(names, param),
            ("dependentRequired", Json::Object(members)) => {
                let kept = members.iter().filter(|(name, _)| *name != param);
                kept.map(|(name, names)| {
                    let names = names.as_array().map_or_else(|| names.clone(), |names| names_without(names, param));
                    (name, names)
                })
                .collect()
            }
            ("allOf" | "anyOf" | "oneOf", Json::Array(parts)) => {
                parts.iter().map(|part| hidden(part, param, depth + 1)).collect()
            }
            ("if" | "then" | "else" | "not", part) => hidden(part, param, depth + 1),
            (_, value) => value.clone(),
        };
        (keyword, changed)
    });
    // `"required": []` is no schema in draft 4.
    let empty =
        |keyword: &str, value: &Json| keyword == "required" && value.as_array().is_some_and(|all| all.is_empty());
    members.filter(|(keyword, value)| !empty(keyword, value)).collect()
}

fn names_without(names: &[Json], param: &str) -> Json {
    names.iter().filter(|name| name.as_str() != Some(param)).cloned().collect()
}

/// A schema whose root is not what it was in `whole`, which it was made of: what refers to the root, or to a place of
/// it that is no definition, leads to the whole, which becomes a definition.
pub(super) fn rerooted(schema: &Json, whole: &Json) -> Json {
    let definitions = schema.get("$defs").and_then(Json::as_object);
    let mut name = "params".to_owned();
    while definitions.is_some_and(|all| all.contains(&name)) {
        name.push('_');
    }
    let mut is_referred_to = false;
    let schema = repointed(schema, &name, &mut is_referred_to);
    let (Some(root), Some(whole)) = (schema.as_object(), whole.as_object()) else { return schema };
    if !is_referred_to {
        return schema;
    }
    let whole: Json = without(whole, &["$defs", "definitions", "$schema", "$id"]).into();
    let own = (name.as_str(), repointed(&whole, &name, &mut is_referred_to));
    let definitions = root.get("$defs").and_then(Json::as_object).into_iter().flat_map(Object::iter);
    let definitions: Json = definitions.map(|(name, schema)| (name, schema.clone())).chain([own]).collect();
    let members = root.iter().map(|(keyword, value)| (keyword, value.clone()));
    members.chain([("$defs", definitions)]).collect()
}

/// With each reference to the root going to that definition.
fn repointed(value: &Json, definition_name: &str, is_referred_to: &mut bool) -> Json {
    match value {
        Json::Object(members) => {
            let members = members.iter().map(|(keyword, member)| {
                let place = member.as_str().filter(|_| keyword == "$ref").and_then(place_of_root);
                let changed: Json = match place {
                    Some(place) => {
                        *is_referred_to = true;
                        format!("#/$defs/{definition_name}{place}").into()
                    }
                    None => repointed(member, definition_name, is_referred_to),
                };
                (keyword, changed)
            });
            members.collect()
        }
        Json::Array(elements) => {
            elements.iter().map(|element| repointed(element, definition_name, is_referred_to)).collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}

/// What stands behind the `#` of a reference to the root, or to a place of it that is no definition.
fn place_of_root(reference: &str) -> Option<&str> {
    let place = reference.strip_prefix('#')?;
    let is_of_root = place.is_empty() || (place.starts_with('/') && definition(reference).is_none());
    is_of_root.then_some(place)
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
                r#"{"type":"object","properties":{"d":{},"c":{},"b":{"minimum":1}},"required":["a","b"],"$defs":{"d":{"properties":{"d":{}}}}}"#,
            ),
        ];
        for (schema, expected) in table {
            assert_eq!(flat(&json(schema)).to_string(), expected);
        }
    }

    #[test]
    fn a_hidden_param_is_nowhere_that_the_params_are_spoken_of() {
        let schema = json(
            r##"{"properties":{"a":{"properties":{"user":{}}},"user":{}},"required":["user","a"],
                "dependentRequired":{"user":["a"],"a":["user","b"]},"allOf":[{"required":["user"]},{"$ref":"#/$defs/x"}],
                "if":{"properties":{"user":{"const":1}}},"$defs":{"x":{"properties":{"user":{},"x":{}}},"y":{"properties":{"user":{}}}}}"##,
        );
        assert_eq!(
            hide(&schema, "user").to_string(),
            r##"{"properties":{"a":{"properties":{"user":{}}}},"required":["a"],"dependentRequired":{"a":["b"]},"allOf":[{},{"$ref":"#/$defs/x"}],"if":{"properties":{}},"$defs":{"x":{"properties":{"x":{}}},"y":{"properties":{"user":{}}}}}"##
        );
        assert!(declares(&schema, "x") && declares(&schema, "user") && !declares(&schema, "y"));
        assert!(!declares(&hide(&schema, "user"), "user"));
    }

    #[test]
    fn a_param_is_hidden_in_definitions_of_either_keyword_and_of_any_name() {
        // As zod-to-json-schema writes it, with a name that a pointer has to escape; others escape more.
        let schema = json(
            r##"{"$ref":"#/definitions/a~1b","definitions":{
                "a/b":{"type":"object","properties":{"user":{},"q":{}},"required":["user"],
                    "allOf":[{"$ref":"#/%24defs/a~1b"}]},
                "y":{"properties":{"user":{}}}},
                "$defs":{"a/b":{"properties":{"user":{}}},"y":{"properties":{"user":{}}}}}"##,
        );
        assert_eq!(
            hide(&schema, "user").to_string(),
            r##"{"$ref":"#/definitions/a~1b","definitions":{"a/b":{"type":"object","properties":{"q":{}},"allOf":[{"$ref":"#/%24defs/a~1b"}]},"y":{"properties":{"user":{}}}},"$defs":{"a/b":{"properties":{}},"y":{"properties":{"user":{}}}}}"##
        );
        assert!(declares(&schema, "user") && !declares(&hide(&schema, "user"), "user"));
        assert!(!flat(&hide(&schema, "user")).to_string().contains(r#""required""#));
    }
}
