//! Real OpenAPI documents: each is imported whole, what comes of it loads, and what is sent for GitHub's
//! operations is what its document describes, by the word of a validator of another author.
//!
//! Needs `CALLOUT_TEST_OPENAPI_DOCUMENTS`, a folder with the files of `openapi/documents.txt`, and
//! `CALLOUT_TEST_OPENAPI_PYTHON`, a python with `openapi/requirements.txt`; `.ci/openapi` installs both.
//! Without them the tests are skipped, or fail with `CALLOUT_TEST_OPENAPI=required`.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

use std::{env, ffi::OsString, fs, io::Write as _, path::Path, process::Command};

use callout::{EgressPolicy, Engine, ErrorKind, Faults, Json, Secrets, json::ObjectBuilder};
use callout_openapi::{Document, Fate, Imported, OperationReport, Options, Severity, import};
use callout_oracles::check_loads;
use callout_tests::{Recorded, Reply, Upstream};

/// The value of a variable that `.ci/openapi` sets.
fn installed(name: &str) -> Option<OsString> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    if value.is_none() {
        let reason = format!("{name} is not set; `source .ci/openapi` installs what it names");
        assert!(env::var_os("CALLOUT_TEST_OPENAPI").is_none_or(|value| value != "required"), "{reason}");
        eprintln!("skipped: {reason}");
    }
    value
}

fn imported(document: &Document) -> Imported {
    let mut options = Options::default();
    options.split_by_tag = true;
    import(document, &options, &check_loads).unwrap_or_else(|_| {
        options.base_url = Some("https://api.example".to_owned());
        import(document, &options, &check_loads).unwrap()
    })
}

#[test]
fn real_documents_are_imported_and_reported_whole() {
    let Some(folder) = installed("CALLOUT_TEST_OPENAPI_DOCUMENTS") else { return };
    // Operations; at least so many are imported, and at least so many of them without loss.
    for (name, operations, at_least, whole) in [
        ("github.json", 1223, 1206, 1201),
        ("figma.yaml", 54, 54, 49),
        ("blockfrost.yaml", 129, 127, 126),
        ("ideal-postcodes.json", 31, 31, 30),
        ("directus.json", 136, 136, 79),
        ("stripe.json", 452, 451, 316),
        ("kubernetes.json", 845, 833, 712),
        ("slack.json", 174, 174, 73),
        ("digitalocean.json", 290, 285, 279),
    ] {
        let document = Document::read(&fs::read(Path::new(&folder).join(name)).unwrap()).unwrap();
        let imported = imported(&document);
        let report = &imported.report;
        let (done, lossy) = (report.imported(), report.with_loss().count());
        println!(
            "{name}: {} operations, {done} imported, {} of them without loss",
            report.operations.len(),
            done - lossy
        );
        assert_eq!(report.operations.len(), report.operations_in_document, "{name}");
        assert_eq!(report.operations.len(), operations, "{name}");
        assert!(done >= at_least && done - lossy >= whole, "{name}: {done} imported, {lossy} with loss");
        let mut endpoints = 0;
        for config in &imported.integrations {
            let mut faults = Faults::new();
            check_loads(config, &mut faults);
            assert!(faults.is_empty(), "{name}: {} does not load: {faults:?}", config.name);
            endpoints += config.endpoints.len();
        }
        assert_eq!(endpoints, done, "{name}: each that is imported is an endpoint, and no other");
        for operation in &report.operations {
            match &operation.fate {
                Fate::Imported { integration, endpoint } => {
                    assert!(endpoint_of(&imported, integration, endpoint).is_some());
                }
                Fate::LeftOut => {
                    assert!(operation.has_loss(), "{name}: {} is left out and nobody says why", operation.path);
                }
                Fate::NoRoom => panic!("{name}: split by tag there is room"),
            }
        }
    }
}

fn endpoint_of<'i>(imported: &'i Imported, integration: &str, endpoint: &str) -> Option<&'i callout::EndpointConfig> {
    let config = imported.integrations.iter().find(|config| config.name == integration)?;
    config.endpoints.iter().find(|found| found.name == endpoint)
}

/// An operation as it is called: the params of its endpoint, and the same by where the document has them.
struct Call {
    params: Json,
    path: Json,
    query: Json,
    fields: Option<Json>,
}

#[tokio::test]
async fn what_is_sent_for_github_is_what_its_document_describes() {
    let (Some(folder), Some(python)) =
        (installed("CALLOUT_TEST_OPENAPI_DOCUMENTS"), installed("CALLOUT_TEST_OPENAPI_PYTHON"))
    else {
        return;
    };
    let file = Path::new(&folder).join("github.json");
    let document = Document::read(&fs::read(&file).unwrap()).unwrap();
    let imported = imported(&document);
    let upstream = Upstream::with(|_: &Recorded| Reply::json(200, "{}")).await;
    let egress = EgressPolicy::public().allow("127.0.0.1").unwrap();
    let engine = Engine::builder().with_egress(egress).build().unwrap();
    let mut requests = tempfile::NamedTempFile::new().unwrap();
    let (mut sent, mut by_example) = (0, 0);
    let mut refused: Vec<String> = Vec::new();
    for config in &imported.integrations {
        let server = config.base_url.clone();
        let mut config = config.clone();
        config.base_url = upstream.url();
        let integration = engine.load(config, &Secrets::new()).unwrap();
        let of_it = imported.report.operations.iter().filter_map(|operation| match &operation.fate {
            Fate::Imported { integration: name, endpoint } if name == integration.name() => Some((operation, endpoint)),
            _ => None,
        });
        for (operation, endpoint) in of_it {
            let described = endpoint_of(&imported, integration.name(), endpoint).unwrap();
            let example = call(&document, operation, described, true);
            let generated = call(&document, operation, described, false);
            let mut made = example;
            let first = engine.call(&integration, endpoint, made.params.clone()).await;
            if let Err(error) = first {
                // An example that its own schema refuses.
                assert_eq!(error.kind(), ErrorKind::InvalidParams, "{} {}: {error}", operation.method, operation.path);
                made = generated;
                if let Err(error) = engine.call(&integration, endpoint, made.params.clone()).await {
                    refused.push(format!("{} {}: {error} {}", operation.method, operation.path, made.params));
                    continue;
                }
            } else {
                by_example += 1;
            }
            sent += 1;
            let request = upstream.requests().pop().unwrap();
            assert_eq!(upstream.count(), sent, "each call sends one request");
            // Where the document has no body, the empty object is nothing to check.
            let has_body = made.fields.is_some();
            let line = ObjectBuilder::new()
                .with("method", request.method.as_str())
                .with("target", request.target.as_str())
                .with("content_type", request.header("content-type").filter(|_| has_body))
                .with("body", has_body.then(|| request.text()))
                .with("path", operation.path.as_str())
                .with("server", server.as_str())
                .with("path_params", made.path)
                .with("query", made.query)
                .with("fields", made.fields);
            writeln!(requests, "{}", Json::from(line)).unwrap();
        }
    }
    println!("{sent} requests sent, {by_example} of them of the document's examples");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert_eq!(sent, imported.report.imported());
    assert!(by_example * 10 >= sent * 9, "examples are used where there are any");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/check.py");
    let output = Command::new(python).arg(script).arg(&file).arg(requests.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success(), "{said}");
    assert_eq!(said, format!("checked {sent} requests, 0 of them are not what the document describes\n"));
}

/// Params for an endpoint: the document's examples where it has them, else values that fit the schema.
fn call(document: &Document, operation: &OperationReport, endpoint: &callout::EndpointConfig, examples: bool) -> Call {
    let schema = Json::Object(endpoint.input_schema.clone());
    let item = document.root().get("paths").unwrap().get(&operation.path).unwrap();
    let node = item.get(&operation.method.to_lowercase()).unwrap();
    let empty = Json::from(Vec::<Json>::new());
    let list = |holder: &Json| holder.get("parameters").unwrap_or(&empty).as_array().unwrap().to_vec();
    let parameters: Vec<Json> = [list(item), list(node)].concat().iter().map(|node| resolve(document, node)).collect();
    let described = |place: &str, name: &str| {
        parameters.iter().find(|node| text(node, "in") == place && text(node, "name") == name).cloned()
    };
    let property = |name: &str| schema.get("properties").and_then(|all| all.get(name)).cloned().unwrap_or_default();
    let value = |place: &str, name: &str, param: &str| {
        let example = described(place, name).and_then(|node| example_of(document, &node)).filter(|_| examples);
        example.unwrap_or_else(|| generate(&property(param), &schema))
    };
    let (mut params, mut path, mut query) = (ObjectBuilder::new(), ObjectBuilder::new(), ObjectBuilder::new());
    let placeholders = |path: &str| -> Vec<String> {
        let path = path.split("{?").next().unwrap_or_default().to_owned();
        path.split('{').skip(1).map(|part| part.split('}').next().unwrap_or_default().to_owned()).collect()
    };
    for (name, param) in placeholders(&operation.path).iter().zip(placeholders(&endpoint.path)) {
        let value = value("path", name, &param);
        params.insert(param, value.clone());
        path.insert(name.as_str(), value);
    }
    let optional = endpoint.path.split_once("{?").map_or("", |(_, names)| names.trim_end_matches('}'));
    for name in optional.split(',').filter(|name| !name.is_empty()) {
        let value = value("query", name, name);
        params.insert(name, value.clone());
        query.insert(name, value);
    }
    let body = node.get("requestBody").map(|body| resolve(document, body));
    let media = body.as_ref().and_then(|body| body.get("content")?.get("application/json").cloned());
    // A body that cannot be sent is in the report.
    let media = media.filter(|_| {
        endpoint.method.has_body()
            && operation
                .findings
                .iter()
                .all(|finding| finding.severity == Severity::Note || !finding.reason.contains("body"))
    });
    let fields = media.map(|media| {
        let example = example_of(document, &media).filter(|example| examples && example.as_object().is_some());
        example.unwrap_or_else(|| {
            let whole = generate(&schema, &schema);
            let members = whole.as_object().unwrap().iter();
            let known: Vec<String> = placeholders(&endpoint.path);
            let beside =
                |name: &str| known.iter().any(|other| other == name) || optional.split(',').any(|other| other == name);
            members.filter(|(name, _)| !beside(name)).map(|(name, value)| (name, value.clone())).collect()
        })
    });
    for (name, value) in fields.as_ref().and_then(Json::as_object).into_iter().flat_map(callout::json::Object::iter) {
        params.insert(name, value.clone());
    }
    Call { params: params.into(), path: path.into(), query: query.into(), fields }
}

fn text<'j>(node: &'j Json, name: &str) -> &'j str {
    node.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn resolve(document: &Document, node: &Json) -> Json {
    let Some(reference) = node.get("$ref").and_then(Json::as_str) else { return node.clone() };
    let mut found = document.root();
    for step in reference.split('/').skip(1) {
        found = found.get(&step.replace("~1", "/").replace("~0", "~")).unwrap();
    }
    resolve(document, found)
}

/// `example`, or the first of `examples`, of a parameter or a media type.
fn example_of(document: &Document, node: &Json) -> Option<Json> {
    let first = node.get("examples").and_then(Json::as_object).and_then(|all| all.values().next().cloned());
    let first = first.and_then(|example| resolve(document, &example).get("value").cloned());
    first.or_else(|| node.get("example").cloned())
}

/// A value that fits a schema, as far as these documents ask for it.
fn generate(schema: &Json, root: &Json) -> Json {
    let Some(members) = schema.as_object() else { return "x".into() };
    if let Some(name) = members.get("$ref").and_then(Json::as_str) {
        let name = name.trim_start_matches("#/$defs/");
        return generate(root.get("$defs").unwrap().get(name).unwrap(), root);
    }
    let first = |name: &str| members.get(name).and_then(|list| list.as_array()?.first().cloned());
    if let Some(value) = members.get("const").cloned().or_else(|| first("enum")) {
        return value;
    }
    let kind = members.get("type").and_then(|kind| {
        kind.as_str().map(str::to_owned).or_else(|| Some(kind.as_array()?.first()?.as_str()?.to_owned()))
    });
    let number = |name: &str| members.get(name).and_then(|value| value.as_number()?.as_u64());
    let combined = first("oneOf").or_else(|| first("anyOf"));
    match kind.as_deref() {
        Some("object") | None if kind.is_some() || members.contains("properties") || members.contains("allOf") => {
            let mut value = ObjectBuilder::new();
            let mut parts = vec![schema.clone()];
            parts.extend(members.get("allOf").and_then(Json::as_array).into_iter().flatten().cloned());
            parts.extend(combined);
            let at_least = number("minProperties").unwrap_or(0) as usize;
            let mut taken = 0;
            for part in &parts {
                let required: Vec<&str> = part
                    .get("required")
                    .and_then(Json::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str)
                    .collect();
                let properties = part.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
                for (name, property) in properties.iter() {
                    let all_required = parts.iter().any(|part| {
                        part.get("required").and_then(Json::as_array).is_some_and(|names| names.contains(&name.into()))
                    });
                    if required.contains(&name) || all_required || taken < at_least {
                        value.insert(name, generate(property, root));
                        taken += 1;
                    }
                }
            }
            value.into()
        }
        None => combined.map_or_else(|| "x".into(), |part| generate(&part, root)),
        Some("array") => {
            let items = members.get("items").cloned().unwrap_or_else(Json::empty_object);
            let count = number("minItems").unwrap_or(1).max(1);
            (0..count).map(|_| generate(&items, root)).collect()
        }
        Some("integer" | "number") => members.get("minimum").cloned().unwrap_or_else(|| Json::from(1)),
        Some("boolean") => true.into(),
        Some("null") => Json::Null,
        _ if members.contains("pattern") => fitting(members.get("pattern").and_then(Json::as_str).unwrap()).into(),
        _ => match members.get("format").and_then(Json::as_str) {
            Some("date-time") => "2026-01-02T03:04:05Z".into(),
            Some("date") => "2026-01-02".into(),
            Some("uri" | "url") => "https://example.com/x".into(),
            Some("uuid") => "0a1b2c3d-0000-4000-8000-00000000ffff".into(),
            Some("email") => "a@example.com".into(),
            _ => "word".chars().cycle().take(number("minLength").unwrap_or(4) as usize).collect::<String>().into(),
        },
    }
}

/// A text that fits one of the patterns that GitHub's document has.
fn fitting(pattern: &str) -> String {
    for (part, text) in [
        ("\\d+\\.", "1.2.3"),
        ("https://", "https://example.com/x"),
        ("ssh-", "ssh-rsa AAAA"),
        ("[A-Za-z0-9+/]{4}", "d29yZA=="),
        ("github", "github"),
    ] {
        if pattern.contains(part) {
            return text.to_owned();
        }
    }
    if pattern.contains("sha256") { format!("sha256:{}", "a".repeat(64)) } else { "word".to_owned() }
}
