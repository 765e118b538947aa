//! The schema that a language model sees: what a caller may pass, wherever it goes.

use std::collections::HashSet;

use callout_core::{
    config::ExchangeHeaderMapping,
    json::{Json, Object, ObjectBuilder},
};

use crate::{references::rerooted, template::Template};

/// A param that a call takes beside those of the input schema.
struct Extra<'a> {
    name: &'a str,
    needed: bool,
    description: String,
}

/// The input schema as an object schema. Path and auth params that it does not speak of are added as
/// strings behind its own properties; those that every call needs are in `required`. They are the root's alone: what
/// refers to the root means the input schema.
pub(crate) fn schema(
    input: &Object,
    template: &Template,
    auth: &[ExchangeHeaderMapping],
    declares: impl Fn(&str) -> bool,
) -> Json {
    let own = input.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
    let mut properties: ObjectBuilder =
        own.iter().fold(ObjectBuilder::new(), |all, (name, value)| all.with(name, value.clone()));
    let listed = input.get("required").and_then(Json::as_array);
    let mut required = listed.map_or_else(Vec::new, |names| names.to_vec());
    let mut is_required: HashSet<&str> = listed.into_iter().flatten().filter_map(Json::as_str).collect();
    let mut added: HashSet<&str> = HashSet::new();
    let extras = extras(template, auth);
    for Extra { name, needed, description } in &extras {
        if !declares(name) && added.insert(*name) {
            properties
                .insert(*name, ObjectBuilder::new().with("type", "string").with("description", description.as_str()));
        }
        if *needed && is_required.insert(*name) {
            required.push((*name).into());
        }
    }
    let has_changed =
        !input.contains("type") || !added.is_empty() || required.len() > listed.map_or(0, |names| names.len());
    let mut tool = ObjectBuilder::new();
    if !input.contains("type") {
        tool.insert("type", "object");
    }
    for (name, value) in input.iter() {
        tool.insert(name, beside(name, value, &added));
    }
    tool.insert("properties", properties);
    if !required.is_empty() {
        tool.insert("required", required);
    }
    let tool = Json::from(tool);
    if has_changed { rerooted(&tool, &Json::Object(input.clone())) } else { tool }
}

/// A keyword of the input schema where params are added that it is not asked about: they are not counted, and their
/// names are free.
fn beside(keyword: &str, value: &Json, added: &HashSet<&str>) -> Json {
    match (keyword, value) {
        _ if added.is_empty() => value.clone(),
        ("maxProperties", Json::Number(most)) => {
            let added = i64::try_from(added.len()).unwrap_or(i64::MAX);
            most.as_whole().map_or_else(|| value.clone(), |most| most.saturating_add(added).into())
        }
        ("propertyNames", names) => {
            let mut added: Vec<&str> = added.iter().copied().collect();
            added.sort_unstable();
            let added: Json = added.into_iter().map(Json::from).collect();
            let free = Json::from(ObjectBuilder::new().with("enum", added));
            let either: Json = [free, names.clone()].into_iter().collect();
            ObjectBuilder::new().with("anyOf", either).into()
        }
        (_, value) => value.clone(),
    }
}

fn extras<'a>(template: &'a Template, auth: &'a [ExchangeHeaderMapping]) -> Vec<Extra<'a>> {
    let path = template.required().into_iter().map(|name| Extra {
        name,
        needed: true,
        description: format!("Part of the path {}", template.source()),
    });
    let query = template.optional().iter().map(|name| Extra {
        name,
        needed: false,
        description: format!("Query parameter {name}"),
    });
    let auth = auth.iter().map(|mapping| Extra {
        name: &mapping.param_name,
        needed: mapping.required,
        description: "Needed to authenticate the call".to_owned(),
    });
    path.chain(query).chain(auth).collect()
}
