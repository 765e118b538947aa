//! An integration as used: everything that can be parsed, parsed.

use std::{collections::HashMap, fmt, sync::Arc};

use callout_auth::Auth;
use callout_core::{
    config::{Delivery, EndpointConfig, IntegrationConfig, MAX_ENDPOINTS, Protocol, RetryConfig},
    fault::Faults,
    http::Caller,
    limits::Limits,
    redact::Redactor,
    secret::Secrets,
};
use callout_request::Request;
use callout_response::Pipeline;
use url::Url;

use crate::{
    offload::Habit,
    tools::{self, ParamNames, Tool},
};

/// A loaded integration. Cheap to clone, `Send + Sync`.
///
/// It is bound to no engine: any engine calls it.
#[derive(Clone)]
pub struct Integration(Arc<Parts>);

struct Parts {
    name: String,
    display_name: String,
    protocol: Protocol,
    enabled: bool,
    owner: Caller,
    auth: Option<Auth>,
    redactor: Redactor,
    test_url: Option<Url>,
    /// Empty for `desktop`.
    endpoints: Vec<Arc<Endpoint>>,
    /// For `desktop` too.
    by_name: HashMap<String, Named>,
}

/// What is kept of each endpoint by its name.
struct Named {
    /// Its position.
    at: usize,
    delivery: Delivery,
}

/// One compiled endpoint.
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) description: String,
    /// See [`Tool::name`].
    pub(crate) tool_name: String,
    /// See [`Tool::params`].
    pub(crate) param_names: ParamNames,
    pub(crate) delivery: Delivery,
    pub(crate) retry: RetryConfig,
    pub(crate) request: Request,
    pub(crate) pipeline: Pipeline,
    /// How long working on its answers takes.
    pub(crate) habit: Arc<Habit>,
}

impl Integration {
    /// Checks and compiles a config. Every fault goes into `faults`, those of a config that was read
    /// with faults too; `None` if something could not be compiled.
    ///
    /// [`crate::Engine::load_json`] and [`crate::Engine::load`] are the short ways; this one is for programs that
    /// show faults beside those of [`IntegrationConfig::read`], and needs no engine.
    pub fn compile(
        config: IntegrationConfig,
        secrets: &Secrets,
        owner: Caller,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        config.check(secrets, limits, faults);
        let mut found = Faults::new();
        let auth = config
            .auth
            .as_ref()
            .map(|auth| found.field("auth", |faults| Auth::compile(auth, secrets, &owner, limits, faults)));
        let endpoints: Vec<_> = match config.protocol {
            // Its endpoints are no HTTP paths: there is nothing to compile and nothing to call.
            Protocol::Desktop => Vec::new(),
            Protocol::Rest => found.field("endpoints", |faults| {
                // What is beyond the bound has its fault; it is not compiled too.
                let endpoints = config.endpoints.iter().take(MAX_ENDPOINTS).enumerate();
                endpoints
                    .map(|(at, endpoint)| {
                        faults.index(at, |faults| Endpoint::compile(&config, endpoint, limits, faults))
                    })
                    .collect()
            }),
        };
        faults.absorb(found);
        let endpoints: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.map(Arc::new)).collect::<Option<_>>()?;
        let auth = match auth {
            Some(compiled) => Some(compiled?),
            None => None,
        };
        let redactor = auth.as_ref().map(|auth| auth.redactor().clone()).unwrap_or_default();
        let test_url = test_url(&config);
        let by_name = config.endpoints.iter().enumerate();
        let by_name = by_name
            .map(|(at, endpoint)| (endpoint.name.clone(), Named { at, delivery: endpoint.result_delivery }))
            .collect();
        Some(Self(Arc::new(Parts {
            name: config.name,
            display_name: config.display_name,
            protocol: config.protocol,
            enabled: config.enabled,
            owner,
            auth,
            redactor,
            test_url,
            endpoints,
            by_name,
        })))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The name for people.
    pub fn display_name(&self) -> &str {
        &self.0.display_name
    }

    /// How it is reached; only `rest` can be called.
    pub fn protocol(&self) -> Protocol {
        self.0.protocol
    }

    /// Whether it may be called.
    pub fn is_enabled(&self) -> bool {
        self.0.enabled
    }

    /// The names of the endpoints that can be called, in the config's order.
    pub fn endpoint_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.endpoints.iter().map(|endpoint| endpoint.name.as_str())
    }

    /// Its endpoints as tools for function calling, in the config's order.
    pub fn tools(&self) -> Vec<Tool> {
        self.0.endpoints.iter().map(|endpoint| Tool::new(endpoint)).collect()
    }

    pub(crate) fn endpoint(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.0.by_name.get(name).and_then(|named| self.0.endpoints.get(named.at))
    }

    /// When an endpoint wants its results handed over; `None` if the config does not name it. One of a `desktop`
    /// integration, which cannot be called, has it too: its failures are delivered.
    pub(crate) fn delivery(&self, name: &str) -> Option<Delivery> {
        self.0.by_name.get(name).map(|named| named.delivery)
    }

    pub(crate) fn auth(&self) -> Option<&Auth> {
        self.0.auth.as_ref()
    }

    pub(crate) fn owner(&self) -> &Caller {
        &self.0.owner
    }

    /// Where a test of the connection asks.
    pub(crate) fn test_url(&self) -> Option<&Url> {
        self.0.test_url.as_ref()
    }

    /// Masks the integration's own secrets.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.0.redactor
    }
}

/// The base URL, or the root of the first endpoint's origin where there is none.
fn test_url(config: &IntegrationConfig) -> Option<Url> {
    if !config.base_url.is_empty() {
        return Url::parse(&config.base_url).ok();
    }
    let path = &config.endpoints.first()?.path;
    // Placeholders stand behind the host only.
    let fixed = Url::parse(path.split('{').next()?).ok()?;
    fixed.join("/").ok()
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integration")
            .field("name", &self.0.name)
            .field("owner", &self.0.owner)
            .field("endpoints", &self.endpoint_names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    fn compile(
        config: &IntegrationConfig,
        endpoint: &EndpointConfig,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let request = Request::compile(&config.base_url, endpoint, config.auth.as_ref(), limits, faults);
        let pipeline = Pipeline::compile(endpoint, limits, faults);
        let (request, pipeline) = (request?, pipeline?);
        Some(Self {
            name: endpoint.name.clone(),
            description: endpoint.description.clone(),
            tool_name: tools::name(&config.name, &endpoint.name),
            param_names: ParamNames::of(&request.tool_schema()),
            delivery: endpoint.result_delivery,
            retry: endpoint.retry_config.clone(),
            request,
            pipeline,
            habit: Arc::default(),
        })
    }
}
