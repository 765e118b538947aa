//! Where secrets are kept as a seam: AWS SSM, memory, the environment, or a host's own vault.

use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc};

use secrecy::SecretString;

/// Keeps secrets by path, each change a version of its own.
///
/// A reader names path and version, so that it sees a change wholly or not at all. Implemented by
/// `callout-store` for the environment, memory and AWS SSM; a host may put its own in their place.
pub trait SecretStore: Send + Sync + 'static {
    /// Stores a value as the newest version of that path, and returns the version's number. Earlier
    /// versions stay readable at least until the next call for that path.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError::ReadOnly`] where nothing can be written, else [`SecretStoreError::Unavailable`].
    fn put(&self, path: &str, value: &SecretString) -> impl Future<Output = Result<u64, SecretStoreError>> + Send;

    /// That version's value.
    ///
    /// # Errors
    ///
    /// [`SecretStoreError::NotFound`] if there is no such path or version.
    fn get(&self, path: &str, version: u64) -> impl Future<Output = Result<SecretString, SecretStoreError>> + Send;

    /// Deletes every version of that path. It is no error if there is none.
    ///
    /// # Errors
    ///
    /// As [`SecretStore::put`].
    fn delete(&self, path: &str) -> impl Future<Output = Result<(), SecretStoreError>> + Send;
}

/// Why a secret could not be written or read. No part of it holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretStoreError {
    /// There is no such path or version.
    #[error("there is no such secret")]
    NotFound,
    /// This store is only read; the message says where its values come from.
    #[error("{0}")]
    ReadOnly(String),
    /// The store cannot be reached, or refuses for now. Trying again can help.
    #[error("{message}")]
    Unavailable {
        /// Lower case, without a full stop.
        message: String,
        /// What it came from.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SecretStoreError>> + Send + 'a>>;

trait DynSecretStore: Send + Sync {
    fn put<'a>(&'a self, path: &'a str, value: &'a SecretString) -> Answer<'a, u64>;
    fn get<'a>(&'a self, path: &'a str, version: u64) -> Answer<'a, SecretString>;
    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()>;
}

impl<S: SecretStore> DynSecretStore for S {
    fn put<'a>(&'a self, path: &'a str, value: &'a SecretString) -> Answer<'a, u64> {
        Box::pin(SecretStore::put(self, path, value))
    }

    fn get<'a>(&'a self, path: &'a str, version: u64) -> Answer<'a, SecretString> {
        Box::pin(SecretStore::get(self, path, version))
    }

    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        Box::pin(SecretStore::delete(self, path))
    }
}

/// A [`SecretStore`] that many parts hold.
#[derive(Clone)]
pub struct SharedSecretStore(Arc<dyn DynSecretStore>);

impl SharedSecretStore {
    /// Shares a store.
    pub fn new(store: impl SecretStore) -> Self {
        Self(Arc::new(store))
    }

    /// See [`SecretStore::put`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn put(&self, path: &str, value: &SecretString) -> Result<u64, SecretStoreError> {
        self.0.put(path, value).await
    }

    /// See [`SecretStore::get`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn get(&self, path: &str, version: u64) -> Result<SecretString, SecretStoreError> {
        self.0.get(path, version).await
    }

    /// See [`SecretStore::delete`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn delete(&self, path: &str) -> Result<(), SecretStoreError> {
        self.0.delete(path).await
    }
}

impl fmt::Debug for SharedSecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecretStore").finish_non_exhaustive()
    }
}
