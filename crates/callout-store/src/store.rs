//! The store itself: how it opens, and what its parts share.

use std::{fmt, sync::Arc};

use callout_core::{
    secret_store::SharedSecretStore,
    time::{SharedClock, SharedRng},
};
use uuid::Uuid;

use crate::{
    database::{ChangeStamp, Connect, Database, Write, execute, rows},
    error::{Result, StoreError},
    master_key::{KeyRing, Keys, MasterKeySource},
    options::{DatabaseUrl, SecretBackend, StoreOptions},
    seal::{MasterKey, Slot},
    secrets::home::Home,
    timestamp::Timestamp,
};

/// Workspaces, integrations, secrets, API keys and the audit log. Cheap to clone; clones are the same
/// store.
///
/// Every method fails with [`StoreError::Unavailable`] while the database is locked, full or gone, and
/// works again once it is back.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) database: Database,
    pub(crate) vault: Vault,
    pub(crate) env: String,
    pub(crate) clock: SharedClock,
    pub(crate) rng: SharedRng,
}

/// Where secrets are kept.
pub(crate) enum Vault {
    /// In the database, sealed under these keys.
    Sealed(Keys),
    /// In a store outside.
    External(SharedSecretStore),
}

/// What is sealed under each master key, to prove it.
const CHECK: &[u8] = b"callout master key";
const CHECK_SLOT: Slot<'static> = Slot { path: "check", version: 0 };

impl Store {
    /// Opens the store: makes or completes the tables, makes the master key's file if the database is
    /// new and the file absent, else proves the key, and [recovers](Store::recover).
    ///
    /// # Errors
    ///
    /// [`StoreError::MasterKey`] if the key is missing or wrong; [`StoreError::Invalid`] for options that cannot be,
    /// for another env or [`SecretBackend`] than the database's secrets are kept with, and for a database of a newer
    /// program. Whichever it is, the database is as it was, at the version of its tables that it had.
    pub async fn open(options: StoreOptions) -> Result<Self> {
        let StoreOptions { database: url, master_key, secrets, env, clock, rng, max_connections, max_wait } = options;
        check_env(&env)?;
        let is_key_given = master_key.is_some();
        let external = match secrets {
            SecretBackend::External(store) => Some(store),
            SecretBackend::Database => None,
        };
        let source = match (&external, master_key, &url) {
            (Some(_), _, _) | (None, None, DatabaseUrl::Memory) => None,
            (None, Some(source), _) => Some(source),
            (None, None, DatabaseUrl::Sqlite(path)) => {
                let mut key = path.clone().into_os_string();
                key.push(".key");
                Some(MasterKeySource::File(key.into()))
            }
            (None, None, DatabaseUrl::Postgres(_)) => {
                return Err(StoreError::MasterKey(
                    "secrets in PostgreSQL need a master key: file:PATH or env:NAME".to_owned(),
                ));
            }
        };
        let source = match source {
            Some(source) => {
                // Beside a new file there is room for its key, if there is some for the file.
                let ring = source.read_first(is_key_given && url.is_new_file(), &rng)?;
                Some((source, ring))
            }
            None => None,
        };
        let (database, mut on) =
            Database::open(Connect { url: &url, max_connections, max_wait, clock: &clock }).await?;
        // Before a key is made for what has none.
        Home::new(external.is_some(), &env).check(&mut on).await?;
        let vault = match external {
            Some(store) => Vault::External(store),
            None => Vault::Sealed(prove_keys(&mut on, source, &rng).await?),
        };
        on.commit().await?;
        let store = Self(Arc::new(Parts { database, vault, env, clock, rng }));
        if let Err(error) = store.recover().await {
            // What is left is unreachable, not wrong; the next one tries again.
            tracing::warn!(%error, "secrets of unfinished changes could not be cleared away yet");
        }
        Ok(store)
    }

    /// Whether the database answers: for a readiness check.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<()> {
        self.0.database.ping().await
    }

    /// Tells without asking the database whether anything was committed since: not, if it is what it was. `None`
    /// where that cannot be told so: in PostgreSQL and in memory, on systems other than Unix, if the log is gone,
    /// and until SQLite's log was found unchanged for a second.
    ///
    /// A commit that takes more than a second from its log to where it is seen, because the disk is slow or the
    /// process was stopped in between, is missed if it is looked for just then; and that the database's own file was
    /// taken away or replaced is told only to who asks it. Who keeps something by this asks the database now and then
    /// all the same.
    pub fn change_stamp(&self) -> Option<ChangeStamp> {
        self.0.database.change_stamp(self.0.clock.now())
    }

    /// Ends its connections, once those in use are given back. A store that is dropped does so too,
    /// without waiting.
    pub async fn close(&self) {
        self.0.database.close().await;
    }
}

impl Parts {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.unix())
    }

    /// A new id, later than those before (RFC 9562 version 7).
    pub(crate) fn new_id(&self) -> Uuid {
        let mut chance = [0; 10];
        self.rng.fill(&mut chance);
        uuid::Builder::from_unix_timestamp_millis(self.clock.unix().as_millis() as u64, &chance).into_uuid()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("env", &self.0.env).finish_non_exhaustive()
    }
}

/// It is part of a path, which SSM and variables' names must be able to hold.
fn check_env(env: &str) -> Result<()> {
    let good = !env.is_empty()
        && env.len() <= 64
        && env.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !env.starts_with('.');
    if good {
        return Ok(());
    }
    Err(StoreError::Invalid(format!("env must be 1 to 64 letters, digits, `_`, `-` and `.`, not {env:?}")))
}

/// The keys of that source, of which some have been read, each of those that seal anything, or may, proven. A database
/// that has none yet takes the first.
async fn prove_keys(
    on: &mut Write,
    source: Option<(MasterKeySource, Option<KeyRing>)>,
    rng: &SharedRng,
) -> Result<Keys> {
    let checks: Vec<(String, Vec<u8>, Vec<u8>)> = rows!(
        *on,
        "SELECT key_id, nonce, ciphertext FROM master_keys WHERE current = 1 \
         OR EXISTS (SELECT 1 FROM sealed_secrets WHERE sealed_secrets.key_id = master_keys.key_id)",
    )?;
    let is_new = checks.is_empty();
    let keys = match source {
        None => Keys::in_memory(rng)?,
        Some((source, Some(read))) => Keys::of(source, read),
        Some((source, None)) if is_new => Keys::read_or_make(source, rng)?,
        Some((source, None)) => Keys::read(source)?,
    };
    for (key_id, nonce, ciphertext) in checks {
        // A rotation may have put another into the file since it was read.
        let key = keys.get(&key_id).map_err(|_| keys.missing(&key_id))?;
        if key.open(CHECK_SLOT, &nonce, &ciphertext).is_none() {
            return Err(StoreError::MasterKey(format!(
                "the master key {:?} is not the one that the database is sealed under, though it has its id; \
                 restore that key",
                key.id()
            )));
        }
    }
    if is_new {
        insert_check(on, keys.ring().first(), rng).await?;
    }
    Ok(keys)
}

/// Lets secrets be sealed under that key, which becomes the current one.
pub(crate) async fn insert_check(on: &mut Write, key: &MasterKey, rng: &SharedRng) -> Result<()> {
    let sealed =
        key.seal(CHECK_SLOT, CHECK, rng).ok_or_else(|| StoreError::MasterKey("the key does not seal".to_owned()))?;
    execute!(
        *on,
        "INSERT INTO master_keys (key_id, nonce, ciphertext, current) VALUES ($1, $2, $3, 1)",
        key.id(),
        &sealed.nonce,
        &sealed.ciphertext,
    )?;
    Ok(())
}
