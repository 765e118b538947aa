//! Bodies: which of them can be sent, and what their members become.

use crate::{SEVERAL, body, expect, imported};

/// What the engine sends where there is nothing to send.
const EMPTY: &str = ". it has no body to send: an empty JSON object is sent in its place";

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
            EMPTY,
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
    let nothing = r#"{"type":"object","additionalProperties":false}"#;
    for (method, found) in [("post", &["POST /x", nothing, EMPTY][..]), ("delete", &["DELETE /x", nothing])] {
        expect(&imported("3.0.3", "/x", method, "{}", "{}"), found);
    }
}

#[test]
fn of_several_media_types_the_best_that_takes_an_object_is_sent() {
    let patch = |media: &[&str]| {
        let all: Vec<String> =
            media.iter().map(|media| format!(r#""{media}": {{"schema": {{"type": "object"}}}}"#)).collect();
        let operation = format!(r#"{{"requestBody": {{"required": true, "content": {{{}}}}}}}"#, all.join(", "));
        imported("3.0.3", "/x", "patch", &operation, "{}")
    };
    let written = r#"{"type":"object"}"#;
    let (json_patch, merge_patch) = ("application/json-patch+json", "application/merge-patch+json");
    let as_merge_patch = ["PATCH /x", r#"{"Content-Type":"application/merge-patch+json"}"#, written];
    expect(&patch(&["application/apply-patch+yaml", json_patch, merge_patch]), &as_merge_patch);
    expect(&patch(&["application/vnd.x+json", merge_patch]), &as_merge_patch);
    expect(
        &patch(&[json_patch, "application/vnd.x+json"]),
        &["PATCH /x", r#"{"Content-Type":"application/vnd.x+json"}"#, written],
    );
    expect(&patch(&[merge_patch, "application/json"]), &["PATCH /x", written]);
    expect(&patch(&["application/*+json"]), &["PATCH /x", written]);
    expect(&patch(&[json_patch, "application/*"]), &["PATCH /x", written]);
    expect(&patch(&[json_patch]), &["- a body of application/json-patch+json cannot be sent"]);
}

#[test]
fn a_field_of_an_alternative_whose_encoding_is_not_followed_is_a_loss() {
    let strings = r#"{"type":"array","items":{"type":"string"}}"#;
    let first = format!(
        r#"{{"type":"object","properties":{{"card":{{"type":"object","properties":{{"n":{{}}}}}},"all":{strings}}}}}"#
    );
    let second = format!(r#"{{"type":"object","properties":{{"some":{strings}}}}}"#);
    let encoding = r#"{"card": {"style": "deepObject"}, "all": {"explode": true}, "some": {"explode": false}}"#;
    let content = |media: &str| {
        let content = format!(r#"{{"schema": {{"oneOf": [{first}, {second}]}}, "encoding": {encoding}}}"#);
        let operation = format!(r#"{{"requestBody": {{"required": true, "content": {{"{media}": {content}}}}}}}"#);
        imported("3.0.3", "/x", "post", &operation, "{}")
    };
    let written = format!(r#"{{"type":"object","anyOf":[{first},{second}]}}"#);
    expect(
        &content("application/x-www-form-urlencoded"),
        &[
            "POST /x",
            "form",
            &written,
            r#"- "card" stands in an alternative: its `encoding` is not followed"#,
            r#"- "some" stands in an alternative: its `encoding` is not followed"#,
            SEVERAL,
        ],
    );
    expect(&content("application/json"), &["POST /x", &written, SEVERAL]);
}

#[test]
fn a_field_that_several_parts_describe_has_the_members_of_all() {
    let part = |schema: &str| format!(r#"{{"properties": {{"o": {{"type": "object", "properties": {schema}}}}}}}"#);
    let schema = format!(
        r#"{{"allOf": [{}, {}]}}"#,
        part(r#"{"a": {"type": "string"}, "b": {}}"#),
        part(r#"{"c": {}, "a": {"minLength": 2}}"#)
    );
    let content = format!(r#"{{"schema": {schema}, "encoding": {{"o": {{"style": "deepObject"}}}}}}"#);
    let operation = format!(
        r#"{{"requestBody": {{"required": true, "content": {{"application/x-www-form-urlencoded": {content}}}}}}}"#
    );
    let all = r#"{"o[a]":{"allOf":[{"type":"string"},{"minLength":2}]},"o[b]":{},"o[c]":{}}"#;
    expect(
        &imported("3.0.3", "/x", "post", &operation, "{}"),
        &["POST /x", "form", &format!(r#"{{"type":"object","properties":{all}}}"#)],
    );
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
            r#"{"type":"object","properties":{"id":{"type":"string"},"k":{}},"required":["id"],"anyOf":[{"properties":{"a":{"type":"string"},"id":{}},"required":["a"],"additionalProperties":false},{"properties":{"c":{}},"required":["c"]}],"minProperties":2}"#,
            SEVERAL,
            id,
        ],
    );
    // Where it stands behind a reference of its own, the others are not spoken of.
    expect(
        &post(r##"{"oneOf": [{"allOf": [{"$ref": "#/components/schemas/A"}]}, {"properties": {"c": {}}}]}"##),
        &[
            "POST /x/{id}",
            r#"{"type":"object","anyOf":[{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}]},{"properties":{"c":{}}}]}"#,
            SEVERAL,
            id,
            ". params beside the body are text, for its schema leaves no room to say more",
        ],
    );
}

#[test]
fn a_body_is_one_of_several_where_no_params_fit_two_of_them() {
    let post = |schema: &str| imported("3.1.0", "/x", "post", &body("application/json", schema, true), "{}");
    let part = |kind: &str, more: &str| format!(r#"{{"properties":{{"kind":{{{kind}}}{more}}}}}"#);
    let named = [part(r#""const":"card""#, r#","number":{}"#), part(r#""const":"bank""#, "")].join(",");
    let required = r#"{"type":"object","required":["kind"],"#;
    expect(
        &post(&format!(r#"{{"required": ["kind"], "oneOf": [{named}]}}"#)),
        &["POST /x", &format!(r#"{required}"oneOf":[{named}]}}"#)],
    );
    expect(
        &post(&format!(r#"{{"oneOf": [{named}]}}"#)),
        &["POST /x", &format!(r#"{{"type":"object","anyOf":[{named}]}}"#), SEVERAL],
    );
    let unnamed = [part(r#""type":"string""#, r#","number":{}"#), part(r#""type":"string""#, "")].join(",");
    let discriminator = r#""discriminator": {"propertyName": "kind"}"#;
    expect(
        &post(&format!(r#"{{"required": ["kind"], "oneOf": [{unnamed}], {discriminator}}}"#)),
        &["POST /x", &format!(r#"{required}"anyOf":[{unnamed}]}}"#), SEVERAL],
    );
    // What is only read is not sent, and tells nothing apart.
    let read = r#"{"properties": {"kind": {"readOnly": true}}}"#;
    expect(
        &post(&format!(r#"{{"allOf": [{read}], "required": ["kind"], "oneOf": [{named}]}}"#)),
        &["POST /x", &format!(r#"{{"type":"object","anyOf":[{named}]}}"#), SEVERAL],
    );
}
