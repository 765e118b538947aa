//! `callout serve`: the HTTP API, ready to be used without a flag.

mod demo;
mod first;
mod greeting;
mod lines;
mod open_files;

use std::{io::Write, process::ExitCode, time::Duration};

use callout::SharedClock;
use callout_mcp::Progress;
use callout_server::{App, ServerOptions};
use callout_store::DatabaseUrl;
use tokio::net::TcpListener;
use tracing_subscriber::{
    Layer,
    filter::{FilterExt as _, LevelFilter, Targets, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    FAILED, Stop,
    args::{LogFormat, ServeArgs},
    call, show, store,
};

/// How long a request may take beyond its call: to be read, checked, answered.
const BESIDE_THE_CALL: Duration = Duration::from_secs(5);

/// How long the database may take to let go of its connections: one whose host has vanished never does.
const CLOSING: Duration = Duration::from_secs(5);

pub(crate) async fn run(mut args: ServeArgs) -> Result<ExitCode, Stop> {
    log_to_stderr(args.log)?;
    let listener =
        TcpListener::bind(&args.listen).await.map_err(|error| format!("--listen {}: {error}", args.listen))?;
    // A demo leaves nothing behind, and touches nothing that is there.
    let scratch = (args.demo && args.store.database.is_none()).then(tempfile::tempdir).transpose()?;
    let database: DatabaseUrl = match &scratch {
        Some(folder) => folder.path().join(store::DEFAULT_DATABASE).display().to_string().parse()?,
        None => store::database(&args.store)?,
    };
    let shown_database = if scratch.is_some() { None } else { Some(database.to_string()) };
    let store = store::open_at(&args.store, database).await?;
    let demo = if args.demo { Some(demo::Demo::start().await?) } else { None };
    if let Some(demo) = &demo {
        args.network.allow.push(demo.address().to_string());
    }
    let engine = call::builder(&args.network)?.with_observer(Progress).build()?;
    let first::Start { workspace, key } = first::start(&store).await?;

    let mut options = ServerOptions::default();
    options.requests_per_minute = args.rate_limit;
    options.mcp_origins.clone_from(&args.mcp_origins);
    options.max_connections = open_files::room_for(options.max_connections);
    options.shutdown_timeout = call::timeouts(&args.network)?.call + BESIDE_THE_CALL;
    let app = App::new(store.clone(), engine, callout::system_clock(), callout::system_rng(), options);
    let origin = format!("http://{}", listener.local_addr()?);
    let greeting = greeting::Greeting {
        origin: &origin,
        args: &args.store,
        database: shown_database.as_deref(),
        workspace: workspace.as_ref(),
        key: key.as_ref(),
        demo: demo.as_ref(),
    };
    if let Err(error) = anstream::stdout().write_all(greeting.to_string().as_bytes()) {
        return Err(Stop(format!(
            "nothing could be printed ({error}); if the operator's key was among it, `callout keys replace-operator` \
             makes another"
        )));
    }
    let code = tokio::select! {
        served = callout_server::serve(listener, app, asked_to_stop()) => { served?; ExitCode::SUCCESS }
        () = asked_twice() => {
            show::note("ended at once, with requests in flight");
            ExitCode::from(FAILED)
        }
    };
    if !ends_in_time(store.close(), &callout::system_clock()).await {
        show::note(&format!(
            "the database did not close its connections within {CLOSING:?}, and is waited for no longer"
        ));
    }
    Ok(code)
}

/// Whether the work ended within [`CLOSING`]; it is given up then.
async fn ends_in_time(work: impl Future<Output = ()>, clock: &SharedClock) -> bool {
    tokio::select! {
        biased;
        () = work => true,
        () = clock.until(clock.now() + CLOSING) => false,
    }
}

async fn asked_twice() {
    asked_to_stop().await;
    asked_to_stop().await;
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

/// Our own events only: what libraries trace may hold what is sent. No spans: there are two for each call, and
/// an event says itself whose it is.
pub(crate) fn log_to_stderr(format: LogFormat) -> Result<(), Stop> {
    let ours = ["callout", "callout_auth", "callout_mcp", "callout_server", "callout_store", "callout_transport"];
    let targets = ours.into_iter().fold(Targets::new(), |targets, name| targets.with_target(name, LevelFilter::INFO));
    let filter = targets.and(filter_fn(|traced| !traced.is_span()));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    Ok(tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()?)
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        time::Instant,
    };

    use callout::{Clock, StillClock};

    use super::*;

    /// At which each moment has come as soon as it is waited for.
    struct HastyClock(StillClock);

    impl Clock for HastyClock {
        fn now(&self) -> Instant {
            self.0.now()
        }

        fn unix(&self) -> Duration {
            self.0.unix()
        }

        async fn sleep(&self, _: Duration) {}

        async fn until(&self, moment: Instant) {
            assert_eq!(moment, self.0.now() + CLOSING);
        }
    }

    #[tokio::test]
    async fn a_database_that_does_not_close_is_given_up() {
        let clock = SharedClock::new(HastyClock(StillClock::new()));
        assert!(!ends_in_time(pending(), &clock).await);
        assert!(ends_in_time(ready(()), &clock).await);
    }
}
