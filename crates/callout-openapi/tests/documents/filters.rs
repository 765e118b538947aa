//! Response filters that are proposed.

use callout_openapi::Options;

use crate::run;

#[test]
fn large_answers_get_a_proposal_that_is_set_only_on_request() {
    let fields: Vec<String> = (0..60).map(|at| format!(r#""f{at}": {{"type": "string"}}"#)).collect();
    let item = format!(
        r#"{{"type": "object", "properties": {{"id": {{"type": "integer"}}, "owner": {{"type": "object"}}, {}}}}}"#,
        fields.join(",")
    );
    let answer = |schema: &str| {
        format!(
            r#"{{"openapi": "3.0.0", "info": {{"title": "Shop"}}, "servers": [{{"url": "https://a.example"}}], "paths": {{"/a": {{"get": {{"responses": {{"200": {{"content": {{"application/json": {{"schema": {schema}}}}}}}}}}}}}}}}}"#
        )
    };
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
