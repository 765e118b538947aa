//! Secrets from the environment.

use std::{collections::BTreeMap, fmt, sync::Arc};

use callout_core::{
    secret::SecretString,
    secret_store::{SecretStore, SecretStoreError},
};

/// Begins the name of each variable.
const PREFIX: &str = "CALLOUT_SECRET_";

/// Reads secrets from variables that whoever starts the process sets: for a database that another
/// process fills, with secrets that never touch a disk.
///
/// The variable of a path is `CALLOUT_SECRET_` and the path in upper case, with `_` for what is no
/// letter or digit: `CALLOUT_SECRET_DEV_INTEGRATION_SECRETS_<WORKSPACE>_<INTEGRATION>_API_KEY`.
/// Whatever the version, it has that one value.
///
/// It is for hosts that embed this crate and only read what there is; the program `callout` offers the
/// database and AWS SSM. What it cannot do:
///
/// - Nothing is put. An integration with secrets cannot be created, nor a secret be changed: either fails with
///   [`ReadOnlySecrets`](crate::StoreError::ReadOnlySecrets), and nothing is changed. Integrations without secrets
///   can be created, and any can be deleted; its variables stay as they are.
/// - Which secrets an integration has stands in the database, from when another store outside of it was given
///   them under the same env. A database that seals its own is refused.
/// - No name is known beforehand, for it holds the ids of workspace and integration, which are made with these.
///
/// ```
/// use callout_store::{SecretBackend, SharedSecretStore, secrets::EnvironmentSecrets};
///
/// let backend = SecretBackend::External(SharedSecretStore::new(EnvironmentSecrets::from_process()));
/// # drop(backend);
/// ```
#[derive(Clone)]
pub struct EnvironmentSecrets(Arc<BTreeMap<String, SecretString>>);

impl EnvironmentSecrets {
    /// This process's variables, as they are now.
    pub fn from_process() -> Self {
        let all =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_variables(all)
    }

    /// Those variables; others than secrets are left aside.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let secrets = variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX));
        Self(Arc::new(secrets.map(|(name, value)| (name, value.into())).collect()))
    }

    /// The variable of that path.
    pub fn variable(path: &str) -> String {
        let path = path.trim_start_matches('/').to_ascii_uppercase();
        let name: String = path.chars().map(|found| if found.is_ascii_alphanumeric() { found } else { '_' }).collect();
        format!("{PREFIX}{name}")
    }

    fn read_only(path: &str) -> SecretStoreError {
        SecretStoreError::ReadOnly(format!(
            "secrets are read from the environment and cannot be changed here; set {} and start again",
            Self::variable(path)
        ))
    }
}

impl SecretStore for EnvironmentSecrets {
    async fn put(&self, path: &str, _: &SecretString) -> Result<u64, SecretStoreError> {
        Err(Self::read_only(path))
    }

    async fn get(&self, path: &str, _: u64) -> Result<SecretString, SecretStoreError> {
        self.0.get(&Self::variable(path)).cloned().ok_or(SecretStoreError::NotFound)
    }

    /// There is nothing of ours to delete.
    async fn delete(&self, _: &str) -> Result<(), SecretStoreError> {
        Ok(())
    }
}

impl fmt::Debug for EnvironmentSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentSecrets").field("variables", &self.0.keys()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_variable() {
        assert_eq!(
            EnvironmentSecrets::variable("/dev/integration-secrets/0198-c0de/0198-c0df/api_key"),
            "CALLOUT_SECRET_DEV_INTEGRATION_SECRETS_0198_C0DE_0198_C0DF_API_KEY"
        );
    }
}
