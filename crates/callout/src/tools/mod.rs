//! Endpoints as tools: what a model is told about them.

mod concealed;
mod dialect;
mod hidden;
mod names;
mod registry;
mod schema;
mod shapes;
mod size;
mod strict;

use std::fmt::Write;

use callout_core::{
    config::{Delivery, Method},
    json::{Json, ObjectBuilder},
};

pub(crate) use names::ParamNames;
pub use registry::ToolRegistry;

use crate::integration::Endpoint;

/// The longest name that the common model providers accept, of a tool and of a param.
const MAX_NAME: usize = 64;

/// One endpoint as a tool for function calling.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tool {
    /// `{integration}__{endpoint}`: at most 64 characters of `[a-zA-Z0-9_-]`. What would be longer, or
    /// could be read as another pair's, is cut and ends in a digest of the whole, so that the name is
    /// the same on every run and in every set of integrations. Look endpoints up by
    /// [`Tool::endpoint`], or in a [`ToolRegistry`]; do not parse the name.
    pub name: String,
    /// What the endpoint does.
    pub description: String,
    /// JSON Schema of the params, an object; path params and auth params that the config's schema
    /// does not name are added. It has the params' own names; see [`Tool::params`].
    pub input_schema: Json,
    /// The endpoint's name.
    pub endpoint: String,
    /// The endpoint's method.
    pub method: Method,
    /// When the endpoint wants its results handed over.
    pub delivery: Delivery,
    /// Whether the config's schema says nothing of the params.
    takes_anything: bool,
    param_names: ParamNames,
}

impl Tool {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        Self {
            name: endpoint.tool_name.clone(),
            description: endpoint.description.clone(),
            input_schema: endpoint.request.tool_schema(),
            endpoint: endpoint.name.clone(),
            method: endpoint.request.method(),
            delivery: endpoint.delivery,
            takes_anything: endpoint.request.takes_anything(),
            param_names: endpoint.param_names.clone(),
        }
    }

    /// The params of a call, of the arguments that a model gave for this tool.
    ///
    /// Anthropic and Bedrock take names of params of 1 to 64 characters of `[a-zA-Z0-9_.-]` alone. Where one is
    /// another (`created[gte]`, `$filter`, `expand[]`), the shapes for OpenAI, Anthropic and MCP show a name that
    /// fits (`created_gte`, `filter`, `expand`), the same in all of them, with the param's own name in its
    /// description. Here it gets its own name back, unless there is a value under that already, which is kept then. A
    /// tool whose params all have names that fit gives the arguments as they are.
    ///
    /// [`ToolRegistry::params`] has this done; so has a call with
    /// [`CallOptions::with_tool_names`](crate::CallOptions::with_tool_names).
    ///
    /// ```
    /// use callout::{EndpointConfig, Engine, IntegrationConfig, Json, Secrets};
    ///
    /// let charges = EndpointConfig::new("charges", "Lists charges", "/v1/charges{?created[gte]}");
    /// let config = IntegrationConfig::new("stripe", "https://api.stripe.com").with_endpoint(charges);
    /// let tool = Engine::builder().build()?.load(config, &Secrets::new())?.tools().remove(0);
    /// assert!(tool.to_anthropic().to_string().contains(r#""created_gte":{"type":"string""#));
    /// let params = tool.params(serde_json::json!({"created_gte": "1700000000"}));
    /// assert_eq!(params.to_string(), r#"{"created[gte]":"1700000000"}"#);
    /// # Ok::<(), callout::Error>(())
    /// ```
    pub fn params(&self, arguments: impl Into<Json>) -> Json {
        match arguments.into() {
            Json::Object(arguments) => self.param_names.own(arguments).into(),
            other => other,
        }
    }

    /// `{"name", "description", "input_schema"}`, the schema as it is.
    pub fn to_json(&self) -> Json {
        ObjectBuilder::new()
            .with("name", self.name.as_str())
            .with("description", self.description.as_str())
            .with("input_schema", self.input_schema.clone())
            .into()
    }
}

/// The name of an endpoint's tool; see [`Tool::name`].
pub(crate) fn name(integration: &str, endpoint: &str) -> String {
    let whole = format!("{integration}__{endpoint}");
    // An endpoint's name begins with a letter or digit, and an integration's ends in one: without a
    // `__` of its own in the integration's name the pair can be told from its name.
    if whole.len() <= MAX_NAME && !integration.contains("__") {
        return whole;
    }
    digested(&whole, &format!("{integration}\n{endpoint}"))
}

/// A text cut to fit, with a digest of what it stands for.
fn digested(text: &str, whole: &str) -> String {
    // FNV-1a, 64 bits: stable across releases and platforms, which the standard hasher is not.
    let digest = whole
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut name: String = text.chars().take(MAX_NAME - 17).collect();
    let _ = write!(name, "_{digest:016x}");
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_stable_and_distinct() {
        assert_eq!(name("github", "list-issues"), "github__list-issues");
        let long = "a".repeat(100);
        let (one, two) = (name(&long, "x1"), name(&long, "x2"));
        assert_eq!(one.len(), 64);
        assert_ne!(one, two);
        assert_eq!(one, name(&long, "x1"));
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
        // Two pairs that would share a name.
        assert_eq!(name("a", "b__c"), "a__b__c");
        assert_eq!(name("a__b", "c"), "a__b__c_350063703c619787");
    }
}
