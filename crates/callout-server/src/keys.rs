//! Keys that were good a moment ago, so that a busy client does not cost a query a call.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use callout::{ExposeSecret, SecretString, SharedClock};
use callout_store::{ApiKey, Uuid};
use hashlink::LruCache;
use sha2::{Digest, Sha256};

use crate::{App, error::ApiError, shared_look::SharedLook};

/// How long a good key is believed without asking the store: a deleted key stops within this time.
const BELIEVED: Duration = Duration::from_millis(500);

/// How many keys are remembered.
const REMEMBERED: usize = 10_000;

/// Known by a digest of what was presented, so that no key stands here.
pub(crate) struct Keys(Mutex<Remembered>);

struct Remembered {
    known: LruCache<[u8; 32], Known>,
    /// How often keys were forgotten. What was asked for before that may be one of them.
    forgets: u64,
}

struct Known {
    key: Arc<ApiKey>,
    asked: Instant,
    /// Requests that come at once, when it is to be asked for anew, share what one asks.
    look: SharedLook<Option<Arc<ApiKey>>>,
}

/// The key, if it is a valid one.
type Answer = Result<Option<Arc<ApiKey>>, ApiError>;

impl Keys {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Remembered { known: LruCache::new(REMEMBERED), forgets: 0 }))
    }

    /// The key, if what was presented is one that is valid now.
    pub(crate) async fn authenticate(&self, app: &App, presented: &SecretString) -> Answer {
        let digest: [u8; 32] = Sha256::digest(presented.expose_secret()).into();
        let now = app.clock().now();
        if let Some(key) = self.believed(&digest, now) {
            let expired = key.expires_at.is_some_and(|end| end <= app.now());
            return Ok((!expired).then_some(key));
        }
        let (app, presented, clock) = (app.clone(), presented.clone(), app.clock().clone());
        self.look(digest, now, &clock, async move {
            // What asks the store takes much room, which few requests need.
            Ok(Box::pin(app.store().authenticate(presented.expose_secret())).await?.map(Arc::new))
        })
        .await
    }

    /// What the store says, asked at that moment or later.
    async fn look(
        &self,
        digest: [u8; 32],
        now: Instant,
        clock: &SharedClock,
        ask: impl Future<Output = Answer> + Send + 'static,
    ) -> Answer {
        let (shared, forgets) = {
            let mut remembered = self.remembered();
            (remembered.known.get(&digest).map(|known| known.look.clone()), remembered.forgets)
        };
        let found = match &shared {
            Some(look) => look.look(clock, ask).await?,
            // Nothing is kept of what may be no key.
            None => ask.await?,
        };
        let mut remembered = self.remembered();
        let is_in_force = remembered.forgets == forgets;
        match (&found, remembered.known.get_mut(&digest)) {
            (Some(key), Some(known)) if is_in_force => {
                known.key = Arc::clone(key);
                known.asked = known.asked.max(now);
            }
            (Some(key), None) if is_in_force => {
                let known = Known { key: Arc::clone(key), asked: now, look: SharedLook::new() };
                remembered.known.insert(digest, known);
            }
            (Some(_), _) => {}
            (None, _) => drop(remembered.known.remove(&digest)),
        }
        drop(remembered);
        Ok(found)
    }

    /// Forgets a key that was deleted or rotated here: it stops at once.
    pub(crate) fn forget(&self, id: Uuid) {
        self.forget_those(|key| key.id == id);
    }

    /// Forgets the keys of a workspace that was deleted here.
    pub(crate) fn forget_workspace(&self, id: Uuid) {
        self.forget_those(|key| key.workspace_id == Some(id));
    }

    fn forget_those(&self, are: impl Fn(&ApiKey) -> bool) {
        let mut remembered = self.remembered();
        remembered.known.retain(|_, known| !are(&known.key));
        remembered.forgets += 1;
    }

    fn believed(&self, digest: &[u8; 32], now: Instant) -> Option<Arc<ApiKey>> {
        let mut remembered = self.remembered();
        let found = remembered.known.get(digest)?;
        (now.saturating_duration_since(found.asked) < BELIEVED).then(|| Arc::clone(&found.key))
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("known", &self.remembered().known.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use callout::system_clock;
    use callout_store::{Role, Timestamp};
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn many_who_come_at_once_with_a_key_that_is_known_share_what_one_asks() {
        let keys = Keys::new();
        let clock = system_clock();
        let now = clock.now();
        let asked = Arc::new(AtomicUsize::new(0));
        let answer = |key: Option<&Arc<ApiKey>>| {
            let (key, asked) = (key.cloned(), Arc::clone(&asked));
            async move {
                asked.fetch_add(1, Ordering::SeqCst);
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
        assert!(keys.look([1; 32], now, &clock, answer(Some(&key))).await.unwrap().is_some());
        assert_eq!(asked.swap(0, Ordering::SeqCst), 1);
        let later = now + Duration::from_secs(1);
        assert!(keys.believed(&[1; 32], later).is_none());
        let all = join_all((0..50).map(|_| keys.look([1; 32], later, &clock, answer(Some(&key))))).await;
        assert!(all.iter().all(|found| found.as_ref().is_ok_and(Option::is_some)));
        assert!(keys.believed(&[1; 32], later).is_some());
        // At most that of the first, and one for those who came while it asked.
        assert!((1..=2).contains(&asked.swap(0, Ordering::SeqCst)));
        // What is forgotten while it is asked for is not kept, whether it was known or not.
        for digest in [[1; 32], [2; 32]] {
            let looking = keys.look(digest, later, &clock, answer(Some(&key)));
            let forgetting = async { keys.forget(key.id) };
            assert!(tokio::join!(looking, forgetting).0.unwrap().is_some());
            assert!(keys.remembered().known.is_empty());
        }
        // Nothing is kept of what is no key, and each who presents it asks.
        asked.store(0, Ordering::SeqCst);
        join_all((0..3).map(|_| keys.look([1; 32], now, &clock, answer(None)))).await;
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        assert!(keys.remembered().known.is_empty());
        // One that is gone is gone for all.
        keys.look([1; 32], now, &clock, answer(Some(&key))).await.unwrap();
        let all = join_all((0..3).map(|_| keys.look([1; 32], now, &clock, answer(None)))).await;
        assert!(all.iter().all(|found| found.as_ref().is_ok_and(Option::is_none)));
        assert!(keys.remembered().known.is_empty());
    }
}
