//! Compiled integrations, kept while their revision is the current one.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use callout::{Error, Integration, Secrets};
use callout_store::{StoreError, StoredIntegration, Uuid};
use hashlink::LruCache;

use crate::{App, error::ApiError};

/// How often an integration that changes while it is read is read again.
const MAX_TRIES: u32 = 5;

/// By id; what stands here counts only for its own revision, which every call asks the store for.
/// That is how a change on one server is seen by all: at the next call.
pub(crate) struct Loaded(Mutex<LruCache<Uuid, Entry>>);

#[derive(Clone)]
struct Entry {
    workspace: Uuid,
    revision: i64,
    integration: Integration,
}

/// An integration that is there, as used; or why it cannot be used.
pub(crate) type LoadedIntegration = Result<Integration, Error>;

impl Loaded {
    pub(crate) fn new(most: usize) -> Self {
        Self(Mutex::new(LruCache::new(most.max(1))))
    }

    /// The integration of that id in that workspace, compiled.
    pub(crate) async fn get(&self, app: &App, workspace: Uuid, id: Uuid) -> Result<LoadedIntegration, ApiError> {
        if let Some(entry) = self.known(workspace, id)
            && app.store().integration_revision(workspace, id).await? == entry.revision
        {
            return Ok(Ok(entry.integration));
        }
        let (stored, secrets) = read(app, workspace, id).await?;
        let loaded = app.load(&stored, secrets).await?;
        if let Ok(integration) = &loaded {
            let entry = Entry { workspace, revision: stored.revision, integration: integration.clone() };
            self.entries().insert(id, entry);
        }
        Ok(loaded)
    }

    /// Keeps what was compiled for a change that has been stored.
    pub(crate) fn put(&self, stored: &StoredIntegration, integration: Integration) {
        let entry = Entry { workspace: stored.workspace_id, revision: stored.revision, integration };
        self.entries().insert(stored.id, entry);
    }

    /// Lets go of one that was deleted.
    pub(crate) fn forget(&self, id: Uuid) {
        self.entries().remove(&id);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    fn known(&self, workspace: Uuid, id: Uuid) -> Option<Entry> {
        self.entries().get(&id).filter(|entry| entry.workspace == workspace).cloned()
    }

    fn entries(&self) -> MutexGuard<'_, LruCache<Uuid, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An integration and its secrets, of one revision. A change may come between the two: then both are
/// read again.
async fn read(app: &App, workspace: Uuid, id: Uuid) -> Result<(StoredIntegration, Secrets), ApiError> {
    let mut tries = 0;
    loop {
        let stored = app.store().integration(workspace, id).await?;
        match app.store().secrets(&stored).await {
            Err(StoreError::Changed) if tries < MAX_TRIES => tries += 1,
            secrets => return Ok((stored, secrets?)),
        }
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("len", &self.len()).finish()
    }
}
