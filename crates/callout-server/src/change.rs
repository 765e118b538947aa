//! What a PATCH makes of an integration: absent fields stay, and credentials go nowhere new.

use callout::{
    AuthConfig, FaultCode, Faults, IntegrationConfig, Json, Place, SecretName, Secrets, UnknownFields,
    json::ObjectBuilder,
};
use callout_store::StoredIntegration;

/// The fields of the body that a change may have.
const FIELDS: [&str; 5] = ["display_name", "base_url", "auth", "endpoints", "enabled"];

/// An integration after a change.
pub(crate) struct Changed {
    pub(crate) config: IntegrationConfig,
    /// The secrets that stand in the change.
    pub(crate) given: Secrets,
    /// The stored ones that it takes away.
    pub(crate) removed: Vec<SecretName>,
    /// The stored ones that go on to serve beside those given.
    pub(crate) carried: Vec<SecretName>,
    /// Those given and those carried, as far as they open.
    pub(crate) all: Secrets,
}

/// Lays a change over a config.
///
/// `auth: null` clears the auth and its secrets. A field of `auth` that is absent stays as it was,
/// unless `type` changes: then nothing of the old type's fields does. A secret alone rotates it, null in its
/// place takes it away.
///
/// `opened` are the stored secrets, or none of them where one does not open.
///
/// What is wrong goes into `faults`; `None` where nothing can be made of the change. Faults of
/// the config itself are found when it is compiled.
pub(crate) fn apply(
    stored: &StoredIntegration,
    opened: &Secrets,
    change: &Json,
    faults: &mut Faults,
) -> Option<Changed> {
    let current = &stored.config;
    let Some(fields) = change.as_object() else {
        faults.report(FaultCode::WrongType, format!("must be an object, not {}", change.type_name()));
        return None;
    };
    for (name, fixed) in [("name", current.name.as_str()), ("protocol", current.protocol.as_str())] {
        if fields.get(name).is_some_and(|given| given.as_str() != Some(fixed)) {
            faults.field(name, |faults| faults.report(FaultCode::Value, "cannot be changed"));
        }
    }
    let is_told = |given: &Json, name: &str| name != "auth" || !is_type_alone(current.auth.as_ref(), given);
    if faults.is_empty() && !FIELDS.into_iter().any(|name| fields.get(name).is_some_and(|given| is_told(given, name))) {
        let message = format!("there is nothing to change: give one of {}", FIELDS.join(", "));
        faults.report(FaultCode::Missing, message);
        return None;
    }
    let merged = merge(current, change);
    let (config, given) = IntegrationConfig::read(&merged, UnknownFields::RefuseInAuth, faults)?;
    // By what is stored and not by what opens: the store keeps the one as the other.
    let serves = |name: SecretName| config.auth.as_ref().is_some_and(|auth| auth.kind.takes_secret(name));
    let is_null =
        |name: SecretName| change.get("auth").and_then(|auth| auth.get(name.field())).is_some_and(Json::is_null);
    let removed: Vec<_> = stored.secret_names().filter(|name| is_null(*name)).collect();
    let stays = |name: SecretName| given.get(name).is_none() && !removed.contains(&name) && serves(name);
    let carried: Vec<_> = stored.secret_names().filter(|name| stays(*name)).collect();
    let mut all = given.clone();
    for name in &carried {
        if let Some(secret) = opened.get(*name) {
            all.insert(*name, secret.clone());
        }
    }
    refuse_moved_secrets(current, &config, &carried, faults);
    Some(Changed { config, given, removed, carried, all })
}

/// The whole body that would create the changed integration.
fn merge(current: &IntegrationConfig, change: &Json) -> Json {
    let mut body = ObjectBuilder::new();
    if let Some(current_fields) = current.to_json().as_object() {
        for (name, value) in current_fields.iter() {
            let given = change.get(name).filter(|_| FIELDS.contains(&name));
            let value = match (name, given) {
                (_, None) => value.clone(),
                ("auth", Some(given)) => merge_auth(current.auth.as_ref(), given),
                (_, Some(given)) => given.clone(),
            };
            body = body.with(name, value);
        }
    }
    body.into()
}

/// Whether an `auth` says no more than the type that is there already, which clients send whatever they change.
fn is_type_alone(current: Option<&AuthConfig>, given: &Json) -> bool {
    let (Some(current), Some(fields)) = (current, given.as_object()) else { return false };
    fields.iter().all(|(name, value)| name == "type" && value.as_str() == Some(current.kind.as_str()))
}

fn merge_auth(current: Option<&AuthConfig>, given: &Json) -> Json {
    let (Some(current), Some(fields)) = (current, given.as_object()) else { return given.clone() };
    let kind = fields.get("type");
    if kind.is_some_and(|kind| kind.as_str() != Some(current.kind.as_str())) {
        return given.clone();
    }
    let default = AuthConfig::new(current.kind).to_json();
    let mut auth = ObjectBuilder::new();
    if let Some(members) = current.to_json().as_object() {
        for (name, value) in members.iter() {
            auth = auth.with(
                name,
                match fields.get(name) {
                    None => value.clone(),
                    // Null is a field's default, as it is when an integration is created.
                    Some(Json::Null) => default.get(name).cloned().unwrap_or_default(),
                    Some(given) => given.clone(),
                },
            );
        }
        // Secrets, and what is no field: the reader knows.
        for (name, value) in fields.iter().filter(|(name, _)| !members.contains(name)) {
            auth = auth.with(name, value.clone());
        }
    }
    auth.into()
}

/// A secret was given for the origins that the config named then. Whoever may change a URL but does
/// not know the secret must not have it sent to a host of their own choice.
fn refuse_moved_secrets(
    current: &IntegrationConfig,
    config: &IntegrationConfig,
    carried: &[SecretName],
    faults: &mut Faults,
) {
    if carried.is_empty() {
        return;
    }
    let names: Vec<_> = carried.iter().map(|name| format!("auth.{}", name.field())).collect();
    for place in config.origins_beyond(current) {
        let message = format!("leads to another origin than before; give {} in the same request", names.join(" and "));
        report(place, message, faults);
    }
}

fn report(place: Place, message: String, faults: &mut Faults) {
    faults.report_at(place, FaultCode::Conflict, message);
}
