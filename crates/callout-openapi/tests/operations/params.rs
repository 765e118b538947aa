//! Parameters: which of them become params, and what is said of the others.

use crate::{expect, imported};

fn parameter(rest: &str) -> String {
    format!(r#"{{"parameters": [{{"name": "q", "in": "query", {rest}}}]}}"#)
}

#[test]
fn query_parameters_are_carried_where_their_style_is_one_that_can_be_sent() {
    let table: [(&str, &[&str]); 26] = [
        (
            r#""schema": {"type": "integer", "minimum": 1}, "required": true, "description": "Which *page*.""#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"integer","minimum":1,"description":"Which *page*."}},"required":["q"],"additionalProperties":false}"#,
            ],
        ),
        (
            r#""schema": {"type": "array", "items": {"type": "string"}}"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"array","items":{"type":"string"}}},"additionalProperties":false}"#,
            ],
        ),
        (
            r#""explode": false, "schema": {"type": "array", "items": {"type": "string"}, "description": "Ids."}"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"string","description":"Ids. Several values are written with a comma between them."}},"additionalProperties":false}"#,
                "- an array in one value becomes text with a comma between the elements",
            ],
        ),
        (
            r#""style": "pipeDelimited", "schema": {"type": "array", "items": {"type": "string"}}"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"string","description":"Several values are written with `|` between them."}},"additionalProperties":false}"#,
                "- an array in one value becomes text with `|` between the elements",
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}, "required": true"#,
            &[
                "GET /x{?q[a],q[b]}",
                r#"{"type":"object","properties":{"q[a]":{"type":"integer"},"q[b]":{"type":"string"}},"required":["q[a]"],"additionalProperties":false}"#,
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"gt": {"type": "integer"}}}]}"#,
            &[
                "GET /x{?q[gt],q}",
                r#"{"type":"object","properties":{"q[gt]":{"type":"integer"},"q":{"type":"integer"}},"additionalProperties":false}"#,
            ],
        ),
        // What can be given by its members is required by none of its keys.
        (
            r#""required": true, "style": "deepObject", "schema": {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"gt": {}}, "required": ["gt"]}]}"#,
            &[
                "GET /x{?q[gt],q}",
                r#"{"type":"object","properties":{"q[gt]":{},"q":{"type":"integer"}},"additionalProperties":false}"#,
                "- it is required, itself or by its members: that is not checked",
            ],
        ),
        (
            r#""required": true, "style": "deepObject", "schema": {"type": "object", "required": ["in"], "properties": {"in": {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"x": {}}}]}}}"#,
            &[
                "GET /x{?q[in][x],q[in]}",
                r#"{"type":"object","properties":{"q[in][x]":{},"q[in]":{"type":"integer"}},"additionalProperties":false}"#,
                ". its members are written as `q[in][…]`",
                "- it is required, itself or by its members: that is not checked",
            ],
        ),
        (
            r#""schema": {"oneOf": [{"type": "integer"}, {"type": "object", "properties": {"a": {}}}], "default": 1}"#,
            &[
                "GET /x{?a,q}",
                r#"{"type":"object","properties":{"a":{},"q":{"default":1,"oneOf":[{"type":"integer"}]}},"additionalProperties":false}"#,
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"allOf": [{"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"gt": {}}}]}]}"#,
            &[
                "GET /x{?q[gt],q}",
                r#"{"type":"object","properties":{"q[gt]":{},"q":{"allOf":[{"anyOf":[{"type":"integer"},{"type":"object","properties":{"gt":{}}}]}],"not":{"type":"object"}}},"additionalProperties":false}"#,
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"type": ["object", "string"], "properties": {"a": {}}}"#,
            &[
                "GET /x{?q[a],q}",
                r#"{"type":"object","properties":{"q[a]":{},"q":{"type":["string"],"properties":{"a":{}}}},"additionalProperties":false}"#,
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"anyOf": [{"type": "object", "additionalProperties": {"type": "string"}}, {"type": "string", "enum": [""]}]}"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"string","enum":[""]}},"additionalProperties":false}"#,
                "- members that are not named cannot be passed",
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"type": "object", "properties": {"in": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object", "properties": {"x": {}}}]}}}"#,
            &[
                "GET /x{?q[in][x],q[in][]}",
                r#"{"type":"object","properties":{"q[in][x]":{},"q[in][]":{"type":"array","items":{"type":"string"}}},"additionalProperties":false}"#,
                ". its members are written as `q[in][…]`",
                ". the document does not say how an array is written here: `q[in][]` is repeated",
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"oneOf": [{"type": "object", "properties": {"k": {"enum": ["a"]}, "x": {}}}, {"type": "object", "properties": {"k": {"enum": ["b"]}}}, {"type": "object", "properties": {"k": {"enum": ["c"]}, "x": {}}}]}"#,
            &[
                "GET /x{?q[k],q[x]}",
                r#"{"type":"object","properties":{"q[k]":{"anyOf":[{"enum":["a"]},{"enum":["b"]},{"enum":["c"]}]},"q[x]":{}},"additionalProperties":false}"#,
            ],
        ),
        // What one alternative alone requires is not required.
        (
            r#""required": true, "style": "deepObject", "schema": {"type": "object", "required": ["f"], "oneOf": [{"properties": {"f": {"type": "object", "required": ["k", "x"], "properties": {"k": {}, "x": {}}}}}, {"properties": {"f": {"type": "object", "required": ["k", "y"], "properties": {"k": {}, "y": {}}}}}]}"#,
            &[
                "GET /x{?q[f][k],q[f][x],q[f][y]}",
                r#"{"type":"object","properties":{"q[f][k]":{},"q[f][x]":{},"q[f][y]":{}},"required":["q[f][k]"],"additionalProperties":false}"#,
                ". its members are written as `q[f][…]`",
                ". its members are written as `q[f][…]`",
            ],
        ),
        // What the object itself says of a member, an alternative does not take back.
        (
            r#""style": "deepObject", "schema": {"type": "object", "properties": {"k": {"type": "string"}}, "anyOf": [{"properties": {"k": {"minLength": 3}}}, {"properties": {"m": {"type": "integer"}}}]}"#,
            &[
                "GET /x{?q[k],q[m]}",
                r#"{"type":"object","properties":{"q[k]":{"type":"string"},"q[m]":{"type":"integer"}},"additionalProperties":false}"#,
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"additionalProperties": {"type": "string"}}"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"additionalProperties":{"type":"string"}}},"additionalProperties":false}"#,
                "- it may be anything: an object is written as JSON text, not as `q[…]`",
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"type": "object", "properties": {"in": {"type": "object", "properties": {"x": {"type": "string"}, "l": {"type": "array", "items": {"type": "string"}}}}}}"#,
            &[
                "GET /x{?q[in][x],q[in][l][]}",
                r#"{"type":"object","properties":{"q[in][x]":{"type":"string"},"q[in][l][]":{"type":"array","items":{"type":"string"}}},"additionalProperties":false}"#,
                ". its members are written as `q[in][…]`",
                ". the document does not say how an array is written here: `q[in][l][]` is repeated",
            ],
        ),
        (
            r#""style": "deepObject", "schema": {"type": "object", "additionalProperties": {"type": "string"}}"#,
            &[
                "GET /x",
                r#"{"type":"object","additionalProperties":false}"#,
                "- members that are not named cannot be passed",
            ],
        ),
        (
            r#""schema": {"type": "object", "properties": {"a": {"type": "integer"}}}"#,
            &["GET /x{?a}", r#"{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}"#],
        ),
        (
            r#""explode": false, "schema": {"type": "object", "properties": {"a": {"type": "integer"}}}"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"object","properties":{"a":{"type":"integer"}}}},"additionalProperties":false}"#,
                "- an object in one value is written as JSON text, not with commas",
            ],
        ),
        (
            r#""content": {"application/json": {"schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}}"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"object","properties":{"a":{"type":"integer"}}}},"additionalProperties":false}"#,
            ],
        ),
        (
            r#""content": {"application/json": {"schema": {"type": "array", "items": {"type": "integer"}}}}"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"string","description":"Written as JSON text."}},"additionalProperties":false}"#,
                "- a value of a media type of its own becomes its text",
            ],
        ),
        (
            r#""schema": {"type": "array", "items": {"type": "object", "properties": {}}}"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"array","items":{"type":"object","properties":{}}}},"additionalProperties":false}"#,
                "- elements that are no scalars are written as JSON text",
            ],
        ),
        (
            r#""deprecated": true"#,
            &[
                "GET /x{?q}",
                r#"{"type":"object","properties":{"q":{"type":"string","deprecated":true}},"additionalProperties":false}"#,
            ],
        ),
        (r#""schema": {}"#, &["GET /x{?q}", r#"{"type":"object","properties":{"q":{}},"additionalProperties":false}"#]),
    ];
    for (rest, expected) in table {
        expect(&imported("3.0.3", "/x", "get", &parameter(rest), "{}"), expected);
    }
}

#[test]
fn path_parameters_keep_their_place_and_get_legal_names() {
    let path = |path: &str, rest: &str| {
        imported(
            "3.0.3",
            path,
            "get",
            &format!(r#"{{"parameters": [{{"in": "path", "required": true, {rest}}}]}}"#),
            "{}",
        )
    };
    let id = |schema: &str| {
        format!(r#"{{"type":"object","properties":{{"id":{schema}}},"required":["id"],"additionalProperties":false}}"#)
    };
    let integer = id(r#"{"type":"integer"}"#);
    expect(&path("/a/{id}/b", r#""name": "id", "schema": {"type": "integer"}"#), &["GET /a/{id}/b", &integer]);
    expect(&path("/a/{id}.json", r#""name": "id", "schema": {"type": "integer"}"#), &["GET /a/{id}.json", &integer]);
    expect(
        &path("/a{id}", r#""name": "id", "style": "label", "schema": {"type": "integer"}"#),
        &["GET /a.{id}", &integer],
    );
    expect(
        &path("/a{id}", r#""name": "id", "style": "matrix", "schema": {"type": "integer"}"#),
        &["GET /a;id={id}", &integer],
    );
    expect(
        &path("/a/{id}", r#""name": "id", "schema": {"type": "array", "items": {"type": "integer"}}"#),
        &[
            "GET /a/{id}",
            &id(r#"{"type":"string","description":"Several values are written with a comma between them."}"#),
            "- an array or object in the path becomes text with commas between its parts",
        ],
    );
    expect(
        &path("/a/{the id}", r#""name": "the id", "schema": {"type": "string"}"#),
        &[
            "GET /a/{the_id}",
            r#"{"type":"object","properties":{"the_id":{"type":"string"}},"required":["the_id"],"additionalProperties":false}"#,
            r#". `{the id}` of the path is the param "the_id""#,
        ],
    );
    expect(
        &path("/a/{rest+}", r#""name": "rest+", "schema": {"type": "string"}"#),
        &[
            "GET /a/{rest}",
            r#"{"type":"object","properties":{"rest":{"type":"string"}},"required":["rest"],"additionalProperties":false}"#,
        ],
    );
    expect(
        &path("/a/{+rest}", r#""name": "rest", "schema": {"type": "string"}"#),
        &[
            "GET /a/{rest}",
            r#"{"type":"object","properties":{"rest":{"type":"string"}},"required":["rest"],"additionalProperties":false}"#,
            "- `{+rest}` takes one segment here, without slashes",
        ],
    );
    expect(
        &path("/a/{id}", r#""name": "other", "schema": {"type": "string"}"#),
        &[
            "GET /a/{id}",
            &id(r#"{"type":"string"}"#),
            ". `{id}` of the path is not described: it is taken as text",
            ". the path has no `{other}`",
        ],
    );
    expect(
        &imported("3.0.3", "/a#b", "get", "{}", "{}"),
        &[
            "GET /a",
            r#"{"type":"object","additionalProperties":false}"#,
            "- the path's fragment (`#…`) is never sent and is left out",
        ],
    );
    expect(&imported("3.0.3", "/a{b", "get", "{}", "{}"), &["- the path has a `{` that nothing closes"]);
}

#[test]
fn headers_and_cookies_are_reported_and_constant_headers_sent() {
    let header = |rest: &str| imported("3.0.3", "/x", "get", &format!(r#"{{"parameters": [{{{rest}}}]}}"#), "{}");
    let nothing = r#"{"type":"object","additionalProperties":false}"#;
    for (rest, expected) in [
        (r#""name": "X-A", "in": "header""#, vec![nothing, r#"- the header "X-A" is not sent"#]),
        (
            r#""name": "X-A", "in": "header", "required": true, "schema": {"type": "string"}"#,
            vec![nothing, r#"- the header "X-A" is required and not sent: give it its value (`--header`)"#],
        ),
        (r#""name": "X-A", "in": "header", "schema": {"enum": ["v1"]}"#, vec![r#"{"X-A":"v1"}"#, nothing]),
        (r#""name": "X-A", "in": "header", "schema": {"const": 2}"#, vec![r#"{"X-A":"2"}"#, nothing]),
        (
            r#""name": "X-A", "in": "header", "required": true, "schema": {"default": "d"}"#,
            vec![r#"{"X-A":"d"}"#, nothing, r#"- the header "X-A" is sent with its default, always"#],
        ),
        (r#""name": "accept", "in": "header", "required": true"#, vec![nothing]),
        (
            r#""name": "authorization", "in": "header", "required": true, "schema": {"type": "string"}"#,
            vec![
                nothing,
                r#"- the header "authorization" is required and not sent: `--auth bearer_token` sends a token in it"#,
            ],
        ),
        (
            r#""name": "Authorization", "in": "header""#,
            vec![nothing, r#"- the header "Authorization" is not sent: `--auth bearer_token` sends a token in it"#],
        ),
        (r#""name": "sid", "in": "cookie", "required": true"#, vec![nothing, r#"- the cookie "sid" is not sent"#]),
        (
            r#""name": "b", "in": "body""#,
            vec![nothing, r#"- the parameter "b" stands in "body", which is no place here"#],
        ),
    ] {
        expect(&header(rest), &[&["GET /x"], expected.as_slice()].concat());
    }
}

#[test]
fn names_that_meet_are_told_apart() {
    let operation = |query: &str| {
        format!(
            r#"{{"parameters": [{{"name": "name", "in": "path", "required": true, "schema": {{"type": "string"}}}}, {query}],
            "requestBody": {{"content": {{"application/json": {{"schema": {{"properties": {{"name": {{}}, "q": {{}}}}}}}}}}}}}}"#
        )
    };
    let patch = |query: &str| imported("3.0.3", "/x/{name}", "patch", &operation(query), "{}");
    let renamed = r#". `{name}` of the path is the param "path_name""#;
    expect(
        &patch(r#"{"name": "q", "in": "query", "required": true, "schema": {"type": "integer"}}"#),
        &[
            "PATCH /x/{path_name}?q={query_q}",
            r#"{"type":"object","properties":{"path_name":{"type":"string"},"query_q":{"type":"integer"},"name":{},"q":{}},"required":["path_name","query_q"]}"#,
            renamed,
            r#". the query parameter "q" is the param "query_q", for it is a name of the body too"#,
        ],
    );
    expect(
        &patch(r#"{"name": "q", "in": "query", "schema": {"type": "integer"}}"#),
        &[
            "PATCH /x/{path_name}",
            r#"{"type":"object","properties":{"path_name":{"type":"string"},"name":{},"q":{}},"required":["path_name"]}"#,
            renamed,
            r#"- the query parameter "q" is a name of the body too and is left out"#,
        ],
    );
}
