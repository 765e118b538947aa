//! What becomes of one operation, rule by rule: its path, its schema, and what is said of it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not there")]

mod bodies;
mod others;
mod params;
mod schemas;

use callout_core::{limits::Limits, secret::Secrets};
use callout_openapi::{Document, Fate, Imported, Options, Severity, import, lean};

/// Imports a document; `operation` stands at its path and method, `components` are more of it.
fn imported(version: &str, path: &str, method: &str, operation: &str, components: &str) -> Imported {
    let text = format!(
        r#"{{"openapi": "{version}", "info": {{"title": "Shop"}}, "servers": [{{"url": "https://shop.example/v1"}}],
            "paths": {{"{path}": {{"{method}": {operation}}}}}, "components": {{"schemas": {components}}}}}"#
    );
    let document = Document::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    import(&document, &Options::default(), &|config, faults| {
        config.check(&Secrets::new(), &Limits::default(), faults);
    })
    .unwrap()
}

/// `METHOD path`, a `form`, the headers and the schema; then what was found: `-` for a loss, `.` for a note.
fn told(imported: &Imported) -> Vec<String> {
    let operation = &imported.report.operations[0];
    let mut told = Vec::new();
    match imported.integrations.first() {
        Some(shop) => {
            let endpoint = lean(shop).get("endpoints").and_then(|all| all.as_array()?.first().cloned()).unwrap();
            let text = |name: &str| {
                endpoint.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            };
            told.push(format!("{} {}", text("method").unwrap(), text("path").unwrap()));
            told.extend(text("body_format"));
            told.extend(text("headers"));
            told.push(text("input_schema").unwrap());
        }
        None => assert_eq!(operation.fate, Fate::LeftOut),
    }
    for finding in &operation.findings {
        let mark = if finding.severity == Severity::Loss { '-' } else { '.' };
        told.push(format!("{mark} {}", finding.reason));
    }
    told
}

#[track_caller]
fn expect(found: &Imported, expected: &[&str]) {
    let found = told(found);
    assert_eq!(found, expected, "\n{}", found.join("\n"));
}

/// That a `oneOf` is written as `anyOf`.
const SEVERAL: &str = ". a value that fits several of the alternatives is let through: `oneOf` becomes `anyOf`";

fn body(media: &str, schema: &str, required: bool) -> String {
    format!(r#"{{"requestBody": {{"required": {required}, "content": {{"{media}": {{"schema": {schema}}}}}}}}}"#)
}
