//! Callout inside a web service: one engine for all requests, an integration for each tenant, errors
//! as statuses, dry runs beside calls. The service calls itself once in each way and ends.
//!
//! ```sh
//! cargo run -p callout --example embed_axum
//! ```

use std::{collections::HashMap, error::Error, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing,
};
use callout::{EgressPolicy, EndpointConfig, Engine, ErrorKind, Integration, IntegrationConfig, Secrets};
use serde_json::{Value, json};

/// What all requests share. Both are cheap to clone.
#[derive(Clone)]
struct App {
    engine: Engine,
    tenants: Arc<HashMap<String, Integration>>,
}

/// A failed call as an answer.
struct Failed(callout::Error);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = match error.kind() {
            ErrorKind::UnknownEndpoint => StatusCode::NOT_FOUND,
            ErrorKind::InvalidParams | ErrorKind::MissingAuthParam => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        // Bounded, and without secrets.
        let body = json!({"error": error.kind().code(), "detail": error.to_string(), "retry": error.is_retryable()});
        (status, Json(body)).into_response()
    }
}

async fn call(
    State(app): State<App>,
    Path((tenant, endpoint)): Path<(String, String)>,
    Json(params): Json<Value>,
) -> Result<String, Failed> {
    // If the client goes away, axum drops this future, and the call ends with it.
    let outcome = app.engine.call(tenant_of(&app, &tenant)?, &endpoint, params).await.map_err(Failed)?;
    Ok(outcome.into_text())
}

async fn render(
    State(app): State<App>,
    Path((tenant, endpoint)): Path<(String, String)>,
    Json(params): Json<Value>,
) -> Result<String, Failed> {
    let request = app.engine.render(tenant_of(&app, &tenant)?, &endpoint, params).map_err(Failed)?;
    Ok(request.to_curl())
}

fn tenant_of<'a>(app: &'a App, tenant: &str) -> Result<&'a Integration, Failed> {
    let unknown = || Failed(callout::Error::new(ErrorKind::UnknownEndpoint, "there is no such tenant"));
    app.tenants.get(tenant).ok_or_else(unknown)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let upstream =
        serve(Router::new().route("/greet", routing::get(async || Json(json!({"greeting": "hello"}))))).await?;
    let engine = Engine::builder().with_egress(EgressPolicy::public().allow("127.0.0.1")?).build()?;
    let mut tenants = HashMap::new();
    for tenant in ["red", "blue"] {
        // Two tenants never share a token or a retry budget, whatever their configs say.
        let integration = engine.load_json_as(tenant, "greeter", &greeter(&upstream), &Secrets::new())?;
        tenants.insert(tenant.to_owned(), integration);
    }
    let app = App { engine: engine.clone(), tenants: Arc::new(tenants) };
    let service = Router::new()
        .route("/{tenant}/{endpoint}", routing::post(call))
        .route("/{tenant}/{endpoint}/render", routing::post(render))
        .with_state(app);
    let address = serve(service).await?;

    // The service is an API like any other: an integration calls it.
    let mut service = IntegrationConfig::new("service", format!("http://{address}"));
    for (name, path) in [("good", "/red/greet"), ("dry", "/blue/greet/render"), ("bad", "/red/nothing")] {
        service = service.with_endpoint(EndpointConfig::new(name, "Calls the service", path));
    }
    let service = engine.load(service, &Secrets::new())?;
    for name in ["good", "dry", "bad"] {
        match engine.call(&service, name, json!({"name": "it's me"})).await {
            Ok(outcome) => println!("{name}: {}", outcome.text()),
            Err(error) => println!("{name}: {error}"),
        }
    }
    Ok(())
}

/// What a tenant has written and the service has stored, in the form of the config guide.
fn greeter(address: &str) -> callout::Json {
    json!({
        "name": "greeter",
        "display_name": "Greeter",
        "base_url": format!("http://{address}"),
        "endpoints": [
            {"name": "greet", "description": "Greets", "method": "GET", "path": "/greet", "result_key": "greeting"},
        ],
    })
    .into()
}

/// Serves on a free port of this machine.
async fn serve(app: Router) -> Result<String, std::io::Error> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(address)
}
