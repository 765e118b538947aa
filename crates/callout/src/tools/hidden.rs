//! The params that the host supplies, out of the schema that models see: in its properties and everywhere that the
//! params are spoken of.
//!
//! A definition may speak of the params and of a value among them, as that of a tree does. It is two then: one without
//! what is hidden for the params, and the whole one for values.

use std::collections::HashSet;

use callout_core::json::{Json, Object, pointer_of, unescaped_step};
use callout_request::references::{DEFINITIONS, definition};

use super::schema::declares;

/// Keywords of one schema, or a list of them, for the same value.
const IN_PLACE: [&str; 7] = ["allOf", "anyOf", "oneOf", "if", "then", "else", "not"];

/// Keywords that have schemas for the same value by the names of properties that it has, or what else it then has.
const DEPENDENT: [&str; 3] = ["dependentSchemas", "dependencies", "dependentRequired"];

/// A definition's keyword and name.
type Definition = (&'static str, String);

/// The schema without these params.
pub(super) fn hide(root: &Json, params: &[String]) -> Json {
    let of_params = of_params(root);
    let hiding = Hiding {
        params,
        declared: params.iter().filter(|param| declares(root, param)).count() as i64,
        twofold: twofold(root, &of_params),
        root,
    };
    let shown = hiding.hidden(root);
    let Some(members) = shown.as_object() else { return shown };
    let members = members.iter().map(|(keyword, value)| {
        let found = DEFINITIONS.into_iter().find(|known| *known == keyword);
        let Some((found, definitions)) = found.zip(value.as_object()) else { return (keyword, value.clone()) };
        let all = definitions.iter().flat_map(|(name, schema)| {
            let at = (found, name.to_owned());
            let is_of_params = of_params.contains(&at);
            let own = is_of_params.then(|| (hiding.name_of(&at), hiding.hidden(schema)));
            let whole = (!is_of_params || hiding.twofold.contains(&at)).then(|| (at.1, schema.clone()));
            whole.into_iter().chain(own)
        });
        (keyword, all.collect::<Json>())
    });
    members.collect()
}

struct Hiding<'s> {
    params: &'s [String],
    /// How many of them the schema speaks of.
    declared: i64,
    /// The definitions that speak of the params and of values among them.
    twofold: HashSet<Definition>,
    root: &'s Json,
}

impl Hiding<'_> {
    fn is_hidden(&self, name: &str) -> bool {
        self.params.iter().any(|param| param == name)
    }

    /// What a schema for the params says without those that are hidden.
    fn hidden(&self, schema: &Json) -> Json {
        let Some(object) = schema.as_object() else { return schema.clone() };
        let members = object.iter().map(|(keyword, value)| {
            let changed = match (keyword, value) {
                ("$ref", Json::String(reference)) => self.reference(reference),
                ("properties", Json::Object(members)) => {
                    let kept = members.iter().filter(|(name, _)| !self.is_hidden(name));
                    kept.map(|(name, property)| (name, property.clone())).collect()
                }
                ("required", names) => self.names(names),
                // The host's are among those that are counted.
                ("minProperties", Json::Number(least)) if self.declared > 0 => least
                    .as_whole()
                    .map_or_else(|| value.clone(), |least| least.saturating_sub(self.declared).max(0).into()),
                (keyword, Json::Object(members)) if DEPENDENT.contains(&keyword) => {
                    let kept = members.iter().filter(|(name, _)| !self.is_hidden(name));
                    kept.map(|(name, asked)| {
                        (name, if asked.as_array().is_some() { self.names(asked) } else { self.hidden(asked) })
                    })
                    .collect()
                }
                (keyword, Json::Array(parts)) if IN_PLACE.contains(&keyword) => {
                    parts.iter().map(|part| self.hidden(part)).collect()
                }
                (keyword, part) if IN_PLACE.contains(&keyword) => self.hidden(part),
                (_, value) => value.clone(),
            };
            (keyword, changed)
        });
        // `"required": []` is no schema in draft 4.
        let empty =
            |keyword: &str, value: &Json| keyword == "required" && value.as_array().is_some_and(|all| all.is_empty());
        members.filter(|(keyword, value)| !empty(keyword, value)).collect()
    }

    fn names(&self, names: &Json) -> Json {
        let Some(all) = names.as_array() else { return names.clone() };
        all.iter().filter(|name| !name.as_str().is_some_and(|name| self.is_hidden(name))).cloned().collect()
    }

    /// A reference from the params, to the definition that is theirs.
    fn reference(&self, reference: &str) -> Json {
        match definition(reference) {
            Some(at) => format!("{reference}{}", self.suffix(&at)).into(),
            None => reference.into(),
        }
    }

    /// The name of a definition that is without what is hidden.
    fn name_of(&self, at: &Definition) -> String {
        format!("{}{}", at.1, self.suffix(at))
    }

    /// What tells it from the whole one, if there is that too.
    fn suffix(&self, at: &Definition) -> String {
        let mut suffix = String::new();
        if self.twofold.contains(at) {
            let is_taken = |name: &str| self.root.get(at.0).is_some_and(|all| all.get(name).is_some());
            while is_taken(&format!("{}{suffix}", at.1)) {
                suffix.push('_');
            }
        }
        suffix
    }
}

/// The definitions that speak of the params.
fn of_params(root: &Json) -> HashSet<Definition> {
    let mut found = HashSet::new();
    let mut open = vec![root];
    while let Some(schema) = open.pop() {
        for (keyword, value) in schema.as_object().into_iter().flat_map(Object::iter) {
            match (keyword, value) {
                ("$ref", Json::String(reference)) => {
                    if let Some(at) = definition(reference)
                        && found.insert(at)
                    {
                        open.extend(root.referred(reference));
                    }
                }
                (keyword, Json::Array(parts)) if IN_PLACE.contains(&keyword) => open.extend(parts.iter()),
                (keyword, part) if IN_PLACE.contains(&keyword) => open.push(part),
                (keyword, Json::Object(members)) if DEPENDENT.contains(&keyword) => open.extend(members.values()),
                _ => {}
            }
        }
    }
    found
}

/// Those of these definitions that speak of values too.
fn twofold(root: &Json, of_params: &HashSet<Definition>) -> HashSet<Definition> {
    let mut found = HashSet::new();
    if of_params.is_empty() {
        return found;
    }
    let mut open = Vec::new();
    references(root, Speaks::OfParams, &mut open);
    for keyword in DEFINITIONS {
        for (name, schema) in root.get(keyword).and_then(Json::as_object).into_iter().flat_map(Object::iter) {
            let is_of_params = of_params.contains(&(keyword, name.to_owned()));
            references(schema, if is_of_params { Speaks::OfParams } else { Speaks::OfValues }, &mut open);
        }
    }
    let mut is_root_one = false;
    while let Some(reference) = open.pop() {
        match definition_within(reference) {
            Some(at) => {
                let schema = root.get(at.0).and_then(|all| all.get(&at.1)).filter(|_| of_params.contains(&at));
                if let Some(schema) = schema
                    && found.insert(at)
                {
                    references(schema, Speaks::OfValues, &mut open);
                }
            }
            // What refers to the root means all of it.
            None if !is_root_one && pointer_of(reference).is_some() => {
                is_root_one = true;
                let members = root.as_object().into_iter().flat_map(Object::iter);
                for (keyword, value) in members.filter(|(keyword, _)| !DEFINITIONS.contains(keyword)) {
                    match value {
                        Json::String(target) if keyword == "$ref" => open.push(target),
                        value => references(value, Speaks::OfValues, &mut open),
                    }
                }
            }
            None => {}
        }
    }
    found
}

/// What a schema is applied to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaks {
    OfParams,
    OfValues,
}

/// The references in a schema, or in what a keyword has, that speak of values; definitions are left out where the
/// params are spoken of.
fn references<'s>(value: &'s Json, speaks: Speaks, found: &mut Vec<&'s str>) {
    match value {
        Json::Object(members) if speaks == Speaks::OfParams => {
            for (keyword, value) in members.iter().filter(|(keyword, _)| !DEFINITIONS.contains(keyword)) {
                match value {
                    Json::String(_) => {}
                    Json::Array(parts) if IN_PLACE.contains(&keyword) => {
                        for part in parts {
                            references(part, Speaks::OfParams, found);
                        }
                    }
                    part if IN_PLACE.contains(&keyword) => references(part, Speaks::OfParams, found),
                    Json::Object(members) if DEPENDENT.contains(&keyword) => {
                        for asked in members.values() {
                            references(asked, Speaks::OfParams, found);
                        }
                    }
                    value => references(value, Speaks::OfValues, found),
                }
            }
        }
        Json::Object(members) => {
            for (keyword, value) in members.iter() {
                match value {
                    Json::String(reference) if matches!(keyword, "$ref" | "$recursiveRef") => found.push(reference),
                    value => references(value, Speaks::OfValues, found),
                }
            }
        }
        Json::Array(elements) => {
            for element in elements {
                references(element, Speaks::OfValues, found);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// The definition that a reference goes to, or into.
fn definition_within(reference: &str) -> Option<Definition> {
    let pointer = pointer_of(reference)?;
    let mut steps = pointer.strip_prefix('/')?.split('/');
    let keyword = steps.next()?;
    let keyword = DEFINITIONS.into_iter().find(|known| *known == keyword)?;
    Some((keyword, unescaped_step(steps.next()?).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::{super::schema::flat, *};

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    fn hide_user(schema: &Json) -> Json {
        hide(schema, &["user".to_owned()])
    }

    #[test]
    fn a_hidden_param_is_nowhere_that_the_params_are_spoken_of() {
        let schema = json(
            r##"{"properties":{"a":{"properties":{"user":{}}},"user":{}},"required":["user","a"],
                "dependentRequired":{"user":["a"],"a":["user","b"]},"allOf":[{"required":["user"]},{"$ref":"#/$defs/x"}],
                "if":{"properties":{"user":{"const":1}}},"$defs":{"x":{"properties":{"user":{},"x":{}}},"y":{"properties":{"user":{}}}}}"##,
        );
        assert_eq!(
            hide_user(&schema).to_string(),
            r##"{"properties":{"a":{"properties":{"user":{}}}},"required":["a"],"dependentRequired":{"a":["b"]},"allOf":[{},{"$ref":"#/$defs/x"}],"if":{"properties":{}},"$defs":{"x":{"properties":{"x":{}}},"y":{"properties":{"user":{}}}}}"##
        );
        assert!(declares(&schema, "x") && declares(&schema, "user") && !declares(&schema, "y"));
        assert!(!declares(&hide_user(&schema), "user"));
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
            hide_user(&schema).to_string(),
            r##"{"$ref":"#/definitions/a~1b","definitions":{"a/b":{"type":"object","properties":{"q":{}},"allOf":[{"$ref":"#/%24defs/a~1b"}]},"y":{"properties":{"user":{}}}},"$defs":{"a/b":{"properties":{}},"y":{"properties":{"user":{}}}}}"##
        );
        assert!(declares(&schema, "user") && !declares(&hide_user(&schema), "user"));
        assert!(!flat(&hide_user(&schema)).to_string().contains(r#""required""#));
    }
    #[test]
    fn what_is_asked_for_beside_a_hidden_param_is_without_it() {
        let schema = json(
            r#"{"properties":{"user":{},"q":{}},"minProperties":2,"dependentSchemas":{
                "q":{"required":["user"],"properties":{"user":{"minLength":1},"z":{}}},"user":{"required":["q"]}},
                "dependencies":{"q":["user","z"],"z":{"required":["user"]}}}"#,
        );
        assert_eq!(
            hide_user(&schema).to_string(),
            r#"{"properties":{"q":{}},"minProperties":1,"dependentSchemas":{"q":{"properties":{"z":{}}}},"dependencies":{"q":["z"],"z":{}}}"#
        );
        let both = hide(&schema, &["user".to_owned(), "q".to_owned(), "other".to_owned()]);
        assert_eq!(
            both.to_string(),
            r#"{"properties":{},"minProperties":0,"dependentSchemas":{},"dependencies":{"z":{}}}"#
        );
    }

    #[test]
    fn a_definition_that_values_have_too_is_whole_for_them() {
        for (schema, expected) in [
            (
                r##"{"$ref":"#/$defs/T","$defs":{"T":{"properties":{"user":{},"kids":{"items":{"$ref":"#/$defs/T"}}}},
                    "T_":{}}}"##,
                r##"{"$ref":"#/$defs/T__","$defs":{"T":{"properties":{"user":{},"kids":{"items":{"$ref":"#/$defs/T"}}}},"T__":{"properties":{"kids":{"items":{"$ref":"#/$defs/T"}}}},"T_":{}}}"##,
            ),
            // By way of another, of a place within it, and of the root.
            (
                r##"{"allOf":[{"$ref":"#/$defs/a~1b"}],"properties":{"x":{"$ref":"#/$defs/y"}},"$defs":{
                    "a/b":{"required":["user"]},"y":{"anyOf":[{"$ref":"#/$defs/a~1b"}]}}}"##,
                r##"{"allOf":[{"$ref":"#/$defs/a~1b_"}],"properties":{"x":{"$ref":"#/$defs/y"}},"$defs":{"a/b":{"required":["user"]},"a/b_":{},"y":{"anyOf":[{"$ref":"#/$defs/a~1b"}]}}}"##,
            ),
            (
                r##"{"$ref":"#/definitions/P","definitions":{
                    "P":{"properties":{"user":{},"q":{"$ref":"#/definitions/P/properties/user"}}}}}"##,
                r##"{"$ref":"#/definitions/P_","definitions":{"P":{"properties":{"user":{},"q":{"$ref":"#/definitions/P/properties/user"}}},"P_":{"properties":{"q":{"$ref":"#/definitions/P/properties/user"}}}}}"##,
            ),
            (
                r##"{"$ref":"#/$defs/P","properties":{"twin":{"$ref":"#"}},"$defs":{"P":{"properties":{"user":{}}}}}"##,
                r##"{"$ref":"#/$defs/P_","properties":{"twin":{"$ref":"#"}},"$defs":{"P":{"properties":{"user":{}}},"P_":{"properties":{}}}}"##,
            ),
        ] {
            assert_eq!(hide_user(&json(schema)).to_string(), expected);
        }
    }
}
