//! What Callout's server keeps: workspaces, integrations with their secrets, API keys and the audit
//! log, in a SQLite file or in PostgreSQL.
//!
//! - A change and its audit row are one transaction. An integration is never stored without its
//!   secrets, nor the reverse, whatever dies in between.
//! - Changes are optimistic: a change to what somebody else has changed meanwhile is refused
//!   ([`StoreError::Changed`]).
//! - Secrets are sealed in the database under a master key, or kept in an external store
//!   ([`SecretBackend`]); API keys are kept as a hash.
//! - A store holds no state that another server on the same database would have to know.
//!
//! It is not the engine, which it never calls: rules about configs are checked there, before they are
//! stored.
//!
//! ```
//! use callout_core::{config::{AuthConfig, AuthType, IntegrationConfig}, secret::{SecretName, Secrets}};
//! use callout_store::{Actor, ListQuery, NewIntegration, Store, StoreError, StoreOptions};
//! # use callout_core::time::{Clock, Rng, SharedClock, SharedRng};
//! # struct Still;
//! # impl Clock for Still {
//! #     fn now(&self) -> std::time::Instant { std::time::Instant::now() }
//! #     fn unix(&self) -> std::time::Duration { std::time::Duration::from_secs(1_767_225_600) }
//! #     async fn sleep(&self, _: std::time::Duration) {}
//! #     async fn until(&self, _: std::time::Instant) { std::future::pending().await }
//! # }
//! # struct Dice(std::sync::atomic::AtomicU8);
//! # impl Rng for Dice {
//! #     fn fill(&self, buffer: &mut [u8]) {
//! #         buffer.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
//! #     }
//! # }
//!
//! # async fn example(clock: SharedClock, rng: SharedRng) -> Result<(), StoreError> {
//! let options = StoreOptions::new("sqlite::memory:".parse()?, clock, rng);
//! let store = Store::open(options).await?;
//! let by = Actor::new("example");
//! let workspace = store.create_workspace("default", &by).await?;
//!
//! let config = IntegrationConfig::new("github", "https://api.github.com")
//!     .with_auth(AuthConfig::new(AuthType::BearerToken));
//! let secrets = Secrets::new().with(SecretName::BearerToken, "github_pat_…");
//! let stored = store.create_integration(workspace.id, NewIntegration { config, secrets, builtin: false }, &by).await?;
//!
//! assert_eq!(stored.revision, 1);
//! assert_eq!(store.list_integrations(workspace.id, &ListQuery::default()).await?.total, 1);
//! assert!(store.secrets(&stored).await?.get(SecretName::BearerToken).is_some());
//! # Ok(())
//! # }
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # let clock = SharedClock::new(Still);
//! # runtime.block_on(example(clock, SharedRng::new(Dice(0.into()))))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod api_keys;
mod audit;
mod database;
mod error;
mod integrations;
mod list;
mod master_key;
mod options;
mod rotation;
mod seal;
pub mod secrets;
mod store;
mod timestamp;
mod workspaces;

pub use callout_core::secret_store::{SecretStore, SecretStoreError, SharedSecretStore};
pub use uuid::Uuid;

pub use self::{
    access::{Permission, Role, UnknownWord},
    api_keys::{ApiKey, NewApiKey},
    audit::{Actor, AuditAction, AuditEntry, AuditResult},
    database::ChangeStamp,
    error::StoreError,
    integrations::{IntegrationChange, NewIntegration, StoredIntegration, UnreadIntegration},
    list::{ListQuery, Listed, MAX_PAGE_BYTES, Page, Sort, SortBy},
    master_key::MasterKeySource,
    options::{DatabaseUrl, PostgresUrl, SecretBackend, StoreOptions},
    rotation::RotationReport,
    store::Store,
    timestamp::{BadTimestamp, Timestamp},
    workspaces::Workspace,
};
