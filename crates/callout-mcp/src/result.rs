//! What becomes of a call, as MCP has it.

use callout::{Delivery, Error, Length, Outcome, Truncation};
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, MetaObject};
use serde_json::{Value, json};

use crate::{Called, Success};

/// The longest text that is handed over as `structuredContent` too, in bytes: it doubles the answer, and
/// clients bound what one event of a stream may hold, some at 1 MiB.
const STRUCTURED_BYTES: usize = 256 << 10;

/// The result of a call. `any_structure` is whether `structuredContent` may be an array: since revision
/// 2026-07-28 any JSON may stand there, before it objects alone.
pub(crate) fn result(called: &Called, any_structure: bool) -> CallToolResult {
    match &called.result {
        Ok(Success::Outcome(outcome)) => success(outcome, any_structure),
        Ok(Success::Text(text)) => told(text, None, None, any_structure),
        Err(error) => failure(error, called.delivery),
    }
}

fn success(outcome: &Outcome, any_structure: bool) -> CallToolResult {
    let mut meta = JsonObject::new();
    meta.insert("result_delivery".to_owned(), json!(outcome.delivery().as_str()));
    meta.insert("status".to_owned(), json!(outcome.status()));
    meta.insert("retries".to_owned(), json!(outcome.retries()));
    if let Some(truncation) = outcome.truncation() {
        meta.insert("truncation".to_owned(), Value::from(&truncation.to_json()));
    }
    let mut result = told(outcome.text(), Some(outcome.status()), outcome.truncation(), any_structure);
    result.meta = Some(MetaObject(meta));
    result
}

fn told(text: &str, status: Option<u16>, truncation: Option<&Truncation>, any_structure: bool) -> CallToolResult {
    let said = said(text, status, truncation);
    let mut result = CallToolResult::success(said.into_iter().map(ContentBlock::text).collect());
    // Clients that hand on the structure alone would not say that it is cut.
    if truncation.is_none() {
        result.structured_content = structure(text, any_structure);
    }
    result
}

/// What is said to a model, each in a block of its own: the text, and that it was cut, which JSON that was closed again
/// does not show. A block of blanks is left out: Anthropic's API refuses a conversation that holds one, and nobody could
/// tell it from no answer.
fn said(text: &str, status: Option<u16>, truncation: Option<&Truncation>) -> Vec<String> {
    let cut = truncation.map(|Truncation { kept, from }| {
        let from = match from {
            Length::Exactly(length) => length.to_string(),
            Length::AtLeast(length) => format!("at least {length}"),
        };
        format!("The result was cut to {kept} of {from} characters: ask for less to see the rest.")
    });
    let text = if text.trim().is_empty() { None } else { Some(text.to_owned()) };
    let said: Vec<_> = text.into_iter().chain(cut).collect();
    if said.is_empty() {
        let status = status.map_or_else(String::new, |status| format!(" with status {status}"));
        vec![format!("The call succeeded{status}, and its result is empty.")]
    } else {
        said
    }
}

/// The text as JSON, if it is an object, or an array where that is allowed.
fn structure(text: &str, any_structure: bool) -> Option<Value> {
    let start = text.trim_start().as_bytes().first();
    let is_one = start == Some(&b'{') || (any_structure && start == Some(&b'['));
    if !is_one || text.len() > STRUCTURED_BYTES {
        return None;
    }
    serde_json::from_str(text).ok()
}

fn failure(error: &Error, delivery: Delivery) -> CallToolResult {
    let mut meta = JsonObject::new();
    meta.insert("result_delivery".to_owned(), json!(delivery.as_str()));
    if let Some(status) = error.status() {
        meta.insert("status".to_owned(), json!(status));
    }
    meta.insert("retries".to_owned(), json!(error.retries()));
    meta.insert(
        "error".to_owned(),
        json!({
            "code": error.kind().code(),
            "retryable": error.is_retryable(),
            "retry_after_ms": error.retry_after_ms(),
            "carried_out": error.is_carried_out(),
        }),
    );
    let mut result = CallToolResult::error(vec![ContentBlock::text(format!("{error}\n{}", error.advice()))]);
    result.meta = Some(MetaObject(meta));
    result
}

#[cfg(test)]
mod tests {
    use callout::{ErrorKind, Method};

    use super::*;

    #[test]
    fn objects_are_structured_and_arrays_where_they_may_be() {
        for (text, legacy, modern) in [
            (r#"{"a":1}"#, true, true),
            (" {\"a\":1}\n", true, true),
            (r#"[{"a":1}]"#, false, true),
            ("12", false, false),
            ("\"a\"", false, false),
            ("{not json}", false, false),
            ("", false, false),
        ] {
            assert_eq!(structure(text, false).is_some(), legacy, "{text}");
            assert_eq!(structure(text, true).is_some(), modern, "{text}");
        }
        // The eight bytes around a text count too.
        for (bytes, is_structured) in [((256 << 10) - 8, true), ((256 << 10) - 7, false)] {
            let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes));
            assert_eq!(structure(&large, true).is_some(), is_structured, "{bytes}");
        }
    }

    #[test]
    fn a_cut_and_an_empty_result_are_said() {
        let cut = |kept, from| Some(Truncation { kept, from });
        let empty = "The call succeeded with status 204, and its result is empty.";
        for (text, truncation, expected) in [
            ("[1]", None, vec!["[1]"]),
            (" a\n", None, vec![" a\n"]),
            ("", None, vec![empty]),
            (" \n\u{a0}", None, vec![empty]),
            (
                "[1]",
                cut(3, Length::AtLeast(4)),
                vec!["[1]", "The result was cut to 3 of at least 4 characters: ask for less to see the rest."],
            ),
            (
                "",
                cut(0, Length::Exactly(12)),
                vec!["The result was cut to 0 of 12 characters: ask for less to see the rest."],
            ),
        ] {
            assert_eq!(said(text, Some(204), truncation.as_ref()), expected, "{text:?} {truncation:?}");
        }
    }

    #[test]
    fn a_failure_says_what_may_help() {
        let error = Error::new(ErrorKind::ResultKeyMissing, "it went wrong").with_integration("shop");
        let error = error.with_endpoint("order").with_method(Method::Post).with_status(200);
        let result = failure(&error, Delivery::Queue);
        let text = result.content[0].as_text().unwrap().text.clone();
        assert_eq!(text, format!("shop.order: it went wrong\n{}", error.advice()));
        assert_eq!(result.is_error, Some(true));
        let meta = result.meta.unwrap();
        assert_eq!(meta.0["error"]["code"], "result_key_missing");
        assert_eq!(meta.0["error"]["carried_out"], true);
        assert_eq!(meta.0["result_delivery"], "queue");
    }
}
