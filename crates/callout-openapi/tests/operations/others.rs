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

#[test]
fn what_is_written_elsewhere_is_followed_or_reported() {
    let components = r#"{
        "operation": {"parameters": [{"name": "q", "in": "query", "required": true, "schema": {"type": "string"}}]},
        "media": {"schema": {"type": "object", "required": ["z"], "properties": {"z": {"type": "string"}}}}}"#;
    let here = r##"{"$ref": "#/components/schemas/media"}"##;
    let elsewhere = r#"{"$ref": "media.yaml"}"#;
    let post = |media: &str| {
        let body = format!(r#"{{"requestBody": {{"required": true, "content": {{"application/json": {media}}}}}}}"#);
        imported("3.1.0", "/x", "post", &body, components)
    };
    let get = |media: &str| {
        let parameter = format!(r#"{{"name": "q", "in": "query", "content": {{"application/json": {media}}}}}"#);
        imported("3.1.0", "/x", "get", &format!(r#"{{"parameters": [{parameter}]}}"#), components)
    };
    expect(
        &imported("3.1.0", "/x", "get", r##"{"$ref": "#/components/schemas/operation"}"##, components),
        &[
            "GET /x{?q}",
            r#"{"type":"object","properties":{"q":{"type":"string"}},"required":["q"],"additionalProperties":false}"#,
        ],
    );
    let media = r#"{"type":"object","properties":{"z":{"type":"string"}},"required":["z"]}"#;
    expect(&post(here), &["POST /x", media]);
    expect(
        &post(elsewhere),
        &[r#"- its body cannot be read: `$ref` "media.yaml" leads out of the document, and nothing is fetched"#],
    );
    let media = r#"{"type":"object","required":["z"],"properties":{"z":{"type":"string"}}}"#;
    expect(
        &get(here),
        &["GET /x{?q}", &format!(r#"{{"type":"object","properties":{{"q":{media}}},"additionalProperties":false}}"#)],
    );
    expect(
        &get(elsewhere),
        &[
            "GET /x{?q}",
            r#"{"type":"object","properties":{"q":{"type":"string","description":"Written as JSON text."}},"additionalProperties":false}"#,
            r#"- `$ref` "media.yaml" leads out of the document, and nothing is fetched: anything is accepted"#,
            "- a value of a media type of its own becomes its text",
        ],
    );
    for parameters in [r##"{"$ref": "#/components/x-all"}"##, r#"{"q": {"name": "q", "in": "query"}}"#] {
        expect(
            &imported("3.0.3", "/x", "get", &format!(r#"{{"parameters": {parameters}}}"#), "{}"),
            &[
                "GET /x",
                r#"{"type":"object","additionalProperties":false}"#,
                "- `parameters` is no list: what it holds is left out",
            ],
        );
    }
}
