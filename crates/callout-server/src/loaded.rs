//! Compiled integrations, kept while their revision is the current one.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use callout::{Error, ErrorKind, Integration, Secrets};
use callout_store::{ChangeStamp, StoreError, StoredIntegration, Uuid};
use hashlink::LruCache;
use http::StatusCode;

use crate::{
    App,
    error::ApiError,
    shared_look::{SharedLook, SharedLooks},
};

/// How often an integration that changes while it is read is read again.
const MAX_TRIES: u32 = 5;

/// How long one may take to be loaded: a store of secrets outside is waited for half a minute.
const LONGEST_LOAD: Duration = Duration::from_mins(1);

/// Bytes of all configs whose compiled form is kept.
const MAX_CONFIG_BYTES: usize = 64 << 20;

/// By id; what stands here counts only for its own revision, which every call asks the store for, unless nothing
/// was committed since it was asked. That is how a change on one server is seen by all: at the next call. (What a
/// slow disk keeps from being seen for more than a second may be missed, and so may it that the database's own file is
/// taken away: for [`BELIEVED`] at most.)
pub(crate) struct Loaded {
    most: usize,
    entries: Mutex<Entries>,
    /// Callers who come while one is being loaded wait for the one who does it, and for no other: if that fails, it
    /// has failed for all of them. By workspace too, for what one is told is not another's.
    loads: SharedLooks<(Uuid, Uuid), LoadedIntegration>,
}

struct Entries {
    by_id: LruCache<Uuid, Entry>,
    config_bytes: usize,
}

#[derive(Clone)]
struct Entry {
    workspace: Uuid,
    revision: i64,
    integration: Integration,
    config_bytes: usize,
    /// Calls at the same time share what one asks.
    asked: SharedLook<i64>,
    seen: Arc<Mutex<Option<Seen>>>,
}

/// The store was asked, and this revision was the current one.
#[derive(Clone, Copy)]
struct Seen {
    /// From before it was asked.
    stamp: ChangeStamp,
    asked: Instant,
}

/// How long the stamp is believed; see [`callout_store::Store::change_stamp`].
const BELIEVED: Duration = Duration::from_millis(500);

impl Entry {
    /// Whether the store need not be asked.
    fn is_seen(&self, stamp: ChangeStamp, now: Instant) -> bool {
        let seen = *lock(&self.seen);
        seen.is_some_and(|seen| seen.stamp == stamp && now.saturating_duration_since(seen.asked) < BELIEVED)
    }
}

/// An integration that is there, as used; or why it cannot be used.
pub(crate) type LoadedIntegration = Result<Integration, Error>;

impl Loaded {
    pub(crate) fn new(most: usize) -> Self {
        let entries = Entries { by_id: LruCache::new_unbounded(), config_bytes: 0 };
        Self { most: most.max(1), entries: Mutex::new(entries), loads: SharedLooks::new(LONGEST_LOAD) }
    }

    /// The integration of that id in that workspace, compiled.
    pub(crate) async fn get(&self, app: &App, workspace: Uuid, id: Uuid) -> Result<LoadedIntegration, ApiError> {
        match self.current(app, workspace, id).await? {
            Some(integration) => Ok(Ok(integration)),
            // It takes much room, which few calls need.
            None => Box::pin(self.look(app, workspace, id)).await,
        }
    }

    /// What the store holds, loaded by one of those who ask for it.
    async fn look(&self, app: &App, workspace: Uuid, id: Uuid) -> Result<LoadedIntegration, ApiError> {
        let (own, clock) = (app.clone(), app.clock());
        let find = async move { own.loaded().find(&own, workspace, id).await };
        self.loads.look((workspace, id), clock, Box::pin(find)).await
    }

    async fn find(&self, app: &App, workspace: Uuid, id: Uuid) -> Result<LoadedIntegration, ApiError> {
        // Another may have loaded it meanwhile.
        match self.current(app, workspace, id).await? {
            Some(integration) => Ok(Ok(integration)),
            None => self.load(app, workspace, id).await,
        }
    }

    /// What is kept, if it is current: nothing was committed since it was found to be, or the store says so.
    async fn current(&self, app: &App, workspace: Uuid, id: Uuid) -> Result<Option<Integration>, ApiError> {
        let (stamp, now) = (app.store().change_stamp(), app.clock().now());
        let known = {
            let mut entries = lock(&self.entries);
            let known = entries.by_id.get(&id).filter(|entry| entry.workspace == workspace);
            if let Some(entry) = known.filter(|entry| stamp.is_some_and(|stamp| entry.is_seen(stamp, now))) {
                return Ok(Some(entry.integration.clone()));
            }
            known.cloned()
        };
        let Some(entry) = known else { return Ok(None) };
        let (app, clock) = (app.clone(), app.clock().clone());
        // Few ask, and only those need room for it.
        let ask = async move { Ok(Box::pin(app.store().integration_revision(workspace, id)).await?) };
        match entry.asked.look(&clock, ask).await {
            Ok(revision) if revision == entry.revision => {
                *lock(&entry.seen) = stamp.map(|stamp| Seen { stamp, asked: now });
                Ok(Some(entry.integration))
            }
            Ok(_) => Ok(None),
            Err(error) => {
                if error.status == StatusCode::NOT_FOUND {
                    self.forget(id);
                }
                Err(error)
            }
        }
    }

    async fn load(&self, app: &App, workspace: Uuid, id: Uuid) -> Result<LoadedIntegration, ApiError> {
        let (stored, secrets) = read(app, workspace, id).await?;
        let secrets = match secrets {
            Ok(secrets) => secrets,
            Err(error) => return Ok(Err(error.with_integration(&stored.config.name))),
        };
        let loaded = app.load(&stored, secrets).await?;
        if let Ok(integration) = &loaded {
            self.put(&stored, integration.clone());
        }
        Ok(loaded)
    }

    /// Keeps what was compiled of what is stored.
    pub(crate) fn put(&self, stored: &StoredIntegration, integration: Integration) {
        let config_bytes = stored.config.to_json().to_string().len();
        let (workspace, revision, asked) = (stored.workspace_id, stored.revision, SharedLook::new());
        let entry = Entry { workspace, revision, integration, config_bytes, asked, seen: Arc::default() };
        let mut entries = lock(&self.entries);
        entries.insert(stored.id, entry);
        while entries.by_id.len() > self.most || entries.config_bytes > MAX_CONFIG_BYTES {
            entries.drop_oldest();
        }
    }

    /// Lets go of one that was deleted.
    pub(crate) fn forget(&self, id: Uuid) {
        lock(&self.entries).remove(id);
    }

    /// Lets go of those of a workspace that was deleted.
    pub(crate) fn forget_workspace(&self, workspace: Uuid) {
        let mut entries = lock(&self.entries);
        let of_it = entries.by_id.iter().filter(|(_, entry)| entry.workspace == workspace).map(|(id, _)| *id);
        for id in of_it.collect::<Vec<_>>() {
            entries.remove(id);
        }
    }
}

impl Entries {
    fn insert(&mut self, id: Uuid, entry: Entry) {
        self.config_bytes += entry.config_bytes;
        if let Some(before) = self.by_id.insert(id, entry) {
            self.config_bytes -= before.config_bytes;
        }
    }

    fn remove(&mut self, id: Uuid) {
        if let Some(entry) = self.by_id.remove(&id) {
            self.config_bytes -= entry.config_bytes;
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, entry)) = self.by_id.remove_lru() {
            self.config_bytes -= entry.config_bytes;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An integration and its secrets, of one revision. A change may come between the two: then both are
/// read again. Secrets that do not open fail the call, not the server.
async fn read(app: &App, workspace: Uuid, id: Uuid) -> Result<(StoredIntegration, Result<Secrets, Error>), ApiError> {
    let mut tries = 0;
    loop {
        let stored = app.stored(workspace, id).await?;
        match app.store().secrets(&stored).await {
            Err(StoreError::Changed) if tries < MAX_TRIES => tries += 1,
            Err(StoreError::Sealed { path }) => {
                // Found once for all who wait, each of whose calls has the same ids in its own line.
                tracing::error!(workspace_id = %workspace, integration_id = %id, path, "a secret does not open");
                let message = "a stored secret cannot be opened; give it anew by a change of `auth`";
                return Ok((stored, Err(Error::new(ErrorKind::MissingSecret, message))));
            }
            secrets => return Ok((stored, Ok(secrets?))),
        }
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = lock(&self.entries);
        f.debug_struct("Loaded")
            .field("integrations", &entries.by_id.len())
            .field("config_bytes", &entries.config_bytes)
            .finish_non_exhaustive()
    }
}
