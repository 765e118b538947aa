//! Keys that were good a moment ago, so that a busy client does not cost a query a call.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use callout_store::{ApiKey, Uuid};
use hashlink::LruCache;
use sha2::{Digest, Sha256};

use crate::{App, error::ApiError};

/// How long a good key is believed without asking the store: a deleted key stops within this time.
const BELIEVED: Duration = Duration::from_millis(500);

/// How many keys are remembered.
const REMEMBERED: usize = 10_000;

/// Known by a digest of what was presented, so that no key stands here.
pub(crate) struct Keys(Mutex<LruCache<[u8; 32], Known>>);

struct Known {
    key: Arc<ApiKey>,
    asked: Instant,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }

    /// The key, if what was presented is one that is valid now.
    pub(crate) async fn authenticate(&self, app: &App, presented: &str) -> Result<Option<Arc<ApiKey>>, ApiError> {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        let now = app.clock().now();
        if let Some(key) = self.believed(&digest, now) {
            let expired = key.expires_at.is_some_and(|end| end <= app.now());
            return Ok((!expired).then_some(key));
        }
        // What asks the store takes much room, which few requests need.
        let found = Box::pin(app.store().authenticate(presented)).await?.map(Arc::new);
        let mut known = self.known();
        match &found {
            Some(key) => drop(known.insert(digest, Known { key: Arc::clone(key), asked: now })),
            None => drop(known.remove(&digest)),
        }
        Ok(found)
    }

    /// Forgets a key that was deleted or rotated here: it stops at once.
    pub(crate) fn forget(&self, id: Uuid) {
        self.known().retain(|_, known| known.key.id != id);
    }

    /// Forgets the keys of a workspace that was deleted here.
    pub(crate) fn forget_workspace(&self, id: Uuid) {
        self.known().retain(|_, known| known.key.workspace_id != Some(id));
    }

    fn believed(&self, digest: &[u8; 32], now: Instant) -> Option<Arc<ApiKey>> {
        let mut known = self.known();
        let found = known.get(digest)?;
        (now.saturating_duration_since(found.asked) < BELIEVED).then(|| Arc::clone(&found.key))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, LruCache<[u8; 32], Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("known", &self.known().len()).finish()
    }
}
