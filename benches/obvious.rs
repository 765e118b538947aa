//! What a developer writes by hand: `serde_json::Value`, a few loops, minijinja, and a cut. And the
//! shapes that it and callout both make of real bodies.

use callout_core::config::EndpointConfig;
use serde_json::{Map, Value};

/// Characters that are kept.
pub const MAX_CHARS: usize = 4_000;

/// A few fields of each element of a list, and a line for each.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Where the list is; empty for the body itself.
    pub list: &'static str,
    /// Names and dotted paths within an element.
    pub fields: &'static [(&'static str, &'static str)],
    /// For callout, over what the mapping has made.
    pub template: &'static str,
}

/// GitHub events.
pub const EVENTS: Shape = Shape {
    list: "",
    fields: &[("id", "id"), ("type", "type"), ("by", "actor.login"), ("repo", "repo.name"), ("at", "created_at")],
    template: "{% for e in result %}{{ e.id }} {{ e.type }} by {{ e.by }} in {{ e.repo }} at {{ e.at }}\n{% endfor %}",
};

impl Shape {
    /// `response_mapping` for a list that is the body.
    pub fn mapping(&self) -> Vec<(String, String)> {
        self.fields.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect()
    }

    /// The response side of an endpoint that does the same.
    pub fn endpoint(&self) -> EndpointConfig {
        let mut endpoint = EndpointConfig::new("bench", "Benchmark", "/");
        if self.list.is_empty() {
            endpoint.response_mapping = Some(self.mapping());
        } else {
            let paths = self.fields.iter().map(|(name, path)| ((*name).to_owned(), format!("{}.{path}", self.list)));
            endpoint.response_mapping = Some(paths.collect());
        }
        if !self.template.is_empty() {
            endpoint.result_template = Some(self.template.into());
        }
        endpoint.max_result_length = MAX_CHARS as u64;
        endpoint
    }
}

/// Real bodies with a few fields to be had of each.
pub fn bodies() -> Vec<(&'static str, Vec<u8>, Shape)> {
    let issue =
        Shape { list: "", fields: &[("title", "title"), ("by", "user.login"), ("state", "state")], template: "" };
    let events = EVENTS;
    let charge = Shape {
        list: "resources.charge",
        fields: &[("id", "id"), ("amount", "amount"), ("currency", "currency"), ("status", "status")],
        template: "",
    };
    let answers = Shape { list: "", fields: &[("operation", "operation"), ("status", "status")], template: "" };
    let patients =
        Shape { list: "entry", fields: &[("kind", "resource.resourceType"), ("id", "resource.id")], template: "" };
    vec![
        ("github-issue-6k", crate::github("issues/get-parent"), issue),
        ("github-events-32k", crate::events(32_000), events),
        ("stripe-188k", crate::data("stripe.json"), charge),
        ("github-610k", crate::data("github.json"), answers),
        ("fhir-3.1M", crate::data("fhir.json"), patients),
    ]
}

/// The whole thing by hand, as it is mostly written: everything at each call.
pub fn shape(body: &Value, shape: &Shape) -> String {
    let list = if shape.list.is_empty() { Some(body) } else { at(body, shape.list) };
    let fields = |element: &Value| {
        let value = |path: &str| at(element, path).cloned().unwrap_or_default();
        let members = shape.fields.iter().map(|(name, path)| ((*name).to_owned(), value(path)));
        Value::Object(members.collect::<Map<_, _>>())
    };
    let result = match list {
        Some(Value::Array(elements)) => Value::Array(elements.iter().map(fields).collect()),
        Some(other) => fields(other),
        None => Value::Null,
    };
    let text = if shape.template.is_empty() {
        result.to_string()
    } else {
        let environment = minijinja::Environment::new();
        environment
            .render_str(shape.template, minijinja::context! { result => minijinja::value::Serde(&result) })
            .unwrap_or_default()
    };
    text.chars().take(MAX_CHARS).collect()
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}
