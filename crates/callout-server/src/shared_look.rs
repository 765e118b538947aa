//! One look that serves many: what callers ask the store at the same time.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    pin::pin,
    sync::{
        Arc, Mutex as SyncMutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use callout::SharedClock;
use futures_util::future::{Either, select};
use tokio::sync::Mutex;

use crate::error::ApiError;

/// How long a look may take, which is twice what the store waits for a connection by default. A database that went
/// away without a word keeps a query as long as TCP does, which is a quarter of an hour.
const LONGEST: Duration = Duration::from_secs(10);

/// Looks at one thing for many callers. Each gets what a look has found that began after the caller came, so
/// that nobody is told of an older state than a look of its own would have told it; those who come while one
/// is under way share the next. A failure tells of no state: it is for all who have come till then.
/// Clones are the same.
pub(crate) struct SharedLook<T> {
    /// How many have come.
    came: Arc<AtomicU64>,
    seen: Arc<Mutex<Seen<T>>>,
}

/// What the last look that ended has found, and how many of those who had come it counts for.
struct Seen<T> {
    upto: u64,
    found: Option<Result<T, ApiError>>,
}

impl<T: Clone + Send + 'static> SharedLook<T> {
    pub(crate) fn new() -> Self {
        Self { came: Arc::default(), seen: Arc::new(Mutex::new(Seen { upto: 0, found: None })) }
    }

    /// What `look` finds, or what another's has found that began since. It goes on when the caller goes away, for
    /// those who wait: each would else begin it anew, and have less time left for it. After [`LONGEST`] it has failed.
    pub(crate) async fn look(
        &self,
        clock: &SharedClock,
        look: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.look_within(LONGEST, clock, look).await
    }

    /// As [`SharedLook::look`], with another longest time.
    async fn look_within(
        &self,
        longest: Duration,
        clock: &SharedClock,
        look: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let own = self.came.fetch_add(1, Ordering::SeqCst) + 1;
        let mut seen = Arc::clone(&self.seen).lock_owned().await;
        if let Seen { upto, found: Some(found) } = &*seen
            && *upto >= own
        {
            return found.clone();
        }
        let (came, clock) = (Arc::clone(&self.came), clock.clone());
        let looking = tokio::spawn(async move {
            let begun = came.load(Ordering::SeqCst);
            let found = match select(pin!(look), pin!(clock.until(clock.now() + longest))).await {
                Either::Left((found, _)) => found,
                Either::Right(_) => {
                    tracing::warn!(seconds = longest.as_secs(), "the store gave no answer in time");
                    Err(ApiError::store_unavailable())
                }
            };
            let has_failed = found.as_ref().is_err_and(|error| error.status.is_server_error());
            let upto = if has_failed { came.load(Ordering::SeqCst) } else { begun };
            *seen = Seen { upto, found: Some(found.clone()) };
            found
        });
        looking.await.unwrap_or_else(|_| Err(ApiError::given_up()))
    }
}

impl<T> Clone for SharedLook<T> {
    fn clone(&self) -> Self {
        Self { came: Arc::clone(&self.came), seen: Arc::clone(&self.seen) }
    }
}

impl<T> fmt::Debug for SharedLook<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLook").finish_non_exhaustive()
    }
}

/// Shared looks by what is looked at; where nobody looks they take no room.
pub(crate) struct SharedLooks<K: Copy + Eq + Hash, T> {
    longest: Duration,
    by_key: ByKey<K, T>,
}

/// Each with the number of those who look and of looks under way.
type ByKey<K, T> = Arc<SyncMutex<HashMap<K, (usize, SharedLook<T>)>>>;

/// One who looks, or a look under way.
struct Looking<K: Copy + Eq + Hash, T> {
    by_key: ByKey<K, T>,
    key: K,
}

impl<K: Copy + Eq + Hash + Send + 'static, T: Clone + Send + 'static> SharedLooks<K, T> {
    /// A look may take that long.
    pub(crate) fn new(longest: Duration) -> Self {
        Self { longest, by_key: Arc::default() }
    }

    /// As [`SharedLook::look`].
    pub(crate) async fn look(
        &self,
        key: K,
        clock: &SharedClock,
        look: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (shared, [own, its]) = self.begin(key);
        // Who comes after all have gone away waits for the look that goes on, and begins none beside it.
        let looking = async move {
            let _its = its;
            look.await
        };
        let found = shared.look_within(self.longest, clock, looking).await;
        drop(own);
        found
    }

    fn begin(&self, key: K) -> (SharedLook<T>, [Looking<K, T>; 2]) {
        let mut by_key = lock(&self.by_key);
        let (count, shared) = by_key.entry(key).or_insert_with(|| (0, SharedLook::new()));
        *count += 2;
        let looking = || Looking { by_key: Arc::clone(&self.by_key), key };
        (shared.clone(), [looking(), looking()])
    }
}

impl<K: Copy + Eq + Hash, T> Drop for Looking<K, T> {
    fn drop(&mut self) {
        let mut by_key = lock(&self.by_key);
        if let Some((count, _)) = by_key.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                by_key.remove(&self.key);
            }
        }
    }
}

fn lock<K, T>(by_key: &SyncMutex<HashMap<K, T>>) -> MutexGuard<'_, HashMap<K, T>> {
    by_key.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Copy + Eq + Hash, T> fmt::Debug for SharedLooks<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLooks").field("in_use", &lock(&self.by_key).len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use callout::{Clock, system_clock};
    use futures_util::{FutureExt as _, future::join_all};
    use http::StatusCode;
    use tokio::{sync::oneshot, task::yield_now};

    use super::*;

    fn unavailable() -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "")
    }

    async fn look<T: Clone + Send + 'static>(
        shared: &SharedLook<T>,
        look: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        shared.look(&system_clock(), look).await
    }

    /// A clock at which every moment has come.
    struct Over;

    impl Clock for Over {
        fn now(&self) -> Instant {
            system_clock().now()
        }

        fn unix(&self) -> Duration {
            Duration::ZERO
        }

        async fn sleep(&self, _: Duration) {}

        async fn until(&self, _: Instant) {}
    }

    /// A look at a counter, which it counts, and how many looks there were.
    #[derive(Clone, Default)]
    struct Counted(Arc<AtomicU64>);

    impl Counted {
        fn look(&self) -> impl Future<Output = Result<u64, ApiError>> + Send + 'static {
            let looks = Arc::clone(&self.0);
            async move {
                yield_now().await;
                Ok(looks.fetch_add(1, Ordering::SeqCst) + 1)
            }
        }

        fn looks(&self) -> u64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn those_who_come_during_a_look_share_the_next_and_see_nothing_older() {
        let (shared, counted) = (SharedLook::new(), Counted::default());
        let (end, ended) = oneshot::channel::<()>();
        let own = counted.look();
        let mut first = pin!(look(&shared, async {
            let found = own.await;
            let _ = ended.await;
            found
        }));
        assert!(first.as_mut().now_or_never().is_none());
        while counted.looks() == 0 {
            yield_now().await;
        }
        // What the first look has found is too old for them.
        let mut others = pin!(join_all((0..3).map(|_| look(&shared, counted.look()))));
        assert!(others.as_mut().now_or_never().is_none());
        end.send(()).unwrap();
        assert_eq!(first.await.unwrap(), 1);
        let found: Vec<_> = others.await.into_iter().map(Result::unwrap).collect();
        assert_eq!(found, [2, 2, 2]);
        assert_eq!(look(&shared, counted.look()).await.unwrap(), 3, "one who comes later looks anew");
    }

    #[tokio::test]
    async fn a_look_goes_on_when_its_caller_goes_away() {
        let (shared, counted) = (SharedLook::new(), Counted::default());
        let (end, ended) = oneshot::channel::<()>();
        let (start, started) = oneshot::channel();
        let gone = look(&shared, async {
            start.send(()).unwrap();
            let _ = ended.await;
            Err(unavailable())
        });
        assert!(gone.now_or_never().is_none());
        started.await.unwrap();
        let mut waiting = pin!(look(&shared, counted.look()));
        assert!(waiting.as_mut().now_or_never().is_none());
        end.send(()).unwrap();
        // A failure is for those who waited for it too.
        assert_eq!(waiting.await.unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(counted.looks(), 0);
        assert_eq!(look(&shared, counted.look()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_look_that_does_not_end_fails_for_all_who_wait_and_lets_the_next_go() {
        let (shared, counted) = (SharedLook::new(), Counted::default());
        let clock = SharedClock::new(Over);
        let stuck = shared.look(&clock, std::future::pending());
        let (stuck, waiting) = tokio::join!(stuck, look(&shared, counted.look()));
        for failed in [stuck, waiting] {
            assert_eq!(failed.unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
        }
        assert_eq!(look(&shared, counted.look()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_look_that_panics_fails_alone() {
        let (shared, counted) = (SharedLook::new(), Counted::default());
        let broken = look(&shared, async { panic!("a defect") });
        assert_eq!(broken.await.unwrap_err().status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(look(&shared, counted.look()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn those_who_look_at_one_thing_share_its_failure_and_nothing_is_kept() {
        let (looks, counted, clock) = (SharedLooks::new(Duration::from_mins(1)), Counted::default(), system_clock());
        let (end, ended) = oneshot::channel::<()>();
        let (start, started) = oneshot::channel();
        let gone = looks.look(1, &clock, async {
            start.send(()).unwrap();
            let _ = ended.await;
            Err(unavailable())
        });
        assert!(gone.now_or_never().is_none());
        started.await.unwrap();
        // The one who began it has gone away, and it goes on.
        let mut waiting = pin!(join_all((0..3).map(|_| looks.look(1, &clock, counted.look()))));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(looks.look(2, &clock, counted.look()).await.unwrap(), 1, "another thing is not waited for");
        end.send(()).unwrap();
        for failed in waiting.await {
            assert_eq!(failed.unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
        }
        assert_eq!(counted.looks(), 1);
        assert_eq!(looks.look(1, &clock, counted.look()).await.unwrap(), 2);
        assert!(lock(&looks.by_key).is_empty());
    }
}
