//! The tools of many integrations under one roof.

use std::{collections::HashMap, mem};

use callout_core::{
    Error, ErrorKind,
    fault::excerpt,
    json::{Json, Object, ObjectBuilder},
};
use callout_request::references::rerooted;

use super::{MAX_NAME, Tool, concealed, digested, hidden, schema, strict};
use crate::{CallId, CallOptions, Engine, Inbox, Integration, Outcome};

/// The tools of many integrations, under names that lead back to them, with params that are the
/// host's and not the model's.
///
/// A name is `[a-zA-Z0-9_-]`, at most 64 characters, and the same in every registry, unless two
/// endpoints would share it (the same integration name in two workspaces): then the one added later
/// has a digest of its workspace in its name.
///
/// ```
/// use callout::{Engine, EndpointConfig, IntegrationConfig, Method, Secrets, ToolRegistry};
/// use serde_json::json;
///
/// let mut orders = EndpointConfig::new("orders", "A user's orders", "/users/{user_id}/orders");
/// orders.method = Method::Get;
/// let config = IntegrationConfig::new("shop", "https://shop.example").with_endpoint(orders);
/// let engine = Engine::builder().build()?;
/// let shop = engine.load(config, &Secrets::new())?;
///
/// let registry = ToolRegistry::new().with_integration(&shop).with_host_param("user_id");
/// assert_eq!(registry.tools()[0].input_schema.to_string(), r#"{"type":"object","properties":{}}"#);
/// // The model chooses `{}`; whose orders they are is not its to say.
/// let params = registry.params("shop__orders", json!({"user_id": "somebody else"}), json!({"user_id": 42}))?;
/// assert_eq!(params.to_string(), r#"{"user_id":42}"#);
/// # Ok::<(), callout::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ToolRegistry {
    tools: Vec<Registered>,
    by_name: HashMap<String, usize>,
    host_params: Vec<String>,
    strict: bool,
}

#[derive(Clone, Debug)]
struct Registered {
    integration: Integration,
    /// With all its params.
    tool: Tool,
}

impl Registered {
    fn is_of(&self, integration: &Integration) -> bool {
        self.integration.owner() == integration.owner() && self.integration.name() == integration.name()
    }
}

impl ToolRegistry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the endpoints of an integration. One that is there already, of the same workspace and
    /// identity, is replaced, after a config has changed: what the new one lacks is gone, and what stays
    /// keeps its name.
    #[must_use]
    pub fn with_integration(mut self, integration: &Integration) -> Self {
        self.renew(integration);
        for tool in integration.tools() {
            self.add(integration, tool);
        }
        self
    }

    /// Adds some endpoints of an integration; names that it does not have are passed over. Those that are
    /// there already stay and are replaced as by [`ToolRegistry::with_integration`], if it still has them.
    #[must_use]
    pub fn with_endpoints(mut self, integration: &Integration, endpoints: &[&str]) -> Self {
        self.renew(integration);
        for tool in integration.tools() {
            if endpoints.contains(&tool.endpoint.as_str()) {
                self.add(integration, tool);
            }
        }
        self
    }

    /// Makes a param the host's in every tool that has it: models do not see it and cannot set it.
    #[must_use]
    pub fn with_host_param(mut self, name: &str) -> Self {
        if !self.host_params.iter().any(|other| other == name) {
            self.host_params.push(name.to_owned());
        }
        self
    }

    /// Hands tools to OpenAI in strict mode where their schemas can be said in it; see
    /// [`Tool::to_openai_strict`].
    #[must_use]
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Has all that is there of an integration go to this state of it: nothing is called any more with a config
    /// or secrets that were replaced.
    fn renew(&mut self, integration: &Integration) {
        let before = self.tools.len();
        self.tools.retain_mut(|known| {
            if !known.is_of(integration) {
                return true;
            }
            let Some(endpoint) = integration.endpoint(&known.tool.endpoint) else { return false };
            let name = mem::take(&mut known.tool.name);
            *known = Registered { integration: integration.clone(), tool: Tool { name, ..Tool::new(endpoint) } };
            true
        });
        if self.tools.len() < before {
            let names = self.tools.iter().enumerate().map(|(at, known)| (known.tool.name.clone(), at));
            self.by_name = names.collect();
        }
    }

    /// Adds a tool, if it is not there already.
    fn add(&mut self, integration: &Integration, mut tool: Tool) {
        if self.tools.iter().any(|known| known.is_of(integration) && known.tool.endpoint == tool.endpoint) {
            return;
        }
        let owner = integration.owner();
        let mut whole =
            format!("{}\n{}\n{}\n{}", owner.workspace, owner.integration, integration.name(), tool.endpoint);
        let plain = tool.name.clone();
        while self.by_name.contains_key(&tool.name) {
            tool.name = digested(&plain, &whole);
            whole.push('\n');
        }
        self.by_name.insert(tool.name.clone(), self.tools.len());
        self.tools.push(Registered { integration: integration.clone(), tool });
    }

    /// The tools as models see them: without the host's params.
    pub fn tools(&self) -> Vec<Tool> {
        let shown = |Registered { tool, .. }: &Registered| {
            let whole = &tool.input_schema;
            let shown = hidden::hide(whole, &self.host_params);
            // They are hidden of the params, and not of a value among these that is of the same form.
            let schema = if shown == *whole { shown } else { rerooted(&shown, whole) };
            Tool { input_schema: schema, ..tool.clone() }
        };
        self.tools.iter().map(shown).collect()
    }

    /// The tools for OpenAI's Chat Completions API.
    pub fn openai(&self) -> Vec<Json> {
        let shape = if self.strict { Tool::to_openai_strict } else { Tool::to_openai };
        self.tools().iter().map(shape).collect()
    }

    /// The tools for OpenAI's Responses API.
    pub fn openai_responses(&self) -> Vec<Json> {
        let shape = if self.strict { Tool::to_openai_responses_strict } else { Tool::to_openai_responses };
        self.tools().iter().map(shape).collect()
    }

    /// The tools for Anthropic's Messages API.
    pub fn anthropic(&self) -> Vec<Json> {
        self.tools().iter().map(Tool::to_anthropic).collect()
    }

    /// The tools for the Model Context Protocol.
    pub fn mcp(&self) -> Vec<Json> {
        self.tools().iter().map(Tool::to_mcp).collect()
    }

    /// The integration and the endpoint behind a tool's name.
    pub fn get(&self, name: &str) -> Option<(&Integration, &str)> {
        let Registered { integration, tool } = self.tools.get(*self.by_name.get(name)?)?;
        Some((integration, &tool.endpoint))
    }

    /// The params of a call: the model's, and the host's over them. Those of the model get their own names back where
    /// it sees others; see [`Tool::params`]. Those of the host have their own.
    ///
    /// Of `host` what was made the host's ([`ToolRegistry::with_host_param`]) and the tool has is taken.
    /// Of the model's all that is the host's is dropped, whether or not the host gives a value. Params beyond
    /// [`Limits::max_params_bytes`](crate::Limits::max_params_bytes) keep the nulls of strict mode: a call refuses
    /// them.
    ///
    /// # Errors
    ///
    /// `unknown_endpoint` if there is no such tool; `invalid_params` if either is no object.
    pub fn params(&self, name: &str, model: impl Into<Json>, host: impl Into<Json>) -> Result<Json, Error> {
        let Registered { integration, tool } = self.registered(name)?;
        let whole = &tool.input_schema;
        let model = tool.param_names.own(object(model.into(), "the model's params")?);
        let host = object(host.into(), "the host's params")?;
        let mut params = ObjectBuilder::with_capacity(model.len());
        for (name, value) in model.iter().filter(|(name, _)| !self.is_hosts(name)) {
            params.insert(name, value.clone());
        }
        for (name, value) in host.iter().filter(|(name, _)| self.is_hosts(name) && schema::declares(whole, name)) {
            params.insert(name, value.clone());
        }
        let params = Json::from(params);
        let is_within_bounds = || {
            let endpoint = integration.endpoint(&tool.endpoint);
            endpoint.zip(params.as_object()).is_some_and(|(to, params)| to.request.is_within_bounds(params))
        };
        let is_looked_into = self.strict && is_within_bounds();
        Ok(if is_looked_into { strict::without_nulls(whole, &params) } else { params })
    }

    /// Makes the call that a model asked for; see [`ToolRegistry::params`]. Errors name params as models see them.
    ///
    /// Of the host's params models are told nothing. Where one of them is missing or does not fit, the error says that
    /// a param of the host's is it, in the kind and with the code that it has, and nothing else: no other params help.
    /// Its advice says so too, and a `tracing` event at level WARN has the param's name.
    ///
    /// # Errors
    ///
    /// As [`ToolRegistry::params`] and [`Engine::call`].
    pub async fn call(
        &self,
        engine: &Engine,
        name: &str,
        model: impl Into<Json>,
        host: impl Into<Json>,
    ) -> Result<Outcome, Error> {
        self.call_with(engine, name, model, host, &CallOptions::default()).await
    }

    /// As [`ToolRegistry::call`], with options of its own, such as the id that the model has given the tool call.
    ///
    /// # Errors
    ///
    /// As [`ToolRegistry::call`].
    pub async fn call_with(
        &self,
        engine: &Engine,
        name: &str,
        model: impl Into<Json>,
        host: impl Into<Json>,
        options: &CallOptions,
    ) -> Result<Outcome, Error> {
        let params = self.params(name, model, host)?;
        let Registered { integration, tool } = self.registered(name)?;
        let options = options.clone().with_tool_names(true);
        let result = engine.call_with(integration, &tool.endpoint, params, &options).await;
        result.map_err(|error| concealed::without(error, &self.names_in_errors(tool)))
    }

    /// Spawns the call that a model asked for into an inbox; see [`ToolRegistry::params`]. Errors are as those of
    /// [`ToolRegistry::call`].
    ///
    /// # Errors
    ///
    /// As [`ToolRegistry::params`] and [`Inbox::spawn`].
    pub fn spawn(
        &self,
        inbox: &Inbox,
        name: &str,
        model: impl Into<Json>,
        host: impl Into<Json>,
    ) -> Result<CallId, Error> {
        self.spawn_with(inbox, name, model, host, &CallOptions::default())
    }

    /// As [`ToolRegistry::spawn`], with options of its own, such as the id that the model has given the tool call.
    ///
    /// # Errors
    ///
    /// As [`ToolRegistry::spawn`].
    pub fn spawn_with(
        &self,
        inbox: &Inbox,
        name: &str,
        model: impl Into<Json>,
        host: impl Into<Json>,
        options: &CallOptions,
    ) -> Result<CallId, Error> {
        let params = self.params(name, model, host)?;
        let Registered { integration, tool } = self.registered(name)?;
        let names = self.names_in_errors(tool);
        let told = move |error| concealed::without(error, &names);
        inbox.spawn_telling(integration, &tool.endpoint, params, &options.clone().with_tool_names(true), told)
    }

    /// What errors call the host's params of a tool.
    fn names_in_errors(&self, tool: &Tool) -> Vec<String> {
        let names = self.host_params.iter().map(|own| {
            // A place has of a long name its beginning.
            [tool.param_names.shown_name(own).to_owned(), excerpt(own, MAX_NAME)]
        });
        names.flatten().collect()
    }

    fn is_hosts(&self, param: &str) -> bool {
        self.host_params.iter().any(|name| name == param)
    }

    fn registered(&self, name: &str) -> Result<&Registered, Error> {
        self.by_name.get(name).and_then(|&at| self.tools.get(at)).ok_or_else(|| {
            let known: Vec<_> = self.tools.iter().take(20).map(|known| known.tool.name.as_str()).collect();
            let known =
                if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
            let asked: String = name.chars().filter(|asked| !asked.is_control()).take(100).collect();
            Error::new(ErrorKind::UnknownEndpoint, format!("there is no tool {asked:?}; {known}"))
        })
    }
}

fn object(value: Json, what: &str) -> Result<Object, Error> {
    match value {
        Json::Object(members) => Ok(members),
        Json::Null => Ok(Object::default()),
        other => {
            let message = format!("{what} must be a JSON object, not {}", other.type_name());
            Err(Error::new(ErrorKind::InvalidParams, message))
        }
    }
}
