//! An agent's loop around Callout: tools to a model, its calls into an inbox, their results back.
//!
//! The model is a script, so that this runs anywhere; a real one takes `registry.openai()`,
//! `registry.anthropic()` or `registry.mcp()` and answers with tool calls of the same form. The shop
//! that is called is served on this machine.
//!
//! ```sh
//! cargo run -p callout --example agent
//! ```

use std::error::Error;

use axum::{Json, Router, extract::Path, routing};
use callout::{
    Approval, Approver, CallOptions, Decision, Delivered, EgressPolicy, EndpointConfig, Engine, HeldCall, Inbox,
    IntegrationConfig, Method, Secrets, ToolRegistry,
};
use serde_json::{Value, json};

/// What a model answers with: something to say, and tools to call.
struct Answer {
    says: &'static str,
    /// The model's id of each, the tool, and its arguments.
    calls: Vec<(&'static str, &'static str, Value)>,
}

/// The script of a conversation, turn by turn. It sees what it would be told.
fn model(turn: usize, told: &[String]) -> Answer {
    for line in told {
        println!("  model is told: {line}");
    }
    match turn {
        0 => Answer {
            says: "Let me look up the lamp, and your orders.",
            calls: vec![
                ("toolu_1", "shop__find", json!({"name": "lamp"})),
                // The user is not the model's to choose: this is ignored.
                ("toolu_2", "shop__orders", json!({"user_id": "mallory"})),
            ],
        },
        // The id is written as a string, as models do.
        1 => Answer {
            says: "I will order it.",
            calls: vec![("toolu_3", "shop__order", json!({"item": "7", "count": "1"}))],
        },
        _ => Answer { says: "Done.", calls: Vec::new() },
    }
}

/// Stands for a person at a dialog.
struct User;

impl Approver for User {
    async fn decide(&self, call: &HeldCall) -> Decision {
        println!("  user is asked: {} {} with {}? yes", call.request.method, call.request.url, call.params);
        Decision::Approved
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = serve_shop().await?;
    let engine = Engine::builder()
        .with_egress(EgressPolicy::public().allow(&address)?)
        .with_approval(Approval::writes(User))
        .with_lenient_params(true)
        .with_idempotency_keys(true)
        .build()?;
    let shop = engine.load(shop(&address), &Secrets::new())?;
    let registry = ToolRegistry::new().with_integration(&shop).with_host_param("user_id");
    println!("tools: {}", registry.tools().iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", "));

    let inbox = engine.inbox();
    let mut told = vec!["user: order me a lamp".to_owned()];
    for turn in 0.. {
        let answer = model(turn, &told);
        println!("model says: {}", answer.says);
        if answer.calls.is_empty() {
            break;
        }
        told.clear();
        for (id, tool, params) in answer.calls {
            println!("  {id}: {tool}");
            let options = CallOptions::default().with_id(id);
            // Who the user is, the program knows.
            if let Err(error) = registry.spawn_with(&inbox, tool, params, json!({"user_id": 42}), &options) {
                told.push(format!("{id}: {error}"));
            }
        }
        // The id says which of its calls a model is told of.
        let line = |landed: &Delivered| format!("{}: {}", landed.host_id.as_deref().unwrap_or_default(), landed.text());
        told.extend(results(&inbox).await.iter().map(line));
    }
    Ok(())
}

/// A text agent has nothing to do meanwhile: it waits for all, whichever lane they come through.
async fn results(inbox: &Inbox) -> Vec<Delivered> {
    inbox.idle().await;
    let mut landed: Vec<_> = std::iter::from_fn(|| inbox.try_interrupted()).collect();
    landed.extend(inbox.drain());
    landed.sort_by_key(|landed| landed.id);
    landed
}

fn shop(address: &str) -> IntegrationConfig {
    let mut find = EndpointConfig::new("find", "Finds a thing by its name", "/things{?name}");
    find.method = Method::Get;
    find.result_template = Some("{{ name }} is number {{ id }}, {{ price }} euros".into());
    let mut orders = EndpointConfig::new("orders", "The orders of the user", "/users/{user_id}/orders");
    orders.method = Method::Get;
    orders.result_template = Some("{{ result | length }} so far".into());
    let mut order = EndpointConfig::new("order", "Orders a thing", "/users/{user_id}/orders");
    let schema = json!({"type": "object", "required": ["item"],
        "properties": {"item": {"type": "integer"}, "count": {"type": "integer", "minimum": 1}}});
    if let callout::Json::Object(schema) = callout::Json::from(schema) {
        order.input_schema = schema;
    }
    order.result_key = Some("receipt".into());
    let config = IntegrationConfig::new("shop", format!("http://{address}"));
    config.with_endpoint(find).with_endpoint(orders).with_endpoint(order)
}

/// A shop on a free port of this machine.
async fn serve_shop() -> Result<String, std::io::Error> {
    let orders = routing::get(async || Json(json!([{"item": 3}])));
    let order = async |Path(user): Path<u32>, Json(order): Json<Value>| {
        Json(json!({"receipt": format!("user {user} gets {} of number {}", order["count"], order["item"])}))
    };
    let app = Router::new()
        .route("/things", routing::get(async || Json(json!({"id": 7, "name": "lamp", "price": 30}))))
        .route("/users/{user}/orders", orders.post(order));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(address)
}
