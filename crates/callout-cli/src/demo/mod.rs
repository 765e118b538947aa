//! `callout demo`: a tour of what the engine does, against an API on this machine.

pub(crate) mod identity;
mod tour;
mod upstream;

use std::process::ExitCode;

use callout::{EgressPolicy, Engine, Integration, Json, Secrets, json::ObjectBuilder};

pub(crate) use self::upstream::Upstream;
use self::{
    tour::{AUTH_TYPES, STEPS, Step},
    upstream::Received,
};
use crate::{Stop, out, show};

pub(crate) async fn run() -> Result<ExitCode, Stop> {
    let upstream = Upstream::start().await?;
    let engine =
        Engine::builder().with_egress(EgressPolicy::public().allow(&upstream.address().to_string())?).build()?;
    let integration = tour_integration(&engine, &upstream)?;
    out::line(show::heading("Callout: configured calls to HTTP APIs, shaped for language models"))?;
    out::line(format_args!(
        "An API that answers as GitHub does runs at http://{}. Everything below is one integration:\n\
         YAML in, one authenticated HTTP call out, a short text back.\n",
        upstream.address()
    ))?;
    for (at, step) in STEPS.iter().enumerate() {
        show_step(at + 1, step, &engine, &integration, &upstream).await?;
    }
    show_closed_by_default(STEPS.len() + 1, &integration).await?;
    show_auth_types(STEPS.len() + 2, &engine, &upstream).await?;
    show_trace(STEPS.len() + 3, &engine, &integration).await?;
    out::line(show::heading("Your turn"))?;
    out::line("  callout import openapi api.json -o my-api.yaml   makes such a file of an API's own document")?;
    out::line("  callout check my-api.yaml                        says everything that is wrong with a file")?;
    out::line("  callout call my-api.yaml my-endpoint --trace     makes a call and shows every stage")?;
    out::line("  callout tools my-api.yaml                        the endpoints as tools for function calling")?;
    out::line("  callout mcp my-api.yaml                          the endpoints as tools of an MCP server")?;
    Ok(ExitCode::SUCCESS)
}

fn parse_yaml(text: &str) -> Result<Json, Stop> {
    Ok(serde_saphyr::from_str(text)?)
}

fn tour_integration(engine: &Engine, upstream: &Upstream) -> Result<Integration, Stop> {
    let mut endpoints: Vec<Json> = Vec::new();
    for step in STEPS {
        let endpoint = parse_yaml(step.yaml)?;
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    let auth = ObjectBuilder::new()
        .with("type", "api_key_header")
        .with("header_name", "X-API-Key")
        .with("api_key_value", ObjectBuilder::new().with("value", identity::SECRET));
    let body = ObjectBuilder::new()
        .with("name", "github")
        .with("display_name", "GitHub, on this machine")
        .with("base_url", format!("http://{}", upstream.address()))
        .with("auth", auth)
        .with("endpoints", endpoints);
    Ok(engine.load_json(&body.into(), &Secrets::new())?)
}

async fn show_step(
    number: usize,
    step: &Step,
    engine: &Engine,
    integration: &Integration,
    upstream: &Upstream,
) -> Result<(), Stop> {
    title(number, step.title)?;
    out::line(step.why)?;
    if step.shows_config {
        out::line(show::dim(show::indented(step.yaml.trim_end())))?;
    }
    let params = Json::parse(step.params)?;
    out::line(format_args!("{}   {}", label("params"), params))?;
    let endpoint = parse_yaml(step.yaml)?;
    let name = endpoint.get("name").and_then(Json::as_str).unwrap_or_default();
    let result = engine.call(integration, name, params).await;
    let received = upstream.take_received();
    if received.is_empty() {
        out::line(format_args!("{}     {}", label("sent"), show::dim("nothing")))?;
    }
    for request in &received {
        out::line(format_args!("{}     {}", label("sent"), on_the_wire(request)))?;
    }
    match result {
        Ok(outcome) => {
            let mut notes = vec![format!("delivered as {}", outcome.delivery().as_str())];
            if outcome.retries() > 0 {
                notes.push(format!("{}, {:.1} s", show::retries(outcome.retries()), outcome.duration().as_secs_f64()));
            }
            notes.extend(outcome.truncation().map(show::cut));
            out::line(format_args!("{}     {}", label("text"), show::dim(notes.join(", "))))?;
            out::line(show::good(show::indented(outcome.text().trim_end())))?;
        }
        Err(error) => out::line(format_args!("{}    {}", label("error"), show::bad(show::failure(&error))))?,
    }
    out::line("")
}

async fn show_closed_by_default(number: usize, integration: &Integration) -> Result<(), Stop> {
    title(number, "Closed by default")?;
    out::line(
        "An engine calls public addresses only, decided on the address that is dialled. The tour opened exactly\n\
         one port of this machine; an engine that did not refuses the same integration.",
    )?;
    let closed = Engine::builder().with_egress(EgressPolicy::public()).build()?;
    if let Err(error) = closed.call(integration, "whoami", Json::empty_object()).await {
        out::line(format_args!("{}    {}", label("error"), show::bad(show::failure(&error))))?;
    }
    out::line("")
}

async fn show_auth_types(number: usize, engine: &Engine, upstream: &Upstream) -> Result<(), Stop> {
    title(number, "Six ways to authenticate")?;
    out::line(
        "Each type calls an endpoint twice. Tokens are cached: the second call asks for none.\n\
         An identity provider beside the API hands them out.",
    )?;
    for (kind, yaml) in AUTH_TYPES {
        let yaml = yaml
            .replace("ORIGIN", &format!("http://{}", upstream.address()))
            .replace("SECRET", identity::SECRET)
            .replace("PRIVATE_KEY", &include_str!("../../demo/demo-key.pem").trim_end().replace('\n', "\\n"));
        let integration = engine.load_json(&parse_yaml(&yaml)?, &Secrets::new())?;
        let mut seen = String::new();
        for _ in 0..2 {
            match engine.call(&integration, "whoami", callout::Json::parse(r#"{"user": "alice"}"#)?).await {
                Ok(outcome) => seen = outcome.into_text(),
                Err(error) => return Err(Stop(show::failure(&error))),
            }
        }
        let received = upstream.take_received();
        let tokens = received.iter().filter(|request| request.path().starts_with("/token/")).count();
        let calls = received.len() - tokens;
        out::line(format_args!(
            "  {kind:<26} {}, {:<16}   {}",
            show::count(calls, "call", "calls"),
            show::count(tokens, "token request", "token requests"),
            show::good(seen)
        ))?;
    }
    let stats = engine.tokens().stats();
    out::line(show::dim(format!(
        "  token cache: {}, {}, {}",
        show::count(stats.hits, "hit", "hits"),
        show::count(stats.fetches, "fetch", "fetches"),
        show::count(stats.failures, "failure", "failures")
    )))?;
    out::line("")
}

async fn show_trace(number: usize, engine: &Engine, integration: &Integration) -> Result<(), Stop> {
    title(number, "Why did it come out like this?")?;
    out::line("Every call can be traced: the request as it was sent, and the value after each stage.")?;
    let params = ObjectBuilder::new().with("owner", "octocat").with("repo", "hello-world").with("name", "bug");
    let trace = engine.trace(integration, "get-label", Json::from(params)).await;
    show::trace(&trace)?;
    out::line("")
}

fn title(number: usize, text: &str) -> Result<(), Stop> {
    out::line(show::heading(format!("{number}. {text}")))
}

fn label(text: &str) -> String {
    show::dim(text)
}

/// Method, target and body; the headers only where a step is about them.
fn on_the_wire(request: &Received) -> String {
    let mut line = format!("{} {}", request.method, request.target);
    if !request.body.is_empty() {
        let kind = request.header("content-type").unwrap_or("no type");
        line.push_str(&format!("  {}  {}", show::dim(kind), request.body));
    }
    line
}
