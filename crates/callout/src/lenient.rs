//! Numbers and booleans that a model wrote as strings, converted where the schema asks for them.
//!
//! It is for params that the schema refuses as they are: where several schemas speak of one value, one of them
//! is taken at its word, as [`Several`] says.

use callout_core::{
    fault::{Place, Step},
    json::{Json, Number, Object},
};

use crate::schema_walk::{Looks, MAX_REFERENCES, cost, target};

/// How deep values are looked into.
const MAX_DEPTH: usize = 128;

/// A param that was converted to fit the input schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conversion {
    /// Where it stands in the params.
    pub place: Place,
    /// What the schema asks for: `integer`, `number` or `boolean`.
    pub to: &'static str,
}

/// Which of several schemas for one value, as of alternatives, says what it is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Several {
    /// One, whatever it says.
    One,
    /// The first that asks for something else than what is there.
    AnyThatConverts,
}

/// The params with every string converted that the schema refuses and that reads as what it asks
/// for instead, and where that was. What the schema takes as a string stays one.
///
/// It ends after [`MAX_LOOKS`](crate::schema_walk::MAX_LOOKS), whatever schema and params are: what it has not come to then stays as it
/// was given, and is the check's to refuse.
pub(crate) fn convert(schema: &Json, params: &Object, several: Several) -> (Object, Vec<Conversion>) {
    let mut walk = Walk { root: schema, several, conversions: Vec::new(), path: Vec::new(), looks: Looks::default() };
    let value = Json::Object(params.clone());
    let converted = walk.value(schema, &value);
    match converted {
        Some(Json::Object(converted)) => (converted, walk.conversions),
        _ => (params.clone(), walk.conversions),
    }
}

struct Walk<'s> {
    root: &'s Json,
    several: Several,
    conversions: Vec<Conversion>,
    /// From the params to the value that is looked at.
    path: Vec<Step>,
    /// At a value all schemas are looked at that apply to it, and for each of its members and elements those in
    /// which that is looked for.
    looks: Looks,
}

impl<'s> Walk<'s> {
    /// The value converted; `None` if nothing in it was.
    fn value(&mut self, schema: &'s Json, value: &Json) -> Option<Json> {
        if self.path.len() >= MAX_DEPTH {
            return None;
        }
        let schemas = self.in_place(schema)?;
        match value {
            Json::String(text) => {
                let types = self.wanted(&schemas)?;
                let (to, converted) = scalar(&types, text)?;
                // Its place is kept with it.
                self.looks.spend(self.path.len())?;
                self.conversions.push(Conversion { place: self.place(), to });
                Some(converted)
            }
            Json::Object(members) => {
                let mut changed = false;
                let converted: Object = (0..members.len())
                    .filter_map(|at| members.entry(at))
                    .map(|(name, member)| {
                        let find = |schema| member_schema(schema, name);
                        let new = self.below(&schemas, find, || Step::Field(name.clone()), member);
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
                        let find = |schema| element_schema(schema, at);
                        let new = self.below(&schemas, find, || Step::Index(at), element);
                        changed |= new.is_some();
                        new.unwrap_or_else(|| element.clone())
                    })
                    .collect();
                changed.then_some(converted)
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => None,
        }
    }

    /// A member or an element converted, by a schema that is found for it.
    fn below(
        &mut self,
        schemas: &[&'s Object],
        find: impl Fn(&'s Object) -> Option<&'s Json>,
        step: impl Fn() -> Step,
        value: &Json,
    ) -> Option<Json> {
        if matches!(value, Json::Null | Json::Bool(_) | Json::Number(_)) {
            return None;
        }
        for &schema in schemas {
            // To go through many schemas for each of many values is most of the work.
            self.looks.spend(1)?;
            if let Some(schema) = find(schema) {
                self.path.push(step());
                let converted = self.value(schema, value);
                self.path.pop();
                if converted.is_some() || self.several == Several::One {
                    return converted;
                }
            }
        }
        None
    }

    /// The schema and what it applies to the same value: references, and what it combines. `None` if not
    /// all of them can be looked at.
    fn in_place(&mut self, schema: &'s Json) -> Option<Vec<&'s Object>> {
        let mut found = Vec::new();
        let mut open = vec![(schema, 0)];
        while let Some((schema, depth)) = open.pop() {
            self.looks.spend(cost(schema))?;
            let Some(schema) = schema.as_object().filter(|_| depth <= MAX_REFERENCES) else { continue };
            found.push(schema);
            if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
                open.extend(target(self.root, reference).map(|target| (target, depth + 1)));
            }
            for keyword in ["allOf", "anyOf", "oneOf"] {
                let combined = schema.get(keyword).and_then(Json::as_array).into_iter().flatten();
                open.extend(combined.map(|schema| (schema, depth + 1)));
            }
        }
        Some(found)
    }

    /// The types that the schemas name; `None` if a string is one of them, or may be.
    fn wanted(&mut self, schemas: &[&'s Object]) -> Option<Vec<&'s str>> {
        let mut types = Vec::new();
        for &schema in schemas {
            match schema.get("type") {
                Some(Json::String(name)) => types.push(name.as_str()),
                Some(Json::Array(names)) => types.extend(names.iter().filter_map(Json::as_str)),
                _ => {}
            }
            // The very string may be listed.
            let listed = schema.get("enum").and_then(Json::as_array);
            self.looks.spend(listed.map_or(0, |values| values.len()))?;
            let mut listed = listed.into_iter().flatten().chain(schema.get("const"));
            if listed.any(|value| value.as_str().is_some()) {
                return None;
            }
        }
        (!types.contains(&"string")).then_some(types)
    }

    fn place(&self) -> Place {
        self.path.iter().fold(Place::root(), |place, step| match step {
            Step::Field(name) => place.field(name.clone()),
            Step::Index(index) => place.index(*index),
        })
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
            let (converted, conversions) = convert(&schema, &params, Several::One);
            assert_eq!(Json::Object(converted).to_string(), expected);
            let found: Vec<_> = conversions.iter().map(|conversion| conversion.place.to_string()).collect();
            assert_eq!(found.join(" "), places);
        }
    }

    #[test]
    fn references_in_circles_end() {
        let schema = Json::parse(r##"{"properties":{"a":{"$ref":"#/properties/a"}}}"##).unwrap();
        let Json::Object(params) = Json::parse(r#"{"a":"1"}"#).unwrap() else { panic!() };
        assert!(convert(&schema, &params, Several::One).1.is_empty());
    }

    #[test]
    fn what_has_not_been_come_to_after_a_million_looks_stays_as_it_was_given() {
        let converted = |schema: String, params: String| {
            let Json::Object(params) = Json::parse(&params).unwrap() else { panic!() };
            let (converted, conversions) = convert(&Json::parse(&schema).unwrap(), &params, Several::One);
            (conversions.len(), converted.get("z").cloned())
        };
        let texts = |length: usize| vec![r#""1""#; length].join(",");
        let given = Some(Json::from("1"));
        // Each element is looked for in two thousand schemas, of which the last that is looked at has it.
        let nothing = vec!["{}"; 1_998].join(",");
        let many = |length: usize| {
            let list = format!(r#"{{"anyOf":[{{"items":{{"type":"integer"}}}},{nothing}]}}"#);
            let schema = format!(r#"{{"properties":{{"a":{list},"z":{{"type":"integer"}}}}}}"#);
            converted(schema, format!(r#"{{"a":[{}],"z":"1"}}"#, texts(length)))
        };
        assert_eq!(many(400), (401, Some(Json::from(1))));
        assert_eq!(many(5_000), (498, given.clone()));
        // What nothing speaks of is looked for all the same.
        let schema = format!(r#"{{"properties":{{"a":{{"anyOf":[{nothing}]}},"z":{{"type":"integer"}}}}}}"#);
        assert_eq!(converted(schema, format!(r#"{{"a":[{}],"z":"1"}}"#, texts(5_000))), (0, given.clone()));
        // Each is compared with all that are listed.
        let listed = vec!["7"; 10_000].join(",");
        let list = format!(r#"{{"items":{{"type":"integer","enum":[{listed}]}}}}"#);
        let schema = format!(r#"{{"properties":{{"a":{list},"z":{{"type":"integer"}}}}}}"#);
        assert_eq!(converted(schema, format!(r#"{{"a":[{}],"z":"1"}}"#, texts(5_000))), (99, given));
        // Numbers are not looked for at all.
        let numbers = vec!["1"; 500_000].join(",");
        let schema = format!(r#"{{"properties":{{"a":{{"anyOf":[{nothing}]}},"z":{{"type":"integer"}}}}}}"#);
        assert_eq!(converted(schema, format!(r#"{{"a":[{numbers}],"z":"1"}}"#)), (1, Some(Json::from(1))));
    }
}
