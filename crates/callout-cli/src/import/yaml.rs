//! An integration as YAML that a person would like to read.

use callout::{Json, json::Object};

/// Characters of a value that is written on one line.
const ONE_LINE: usize = 80;

/// The integration, with comments at its head and behind its endpoints.
pub(crate) fn integration(body: &Json, head: &[String], comment: impl Fn(&str) -> Option<String>) -> String {
    let mut out: String = head.iter().map(|line| format!("# {}\n", one_line(line))).collect();
    for (name, value) in body.as_object().into_iter().flat_map(Object::iter) {
        let endpoints = value.as_array().filter(|list| name == "endpoints" && !list.is_empty());
        let Some(endpoints) = endpoints else {
            member(name, value, 0, &mut out);
            continue;
        };
        out.push_str("endpoints:\n");
        for endpoint in endpoints {
            item(endpoint, 2, &mut out);
            let name = endpoint.get("name").and_then(Json::as_str).unwrap_or_default();
            if let Some(text) = comment(name) {
                out.push_str(&format!("    # {}\n", one_line(&text)));
            }
        }
    }
    out
}

fn one_line(text: &str) -> String {
    text.chars().map(|found| if found.is_control() || is_break(found) { ' ' } else { found }).collect()
}

fn member(name: &str, value: &Json, indent: usize, out: &mut String) {
    out.push_str(&" ".repeat(indent));
    out.push_str(&scalar(&Json::from(name), false));
    out.push(':');
    match value {
        Json::Object(_) | Json::Array(_) => {
            if let Some(text) = flow(value).filter(|text| text.len() <= ONE_LINE) {
                out.push_str(&format!(" {text}\n"));
            } else {
                out.push('\n');
                block(value, indent + 2, out);
            }
        }
        other => out.push_str(&format!(" {}\n", scalar(other, false))),
    }
}

fn block(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(members) => members.iter().for_each(|(name, value)| member(name, value, indent, out)),
        Json::Array(elements) => elements.iter().for_each(|element| item(element, indent, out)),
        other => out.push_str(&format!("{}{}\n", " ".repeat(indent), scalar(other, false))),
    }
}

fn item(value: &Json, indent: usize, out: &mut String) {
    out.push_str(&" ".repeat(indent));
    out.push_str("- ");
    match value {
        Json::Object(members) if !members.is_empty() && flow(value).is_none_or(|text| text.len() > ONE_LINE) => {
            let mut inner = String::new();
            block(value, indent + 2, &mut inner);
            out.push_str(inner.get(indent + 2..).unwrap_or_default());
        }
        Json::Array(elements) if !elements.is_empty() && flow(value).is_none_or(|text| text.len() > ONE_LINE) => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        Json::Object(_) | Json::Array(_) => out.push_str(&format!("{}\n", flow(value).unwrap_or_default())),
        other => out.push_str(&format!("{}\n", scalar(other, false))),
    }
}

/// A container of scalars on one line; `None` for one that holds others.
fn flow(value: &Json) -> Option<String> {
    let plain = |value: &Json| match value {
        Json::Object(members) if members.is_empty() => Some("{}".to_owned()),
        Json::Array(elements) if elements.is_empty() => Some("[]".to_owned()),
        Json::Object(_) | Json::Array(_) => None,
        other => Some(scalar(other, true)),
    };
    match value {
        Json::Object(members) if members.is_empty() => Some("{}".to_owned()),
        Json::Object(members) => {
            let all: Option<Vec<String>> = members
                .iter()
                .map(|(name, value)| Some(format!("{}: {}", scalar(&Json::from(name), true), plain(value)?)))
                .collect();
            Some(format!("{{ {} }}", all?.join(", ")))
        }
        Json::Array(elements) => {
            let all: Option<Vec<String>> = elements.iter().map(plain).collect();
            Some(format!("[{}]", all?.join(", ")))
        }
        _ => None,
    }
}

/// A scalar, in quotes where it would be read as something else without. `within`: in brackets.
fn scalar(value: &Json, within: bool) -> String {
    match value {
        Json::String(text) if is_plain(text, within) => text.to_string(),
        Json::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// Whether a text stands for itself without quotes.
fn is_plain(text: &str, within: bool) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let Some(first) = text.chars().next() else { return false };
    let starts_well = first.is_alphabetic() || matches!(first, '/' | '_' | '$' | '(');
    let good = |found: char| {
        let ends = within && matches!(found, ',' | '[' | ']' | '{' | '}');
        !found.is_control() && !is_break(found) && !ends
    };
    starts_well
        && text.len() <= 4_000
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && text.chars().all(good)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([' ', ':'])
        && !(within && text.contains(':'))
}

/// What is a line's end, or no text at all, to some reader of YAML.
fn is_break(found: char) -> bool {
    matches!(found, '\u{80}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{7f}')
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for found in text.chars() {
        match found {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            found if found.is_control() || is_break(found) => out.push_str(&format!("\\u{:04x}", u32::from(found))),
            found => out.push(found),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Json {
        serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn what_is_written_reads_back() {
        let odd = [
            "",
            " ",
            "a: b",
            "a #b",
            "a#b",
            "#a",
            "- a",
            "true",
            "No",
            "~",
            "1",
            "1.0",
            "0x1",
            "1e3",
            ".5",
            "2024-01-01",
            "a\nb",
            "tab\t",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "é…",
            "{a}",
            "[a",
            "a,b",
            "a]b",
            "'a",
            "\"a",
            "%a",
            "@a",
            "`a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "?",
            "? a",
            "a:",
            ":a",
            "=",
            "<<",
            "null",
            "/x/{id}{?a,b}",
            "日本",
            "a \"quoted\" text",
            "\u{1}\u{0}",
            "\\",
            "a\\b",
            "---",
            "...",
            "y",
            "inf",
            ".nan",
            "$a",
            "(a)",
            "_",
            "a: ",
            "\u{fffe}",
        ];
        let texts: Json = odd.iter().map(|text| Json::from(*text)).collect();
        let named: Json = odd.iter().map(|text| (*text, Json::from(*text))).collect();
        let nested: Json = [
            ("numbers", Json::parse("[1, 2.50, -3e5, 12345678901234567890123]").unwrap()),
            ("empty", Json::parse(r#"{"a": {}, "b": [], "c": [[], {}, [[1, "long text that makes it go over the end of one line"]]]}"#).unwrap()),
            ("lists", vec![texts.clone(), named.clone()].into()),
            ("none", Json::Null),
            ("named", named),
        ]
        .into_iter()
        .collect();
        let body: Json =
            [("name", Json::from("shop")), ("endpoints", vec![nested.clone(), nested].into()), ("texts", texts)]
                .into_iter()
                .collect();
        let text = integration(&body, &["odd\nhead".to_owned()], |_| Some("a\u{2028}comment".to_owned()));
        let found = read(&text);
        // Numbers are what YAML makes of them.
        let numbers = |value: &Json| value.to_string().replace("2.50", "2.5").replace("-3e5", "-300000.0");
        assert_eq!(found.get("texts").map(ToString::to_string), body.get("texts").map(ToString::to_string));
        let endpoint =
            |value: &Json| value.get("endpoints").and_then(|list| list.as_array()?.first().cloned()).unwrap();
        for name in ["empty", "lists", "none", "named"] {
            assert_eq!(
                endpoint(&found).get(name).map(numbers),
                endpoint(&body).get(name).map(numbers),
                "{name}\n{text}"
            );
        }
        assert!(text.starts_with("# odd head\nname: shop\nendpoints:\n  - numbers: [1, 2.50"), "{text}");
    }
}
