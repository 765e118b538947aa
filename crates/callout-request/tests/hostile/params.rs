//! What a language model, or who speaks through one, can pass as params.

use callout_core::json::{Json, Object};

use crate::{Attack, Ends, Way, object};

const WAYS: [Way; 5] = [Way::Json, Way::Form, Way::Query, Way::Path, Way::Wrapped];

fn deep(levels: usize) -> Json {
    (0..levels).fold(Json::from("x"), |inner, _| vec![inner].into())
}

/// Parts that are shared: small in memory, endless when written.
fn endless() -> Json {
    (0..100).fold(Json::from("x"), |inner, _| vec![inner.clone(), inner].into())
}

fn with_a(value: impl Into<Json>) -> Object {
    [("a", value.into())].into_iter().collect()
}

pub(crate) fn attacks() -> Vec<Attack> {
    use Ends::{Invalid, Limit, Request};
    let typed = r#"{"properties":{"a":{"type":["integer","string","array","object","null"]}}}"#;
    let mut all = Vec::new();
    let mut push = |name: &str, schema: &str, params: &Object, ways: [Ends; 5]| {
        for (way, ends) in WAYS.into_iter().zip(ways) {
            let (schema, params) = (object(schema), params.clone());
            all.push(Attack { name: format!("{name} by {way:?}"), schema, params, way, ends });
        }
    };
    // In this order: JSON, form, query, path, wrapped. A path takes scalars only; a URL has its length.
    let everywhere = |ends| [ends; 5];
    let keys = |count: usize| -> Object {
        (0..count).map(|at| (format!("k{at}"), Json::from(at))).chain([("a".to_owned(), Json::from("x"))]).collect()
    };
    push("a number as a string", r#"{"properties":{"a":{"type":"integer"}}}"#, &with_a("7"), everywhere(Invalid));
    push("a string as a number", r#"{"properties":{"a":{"type":"string"}}}"#, &with_a(7), everywhere(Invalid));
    push("10 MB of text", typed, &with_a("x".repeat(10 << 20)), everywhere(Limit));
    push("1 MB of text", typed, &with_a("x".repeat(1_000_000)), [Request, Request, Limit, Limit, Request]);
    push("1 MB that grows", typed, &with_a("\u{1}é".repeat(100_000)), [Request, Request, Limit, Invalid, Request]);
    push("100,000 keys", typed, &keys(100_000), everywhere(Limit));
    push("60,000 keys", typed, &keys(60_000), [Request, Request, Limit, Limit, Request]);
    push(
        "60,000 keys to a closed schema",
        r#"{"properties":{"a":{}},"additionalProperties":false}"#,
        &keys(60_000),
        everywhere(Invalid),
    );
    push(
        "one long key",
        "{}",
        &[("a", Json::from("x")), ("k".repeat(900_000).as_str(), Json::from(1))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect(),
        [Request, Request, Limit, Limit, Request],
    );
    push(
        "200,000 elements",
        typed,
        &with_a((0..150_000).map(Json::from).collect::<Json>()),
        [Request, Request, Limit, Invalid, Request],
    );
    push("NUL", typed, &with_a("a\0b"), [Request, Request, Request, Invalid, Request]);
    push("line ends", typed, &with_a("a\r\nX-Evil: 1\r\n\r\n"), [Request, Request, Request, Invalid, Request]);
    push("a dot segment", typed, &with_a(".."), [Request, Request, Request, Invalid, Request]);
    push("an encoded dot segment", typed, &with_a("%2e%2E"), [Request, Request, Request, Invalid, Request]);
    push("slashes", typed, &with_a("/../../x?y#z"), everywhere(Request));
    push("no text", typed, &with_a(""), [Request, Request, Request, Invalid, Request]);
    push("nothing", typed, &with_a(Json::Null), [Request, Request, Request, Invalid, Request]);
    push("a replacement for half a pair", typed, &with_a("\u{fffd}\u{feff}\u{202e}"), everywhere(Request));
    push("100 deep", typed, &with_a(deep(100)), [Request, Request, Request, Invalid, Request]);
    push("1,000 deep", typed, &with_a(deep(1_000)), everywhere(Limit));
    push("100,000 deep", typed, &with_a(deep(100_000)), everywhere(Limit));
    push("endless", typed, &with_a(endless()), everywhere(Limit));
    push(
        "many digits",
        typed,
        &with_a(Json::parse(&"7".repeat(900_000)).unwrap()),
        [Request, Request, Limit, Limit, Request],
    );
    push("a wild exponent", "{}", &with_a(Json::parse("1e999999999").unwrap()), everywhere(Request));
    push("the injected key", typed, &object(r#"{"a":"x","k":"mine"}"#), [Request, Request, Invalid, Request, Request]);
    push(
        "odd names",
        "{}",
        &object(r#"{"a":"x","":1,"a&b=c":2,"\u0000":3,"__proto__":{"x":1},"q":["1",2,null]}"#),
        [Request; 5],
    );
    all
}
