//! What the engine's own check says of an endpoint, and what can be done about it.

use std::collections::BTreeMap;

use callout_core::{
    config::{EndpointConfig, IntegrationConfig},
    fault::{Fault, Faults, Place, Step},
    json::{Json, Object, ObjectBuilder},
    limits::Limits,
};

use crate::{
    endpoint::{Plan, fits},
    operation::Operation,
    report::Findings,
    schema::{
        Detail,
        lost::{self, Holds},
    },
};

/// Checks an integration, as the engine would when it loads it. Faults are to be those of the config:
/// secrets are given later.
pub type Check<'c> = &'c dyn Fn(&IntegrationConfig, &mut Faults);

/// Rounds of taking out what does not fit.
const MAX_ROUNDS: usize = 6;

/// The endpoint in as much detail as the engine takes, with patterns only if they are wanted; `None` if it takes none.
pub(crate) fn endpoint(
    plan: &Plan<'_>,
    operation: &Operation<'_>,
    frame: &IntegrationConfig,
    check: Check<'_>,
    limits: &Limits,
    patterns: bool,
    findings: &mut Findings,
) -> Option<EndpointConfig> {
    let mut last = None;
    for (step, detail) in Detail::STEPS.into_iter().enumerate() {
        let detail = Detail { patterns: detail.patterns && patterns, ..detail };
        let endpoint = plan.write(detail, findings)?;
        if !fits(&endpoint.input_schema, limits) {
            last = Some("its input schema is too large".to_owned());
            continue;
        }
        if step > 0 {
            findings.note(&operation.node.place, "the schema is large: descriptions within it are left out");
        }
        match checked(endpoint, operation, frame, check, findings) {
            Ok(endpoint) => return Some(endpoint),
            Err(Verdict::Schema(why)) => last = Some(why),
            Err(Verdict::Other(why)) => {
                findings.loss(&operation.node.place, why);
                return None;
            }
        }
    }
    findings.loss(&operation.node.place, last.unwrap_or_else(|| "it cannot be loaded".to_owned()));
    None
}

enum Verdict {
    /// The schema as a whole is refused: less of it may not be.
    Schema(String),
    /// Something else is.
    Other(String),
}

/// The endpoint without those parts of its schema that the check refuses.
fn checked(
    mut endpoint: EndpointConfig,
    operation: &Operation<'_>,
    frame: &IntegrationConfig,
    check: Check<'_>,
    findings: &mut Findings,
) -> Result<EndpointConfig, Verdict> {
    let schema_at = Place::root().field("endpoints").index(0).field("input_schema");
    for _ in 0..MAX_ROUNDS {
        let mut faults = Faults::new();
        let mut named = endpoint.clone();
        "x".clone_into(&mut named.name);
        check(&frame.clone().with_endpoint(named), &mut faults);
        let found: Vec<Fault> = faults.iter().cloned().collect();
        let Some(first) = found.first() else { return Ok(endpoint) };
        if let Some(other) = found.iter().find(|fault| !fault.place.is_within(&schema_at)) {
            return Err(Verdict::Other(told(other)));
        }
        let depth = schema_at.steps().len();
        let mut removed = false;
        let mut schema = Json::Object(endpoint.input_schema.clone());
        for fault in &found {
            let steps = fault.place.steps().get(depth..).unwrap_or_default();
            if let Some(less) = without(&schema, steps) {
                schema = less;
                removed = true;
                findings
                    .loss(&operation.node.place, format!("{} is not checked: {}", short(&fault.place), fault.message));
            }
        }
        match schema {
            Json::Object(less) if removed => endpoint.input_schema = lost::settled(&less),
            _ => return Err(Verdict::Schema(told(first))),
        }
    }
    Err(Verdict::Schema("its input schema has too many faults".to_owned()))
}

/// What a check of an integration with so many endpoints says of each that it refuses: its first fault. One that stands
/// elsewhere is one of each.
pub(crate) fn refused(faults: &Faults, endpoints: usize) -> BTreeMap<usize, Fault> {
    let mut refused = BTreeMap::new();
    for fault in faults {
        match fault.place.steps() {
            [Step::Field(holder), Step::Index(at), ..] if holder == "endpoints" && *at < endpoints => {
                refused.entry(*at).or_insert_with(|| fault.clone());
            }
            _ => {
                for at in 0..endpoints {
                    refused.entry(at).or_insert_with(|| fault.clone());
                }
            }
        }
    }
    refused
}

/// What a fault of an endpoint is, for the report.
pub(crate) fn told(fault: &Fault) -> String {
    format!("{}: {}", short(&fault.place), fault.message)
}

/// The place within the endpoint.
fn short(place: &Place) -> String {
    let text = place.to_string();
    let within = text.strip_prefix("endpoints[").and_then(|rest| rest.split_once("].")).map(|(_, within)| within);
    within.unwrap_or(&text).chars().take(300).collect()
}

/// A schema without what stands at a place: a keyword, or a schema, in whose place anything is accepted. What has lost
/// something is [marked](lost). `None` for the schema itself, and for what is not there (any more).
fn without(schema: &Json, steps: &[Step]) -> Option<Json> {
    let members = schema.as_object()?;
    let (Step::Field(keyword), rest) = steps.split_first()? else { return None };
    let keyword = keyword.as_str();
    let value = members.get(keyword)?;
    let changed = part_without(keyword, value, rest);
    let is_unnamed = match &changed {
        None => Holds::of(keyword) != Holds::Nothing || keyword == "$ref",
        Some(changed) => {
            let count = |map: &Json| map.as_object().map(Object::len);
            keyword == "patternProperties" && count(changed) < count(value)
        }
    };
    let mut written = ObjectBuilder::new();
    for (name, value) in members.iter() {
        if name != keyword {
            written.insert(name, value.clone());
        } else if let Some(changed) = &changed {
            written.insert(name, changed.clone());
        }
    }
    if is_unnamed {
        written.insert(lost::UNNAMED, true);
    } else if changed.is_none() {
        written.insert(lost::LOST, true);
    }
    Some(written.into())
}

/// What a keyword has for its value without what stands at a place below. `None` if the keyword goes.
fn part_without(keyword: &str, value: &Json, steps: &[Step]) -> Option<Json> {
    match (Holds::of(keyword), value, steps) {
        (Holds::Schema, _, [_, ..]) => without(value, steps),
        (Holds::List, Json::Array(elements), [Step::Index(at), rest @ ..]) => {
            let changed = without(elements.get(*at)?, rest).unwrap_or_else(lost::anything);
            let all = elements.iter().enumerate();
            Some(all.map(|(other, schema)| if other == *at { changed.clone() } else { schema.clone() }).collect())
        }
        (Holds::Map, Json::Object(parts), [Step::Field(name), rest @ ..]) => {
            let schema = parts.get(name.as_str())?;
            let changed = match without(schema, rest) {
                // It is the pattern that is refused.
                None if keyword == "patternProperties" => None,
                changed => Some(changed.unwrap_or_else(lost::anything)),
            };
            let all = parts.iter().filter_map(|(other, schema)| {
                let schema = if other == name.as_str() { changed.clone()? } else { schema.clone() };
                Some((other, schema))
            });
            Some(all.collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_taken_out() {
        let schema = Json::parse(r#"{"properties":{"a":{"pattern":"(","type":"string"}},"allOf":[{"x":1}]}"#).unwrap();
        let at = |steps: &[&str]| -> Vec<Step> {
            steps.iter().map(|step| step.parse().map_or_else(|_| Step::Field((*step).into()), Step::Index)).collect()
        };
        for (steps, expected) in [
            (vec!["properties", "a", "pattern"], Some(r#"{"properties":{"a":{"type":"string"}},"allOf":[{"x":1}]}"#)),
            (vec!["properties", "a", "nope"], Some(r#"{"properties":{"a":{}},"allOf":[{"x":1}]}"#)),
            (vec!["properties", "b"], Some(r#"{"allOf":[{"x":1}]}"#)),
            (vec!["allOf", "0"], Some(r#"{"properties":{"a":{"pattern":"(","type":"string"}},"allOf":[{}]}"#)),
            (vec![], None),
            (vec!["nope"], None),
        ] {
            let found = without(&schema, &at(&steps)).map(|schema| settled(&schema));
            assert_eq!(found.as_deref(), expected, "{steps:?}");
        }
        let schema = r#"{"patternProperties":{"(":{},"a":{"pattern":"("}},"additionalProperties":false}"#;
        let schema = Json::parse(schema).unwrap();
        for (steps, expected) in [
            (vec!["patternProperties", "("], r#"{"patternProperties":{"a":{"pattern":"("}}}"#),
            (
                vec!["patternProperties", "a", "pattern"],
                r#"{"patternProperties":{"(":{},"a":{}},"additionalProperties":false}"#,
            ),
        ] {
            assert_eq!(settled(&without(&schema, &at(&steps)).unwrap()), expected, "{steps:?}");
        }
    }

    fn settled(schema: &Json) -> String {
        Json::Object(lost::settled(schema.as_object().unwrap())).to_string()
    }
}
