//! `callout serve`: the HTTP API, ready to be used without a flag.

mod demo;
mod lines;

use std::{path::Path, process::ExitCode};

use anstream::println;
use callout::{ExposeSecret, SecretString};
use callout_server::{App, ServerOptions};
use callout_store::{DatabaseUrl, Page, Store, StoreError, Workspace};
use tokio::net::TcpListener;
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    Stop,
    args::{LogFormat, ServeArgs, StoreArgs},
    call, show, store,
};

/// The workspace that is made when there is none.
const DEFAULT_WORKSPACE: &str = "default";

/// The default of `--database`.
const DEFAULT_DATABASE: &str = "callout.db";

pub(crate) async fn run(mut args: ServeArgs) -> Result<ExitCode, Stop> {
    log_to_stderr(args.log)?;
    let listener =
        TcpListener::bind(&args.listen).await.map_err(|error| format!("--listen {}: {error}", args.listen))?;
    // A demo of its own leaves nothing behind.
    let scratch = (args.demo && args.store.database == DEFAULT_DATABASE).then(tempfile::tempdir).transpose()?;
    let store = open(&args.store, scratch.as_ref().map(tempfile::TempDir::path)).await?;
    let demo = if args.demo { Some(demo::Demo::start().await?) } else { None };
    if let Some(demo) = &demo {
        args.network.allow.push(demo.address().to_string());
    }
    let engine = call::engine(&args.network)?;
    let (workspace, key) = first_start(&store).await?;

    let mut options = ServerOptions::default();
    options.requests_per_minute = args.rate_limit;
    let app = App::new(store.clone(), engine, store::clock(), callout::system_rng(), options);
    let origin = format!("http://{}", listener.local_addr()?);
    greet(&origin, &args, scratch.is_some(), &workspace, key.as_ref(), demo.as_ref());
    callout_server::serve(listener, app, asked_to_stop()).await?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn open(args: &StoreArgs, scratch: Option<&Path>) -> Result<Store, Stop> {
    match scratch {
        Some(folder) => {
            let database: DatabaseUrl = folder.join(DEFAULT_DATABASE).display().to_string().parse()?;
            store::open_at(args, database).await
        }
        None => store::open(args).await,
    }
}

/// What a new database lacks: a workspace, and the operator's key. The key is given the one time
/// that it is made.
async fn first_start(store: &Store) -> Result<(Workspace, Option<SecretString>), Stop> {
    let actor = store::actor();
    let some = store.list_workspaces(Page { limit: 1, offset: 0 }).await?;
    let workspace = match some.items.into_iter().next() {
        Some(workspace) => store.workspace_by_name(DEFAULT_WORKSPACE).await.unwrap_or(workspace),
        None => match store.create_workspace(DEFAULT_WORKSPACE, &actor).await {
            // Another server has just done so.
            Err(StoreError::NameTaken(_)) => store.workspace_by_name(DEFAULT_WORKSPACE).await?,
            made => made?,
        },
    };
    let key = store.create_operator_key_once(&actor).await?;
    Ok((workspace, key.map(|(_, secret)| secret)))
}

fn greet(
    origin: &str,
    args: &ServeArgs,
    keeps_nothing: bool,
    workspace: &Workspace,
    key: Option<&SecretString>,
    demo: Option<&demo::Demo>,
) {
    println!("{}", show::heading(format!("Callout serves {origin}")));
    println!("  docs        {origin}/docs");
    if keeps_nothing {
        println!("  database    none that stays: this is a demo");
    } else {
        println!("  database    {}", shown_database(&args.store.database));
    }
    println!("  workspace   {} ({})", workspace.id, workspace.name);
    if let Some(demo) = demo {
        println!("  demo API    http://{} answers as GitHub does, and hands out tokens", demo.address());
    }
    match key {
        Some(key) => {
            println!("\n{}", show::heading("The operator's key, shown this once"));
            println!("  {}", key.expose_secret());
        }
        None => println!("\nThe operator's key was shown at the first start. For another key:\n  {}", keys_line(args)),
    }
    println!("\n{}", show::heading("Try it"));
    let key = key.map_or("PUT_YOUR_KEY_HERE", |key| key.expose_secret());
    println!("{}", lines::curl(origin, &workspace.id.to_string(), key, demo));
}

fn keys_line(args: &ServeArgs) -> String {
    let database = &args.store.database;
    let flag =
        if database == DEFAULT_DATABASE { String::new() } else { format!(" --database {}", shown_database(database)) };
    format!("callout keys create --workspace {DEFAULT_WORKSPACE} --role admin{flag}")
}

/// Without a password that may stand in it.
fn shown_database(text: &str) -> String {
    text.parse::<DatabaseUrl>().map_or_else(|_| "?".to_owned(), |url| url.to_string())
}

async fn asked_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}

/// Our own events only: what libraries trace may hold what is sent.
fn log_to_stderr(format: LogFormat) -> Result<(), Stop> {
    let ours = ["callout", "callout_auth", "callout_server", "callout_store", "callout_transport"];
    let targets = ours
        .into_iter()
        .fold(Targets::new(), |targets, name| targets.with_target(name, tracing_subscriber::filter::LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    Ok(tracing_subscriber::registry().with(lines.with_filter(targets)).try_init()?)
}
