//! The engine: what all integrations of a program share.

mod builder;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

pub use builder::EngineBuilder;
use callout_auth::{AuthContext, TokenCache, TokenInfo};
use callout_core::{
    Error, ErrorKind,
    config::{IntegrationConfig, UnknownFields},
    fault::Faults,
    http::{Caller, SharedHttp},
    json::Json,
    limits::{Limits, Timeouts},
    secret::Secrets,
    time::{Deadline, SharedClock, SharedRng},
};
use callout_transport::Workers;

use crate::{
    Approval, CallId, CallOptions, Connection, Conversion, Integration, Outcome, SentRequest, Trace,
    call::{self, Call},
    connection,
    observer::SharedObserver,
};

/// Runs calls. Cheap to clone, `Send + Sync`; making one needs no async runtime, calling does (tokio).
///
/// All clones share the connections, the token cache and the retry budgets.
#[derive(Clone)]
pub struct Engine(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) http: SharedHttp,
    pub(crate) clock: SharedClock,
    pub(crate) rng: SharedRng,
    pub(crate) tokens: TokenCache,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) workers: Workers,
    pub(crate) observer: Option<SharedObserver>,
    pub(crate) approval: Option<Approval>,
    pub(crate) lenient_params: bool,
    pub(crate) idempotency_keys: bool,
    /// Calls so far.
    calls: AtomicU64,
}

impl Parts {
    /// A token fetch serves many calls: its own bounds are the engine's, only the wait is the call's.
    pub(crate) fn auth_context(&self, now: Instant, deadline: Deadline) -> AuthContext<'_> {
        let Self { http, clock, rng, tokens, limits, timeouts, .. } = self;
        AuthContext { http, clock, now, rng, cache: tokens, limits, timeouts, deadline }
    }
}

impl Engine {
    /// A builder with every default: public addresses only, [`Limits`] and [`Timeouts`] as documented.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Reads an integration as it is written, in the form of the config guide ([`crate::guide::config`]), and compiles
    /// it: paths, templates, schemas, keys and URLs are parsed once, here. A field that does not exist is a fault.
    ///
    /// `secrets` come before those that stand in the document. Tokens and retry budget are kept under the
    /// integration's name. A program with several tenants uses [`Engine::load_json_as`].
    ///
    /// ```
    /// use callout::{Engine, Json, Secrets};
    ///
    /// let document = Json::parse(
    ///     r#"{"name": "github", "display_name": "GitHub", "base_url": "https://api.github.com", "endpoints": [
    ///         {"name": "zen", "description": "A line of wisdom", "methd": "GET", "path": "/zen", "result_key": "a..b"}]}"#,
    /// )?;
    /// let error = Engine::builder().build()?.load_json(&document, &Secrets::new()).unwrap_err();
    /// let places: Vec<_> = error.faults().iter().map(|fault| fault.place.to_string()).collect();
    /// assert_eq!(places, ["endpoints[0].methd", "endpoints[0].result_key"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `invalid_config`, with every fault and its place in [`Error::faults`].
    pub fn load_json(&self, document: &Json, secrets: &Secrets) -> Result<Integration, Error> {
        self.read_and_load(document, secrets, |name| Caller { workspace: "".into(), integration: name.into() })
    }

    /// As [`Engine::load_json`], for that workspace and under that identity; see [`Engine::load_as`].
    ///
    /// # Errors
    ///
    /// As [`Engine::load_json`].
    pub fn load_json_as(
        &self,
        workspace: &str,
        integration: &str,
        document: &Json,
        secrets: &Secrets,
    ) -> Result<Integration, Error> {
        let owner = Caller { workspace: workspace.into(), integration: integration.into() };
        self.read_and_load(document, secrets, |_| owner)
    }

    fn read_and_load(
        &self,
        document: &Json,
        secrets: &Secrets,
        owner: impl FnOnce(&str) -> Caller,
    ) -> Result<Integration, Error> {
        let mut faults = Faults::new();
        let Some((config, own)) = IntegrationConfig::read(document, UnknownFields::Refuse, &mut faults) else {
            return Err(Error::from_faults(ErrorKind::InvalidConfig, faults));
        };
        let owner = owner(&config.name);
        self.compile(config, &own.with_all(secrets), owner, faults)
    }

    /// As [`Engine::load_json`], for a config that a program has made.
    ///
    /// # Errors
    ///
    /// As [`Engine::load_json`].
    pub fn load(&self, config: IntegrationConfig, secrets: &Secrets) -> Result<Integration, Error> {
        let name = config.name.clone();
        self.load_as("", &name, config, secrets)
    }

    /// As [`Engine::load`], for that workspace and under that identity: two workspaces never share a
    /// token or a retry budget, whatever their configs say.
    ///
    /// # Errors
    ///
    /// As [`Engine::load`].
    pub fn load_as(
        &self,
        workspace: &str,
        integration: &str,
        config: IntegrationConfig,
        secrets: &Secrets,
    ) -> Result<Integration, Error> {
        let owner = Caller { workspace: workspace.into(), integration: integration.into() };
        self.compile(config, secrets, owner, Faults::new())
    }

    /// Compiles a config that was read with those faults.
    fn compile(
        &self,
        config: IntegrationConfig,
        secrets: &Secrets,
        owner: Caller,
        mut faults: Faults,
    ) -> Result<Integration, Error> {
        let name = config.name.clone();
        let compiled = Integration::compile(config, secrets, owner, &self.0.limits, &mut faults);
        match compiled {
            Some(integration) if faults.is_empty() => Ok(integration),
            _ => {
                let error = Error::from_faults(ErrorKind::InvalidConfig, faults);
                Err(if name.is_empty() { error } else { error.with_integration(&name) })
            }
        }
    }

    /// Makes one call and gives the text for the model.
    ///
    /// `params` is an object: [`Json`], or a `serde_json::Value`. Dropping the future cancels the
    /// call; nothing of it goes on.
    ///
    /// # Errors
    ///
    /// Everything that [`ErrorKind`] lists but `invalid_config`. The error names integration and endpoint,
    /// and says whether trying again can help.
    pub async fn call(
        &self,
        integration: &Integration,
        endpoint: &str,
        params: impl Into<Json>,
    ) -> Result<Outcome, Error> {
        self.call_with(integration, endpoint, params, &CallOptions::default()).await
    }

    /// As [`Engine::call`], with options of its own.
    ///
    /// # Errors
    ///
    /// As [`Engine::call`].
    pub async fn call_with(
        &self,
        integration: &Integration,
        endpoint: &str,
        params: impl Into<Json>,
        options: &CallOptions,
    ) -> Result<Outcome, Error> {
        self.call_as(self.next_call(), integration, endpoint, params.into(), options).await
    }

    /// The id of the next call.
    pub(crate) fn next_call(&self) -> CallId {
        CallId(self.0.calls.fetch_add(1, Relaxed) + 1)
    }

    /// A call with an id that it has already.
    pub(crate) async fn call_as(
        &self,
        id: CallId,
        integration: &Integration,
        endpoint: &str,
        params: Json,
        options: &CallOptions,
    ) -> Result<Outcome, Error> {
        let call = Call { engine: &self.0, integration, endpoint, options };
        call::run(&call, id, params).await
    }

    /// Tells of a call that has an id already and was cancelled before it was begun.
    pub(crate) fn tell_cancelled(&self, id: CallId, integration: &Integration, endpoint: &str, options: &CallOptions) {
        let call = Call { engine: &self.0, integration, endpoint, options };
        call::tell_cancelled(&call, id);
    }

    /// Makes one call and keeps the request and every stage's value, also when it fails: to see why
    /// a call comes out as it does. Runs on a disabled integration too.
    pub async fn trace(&self, integration: &Integration, endpoint: &str, params: impl Into<Json>) -> Trace {
        self.trace_with(integration, endpoint, params, &CallOptions::default()).await
    }

    /// As [`Engine::trace`], with options of its own.
    pub async fn trace_with(
        &self,
        integration: &Integration,
        endpoint: &str,
        params: impl Into<Json>,
        options: &CallOptions,
    ) -> Trace {
        let call = Call { engine: &self.0, integration, endpoint, options };
        call::trace(&call, self.next_call(), params.into()).await
    }

    /// The request that a call with these params would send, secrets masked: a dry run. Nothing is
    /// sent, no token call either, and no approval is asked for.
    ///
    /// Everything is checked as for a call, so what it refuses is refused here. Works on a disabled
    /// integration too. [`SentRequest::to_curl`] writes it as a command line.
    ///
    /// # Errors
    ///
    /// `unknown_endpoint`, `unsupported_protocol`, `invalid_params`, `missing_auth_param`,
    /// `limit_exceeded`.
    pub fn render(
        &self,
        integration: &Integration,
        endpoint: &str,
        params: impl Into<Json>,
    ) -> Result<SentRequest, Error> {
        self.render_with(integration, endpoint, params, &CallOptions::default())
    }

    /// As [`Engine::render`], with options of its own.
    ///
    /// # Errors
    ///
    /// As [`Engine::render`].
    pub fn render_with(
        &self,
        integration: &Integration,
        endpoint: &str,
        params: impl Into<Json>,
        options: &CallOptions,
    ) -> Result<SentRequest, Error> {
        call::render(&Call { engine: &self.0, integration, endpoint, options }, params.into())
    }

    /// Which of these params a call would convert to fit the input schema, also where that does not help: see
    /// [`EngineBuilder::with_lenient_params`]. Nothing is sent. Empty for a call that is refused before its params are
    /// checked.
    pub fn conversions(
        &self,
        integration: &Integration,
        endpoint: &str,
        params: impl Into<Json>,
        options: &CallOptions,
    ) -> Vec<Conversion> {
        call::conversions(&Call { engine: &self.0, integration, endpoint, options }, params.into())
    }

    /// Gets what a call with these params would authenticate with: a token from the cache or by a
    /// token call, or the static secret.
    ///
    /// # Errors
    ///
    /// `auth_failed` and the kinds of a call that fails before its endpoint is reached.
    pub async fn token(&self, integration: &Integration, params: impl Into<Json>) -> Result<TokenInfo, Error> {
        let Json::Object(params) = params.into() else {
            return Err(Error::new(ErrorKind::InvalidParams, "params must be a JSON object"));
        };
        let token = call::token(&self.0, integration, &params).await;
        token.map_err(|error| error.with_integration(integration.name()))
    }

    /// Resolves auth and asks the API's base URL (`HEAD`, no retries), to tell whether an integration
    /// is set up well without calling any of its endpoints. Runs on a disabled integration too.
    ///
    /// `params` holds what a token exchange needs; an empty object else. Without a `base_url` the root
    /// of the first endpoint's origin is asked.
    pub async fn test_connection(&self, integration: &Integration, params: impl Into<Json>) -> Connection {
        connection::test(&self.0, integration, params.into()).await
    }

    /// The limits that integrations are compiled and called under.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// How long calls may take that do not say otherwise: what [`CallOptions::with_timeouts`] begins with, where a call
    /// changes one of them.
    pub fn timeouts(&self) -> Timeouts {
        self.0.timeouts
    }

    /// The token cache, for its counters or to share it with another engine.
    pub fn tokens(&self) -> &TokenCache {
        &self.0.tokens
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { limits, timeouts, approval, lenient_params, idempotency_keys, .. } = &*self.0;
        f.debug_struct("Engine")
            .field("limits", limits)
            .field("timeouts", timeouts)
            .field("approval", approval)
            .field("lenient_params", lenient_params)
            .field("idempotency_keys", idempotency_keys)
            .finish_non_exhaustive()
    }
}
