//! What all requests of one server share.

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use callout::{
    Caller, Engine, Error, ErrorKind, Faults, Integration, IntegrationConfig, Secrets, SharedClock, SharedRng,
};
use callout_store::{Store, StoredIntegration, Timestamp, Uuid};

use crate::{
    error::ApiError,
    keys::Keys,
    loaded::{Loaded, LoadedIntegration},
    metrics::Metrics,
    rate_limit::RateLimit,
};

/// What an operator can set, each with its default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Bytes of a request body. Default 8 MiB: fifty endpoints with the largest schemas and templates.
    pub max_body_bytes: usize,
    /// How long a client may take to send its headers, and then its body. Default 30 s each.
    pub read_timeout: Duration,
    /// How long requests in flight may take to end once the server shuts down. Default 65 s: a call
    /// that has just begun can end.
    pub shutdown_timeout: Duration,
    /// Compiled integrations that are kept. Default 1,000.
    pub max_loaded_integrations: usize,
    /// Requests a minute per API key. Default: no limit.
    pub requests_per_minute: Option<NonZeroU32>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            max_body_bytes: 8 << 20,
            read_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(65),
            max_loaded_integrations: 1000,
            requests_per_minute: None,
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
}

impl App {
    /// An application over that store and engine.
    pub fn new(store: Store, engine: Engine, clock: SharedClock, rng: SharedRng, options: ServerOptions) -> Self {
        Self(Arc::new(Parts {
            metrics: Metrics::new(engine.tokens().clone()),
            store,
            engine,
            clock,
            rng,
            keys: Keys::new(),
            loaded: Loaded::new(options.max_loaded_integrations),
            rate_limit: options.requests_per_minute.map(RateLimit::new),
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
        timestamp(self.0.clock.unix())
    }

    /// A random id (version 4, RFC 9562), for requests that bring none.
    pub(crate) fn new_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.0.rng.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    pub(crate) fn rate_limit(&self) -> Option<&RateLimit> {
        self.0.rate_limit.as_ref()
    }

    /// Compiles a config for a workspace. Templates and schemas are a tenant's, and compiling takes
    /// what their size allows, so it happens off the threads that serve.
    pub(crate) async fn compile(
        &self,
        workspace: Uuid,
        id: Option<Uuid>,
        config: IntegrationConfig,
        secrets: Secrets,
        faults: Faults,
    ) -> Result<(Option<Integration>, Faults), ApiError> {
        let limits = self.0.engine.limits().clone();
        let work = move || {
            let mut faults = faults;
            // What is compiled before it has an id is checked only, never called.
            let identity = id.map_or_else(|| config.name.clone(), |id| id.to_string());
            let owner = Caller { workspace: workspace.to_string().into(), integration: identity.into() };
            let compiled = Integration::compile(config, &secrets, owner, &limits, &mut faults);
            (compiled.filter(|_| faults.is_empty()), faults)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| {
            ApiError::new(http::StatusCode::INTERNAL_SERVER_ERROR, "internal", "compiling the integration failed")
        })
    }

    /// Compiles what the store holds. An older version of this program may have stored what this one
    /// refuses: that is the error inside.
    pub(crate) async fn load(
        &self,
        stored: &StoredIntegration,
        secrets: Secrets,
    ) -> Result<LoadedIntegration, ApiError> {
        let config = stored.config.clone();
        let name = config.name.clone();
        let (compiled, faults) =
            self.compile(stored.workspace_id, Some(stored.id), config, secrets, Faults::new()).await?;
        Ok(compiled.ok_or_else(|| Error::from_faults(ErrorKind::InvalidConfig, faults).with_integration(&name)))
    }
}

/// A time since 1970-01-01 UTC, as the store keeps it.
pub(crate) fn timestamp(unix: Duration) -> Timestamp {
    Timestamp::from_unix_micros(i64::try_from(unix.as_micros()).unwrap_or(i64::MAX))
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { store: _, engine, clock: _, rng: _, options, keys, loaded, metrics: _, rate_limit: _ } = &*self.0;
        f.debug_struct("App")
            .field("engine", engine)
            .field("options", options)
            .field("keys", keys)
            .field("loaded", loaded)
            .finish_non_exhaustive()
    }
}
