//! Secrets in memory.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use callout_core::{
    secret::SecretString,
    secret_store::{SecretStore, SecretStoreError},
};

/// Keeps secrets in memory: for tests and trials. They are gone with the process, while the database
/// still names them. Clones are the same store.
#[derive(Clone, Default)]
pub struct MemorySecrets(Arc<Mutex<BTreeMap<String, Vec<SecretString>>>>);

impl MemorySecrets {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// The paths that there are.
    pub fn paths(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<SecretString>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStore for MemorySecrets {
    async fn put(&self, path: &str, value: &SecretString) -> Result<u64, SecretStoreError> {
        let mut all = self.lock();
        let versions = all.entry(path.to_owned()).or_default();
        versions.push(value.clone());
        Ok(versions.len() as u64)
    }

    async fn get(&self, path: &str, version: u64) -> Result<SecretString, SecretStoreError> {
        let at = usize::try_from(version).ok().and_then(|version| version.checked_sub(1));
        let all = self.lock();
        let found = all.get(path).zip(at).and_then(|(versions, at)| versions.get(at));
        found.cloned().ok_or(SecretStoreError::NotFound)
    }

    async fn delete(&self, path: &str) -> Result<(), SecretStoreError> {
        self.lock().remove(path);
        Ok(())
    }
}

impl fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySecrets").field("paths", &self.paths()).finish_non_exhaustive()
    }
}
