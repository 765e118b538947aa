//! Answers, callbacks, and what cannot be read.

use crate::{expect, imported};

#[test]
fn the_default_answer_says_what_is_asked_for_only_where_there_is_no_good_one() {
    let answers = |rest: &str| imported("3.0.3", "/x", "get", &format!(r#"{{"responses": {{{rest}}}}}"#), "{}");
    let nothing = r#"{"type":"object","additionalProperties":false}"#;
    let problem = r#""default": {"content": {"application/problem+json": {}}}"#;
    for (rest, expected) in [
        (problem.to_owned(), vec![r#"{"Accept":"application/problem+json"}"#, nothing]),
        (format!(r#""204": {{}}, {problem}"#), vec![nothing]),
        (
            r#""2XX": {"content": {"text/csv": {}}}, "default": {"content": {"application/json": {}}}"#.to_owned(),
            vec![r#"{"Accept":"text/csv"}"#, nothing],
        ),
        (format!(r#""404": {{}}, {problem}"#), vec![r#"{"Accept":"application/problem+json"}"#, nothing]),
    ] {
        expect(&answers(&rest), &[&["GET /x"], expected.as_slice()].concat());
    }
}

#[test]
fn callbacks_and_what_cannot_be_read_are_reported() {
    expect(
        &imported(
            "3.0.3",
            "/x",
            "get",
            r##"{"callbacks": {"done": {}}, "parameters": [{"in": "query"}, {"$ref": "#/nope"}]}"##,
            "{}",
        ),
        &[
            "GET /x",
            r#"{"type":"object","additionalProperties":false}"#,
            "- a parameter without a name is left out",
            r##"- a parameter that cannot be read: `$ref` "#/nope" leads nowhere"##,
            "- the callback \"done\" is not carried over: nothing listens here",
        ],
    );
}
