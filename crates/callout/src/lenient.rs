//! Numbers and booleans that a model wrote as strings, converted where the schema asks for them, and integers
//! that a host wrote with a point.
//!
//! Strings are converted where the schema refuses the params as they are, and where the refusal points: what it
//! does not speak of fits, and is what the caller means. Where several schemas speak of one value, what they say counts as
//! [`Several`] has it.

mod numbers;

use std::iter::Peekable;

use callout_core::{
    fault::{Place, Step},
    json::{Json, Object, SmolStr},
};
use numbers::{is_whole, scalar, type_of, whole};

use crate::schema_walk::{Looks, MAX_REFERENCES, cost, length_cost};

/// How deep values are looked into.
const MAX_DEPTH: usize = 128;

/// How many members or elements are passed over at the price of a look.
const MEMBERS: usize = 16;

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
    /// All together: what one of them takes as a string stays one.
    All,
    /// The first that asks for something else than what is there.
    AnyThatConverts,
}

/// The params with every string converted that reads as what the schema asks for instead, at the places that
/// were found wrong and below them, and where that was. What the schema takes as a string stays one. Numbers
/// such as `5.0` are written as integers where the schema asks for those, wherever they stand.
///
/// It ends after [`MAX_LOOKS`](crate::schema_walk::MAX_LOOKS), whatever schema and params are: what it has not come to then stays as it
/// was given, and is the check's to refuse.
pub(crate) fn convert(schema: &Json, params: &Object, wrong: &[Place], several: Several) -> (Object, Vec<Conversion>) {
    let mut walk = Walk {
        root: schema,
        several,
        has_whole: has_whole(params),
        conversions: Vec::new(),
        path: Vec::new(),
        looks: Looks::default(),
    };
    let wrong = Wrong::default().with(wrong.iter().map(Place::steps));
    let value = Json::Object(params.clone());
    let converted = walk.value(&[schema], &value, &wrong);
    match converted {
        Some(Json::Object(converted)) => (converted, walk.conversions),
        _ => (params.clone(), walk.conversions),
    }
}

/// Whether a number among them is an integer written with a point.
pub(crate) fn has_whole(params: &Object) -> bool {
    fn is_found(value: &Json) -> bool {
        match value {
            Json::Null | Json::Bool(_) | Json::String(_) => false,
            Json::Number(number) => !number.is_integer() && is_whole(number),
            Json::Array(elements) => elements.iter().any(is_found),
            Json::Object(members) => members.values().any(is_found),
        }
    }
    params.values().any(is_found)
}

/// The places that were found wrong, as seen from a value.
#[derive(Debug, Default)]
struct Wrong<'p> {
    /// One is the value, or what it stands in.
    is_within: bool,
    /// One is the value, or stands in it.
    is_named: bool,
    /// The way on to those that stand in it.
    below: Vec<&'p [Step]>,
}

impl<'p> Wrong<'p> {
    /// With these places too, each as the way to it.
    fn with(mut self, ways: impl Iterator<Item = &'p [Step]>) -> Self {
        for way in ways {
            self.is_named = true;
            if way.is_empty() {
                self.is_within = true;
            } else {
                self.below.push(way);
            }
        }
        self
    }

    /// The same as seen from what stands a step below.
    fn after(&self, step: &Step) -> Self {
        let ways = self.below.iter().filter_map(|way| way.split_first()).filter(|(first, _)| is_step(first, step));
        Self { is_within: self.is_within, ..Self::default() }.with(ways.map(|(_, rest)| rest))
    }

    /// Whether a string may be converted here or below.
    fn is_reached(&self) -> bool {
        self.is_within || self.is_named
    }
}

/// Whether a step of a fault's place is this one. Long names are cut there, and end in `…` then.
fn is_step(told: &Step, step: &Step) -> bool {
    match (told, step) {
        (Step::Field(told), Step::Field(name)) => {
            told == name || told.strip_suffix('…').is_some_and(|start| name.starts_with(start))
        }
        (Step::Index(told), Step::Index(at)) => told == at,
        (Step::Field(_), Step::Index(_)) | (Step::Index(_), Step::Field(_)) => false,
    }
}

/// What members or elements have become, by their positions, in order.
struct Changed(Peekable<std::vec::IntoIter<(usize, Json)>>);

impl Changed {
    /// `None` where none has changed.
    fn some(new: Vec<(usize, Json)>) -> Option<Self> {
        (!new.is_empty()).then(|| Self(new.into_iter().peekable()))
    }

    /// What stands at a position now. They are asked for in order.
    fn at(&mut self, position: usize, old: &Json) -> Json {
        let new = self.0.next_if(|(changed, _)| *changed == position);
        new.map_or_else(|| old.clone(), |(_, new)| new)
    }
}

struct Walk<'s> {
    root: &'s Json,
    several: Several,
    has_whole: bool,
    conversions: Vec<Conversion>,
    /// From the params to the value that is looked at.
    path: Vec<Step>,
    /// At a value all schemas are looked at that apply to it, and for each of its members and elements those in
    /// which that is looked for.
    looks: Looks,
}

impl<'s> Walk<'s> {
    /// The value converted, which these schemas speak of; `None` if nothing in it was.
    fn value(&mut self, schemas: &[&'s Json], value: &Json, wrong: &Wrong<'_>) -> Option<Json> {
        if self.path.len() >= MAX_DEPTH {
            return None;
        }
        let schemas = self.in_place(schemas)?;
        match value {
            Json::String(text) => {
                self.looks.spend(length_cost(text))?;
                let (to, converted) = scalar(&self.types(&schemas)?, text)?;
                self.converted(to, converted)
            }
            Json::Number(number) => {
                let types = self.types(&schemas)?;
                let takes_no_other = types.contains(&"integer") && !types.contains(&"number");
                if !takes_no_other {
                    return None;
                }
                self.looks.spend(length_cost(number.as_str()))?;
                let whole = whole(number)?;
                self.converted("integer", whole.into())
            }
            Json::Object(members) => {
                self.looks.spend(members_cost(members.len()))?;
                let entries = || (0..members.len()).filter_map(move |at| members.entry(at)).enumerate();
                let mut new = Vec::new();
                for (at, (name, member)) in entries() {
                    let find = |schema, is_named: bool| member_schema(schema, name, is_named);
                    let changed = self.below(&schemas, find, Step::Field(name.clone()), member, wrong);
                    let changed = changed.or_else(|| self.by_pattern(&schemas, name, member, wrong));
                    new.extend(changed.map(|member| (at, member)));
                }
                let mut changed = Changed::some(new)?;
                let all = entries().map(|(at, (name, member))| (name.clone(), changed.at(at, member)));
                Some(Json::Object(all.collect()))
            }
            Json::Array(elements) => {
                self.looks.spend(members_cost(elements.len()))?;
                let mut new = Vec::new();
                for (at, element) in elements.iter().enumerate() {
                    let find = |schema, _: bool| element_schema(schema, at);
                    let element = self.below(&schemas, find, Step::Index(at), element, wrong);
                    new.extend(element.map(|element| (at, element)));
                }
                let mut changed = Changed::some(new)?;
                Some(elements.iter().enumerate().map(|(at, element)| changed.at(at, element)).collect())
            }
            Json::Null | Json::Bool(_) => None,
        }
    }

    /// What the value that is looked at has become.
    fn converted(&mut self, to: &'static str, converted: Json) -> Option<Json> {
        // Its place is kept with it.
        self.looks.spend(self.path.len())?;
        self.conversions.push(Conversion { place: self.place(), to });
        Some(converted)
    }

    /// A member or an element converted, by the schemas that are found for it.
    fn below(
        &mut self,
        schemas: &[&'s Object],
        find: impl Fn(&'s Object, bool) -> Option<&'s Json>,
        step: Step,
        value: &Json,
        wrong: &Wrong<'_>,
    ) -> Option<Json> {
        self.looks.spend(wrong.below.len() + number_cost(value))?;
        let wrong = wrong.after(&step);
        let may_change = match value {
            Json::Null | Json::Bool(_) => false,
            Json::Number(number) => !number.is_integer(),
            Json::String(_) => wrong.is_within,
            Json::Array(_) | Json::Object(_) => self.has_whole || wrong.is_reached(),
        };
        if !may_change {
            return None;
        }
        let mut found = Vec::new();
        let look = match &step {
            Step::Field(name) => 1 + length_cost(name),
            Step::Index(_) => 1,
        };
        for &schema in schemas {
            // To go through many schemas for each of many values is most of the work.
            self.looks.spend(look)?;
            found.extend(find(schema, wrong.is_named));
        }
        self.path.push(step);
        let converted = match self.several {
            Several::All if found.is_empty() => None,
            Several::All => self.value(&found, value, &wrong),
            Several::AnyThatConverts => found.iter().find_map(|&schema| self.value(&[schema], value, &wrong)),
        };
        self.path.pop();
        converted
    }

    /// A member converted by the first of the patterns' schemas that does so: any of them may be its own. They count
    /// where something of the member itself was found wrong, and where no property is.
    fn by_pattern(&mut self, schemas: &[&'s Object], name: &SmolStr, value: &Json, wrong: &Wrong<'_>) -> Option<Json> {
        let step = Step::Field(name.clone());
        self.looks.spend(wrong.below.len())?;
        if !wrong.after(&step).is_named {
            return None;
        }
        for &part in schemas {
            self.looks.spend(1 + length_cost(name))?;
            let is_named = part.get("properties").is_some_and(|properties| properties.get(name).is_some());
            let patterns = part.get("patternProperties").and_then(Json::as_object).filter(|_| !is_named);
            for schema in patterns.into_iter().flat_map(Object::values) {
                let changed = self.below(&[part], |_, _| Some(schema), step.clone(), value, wrong);
                if changed.is_some() {
                    return changed;
                }
            }
        }
        None
    }

    /// The schemas and what they apply to the same value: references, what they combine, and what holds under a
    /// condition. `None` if not all of them can be looked at.
    fn in_place(&mut self, schemas: &[&'s Json]) -> Option<Vec<&'s Object>> {
        let mut found = Vec::new();
        let mut open: Vec<_> = schemas.iter().map(|&schema| (schema, 0)).collect();
        while let Some((schema, depth)) = open.pop() {
            self.looks.spend(cost(schema))?;
            let Some(schema) = schema.as_object().filter(|_| depth <= MAX_REFERENCES) else { continue };
            found.push(schema);
            if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
                open.extend(self.root.referred(reference).map(|target| (target, depth + 1)));
            }
            for keyword in ["allOf", "anyOf", "oneOf"] {
                let combined = schema.get(keyword).and_then(Json::as_array).into_iter().flatten();
                open.extend(combined.map(|schema| (schema, depth + 1)));
            }
            let conditional = ["then", "else"].into_iter().filter_map(|keyword| schema.get(keyword));
            open.extend(conditional.map(|schema| (schema, depth + 1)));
            for keyword in ["dependentSchemas", "dependencies"] {
                let dependent = schema.get(keyword).and_then(Json::as_object).into_iter().flat_map(Object::values);
                open.extend(dependent.map(|schema| (schema, depth + 1)));
            }
        }
        Some(found)
    }

    /// The types that the schemas name, or list values of. `None` if not all of them can be looked at.
    fn types(&mut self, schemas: &[&'s Object]) -> Option<Vec<&'s str>> {
        let mut types = Vec::new();
        for &schema in schemas {
            let listed = schema.get("enum").and_then(Json::as_array);
            let mut listed = listed.into_iter().flatten().chain(schema.get("const"));
            self.looks.spend(listed.clone().map(|value| 1 + number_cost(value)).sum())?;
            match schema.get("type") {
                Some(Json::String(name)) => types.push(name.as_str()),
                Some(Json::Array(names)) => types.extend(names.iter().filter_map(Json::as_str)),
                _ => types.extend(listed.clone().map(|value| -> &'s str { type_of(value) })),
            }
            // The very string may be listed.
            types.extend(listed.any(|value| value.as_str().is_some()).then_some("string"));
        }
        Some(types)
    }

    fn place(&self) -> Place {
        self.path.iter().fold(Place::root(), |place, step| match step {
            Step::Field(name) => place.field(name.clone()),
            Step::Index(index) => place.index(*index),
        })
    }
}

/// Of what is not named, a pattern may speak in place of `additionalProperties`: those do where something of
/// the member itself was found wrong, as they may then be what refused it.
fn member_schema<'s>(schema: &'s Object, name: &str, is_wrong: bool) -> Option<&'s Json> {
    let named = schema.get("properties").and_then(|properties| properties.get(name));
    let has_patterns = schema.get("patternProperties").is_some();
    named.or_else(|| schema.get("additionalProperties").filter(|_| is_wrong || !has_patterns))
}

/// Up to draft 2019-09 a list of `items` has the schemas by position, and `additionalItems` that of the others.
fn element_schema(schema: &Object, at: usize) -> Option<&Json> {
    let (positions, others) = match schema.get("items") {
        Some(Json::Array(positions)) => (Some(positions), schema.get("additionalItems")),
        others => (schema.get("prefixItems").and_then(Json::as_array), others),
    };
    positions.and_then(|positions| positions.get(at)).or(others)
}

/// How many looks it costs to go through so many members or elements, of which most cannot change.
fn members_cost(count: usize) -> usize {
    1 + count / MEMBERS
}

/// How many looks it costs to read a value's digits, if it is a number.
fn number_cost(value: &Json) -> usize {
    match value {
        Json::Number(number) => length_cost(number.as_str()),
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => 0,
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
                "either":{"anyOf":[{"type":"integer"},{"type":"string"}]},
                "level":{"enum":[1,2.5,null]},"on":{"const":true},"mixed":{"enum":[1,"2"]},
                "typed":{"type":"number","enum":[1,2]},"child":{"$ref":"#"},
                "first":{"$ref":"#/properties/one/anyOf/0"},"coded":{"$ref":"#/%24defs/deep"}},
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
            (r#"{"level":"2.5","on":"true","mixed":"1"}"#, r#"{"level":2.5,"on":true,"mixed":"1"}"#, "level on"),
            (r#"{"level":"1","typed":"2"}"#, r#"{"level":1,"typed":2}"#, "level typed"),
            (r#"{"child":{"child":{"n":"5"}}}"#, r#"{"child":{"child":{"n":5}}}"#, "child.child.n"),
            (r#"{"first":"5","coded":{"n":"7"}}"#, r#"{"first":5,"coded":{"n":7}}"#, "first coded.n"),
            (r#"{"n":"5.0","x":"5.0","more":"-0.00"}"#, r#"{"n":5,"x":5.0,"more":0}"#, "n x more"),
            (r#"{"n":"5.0e0","more":"5e0"}"#, r#"{"n":"5.0e0","more":"5e0"}"#, ""),
        ] {
            let Json::Object(params) = Json::parse(params).unwrap() else { panic!() };
            let (converted, conversions) = convert(&schema, &params, &[Place::root()], Several::All);
            assert_eq!(Json::Object(converted).to_string(), expected);
            let found: Vec<_> = conversions.iter().map(|conversion| conversion.place.to_string()).collect();
            assert_eq!(found.join(" "), places);
        }
    }

    #[test]
    fn only_what_was_found_wrong_is_converted() {
        let schema = Json::parse(
            r#"{"properties":{"a":{"type":"integer"},"list":{"items":{"properties":{"n":{"type":"integer"}}}},
                "codes":{"patternProperties":{"^s":{"type":"string"}},"additionalProperties":{"type":"integer"}}}}"#,
        )
        .unwrap();
        let params = r#"{"a":"1","list":[{"n":"1"},{"n":"2"}],"codes":{"s":"1","n":"2"}}"#;
        let Json::Object(params) = Json::parse(params).unwrap() else { panic!() };
        let root = Place::root;
        for (wrong, expected) in [
            (vec![], ""),
            (vec![root().field("a")], "a"),
            (vec![root().field("list").index(1)], "list[1].n"),
            (vec![root().field("list").index(0).field("n"), root().field("a")], "a list[0].n"),
            // Which of its members a pattern speaks of is not known.
            (vec![root().field("codes")], ""),
            (vec![root().field("codes").field("n")], "codes.n"),
            (vec![root()], "a list[0].n list[1].n"),
            (vec![root(), root().field("codes").field("n")], "a list[0].n list[1].n codes.n"),
        ] {
            let (_, conversions) = convert(&schema, &params, &wrong, Several::All);
            let found: Vec<_> = conversions.iter().map(|conversion| conversion.place.to_string()).collect();
            assert_eq!(found.join(" "), expected, "{wrong:?}");
        }
    }

    #[test]
    fn patterns_positions_and_conditions_count_too() {
        for (schema, params, wrong, expected) in [
            (
                r#"{"patternProperties":{"^s":{"type":"string"},"^x_":{"type":"integer"}},"additionalProperties":false}"#,
                r#"{"x_a":"1","x_b":"1","s":"2"}"#,
                "x_a",
                r#"{"x_a":1,"x_b":"1","s":"2"}"#,
            ),
            (
                r#"{"properties":{"x_a":{"type":"string"}},"patternProperties":{"^x_":{"type":"integer"}}}"#,
                r#"{"x_a":"1"}"#,
                "x_a",
                r#"{"x_a":"1"}"#,
            ),
            (
                r#"{"properties":{"t":{"items":[{"type":"integer"},{"type":"boolean"}],"additionalItems":{"type":"number"}}}}"#,
                r#"{"t":["1","true","1.5"]}"#,
                "t",
                r#"{"t":[1,true,1.5]}"#,
            ),
            (r#"{"if":{},"then":{"properties":{"n":{"type":"integer"}}}}"#, r#"{"n":"1"}"#, "n", r#"{"n":1}"#),
            (r#"{"if":{},"else":{"properties":{"n":{"type":"integer"}}}}"#, r#"{"n":"1"}"#, "n", r#"{"n":1}"#),
            (
                r#"{"dependentSchemas":{"a":{"properties":{"n":{"type":"integer"}}}}}"#,
                r#"{"a":"2","n":"1"}"#,
                "n",
                r#"{"a":"2","n":1}"#,
            ),
        ] {
            let Json::Object(params) = Json::parse(params).unwrap() else { panic!() };
            let schema = Json::parse(schema).unwrap();
            let (converted, _) = convert(&schema, &params, &[Place::root().field(wrong)], Several::All);
            assert_eq!(Json::Object(converted).to_string(), expected, "{schema}");
        }
    }

    #[test]
    fn integers_are_written_as_such_where_they_are_asked_for() {
        let schema = Json::parse(
            r#"{"properties":{"n":{"type":"integer"},"x":{"type":"number"},"id":{"type":["integer","string"]},"any":{},
                "both":{"anyOf":[{"type":"integer"},{"type":"number"}]},"one":{"enum":[1,2]}},
                "anyOf":[{"properties":{"list":{"items":{"type":"integer"}}}},{}]}"#,
        )
        .unwrap();
        for (params, expected, places) in [
            (r#"{"n":5.0,"id":-7.00,"one":1.0}"#, r#"{"n":5,"id":-7,"one":1}"#, "n id one"),
            (r#"{"x":5.0,"any":5.0,"both":5.0,"other":5.0}"#, r#"{"x":5.0,"any":5.0,"both":5.0,"other":5.0}"#, ""),
            (r#"{"n":5.5,"id":"5.0","list":[1,2.0]}"#, r#"{"n":5.5,"id":"5.0","list":[1,2]}"#, "list[1]"),
            (r#"{"n":5e0,"id":-0.0}"#, r#"{"n":5e0,"id":0}"#, "id"),
        ] {
            let Json::Object(params) = Json::parse(params).unwrap() else { panic!() };
            let (converted, conversions) = convert(&schema, &params, &[], Several::All);
            assert_eq!(Json::Object(converted).to_string(), expected);
            let found: Vec<_> = conversions.iter().map(|conversion| conversion.place.to_string()).collect();
            assert_eq!(found.join(" "), places);
        }
    }

    #[test]
    fn a_long_name_is_known_by_how_it_begins() {
        let name = "n".repeat(100);
        let schema = Json::parse(&format!(r#"{{"properties":{{"{name}":{{"type":"integer"}}}}}}"#)).unwrap();
        let Json::Object(params) = Json::parse(&format!(r#"{{"{name}":"1"}}"#)).unwrap() else { panic!() };
        let cut = Place::root().field(format!("{}…", "n".repeat(64)));
        assert_eq!(convert(&schema, &params, &[cut], Several::All).1.len(), 1);
    }

    #[test]
    fn references_in_circles_end() {
        let schema = Json::parse(r##"{"properties":{"a":{"$ref":"#/properties/a"}}}"##).unwrap();
        let Json::Object(params) = Json::parse(r#"{"a":"1"}"#).unwrap() else { panic!() };
        assert!(convert(&schema, &params, &[Place::root()], Several::All).1.is_empty());
    }

    #[test]
    fn what_has_not_been_come_to_after_a_million_looks_stays_as_it_was_given() {
        let converted_by = |several: Several, schema: String, params: String| {
            let Json::Object(params) = Json::parse(&params).unwrap() else { panic!() };
            let (converted, conversions) = convert(&Json::parse(&schema).unwrap(), &params, &[Place::root()], several);
            (conversions.len(), converted.get("z").cloned())
        };
        let converted = |schema: String, params: String| converted_by(Several::All, schema, params);
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
        assert_eq!(converted(schema, format!(r#"{{"a":[{}],"z":"1"}}"#, texts(5_000))), (99, given.clone()));
        // A number that is listed is read for each, as long as it is.
        let long = format!("1.{}", "0".repeat(64_000));
        for listed in [format!(r#"{{"const":{long}}}"#), format!(r#"{{"enum":[{long}]}}"#)] {
            let schema = format!(r#"{{"properties":{{"a":{{"items":{listed}}},"z":{{"type":"integer"}}}}}}"#);
            assert_eq!(converted(schema, format!(r#"{{"a":[{}],"z":"1"}}"#, texts(5_000))), (994, given.clone()));
        }
        // Integers are not looked for at all.
        let numbers = vec!["1"; 500_000].join(",");
        let schema = format!(r#"{{"properties":{{"a":{{"anyOf":[{nothing}]}},"z":{{"type":"integer"}}}}}}"#);
        assert_eq!(converted(schema, format!(r#"{{"a":[{numbers}],"z":"1"}}"#)), (1, Some(Json::from(1))));
        // But they are gone through once for each of many schemas, where one of those is enough.
        let parts = vec![r##"{"properties":{"a":{"$ref":"#/$defs/n"}}}"##; 900].join(",");
        let wide = |length: usize| {
            let schema = format!(
                r#"{{"properties":{{"z":{{"type":"integer"}}}},"allOf":[{parts}],
                    "$defs":{{"n":{{"anyOf":[{}]}}}}}}"#,
                vec!["{}"; 1_000].join(",")
            );
            let params = format!(r#"{{"a":[{}],"z":"1"}}"#, vec!["1"; length].join(","));
            converted_by(Several::AnyThatConverts, schema, params)
        };
        assert_eq!(wide(160), (1, Some(Json::from(1))));
        assert_eq!(wide(3_200), (0, given));
    }
}
