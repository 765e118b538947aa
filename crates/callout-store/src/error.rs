//! Why the store could not do what it was asked.

use std::error::Error;

use callout_core::secret_store::SecretStoreError;

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// Why the store could not do what it was asked. No part of it holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is none: `workspace`, `integration` or `API key`.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Another one has that name.
    #[error("the name {0:?} is taken")]
    NameTaken(String),
    /// Builtin integrations are changed by import only.
    #[error("it is builtin and cannot be changed or deleted, only imported again")]
    Builtin,
    /// Somebody else changed it since it was read; read it again.
    #[error("it was changed by another request meanwhile, read it again")]
    Changed,
    /// The master key is missing or wrong; the message says the way out.
    #[error("{0}")]
    MasterKey(String),
    /// A secret that does not open: moved, swapped, rolled back, damaged or gone.
    #[error(
        "the secret {path} does not open: it is gone, or was moved, swapped, rolled back or damaged, \
         or stored under another env; give it anew"
    )]
    Sealed {
        /// Where it is kept.
        path: String,
    },
    /// The secret store is only read; the message says where its values come from.
    #[error("{0}")]
    ReadOnlySecrets(String),
    /// Database or secret store locked, full or gone: it heals without a restart.
    #[error("{message}")]
    Unavailable {
        /// Lower case, without a full stop.
        message: String,
        /// What it came from.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The database holds what this program cannot read; the message says what.
    #[error("{0}")]
    Damaged(String),
    /// A bad database URL, a bad option, or an argument that cannot be stored.
    #[error("{0}")]
    Invalid(String),
}

impl StoreError {
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable { message: message.into(), source: None }
    }

    /// What a secret store said about that path.
    pub(crate) fn of_secret(error: SecretStoreError, path: &str) -> Self {
        match error {
            SecretStoreError::NotFound => Self::Sealed { path: path.to_owned() },
            SecretStoreError::ReadOnly(message) => Self::ReadOnlySecrets(message),
            SecretStoreError::Unavailable { message, source } => Self::Unavailable { message, source },
            other => Self::unavailable(other.to_string()),
        }
    }
}
