//! What the contract just allows is created, and what is just beyond a limit of it is a fault at that field.

use serde_json::{Value, json};

use super::{Server, contract::CONTRACT};

/// A limit that the contract sets to a field of what is created.
#[derive(Debug)]
struct Limit {
    schema: String,
    field: String,
    keyword: String,
    value: usize,
}

#[tokio::test]
async fn each_limit_of_the_contract_is_held_at_its_edge() {
    let server = Server::start().await;
    let limits = limits();
    assert_eq!(limits.len(), 30, "{limits:?}");
    for (at, limit) in limits.iter().enumerate() {
        let beyond = if limit.keyword.starts_with("min") { limit.value - 1 } else { limit.value + 1 };
        let name = format!("edge-{at}");
        let refused = server.ask("POST", "/integrations", Some(&body(limit, beyond, &name))).await;
        assert_eq!(refused.status, 422, "{limit:?}: {}", refused.text);
        let place = refused.at("detail.0.loc").to_string();
        assert!(place.ends_with(&format!(r#""{}"]"#, limit.field)), "{limit:?}: {}", refused.text);
        let created = server.ask("POST", "/integrations", Some(&body(limit, limit.value, &name))).await;
        assert_eq!(created.status, 201, "{limit:?}: {}", created.text);
    }
}

#[tokio::test]
async fn what_the_contract_does_not_bound_is_created() {
    let server = Server::start().await;
    let token_url = format!("https://a.example/{}", "a".repeat(5000));
    for (at, (part, value)) in [
        ("auth", json!({"type": "bearer_token", "bearer_token_value": {"value": "s"}, "header_name": ""})),
        (
            "auth",
            json!({"type": "oauth2_client_credentials", "token_url": token_url, "client_id": "c",
                "client_secret_value": {"value": "s"}}),
        ),
        (
            "endpoints",
            json!([{"name": "e", "description": "", "path": "/x", "method": "GET",
                "request_transform": {"wrap_params_key": ""}}]),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = json!({"name": format!("edge-{at}"), "display_name": "Edge", "base_url": "https://a.example"});
        body[part] = value;
        server.create(&body.to_string()).await;
    }
}

/// A body that has the field at that length, count or number, and is good otherwise.
fn body(Limit { schema, field, .. }: &Limit, n: usize, name: &str) -> String {
    let text = "a".repeat(n);
    let endpoint = |at: usize| json!({"name": format!("e{at}"), "description": "", "path": "/x"});
    let value = match field.as_str() {
        "base_url" | "exchange_url" => {
            let start = "https://a.example/";
            json!(format!("{start}{}", "a".repeat(n - start.len())))
        }
        "endpoints" => (0..n).map(endpoint).collect(),
        "exchange_param_headers" => {
            (0..n).map(|at| json!({"header_name": format!("X-{at}"), "param_name": "p"})).collect()
        }
        "exchange_secret_format" => json!(format!("{{secret}}{text}").chars().take(n).collect::<String>()),
        "exchange_default_ttl_seconds" => json!(n),
        "inject" => (0..n).map(|at| (format!("k{at}"), "v")).collect(),
        _ => json!(text),
    };
    let client = json!({"type": "oauth2_client_credentials", "token_url": "https://a.example/token",
        "client_id": "c", "client_secret_value": {"value": "s"}});
    let exchange = json!({"type": "bearer_token_exchange", "exchange_url": "https://a.example/token",
        "exchange_secret_value": {"value": "s"},
        "exchange_param_headers": [{"header_name": "X-User", "param_name": "user"}]});
    let mut body = json!({"name": name, "display_name": "Edge", "base_url": "https://a.example",
        "endpoints": [endpoint(0)]});
    let holder = match schema.as_str() {
        "CreateIntegrationRequest" => &mut body,
        "AuthConfigWithSecrets" => {
            body["auth"] = if field.starts_with("exchange") { exchange } else { client };
            &mut body["auth"]
        }
        "SecretInput" => {
            body["auth"] = json!({"type": "bearer_token", "bearer_token_value": {}});
            &mut body["auth"]["bearer_token_value"]
        }
        "ExchangeHeaderMapping" => {
            body["auth"] = exchange;
            &mut body["auth"]["exchange_param_headers"][0]
        }
        "RequestTransform" => {
            body["endpoints"][0]["request_transform"] = json!({});
            &mut body["endpoints"][0]["request_transform"]
        }
        other => unreachable!("there is no body with {other}.{field}"),
    };
    holder[field.as_str()] = value;
    body.to_string()
}

/// Every limit of the schemas that a creation's body has.
fn limits() -> Vec<Limit> {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let schemas = &contract["components"]["schemas"];
    let mut names = vec!["CreateIntegrationRequest".to_owned()];
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(name) = names.get(at).cloned() {
        for (field, schema) in schemas[&name]["properties"].as_object().unwrap() {
            look(schemas, schema, (name.as_str(), field.as_str()), &mut names, &mut found);
        }
        at += 1;
    }
    found
}

/// The limits of a field, whose schemas go to the end of `names`.
fn look(schemas: &Value, schema: &Value, whose: (&str, &str), names: &mut Vec<String>, found: &mut Vec<Limit>) {
    for (keyword, value) in schema.as_object().unwrap() {
        match (keyword.as_str(), value) {
            ("$ref", Value::String(target)) => {
                let name = target.rsplit('/').next().unwrap();
                if schemas[name]["properties"].is_null() {
                    look(schemas, &schemas[name], whose, names, found);
                } else if !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
            ("anyOf", Value::Array(options)) => {
                for option in options {
                    look(schemas, option, whose, names, found);
                }
            }
            ("items", items) => look(schemas, items, whose, names, found),
            (keyword, Value::Number(limit)) if keyword.starts_with("min") || keyword.starts_with("max") => {
                found.push(Limit {
                    schema: whose.0.to_owned(),
                    field: whose.1.to_owned(),
                    keyword: keyword.to_owned(),
                    value: usize::try_from(limit.as_u64().unwrap()).unwrap(),
                });
            }
            _ => {}
        }
    }
}
