//! The names under which models see params.
//!
//! Anthropic and Bedrock take 1 to 64 characters of `[a-zA-Z0-9_.-]` as the name of a property at the root of a
//! tool's schema, and refuse the whole list of tools for another. A param whose name does not fit has one that does
//! for models, the same in all shapes of its tool, so that arguments lead back to params without a word on who was
//! told. Within a param names are its own.

use std::{
    collections::{HashMap, HashSet},
    iter,
    sync::Arc,
};

use callout_core::{
    Error, ErrorKind,
    fault::{Faults, Place, Step},
    json::{Json, Object},
};
use callout_request::references::rerooted;

use super::{MAX_NAME, digested, schema};

/// What else speaks of params by their names at the root of a schema. It is left out where names differ: what it
/// asks for is checked when the tool is called.
const NAMING: [&str; 4] = ["dependentRequired", "dependentSchemas", "dependencies", "propertyNames"];

/// Which params of a tool models see under another name. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ParamNames(
    /// `None` where all names fit.
    Option<Arc<Renamed>>,
);

#[derive(Debug, Default, PartialEq, Eq)]
struct Renamed {
    /// From a param's own name to the one that models see.
    shown: HashMap<String, String>,
    /// And back.
    own: HashMap<String, String>,
}

impl ParamNames {
    /// The names for a tool's whole schema: what is hidden of it later changes none.
    pub(crate) fn of(root: &Json) -> Self {
        let (fitting, others): (Vec<_>, Vec<_>) = schema::property_names(root).into_iter().partition(|name| fits(name));
        if others.is_empty() {
            return Self::default();
        }
        let mut taken: HashSet<String> = fitting.into_iter().map(str::to_owned).collect();
        let mut renamed = Renamed::default();
        for name in others {
            let plain = plain(name);
            let mut whole = name.to_owned();
            let mut shown = if plain.len() > MAX_NAME { digested(&plain, &whole) } else { plain.clone() };
            while !taken.insert(shown.clone()) {
                shown = digested(&plain, &whole);
                whole.push('\n');
            }
            renamed.shown.insert(name.to_owned(), shown.clone());
            renamed.own.insert(shown, name.to_owned());
        }
        Self(Some(Arc::new(renamed)))
    }

    /// The name under which models see a param.
    pub(super) fn shown_name<'n>(&'n self, own: &'n str) -> &'n str {
        self.0.as_ref().and_then(|names| names.shown.get(own)).map_or(own, String::as_str)
    }

    /// The params that a model's arguments stand for. What is under a param's own name already stays, whatever is
    /// under the one that models see.
    pub(crate) fn own(&self, arguments: Object) -> Object {
        let Some(names) = &self.0 else { return arguments };
        if !arguments.keys().any(|name| names.own.contains_key(name)) {
            return arguments;
        }
        let own = arguments.iter().filter_map(|(name, value)| match names.own.get(name) {
            Some(own) => (!arguments.contains(own)).then(|| (own.as_str(), value.clone())),
            None => Some((name, value.clone())),
        });
        own.collect()
    }

    /// A schema that combines nothing at its root, as models see it. It was made of `whole`.
    pub(super) fn shown(&self, schema: Json, whole: &Json) -> Json {
        let Some(names) = &self.0 else { return schema };
        let Some(root) = schema.as_object() else { return schema };
        let members = root.iter().filter(|(keyword, _)| !NAMING.contains(keyword)).map(|(keyword, value)| {
            let shown: Json = match (keyword, value) {
                ("properties", Json::Object(all)) => {
                    all.iter().map(|(name, property)| names.property(name, property)).collect()
                }
                ("required", Json::Array(all)) => all.iter().map(|name| names.required(name)).collect(),
                (_, value) => value.clone(),
            };
            (keyword, shown)
        });
        rerooted(&members.collect(), whole)
    }

    /// A refusal of params as the model that gave them is told.
    pub(crate) fn told(&self, error: Error) -> Error {
        let Some(names) = &self.0 else { return error };
        let is_of_params = matches!(error.kind(), ErrorKind::InvalidParams | ErrorKind::MissingAuthParam);
        if !is_of_params || error.faults().is_empty() {
            return error;
        }
        let mut faults = Faults::new();
        for fault in error.faults() {
            let is_of_all = fault.place.steps().is_empty();
            let message = if is_of_all { names.message(&fault.message) } else { fault.message.clone() };
            faults.report_at(names.place(&fault.place), fault.code, message);
        }
        Error::from_faults(error.kind(), faults)
    }
}

impl Renamed {
    fn property<'n>(&'n self, name: &'n str, property: &Json) -> (&'n str, Json) {
        match self.shown.get(name) {
            Some(shown) => (shown.as_str(), described(property, name)),
            None => (name, property.clone()),
        }
    }

    fn required(&self, name: &Json) -> Json {
        let shown = name.as_str().and_then(|name| self.shown.get(name));
        shown.map_or_else(|| name.clone(), |shown| Json::from(shown.as_str()))
    }

    fn place(&self, place: &Place) -> Place {
        place.steps().iter().enumerate().fold(Place::root(), |above, (depth, step)| match step {
            Step::Field(name) if depth == 0 => above.field(self.shown_of(name).unwrap_or(name)),
            Step::Field(name) => above.field(name.clone()),
            Step::Index(index) => above.index(*index),
        })
    }

    /// A fault's place has of a long name its beginning.
    fn shown_of(&self, name: &str) -> Option<&str> {
        if let Some(shown) = self.shown.get(name) {
            return Some(shown);
        }
        let start = name.strip_suffix('…')?;
        let mut beginning = self.shown.iter().filter(|(own, _)| own.starts_with(start));
        let (_, shown) = beginning.next().filter(|_| beginning.next().is_none())?;
        Some(shown)
    }

    /// A message about the params as a whole, which says of alternatives where each does not fit:
    /// `fits none of 2 alternatives (a: is required; b.c: must be …)`.
    fn message(&self, message: &str) -> String {
        let text = |name: &String| Place::root().field(name.as_str()).to_string();
        let mut told = message.to_owned();
        for (own, shown) in &self.shown {
            let (own, shown) = (text(own), text(shown));
            if !told.contains(&own) {
                continue;
            }
            for (before, behind) in [("(", ":"), ("(", "."), ("(", "["), ("; ", ":"), ("; ", "."), ("; ", "[")] {
                told = told.replace(&format!("{before}{own}{behind}"), &format!("{before}{shown}{behind}"));
            }
        }
        told
    }
}

fn fits(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_taken)
}

fn is_taken(found: char) -> bool {
    found.is_ascii_alphanumeric() || matches!(found, '_' | '.' | '-')
}

/// What is taken of a name, `_` in the place of all else between: `created_gte` of `created[gte]`.
fn plain(name: &str) -> String {
    // Of names that differ in nothing else these tell which is which.
    let worded = name.replace('<', " lt ").replace('>', " gt ");
    let parts: Vec<_> = worded.split(|found: char| !is_taken(found)).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "param".to_owned() } else { parts.join("_") }
}

/// The schema of a param, its description with the name that the API's own words have for it.
fn described(property: &Json, name: &str) -> Json {
    // Beside a reference strict mode takes nothing.
    let Some(object) = property.as_object().filter(|object| !object.contains("$ref")) else { return property.clone() };
    let description = match object.get("description").and_then(Json::as_str) {
        Some(text) if text.contains(name) => return property.clone(),
        Some(text) if !text.is_empty() => format!("{text} (the API calls it {name})"),
        _ => format!("The API calls it {name}"),
    };
    let members = object.iter().map(|(keyword, value)| (keyword, value.clone()));
    members.chain(iter::once(("description", description.into()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    /// What models see these properties as.
    fn shown(names: &[&str]) -> Vec<String> {
        let properties: Json = names.iter().map(|name| (*name, Json::empty_object())).collect();
        let root: Json = [("properties", properties)].into_iter().collect();
        let shown = ParamNames::of(&root).shown(root.clone(), &root);
        shown.get("properties").unwrap().as_object().unwrap().keys().map(str::to_owned).collect()
    }

    #[test]
    fn a_name_that_does_not_fit_has_one_that_does() {
        for (name, expected) in [
            ("created[gte]", "created_gte"),
            ("expand[]", "expand"),
            ("$filter", "filter"),
            ("@odata.type", "odata.type"),
            ("filter[page][size]", "filter_page_size"),
            ("StartTime<", "StartTime_lt"),
            ("a b", "a_b"),
            ("größe", "gr_e"),
            ("名", "param"),
            ("", "param"),
        ] {
            assert_eq!(shown(&[name]), [expected], "{name}");
        }
        let long = "n".repeat(65);
        let names = shown(&["$x", &long, &"n".repeat(64)]);
        assert!(names[1].len() == 64 && names[1].starts_with("nnn") && names[1] != names[2], "{names:?}");
    }

    #[test]
    fn names_are_distinct_whatever_else_there_is() {
        assert_eq!(shown(&["StartTime", "StartTime<", "StartTime>"]), ["StartTime", "StartTime_lt", "StartTime_gt"]);
        // The later of two, and what would have the name of another.
        let names = shown(&["a[b]", "a(b)", "$c", "c"]);
        assert_eq!((names[0].as_str(), names[3].as_str()), ("a_b", "c"));
        assert!(names[1].starts_with("a_b_") && names[2].starts_with("c_"), "{names:?}");
        assert_eq!(shown(&["$c", "c", "a[b]", "a(b)"])[0], names[2]);
    }

    #[test]
    fn where_all_names_fit_nothing_changes() {
        let root = json(r#"{"properties":{"a.b-c_D9":{"properties":{"x[y]":{}}}},"dependentRequired":{"a":["b"]}}"#);
        let names = ParamNames::of(&root);
        assert_eq!(names, ParamNames::default());
        assert_eq!(names.shown(root.clone(), &root), root);
    }

    #[test]
    fn a_schema_has_the_shown_names_at_its_root_alone() {
        let root = json(
            r##"{"type":"object","properties":{"a[b]":{"properties":{"a[b]":{}},"description":"An a"},"c":{"$ref":"#"},
                "$d":{"$ref":"#/properties/a%5Bb%5D"},"e":{"$ref":"#/$defs/params"}},
                "required":["a[b]","c"],"propertyNames":{"minLength":2},"$defs":{"params":{"properties":{"$f":{}}}}}"##,
        );
        let names = ParamNames::of(&root);
        let shown = names.shown(schema::flat(&root), &root);
        assert_eq!(
            shown.get("properties").unwrap().to_string(),
            r##"{"a_b":{"properties":{"a[b]":{}},"description":"An a (the API calls it a[b])"},"c":{"$ref":"#/$defs/params_"},"d":{"$ref":"#/$defs/params_/properties/a%5Bb%5D"},"e":{"$ref":"#/$defs/params"}}"##
        );
        assert_eq!(shown.get("required").unwrap().to_string(), r#"["a_b","c"]"#);
        assert!(shown.get("propertyNames").is_none());
        // What is said of the whole is said of values within it, which have their own names.
        let definitions = shown.get("$defs").unwrap();
        assert_eq!(definitions.get("params"), root.get("$defs").unwrap().get("params"));
        let whole = definitions.get("params_").unwrap();
        assert_eq!(whole.get("required"), root.get("required"));
        assert_eq!(whole.get("properties").unwrap().get("c").unwrap().to_string(), r##"{"$ref":"#/$defs/params_"}"##);
    }

    #[test]
    fn arguments_lead_back_to_params() {
        let names = ParamNames::of(&json(r#"{"properties":{"a[b]":{},"$c":{},"d":{}}}"#));
        for (arguments, params) in [
            (r#"{"a_b":{"a_b":1},"c":2,"d":3,"more":4}"#, r#"{"a[b]":{"a_b":1},"$c":2,"d":3,"more":4}"#),
            // Their own names are good too.
            (r#"{"a[b]":1,"d":2}"#, r#"{"a[b]":1,"d":2}"#),
            (r#"{"$c":1,"c":2,"a_b":3,"a[b]":4}"#, r#"{"$c":1,"a[b]":4}"#),
            ("{}", "{}"),
        ] {
            let own = names.own(json(arguments).as_object().unwrap().clone());
            assert_eq!(Json::from(own).to_string(), params);
        }
    }

    #[test]
    fn a_refusal_names_params_as_the_model_sees_them() {
        let long = "n".repeat(70);
        let root = format!(r#"{{"properties":{{"a[b]":{{}},"$c":{{}},"{long}":{{}}}}}}"#);
        let names = ParamNames::of(&json(&root));
        let mut faults = Faults::new();
        let code = callout_core::fault::FaultCode::Missing;
        for place in [
            Place::root().field("a[b]").field("a[b]").index(1),
            Place::root().field("d").field("$c"),
            Place::root().field(format!("{}…", "n".repeat(64))),
        ] {
            faults.report_at(place, code, "is (a[b]: wrong)");
        }
        let reasons = r#"fits none of 3 alternatives (["a[b]"]: is required; $c.x: is wrong; x: must be $c)"#;
        faults.report_at(Place::root(), code, reasons);
        let told = names.told(Error::from_faults(ErrorKind::InvalidParams, faults.clone()));
        let last = &names.0.as_ref().unwrap().shown[&long];
        assert_eq!(
            told.message(),
            format!(
                r#"a_b["a[b]"][1]: is (a[b]: wrong); d.$c: is (a[b]: wrong); {last}: is (a[b]: wrong); fits none of 3 alternatives (a_b: is required; c.x: is wrong; x: must be $c)"#
            )
        );
        // What is wrong with a config is told in its words.
        let error = names.told(Error::from_faults(ErrorKind::InvalidConfig, faults));
        assert!(error.message().contains("$c.x"), "{error}");
    }
}
