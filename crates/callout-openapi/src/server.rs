//! From servers to a base URL.

use callout_core::{config::rules, fault::Faults};
use url::Url;

use crate::{
    document::{Document, Found},
    operation::Operation,
    pointer::Pointer,
    report::Findings,
};

/// Where an operation's requests go: its own servers, else its path's, else the document's.
///
/// What the caller has given stands for all of them: nothing is sent elsewhere, least of all a secret. What is relative
/// is joined to it, else to the document's base, unless it leads to another host all the same (`//files.example`).
///
/// # Errors
///
/// A reason, where no absolute URL can be made.
pub(crate) fn of_operation(
    document: &Document,
    operation: &Operation<'_>,
    document_base: &Result<String, String>,
    given: Option<&str>,
    findings: &mut Findings,
) -> Result<String, String> {
    let own = operation.node.get("servers").filter(are_some).or_else(|| operation.of_item("servers").filter(are_some));
    let Some(servers) = own else { return document_base.clone() };
    let Some(given) = given else { return first_of(&servers, document_base.as_deref().ok(), findings) };
    let first = |servers: &Found<'_>| written(servers).next();
    let Some((Ok(url), place)) = first(&servers) else { return document_base.clone() };
    let of_document = of_root(document).and_then(|servers| first(&servers)?.0.ok());
    if of_document.is_some_and(|other| other.trim_end_matches('/') == url.trim_end_matches('/')) {
        return document_base.clone();
    }
    if is_relative(&url) {
        let joined = absolute(&url, Some(given))?;
        if origin(&joined) == origin(given) {
            return Ok(joined);
        }
    }
    findings.note(&place, format!("its own server {url:.100} is not called: the base URL that is given stands for it"));
    document_base.clone()
}

fn are_some(servers: &Found<'_>) -> bool {
    servers.node.as_array().is_some_and(|list| !list.is_empty())
}

/// The document's servers, if it has any.
fn of_root(document: &Document) -> Option<Found<'_>> {
    Found { node: document.root(), place: Pointer::root() }.get("servers").filter(are_some)
}

/// The document's own base URL.
///
/// # Errors
///
/// A reason, where no absolute URL can be made.
pub(crate) fn of_document(document: &Document, given: Option<&str>, findings: &mut Findings) -> Result<String, String> {
    if let Some(given) = given {
        return usable(given);
    }
    match of_root(document) {
        Some(servers) => first_of(&servers, None, findings),
        None => Err("the document names no server".to_owned()),
    }
}

/// The first server of a list; the others are noted.
fn first_of(servers: &Found<'_>, base: Option<&str>, findings: &mut Findings) -> Result<String, String> {
    let mut written = written(servers);
    let Some((first, place)) = written.next() else { return Err("the document names no server".to_owned()) };
    let others: Vec<String> = written.map(|(url, _)| url.unwrap_or_else(|why| why)).take(5).collect();
    let first = first?;
    if !others.is_empty() {
        findings.note(&place, format!("of several servers the first is taken; others: {}", others.join(", ")));
    }
    absolute(&first, base)
}

/// The URLs of a list, with their places.
fn written<'d>(servers: &Found<'d>) -> impl Iterator<Item = (Result<String, String>, Pointer)> + use<'d> {
    servers.elements().filter_map(|server| {
        let url = server.text("url")?;
        Some((filled(url, &server), server.place))
    })
}

/// The URL with the defaults of its variables.
fn filled(url: &str, server: &Found<'_>) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = url;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        let variable = server.node.get("variables").and_then(|variables| variables.get(name));
        let default = variable.and_then(|variable| variable.get("default"));
        let value = default.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        text.push_str(before);
        text.push_str(&value.ok_or_else(|| format!("the server's variable `{name:.50}` has no default"))?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn is_relative(url: &str) -> bool {
    !url.contains("://")
}

fn absolute(url: &str, base: Option<&str>) -> Result<String, String> {
    let url = url.trim();
    if !is_relative(url) {
        return usable(url);
    }
    let Some(base) = base else { return Err(format!("the document's server is relative ({url:.100})")) };
    let joined = Url::parse(base).and_then(|base| base.join(url));
    joined.map_or_else(
        |_| Err(format!("the server {url:.100} cannot be joined to {base:.100}")),
        |url| usable(url.as_str()),
    )
}

/// A URL that can be an integration's `base_url`: without query and fragment, without a slash at its end.
fn usable(url: &str) -> Result<String, String> {
    let url = url.trim();
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let mut faults = Faults::new();
    rules::base_url(url, &mut faults);
    if !faults.is_empty() || url.contains(['{', '}']) {
        let why = faults.iter().next().map_or_else(|| "has placeholders".to_owned(), ToString::to_string);
        return Err(format!("the server {url:.100} cannot be used: {why}"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// What the base URLs of one server have in common.
pub(crate) fn origin(base_url: &str) -> String {
    Url::parse(base_url).map_or_else(|_| base_url.to_owned(), |url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use callout_core::json::Json;

    use super::*;

    #[test]
    fn servers_become_base_urls() {
        let long = format!("https://api.example/{}", "v".repeat(2029));
        let long_server = format!(r#"[{{"url": "{long}"}}]"#);
        let too_long = format!("the server {long:.100} cannot be used: must have at most 2048 characters, not 2049");
        for (servers, given, expected) in [
            (r#"[{"url": "https://api.example/v1/"}]"#, None, Ok("https://api.example/v1")),
            (r#"[{"url": "https://api.example/v1"}]"#, Some("http://127.0.0.1:1/x"), Ok("http://127.0.0.1:1/x")),
            (
                r#"[{"url": "https://{env}.example/{v}", "variables": {"env": {"default": "api"}, "v": {"default": 2}}}]"#,
                None,
                Ok("https://api.example/2"),
            ),
            (r#"[{"url": "https://{env}.example"}]"#, None, Err("the server's variable `env` has no default")),
            (r#"[{"url": "/v1"}]"#, None, Err("the document's server is relative (/v1)")),
            (r"[]", None, Err("the document names no server")),
            (r#"[{"url": "https://a.example/?x=1#f"}, {"url": "https://b.example"}]"#, None, Ok("https://a.example")),
            (
                r#"[{"url": "wss://a.example/"}]"#,
                None,
                Err("the server wss://a.example/ cannot be used: must begin with http:// or https://"),
            ),
            (long_server.as_str(), None, Err(too_long.as_str())),
            (r"[]", Some(long.as_str()), Err(too_long.as_str())),
        ] {
            let text = format!(r#"{{"openapi": "3.0.0", "servers": {servers}}}"#);
            let document = Document::new(Json::parse(&text).unwrap()).unwrap();
            let found = of_document(&document, given, &mut Findings::default());
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{servers}");
        }
    }
}
