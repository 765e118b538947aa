//! What becomes of one operation, rule by rule: its path, its schema, and what is said of it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not there")]

use callout_core::{json::Json, limits::Limits, secret::Secrets};
use callout_openapi::{Document, Fate, Imported, Options, Severity, import, lean};

/// Imports a document; `operation` stands at its path and method, `components` are more of it.
fn imported(version: &str, path: &str, method: &str, operation: &str, components: &str) -> Imported {
    let text = format!(
        r#"{{"openapi": "{version}", "info": {{"title": "Shop"}}, "servers": [{{"url": "https://shop.example/v1"}}],
            "paths": {{"{path}": {{"{method}": {operation}}}}}, "components": {{"schemas": {components}}}}}"#
    );
    let document = Document::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    import(&document, &Options::default(), &|config, faults| {
        config.check(&Secrets::new(), &Limits::default(), faults);
    })
    .unwrap()
}

/// `METHOD path`, a `form`, the headers and the schema; then what was found: `-` for a loss, `.` for a note.
fn told(imported: &Imported) -> Vec<String> {
    let operation = &imported.report.operations[0];
    let mut told = Vec::new();
    match imported.integrations.first() {
        Some(shop) => {
            let endpoint = lean(shop).get("endpoints").and_then(|all| all.as_array()?.first().cloned()).unwrap();
            let text = |name: &str| {
                endpoint.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            };
            told.push(format!("{} {}", text("method").unwrap(), text("path").unwrap()));
            told.extend(text("body_format"));
            told.extend(text("headers"));
            told.push(text("input_schema").unwrap());
        }
        None => assert_eq!(operation.fate, Fate::LeftOut),
    }
    for finding in &operation.findings {
        let mark = if finding.severity == Severity::Loss { '-' } else { '.' };
        told.push(format!("{mark} {}", finding.reason));
    }
    told
}

#[track_caller]
fn expect(found: &Imported, expected: &[&str]) {
    let found = told(found);
    assert_eq!(found, expected, "\n{}", found.join("\n"));
}

fn parameter(rest: &str) -> String {
    format!(r#"{{"parameters": [{{"name": "q", "in": "query", {rest}}}]}}"#)
}

#[test]
fn query_parameters_are_carried_where_their_style_is_one_that_can_be_sent() {
    let table: [(&str, &[&str]); 15] = [
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
                r#"{"type":"object","properties":{"q[gt]":{"type":"integer"},"q":{"anyOf":[{"type":"integer"},{"type":"object","properties":{"gt":{"type":"integer"}}}]}},"additionalProperties":false}"#,
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

fn body(media: &str, schema: &str, required: bool) -> String {
    format!(r#"{{"requestBody": {{"required": {required}, "content": {{"{media}": {{"schema": {schema}}}}}}}}}"#)
}

#[test]
fn bodies_that_are_objects_become_params() {
    let object =
        r#"{"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}"#;
    let written = r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"]}"#;
    let post =
        |media: &str, schema: &str, required| imported("3.0.3", "/x", "post", &body(media, schema, required), "{}");
    expect(&post("application/json", object, true), &["POST /x", written]);
    expect(&post("application/json; charset=utf-8", object, true), &["POST /x", written]);
    expect(
        &post("application/json", object, false),
        &["POST /x", written, ". the body need not be sent, but always is"],
    );
    expect(&post("application/x-www-form-urlencoded", object, true), &["POST /x", "form", written]);
    expect(
        &post("application/vnd.api+json", object, true),
        &["POST /x", r#"{"Content-Type":"application/vnd.api+json"}"#, written],
    );
    expect(&post("*/*", object, true), &["POST /x", written]);
    expect(
        &post("application/json", "{}", true),
        &["POST /x", r#"{"type":"object"}"#, ". the body may be anything: an object is sent"],
    );
    expect(
        &post("application/json", r#"{"type": "object", "additionalProperties": {"type": "string"}}"#, true),
        &["POST /x", r#"{"type":"object","additionalProperties":{"type":"string"}}"#],
    );
    expect(
        &post(
            "application/json",
            r#"{"required": ["id", "a"], "properties": {"id": {"type": "string", "readOnly": true}, "a": {}}}"#,
            true,
        ),
        &["POST /x", r#"{"type":"object","properties":{"a":{}},"required":["a"]}"#],
    );
    expect(
        &post("application/json", r#"{"type": "array", "items": {}}"#, true),
        &["- its body is no object, and only objects can be sent"],
    );
    expect(
        &post("application/json", r#"{"type": "string"}"#, false),
        &[
            "POST /x",
            r#"{"type":"object","additionalProperties":false}"#,
            "- its body is no object, and only objects can be sent; it is called without",
        ],
    );
    expect(&post("multipart/form-data", object, true), &["- a body of multipart/form-data cannot be sent"]);
    let delete =
        |schema, required| imported("3.0.3", "/x", "delete", &body("application/json", schema, required), "{}");
    expect(&delete(object, true), &["- a body cannot be sent with DELETE"]);
    expect(
        &delete(r#"{"type": "object", "properties": {}, "additionalProperties": false}"#, false),
        &["DELETE /x", r#"{"type":"object","additionalProperties":false}"#, ". an empty body is not sent"],
    );
    expect(&imported("3.0.3", "/x", "head", "{}", "{}"), &["- HEAD is no method of an endpoint"]);
}

#[test]
fn combined_bodies_are_merged_or_kept() {
    let post = |schema: &str| {
        imported(
            "3.0.3",
            "/x/{id}",
            "post",
            &body("application/json", schema, true),
            r#"{"A": {"properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}}"#,
        )
    };
    let id = ". `{id}` of the path is not described: it is taken as text";
    expect(
        &post(r##"{"allOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"b": {}}}]}"##),
        &[
            "POST /x/{id}",
            r#"{"type":"object","properties":{"id":{"type":"string"},"a":{"type":"string"},"b":{}},"required":["id","a"]}"#,
            id,
        ],
    );
    expect(
        &post(r##"{"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "array", "items": {}}]}"##),
        &[
            "POST /x/{id}",
            r#"{"type":"object","properties":{"id":{"type":"string"},"a":{"type":"string"}},"required":["id","a"],"additionalProperties":false}"#,
            "- an alternative that is no object cannot be sent",
            id,
        ],
    );
    // What is said twice is said once.
    expect(
        &post(r##"{"allOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A"}]}"##),
        &[
            "POST /x/{id}",
            r#"{"type":"object","properties":{"id":{"type":"string"},"a":{"type":"string"}},"required":["id","a"],"additionalProperties":false}"#,
            id,
        ],
    );
    // A closed alternative is opened for what is not of the body.
    expect(
        &post(
            r##"{"properties": {"k": {}}, "oneOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"c": {}}, "required": ["c"]}], "minProperties": 1}"##,
        ),
        &[
            "POST /x/{id}",
            r#"{"type":"object","properties":{"id":{"type":"string"},"k":{}},"required":["id"],"oneOf":[{"properties":{"a":{"type":"string"},"id":{}},"required":["a"],"additionalProperties":false},{"properties":{"c":{}},"required":["c"]}],"minProperties":2}"#,
            id,
        ],
    );
    // Where it stands behind a reference of its own, the others are not spoken of.
    expect(
        &post(r##"{"oneOf": [{"allOf": [{"$ref": "#/components/schemas/A"}]}, {"properties": {"c": {}}}]}"##),
        &[
            "POST /x/{id}",
            r#"{"type":"object","oneOf":[{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}]},{"properties":{"c":{}}}]}"#,
            id,
            ". params beside the body are text, for its schema leaves no room to say more",
        ],
    );
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

#[test]
fn schemas_stand_alone_and_are_of_one_dialect() {
    let schema = |version: &str, schema: &str, components: &str| {
        let found = imported(
            version,
            "/x",
            "post",
            &body("application/json", &format!(r#"{{"properties": {{"p": {schema}}}}}"#), true),
            components,
        );
        let told = told(&found);
        let written = Json::parse(&told[1]).unwrap();
        let property =
            written.get("properties").and_then(|all| all.get("p")).map(ToString::to_string).unwrap_or_default();
        let definitions = written.get("$defs").map(|all| format!(" {all}")).unwrap_or_default();
        let losses: Vec<_> =
            told[2..].iter().filter(|line| line.starts_with('-')).map(|line| format!(" {line}")).collect();
        format!("{property}{definitions}{}", losses.concat())
    };
    for (text, expected) in [
        (
            r#"{"type": "string", "nullable": true, "enum": ["a", "a"]}"#,
            r#"{"type":["string","null"],"enum":["a",null]}"#,
        ),
        (
            r#"{"type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false}"#,
            r#"{"type":"integer","exclusiveMinimum":1,"maximum":9}"#,
        ),
        (
            r#"{"nullable": true, "allOf": [{"type": "string"}]}"#,
            r#"{"anyOf":[{"allOf":[{"type":"string"}]},{"type":"null"}]}"#,
        ),
        (
            r#"{"type": "file", "required": true, "items": 3, "minLength": -1, "pattern": 5, "x-a": 1, "example": 1, "xml": {}}"#,
            "{}",
        ),
        (
            r#"{"type": "array", "items": {"type": "object", "properties": {"r": {"readOnly": true}, "w": {"writeOnly": true}}, "required": ["r", "w"]}}"#,
            r#"{"type":"array","items":{"type":"object","properties":{"w":{}},"required":["w"]}}"#,
        ),
        (r#"{"type": "string", "enum": [1, true, "x"]}"#, r#"{"type":"string","enum":["1","true","x"]}"#),
        (
            r#"{"minLength": 2.0, "multipleOf": 0, "default": [1], "description": "<b>Bold</b> text"}"#,
            r#"{"minLength":2,"default":[1],"description":"Bold text"}"#,
        ),
        ("7", "{} - is no schema but of type number: anything is accepted"),
        (
            r#"{"$ref": "other.yaml#/A"}"#,
            r#"{} - `$ref` "other.yaml#/A" leads out of the document, and nothing is fetched: anything is accepted"#,
        ),
        (r##"{"$ref": "#/nowhere"}"##, r##"{} - `$ref` "#/nowhere" leads nowhere: anything is accepted"##),
    ] {
        assert_eq!(schema("3.0.3", text, "{}"), expected, "{text}");
    }
    for (text, expected) in [
        (r#"{"type": ["string", "null", "nope"], "const": null}"#, r#"{"type":["string","null"],"const":null}"#),
        ("true", "{}"),
        ("false", r#"{"not":{}}"#),
        (
            r#"{"items": [{"type": "string"}], "exclusiveMinimum": 1, "dependentRequired": {"a": ["b"], "c": 1}}"#,
            r#"{"prefixItems":[{"type":"string"}],"exclusiveMinimum":1,"dependentRequired":{"a":["b"]}}"#,
        ),
        (r##"{"$dynamicRef": "#x"}"##, "{} - `$dynamicRef` is not followed: anything is accepted"),
    ] {
        assert_eq!(schema("3.1.0", text, "{}"), expected, "{text}");
    }
    let components = r##"{
        "Tree": {"type": "object", "description": "T", "properties": {"next": {"$ref": "#/components/schemas/Tree"}}},
        "Once": {"type": "object", "properties": {"x": {"type": "string", "pattern": "^[a-z]+$", "enum": ["a", "b"]}}},
        "Tag": {"type": "string", "description": "a tag"},
        "A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}"##;
    for (text, expected) in [
        // What refers to itself is a definition; what is used once, or is small, is written in place.
        (
            r##"{"$ref": "#/components/schemas/Tree"}"##,
            r##"{"$ref":"#/$defs/Tree"} {"Tree":{"type":"object","description":"T","properties":{"next":{"$ref":"#/$defs/Tree"}}}}"##,
        ),
        (
            r##"{"$ref": "#/components/schemas/Once"}"##,
            r#"{"type":"object","properties":{"x":{"type":"string","pattern":"^[a-z]+$","enum":["a","b"]}}}"#,
        ),
        (
            r##"{"prefixItems": [{"$ref": "#/components/schemas/Tag"}, {"$ref": "#/components/schemas/Tag", "description": "mine"}, {"$ref": "#/components/schemas/Tag", "maxLength": 3}]}"##,
            r#"{"prefixItems":[{"type":"string","description":"a tag"},{"type":"string","description":"mine"},{"type":"string","description":"a tag","maxLength":3}]}"#,
        ),
        (r##"{"$ref": "#/components/schemas/A"}"##, "{} - `$ref` leads round in a circle: anything is accepted"),
    ] {
        assert_eq!(schema("3.1.0", text, components), expected, "{text}");
    }
}

#[test]
fn large_and_deep_schemas_are_cut_and_it_is_said() {
    let wide: Vec<String> =
        (0..3_000).map(|at| format!(r#""p{at}": {{"type": "string", "description": "{}"}}"#, "d".repeat(60))).collect();
    let found = imported(
        "3.0.3",
        "/x",
        "post",
        &body(
            "application/json",
            &format!(r#"{{"properties": {{"in": {{"properties": {{{}}}}}}}}}"#, wide.join(",")),
            true,
        ),
        "{}",
    );
    let lines = told(&found);
    assert!(lines[1].len() <= 64 << 10, "{}", lines[1].len());
    assert!(lines.iter().any(|line| line.starts_with("- the schema is too large")), "{:?}", &lines[2..]);
    let deep = (0..40)
        .fold("{\"type\": \"string\"}".to_owned(), |inner, _| format!(r#"{{"type": "array", "items": {inner}}}"#));
    let found = imported(
        "3.1.0",
        "/x",
        "post",
        &body("application/json", &format!(r#"{{"properties": {{"p": {deep}}}}}"#), true),
        "{}",
    );
    let lines = told(&found);
    assert_eq!(lines[2..], ["- the schema nests too deep: what is below is not checked"]);
}

#[test]
fn schemas_that_combine_themselves_are_looked_through_so_far_and_it_is_said() {
    let itself = r##"{"$ref": "#/components/schemas/A"}"##;
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let components = format!(r#"{{"A": {{"{keyword}": [{itself}, {itself}, {itself}]}}}}"#);
        expect(
            &imported("3.0.3", "/x", "post", &body("application/json", itself, true), &components),
            &[
                "POST /x",
                r#"{"type":"object"}"#,
                "- its schemas are too large to be looked through: what is beyond is not carried over",
                ". the body may be anything: an object is sent",
            ],
        );
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
