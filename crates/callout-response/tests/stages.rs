//! The stages of a pipeline, each alone and all in their order: values, lengths, faults and errors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use callout_core::{
    ErrorKind,
    config::EndpointConfig,
    fault::Faults,
    json::{Json, Object},
    limits::Limits,
    redact::Redactor,
    time::{Clock, Deadline, SharedClock, SteppingClock},
};
use callout_response::{
    Input, Length, Pipeline, Stages, Truncation, Visits, Watch, filter::Filter, mapping::Mapping, result_key::ResultKey,
};
use proptest::prelude::*;

const ORDERS: &str = r#"{"total": 2, "orders": [
    {"id": 1, "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}], "user": {"name": "Ada", "mail": "a@x"}},
    {"id": 2, "lines": [], "user": {"name": "Bob"}}
], "next": null}"#;
const LIST: &str =
    r#"[{"id": 1, "user": {"name": "Ada"}, "tags": ["x", "y"]}, {"id": 2}, 3, {"id": null, "tags": []}]"#;

/// Names and paths of a mapping.
type Paths = &'static [(&'static str, &'static str)];

fn endpoint() -> EndpointConfig {
    EndpointConfig::new("e", "An endpoint", "/e")
}

fn members(members: &[(&str, &str)]) -> Vec<(String, String)> {
    members.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect()
}

fn compiled(endpoint: &EndpointConfig) -> Pipeline {
    let mut faults = Faults::new();
    let pipeline = Pipeline::compile(endpoint, &Limits::default(), &mut faults);
    assert!(faults.is_empty(), "{:?}", faults.into_vec());
    pipeline.unwrap()
}

/// Shapes a body with the params `{"q": "x"}` and the status 200.
fn with_input<T>(body: &Json, redactor: &Redactor, work: impl FnOnce(&Input<'_>) -> T) -> T {
    let clock = support::clock();
    let params = support::params();
    let deadline = Deadline::after(&clock, Duration::from_mins(1));
    work(&Input { body, params: &params, status: 200, redactor, clock: &clock, deadline })
}

fn trace(endpoint: &EndpointConfig, body: &str) -> Stages {
    let pipeline = compiled(endpoint);
    with_input(&Json::parse(body).unwrap(), &Redactor::default(), |input| pipeline.trace(input))
}

fn watched<T>(work: impl FnOnce(&Watch<'_>) -> T) -> T {
    let clock = support::clock();
    work(&Watch { clock: &clock, deadline: Deadline::after(&clock, Duration::from_mins(1)) })
}

fn filtered(paths: &[&str], body: &str, limits: &Limits) -> String {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let filter = Filter::compile(&paths, limits, &mut Faults::new()).unwrap();
    watched(|watch| filter.apply(&Json::parse(body).unwrap(), &mut Visits::new(limits), watch))
        .map_or_else(|error| format!("{}: {error}", error.kind()), |value| value.to_string())
}

fn mapped(paths: &[(&str, &str)], body: &str, limits: &Limits) -> String {
    let mapping = Mapping::compile(&members(paths), limits, &mut Faults::new()).unwrap();
    watched(|watch| mapping.apply(&Json::parse(body).unwrap(), &mut Visits::new(limits), watch))
        .map_or_else(|error| format!("{}: {error}", error.kind()), |value| value.to_string())
}

#[test]
fn a_filter_keeps_what_any_path_matches_in_its_place() {
    let table: [(&[&str], &str); 8] = [
        (&["total"], r#"{"total":2}"#),
        (&["orders.id", "total"], r#"{"total":2,"orders":[{"id":1},{"id":2}]}"#),
        (&["orders.user.mail"], r#"{"orders":[{"user":{"mail":"a@x"}}]}"#),
        (&["/orders/1/user", "$.orders[0].lines[1].n"], r#"{"orders":[{"lines":[{"n":2}]},{"user":{"name":"Bob"}}]}"#),
        (&["$..sku"], r#"{"orders":[{"lines":[{"sku":"a"},{"sku":"b"}]}]}"#),
        (&["next"], r#"{"next":null}"#),
        (&["nothing", "/no/where"], "null"),
        (&["orders.0.lines", "orders.0.lines.sku"], r#"{"orders":[{"lines":[{"sku":"a","n":1},{"sku":"b","n":2}]}]}"#),
    ];
    for (paths, expected) in table {
        assert_eq!(filtered(paths, ORDERS, &Limits::default()), expected, "{paths:?}");
    }
    assert_eq!(filtered(&["$"], "7", &Limits::default()), "7");
}

#[test]
fn a_mapping_makes_a_new_object() {
    let table: [(&[(&str, &str)], &str); 4] = [
        (&[("n", "total"), ("first", "orders.0.user.name")], r#"{"n":2,"first":"Ada"}"#),
        (
            &[("names", "orders.user.name"), ("skus", "orders.lines.sku")],
            r#"{"names":["Ada","Bob"],"skus":[["a","b"],[]]}"#,
        ),
        (
            &[("one", "$.orders[0].id"), ("many", "$.orders[*].id"), ("none", "$.orders[?@.id > 9]")],
            r#"{"one":1,"many":[1,2],"none":[]}"#,
        ),
        (&[("absent", "nope.x"), ("pointer", "/orders/1/id"), ("null", "next"), ("all", "$")], ""),
    ];
    for (paths, expected) in table {
        let got = mapped(paths, ORDERS, &Limits::default());
        if expected.is_empty() {
            let body = Json::parse(ORDERS).unwrap();
            assert_eq!(got, format!(r#"{{"absent":null,"pointer":2,"null":null,"all":{body}}}"#));
        } else {
            assert_eq!(got, expected, "{paths:?}");
        }
    }
    assert_eq!(mapped(&[("a", "x"), ("b", "$")], "5", &Limits::default()), r#"{"a":null,"b":5}"#);
}

#[test]
fn on_an_array_dotted_names_apply_to_each_element() {
    let table: [(Paths, &str, &str); 9] = [
        (
            &[("id", "id"), ("by", "user.name")],
            LIST,
            r#"[{"id":1,"by":"Ada"},{"id":2,"by":null},{"id":null,"by":null},{"id":null,"by":null}]"#,
        ),
        (
            &[("tag", "tags.0"), ("id", "id")],
            r#"[{"id":1,"tags":["x"]},{"id":2}]"#,
            r#"[{"tag":"x","id":1},{"tag":null,"id":2}]"#,
        ),
        (
            &[("id", "id"), ("first", "0.id"), ("whole", "$[1].id"), ("ids", "$[*].id"), ("p", "/0/id")],
            r#"[{"id":1},{"id":2}]"#,
            r#"[{"id":1,"first":1,"whole":2,"ids":[1,2],"p":1},{"id":2,"first":1,"whole":2,"ids":[1,2],"p":1}]"#,
        ),
        (
            &[("first", "0.id"), ("ids", "$[*].id"), ("p", "/1/id")],
            r#"[{"id":1},{"id":2}]"#,
            r#"{"first":1,"ids":[1,2],"p":2}"#,
        ),
        (&[("id", "id")], "[]", "[]"),
        (&[("id", "$.id")], "[]", r#"{"id":null}"#),
        (&[("x", "x")], r#"[[{"x":1},{"x":2}],[]]"#, r#"[{"x":[1,2]},{"x":[]}]"#),
        (&[("x", "x.y")], r#"[{"x":[{"y":1},{}]},{"x":{"y":2}}]"#, r#"[{"x":[1,null]},{"x":2}]"#),
        (&[("0", "0")], "[7,8]", r#"{"0":7}"#),
    ];
    for (paths, body, expected) in table {
        assert_eq!(mapped(paths, body, &Limits::default()), expected, "{paths:?} {body}");
    }
}

proptest! {
    /// One look-up for the whole array gives what a look-up for each element gives.
    #[test]
    fn mapping_an_array_is_mapping_its_elements(elements in prop::collection::vec("[a-c]{0,2}", 0..6), path in "[ab](\\.[ab0]){0,2}") {
        let body: Vec<Json> = elements
            .iter()
            .map(|shape| shape.chars().rev().fold(Json::from(1), |inner, step| match step {
                'c' => vec![inner.clone(), inner].into(),
                name => [(name.to_string(), inner)].into_iter().collect(),
            }))
            .collect();
        let limits = Limits::default();
        let mapping = Mapping::compile(&members(&[("m", &path)]), &limits, &mut Faults::new()).unwrap();
        let whole = watched(|watch| mapping.apply(&body.clone().into(), &mut Visits::new(&limits), watch)).unwrap();
        // An element that is an array is mapped as a value here, which is why it stands in an object.
        let each: Json = body.iter().map(|element| {
            let inside: Json = [("e", element.clone())].into_iter().collect();
            let one = Mapping::compile(&members(&[("m", &format!("e.{path}"))]), &limits, &mut Faults::new()).unwrap();
            watched(|watch| one.apply(&inside, &mut Visits::new(&limits), watch)).unwrap()
        }).collect();
        prop_assert_eq!(whole, each);
    }
}

#[test]
fn a_result_key_that_is_absent_lists_what_there_is() {
    let apply = |path: &str, body: &str| {
        let key = ResultKey::compile(path, &Limits::default(), &mut Faults::new()).unwrap();
        match key.apply(&Json::parse(body).unwrap(), &mut Visits::new(&Limits::default())) {
            Ok(value) => value.to_string(),
            Err(error) => format!("{}: {error}", error.kind()),
        }
    };
    let wide = (0..30).map(|at| format!("\"key-{at}-{}\": 1", "x".repeat(100))).collect::<Vec<_>>().join(",");
    let wide = apply("nope", &format!("{{{wide}}}"));
    assert!(wide.ends_with("…, and 10 more") && wide.chars().count() < 1_100, "{wide}");
    let table = [
        ("total", ORDERS, "2"),
        ("next", ORDERS, "null"),
        ("orders.user.name", ORDERS, r#"["Ada","Bob"]"#),
        ("$..nope", ORDERS, "[]"),
        (
            "data",
            ORDERS,
            "result_key_missing: result_key: there is nothing at `data`; the keys are total, orders, next",
        ),
        (
            "/5",
            "[1,2]",
            "result_key_missing: result_key: there is nothing at `/5`; the value is an array of 2 elements",
        ),
        ("x", "{}", "result_key_missing: result_key: there is nothing at `x`; the value is an empty object"),
        // What no element of a list has is absent; what some lack is null.
        (
            "data.items",
            r#"[{"id":1,"a b":2},{"id":2}]"#,
            "result_key_missing: result_key: there is nothing at `data.items`; the value is an array of 2 elements; the \
             keys of the first are id, \"a b\"",
        ),
        (
            "x",
            "[1,{},null]",
            "result_key_missing: result_key: there is nothing at `x`; the value is an array of 3 elements",
        ),
        ("x", r#"[{},{"x":null}]"#, "[null,null]"),
        ("x.y", r#"[{},{"x":1}]"#, "[null,null]"),
        ("x", "[]", "[]"),
        ("x", "[[]]", "[[]]"),
        ("a.x", r#"{"a":[{},1]}"#, "[null,null]"),
        ("0", "[[null],{}]", "[null]"),
        ("$[*].x", "[{}]", "[]"),
        ("x", "null", "result_key_missing: result_key: there is nothing at `x`; the value is null"),
        ("x", "\"secret\"", "result_key_missing: result_key: there is nothing at `x`; the value is a string"),
    ];
    for (path, body, expected) in table {
        assert_eq!(apply(path, body), expected);
    }
    let deep = r#"{"data":{"items":[{"id":1}],"next":null,"none":{},"":0,"a, b":0,"\u0000":0},"meta":{}}"#;
    let names = r#"items, next, none, "", "a, b", "\0""#;
    for (path, expected) in [
        ("data.itemz", format!("the keys at `data` are {names}")),
        ("/data/itemz/0", format!("the keys at `/data` are {names}")),
        ("$.data['itemz'].id", format!("the keys at `$.data` are {names}")),
        ("dat.items", "the keys are data, meta".to_owned()),
        ("data.items.0.name.x", "the keys at `data.items.0` are id".to_owned()),
        (
            "data.items.1",
            "the value at `data.items` is an array of 1 elements; the keys of the first are id".to_owned(),
        ),
        ("data.none.x", "the value at `data.none` is an empty object".to_owned()),
        ("data.next.x", "the value at `data.next` is null".to_owned()),
        ("$.data.items[0].id.x", "the value at `$.data.items[0].id` is a number".to_owned()),
    ] {
        let told = format!("result_key_missing: result_key: there is nothing at `{path}`; {expected}");
        assert_eq!(apply(path, deep), told);
    }
}

/// The author of a mapping can write a secret into it, and a name is in the text as values are.
#[test]
fn a_name_that_holds_a_secret_is_masked() {
    let redactor = Redactor::new(["s3cret-key"]);
    let body = r#"{"id":1,"name":"x"}"#;
    // The first is read at once; where two want the same value, it is not.
    for (mapping, expected) in [
        (members(&[("id", "id"), ("is s3cret-key", "name")]), r#"{"id":1,"is ***":"x"}"#),
        (members(&[("id", "id"), ("is s3cret-key", "name"), ("k", "id")]), r#"{"id":1,"is ***":"x","k":1}"#),
    ] {
        let mut endpoint = endpoint();
        endpoint.response_mapping = Some(mapping);
        let pipeline = compiled(&endpoint);
        with_input(&Json::parse(body).unwrap(), &redactor, |input| {
            let (run, traced) = (pipeline.run(input).unwrap(), pipeline.trace(input));
            let wanted = pipeline.run_wanted(body.as_bytes(), &Limits::default(), input).unwrap();
            let traced_text = traced.text.unwrap().text;
            assert_eq!([&*run.text, &*wanted.text, &*traced_text], [expected; 3]);
            assert_eq!(traced.after_mapping.unwrap().to_string(), expected);
        });
    }
}

#[test]
fn limits_of_the_stages_are_named() {
    let mut limits = Limits::default();
    limits.max_path_matches = 10;
    let body = format!("[{}]", ["{\"a\":1}"; 6].join(","));
    let told = "a path visits more than 10 nodes of one body (`max_path_matches`); make it more specific, or ask the API for less";
    assert_eq!(filtered(&["$[0]", "$..*"], &body, &limits), format!("limit_exceeded: response_filter[1]: {told}"));
    assert_eq!(
        mapped(&[("x y", "$..*")], &body, &limits),
        format!("limit_exceeded: response_mapping[\"x y\"]: {told}")
    );
    let eleven: Vec<(String, String)> = (0..11).map(|at| (format!("m{at}"), "a".to_owned())).collect();
    let mapping = Mapping::compile(&eleven, &limits, &mut Faults::new()).unwrap();
    let four = Json::parse("[{},{},{},{}]").unwrap();
    let error = watched(|watch| mapping.apply(&four, &mut Visits::new(&limits), watch)).unwrap_err();
    assert_eq!(
        error.message(),
        "response_mapping: 4 elements with 11 members each are more than 40 members (4 × `max_path_matches`)"
    );
    let key = ResultKey::compile("$..*", &limits, &mut Faults::new()).unwrap();
    let error = key.apply(&Json::parse(&body).unwrap(), &mut Visits::new(&limits)).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::LimitExceeded, format!("result_key: {told}").as_str()));
}

#[test]
fn patterns_of_a_config_share_one_bound() {
    let path = |pattern: &str| format!("$[?match(@, '{pattern}')]");
    let mut endpoint = EndpointConfig::new("e", "An endpoint", "/e");
    endpoint.response_filter = Some(vec![path("[0-9]{4}"), path("\\\\p{L}{3}"), path("x"), "$.no.pattern".to_owned()]);
    endpoint.response_mapping = Some(vec![("m".to_owned(), path("y"))]);
    let faults = |max: usize| {
        let mut limits = Limits::default();
        limits.max_pattern_bytes = max;
        let mut faults = Faults::new();
        let pipeline = Pipeline::compile(&endpoint, &limits, &mut faults);
        assert_eq!(pipeline.is_some(), faults.is_empty());
        faults.iter().map(|fault| fault.place.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(faults(Limits::default().max_pattern_bytes), [""; 0]);
    // A small one is tried once; letters of every script take all sizes up to 256 KiB, and their tables.
    assert_eq!(faults(1 << 10), ["response_filter[1]", "response_filter[2]", "response_mapping.m"]);
    assert_eq!(faults(400 << 10), [""; 0]);
    assert_eq!(faults(0), ["response_filter[0]", "response_filter[1]", "response_filter[2]", "response_mapping.m"]);
    let mut limits = Limits::default();
    limits.max_pattern_bytes = 0;
    let mut told = Faults::new();
    assert!(Pipeline::compile(&endpoint, &limits, &mut told).is_none());
    let told = told.iter().next().unwrap().to_string();
    assert!(told.contains("`max_pattern_bytes`") && told.contains("`\\p{…}`"), "{told}");
}

#[test]
fn all_paths_of_an_endpoint_share_one_bound() {
    let told = "the paths up to this one visit more than 100 nodes of one body together (`max_total_path_matches`); use fewer \
                paths, make them more specific, or ask the API for less";
    let mut limits = Limits::default();
    limits.max_total_path_matches = 100;
    let body = Json::parse(&format!("{{\"a\":[{}]}}", ["{\"b\":1}"; 20].join(","))).unwrap();
    // Each of these paths visits 41 nodes.
    let dotted = || "a.b".to_owned();
    let named = |count: usize| (0..count).map(|at| (format!("m{at}"), dotted())).collect::<Vec<_>>();
    let table = [
        (Some(vec![dotted(); 2]), None, None, None),
        (Some(vec![dotted(); 3]), None, None, Some("response_filter[2]")),
        (Some(vec![dotted()]), Some(named(1)), None, None),
        (Some(vec![dotted()]), Some(named(2)), None, Some("response_mapping.m1")),
        (None, Some(named(2)), Some("$.m0[*]"), Some("result_key")),
        (None, Some(named(1)), Some("$.m0[*]"), None),
    ];
    for (filter, mapping, key, fails) in table {
        let mut endpoint = EndpointConfig::new("e", "An endpoint", "/e");
        (endpoint.response_filter, endpoint.response_mapping) = (filter, mapping);
        endpoint.result_key = key.map(str::to_owned);
        let pipeline = Pipeline::compile(&endpoint, &limits, &mut Faults::new()).unwrap();
        with_input(&body, &Redactor::default(), |input| {
            let whole = pipeline.run(input).map(drop).map_err(|error| error.message().to_owned());
            assert_eq!(whole, fails.map_or(Ok(()), |place| Err(format!("{place}: {told}"))), "{endpoint:?}");
            // What is wanted of the body costs the same, and twice is no more than once.
            let wanted = pipeline.run_wanted(body.to_string().as_bytes(), &limits, input);
            assert_eq!((wanted.is_some(), pipeline.run(input).is_ok()), (fails.is_none(), fails.is_none()));
        });
    }
}

#[test]
fn stages_follow_each_other() {
    let mut endpoint = endpoint();
    endpoint.response_filter = Some(vec!["orders.id".to_owned(), "orders.user".to_owned()]);
    endpoint.response_mapping = Some(members(&[("who", "orders.user.name"), ("ids", "$.orders[*].id")]));
    endpoint.result_key = Some("who".to_owned());
    let stages = trace(&endpoint, ORDERS);
    let shown = |value: &Option<Json>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(
        shown(&stages.after_filter),
        r#"{"orders":[{"id":1,"user":{"name":"Ada","mail":"a@x"}},{"id":2,"user":{"name":"Bob"}}]}"#
    );
    assert_eq!(shown(&stages.after_mapping), r#"{"who":["Ada","Bob"],"ids":[1,2]}"#);
    assert_eq!(shown(&stages.after_result_key), r#"["Ada","Bob"]"#);
    assert_eq!(stages.text.unwrap().text, r#"["Ada","Bob"]"#);
    assert!(stages.error.is_none());

    endpoint.result_template =
        Some("{{ result|join(' & ') }} of {{ response.total }} ({{ params.q }}, {{ status }})".to_owned());
    endpoint.max_result_length = 12;
    let text = trace(&endpoint, ORDERS).text.unwrap();
    assert_eq!(text.text, "Ada & Bob of");
    assert_eq!(text.truncation, Some(Truncation { kept: 12, from: Length::Exactly(23) }));
}

#[test]
fn what_forms_leave_empty_is_not_configured() {
    let mut endpoint = endpoint();
    endpoint.response_filter = Some(Vec::new());
    endpoint.response_mapping = Some(Vec::new());
    endpoint.result_key = Some(String::new());
    endpoint.result_template = Some(String::new());
    let stages = trace(&endpoint, "{\"b\":1.10,\"a\":null}");
    assert_eq!(stages.text.unwrap().text, "{\"b\":1.10,\"a\":null}");
    for (body, text) in [("null", ""), ("\"a\\nb\"", "a\nb"), ("true", "true"), ("[]", "[]")] {
        assert_eq!(trace(&endpoint, body).text.unwrap().text, text);
    }
}

#[test]
fn a_stage_that_fails_keeps_what_was_before() {
    let mut endpoint = endpoint();
    endpoint.response_filter = Some(vec!["total".to_owned()]);
    endpoint.result_key = Some("orders".to_owned());
    let stages = trace(&endpoint, ORDERS);
    assert_eq!(stages.after_filter.map(|value| value.to_string()).as_deref(), Some(r#"{"total":2}"#));
    assert_eq!(stages.after_mapping.map(|value| value.to_string()).as_deref(), Some(r#"{"total":2}"#));
    assert!(stages.after_result_key.is_none() && stages.text.is_none());
    assert_eq!(stages.error.unwrap().kind(), ErrorKind::ResultKeyMissing);

    endpoint.result_key = None;
    endpoint.result_template = Some("{{ nope }}".to_owned());
    let stages = trace(&endpoint, ORDERS);
    assert!(stages.after_result_key.is_some() && stages.text.is_none());
    let error = stages.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Template);
    assert_eq!(
        error.message(),
        "result_template, line 1: `nope` is undefined; there are result, response, params, status, total"
    );
}

#[test]
fn faults_have_their_places() {
    let mut endpoint = endpoint();
    endpoint.response_filter = Some(vec!["ok".to_owned(), "$[".to_owned(), "a..b".to_owned()]);
    endpoint.response_mapping = Some(members(&[("ok", "a"), ("total", "$..["), ("x", "")]));
    endpoint.result_key = Some(".".to_owned());
    endpoint.result_template = Some("\n{% if %}".to_owned());
    let mut faults = Faults::new();
    let pipeline = faults.field("endpoints", |faults| {
        faults.index(2, |faults| Pipeline::compile(&endpoint, &Limits::default(), faults))
    });
    assert!(pipeline.is_none());
    let places: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.place, fault.code)).collect();
    assert_eq!(
        places,
        [
            "endpoints[2].response_filter[1] path",
            "endpoints[2].response_filter[2] path",
            "endpoints[2].response_mapping.total path",
            "endpoints[2].response_mapping.x path",
            "endpoints[2].result_key path",
            "endpoints[2].result_template template",
        ]
    );
    assert_eq!(faults.iter().last().unwrap().message, "line 2: expected a value, not the end of the tag");

    let mut limits = Limits::default();
    limits.max_paths = 2;
    endpoint.response_filter = Some(vec!["a".to_owned(); 3]);
    endpoint.response_mapping = Some(members(&[("a", "a"), ("b", "b"), ("c", "c")]));
    endpoint.result_key = None;
    endpoint.result_template = None;
    let mut faults = Faults::new();
    assert!(Pipeline::compile(&endpoint, &limits, &mut faults).is_none());
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "response_filter: must have at most 2 paths (`max_paths`), not 3",
            "response_mapping: must have at most 2 members (`max_paths`), not 3",
        ]
    );
}

#[test]
fn secrets_in_params_do_not_come_out_in_messages() {
    let mut endpoint = endpoint();
    endpoint.result_template = Some("{{ [1]|map(params.token) }}".to_owned());
    let pipeline = compiled(&endpoint);
    let clock: SharedClock = support::clock();
    let params: Object = Json::parse(r#"{"token": "canary-123"}"#).unwrap().as_object().unwrap().clone();
    let redactor = Redactor::new(["canary-123"]);
    let deadline = Deadline::after(&clock, Duration::from_mins(1));
    let input = Input { body: &Json::Null, params: &params, status: 200, redactor: &redactor, clock: &clock, deadline };
    let error = pipeline.run(&input).unwrap_err();
    assert_eq!(error.message(), "result_template, line 1: `[1]|map(params.token)`: there is no filter \"***\"");
    assert!(!format!("{error:?} {pipeline:?}").contains("canary"));
}

#[test]
fn a_deadline_ends_every_stage() {
    let mut endpoint = endpoint();
    let clock = support::clock();
    let params = support::params();
    let body = Json::parse(ORDERS).unwrap();
    let mut failed = |change: &dyn Fn(&mut EndpointConfig)| {
        change(&mut endpoint);
        let deadline = Deadline::at(clock.now());
        let redactor = Redactor::default();
        let input = Input { body: &body, params: &params, status: 200, redactor: &redactor, clock: &clock, deadline };
        let error = compiled(&endpoint).run(&input).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        error.message().split(':').next().unwrap_or_default().to_owned()
    };
    assert_eq!(failed(&|endpoint| endpoint.result_template = Some("x".to_owned())), "result_template");
    assert_eq!(failed(&|endpoint| endpoint.response_mapping = Some(members(&[("a", "a")]))), "response_mapping");
    assert_eq!(failed(&|endpoint| endpoint.response_filter = Some(vec!["a".to_owned()])), "response_filter");
}

#[test]
fn a_deadline_ends_a_path_while_it_runs() {
    let path = || "$[?@ >= 0]".to_owned();
    let body: Json = (0..40_000).collect::<Vec<i32>>().into();
    let params = support::params();
    let redactor = Redactor::default();
    let told = |change: &dyn Fn(&mut EndpointConfig), seconds: u64| {
        let mut endpoint = endpoint();
        change(&mut endpoint);
        let clock = SteppingClock::new();
        let deadline = Deadline::at(clock.now() + Duration::from_secs(seconds));
        let clock = SharedClock::new(clock.with_step(Duration::from_secs(1)));
        let input = Input { body: &body, params: &params, status: 200, redactor: &redactor, clock: &clock, deadline };
        let outcome = compiled(&endpoint).run(&input);
        outcome.map_or_else(|error| format!("{}: {error}", error.kind()), |_| "text".to_owned())
    };
    let late = |place: &str| format!("timeout: {place}: the call's time was over before it had ended");
    let filter = |endpoint: &mut EndpointConfig| endpoint.response_filter = Some(vec![path()]);
    let mapping = |endpoint: &mut EndpointConfig| endpoint.response_mapping = Some(members(&[("m", path().as_str())]));
    let key = |endpoint: &mut EndpointConfig| endpoint.result_key = Some(path());
    // It visits 80,000 nodes, and the clock is looked at for each thousand: a second each time.
    assert_eq!(told(&filter, 20), late("response_filter[0]"));
    assert_eq!(told(&mapping, 20), late("response_mapping.m"));
    assert_eq!(told(&key, 20), late("result_key"));
    assert_eq!([told(&filter, 200), told(&mapping, 200), told(&key, 200)], ["text"; 3]);
}

#[test]
fn run_gives_the_text_of_the_trace_every_time() {
    let templates = ["", "{{ result|tojson }}", "{% for k in result %}{{ k }};{% endfor %}"];
    for template in templates {
        for max in [0, 1, 7, 40, 1_000] {
            let mut endpoint = endpoint();
            endpoint.result_template = Some(template.to_owned());
            endpoint.max_result_length = max;
            let pipeline = compiled(&endpoint);
            let body = Json::parse(ORDERS).unwrap();
            with_input(&body, &Redactor::default(), |input| {
                let traced = pipeline.trace(input).text.unwrap();
                for _ in 0..5 {
                    let ran = pipeline.run(input).unwrap();
                    assert_eq!(ran.text, traced.text);
                    assert_eq!(ran.truncation.map(|cut| cut.kept), traced.truncation.map(|cut| cut.kept));
                    if let (Some(ran), Some(traced)) = (ran.truncation, traced.truncation) {
                        let Length::Exactly(exact) = traced.from else { panic!("a trace counts to the end") };
                        assert!(matches!(ran.from, Length::Exactly(found) | Length::AtLeast(found) if found <= exact));
                    }
                }
            });
        }
    }
}
