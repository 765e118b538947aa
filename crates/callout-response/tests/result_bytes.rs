//! A result shares its values in memory and may be large where it is written: how large, on each way to a text.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use callout_core::{
    Error, ErrorKind, config::EndpointConfig, fault::Faults, json::Json, limits::Limits, redact::Redactor,
    time::Deadline,
};
use callout_response::{Input, Pipeline, Stages, Text, read_body};
use proptest::prelude::*;

/// What each way makes of a body.
struct Made {
    lines: Option<Text>,
    wanted: Option<Text>,
    run: Result<Text, Error>,
    traced: Stages,
}

fn made(endpoint: &EndpointConfig, limits: &Limits, bytes: &[u8]) -> Made {
    let pipeline = Pipeline::compile(endpoint, limits, &mut Faults::new()).unwrap();
    let (clock, params, redactor) = (support::clock(), support::params(), Redactor::default());
    let deadline = Deadline::after(&clock, Duration::from_mins(1));
    let body = read_body(200, None, bytes, limits).unwrap();
    let input = Input { body: &body, params: &params, status: 200, redactor: &redactor, clock: &clock, deadline };
    let nothing = Input { body: &Json::Null, ..input };
    Made {
        lines: pipeline.run_lines(bytes, limits, &nothing),
        wanted: pipeline.run_wanted(bytes, limits, &nothing),
        run: pipeline.run(&input),
        traced: pipeline.trace(&input),
    }
}

impl Made {
    /// Whether every way refuses the result of that stage, and nothing of it is left.
    fn is_refused(&self, stage: &str, max: usize) -> bool {
        let begin = format!("{stage}: its result has more than {max} bytes as JSON (`max_result_bytes`); ");
        let is_told = |error: &Error| error.kind() == ErrorKind::LimitExceeded && error.message().starts_with(&begin);
        let Stages { after_mapping, after_result_key, text, error, .. } = &self.traced;
        let is_kept = after_result_key.is_some() || (stage == "response_mapping" && after_mapping.is_some());
        let is_made = self.lines.is_some() || self.wanted.is_some() || text.is_some();
        !is_made && !is_kept && self.run.as_ref().is_err_and(is_told) && error.as_ref().is_some_and(is_told)
    }
}

fn mapping(members: &[(&str, &str)]) -> EndpointConfig {
    let mut endpoint = EndpointConfig::new("e", "An endpoint", "/e");
    endpoint.response_mapping = Some(members.iter().map(|(name, path)| ((*name).into(), (*path).into())).collect());
    endpoint
}

fn many(path: &str) -> EndpointConfig {
    let names: Vec<String> = (0..256).map(|at| format!("m{at}")).collect();
    mapping(&names.iter().map(|name| (name.as_str(), path)).collect::<Vec<_>>())
}

fn within(max_result_bytes: usize) -> Limits {
    let mut limits = Limits::default();
    limits.max_result_bytes = max_result_bytes;
    limits
}

#[test]
fn a_result_that_holds_values_again_and_again_is_refused_before_it_is_written() {
    let limits = within(1 << 20);
    let again = format!("$[{}]", ["0"; 500].join(","));
    let whole = format!(r#"{{"a":"{}"}}"#, "x".repeat(10 << 10));
    let list = format!(r#"["{}"]"#, "x".repeat(100));
    let row = |at: usize| format!(r#"{{"id":{at},"name":"the name of the row"}}"#);
    let rows = format!("[{}]", (0..200).map(row).collect::<Vec<_>>().join(","));
    let table = [
        (many("$"), &whole),
        (many(&again), &list),
        (mapping(&[("id", "id"), ("all", "$")]), &rows),
        (mapping(&[("id", "id"), ("all", "$[*]")]), &rows),
    ];
    for (mut endpoint, body) in table {
        for max_result_length in [0, 100] {
            endpoint.max_result_length = max_result_length;
            let made = made(&endpoint, &limits, body.as_bytes());
            assert!(made.is_refused("response_mapping", 1 << 20), "{:?}", made.run.map(|text| text.text.len()));
            assert!(made.traced.after_filter.is_some());
        }
    }
    let mut endpoint = EndpointConfig::new("e", "An endpoint", "/e");
    endpoint.result_key = Some(again);
    let made = made(&endpoint, &limits, format!(r#"["{}"]"#, "x".repeat(10 << 10)).as_bytes());
    assert!(made.is_refused("result_key", 1 << 20), "{:?}", made.run.map(|text| text.text.len()));
    // A body may be taken whole, and more than once.
    assert_eq!(Limits::default().max_result_bytes, 4 * Limits::default().max_response_bytes);
}

#[test]
fn whole_values_that_are_taken_once_are_let_through() {
    let limits = within(2_000);
    let body = format!(r#"{{"a":{{"b":"{}"}},"c":["{}"]}}"#, "x".repeat(900), "\\u0001".repeat(150));
    for paths in [vec![("all", "$")], vec![("a", "a"), ("c", "c")], vec![("a", "$.a"), ("b", "/c"), ("d", "$..d")]] {
        let made = made(&mapping(&paths), &limits, body.as_bytes());
        assert!(made.run.is_ok() && made.traced.error.is_none(), "{:?}", made.run);
    }
}

/// A name stands once in a config, and once in each element of the result.
#[test]
fn names_of_members_count_for_each_element_of_a_list() {
    let name = "n".repeat(60);
    let body = format!("[{}]", ["{\"a\":1}"; 50].join(","));
    let length = 50 * format!(r#"{{"{name}":1}},"#).len() + 1;
    for template in [None, Some(format!("{{% for e in result %}}{{{{ e.{name} }}}};{{% endfor %}}"))] {
        let mut endpoint = mapping(&[(name.as_str(), "a")]);
        let has_lines = template.is_some();
        endpoint.result_template = template;
        let made = |max| made(&endpoint, &within(max), body.as_bytes());
        for max in [0, 400, length - 1] {
            assert!(made(max).is_refused("response_mapping", max), "{max}");
        }
        for max in [length, 40 << 20] {
            let Made { lines, wanted, run, .. } = made(max);
            assert_eq!((wanted.as_ref(), lines.is_some()), (run.as_ref().ok(), has_lines && max > length), "{max}");
            assert!(run.is_ok(), "{run:?}");
        }
    }
}

fn paths() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a", "b", "a.b", "0", "0.a", "list.a", "list.a.b", "/0", "/list/1", "$", "$.list", "$[0,0]", "$..a", "$[*].a",
    ])
}

proptest! {
    #[test]
    fn a_result_may_be_as_large_as_its_bound_and_no_larger_on_every_way(
        paths in prop::collection::vec(paths(), 1..4),
        filter in prop::option::weighted(0.3, prop::sample::select(vec!["$[*]", "a", "list.a", "list", "missing"])),
        key in prop::option::weighted(0.3, prop::sample::select(vec!["m0", "$..a", "$['m0','m0']", "$[*]"])),
        elements in prop::collection::vec(
            prop::sample::select(vec![
                "1", "{}", r#""é\u0001""#, "[1, 2]", r#"[[], {"a": 3}]"#, r#"{"a":1}"#, r#"{"a":"\"\ud83d"}"#,
                r#"{ "b" : [ 1 ], "a" : {"b": true} }"#, r#"{"a":[{"b":1},7,[8]]}"#,
            ]),
            0..8,
        ),
        is_list in any::<bool>(),
        part in 0..100_usize,
    ) {
        let list = format!("[{}]", elements.join(" ,"));
        let body = if is_list { list } else { format!("{{\"a\":{{\"b\":0}}, \"list\": {list}}}") };
        let members: Vec<_> = paths.iter().zip(["m0", "m\"1", "m2"]).map(|(path, name)| (name, *path)).collect();
        let mut endpoint = mapping(&members);
        endpoint.response_filter = filter.map(|path| vec![path.to_owned()]);
        endpoint.result_key = key.map(str::to_owned);
        let free = made(&endpoint, &Limits::default(), body.as_bytes());
        let length = |value: &Option<Json>| value.as_ref().map_or(0, |value| value.to_string().len());
        let mapped = length(&free.traced.after_mapping);
        let found = if key.is_some_and(|key| key.starts_with('$')) { length(&free.traced.after_result_key) } else { 0 };
        for max in [mapped * part / 100, mapped - 1, mapped, found.max(1) - 1, found, mapped.max(found), 10 * mapped] {
            let bounded = made(&endpoint, &within(max), body.as_bytes());
            if mapped > max {
                prop_assert!(bounded.is_refused("response_mapping", max), "{} of {}: {:?}", max, mapped, bounded.run);
            } else if found > max {
                prop_assert!(bounded.is_refused("result_key", max), "{} of {}: {:?}", max, found, bounded.run);
            } else {
                let told = |run: Result<Text, Error>| run.map_err(|error| error.to_string());
                prop_assert_eq!(bounded.wanted, free.wanted.clone());
                prop_assert_eq!(told(bounded.run), told(free.run.clone()));
            }
        }
    }
}
