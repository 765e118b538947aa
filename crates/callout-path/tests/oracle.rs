//! `JSONPath` against a second implementation: random queries over random documents, where both
//! mean to follow RFC 9535.

use callout_core::{json::Json, limits::Limits};
use callout_path::{Mask, Path};
use jsonpath_rust::JsonPath;
use proptest::prelude::*;
use serde_json::Value;

const CASES: u32 = 2_000;

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..4_i64).prop_map(Value::from),
        Just(Value::from(1.5)),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![Just(".a".to_owned()), Just("['b']".to_owned()), Just("[\"c\"]".to_owned())]
}

/// One segment of a singular query.
fn step() -> impl Strategy<Value = String> {
    prop_oneof![3 => name(), 1 => (-2..3_i64).prop_map(|index| format!("[{index}]"))]
}

fn singular() -> impl Strategy<Value = String> {
    (prop_oneof![3 => Just("@"), 1 => Just("$")], prop::collection::vec(step(), 0..3))
        .prop_map(|(root, steps)| root.to_owned() + &steps.concat())
}

fn selector() -> impl Strategy<Value = String> {
    let bound = || prop_oneof![Just(String::new()), (-3..4_i64).prop_map(|bound| bound.to_string())];
    prop_oneof![
        Just("'a'".to_owned()),
        Just("*".to_owned()),
        (-3..3_i64).prop_map(|index| index.to_string()),
        (bound(), bound(), prop_oneof![Just(""), Just(":1"), Just(":2"), Just(":-1"), Just(":-2"), Just(":0")])
            .prop_map(|(start, end, step)| format!("{start}:{end}{step}")),
    ]
}

fn plain_segment() -> impl Strategy<Value = String> {
    let list = || prop::collection::vec(selector(), 1..3).prop_map(|selectors| format!("[{}]", selectors.join(",")));
    prop_oneof![
        4 => step(),
        3 => list(),
        1 => Just(".*".to_owned()),
        2 => prop_oneof![Just("..a".to_owned()), Just("..*".to_owned()), list().prop_map(|list| format!("..{list}"))],
    ]
}

fn query() -> impl Strategy<Value = String> {
    (prop_oneof![3 => Just("@"), 1 => Just("$")], prop::collection::vec(plain_segment(), 0..3))
        .prop_map(|(root, segments)| root.to_owned() + &segments.concat())
}

fn comparable() -> impl Strategy<Value = String> {
    let literal =
        || prop::sample::select(vec!["null", "true", "false", "0", "1", "-1", "1.5", "2e0", "'a'", "\"b\"", "''"]);
    prop_oneof![
        4 => singular(),
        4 => literal().prop_map(str::to_owned),
        // Not of a query that selects nothing, which the other one counts as nothing, not as 0.
        1 => Just("count($..*)".to_owned()),
        1 => query().prop_map(|query| format!("value({query})")),
        1 => singular().prop_map(|query| format!("length({query})")),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let comparison = (comparable(), prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]), comparable())
        .prop_map(|(left, operator, right)| format!("{left} {operator} {right}"));
    let whole = (singular(), prop::sample::select(vec!["a", "a.?", "[^a]*", "b|a"]))
        .prop_map(|(text, pattern)| format!("match({text}, '{pattern}')"));
    let part = (singular(), prop::sample::select(vec!["a", "^b", "b$"]))
        .prop_map(|(text, pattern)| format!("search({text}, '{pattern}')"));
    let atom = prop_oneof![
        4 => comparison,
        2 => query(),
        1 => query().prop_map(|query| format!("!{query}")),
        1 => whole,
        1 => part,
    ];
    atom.prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} && {right}")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} || {right}")),
            inner.clone().prop_map(|inner| format!("!({inner})")),
            // Not `@[?…]`, which the other one takes for a condition on `@` itself.
            inner.clone().prop_map(|inner| format!("@.a[?{inner}]")),
            inner.prop_map(|inner| format!("$[?{inner}]")),
        ]
    })
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        3 => plain_segment(),
        2 => condition().prop_map(|condition| format!("[?{condition}]")),
        1 => condition().prop_map(|condition| format!("..[?{condition}]")),
    ];
    prop::collection::vec(segment, 0..4).prop_map(|segments| format!("${}", segments.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_select_the_same(path in path(), host in document()) {
        let limits = Limits::default();
        let document = Json::from(host.clone());
        let expected = host.query(&path).unwrap();
        let expected: Vec<_> = expected.into_iter().map(|value| Json::from(value.clone())).collect();
        let compiled = Path::parse(&path, &limits).unwrap();
        let found = compiled.value(&document, &limits).unwrap();
        let found = match found {
            None => Vec::new(),
            Some(value) if compiled.is_single() => vec![value.into_owned()],
            Some(values) => values.as_array().unwrap().to_vec(),
        };
        prop_assert_eq!(in_order(&path, &found), in_order(&path, &expected), "{} on {}", path, document);
    }

    /// What is written back from a mask holds each node that was selected, and if none was nothing but empty lists.
    #[test]
    fn a_mask_keeps_what_is_selected(path in path(), host in document()) {
        let limits = Limits::default();
        let document = Json::from(host);
        let compiled = Path::parse(&path, &limits).unwrap();
        let mut mask = Mask::new();
        compiled.select(&document, &mut mask, &limits).unwrap();
        let found = compiled.value(&document, &limits).unwrap();
        let plural = !compiled.is_single();
        let nothing = found.is_none_or(|found| plural && found.as_array().is_some_and(|all| all.is_empty()));
        let kept = mask.apply(&document);
        let as_selected = if nothing { mask.is_empty() || is_bare(&kept) } else { !mask.is_empty() };
        prop_assert!(as_selected, "{path} on {document} keeps {kept}");
    }
}

/// Whether nothing stands in it but empty lists.
fn is_bare(kept: &Json) -> bool {
    match kept {
        Json::Array(elements) => elements.iter().all(is_bare),
        Json::Object(members) => !members.is_empty() && members.values().all(is_bare),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

/// Values as text; sorted where the other one has an order of its own: descents, lists of selectors.
fn in_order(path: &str, values: &[Json]) -> Vec<String> {
    let mut values: Vec<_> = values.iter().map(ToString::to_string).collect();
    if path.contains("..") || path.contains(',') {
        values.sort();
    }
    values
}
