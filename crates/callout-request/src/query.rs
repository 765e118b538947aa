//! Params as flat pairs of text, for queries and forms.

use std::borrow::Cow;

use callout_core::{http::UNRESERVED, json::Json};
use percent_encoding::utf8_percent_encode;

/// The text percent-encoded, for a path segment as well as for a query key or value.
pub(crate) fn encode(text: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(text, UNRESERVED)
}

/// The text of a string, a number as it was written, or a boolean.
pub(crate) fn scalar(value: &Json) -> Option<Cow<'_, str>> {
    match value {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Number(number) => Some(Cow::Borrowed(number.as_str())),
        Json::Bool(true) => Some(Cow::Borrowed("true")),
        Json::Bool(false) => Some(Cow::Borrowed("false")),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Params as pairs, in their order: scalars as text, the elements of an array under the same key,
/// objects (and arrays within arrays) as compact JSON. Nulls are left out, in arrays too, and so is
/// an empty array.
pub(crate) fn flatten<'a>(
    params: impl Iterator<Item = (&'a str, &'a Json)>,
) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
    params.flat_map(|(name, value)| {
        let values = match value {
            Json::Array(elements) => elements.iter(),
            other => std::slice::from_ref(other).iter(),
        };
        values.filter(|value| !value.is_null()).map(move |value| (name, text(value)))
    })
}

fn text(value: &Json) -> Cow<'_, str> {
    scalar(value).unwrap_or_else(|| Cow::Owned(value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_flat_pairs() {
        let params = Json::parse(
            r#"{"s": "a b", "n": 1.10, "big": 12345678901234567890123, "t": true, "f": false, "z": null,
                "list": ["x", 2, null, false, {"k": 1.0}, [1, "y"]], "none": [], "o": {"b": 1, "a": [null]}}"#,
        )
        .unwrap();
        let pairs: Vec<_> = flatten(params.as_object().unwrap().iter()).collect();
        let expected = [
            ("s", "a b"),
            ("n", "1.10"),
            ("big", "12345678901234567890123"),
            ("t", "true"),
            ("f", "false"),
            ("list", "x"),
            ("list", "2"),
            ("list", "false"),
            ("list", r#"{"k":1.0}"#),
            ("list", r#"[1,"y"]"#),
            ("o", r#"{"b":1,"a":[null]}"#),
        ];
        assert_eq!(pairs.iter().map(|(key, value)| (*key, value.as_ref())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn only_unreserved_characters_stay() {
        let text: String = encode("aZ0-._~ /?#[]@!$&'()*+,;=%\\\"<>^`{|}é\0").collect();
        assert_eq!(
            text,
            "aZ0-._~%20%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25%5C%22%3C%3E%5E%60%7B%7C%7D%C3%A9%00"
        );
    }
}
