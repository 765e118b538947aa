//! Numbers and booleans that a model wrote as strings, converted where the schema asks for them.
//!
//! It is for params that the schema refuses as they are: where several schemas speak of one value, the
//! first of them that names a type is taken at its word.

use callout_core::{
    fault::Place,
    json::{Json, Number, Object},
};

/// How far references are followed before nothing is known of a value.
const MAX_REFERENCES: u32 = 16;
/// How deep values are looked into.
const MAX_DEPTH: usize = 128;
/// How many subschemas are looked at for the params of one call; what comes after stays as it is.
const MAX_LOOKS: u32 = 1_000_000;

/// A param that was converted to fit the input schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conversion {
    /// Where it stands in the params.
    pub place: Place,
    /// What the schema asks for: `integer`, `number` or `boolean`.
    pub to: &'static str,
}

/// The params with every string converted that the schema refuses and that reads as what it asks
/// for instead, and where that was. What the schema takes as a string stays one.
pub(crate) fn convert(schema: &Json, params: &Object) -> (Object, Vec<Conversion>) {
    let mut walk = Walk { root: schema, conversions: Vec::new(), depth: 0, looks: MAX_LOOKS };
    let value = Json::Object(params.clone());
    let converted = walk.value(schema, &value, &Place::default());
    match converted {
        Some(Json::Object(converted)) => (converted, walk.conversions),
        _ => (params.clone(), walk.conversions),
    }
}

struct Walk<'s> {
    root: &'s Json,
    conversions: Vec<Conversion>,
    depth: usize,
    looks: u32,
}

impl<'s> Walk<'s> {
    /// The value converted; `None` if nothing in it was.
    fn value(&mut self, schema: &'s Json, value: &Json, place: &Place) -> Option<Json> {
        if self.depth >= MAX_DEPTH || matches!(value, Json::Null | Json::Bool(_) | Json::Number(_)) {
            return None;
        }
        self.depth += 1;
        let converted = self.below(schema, value, place);
        self.depth -= 1;
        converted
    }

    fn below(&mut self, schema: &'s Json, value: &Json, place: &Place) -> Option<Json> {
        let schemas = self.in_place(schema);
        match value {
            Json::String(text) => {
                let (to, converted) = scalar(&wanted(&schemas)?, text)?;
                self.conversions.push(Conversion { place: place.clone(), to });
                Some(converted)
            }
            Json::Object(members) => {
                let mut changed = false;
                let converted: Object = (0..members.len())
                    .filter_map(|at| members.entry(at))
                    .map(|(name, member)| {
                        let below = schemas.iter().find_map(|schema| member_schema(schema, name));
                        let new =
                            below.and_then(|below| self.value(below, member, &place.clone().field(name.as_str())));
                        changed |= new.is_some();
                        (name.clone(), new.unwrap_or_else(|| member.clone()))
                    })
                    .collect();
                changed.then_some(Json::Object(converted))
            }
            Json::Array(elements) => {
                let mut changed = false;
                let converted: Json = elements
                    .iter()
                    .enumerate()
                    .map(|(at, element)| {
                        let below = schemas.iter().find_map(|schema| element_schema(schema, at));
                        let new = below.and_then(|below| self.value(below, element, &place.clone().index(at)));
                        changed |= new.is_some();
                        new.unwrap_or_else(|| element.clone())
                    })
                    .collect();
                changed.then_some(converted)
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => None,
        }
    }

    /// The schema and what it applies to the same value: references, and what it combines.
    fn in_place(&mut self, schema: &'s Json) -> Vec<&'s Object> {
        let mut found = Vec::new();
        let mut open = vec![(schema, 0)];
        while let Some((schema, depth)) = open.pop() {
            let Some(schema) = schema.as_object().filter(|_| depth <= MAX_REFERENCES) else { continue };
            let Some(left) = self.looks.checked_sub(1) else { return Vec::new() };
            self.looks = left;
            found.push(schema);
            if let Some(target) = schema.get("$ref").and_then(Json::as_str).and_then(|to| self.target(to)) {
                open.push((target, depth + 1));
            }
            for keyword in ["allOf", "anyOf", "oneOf"] {
                let combined = schema.get(keyword).and_then(Json::as_array).into_iter().flatten();
                open.extend(combined.map(|schema| (schema, depth + 1)));
            }
        }
        found
    }

    /// A place in the schema: `#/$defs/name`. Other forms of references are not followed.
    fn target(&self, reference: &str) -> Option<&'s Json> {
        let pointer = reference.strip_prefix("#/")?;
        pointer.split('/').try_fold(self.root, |value, step| value.get(&step.replace("~1", "/").replace("~0", "~")))
    }
}

fn member_schema<'s>(schema: &'s Object, name: &str) -> Option<&'s Json> {
    let named = schema.get("properties").and_then(|properties| properties.get(name));
    named.or_else(|| schema.get("additionalProperties"))
}

fn element_schema(schema: &Object, at: usize) -> Option<&Json> {
    let positions = schema.get("prefixItems").and_then(Json::as_array);
    positions.and_then(|positions| positions.get(at)).or_else(|| schema.get("items"))
}

/// The types that the schemas name; `None` if a string is one of them, or may be.
fn wanted<'s>(schemas: &[&'s Object]) -> Option<Vec<&'s str>> {
    let mut types = Vec::new();
    for schema in schemas {
        match schema.get("type") {
            Some(Json::String(name)) => types.push(name.as_str()),
            Some(Json::Array(names)) => types.extend(names.iter().filter_map(Json::as_str)),
            _ => {}
        }
        // The very string may be listed.
        let listed = schema.get("enum").and_then(Json::as_array).into_iter().flatten();
        if listed.chain(schema.get("const")).any(|value| value.as_str().is_some()) {
            return None;
        }
    }
    (!types.contains(&"string")).then_some(types)
}

/// What a text reads as, of the types that are asked for.
fn scalar(types: &[&str], text: &str) -> Option<(&'static str, Json)> {
    let text = text.trim();
    let number = Number::from_text(text);
    if let Some(number) = number.as_ref().filter(|number| types.contains(&"integer") && number.is_integer()) {
        return Some(("integer", number.clone().into()));
    }
    if let Some(number) = number.filter(|_| types.contains(&"number")) {
        return Some(("number", number.into()));
    }
    match text {
        "true" | "false" if types.contains(&"boolean") => Some(("boolean", Json::Bool(text == "true"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_become_what_the_schema_asks_for() {
        let schema = Json::parse(
            r##"{"type":"object","properties":{
                "n":{"type":"integer"},"x":{"type":["number","null"]},"b":{"type":"boolean"},
                "s":{"type":"string"},"u":{"type":["integer","string"]},"any":{},
                "e":{"enum":["1","2"]},"list":{"items":{"type":"integer"}},"pair":{"prefixItems":[{"type":"boolean"}]},
                "deep":{"$ref":"#/$defs/deep"},"one":{"anyOf":[{"type":"integer"},{"type":"boolean"}]},
                "either":{"anyOf":[{"type":"integer"},{"type":"string"}]}},
                "additionalProperties":{"type":"integer"},
                "$defs":{"deep":{"properties":{"n":{"type":"number"},"again":{"$ref":"#/$defs/deep"}}}}}"##,
        )
        .unwrap();
        for (params, expected, places) in [
            (r#"{"n":"5","x":"1.10","b":"true"}"#, r#"{"n":5,"x":1.10,"b":true}"#, "n x b"),
            (r#"{"s":"5","u":"5","any":"5","e":"1"}"#, r#"{"s":"5","u":"5","any":"5","e":"1"}"#, ""),
            (r#"{"n":"5.5","b":"yes","x":"NaN"}"#, r#"{"n":"5.5","b":"yes","x":"NaN"}"#, ""),
            (r#"{"n":"","b":"True","x":"+1"}"#, r#"{"n":"","b":"True","x":"+1"}"#, ""),
            (r#"{"list":["1",2,"x"]}"#, r#"{"list":[1,2,"x"]}"#, "list[0]"),
            (r#"{"pair":["false","1"]}"#, r#"{"pair":[false,"1"]}"#, "pair[0]"),
            (r#"{"deep":{"again":{"n":" 7 "}}}"#, r#"{"deep":{"again":{"n":7}}}"#, "deep.again.n"),
            (
                r#"{"one":"true","either":"1","more":"12345678901234567890123"}"#,
                r#"{"one":true,"either":"1","more":12345678901234567890123}"#,
                "one more",
            ),
        ] {
            let Json::Object(params) = Json::parse(params).unwrap() else { panic!() };
            let (converted, conversions) = convert(&schema, &params);
            assert_eq!(Json::Object(converted).to_string(), expected);
            let found: Vec<_> = conversions.iter().map(|conversion| conversion.place.to_string()).collect();
            assert_eq!(found.join(" "), places);
        }
    }

    #[test]
    fn references_in_circles_end() {
        let schema = Json::parse(r##"{"properties":{"a":{"$ref":"#/properties/a"}}}"##).unwrap();
        let Json::Object(params) = Json::parse(r#"{"a":"1"}"#).unwrap() else { panic!() };
        assert!(convert(&schema, &params).1.is_empty());
    }
}
