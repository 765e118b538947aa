//! Tools over many integrations: their names, the params that are the host's, and the shapes that
//! providers take, checked against the types of the providers' own SDKs.
//!
//! The last needs `CALLOUT_TEST_TOOLS_PYTHON`, a python with `tests/tools/requirements.txt`; `.ci/tools`
//! installs it. Without it the test is skipped, or fails with `CALLOUT_TEST_TOOLS=required`.

use std::{collections::BTreeSet, env, io::Write as _, path::Path, process::Command};

use callout::{
    EndpointConfig, Engine, ErrorKind, Integration, IntegrationConfig, Json, Method, Protocol, Secrets, Tool,
    ToolRegistry, json::ObjectBuilder,
};
use callout_tests::{Recorded, Reply, Upstream};

use super::{builder, json, load};

fn integration(workspace: &str, name: &str, endpoints: &[(&str, Method, &str)]) -> Integration {
    let endpoints = endpoints.iter().map(|(name, method, schema)| {
        let mut endpoint = EndpointConfig::new(*name, format!("Does {name} with \"quotes\" and é"), "/x/{id}{?page}");
        endpoint.method = *method;
        endpoint.input_schema = json(schema).as_object().unwrap().clone();
        endpoint
    });
    let config = IntegrationConfig::new(name, "https://api.example");
    let config = endpoints.fold(config, IntegrationConfig::with_endpoint);
    Engine::builder().build().unwrap().load_as(workspace, name, config, &Secrets::new()).unwrap()
}

/// Schemas of every kind.
const SCHEMAS: [(&str, Method, &str); 13] = [
    ("anything", Method::Post, "{}"),
    ("closed", Method::Get, r#"{"type":"object","properties":{"n":{"type":"integer"}},"additionalProperties":false}"#),
    (
        "plain",
        Method::Put,
        r#"{"properties":{"q":{"type":"string","description":"what to look for"},"kind":{"enum":["a","b"]},
            "tags":{"type":"array","items":{"type":"string"}},"at":{"type":"string","format":"date-time"}},"required":["q"]}"#,
    ),
    (
        "references",
        Method::Patch,
        r##"{"type":"object","properties":{"to":{"$ref":"#/$defs/place"},"via":{"type":"array","items":{"$ref":"#/$defs/place"}}},
            "required":["to"],"$defs":{"place":{"type":"object","properties":{"zip":{"type":"string"}},"required":["zip"],
            "additionalProperties":false}}}"##,
    ),
    (
        "combined",
        Method::Post,
        r#"{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]}],
            "anyOf":[{"required":["b"],"properties":{"b":{"type":"integer"}}},{"properties":{"c":{"type":"integer"}}}]}"#,
    ),
    (
        "nullable",
        Method::Post,
        r#"{"type":["object","null"],"properties":{"a":{"type":["string","null"]},"b":{"const":7}}}"#,
    ),
    ("bounded", Method::Post, r#"{"properties":{"a":{"type":"string","minLength":2,"pattern":"^a"}}}"#),
    ("map", Method::Delete, r#"{"properties":{"a":{"type":"object","additionalProperties":{"type":"number"}}}}"#),
    (
        "draft",
        Method::Post,
        r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"T","properties":{"user_id":{"type":"integer"},
            "id":{"type":"integer","default":1}},"required":["user_id"]}"#,
    ),
    (
        "named",
        Method::Get,
        r##"{"properties":{"$filter":{"type":"string","description":"by what"},"created[gte]":{"type":"integer"},
            "created_gte":{"type":"integer"},"of":{"$ref":"#/$defs/kind"}},"required":["$filter","of"],"$defs":{"kind":
            {"type":"object","properties":{"@type":{"type":"string"}},"required":["@type"],"additionalProperties":false}}}"##,
    ),
    (
        "union",
        Method::Post,
        r#"{"oneOf":[{"properties":{"kind":{"const":"card"},"number":{"type":"string"}},"required":["kind","number"]},
            {"properties":{"kind":{"const":"bank"},"iban":{"type":"string"}},"required":["kind","iban"]}]}"#,
    ),
    (
        "older",
        Method::Post,
        r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"at":{"type":"array",
            "items":[{"type":"number"},{"type":"number"}],"additionalItems":false}}}"#,
    ),
    (
        "oldest",
        Method::Post,
        r#"{"$schema":"http://json-schema.org/draft-04/schema#","properties":{
            "n":{"type":"number","minimum":0,"exclusiveMinimum":true},"tags":{"type":["array","null"]}}}"#,
    ),
];

#[test]
fn definitions_are_what_the_sdks_take() {
    let Some(python) = env::var_os("CALLOUT_TEST_TOOLS_PYTHON").filter(|value| !value.is_empty()) else {
        let reason = "CALLOUT_TEST_TOOLS_PYTHON is not set; `source .ci/tools` installs what it names";
        assert!(env::var_os("CALLOUT_TEST_TOOLS").is_none_or(|value| value != "required"), "{reason}");
        eprintln!("skipped: {reason}");
        return;
    };
    let long = "a".repeat(100);
    let registry = ToolRegistry::new()
        .with_integration(&integration("", "shop", &SCHEMAS))
        .with_integration(&integration("", &long, &SCHEMAS))
        .with_integration(&integration("other", "shop", &SCHEMAS))
        .with_host_param("user_id");
    let strict = registry.clone().with_strict(true);
    let shapes = ObjectBuilder::new()
        .with("openai", registry.openai())
        .with("openai_strict", strict.openai())
        .with("openai_responses", registry.openai_responses())
        .with("openai_responses_strict", strict.openai_responses())
        .with("anthropic", registry.anthropic())
        .with("mcp", registry.mcp());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "{}", Json::from(shapes)).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/check.py");
    let output = Command::new(python).arg(script).arg(file.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // closed, plain, references, nullable, draft and named can be said in strict mode; thrice, in two shapes.
    assert_eq!(said, "checked 234 tools, 36 of them strict\n");
}

#[test]
fn names_lead_back_and_stay_the_same_across_registries() {
    let two = [("b__c", Method::Get, "{}"), ("c", Method::Get, "{}")];
    let integrations: Vec<Integration> =
        [("", "shop"), ("w1", "shop"), ("w2", "shop"), ("", "a0"), ("", "a0__b"), ("", &"l".repeat(128))]
            .into_iter()
            .map(|(workspace, name)| integration(workspace, name, &two))
            .collect();
    let registry = integrations.iter().fold(ToolRegistry::new(), ToolRegistry::with_integration);
    let tools = registry.tools();
    let names: BTreeSet<_> = tools.iter().map(|tool| tool.name.clone()).collect();
    assert_eq!((tools.len(), names.len()), (12, 12), "{names:?}");
    for (at, tool) in tools.iter().enumerate() {
        let plain = tool.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        assert!(plain && (1..=64).contains(&tool.name.len()), "{}", tool.name);
        let (found, endpoint) = registry.get(&tool.name).unwrap();
        assert_eq!((found.name(), endpoint), (integrations[at / 2].name(), two[at % 2].0));
    }
    assert_eq!(registry.get("shop__none").map(|(_, endpoint)| endpoint), None);
    // Names do not depend on what else is there, unless they would be shared.
    let alone = ToolRegistry::new().with_integration(&integrations[4]).with_integration(&integrations[5]);
    assert!(alone.tools().iter().all(|tool| names.contains(&tool.name)));
    let some = ToolRegistry::new().with_endpoints(&integrations[0], &["c", "none"]);
    assert_eq!(some.tools().iter().map(|tool| tool.endpoint.as_str()).collect::<Vec<_>>(), ["c"]);
}

#[test]
fn an_integration_that_was_loaded_anew_takes_the_place_of_the_old_one() {
    let two = [("a", Method::Get, "{}"), ("b", Method::Get, "{}")];
    let old = ["w1", "w2", "w3"].map(|workspace| integration(workspace, "shop", &two));
    let registry = old.iter().fold(ToolRegistry::new(), ToolRegistry::with_integration);
    let names: Vec<_> = registry.tools().into_iter().map(|tool| tool.name).collect();
    // What each name leads to: the endpoint, its method, and that of the integration's own tool.
    let led = |registry: &ToolRegistry| -> Vec<Option<(String, Method, Method)>> {
        let tools = registry.tools();
        let found = names.iter().map(|name| {
            let (found, endpoint) = registry.get(name)?;
            let shown = tools.iter().find(|tool| tool.name == *name)?;
            let own = found.tools().into_iter().find(|tool| tool.endpoint == endpoint)?;
            Some((endpoint.to_owned(), shown.method, own.method))
        });
        found.collect()
    };
    let of = |endpoint: &str, method: Method| Some((endpoint.to_owned(), method, method));
    let (get, post) = (Method::Get, Method::Post);
    let all = [of("a", get), of("b", get), of("a", get), of("b", get), of("a", get), of("b", get)];
    assert_eq!(led(&registry), all);

    let lacks = integration("w2", "shop", &[("b", post, "{}"), ("c", post, "{}")]);
    let mut without = all;
    (without[2], without[3]) = (None, of("b", post));
    let whole = registry.clone().with_integration(&lacks);
    assert_eq!((led(&whole), whole.tools().len()), (without.to_vec(), 6));
    assert_eq!(whole.tools()[5].endpoint, "c");
    // Of some endpoints the others stay, as they are now.
    for endpoints in [["none"], ["b"]] {
        let some = registry.clone().with_endpoints(&lacks, &endpoints);
        assert_eq!((led(&some), some.tools().len()), (without.to_vec(), 5));
    }
    // What is not called over HTTP any more has no tools.
    let mut desktop =
        IntegrationConfig::new("shop", "https://api.example").with_endpoint(EndpointConfig::new("a", "Does a", "/x"));
    desktop.protocol = Protocol::Desktop;
    let desktop = Engine::builder().build().unwrap().load_as("w2", "shop", desktop, &Secrets::new()).unwrap();
    without[3] = None;
    for registry in [registry.clone().with_integration(&desktop), registry.with_endpoints(&desktop, &["a"])] {
        assert_eq!((led(&registry), registry.tools().len()), (without.to_vec(), 4));
    }
}

#[tokio::test]
async fn host_params_are_the_hosts_alone() {
    let upstream = Upstream::with(|_: &Recorded| Reply::json(200, "{}")).await;
    let text = r#"{"name":"shop","display_name":"Shop","base_url":"URL","endpoints":[
        {"name":"path","description":"P","method":"GET","path":"/users/{user}/x"},
        {"name":"body","description":"B","path":"/x","input_schema":{"properties":{"user":{"type":"integer"},"q":{}},"required":["user"]}},
        {"name":"only-required","description":"R","path":"/r","input_schema":{"required":["user"]}},
        {"name":"open","description":"O","path":"/open"}]}"#;
    let (shop, engine) = (load(&upstream, text), builder().build().unwrap());
    let registry = ToolRegistry::new().with_integration(&shop).with_host_param("user");
    for tool in registry.tools() {
        assert!(!tool.input_schema.to_string().contains("user"), "{}", tool.input_schema);
        assert!(!format!("{}{}{}", tool.to_openai_strict(), tool.to_anthropic(), tool.to_mcp()).contains("user"));
    }
    for (name, model, host) in [
        ("shop__path", r#"{"user":"mallory"}"#, r#"{"user":7,"other":1}"#),
        ("shop__body", r#"{"user":1,"q":2}"#, r#"{"user":7}"#),
        ("shop__only-required", r#"{"user":1,"q":2}"#, r#"{"user":7}"#),
        ("shop__open", r#"{"user":1,"q":2}"#, r#"{"user":7}"#),
    ] {
        registry.call(&engine, name, json(model), json(host)).await.unwrap();
    }
    let sent: Vec<_> = upstream.requests().iter().map(|sent| (sent.target.clone(), sent.text())).collect();
    let both = r#"{"q":2,"user":7}"#;
    let expected = [("/users/7/x", ""), ("/x", both), ("/r", both), ("/open", r#"{"q":2}"#)];
    assert_eq!(sent, expected.map(|(target, body)| (target.to_owned(), body.to_owned())));
    // What the host does not give is missing, not the model's.
    let error = registry.call(&engine, "shop__body", json(r#"{"user":1}"#), Json::Null).await.unwrap_err();
    assert_eq!((error.kind(), error.faults().len()), (ErrorKind::InvalidParams, 1), "{error}");
    let error = registry.params("shop__none", Json::Null, Json::Null).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownEndpoint);
    assert!(error.message().contains("shop__body"), "{error}");
    let inbox = engine.inbox();
    registry.spawn(&inbox, "shop__open", json("{}"), Json::Null).unwrap();
    assert_eq!(inbox.interrupted().await.endpoint, "open");
    assert_eq!(upstream.count(), 5);
}

#[tokio::test]
async fn of_params_that_the_host_supplies_models_are_told_nothing() {
    let upstream = Upstream::start().await;
    let text = r#"{"name":"shop","display_name":"Shop","base_url":"URL","endpoints":[
        {"name":"typed","description":"T","path":"/x","input_schema":{"properties":{"acct[id]":{"enum":["eu"]},"q":{"type":"integer"}}}},
        {"name":"either","description":"E","path":"/x","input_schema":{"anyOf":[
            {"properties":{"acct[id]":{"type":"integer"}}},{"required":["q"]}]}}]}"#;
    let (shop, engine) = (load(&upstream, text), builder().build().unwrap());
    let registry = ToolRegistry::new().with_integration(&shop).with_host_param("acct[id]");
    let inbox = engine.inbox();
    for (tool, model, of_host) in
        [("typed", r#"{"q":1}"#, true), ("typed", r#"{"q":"x"}"#, true), ("either", "{}", false)]
    {
        let (tool, host) = (format!("shop__{tool}"), json(r#"{"acct[id]":"canary-7"}"#));
        let error = registry.call(&engine, &tool, json(model), host.clone()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.advice().contains("will not help")),
            (ErrorKind::InvalidParams, of_host),
            "{error}"
        );
        let said = error.to_string();
        assert!(said.starts_with("shop.") && said.contains("a param that the host supplies"), "{said}");
        assert!(!["canary", "acct", "eu"].iter().any(|word| said.contains(word)), "{said}");
        registry.spawn(&inbox, &tool, json(model), host).unwrap();
        assert_eq!(inbox.interrupted().await.text(), format!("{said}. {}", error.advice()));
    }
}

#[tokio::test]
async fn a_param_whose_name_providers_refuse_has_another_for_models() {
    let upstream = Upstream::with(|_: &Recorded| Reply::json(200, "{}")).await;
    let text = r#"{"name":"shop","display_name":"Shop","base_url":"URL","endpoints":[
        {"name":"charges","description":"C","method":"GET","path":"/charges{?$filter}","input_schema":{"properties":{
            "created[gte]":{"type":"integer"},"expand[]":{"type":"array","items":{"type":"string"}},
            "limit":{"type":"integer"}},"required":["created[gte]"]}}]}"#;
    let (shop, engine) = (load(&upstream, text), builder().with_lenient_params(true).build().unwrap());
    let registry = ToolRegistry::new().with_integration(&shop);
    let strict = registry.clone().with_strict(true);
    for shape in [
        registry.openai(),
        registry.openai_responses(),
        registry.anthropic(),
        registry.mcp(),
        strict.openai(),
        strict.openai_responses(),
    ] {
        assert_eq!(properties(&schemas(&shape)[0]), ["created_gte", "expand", "limit", "filter"], "{shape:?}");
        assert_eq!(schemas(&shape)[0].get("required").unwrap().as_array().unwrap()[0], Json::from("created_gte"));
    }
    // The schema of the call itself has the params' own names.
    let own = ["created[gte]", "expand[]", "limit", "$filter"];
    assert_eq!(properties(&registry.tools()[0].input_schema), own);

    let given = json(r#"{"created_gte":"5","expand":["a","b"],"filter":"x","limit":2}"#);
    let outcome = registry.call(&engine, "shop__charges", given.clone(), Json::Null).await.unwrap();
    let sent = "/charges?%24filter=x&created%5Bgte%5D=5&expand%5B%5D=a&expand%5B%5D=b&limit=2";
    assert_eq!(upstream.requests()[0].target, sent);
    assert_eq!(outcome.conversions().len(), 1);
    engine.call(&shop, "charges", shop.tools()[0].params(given)).await.unwrap();
    assert_eq!(upstream.requests()[1].target, sent);

    let params = |registry: &ToolRegistry, model: &str, host: &str| {
        registry.params("shop__charges", json(model), json(host)).unwrap().to_string()
    };
    let nulls = r#"{"created_gte":5,"expand":null,"limit":null,"filter":null}"#;
    assert_eq!(params(&strict, nulls, "null"), r#"{"created[gte]":5}"#);
    assert_eq!(params(&registry, r#"{"created[gte]":5,"limit":1}"#, "null"), r#"{"created[gte]":5,"limit":1}"#);
    let bound = registry.clone().with_host_param("created[gte]");
    assert_eq!(properties(&schemas(&bound.mcp())[0]), ["expand", "limit", "filter"]);
    let model = r#"{"created_gte":1,"created[gte]":2,"limit":3}"#;
    assert_eq!(params(&bound, model, r#"{"created[gte]":7}"#), r#"{"limit":3,"created[gte]":7}"#);

    // What is wrong is told by the names that whoever asked knows.
    let inbox = engine.inbox();
    for (model, told) in [
        (r#"{"created_gte":"x"}"#, r#"shop.charges: created_gte: must be an integer, not "x""#),
        ("{}", "shop.charges: created_gte: is required"),
        (r#"{"created_gte":5,"expand":[1]}"#, "shop.charges: expand[0]: must be a string, not 1"),
    ] {
        let error = registry.call(&engine, "shop__charges", json(model), Json::Null).await.unwrap_err();
        assert_eq!(error.to_string(), told);
        registry.spawn(&inbox, "shop__charges", json(model), Json::Null).unwrap();
        let advised = format!("{told}. Nothing was sent. Correct the params and call again.");
        assert_eq!(inbox.interrupted().await.text(), advised);
    }
    let error = engine.call(&shop, "charges", json("{}")).await.unwrap_err();
    assert_eq!(error.to_string(), r#"shop.charges: ["created[gte]"]: is required"#);
    assert_eq!(upstream.count(), 2);
}

#[test]
fn strict_nulls_are_taken_out_again() {
    let shop = integration("", "shop", &SCHEMAS);
    let params = |registry: &ToolRegistry| {
        registry.params("shop__plain", json(r#"{"q":"x","kind":null,"id":"1"}"#), Json::Null).unwrap().to_string()
    };
    let registry = ToolRegistry::new().with_integration(&shop);
    assert_eq!(params(&registry), r#"{"q":"x","kind":null,"id":"1"}"#);
    let strict = registry.with_strict(true);
    assert_eq!(params(&strict), r#"{"q":"x","id":"1"}"#);
    // What the call refuses for its size is not looked into.
    let large = format!(r#"{{"q":"{}","kind":null,"id":"1"}}"#, "x".repeat(1 << 20));
    let params = strict.params("shop__plain", json(&large), Json::Null).unwrap();
    assert_eq!(params.get("kind"), Some(&Json::Null));
    let error = Engine::builder().build().unwrap().render(&shop, "plain", params).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
}

/// The schemas of these tools, whatever their shape.
fn schemas(tools: &[Json]) -> Vec<Json> {
    let of = |tool: &Json| -> Option<Json> {
        let holder = tool.get("function").unwrap_or(tool);
        ["parameters", "input_schema", "inputSchema"].into_iter().find_map(|keyword| holder.get(keyword).cloned())
    };
    tools.iter().map(|tool| of(tool).unwrap()).collect()
}

/// The names of a schema's properties.
fn properties(schema: &Json) -> Vec<&str> {
    schema.get("properties").unwrap().as_object().unwrap().keys().collect()
}

#[test]
fn no_shape_combines_schemas_at_its_root() {
    let table = [
        (SCHEMAS[4], vec!["a", "b", "c", "id", "page"]),
        (
            ("chosen", Method::Post, r#"{"oneOf":[{"properties":{"a":{}},"required":["a"]},{"properties":{"b":{}}}]}"#),
            vec!["a", "b", "id", "page"],
        ),
        (
            (
                "referred",
                Method::Post,
                r##"{"$ref":"#/$defs/c","$defs":{"c":{"properties":{"c":{"anyOf":[{},true]}}}}}"##,
            ),
            vec!["c", "id", "page"],
        ),
        (SCHEMAS[8], vec!["id", "page", "user_id"]),
    ];
    let endpoints: Vec<_> = table.iter().map(|(endpoint, _)| *endpoint).collect();
    let registry = ToolRegistry::new().with_integration(&integration("", "shop", &endpoints));
    let mcp = schemas(&registry.mcp());
    for shown in [schemas(&registry.openai()), schemas(&registry.openai_responses()), schemas(&registry.anthropic())]
        .iter()
        .chain([&mcp])
    {
        for (schema, (_, expected)) in shown.iter().zip(&table) {
            let root = schema.as_object().unwrap();
            assert_eq!(root.get("type"), Some(&Json::from("object")), "{schema}");
            let refused = ["allOf", "anyOf", "oneOf", "not", "enum", "$ref"];
            assert!(refused.iter().all(|keyword| !root.contains(keyword)), "{schema}");
            let mut names = properties(schema);
            names.sort_unstable();
            assert_eq!(names, *expected);
        }
    }
    // What clients of MCP read a schema by stays.
    let dialects: Vec<_> = mcp.iter().map(|schema| schema.get("$schema").is_some()).collect();
    assert_eq!(dialects, [false, false, false, true]);
}

#[test]
fn shapes_as_they_are() {
    let shop = integration("", "shop", &SCHEMAS[2..3]);
    let tool: Tool = shop.tools().remove(0);
    let all: Json =
        [tool.to_openai_strict(), tool.to_openai_responses(), tool.to_anthropic(), tool.to_mcp()].into_iter().collect();
    insta::assert_snapshot!(format!("{all:#}"), @r##"
    [
      {
        "type": "function",
        "function": {
          "name": "shop__plain",
          "description": "Does plain with \"quotes\" and é",
          "parameters": {
            "type": "object",
            "properties": {
              "q": {
                "type": "string",
                "description": "what to look for"
              },
              "kind": {
                "type": [
                  "string",
                  "null"
                ],
                "enum": [
                  "a",
                  "b",
                  null
                ]
              },
              "tags": {
                "type": [
                  "array",
                  "null"
                ],
                "items": {
                  "type": "string"
                }
              },
              "at": {
                "type": [
                  "string",
                  "null"
                ],
                "format": "date-time"
              },
              "id": {
                "type": "string",
                "description": "Part of the path /x/{id}{?page}"
              },
              "page": {
                "type": [
                  "string",
                  "null"
                ],
                "description": "Query parameter page"
              }
            },
            "required": [
              "q",
              "kind",
              "tags",
              "at",
              "id",
              "page"
            ],
            "additionalProperties": false
          },
          "strict": true
        }
      },
      {
        "type": "function",
        "name": "shop__plain",
        "description": "Does plain with \"quotes\" and é",
        "parameters": {
          "type": "object",
          "properties": {
            "q": {
              "type": "string",
              "description": "what to look for"
            },
            "kind": {
              "enum": [
                "a",
                "b"
              ]
            },
            "tags": {
              "type": "array",
              "items": {
                "type": "string"
              }
            },
            "at": {
              "type": "string",
              "format": "date-time"
            },
            "id": {
              "type": "string",
              "description": "Part of the path /x/{id}{?page}"
            },
            "page": {
              "type": "string",
              "description": "Query parameter page"
            }
          },
          "required": [
            "q",
            "id"
          ]
        },
        "strict": false
      },
      {
        "name": "shop__plain",
        "description": "Does plain with \"quotes\" and é",
        "input_schema": {
          "type": "object",
          "properties": {
            "q": {
              "type": "string",
              "description": "what to look for"
            },
            "kind": {
              "enum": [
                "a",
                "b"
              ]
            },
            "tags": {
              "type": "array",
              "items": {
                "type": "string"
              }
            },
            "at": {
              "type": "string",
              "format": "date-time"
            },
            "id": {
              "type": "string",
              "description": "Part of the path /x/{id}{?page}"
            },
            "page": {
              "type": "string",
              "description": "Query parameter page"
            }
          },
          "required": [
            "q",
            "id"
          ]
        }
      },
      {
        "name": "shop__plain",
        "description": "Does plain with \"quotes\" and é",
        "inputSchema": {
          "type": "object",
          "properties": {
            "q": {
              "type": "string",
              "description": "what to look for"
            },
            "kind": {
              "enum": [
                "a",
                "b"
              ]
            },
            "tags": {
              "type": "array",
              "items": {
                "type": "string"
              }
            },
            "at": {
              "type": "string",
              "format": "date-time"
            },
            "id": {
              "type": "string",
              "description": "Part of the path /x/{id}{?page}"
            },
            "page": {
              "type": "string",
              "description": "Query parameter page"
            }
          },
          "required": [
            "q",
            "id"
          ]
        },
        "annotations": {
          "readOnlyHint": false,
          "destructiveHint": true,
          "idempotentHint": true,
          "openWorldHint": true
        }
      }
    ]
    "##);
}
