//! What all requests of one server share.

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use callout::{
    Caller, Deadline, Engine, Error, ErrorKind, FaultCode, Faults, Integration, IntegrationConfig, Secrets,
    SharedClock, SharedRng,
};
use callout_store::{Store, StoreError, StoredIntegration, Timestamp, UnreadIntegration, Uuid};
use http::StatusCode;
use tokio::sync::Semaphore;

use crate::{
    access::Refusals,
    error::ApiError,
    gate::{Gates, Pass},
    keys::Keys,
    loaded::{Loaded, LoadedIntegration},
    mcp::WebOrigin,
    metrics::Metrics,
    rate_limit::RateLimit,
    share::Shares,
};

/// What an operator can set, each with its default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Bytes of a request body. Default 2 MiB.
    pub max_body_bytes: usize,
    /// Bytes of an integration as it is stored, compact and without secrets. Default 1 MiB.
    pub max_integration_bytes: usize,
    /// How long a client may take to send its headers, and then its body, and how long it may take
    /// nothing of an answer, or, of each 64 KiB of it, longer than that and a second for 4 KiB. Default 30 s each.
    pub read_timeout: Duration,
    /// Connections at once; others wait to be accepted. Each is an open file of the process, and the call that is
    /// made for it another: where it may have fewer of them (`ulimit -n`), this has to be lowered or that raised.
    /// `callout serve` does both. Default 4,096.
    pub max_connections: usize,
    /// Requests of one workspace that are answered at once; others get 429. Default 256.
    pub max_requests_per_workspace: usize,
    /// Bytes of one workspace's answers that wait for their clients to take them. While answers to one key have
    /// more than a quarter of it, its further requests get 429. An answer that does not fit in it is let go, with 500.
    /// One that is alone always fits. Default 256 MiB.
    pub max_waiting_bytes_per_workspace: usize,
    /// How long requests in flight may take to end once the server shuts down. Default 65 s: a call
    /// that has just begun can end.
    pub shutdown_timeout: Duration,
    /// Compiled integrations that are kept. Default 1,000, and no more than 64 MiB of configs.
    pub max_loaded_integrations: usize,
    /// Requests a minute per API key, on each server; a minute's worth may come at once. Default: no
    /// limit.
    pub requests_per_minute: Option<NonZeroU32>,
    /// The web origins that may ask `/mcp`; what comes from another is refused. Programs send no origin. Default:
    /// none.
    pub mcp_origins: Vec<WebOrigin>,
    /// MCP sessions of one workspace; clients of revision 2026-07-28 have none. Twice as many may listen
    /// for changes, sessions among them. Default 256.
    pub max_mcp_sessions: usize,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            max_body_bytes: 2 << 20,
            max_integration_bytes: 1 << 20,
            read_timeout: Duration::from_secs(30),
            max_connections: 4096,
            max_requests_per_workspace: 256,
            max_waiting_bytes_per_workspace: 256 << 20,
            shutdown_timeout: Duration::from_secs(65),
            max_loaded_integrations: 1000,
            requests_per_minute: None,
            mcp_origins: Vec::new(),
            max_mcp_sessions: 256,
        }
    }
}

impl ServerOptions {
    /// Reports an integration that is larger than [`ServerOptions::max_integration_bytes`]: for whoever stores
    /// what a server shall use.
    pub fn refuse_large(&self, config: &IntegrationConfig, faults: &mut Faults) {
        let (found, most) = (config.to_json().to_string().len(), self.max_integration_bytes);
        if found > most {
            let message = format!("must have at most {most} bytes as compact JSON, not {found}");
            faults.report(FaultCode::TooLong, message);
        }
    }
}

/// The application: store, engine and what is remembered between requests. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    store: Store,
    engine: Engine,
    clock: SharedClock,
    rng: SharedRng,
    options: ServerOptions,
    keys: Keys,
    loaded: Loaded,
    metrics: Metrics,
    rate_limit: Option<RateLimit>,
    shares: Shares,
    refusals: Refusals,
    /// Of workspaces that have something computed.
    turns: Gates,
    computing: Arc<Semaphore>,
}

impl App {
    /// An application over that store and engine.
    pub fn new(store: Store, engine: Engine, clock: SharedClock, rng: SharedRng, options: ServerOptions) -> Self {
        Self(Arc::new(Parts {
            metrics: Metrics::new(engine.tokens().clone()),
            keys: Keys::new(),
            loaded: Loaded::new(options.max_loaded_integrations),
            rate_limit: options.requests_per_minute.map(|bound| RateLimit::new(bound, clock.clone())),
            shares: Shares::new(options.max_requests_per_workspace, options.max_waiting_bytes_per_workspace),
            refusals: Refusals::new(),
            turns: Gates::default(),
            computing: Arc::new(Semaphore::new(cores())),
            store,
            engine,
            clock,
            rng,
            options,
        }))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    pub(crate) fn options(&self) -> &ServerOptions {
        &self.0.options
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn loaded(&self) -> &Loaded {
        &self.0.loaded
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The time of day, as the store keeps it.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.clock.unix())
    }

    /// A random id (version 4, RFC 9562), for requests that bring none.
    pub(crate) fn new_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.0.rng.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    pub(crate) fn shares(&self) -> &Shares {
        &self.0.shares
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    /// Waits that long.
    pub(crate) async fn wait(&self, length: Duration) {
        self.0.clock.until(Deadline::after(&self.0.clock, length).moment()).await;
    }

    pub(crate) fn rate_limit(&self) -> Option<&RateLimit> {
        self.0.rate_limit.as_ref()
    }

    /// Does work that takes what a tenant's config allows: off the threads that serve, one at a time for
    /// each workspace and as much at once as there are cores, so that none holds them all. It goes on, and
    /// counts, also when nobody waits for it any more.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        workspace: Uuid,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = self.0.turns.pass(workspace).await;
        self.compute_in(turn, work).await
    }

    /// As [`App::compute`], with what the store is asked for in the same turn: at any time one of a workspace's
    /// requests for large things has a connection to the database, which all workspaces share, and what it found in
    /// memory. The wait for the store is in no other's way: whose turn it is concerns the workspace alone, and a place
    /// among those that compute is taken once the connection has been given back. A store that cannot be reached is
    /// waited for once by all who have come till then.
    pub(crate) async fn compute_with<F: Send + 'static, T: Send + 'static>(
        &self,
        workspace: Uuid,
        asked: impl Future<Output = Result<F, StoreError>>,
        work: impl FnOnce(F) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let mut turn = self.0.turns.pass(workspace).await;
        if let Some(error) = turn.failure() {
            return Err(error);
        }
        let found = asked.await.map_err(ApiError::from).inspect_err(|error| {
            if error.status == StatusCode::SERVICE_UNAVAILABLE {
                turn.fail(error);
            }
        })?;
        self.compute_in(turn, move || work(found)).await
    }

    async fn compute_in<T: Send + 'static>(
        &self,
        turn: Pass,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let permit = Arc::clone(&self.0.computing).acquire_owned().await.map_err(|_| ApiError::given_up())?;
        let work = move || {
            let _held = (turn, permit);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| ApiError::given_up())
    }

    /// What the store holds under that id, read.
    pub(crate) async fn stored(&self, workspace: Uuid, id: Uuid) -> Result<StoredIntegration, ApiError> {
        let asked = self.0.store.unread_integration(workspace, id);
        Ok(self.compute_with(workspace, asked, UnreadIntegration::read).await??)
    }

    /// Compiles a config for a workspace; every fault goes into `faults`. What has no id yet is checked
    /// only, never called. To be called in [`App::compute`].
    pub(crate) fn compile(
        &self,
        workspace: Uuid,
        id: Option<Uuid>,
        config: IntegrationConfig,
        secrets: &Secrets,
        faults: &mut Faults,
    ) -> Option<Integration> {
        let identity = id.map_or_else(|| config.name.clone(), |id| id.to_string());
        let owner = Caller { workspace: workspace.to_string().into(), integration: identity.into() };
        let compiled = Integration::compile(config, secrets, owner, self.0.engine.limits(), faults);
        compiled.filter(|_| faults.is_empty())
    }

    /// Compiles what the store holds. An older version of this program may have stored what this one
    /// refuses: that is the error inside.
    pub(crate) async fn load(
        &self,
        stored: &StoredIntegration,
        secrets: Secrets,
    ) -> Result<LoadedIntegration, ApiError> {
        let (app, stored) = (self.clone(), stored.clone());
        let workspace = stored.workspace_id;
        let work = move || {
            let mut faults = Faults::new();
            let name = stored.config.name.clone();
            let compiled = app.compile(workspace, Some(stored.id), stored.config, &secrets, &mut faults);
            compiled.ok_or_else(|| Error::from_faults(ErrorKind::InvalidConfig, faults).with_integration(&name))
        };
        self.compute(workspace, work).await
    }
}

/// How much may be computed at once: two at least, so that one workspace's work is never all of it.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2)
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { engine, options, keys, loaded, shares, .. } = &*self.0;
        f.debug_struct("App")
            .field("engine", engine)
            .field("options", options)
            .field("keys", keys)
            .field("loaded", loaded)
            .field("shares", shares)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, pin::pin};

    use axum::{body::Body, extract::Request};
    use callout::{ExposeSecret, system_clock, system_rng};
    use callout_store::{Actor, NewApiKey, NewIntegration, Role, StoreOptions};
    use futures_util::{FutureExt as _, future::join_all};
    use tokio::sync::oneshot;
    use tower::ServiceExt as _;

    use super::*;
    use crate::{mcp::Mcp, router::router};

    /// On a store that has one connection.
    async fn app() -> App {
        let (clock, rng) = (system_clock(), system_rng());
        let options = StoreOptions::new("sqlite::memory:".parse().unwrap(), clock.clone(), rng.clone());
        let store = Store::open(options).await.unwrap();
        App::new(store, Engine::builder().build().unwrap(), clock, rng, ServerOptions::default())
    }

    #[tokio::test]
    async fn what_is_large_is_asked_for_in_its_workspaces_turn_and_leaves_others_the_database() {
        let app = app().await;
        let (store, by) = (app.store(), Actor::new("test"));
        let mut askers = Vec::new();
        for name in ["one", "other"] {
            let workspace = store.create_workspace(name, &by).await.unwrap().id;
            let config = IntegrationConfig::new("shop", "https://shop.example");
            let new = NewIntegration { config, secrets: Secrets::new(), builtin: false };
            let id = store.create_integration(workspace, new, &by).await.unwrap().id;
            let workspace_id = Some(workspace);
            let key = NewApiKey { workspace_id, name: None, role: Role::Owner, permissions: Vec::new(), days: 1 };
            let key = store.create_api_key(key, &by).await.unwrap().1;
            askers.push((workspace, id, format!("Bearer {}", key.expose_secret())));
        }
        let router = router(&app, &Mcp::new(&app));
        let ask = |asker: usize, method: &str, rest: &str| {
            let (workspace, id, key) = &askers[asker];
            let path = format!("/v1/{workspace}/integrations{}", rest.replace("{id}", &id.to_string()));
            let request = Request::builder().method(method).uri(path).header("authorization", key);
            let answering = router.clone().oneshot(request.body(Body::from(r#"{"enabled": true}"#)).unwrap());
            async move { answering.await.unwrap().status() }
        };
        let turn = app.0.turns.pass(askers[0].0).await;
        let all = [("GET", ""), ("GET", "?search=none"), ("GET", "/{id}"), ("PATCH", "/{id}")];
        let mut waiting = pin!(join_all(all.map(|(method, rest)| ask(0, method, rest))));
        for (method, rest) in all.into_iter().cycle().take(12) {
            tokio::select! {
                biased;
                _ = waiting.as_mut() => unreachable!("their turn has not come"),
                status = ask(1, method, rest) => assert_eq!(status, StatusCode::OK, "{method} {rest}"),
            }
        }
        drop(turn);
        assert_eq!(waiting.await, [StatusCode::OK; 4]);
    }

    #[tokio::test]
    async fn a_wait_for_the_store_is_in_no_other_workspaces_way() {
        let app = app().await;
        let store_waits = |at: usize| {
            let asked = pending::<Result<(), StoreError>>();
            Box::pin(app.compute_with(Uuid::from_u128(at as u128), asked, |()| ()))
        };
        let mut waiting: Vec<_> = (0..=cores()).map(store_waits).collect();
        for wait in &mut waiting {
            assert!(wait.as_mut().now_or_never().is_none());
        }
        let others = app.compute(Uuid::from_u128(u128::MAX), || 7);
        assert_eq!(tokio::time::timeout(Duration::from_secs(30), others).await.unwrap().unwrap(), 7);
        assert!(app.compute(Uuid::from_u128(0), || 7).now_or_never().is_none(), "its own turn is taken");
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_reached_is_waited_for_once() {
        let (app, workspace) = (app().await, Uuid::from_u128(1));
        let (end, ended) = oneshot::channel::<()>();
        let fails = async move {
            let _ = ended.await;
            Err::<(), _>(StoreError::Unavailable { message: "away".to_owned(), source: None })
        };
        let mut first = pin!(app.compute_with(workspace, fails, |()| ()));
        assert!(first.as_mut().now_or_never().is_none());
        let once_more = async || -> Result<(), StoreError> { panic!("the store is asked once more") };
        let others = || app.compute_with(workspace, once_more(), |()| ());
        let mut waiting = pin!(join_all((0..3).map(|_| others())));
        assert!(waiting.as_mut().now_or_never().is_none());
        let mut computed = pin!(app.compute(workspace, || 7));
        assert!(computed.as_mut().now_or_never().is_none());
        end.send(()).unwrap();
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(first.await.unwrap_err().status, unavailable);
        for failed in waiting.await {
            assert_eq!(failed.unwrap_err().status, unavailable);
        }
        assert_eq!(computed.await.unwrap(), 7, "what asks the store for nothing goes on");
        let later = app.compute_with(workspace, async { Ok(7) }, |found| found);
        assert_eq!(later.await.unwrap(), 7, "who comes later asks anew");
    }
}
