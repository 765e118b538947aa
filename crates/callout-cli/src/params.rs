//! Params from flags.

use std::{collections::HashSet, fs, io::Read};

use callout::{
    Integration, Json,
    json::{Object, ObjectBuilder, ReadOptions},
};
use regex::Regex;

use crate::{Stop, args::ParamArgs};

/// The params of `--params`, then those of each `--param` over them. Without an endpoint there is no
/// schema to say what a `--param` is: a token's params stay text.
pub(crate) fn read(args: &ParamArgs, integration: &Integration, endpoint: Option<&str>) -> Result<Json, Stop> {
    let all = match args.params.as_deref() {
        None => Json::empty_object(),
        Some("-") => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes)?;
            parse(&bytes, "standard input")?
        }
        Some(text) => match text.strip_prefix('@') {
            Some(path) => parse(&fs::read(path).map_err(|error| format!("--params {path}: {error}"))?, path)?,
            None => parse(text.as_bytes(), "the argument")?,
        },
    };
    let Json::Object(all) = all else {
        return Err(Stop(format!("--params must be a JSON object, not {}", all.type_name())));
    };
    let tool = integration.tools().into_iter().find(|tool| Some(tool.endpoint.as_str()) == endpoint);
    let schema = tool.map(|tool| tool.input_schema).unwrap_or_default();
    let mut params = ObjectBuilder::new();
    for (name, value) in all.iter() {
        params.insert(name, value.clone());
    }
    let mut given = HashSet::new();
    for flag in &args.param {
        let (name, value) =
            flag.split_once('=').ok_or_else(|| Stop(format!("--param takes KEY=VALUE, not {flag:?}")))?;
        if !given.insert(name) {
            return Err(Stop(format!(
                "--param {name} is given twice; a list is one value, as JSON: {name}=[\"a\",\"b\"]"
            )));
        }
        params.insert(name, if endpoint.is_some() { of_param(value, &schema, name) } else { value.into() });
    }
    Ok(params.into())
}

fn parse(bytes: &[u8], source: &str) -> Result<Json, Stop> {
    ReadOptions::default().read(bytes).map_err(|error| Stop(format!("--params, {source}: {error}")))
}

/// The value of a param: a string where the schema of the params asks for one; else what the text is as JSON; else a
/// string.
fn of_param(value: &str, params: &Json, name: &str) -> Json {
    fitting(value, params, name).unwrap_or_else(|| parsed(value))
}

/// Whether a param is one that `{?…}` in the path names and the input schema does not. A tool shows it as a string, but
/// a list of it repeats the key.
fn is_of_query_alone(params: &Json, name: &str) -> bool {
    let shown = params.get("properties").and_then(|properties| properties.get(name)).and_then(Json::as_object);
    let told = format!("Query parameter {name}");
    shown.is_some_and(|shown| {
        let says = |keyword: &str, text: &str| shown.get(keyword).and_then(Json::as_str) == Some(text);
        shown.len() == 2 && says("type", "string") && says("description", &told)
    })
}

/// The same, or nothing if the schema takes neither.
pub(crate) fn fitting(value: &str, params: &Json, name: &str) -> Option<Json> {
    let parsed = parsed(value);
    if parsed.as_array().is_some() && is_of_query_alone(params, name) {
        return Some(parsed);
    }
    let takes = Look { root: params, parsed: &parsed, steps: MAX_STEPS }.takes_under(name, params, 0);
    match takes.unwrap_or(Takes::ANYTHING) {
        Takes { parsed: true, .. } => Some(parsed),
        Takes { text, .. } => text.then(|| value.into()),
    }
}

/// Whether the schema of the params has a property of that name or requires one, by itself or by what it combines.
pub(crate) fn is_declared(params: &Json, name: &str) -> bool {
    Look { root: params, parsed: &Json::Null, steps: MAX_STEPS }.declares(name, params, 0)
}

/// What the text is as JSON; else the text.
pub(crate) fn parsed(value: &str) -> Json {
    Json::parse(value).unwrap_or_else(|_| value.into())
}

/// How far references and what is combined are followed for one param.
const MAX_DEPTH: u32 = 16;

/// How many subschemas are looked at for one param.
const MAX_STEPS: u32 = 1_000;

/// What a schema takes of a text, of which both can be made: the text, and the JSON that it is.
#[derive(Clone, Copy)]
struct Takes {
    text: bool,
    parsed: bool,
}

impl Takes {
    const ANYTHING: Self = Self { text: true, parsed: true };
    const NOTHING: Self = Self { text: false, parsed: false };

    const fn and(self, other: Self) -> Self {
        Self { text: self.text && other.text, parsed: self.parsed && other.parsed }
    }

    const fn is_nothing(self) -> bool {
        !self.text && !self.parsed
    }

    const fn or(self, other: Self) -> Self {
        Self { text: self.text || other.text, parsed: self.parsed || other.parsed }
    }
}

/// What both take; `None` says nothing.
fn both(one: Option<Takes>, other: Option<Takes>) -> Option<Takes> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.and(other)),
        (one, other) => one.or(other),
    }
}

/// A look through one param's schema.
struct Look<'s> {
    root: &'s Json,
    parsed: &'s Json,
    steps: u32,
}

impl<'s> Look<'s> {
    /// What a schema takes under a name, by itself and by what it combines. `None` if it says nothing of that name: of
    /// several alternatives those count that do, unless the value fits none of them.
    fn takes_under(&mut self, name: &str, schema: &'s Json, depth: u32) -> Option<Takes> {
        self.steps = self.steps.checked_sub(1).filter(|_| depth < MAX_DEPTH)?;
        let named = schema.get("properties").and_then(|properties| properties.get(name));
        let patterns = schema.get("patternProperties").and_then(Json::as_object).into_iter().flat_map(Object::iter);
        // A pattern that cannot be read may be one of this name.
        let is_of_name = |pattern: &str| Regex::new(pattern).map_or(true, |pattern| pattern.is_match(name));
        let matching = patterns.filter(|&(pattern, _)| is_of_name(pattern)).map(|(_, schema)| schema);
        let mut found: Vec<&Json> = named.into_iter().chain(matching).collect();
        if found.is_empty() {
            found.extend(schema.get("additionalProperties"));
        }
        let mut takes = None;
        for schema in found {
            takes = both(takes, Some(self.takes(schema, depth + 1)));
        }
        for part in schema.get("allOf").and_then(Json::as_array).into_iter().flatten() {
            takes = both(takes, self.takes_under(name, part, depth + 1));
        }
        let target = schema.get("$ref").and_then(Json::as_str).and_then(|reference| self.root.referred(reference));
        takes = both(takes, target.and_then(|target| self.takes_under(name, target, depth + 1)));
        for keyword in ["anyOf", "oneOf"] {
            let alternatives = schema.get(keyword).and_then(Json::as_array).into_iter().flatten();
            let each: Vec<_> = alternatives.map(|one| self.takes_under(name, one, depth + 1)).collect();
            let with_one = both(takes, each.iter().copied().flatten().reduce(Takes::or));
            // What fits none that speaks of it is meant for one that does not.
            if each.iter().all(Option::is_some) || !with_one.is_some_and(Takes::is_nothing) {
                takes = with_one;
            }
        }
        takes
    }

    fn declares(&mut self, name: &str, schema: &'s Json, depth: u32) -> bool {
        let Some(left) = self.steps.checked_sub(1).filter(|_| depth < MAX_DEPTH) else { return false };
        self.steps = left;
        let is_required = |names: &Json| names.as_array().into_iter().flatten().any(|one| one.as_str() == Some(name));
        if schema.get("properties").is_some_and(|properties| properties.get(name).is_some())
            || schema.get("required").is_some_and(is_required)
        {
            return true;
        }
        let parts = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array());
        let conditional = ["if", "then", "else"].into_iter().filter_map(|keyword| schema.get(keyword));
        let target = schema.get("$ref").and_then(Json::as_str).and_then(|reference| self.root.referred(reference));
        parts.flatten().chain(conditional).chain(target).any(|part| self.declares(name, part, depth + 1))
    }

    /// By type, constants, and what is combined of these; what is not looked at takes anything.
    fn takes(&mut self, schema: &'s Json, depth: u32) -> Takes {
        let Some(left) = self.steps.checked_sub(1).filter(|_| depth < MAX_DEPTH) else { return Takes::ANYTHING };
        self.steps = left;
        if schema.as_bool() == Some(false) {
            return Takes::NOTHING;
        }
        let mut takes = match schema.get("type") {
            Some(Json::Array(kinds)) => {
                kinds.iter().fold(Takes::NOTHING, |takes, kind| takes.or(self.of_kind(kind.as_str())))
            }
            Some(kind) => self.of_kind(kind.as_str()),
            None => Takes::ANYTHING,
        };
        if let Some(Json::Array(constants)) = schema.get("enum") {
            takes = takes.and(constants.iter().fold(Takes::NOTHING, |takes, one| takes.or(self.of_constant(one))));
        }
        if let Some(constant) = schema.get("const") {
            takes = takes.and(self.of_constant(constant));
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Json::Array(alternatives)) = schema.get(keyword) {
                let all = alternatives.iter().fold(Takes::NOTHING, |all, one| all.or(self.takes(one, depth + 1)));
                takes = takes.and(all);
            }
        }
        if let Some(Json::Array(parts)) = schema.get("allOf") {
            takes = parts.iter().fold(takes, |all, one| all.and(self.takes(one, depth + 1)));
        }
        if let Some(target) =
            schema.get("$ref").and_then(Json::as_str).and_then(|reference| self.root.referred(reference))
        {
            takes = takes.and(self.takes(target, depth + 1));
        }
        takes
    }

    /// `null` beside a string is no reason to read a text as JSON.
    fn of_kind(&self, kind: Option<&str>) -> Takes {
        let parsed = match (kind, self.parsed) {
            (Some("integer"), Json::Number(number)) => number.is_integer(),
            (Some("null"), _) => false,
            (kind, parsed) => kind == Some(parsed.type_name()) && parsed.as_str().is_none(),
        };
        Takes { text: kind == Some("string"), parsed }
    }

    fn of_constant(&self, constant: &Json) -> Takes {
        let parsed = match (constant, self.parsed) {
            (Json::String(_) | Json::Null, _) => false,
            (Json::Number(one), Json::Number(other)) => one.compare(other).is_eq(),
            (one, other) => one == other,
        };
        Takes { text: constant.as_str().is_some(), parsed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema of params that have this one.
    fn param(schema: &str) -> Json {
        Json::parse(&format!(r#"{{"properties": {{"p": {schema}}}}}"#)).unwrap()
    }

    #[test]
    fn the_schema_decides_what_a_flag_means() {
        for (value, kind, expected) in [
            ("5", None, "5"),
            ("5", Some(r#"{"type":"string"}"#), "\"5\""),
            ("5", Some(r#"{"type":["string","null"]}"#), "\"5\""),
            ("1.10", Some(r#"{"type":"number"}"#), "1.10"),
            ("true", None, "true"),
            ("[1]", None, "[1]"),
            ("rust", None, "\"rust\""),
            ("007", None, "\"007\""),
        ] {
            let params = kind.map(param).unwrap_or_default();
            assert_eq!(of_param(value, &params, "p").to_string(), expected, "{value} as {kind:?}");
        }
    }

    #[test]
    fn what_a_schema_does_not_take_fits_none() {
        for (value, schema, expected) in [
            ("5", r#"{"type":"integer"}"#, Some("5")),
            ("5", r#"{"type":"string"}"#, Some("\"5\"")),
            ("x", r#"{"type":"string"}"#, Some("\"x\"")),
            ("x", r#"{"type":["integer","null"]}"#, None),
            ("5.5", r#"{"type":"integer"}"#, None),
            ("true", r#"{"type":"integer"}"#, None),
            ("x", "{}", Some("\"x\"")),
            ("5", "false", None),
            ("[1]", r#"{"type":"string","description":"Query parameter p"}"#, Some("[1]")),
            ("5", r#"{"type":"string","description":"Query parameter p"}"#, Some("\"5\"")),
        ] {
            let found = fitting(value, &param(schema), "p");
            assert_eq!(found.map(|found| found.to_string()).as_deref(), expected, "{value} as {schema}");
        }
        // Where alternatives that do not take it stand beside one that says nothing of it, it may be meant for that.
        let closed = r#"{"required": ["a"], "properties": {"a": {}}, "additionalProperties": false}"#;
        let integer = r#"{"properties": {"p": {"type": "integer"}}, "required": ["p"]}"#;
        for (value, own, alternatives, expected) in [
            ("5", "{}", format!(r#"{{"required": ["q"]}}, {closed}"#), Some("5")),
            ("5", r#"{"type":"string"}"#, format!(r#"{{"required": ["q"]}}, {closed}"#), Some("\"5\"")),
            ("5", r#"{"type":"string"}"#, format!(r#"{{"required": ["q"]}}, {integer}"#), Some("\"5\"")),
            ("5", r#"{"type":"string"}"#, format!("{integer}, {closed}"), None),
            ("x", r#"{"type":"integer"}"#, format!(r#"{{"required": ["q"]}}, {closed}"#), None),
        ] {
            for keyword in ["anyOf", "oneOf"] {
                for place in [r#""properties": {"p": @}"#, r#""allOf": [{"properties": {"p": @}}]"#] {
                    let own = place.replace('@', own);
                    let params = Json::parse(&format!(r#"{{{own}, "{keyword}": [{alternatives}]}}"#)).unwrap();
                    let found = fitting(value, &params, "p").map(|found| found.to_string());
                    assert_eq!(found.as_deref(), expected, "{value} as {params}");
                }
            }
        }
    }

    #[test]
    fn the_schema_of_all_params_decides_wherever_it_speaks_of_one() {
        let union = r#"{"oneOf": [{"properties": {"kind": {"const": "card"}, "number": {"type": "string"}}},
            {"properties": {"kind": {"const": "bank"}, "n": {"type": "integer"}, "number": {"enum": ["0"]}}},
            {"properties": {"n": {"type": "string"}}}]}"#;
        let combined = r##"{"allOf": [{"properties": {"zip": {"type": "string"}}}, {"$ref": "#/$defs/more"}],
            "$defs": {"more": {"properties": {"code": {"type": "string"}}}}}"##;
        let others = r#"{"properties": {"n": {"type": "integer"}}, "additionalProperties": {"type": "string"}}"#;
        let patterns = r#"{"patternProperties": {"^x_": {"type": "string"}, "_n$": {"type": ["string", "integer"]}}}"#;
        let closed = r#"{"anyOf": [{"properties": {"a": {"type": "string"}}},
            {"properties": {"b": {}}, "additionalProperties": false}]}"#;
        for (schema, name, value, expected) in [
            (union, "number", "4242", "\"4242\""),
            (union, "n", "5", "5"),
            (union, "kind", "5", "\"5\""),
            (union, "other", "5", "5"),
            (combined, "zip", "90210", "\"90210\""),
            (combined, "code", "5", "\"5\""),
            (others, "order", "5", "\"5\""),
            (others, "n", "5", "5"),
            (patterns, "x_a", "5", "\"5\""),
            (patterns, "x_n", "5", "\"5\""),
            (patterns, "y_n", "5", "5"),
            (patterns, "order", "5", "5"),
            (closed, "a", "5", "\"5\""),
            (closed, "b", "5", "5"),
            (r##"{"properties": {"a": {"$ref": "#"}}}"##, "a", "[1]", "[1]"),
            (r#"{"required": ["a"]}"#, "a", "5", "5"),
            (r#"{"required": ["a"], "additionalProperties": {"type": "string"}}"#, "a", "5", "\"5\""),
            (r#"{"if": {}, "then": {"properties": {"a": {}}}}"#, "a", "5", "5"),
        ] {
            let schema = Json::parse(schema).unwrap();
            assert_eq!(of_param(value, &schema, name).to_string(), expected, "{name} of {schema}");
            let is_declared = !["other", "order", "x_a", "x_n", "y_n"].contains(&name);
            assert_eq!(super::is_declared(&schema, name), is_declared, "{name} of {schema}");
        }
    }

    #[test]
    fn a_string_is_asked_for_through_references_and_alternatives_too() {
        let definitions = r##"{"id": {"type": "string"}, "n": {"type": "integer"}, "a/b": {"$ref": "#/$defs/id"},
            "round": {"$ref": "#/$defs/round"}, "many": {"anyOf": [{"$ref": "#/$defs/many"}, {"$ref": "#/$defs/many"}]}}"##;
        for (value, schema, expected) in [
            ("5", r#"{"anyOf": [{"type": "string"}, {"type": "null"}]}"#, "\"5\""),
            ("5", r#"{"anyOf": [{"type": "string"}, {"type": "integer"}]}"#, "5"),
            ("5.5", r#"{"anyOf": [{"type": "string"}, {"type": "integer"}]}"#, "\"5.5\""),
            ("5", r#"{"oneOf": [{"type": "string", "maxLength": 3}, {"type": "array"}]}"#, "\"5\""),
            ("[5]", r#"{"oneOf": [{"type": "string"}, {"type": "array"}]}"#, "[5]"),
            ("true", r#"{"type": ["string", "number"]}"#, "\"true\""),
            ("true", r#"{"type": ["string", "boolean"]}"#, "true"),
            ("null", r#"{"type": ["string", "null"]}"#, "\"null\""),
            ("null", r#"{"type": "null"}"#, "null"),
            ("5", r#"{"allOf": [{"minLength": 1}, {"type": "string"}]}"#, "\"5\""),
            ("5", r##"{"$ref": "#/$defs/id"}"##, "\"5\""),
            ("5", r##"{"$ref": "#/$defs/n"}"##, "5"),
            ("5", r##"{"anyOf": [{"$ref": "#/$defs/a~1b"}, {"type": "null"}]}"##, "\"5\""),
            ("5", r##"{"$ref": "#/%24defs/a~1b"}"##, "\"5\""),
            ("5", r##"{"$ref": "#/$defs/round"}"##, "5"),
            ("5", r##"{"$ref": "#/$defs/many"}"##, "5"),
            ("5", r##"{"$ref": "#/nowhere"}"##, "5"),
            ("5", r#"{"enum": ["5", "6"]}"#, "\"5\""),
            ("5", r#"{"enum": ["a", 5.0]}"#, "5"),
            ("5", r#"{"enum": ["5", 6]}"#, "\"5\""),
            ("5", r#"{"enum": [6]}"#, "5"),
            ("2024", r#"{"const": "2024"}"#, "\"2024\""),
            ("5", r#"{"minimum": 1}"#, "5"),
        ] {
            let params = format!(r#"{{"properties": {{"p": {schema}}}, "$defs": {definitions}}}"#);
            let params = Json::parse(&params).unwrap();
            assert_eq!(of_param(value, &params, "p").to_string(), expected, "{value} as {schema}");
        }
    }
}
