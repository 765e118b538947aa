//! One look that serves many: what callers ask the store at the same time.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::sync::Mutex;

/// Looks at one thing for many callers. Each gets what a look has found that began after the caller came, so
/// that nobody is told of an older state than a look of its own would have told it; those who come while one
/// is under way share the next.
pub(crate) struct SharedLook<T> {
    /// How many have come.
    came: AtomicU64,
    /// How many had come when the last look that ended had begun, and what it has found.
    seen: Mutex<(u64, Option<T>)>,
}

impl<T: Clone> SharedLook<T> {
    pub(crate) fn new() -> Self {
        Self { came: AtomicU64::new(0), seen: Mutex::new((0, None)) }
    }

    /// What `look` finds, or what another's has found that began since. A caller that goes away in its look
    /// leaves it to the next.
    pub(crate) async fn look(&self, look: impl Future<Output = T>) -> T {
        let own = self.came.fetch_add(1, Ordering::SeqCst) + 1;
        let mut seen = self.seen.lock().await;
        if let (upto, Some(found)) = &*seen
            && *upto >= own
        {
            return found.clone();
        }
        let upto = self.came.load(Ordering::SeqCst);
        let found = look.await;
        *seen = (upto, Some(found.clone()));
        found
    }
}

impl<T> fmt::Debug for SharedLook<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLook").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::ready, pin::pin};

    use futures_util::{FutureExt as _, join};
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn those_who_come_during_a_look_share_the_next_and_see_nothing_older() {
        let shared = SharedLook::new();
        let state = Cell::new(1);
        let looks = Cell::new(0);
        let look = || async {
            looks.set(looks.get() + 1);
            state.get()
        };
        let (end, ended) = oneshot::channel::<()>();
        let first = shared.look(async {
            let found = state.get();
            let _ = ended.await;
            found
        });
        let mut first = pin!(first);
        assert!(first.as_mut().now_or_never().is_none());
        // A change, and then callers: what the first look has found is too old for them.
        state.set(2);
        let change = async {
            drop(end);
        };
        let (found, (), second, third, fourth) =
            join!(first, change, shared.look(look()), shared.look(look()), shared.look(look()));
        assert_eq!((found, second, third, fourth), (1, 2, 2, 2));
        assert_eq!(looks.get(), 1, "three came and one looked");
        state.set(3);
        assert_eq!(shared.look(look()).await, 3, "one who comes later looks anew");
    }

    #[tokio::test]
    async fn one_who_goes_away_leaves_the_look_to_the_next() {
        let shared = SharedLook::new();
        assert!(shared.look(std::future::pending::<i64>()).now_or_never().is_none());
        assert_eq!(shared.look(ready(5)).await, 5);
    }
}
