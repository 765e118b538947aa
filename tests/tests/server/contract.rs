//! The published contract stands in our OpenAPI document unchanged: every path, operation, parameter,
//! schema, property, limit, default, required list and response. We may say more, never otherwise.

use callout::Json;

pub(crate) const CONTRACT: &str = include_str!("../../data/contract/openapi.json");

/// What may stand in the document besides, wherever it stands: prose, and what makes it useful.
const PROSE: [&str; 4] = ["description", "summary", "example", "examples"];

/// Parts of the contract that speak of itself.
const ITS_OWN: [&str; 3] = ["openapi", "info", "servers"];

#[test]
fn the_contract_stands_in_the_document() {
    let differences = differences(&contract(), &document());
    assert!(differences.is_empty(), "the document departs from the contract:\n{}", differences.join("\n"));
}

/// Each way to depart from the contract is found, at its place.
#[test]
fn what_departs_from_the_contract_is_told() {
    let path = "/paths/~1v1~1{workspace_id}~1integrations";
    let auth = "/components/schemas/AuthConfig";
    for (place, change, said) in [
        (path.to_owned(), None, "is missing"),
        (format!("{path}/get"), None, "is missing"),
        (format!("{path}/get/operationId"), Some(r#""list""#), "is \"list\""),
        (format!("{path}/get/parameters/5/schema/maximum"), Some("1000"), "is 1000"),
        (format!("{path}/get/parameters/5/schema/default"), None, "is missing"),
        (format!("{path}/get/parameters/6"), None, "has 6 elements"),
        (format!("{path}/get/responses/422"), None, "is missing"),
        (format!("{path}/post/requestBody/required"), Some("false"), "is false"),
        (format!("{path}/post/responses/201/content"), None, "is missing"),
        (format!("{auth}/properties/scopes"), None, "is missing"),
        (format!("{auth}/properties/scopes/anyOf/1"), None, "has 1 elements"),
        (format!("{auth}/properties/client_id/title"), Some(r#""Client""#), "is \"Client\""),
        (format!("{auth}/properties/token_lifetime_seconds/minimum"), Some("1"), "is not in the contract"),
        (format!("{auth}/properties/summary"), Some("{}"), "is not in the contract"),
        (format!("{path}/get/security"), Some("[]"), "is not in the contract"),
        (format!("{auth}/required/1"), Some(r#""client_id""#), "has 2 elements"),
        (format!("{auth}/additionalProperties"), Some("false"), "is not in the contract"),
        ("/components/schemas/SecretInput".to_owned(), None, "is missing"),
        ("/components/securitySchemes/BearerAuth/scheme".to_owned(), Some(r#""basic""#), "is \"basic\""),
        ("/security/0".to_owned(), None, "has 0 elements"),
    ] {
        let change = change.map(|text| Json::parse(text).unwrap());
        let changed = changed(&document(), &place[1..].split('/').collect::<Vec<_>>(), change.as_ref());
        let differences = differences(&contract(), &changed);
        let above = place.rsplit_once('/').unwrap().0;
        assert!(
            differences.iter().any(|told| told.contains(said) && (told.starts_with(&place) || told.starts_with(above))),
            "{place}: {differences:?}"
        );
    }
}

fn contract() -> Json {
    Json::parse(CONTRACT).unwrap()
}

fn document() -> Json {
    Json::parse(callout_server::openapi()).unwrap()
}

/// Every difference, each with its JSON Pointer (RFC 6901).
fn differences(contract: &Json, document: &Json) -> Vec<String> {
    let mut found = Vec::new();
    for (name, wanted) in contract.as_object().unwrap().iter().filter(|(name, _)| !ITS_OWN.contains(name)) {
        match document.get(name) {
            Some(given) => compare(wanted, given, &format!("/{name}"), &mut found),
            None => found.push(format!("/{name} is missing")),
        }
    }
    found
}

fn compare(wanted: &Json, given: &Json, place: &str, found: &mut Vec<String>) {
    match (wanted, given) {
        (Json::Object(members), Json::Object(own)) => {
            for (name, value) in members.iter() {
                let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
                match own.get(name) {
                    Some(given) => compare(value, given, &place, found),
                    None => found.push(format!("{place} is missing")),
                }
            }
            if !may_have_more(place) {
                // A property may have any name; elsewhere these say nothing that binds.
                let binds =
                    |name: &str| place.ends_with("/properties") || !(PROSE.contains(&name) || name.starts_with("x-"));
                for name in own.keys().filter(|name| !members.contains(name) && binds(name)) {
                    found.push(format!("{place}/{name} is not in the contract"));
                }
            }
        }
        (Json::Array(elements), Json::Array(own)) if elements.len() == own.len() => {
            for (at, (wanted, given)) in elements.iter().zip(own).enumerate() {
                compare(wanted, given, &format!("{place}/{at}"), found);
            }
        }
        (Json::Array(elements), Json::Array(own)) => {
            found.push(format!("{place} has {} elements, not {}", own.len(), elements.len()));
        }
        _ if wanted == given => {}
        _ => found.push(format!("{place} is {given}, not {wanted}")),
    }
}

/// Where something new takes nothing away: more paths, methods, schemas and answers, and an answer's
/// headers and body.
fn may_have_more(place: &str) -> bool {
    let steps: Vec<_> = place.split('/').skip(1).collect();
    match steps[..] {
        ["components" | "paths"] | ["components", "schemas"] => true,
        ["paths", ..] => matches!(steps[2..], [] | [_, "responses"] | [_, "responses", _]),
        _ => false,
    }
}

/// The document with another value at a pointer's steps, or without one there.
fn changed(value: &Json, steps: &[&str], change: Option<&Json>) -> Json {
    let Some((first, rest)) = steps.split_first() else { return change.cloned().unwrap() };
    let name = first.replace("~1", "/").replace("~0", "~");
    let replaced = |old: Option<&Json>| match (rest.is_empty(), change) {
        (true, change) => change.cloned(),
        (false, _) => Some(changed(old.unwrap(), rest, change)),
    };
    match value {
        Json::Array(elements) => {
            let at: usize = name.parse().unwrap();
            let mut own: Vec<Json> = elements.iter().cloned().collect();
            let new = replaced(own.get(at));
            let end = at.min(own.len());
            own.splice(end..(at + 1).min(own.len()).max(end), new);
            own.into()
        }
        Json::Object(members) => {
            let mut own: Vec<(String, Json)> =
                members.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
            let new = replaced(members.get(&name)).map(|value| (name.clone(), value));
            let at = members.position(&name).unwrap_or(own.len());
            own.splice(at..(at + 1).min(own.len()).max(at), new);
            own.into_iter().collect()
        }
        plain => plain.clone(),
    }
}
