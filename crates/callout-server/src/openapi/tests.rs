//! The document tells the truth: about the engine's configs, the router, and its own parts.

use std::{collections::BTreeSet, env, fs, path::Path, process::Command};

use callout::{
    AuthConfig, AuthType, BodyFormat, Caller, Connection, ConnectionStatus, Delivery, EndpointConfig, Error, ErrorKind,
    ExchangeHeaderMapping, Faults, Integration, IntegrationConfig, Json, Limits, Method, Protocol, RequestTransform,
    SecretName, Trace, UnknownFields,
};
use callout_store::{AuditResult, Permission, Role};

use super::{describe, document, examples};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[test]
fn the_snapshot_is_the_document() {
    if env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(SNAPSHOT, document()).unwrap();
    }
    let kept = fs::read_to_string(Path::new(SNAPSHOT)).unwrap_or_default();
    let first = kept.lines().zip(document().lines()).position(|(kept, made)| kept != made);
    assert!(
        kept == document(),
        "crates/callout-server/openapi.json is stale from line {}: look at what changed, then renew it with\n\
         UPDATE_OPENAPI=1 cargo test -p callout-server the_snapshot_is_the_document",
        first.unwrap_or_else(|| kept.lines().count().min(document().lines().count())) + 1,
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = describe();
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    for reference in &references {
        let mut at = &document;
        for step in reference.trim_start_matches("#/").split('/') {
            at = at.get(step).unwrap_or_else(|| panic!("{reference} leads nowhere"));
        }
    }
    for kind in ["schemas", "responses", "headers"] {
        for name in at(&document, &["components", kind]).as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(references.contains(&reference), "nothing uses {reference}");
        }
    }
}

fn collect_references(value: &Json, found: &mut BTreeSet<String>) {
    match value {
        Json::Array(elements) => elements.iter().for_each(|element| collect_references(element, found)),
        Json::Object(members) => {
            for (name, value) in members.iter() {
                match value.as_str() {
                    Some(text) if name == "$ref" => drop(found.insert(text.to_owned())),
                    _ => collect_references(value, found),
                }
            }
        }
        _ => {}
    }
}

/// The map of routes is read as text: axum does not tell what it routes.
#[test]
fn the_routes_and_the_operations_are_the_same() {
    let source = include_str!("../router.rs").split("#[cfg(test)]").next().unwrap();
    let mut routed = BTreeSet::new();
    for route in source.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
        let handlers = route.split_once("\",").unwrap().1;
        let end = handlers.find("\n        .").unwrap_or(handlers.len());
        let handlers = handlers[..end].split(';').next().unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            let called = format!("{method}(");
            let alone = handlers.match_indices(&called).any(|(at, _)| {
                !handlers[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
            });
            if alone {
                routed.insert(format!("{method} {path}"));
            }
        }
    }
    let mut described = BTreeSet::new();
    for (path, item) in describe().get("paths").unwrap().as_object().unwrap().iter() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{method} {path}"));
        }
    }
    assert_eq!(routed, described);
}

/// What the engine writes of a config has the schema's names and, at its defaults, the schema's
/// defaults.
#[test]
fn the_schemas_follow_the_engine() {
    let mut auth = AuthConfig::new(AuthType::BearerTokenExchange);
    compare("AuthConfig", &auth.to_json(), &["type"]);
    auth.exchange_param_headers = vec![ExchangeHeaderMapping {
        header_name: "X".to_owned(),
        param_name: "x".to_owned(),
        consume: true,
        required: true,
    }];
    let mapping = auth.to_json().get("exchange_param_headers").unwrap().as_array().unwrap()[0].clone();
    compare("ExchangeHeaderMapping", &mapping, &["header_name", "param_name"]);

    let mut endpoint = EndpointConfig::new("a", "b", "/c");
    compare("EndpointConfig", &endpoint.to_json(), &["name", "description", "path"]);
    compare("RetryConfig", endpoint.to_json().get("retry_config").unwrap(), &[]);
    endpoint.request_transform = Some(RequestTransform::default());
    compare("RequestTransform", endpoint.to_json().get("request_transform").unwrap(), &[]);

    let mut config = IntegrationConfig::new("a", "");
    config.display_name = "b".to_owned();
    compare("CreateIntegrationRequest", &config.to_json(), &["name", "display_name"]);
    let mut answer = names(&config.to_json());
    answer.extend(["id", "workspace_id", "builtin", "created_at", "updated_at"].map(str::to_owned));
    assert_eq!(names(at(&schema("IntegrationResponse"), &["properties"])), answer);

    let mut with_secrets = names(&auth.to_json());
    with_secrets.extend(SecretName::ALL.map(|name| name.field().to_owned()));
    for name in ["AuthConfigWithSecrets", "AuthConfigChange"] {
        assert_eq!(names(at(&schema(name), &["properties"])), with_secrets, "{name}");
    }
}

fn compare(name: &str, written: &Json, required: &[&str]) {
    let schema = schema(name);
    let properties = at(&schema, &["properties"]);
    assert_eq!(names(properties), names(written), "{name}");
    for (field, value) in written.as_object().unwrap().iter() {
        let default = properties.get(field).unwrap().get("default").cloned();
        let is_required = schema
            .get("required")
            .and_then(Json::as_array)
            .is_some_and(|required| required.iter().any(|name| name.as_str() == Some(field)));
        assert_eq!(is_required, required.contains(&field), "{name}.{field}: required");
        if !is_required {
            let empty = value.is_null() || value.to_string() == "[]" || value.to_string() == "{}";
            assert!(
                default.as_ref().map_or(empty, |default| default == value),
                "{name}.{field}: the schema's default is {default:?}, the engine's {value}"
            );
        }
    }
}

#[test]
fn the_words_follow_the_engine_and_the_store() {
    let words = |schema_name: &str, field: &str| -> Vec<String> {
        let schema = schema(schema_name);
        let property = at(&schema, &["properties", field]);
        let property = property.get("items").unwrap_or(property);
        let words = property.get("enum").unwrap().as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(words("AuthConfig", "type"), AuthType::ALL.map(AuthType::as_str));
    assert_eq!(words("IntegrationResponse", "protocol"), Protocol::ALL.map(Protocol::as_str));
    assert_eq!(words("EndpointConfig", "method"), Method::ALL.map(Method::as_str));
    assert_eq!(words("EndpointConfig", "result_delivery"), Delivery::ALL.map(Delivery::as_str));
    assert_eq!(words("EndpointConfig", "body_format"), BodyFormat::ALL.map(BodyFormat::as_str));
    assert_eq!(words("TestConnectionResponse", "status"), ConnectionStatus::ALL.map(ConnectionStatus::as_str));
    let permissions: Vec<_> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    assert_eq!(words("CreateApiKeyRequest", "permissions"), permissions);
    let roles = [Role::Viewer, Role::Member, Role::Admin, Role::Owner];
    assert_eq!(words("CreateApiKeyRequest", "role"), roles.map(Role::as_str));
    let results = [AuditResult::Done, AuditResult::Denied, AuditResult::Conflict];
    assert_eq!(words("AuditEntry", "result"), results.map(AuditResult::as_str));
    for (_, item) in describe().get("paths").unwrap().as_object().unwrap().iter() {
        for operation in item.as_object().unwrap().values() {
            let permission = operation.get("x-permission").and_then(Json::as_str);
            assert!(permission.is_none_or(|name| name == "operator" || permissions.contains(&name)), "{permission:?}");
        }
    }
}

#[test]
fn answers_of_the_engine_have_the_names_of_their_schemas() {
    let failed = Trace::failed(Error::new(ErrorKind::Timeout, "x"));
    assert_eq!(names(at(&schema("TestEndpointResponse"), &["properties"])), names(&failed.to_json()));
    let connection = Connection::misconfigured("x", std::time::Duration::ZERO).to_builder().with("tested_at", "x");
    assert_eq!(names(at(&schema("TestConnectionResponse"), &["properties"])), names(&connection.into()));
}

/// What the examples create can be called.
#[test]
fn the_examples_compile() {
    let examples = examples::request("create-integration");
    assert!(!examples.is_empty());
    for (name, _, text) in examples {
        let mut faults = Faults::new();
        let body = Json::parse(text).unwrap();
        let (config, secrets) =
            IntegrationConfig::read(&body, UnknownFields::Refuse, &mut faults).unwrap_or_else(|| panic!("{name}"));
        let owner = Caller { workspace: "w".into(), integration: "i".into() };
        let compiled = Integration::compile(config, &secrets, owner, &Limits::default(), &mut faults);
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(compiled.is_some() && faults.is_empty(), "{name}: {faults:?}");
    }
}

/// Every example is JSON and has the names that its schema requires, and no others.
#[test]
fn the_examples_follow_their_schemas() {
    let mut seen = 0;
    check_examples(&describe(), &mut seen);
    assert!(seen > 60, "{seen}");
}

fn check_examples(value: &Json, seen: &mut usize) {
    let Some(members) = value.as_object() else {
        if let Some(elements) = value.as_array() {
            elements.iter().for_each(|element| check_examples(element, seen));
        }
        return;
    };
    if let (Some(reference), Some(examples)) =
        (value.get("schema").and_then(|schema| schema.get("$ref")?.as_str()), value.get("examples"))
    {
        let name = reference.rsplit('/').next().unwrap();
        let schema = schema(name);
        let properties = names(at(&schema, &["properties"]));
        for (example, content) in examples.as_object().unwrap().iter() {
            let written = names(content.get("value").unwrap());
            assert!(written.is_subset(&properties), "{name}, example {example}: {written:?}");
            for required in schema.get("required").and_then(Json::as_array).into_iter().flat_map(|names| names.iter()) {
                assert!(written.contains(required.as_str().unwrap()), "{name}, example {example}: no {required}");
            }
            *seen += 1;
        }
    }
    members.values().for_each(|value| check_examples(value, seen));
}

#[test]
fn the_page_runs_nothing_but_its_own_script_and_asks_for_nothing_else() {
    assert!(super::PAGE_POLICY.is_some());
    for foreign in ["http://", "https://", "src=", "@import", "url(", "onclick=", " style=\"", "innerHTML"] {
        assert!(!super::PAGE.contains(foreign), "{foreign}");
    }
    assert_eq!(super::PAGE.matches("<script").count(), 1);
    assert_eq!(super::PAGE.matches("<style").count(), 1);
}

/// Without node it is skipped, or fails with `CALLOUT_TEST_PROGRAMS=required`.
#[test]
fn the_page_shows_an_answer_as_it_came() {
    let function = super::PAGE.split_once("\nfunction indented(").unwrap().1.split_once("\n}\n").unwrap().0;
    for (text, shown) in [
        (
            r#"{"id":12345678901234567890,"price":1.10,"e":1e2,"none":[ ],"of":{},"s":"a\"{,:}[]\\ b"}"#,
            r#"{
  "id": 12345678901234567890,
  "price": 1.10,
  "e": 1e2,
  "none": [],
  "of": {},
  "s": "a\"{,:}[]\\ b"
}"#,
        ),
        ("[1,\r\n\t[true, {\"a\": null}]]", "[\n  1,\n  [\n    true,\n    {\n      \"a\": null\n    }\n  ]\n]"),
        (" 0.50 ", "0.50"),
    ] {
        let script = format!("function indented({function}\n}}\nprocess.stdout.write(indented({}))", Json::from(text));
        let Ok(ran) = Command::new("node").args(["-e", &script]).output() else {
            assert!(env::var_os("CALLOUT_TEST_PROGRAMS").is_none_or(|value| value != "required"), "no node");
            eprintln!("skipped: there is no node here");
            return;
        };
        assert_eq!(String::from_utf8(ran.stdout).unwrap(), shown, "{}", String::from_utf8_lossy(&ran.stderr));
    }
}

fn schema(name: &str) -> Json {
    at(&describe(), &["components", "schemas", name]).clone()
}

fn at<'a>(value: &'a Json, steps: &[&str]) -> &'a Json {
    steps.iter().fold(value, |value, step| value.get(step).unwrap_or_else(|| panic!("no {step} in {steps:?}")))
}

fn names(value: &Json) -> BTreeSet<String> {
    value.as_object().unwrap().keys().map(str::to_owned).collect()
}
