//! Schemas as models see them: whatever the engine takes fits the schema that is shown, in each shape of a tool.
//! What only an alternative takes that does not name a param is the exception.
//!
//! A shown schema is loaded as the input schema of an endpoint, so that it is JSON Schema 2020-12 by the engine's own
//! check, and calls are checked against it.

use callout::{EndpointConfig, Engine, Integration, IntegrationConfig, Json, Method, Secrets, Tool, ToolRegistry};

use super::json;

/// An integration whose only endpoint has that path and schema.
fn integration(method: Method, path: &str, schema: &Json) -> Integration {
    let mut endpoint = EndpointConfig::new("go", "Goes", path);
    endpoint.method = method;
    endpoint.input_schema = schema.as_object().unwrap().clone();
    let config = IntegrationConfig::new("shop", "https://api.example").with_endpoint(endpoint);
    Engine::builder().build().unwrap().load(config, &Secrets::new()).unwrap()
}

/// What a call with these params would be refused for.
fn refusal(integration: &Integration, params: &str) -> Option<String> {
    let rendered = Engine::builder().build().unwrap().render(integration, "go", json(params));
    rendered.err().map(|error| error.to_string())
}

/// The schemas that models see of a tool, those that are not in strict mode.
fn shown(tool: &Tool) -> Vec<Json> {
    let of = |tool: Json| {
        let holder = tool.get("function").unwrap_or(&tool);
        let schema = ["parameters", "input_schema", "inputSchema"].into_iter().find_map(|keyword| holder.get(keyword));
        schema.unwrap().clone()
    };
    [tool.to_openai(), tool.to_openai_responses(), tool.to_anthropic(), tool.to_mcp()].map(of).into()
}

/// The shown schemas of an endpoint, after all of these params were found to be taken by it and by each of them.
fn taken_as_shown(path: &str, schema: &str, params: &[&str]) -> Vec<Json> {
    let own = integration(Method::Post, path, &json(schema));
    let shown = shown(&own.tools().remove(0));
    for params in params {
        assert_eq!(refusal(&own, params), None, "{schema} {params}");
        for shown in &shown {
            let loaded = integration(Method::Post, "/x", shown);
            assert_eq!(refusal(&loaded, params), None, "{shown} {params}");
        }
    }
    shown
}

const UNION: &str = r#"{"type":"object","oneOf":[
    {"properties":{"kind":{"enum":["card"]},"number":{"type":"string"}},"required":["kind","number"]},
    {"properties":{"kind":{"enum":["bank"]},"iban":{"type":"string"}},"required":["kind","iban"]}]}"#;

#[test]
fn each_alternative_at_the_root_can_be_chosen() {
    let params = [r#"{"kind":"card","number":"4"}"#, r#"{"kind":"bank","iban":"X"}"#];
    for schema in taken_as_shown("/x", UNION, &params) {
        let kind = schema.get("properties").unwrap().get("kind").unwrap();
        assert_eq!(kind.to_string(), r#"{"anyOf":[{"enum":["card"]},{"enum":["bank"]}]}"#);
        // What each of them requires is required.
        assert_eq!(schema.get("required").unwrap().to_string(), r#"["kind"]"#);
        let loaded = integration(Method::Post, "/x", &schema);
        assert!(refusal(&loaded, r#"{"kind":"cash"}"#).is_some() && refusal(&loaded, "{}").is_some(), "{schema}");
    }
    let either = r#"{"anyOf":[{"properties":{"to":{"type":"string"}}},{"properties":{"to":{"type":"array"}}}]}"#;
    taken_as_shown("/x", either, &[r#"{"to":"a"}"#, r#"{"to":["a","b"]}"#]);
    let chosen = r#"{"properties":{"n":{"type":"integer"}},
        "if":{"properties":{"kind":{"const":"a"}}},"then":{"required":["n"]},"else":{"required":["kind"]}}"#;
    taken_as_shown("/x", chosen, &[r#"{"kind":"a","n":1}"#, r#"{"kind":"b"}"#, r#"{"n":1}"#]);
}

#[test]
fn whatever_draft_a_schema_is_written_in_models_see_the_current_one() {
    let tuples = r##"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{
        "at":{"type":"array","items":[{"type":"number"},{"type":"number"}],"additionalItems":false},
        "way":{"type":"array","items":[{"$ref":"#/properties/at/items/0"}],"additionalItems":{"type":"string"}},
        "tag":{"$ref":"#/definitions/tag","type":"integer","description":"Ignored beside it: the type"}},
        "definitions":{"tag":{"type":"string"}}}"##;
    let params = [r#"{"at":[1,2]}"#, r#"{"at":[1]}"#, r#"{"way":[1,"a","b"],"tag":"x"}"#];
    for schema in taken_as_shown("/x", tuples, &params) {
        assert!(schema.get("$schema").is_none(), "{schema}");
        let loaded = integration(Method::Post, "/x", &schema);
        for params in [r#"{"at":[1,2,3]}"#, r#"{"at":["a"]}"#, r#"{"way":["a"]}"#, r#"{"way":[1,2]}"#, r#"{"tag":1}"#] {
            assert!(refusal(&loaded, params).is_some(), "{schema} {params}");
        }
    }
    let bounds = r#"{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","properties":{
        "n":{"type":"number","minimum":0,"exclusiveMinimum":true,"maximum":9,"exclusiveMaximum":false}}}"#;
    for schema in taken_as_shown("/x", bounds, &[r#"{"n":0.5}"#, r#"{"n":9}"#]) {
        let loaded = integration(Method::Post, "/x", &schema);
        assert!(refusal(&loaded, r#"{"n":0}"#).is_some() && refusal(&loaded, r#"{"n":10}"#).is_some(), "{schema}");
    }
    // In strict mode too.
    let strict = integration(Method::Post, "/x", &json(bounds)).tools().remove(0).to_openai_strict();
    let bounds = r#""n":{"type":["number","null"],"exclusiveMinimum":0,"maximum":9}"#;
    assert!(strict.to_string().contains(bounds) && strict.to_string().contains(r#""strict":true"#), "{strict}");
}

#[test]
fn each_array_that_models_see_has_items() {
    let schema = r#"{"properties":{"tags":{"type":"array"},"ids":{"type":["array","null"],"description":"Ids"},
        "pair":{"type":"array","prefixItems":[{"type":"integer"}]},
        "deep":{"properties":{"list":{"type":"array","items":{"type":"array"}}}}}}"#;
    let params = [r#"{"tags":[1,"a",{}],"ids":null}"#, r#"{"pair":[1,"x"],"deep":{"list":[[1],["a"]]}}"#];
    for schema in taken_as_shown("/x", schema, &params) {
        assert_eq!(schema.to_string().matches(r#""items":{"#).count(), 5, "{schema}");
    }
}

#[test]
fn what_strict_mode_would_refuse_is_not_strict() {
    let zones = |count: usize| -> String {
        let zones: Vec<_> = (0..count).map(|at| format!(r#""Area/City{at}""#)).collect();
        format!(r#"{{"type":"string","enum":[{}]}}"#, zones.join(","))
    };
    let two = |from: String, to: String| format!(r#"{{"type":"object","properties":{{"from":{from},"to":{to}}}}}"#);
    let described = r##"{"type":"object","properties":{"to":{"$ref":"#/$defs/a","description":"Where to"}},
        "required":["to"],"$defs":{"a":{"type":"string"}}}"##;
    for (schema, is_strict) in [
        (two(zones(400), zones(400)), true),
        (two(zones(600), zones(600)), false),
        (described.to_owned(), true),
        (described.replace("#/$defs/a", "#/$defs/a/anyOf/0").replace(r#""string""#, r#""string","anyOf":[{}]"#), false),
    ] {
        let tool = integration(Method::Post, "/x", &json(&schema)).tools().remove(0);
        let said = tool.to_openai_strict().to_string();
        assert_eq!(said.contains(r#""strict":true"#), is_strict, "{said}");
        assert_eq!(tool.to_openai_responses_strict().get("strict"), Some(&Json::from(is_strict)), "{said}");
    }
    let tool = integration(Method::Post, "/x", &json(described)).tools().remove(0);
    let properties = r##""properties":{"to":{"$ref":"#/$defs/a"}}"##;
    assert!(tool.to_openai_strict().to_string().contains(properties), "{}", tool.to_openai_strict());
}

#[test]
fn a_description_is_no_longer_than_openai_takes() {
    for (length, shown) in [(1_024, 1_024), (1_025, 1_024), (3_000, 1_024)] {
        let mut endpoint = EndpointConfig::new("go", "é".repeat(length), "/x");
        endpoint.method = Method::Get;
        let config = IntegrationConfig::new("shop", "https://api.example").with_endpoint(endpoint);
        let shop = Engine::builder().build().unwrap().load(config, &Secrets::new()).unwrap();
        let tool = shop.tools().remove(0);
        let described = |tool: Json| tool.get("description").unwrap().as_str().unwrap().to_owned();
        let function = tool.to_openai().get("function").unwrap().clone();
        for description in [described(function), described(tool.to_openai_responses())] {
            assert_eq!(description.chars().count(), shown);
            assert_eq!(description.ends_with('…'), length > shown);
        }
        for description in [described(tool.to_anthropic()), described(tool.to_mcp())] {
            assert_eq!(description.chars().count(), length);
        }
    }
}

#[test]
fn a_value_of_the_form_of_all_params_has_none_that_the_path_adds_and_all_that_the_host_supplies() {
    let tree = r##"{"type":"object","properties":{"label":{"type":"string"},"user":{"type":"string"},
        "kids":{"type":"array","items":{"$ref":"#"}}},"additionalProperties":false}"##;
    let nested = r#"{"id":"7","label":"a","kids":[{"label":"b","kids":[{}]}]}"#;
    for schema in taken_as_shown("/trees/{id}", tree, &[nested]) {
        let loaded = integration(Method::Post, "/x", &schema);
        assert!(refusal(&loaded, r#"{"id":"7","kids":[{"id":"8"}]}"#).is_some(), "{schema}");
    }
    for (path, id) in [("/trees/{id}", r#""id":"7","#), ("/trees", "")] {
        let registry = ToolRegistry::new().with_integration(&integration(Method::Post, path, &json(tree)));
        let tool = registry.with_host_param("user").tools().remove(0);
        for schema in shown(&tool) {
            let loaded = integration(Method::Post, "/x", &schema);
            assert_eq!(refusal(&loaded, &format!(r#"{{{id}"kids":[{{"user":"a"}}]}}"#)), None, "{schema}");
            assert!(refusal(&loaded, &format!(r#"{{{id}"user":"a"}}"#)).is_some(), "{schema}");
        }
    }
    // Where a definition is what the params are, too.
    let defined = format!(
        r##"{{"$ref":"#/$defs/tree","$defs":{{"tree":{}}}}}"##,
        tree.replace(r##""#""##, r##""#/$defs/tree""##)
    );
    let own = integration(Method::Post, "/trees/{id}", &json(&defined));
    let params = r#"{"id":"7","kids":[{"user":"a","kids":[{"user":"b"}]}]}"#;
    assert_eq!(refusal(&own, params), None);
    let tool = ToolRegistry::new().with_integration(&own).with_host_param("user").tools().remove(0);
    for schema in shown(&tool) {
        assert_eq!(refusal(&integration(Method::Post, "/x", &schema), params), None, "{schema}");
        assert!(schema.get("properties").unwrap().get("user").is_none(), "{schema}");
    }
}
