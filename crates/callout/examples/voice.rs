//! A voice agent: it speaks while its calls run. A result that is to interrupt cuts its speech the
//! moment it lands; one that is to be queued waits for the end of its turn, also if it came first.
//!
//! ```sh
//! cargo run -p callout --example voice
//! ```
#![expect(clippy::disallowed_methods, reason = "speech takes its time, which is not the engine's")]

use std::{error::Error, io::Write as _, time::Duration};

use axum::{Router, routing};
use callout::{
    CallInfo, Delivery, EgressPolicy, EndpointConfig, Engine, Event, Inbox, IntegrationConfig, Method, Secrets,
};
use serde_json::json;
use tokio::time::sleep;

/// How long a word takes to say.
const WORD: Duration = Duration::from_millis(40);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = serve_airport().await?;
    let engine = Engine::builder()
        .with_egress(EgressPolicy::public().allow(&address)?)
        .with_observer(|call: &CallInfo<'_>, event: &Event| {
            if let Event::Finished { status, error: None, .. } = event {
                println!("\n  [{} {} has landed, {}]", call.id, call.endpoint, status.unwrap_or_default());
            }
        })
        .build()?;
    let airport = engine.load(airport(&address), &Secrets::new())?;
    let inbox = engine.inbox();

    // Both begin at once. The queued one lands first, and is not heard of until the turn has ended.
    inbox.spawn(&airport, "gate", json!({"flight": "LH 400"}))?;
    inbox.spawn(&airport, "menu", json!({"flight": "LH 400"}))?;
    speak(&inbox, "I am looking it up. While we wait let me tell you about the weather in New York, which is").await;
    for landed in inbox.drain() {
        speak(&inbox, &format!("By the way, {}", landed.text())).await;
    }
    assert!(inbox.is_empty(), "everything was said");
    Ok(())
}

/// Says a text word by word, and breaks off for what cannot wait.
async fn speak(inbox: &Inbox, text: &str) {
    print!("agent:");
    for word in text.split(' ') {
        tokio::select! {
            biased;
            landed = inbox.interrupted() => {
                println!(" —\nagent: Excuse me. {}", landed.text());
                return;
            }
            () = sleep(WORD) => {
                print!(" {word}");
                let _ = std::io::stdout().flush();
            }
        }
    }
    println!();
}

fn airport(address: &str) -> IntegrationConfig {
    let endpoint = |name: &str, what: &str, delivery: Delivery| {
        let mut endpoint = EndpointConfig::new(name, what, format!("/{name}{{?flight}}"));
        endpoint.method = Method::Get;
        endpoint.result_delivery = delivery;
        endpoint
    };
    IntegrationConfig::new("airport", format!("http://{address}"))
        .with_endpoint(endpoint("gate", "The gate of a flight", Delivery::Interrupt))
        .with_endpoint(endpoint("menu", "What is served on a flight", Delivery::Queue))
}

/// An airport on a free port of this machine. It knows the menu at once; the gate takes it a while.
async fn serve_airport() -> Result<String, std::io::Error> {
    let gate = async || {
        sleep(10 * WORD).await;
        "Your flight leaves from gate B 42, and boarding has begun."
    };
    let app = Router::new()
        .route("/gate", routing::get(gate))
        .route("/menu", routing::get(async || "there is pasta on board."));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(address)
}
