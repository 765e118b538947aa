//! One at a time for each id.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use callout_store::Uuid;
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

type Shut = Arc<Mutex<HashMap<Uuid, Arc<Gate<()>>>>>;

/// Gates by id; those through which nobody goes take no room. Clones are the same gates.
#[derive(Clone, Default)]
pub(crate) struct Gates(Shut);

/// The way through one gate, free for the next once this is dropped.
pub(crate) struct Pass {
    gates: Shut,
    id: Uuid,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Gates {
    /// Waits until nobody else is in that gate.
    pub(crate) async fn pass(&self, id: Uuid) -> Pass {
        let gate = Arc::clone(lock(&self.0).entry(id).or_default());
        // Made before the wait, so that one who gives up waiting tidies too.
        let mut pass = Pass { gates: Arc::clone(&self.0), id, guard: None };
        pass.guard = Some(gate.lock_owned().await);
        pass
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut gates = lock(&self.gates);
        // Nobody but the map holds it: nobody is in it or waits for it.
        if gates.get(&self.id).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            gates.remove(&self.id);
        }
    }
}

fn lock(gates: &Shut) -> MutexGuard<'_, HashMap<Uuid, Arc<Gate<()>>>> {
    gates.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gates").field("in_use", &lock(&self.0).len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_for_each_id_and_nothing_is_kept() {
        let gates = Gates::default();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = gates.pass(one).await;
        assert!(gates.pass(one).now_or_never().is_none(), "it is taken, and this one has given up");
        assert!(gates.pass(two).now_or_never().is_some());
        drop(first);
        let second = gates.pass(one).now_or_never();
        assert!(second.is_some());
        drop(second);
        assert!(lock(&gates.0).is_empty());
    }
}
