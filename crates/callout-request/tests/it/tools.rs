//! What a model is shown, and which params need not stand in a schema.

use callout_core::config::{EndpointConfig, Method};

use crate::{compile_with, endpoint, exchange, object, violations};

fn with(path: &str, schema: &str) -> EndpointConfig {
    let mut endpoint = endpoint(Method::Get, path);
    endpoint.input_schema = object(schema);
    endpoint
}

#[test]
fn tool_schemas() {
    let auth = exchange(&[("tenant", true, true), ("user", false, false)]);
    let tenant = r#""tenant":{"type":"string","description":"Needed to authenticate the call"}"#;
    let user = r#""user":{"type":"string","description":"Needed to authenticate the call"}"#;
    let table = [
        ("/x", "{}", false, r#"{"type":"object","properties":{}}"#.to_owned()),
        (
            "/x/{id}{?q}",
            "{}",
            false,
            r#"{"type":"object","properties":{"id":{"type":"string","description":"Part of the path /x/{id}{?q}"},"q":{"type":"string","description":"Query parameter q"}},"required":["id"]}"#.to_owned(),
        ),
        (
            "/x/{id}",
            r#"{"title":"T","properties":{"z":{"type":"integer","minimum":1.0},"id":{"type":"integer"}},"required":["z"],"additionalProperties":false}"#,
            false,
            r#"{"type":"object","title":"T","properties":{"z":{"type":"integer","minimum":1.0},"id":{"type":"integer"}},"required":["z","id"],"additionalProperties":false}"#.to_owned(),
        ),
        // What is added is not asked about by the input schema.
        (
            "/x/{id}{?q}",
            r#"{"type":"object","properties":{"a":{},"q":{}},"maxProperties":1,"propertyNames":{"maxLength":1}}"#,
            false,
            r#"{"type":"object","properties":{"a":{},"q":{},"id":{"type":"string","description":"Part of the path /x/{id}{?q}"}},"maxProperties":2,"propertyNames":{"anyOf":[{"enum":["id"]},{"maxLength":1}]},"required":["id"]}"#.to_owned(),
        ),
        (
            "/x",
            r#"{"type":"object","properties":{"b":{}}}"#,
            true,
            format!(r#"{{"type":"object","properties":{{"b":{{}},{tenant},{user}}},"required":["tenant"]}}"#),
        ),
        (
            "/{tenant}",
            "{}",
            true,
            format!(r#"{{"type":"object","properties":{{"tenant":{{"type":"string","description":"Part of the path /{{tenant}}"}},{user}}},"required":["tenant"]}}"#),
        ),
        (
            "/x",
            r#"{"allOf":[{"properties":{"tenant":{}}}],"required":["user"]}"#,
            true,
            format!(r#"{{"type":"object","allOf":[{{"properties":{{"tenant":{{}}}}}}],"required":["user","tenant"],"properties":{{{user}}}}}"#),
        ),
    ];
    for (path, schema, authenticates, expected) in table {
        let request = compile_with("https://a.example", &with(path, schema), authenticates.then_some(&auth)).unwrap();
        assert_eq!(request.tool_schema().to_string(), expected, "{path} {schema}");
    }
}

#[test]
fn what_refers_to_the_root_means_the_input_schema() {
    let own = r##"{"type":"object","properties":{"label":{"type":"string"},"kids":{"items":{"$ref":"#"}}},"additionalProperties":false}"##;
    let shown = |path: &str| {
        let request = compile_with("https://a.example", &with(path, own), None).unwrap();
        request.tool_schema().to_string()
    };
    assert_eq!(shown("/trees"), own);
    assert_eq!(
        shown("/trees/{id}"),
        r##"{"type":"object","properties":{"label":{"type":"string"},"kids":{"items":{"$ref":"#/$defs/params"}},"id":{"type":"string","description":"Part of the path /trees/{id}"}},"additionalProperties":false,"required":["id"],"$defs":{"params":{"type":"object","properties":{"label":{"type":"string"},"kids":{"items":{"$ref":"#/$defs/params"}}},"additionalProperties":false}}}"##
    );
}

#[test]
fn a_closed_schema_need_not_name_path_and_auth_params() {
    let auth = exchange(&[("tenant", true, true)]);
    let closed = with("/u/{id}?v={v}{?q}", r#"{"properties":{"a":{"type":"string"}},"additionalProperties":false}"#);
    let request = compile_with("https://a.example", &closed, Some(&auth)).unwrap();
    assert_eq!(violations(&request, r#"{"id":1,"v":2,"q":3,"tenant":"t","a":"x"}"#), [""; 0]);
    assert_eq!(
        violations(&request, r#"{"id":1,"v":2,"b":3}"#),
        ["b: is not among the params that the input schema allows here"]
    );
    // Of another type the same config has no auth params.
    let request = compile_with("https://a.example", &closed, None).unwrap();
    assert_eq!(violations(&request, r#"{"id":1,"v":2,"tenant":"t"}"#).len(), 1);
    // Nor need it where it requires them.
    let unknown = "b: is not among the params that the input schema allows here";
    let plain = r#"{"properties":{"a":{}},"required":["id"],"additionalProperties":false}"#;
    let combined = r#"{"allOf":[{"properties":{"a":{}},"required":["id"],"additionalProperties":false}]}"#;
    let draft_4 =
        r#"{"$schema":"http://json-schema.org/draft-04/schema#","required":["id"],"additionalProperties":false}"#;
    let of_query = r#"{"required":["id","q"],"unevaluatedProperties":false}"#;
    let table: &[(&str, &str, &[&str])] = &[
        (plain, r#"{"id":1,"a":2}"#, &[]),
        (plain, r#"{"a":2}"#, &["id: is required"]),
        (plain, r#"{"id":1,"b":2}"#, &[unknown]),
        (combined, r#"{"id":1,"a":2}"#, &[]),
        (draft_4, r#"{"id":1}"#, &[]),
        (of_query, r#"{"id":1,"q":2}"#, &[]),
        (of_query, r#"{"id":1}"#, &["q: is required"]),
    ];
    for (schema, params, expected) in table {
        let request = compile_with("https://a.example", &with("/u/{id}{?q}", schema), None).unwrap();
        assert_eq!(violations(&request, params), *expected, "{schema} {params}");
        let shown = request.tool_schema();
        let id = shown.get("properties").and_then(|all| all.get("id"));
        assert_eq!(id.and_then(|id| id.get("type")).and_then(|kind| kind.as_str()), Some("string"), "{shown}");
    }
}

#[test]
fn a_schema_that_speaks_of_path_and_auth_params_is_held_to_it() {
    let auth = exchange(&[("tenant", true, true)]);
    for schema in [
        r#"{"properties":{"id":{"type":"integer"},"tenant":{"type":"integer"}}}"#,
        r##"{"$ref":"#/$defs/p","$defs":{"p":{"properties":{"id":{"type":"integer"},"tenant":{"type":"integer"}}}}}"##,
    ] {
        let request = compile_with("https://a.example", &with("/u/{id}", schema), Some(&auth)).unwrap();
        assert_eq!(
            violations(&request, r#"{"id":"x","tenant":"y"}"#),
            ["id: must be an integer, not \"x\"", "tenant: must be an integer, not \"y\""],
            "{schema}"
        );
    }
    let required = with("/u/{id}", r#"{"required":["id","tenant"],"minProperties":2}"#);
    let request = compile_with("https://a.example", &required, Some(&auth)).unwrap();
    assert_eq!(violations(&request, r#"{"id":"x","tenant":"y"}"#), [""; 0]);
}
