//! A config as a person would write it: without what is at its default.

use callout_core::{
    config::{AuthConfig, EndpointConfig, IntegrationConfig},
    json::{Json, Object, ObjectBuilder},
};

/// The create-integration body, without fields that are at their defaults and without secrets.
pub fn lean(config: &IntegrationConfig) -> Json {
    let written = config.to_json();
    let mut lean = ObjectBuilder::new();
    for (name, value) in written.as_object().into_iter().flat_map(Object::iter) {
        let value = match name {
            "protocol" | "enabled" if is_default(name, value) => continue,
            "auth" => match &config.auth {
                Some(auth) => differing(value, &AuthConfig::new(auth.kind).to_json(), &["type"]),
                None => continue,
            },
            "endpoints" => config.endpoints.iter().map(endpoint).collect(),
            _ => value.clone(),
        };
        lean.insert(name, value);
    }
    lean.into()
}

fn is_default(name: &str, value: &Json) -> bool {
    IntegrationConfig::new("ab", "").to_json().get(name) == Some(value)
}

fn endpoint(config: &EndpointConfig) -> Json {
    let plain = EndpointConfig::new("", "", "").to_json();
    differing(&config.to_json(), &plain, &["name", "description", "method", "path"])
}

/// The members that differ from the defaults, and those that always stand.
fn differing(value: &Json, default: &Json, always: &[&str]) -> Json {
    let members = value.as_object().into_iter().flat_map(Object::iter);
    members
        .filter(|(name, value)| always.contains(name) || default.get(name) != Some(value))
        .map(|(name, value)| (name, value.clone()))
        .collect()
}
