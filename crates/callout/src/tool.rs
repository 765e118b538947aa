//! Endpoints as tools: what a model is told about them.

use std::fmt::Write;

use callout_core::json::{Json, ObjectBuilder};

use crate::integration::Endpoint;

/// The longest name that the common model providers accept.
const MAX_NAME: usize = 64;

/// One endpoint as a tool for function calling.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tool {
    /// `{integration}__{endpoint}`: at most 64 characters of `[a-zA-Z0-9_-]`. What would be longer is
    /// cut and ends in a digest of the whole, so that the name is the same on every run and no two
    /// endpoints share one. Look endpoints up by [`Tool::endpoint`], do not parse the name.
    pub name: String,
    /// What the endpoint does.
    pub description: String,
    /// JSON Schema of the params, an object; path params and auth params that the config's schema
    /// does not name are added.
    pub input_schema: Json,
    /// The endpoint's name.
    pub endpoint: String,
}

impl Tool {
    pub(crate) fn new(integration: &str, endpoint: &Endpoint) -> Self {
        Self {
            name: tool_name(integration, &endpoint.name),
            description: endpoint.description.clone(),
            input_schema: endpoint.request.tool_schema(),
            endpoint: endpoint.name.clone(),
        }
    }

    /// `{"name", "description", "input_schema"}`.
    pub fn to_json(&self) -> Json {
        ObjectBuilder::new()
            .with("name", self.name.as_str())
            .with("description", self.description.as_str())
            .with("input_schema", self.input_schema.clone())
            .into()
    }
}

fn tool_name(integration: &str, endpoint: &str) -> String {
    let whole = format!("{integration}__{endpoint}");
    if whole.len() <= MAX_NAME {
        return whole;
    }
    // FNV-1a, 64 bits: stable across releases and platforms, which the standard hasher is not.
    let digest = whole
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut name: String = whole.chars().take(MAX_NAME - 17).collect();
    let _ = write!(name, "_{digest:016x}");
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_stable_and_distinct() {
        assert_eq!(tool_name("github", "list-issues"), "github__list-issues");
        let long = "a".repeat(100);
        let (one, two) = (tool_name(&long, "x1"), tool_name(&long, "x2"));
        assert_eq!(one.len(), 64);
        assert_ne!(one, two);
        assert_eq!(one, tool_name(&long, "x1"));
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
    }
}
