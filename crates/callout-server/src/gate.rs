//! One at a time for each id, and what failed for one of them has failed for those who waited.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use callout_store::Uuid;
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

use crate::error::ApiError;

/// Each with how many have come to it.
type ById = HashMap<Uuid, (u64, Arc<Gate<Failed>>)>;

type Shut = Arc<Mutex<ById>>;

/// Gates by id; those through which nobody goes take no room. Clones are the same gates.
#[derive(Clone, Default)]
pub(crate) struct Gates(Shut);

/// The failure that was told last, and for how many of those who had come.
#[derive(Default)]
struct Failed {
    upto: u64,
    error: Option<ApiError>,
}

/// The way through one gate, free for the next once this is dropped.
pub(crate) struct Pass {
    gates: Shut,
    id: Uuid,
    /// How many had come, with this one.
    own: u64,
    guard: Option<OwnedMutexGuard<Failed>>,
}

impl Gates {
    /// Waits until nobody else is in that gate.
    pub(crate) async fn pass(&self, id: Uuid) -> Pass {
        let (own, gate) = {
            let mut gates = lock(&self.0);
            let (came, gate) = gates.entry(id).or_default();
            *came += 1;
            (*came, Arc::clone(gate))
        };
        // Made before the wait, so that one who gives up waiting tidies too.
        let mut pass = Pass { gates: Arc::clone(&self.0), id, own, guard: None };
        pass.guard = Some(gate.lock_owned().await);
        pass
    }
}

impl Pass {
    /// What has failed, for all who have come till now: each would else wait as long for the same, after the one before
    /// it.
    pub(crate) fn fail(&mut self, error: &ApiError) {
        let upto = lock(&self.gates).get(&self.id).map_or(0, |(came, _)| *came);
        if let Some(failed) = &mut self.guard {
            **failed = Failed { upto, error: Some(error.clone()) };
        }
    }

    /// What failed while this one waited.
    pub(crate) fn failure(&self) -> Option<ApiError> {
        let failed = self.guard.as_ref().filter(|failed| failed.upto >= self.own)?;
        failed.error.clone()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut gates = lock(&self.gates);
        // Nobody but the map holds it: nobody is in it or waits for it.
        if gates.get(&self.id).is_some_and(|(_, gate)| Arc::strong_count(gate) == 1) {
            gates.remove(&self.id);
        }
    }
}

fn lock(gates: &Shut) -> MutexGuard<'_, ById> {
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
