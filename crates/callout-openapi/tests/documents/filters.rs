//! Response filters that are proposed.

use callout_openapi::Options;

use crate::run;

/// A document whose one answer has that schema.
fn answer(schema: &str) -> String {
    format!(
        r#"{{"openapi": "3.0.0", "info": {{"title": "Shop"}}, "servers": [{{"url": "https://a.example"}}], "paths": {{"/a": {{"get": {{"responses": {{"200": {{"content": {{"application/json": {{"schema": {schema}}}}}}}}}}}}}}}}}"#
    )
}

/// So many texts, as members of an object.
fn texts(count: usize) -> String {
    (0..count).map(|at| format!(r#", "f{at}": {{"type": "string"}}"#)).collect()
}

#[test]
fn large_answers_get_a_proposal_that_is_set_only_on_request() {
    let item = format!(
        r#"{{"type": "object", "properties": {{"id": {{"type": "integer"}}, "owner": {{"type": "object"}}{}}}}}"#,
        texts(60)
    );
    let list = answer(&format!(r#"{{"type": "array", "items": {item}}}"#));
    let imported = run(&list, &Options::default()).unwrap();
    assert_eq!(imported.proposals[0].response_filter, ["id", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"]);
    assert_eq!(imported.integrations[0].endpoints[0].response_filter, None);
    let mut options = Options::default();
    options.propose_filters = true;
    let imported = run(&list, &options).unwrap();
    assert_eq!(
        imported.integrations[0].endpoints[0].response_filter.as_ref(),
        Some(&imported.proposals[0].response_filter)
    );
    let page = answer(&format!(
        r#"{{"type": "object", "properties": {{"total": {{"type": "integer"}}, "items": {{"type": "array", "items": {item}}}}}}}"#
    ));
    let filter = run(&page, &Options::default()).unwrap().proposals.remove(0).response_filter;
    assert_eq!(filter[..3], ["total", "items.id", "items.f0"]);
    let small = answer(r#"{"type": "object", "properties": {"id": {"type": "integer"}}}"#);
    assert!(run(&small, &Options::default()).unwrap().proposals.is_empty());
}

#[test]
fn no_filter_is_proposed_that_might_leave_out_what_an_answer_is_about() {
    let object = |members: &str| format!(r#"{{"type": "object", "properties": {{{members}}}}}"#);
    let list = |items: &str| format!(r#"{{"type": "array", "items": {items}}}"#);
    let thing = object(&format!(r#""id": {{"type": "integer"}}{}"#, texts(50)));
    let untold = object(&format!(r#""x": {{"type": "string"}}{}"#, texts(50)));
    let around = r#""request_id": {"type": "string"}"#;
    let either = format!(r#"{{"oneOf": [{thing}, {untold}]}}"#);
    let few = object(r#""next": {"type": "string"}, "last": {"type": "string"}"#);
    let none: &[&str] = &[];
    let id = ["request_id", "thing.id", "thing.f0", "thing.f1", "thing.f2", "thing.f3", "thing.f4", "thing.f5"];
    let listed = ["request_id", "links", "things.id", "things.f0", "things.f1", "things.f2", "things.f3", "things.f4"];
    for (name, members, expected) in [
        // What is around one thing is nothing without it.
        ("one", format!(r#"{around}, "thing": {thing}"#), &id[..]),
        ("a list, and what is small", format!(r#"{around}, "links": {few}, "things": {}"#, list(&thing)), &listed[..]),
        ("two", format!(r#"{around}, "thing": {thing}, "other": {thing}"#), none),
        ("alternatives", format!(r#"{around}, "thing": {either}"#), none),
        ("a list of alternatives", format!(r#"{around}, "things": {}"#, list(&either)), none),
        ("a list of what has nothing telling", format!(r#"{around}, "things": {}"#, list(&untold)), none),
        ("a name that is no step", format!(r#"{around}, "the.thing": {thing}"#), none),
        ("a list of lists", format!(r#"{around}, "things": {}"#, list(&list(&thing))), none),
    ] {
        let imported = run(&answer(&object(&members)), &Options::default()).unwrap();
        let proposed: Vec<&str> =
            imported.proposals.iter().flat_map(|proposal| &proposal.response_filter).map(String::as_str).collect();
        let at_most = expected.len().min(proposed.len());
        assert_eq!(proposed[..at_most], *expected, "{name}: {proposed:?}");
        assert_eq!(proposed.is_empty(), expected.is_empty(), "{name}: {proposed:?}");
    }
    let imported = run(&answer(&list(&either)), &Options::default()).unwrap();
    assert!(imported.proposals.is_empty(), "{:?}", imported.proposals);
}
