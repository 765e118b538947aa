//! Keys that were good a moment ago, so that a busy client does not cost a query a call.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use callout_store::{ApiKey, Uuid};
use hashlink::LruCache;
use sha2::{Digest, Sha256};

use crate::{App, error::ApiError, shared_look::SharedLook};

/// How long a good key is believed without asking the store: a deleted key stops within this time.
const BELIEVED: Duration = Duration::from_millis(500);

/// How many keys are remembered.
const REMEMBERED: usize = 10_000;

/// Known by a digest of what was presented, so that no key stands here.
pub(crate) struct Keys(Mutex<LruCache<[u8; 32], Known>>);

struct Known {
    key: Arc<ApiKey>,
    asked: Instant,
    /// Requests that come at once, when it is to be asked for anew, ask the store once.
    look: Arc<SharedLook<Answer>>,
}

/// The key, if it is a valid one.
type Answer = Result<Option<Arc<ApiKey>>, ApiError>;

impl Keys {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }

    /// The key, if what was presented is one that is valid now.
    pub(crate) async fn authenticate(&self, app: &App, presented: &str) -> Answer {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        let now = app.clock().now();
        if let Some(key) = self.believed(&digest, now) {
            let expired = key.expires_at.is_some_and(|end| end <= app.now());
            return Ok((!expired).then_some(key));
        }
        self.look(digest, now, async {
            // What asks the store takes much room, which few requests need.
            Ok(Box::pin(app.store().authenticate(presented)).await?.map(Arc::new))
        })
        .await
    }

    /// What the store says, asked at that moment or later.
    async fn look(&self, digest: [u8; 32], now: Instant, ask: impl Future<Output = Answer>) -> Answer {
        let look = self.known().get(&digest).map(|known| Arc::clone(&known.look));
        let (look, found) = match look {
            Some(look) => {
                let found = look.look(ask).await?;
                (look, found)
            }
            // Nothing is kept of what may be no key.
            None => (Arc::new(SharedLook::new()), ask.await?),
        };
        let mut known = self.known();
        match &found {
            Some(key) => drop(known.insert(digest, Known { key: Arc::clone(key), asked: now, look })),
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use callout::system_clock;
    use callout_store::{Role, Timestamp};
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn many_who_come_at_once_with_a_key_that_is_known_ask_once() {
        let keys = Keys::new();
        let now = system_clock().now();
        let asked = Cell::new(0);
        let answer = |key: Option<&Arc<ApiKey>>| {
            let key = key.cloned();
            let asked = &asked;
            async move {
                asked.set(asked.get() + 1);
                tokio::task::yield_now().await;
                Ok(key)
            }
        };
        let key = Arc::new(ApiKey {
            id: Uuid::from_u128(1),
            workspace_id: None,
            name: None,
            role: Role::Viewer,
            permissions: Vec::new(),
            created_at: Timestamp::from_unix_micros(0),
            expires_at: None,
        });
        assert!(keys.look([1; 32], now, answer(Some(&key))).await.unwrap().is_some());
        assert_eq!(asked.take(), 1);
        let all = join_all((0..50).map(|_| keys.look([1; 32], now, answer(Some(&key))))).await;
        assert!(all.iter().all(|found| found.as_ref().is_ok_and(Option::is_some)));
        // The first, and those who came while it asked.
        assert_eq!(asked.take(), 2);
        // One that is gone is gone for all, and each who presents it asks.
        let all = join_all((0..3).map(|_| keys.look([1; 32], now, answer(None)))).await;
        assert!(all.iter().all(|found| found.as_ref().is_ok_and(Option::is_none)));
        assert!(keys.believed(&[1; 32], now).is_none());
        asked.set(0);
        join_all((0..3).map(|_| keys.look([1; 32], now, answer(None)))).await;
        assert_eq!(asked.take(), 3);
        assert!(keys.known().is_empty());
    }
}
