//! One cached value and the one fetch that makes the next one.
//!
//! A slot is empty, or holds a value that is fresh, due for renewal, or expired; beside it there is
//! at most one fetch under way. Who meets a fresh value takes it. Who first meets a due one renews it
//! and waits for that; until then the others go on with the value there is. Who meets no usable
//! value joins the fetch under way or begins one.
//!
//! A fetch is driven by those who wait for it: there is no task. It is held weakly here, so that it
//! ends when the last of them has gone, and goes on as long as one is left, whoever began it.
//!
//! Nothing in this module knows what a token is, reads a clock or does I/O.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, PoisonError,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Release},
        },
    },
    task::{Context, Poll},
    time::Instant,
};

use arc_swap::ArcSwapOption;
use futures_util::future::{FutureExt as _, Shared, WeakShared};

use super::sync::Mutex;

/// A value with the moments that decide about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored<V> {
    pub(crate) value: V,
    /// From here on it is renewed when somebody asks for it.
    pub(crate) renew_at: Instant,
    /// From here on it is not used.
    pub(crate) expires: Instant,
}

/// What a fetch came to. Clones are the waiters' shares of it.
#[derive(Clone, Debug)]
pub(crate) enum Fetched<V, E> {
    /// A value that others may use too, until it expires.
    Keep(Stored<V>),
    /// A value for those who waited for it and nobody else.
    UseOnce(V),
    /// No value. If there is one that has not expired, it is not renewed before `rest_until`.
    Failed { error: E, rest_until: Instant },
}

/// What a slot has for somebody who asks.
#[derive(Debug)]
pub(crate) enum Found<V: Clone, E: Clone> {
    /// A value to use at once.
    Value(V),
    /// A value that can be used, and the fetch of its successor, which this caller is to drive.
    Renew { old: Stored<V>, flight: Flight<V, E> },
    /// Nothing to use before the fetch is done.
    Wait(Flight<V, E>),
}

type Fetch<V, E> = Pin<Box<dyn Future<Output = Fetched<V, E>> + Send>>;

/// A share in a fetch under way. The fetch makes progress while any share of it is polled.
pub(crate) struct Flight<V: Clone, E: Clone>(Shared<Fetch<V, E>>);

impl<V: Clone, E: Clone> Future for Flight<V, E> {
    type Output = Fetched<V, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_unpin(context)
    }
}

impl<V: Clone, E: Clone> std::fmt::Debug for Flight<V, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").finish_non_exhaustive()
    }
}

/// See the module.
pub(crate) struct Slot<V: Clone, E: Clone> {
    state: Mutex<State<V, E>>,
    /// Changed with the lock held, and read without it by those who find it fresh.
    stored: ArcSwapOption<Stored<V>>,
    /// How often that was changed. Counted after the change, so that a [`Snapshot`] is never newer than
    /// its number says.
    changes: AtomicU64,
}

/// What a slot held at one moment, for those who keep it to save themselves the way into the slot.
pub(crate) struct Snapshot<V> {
    stored: Arc<Stored<V>>,
    change: u64,
}

impl<V> Snapshot<V> {
    /// The value if it was not due by `now`.
    pub(crate) fn fresh(&self, now: Instant) -> Option<&V> {
        (now < self.stored.renew_at).then_some(&self.stored.value)
    }
}

struct State<V: Clone, E: Clone> {
    flight: Option<WeakShared<Fetch<V, E>>>,
    /// Set by a failed renewal: the value is not renewed before.
    rest_until: Option<Instant>,
}

impl<V, E> Slot<V, E>
where
    V: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    /// An empty slot.
    pub(crate) fn new() -> Self {
        let state = State { flight: None, rest_until: None };
        Self { state: Mutex::new(state), stored: ArcSwapOption::empty(), changes: AtomicU64::new(0) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State<V, E>) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The value if it is fresh, without a lock.
    pub(crate) fn fresh(&self, now: Instant) -> Option<V> {
        self.stored.load().as_ref().filter(|stored| now < stored.renew_at).map(|stored| stored.value.clone())
    }

    /// What it holds now, if anything.
    pub(crate) fn snapshot(&self) -> Option<Snapshot<V>> {
        let change = self.changes.load(Acquire);
        Some(Snapshot { stored: self.stored.load_full()?, change })
    }

    /// Whether it still holds what it held then.
    pub(crate) fn is_as_in(&self, snapshot: &Snapshot<V>) -> bool {
        self.changes.load(Acquire) == snapshot.change
    }

    /// Changes the stored value; called with the lock held.
    fn store(&self, stored: Option<Stored<V>>) {
        self.stored.store(stored.map(Arc::new));
        self.changes.fetch_add(1, Release);
    }

    /// The value for a caller at `now`, or the fetch that it is to wait for. `fetch` makes a fetch;
    /// it is called only if one is to begin, and its work begins when the flight is first polled.
    pub(crate) fn find<F>(self: &Arc<Self>, now: Instant, fetch: impl FnOnce() -> F) -> Found<V, E>
    where
        F: Future<Output = Fetched<V, E>> + Send + 'static,
    {
        // Lives longer than the lock: if it is the last share, dropping it ends the fetch.
        let mut under_way = None;
        self.with(|state| {
            let stored = self.stored.load();
            let old = stored.as_deref().filter(|stored| now < stored.expires);
            if let Some(old) = old.filter(|old| now < old.renew_at) {
                return Found::Value(old.value.clone());
            }
            under_way = state.flight.as_ref().and_then(WeakShared::upgrade);
            match (old, &under_way) {
                (Some(old), Some(_)) => Found::Value(old.value.clone()),
                (Some(old), None) if state.rest_until.is_some_and(|until| now < until) => {
                    Found::Value(old.value.clone())
                }
                (Some(old), None) => {
                    let old = old.clone();
                    Found::Renew { old, flight: self.begin(state, fetch()) }
                }
                (None, Some(flight)) => Found::Wait(Flight(flight.clone())),
                (None, None) => Found::Wait(self.begin(state, fetch())),
            }
        })
    }

    fn begin(
        self: &Arc<Self>,
        state: &mut State<V, E>,
        fetch: impl Future<Output = Fetched<V, E>> + Send + 'static,
    ) -> Flight<V, E> {
        let slot = Arc::clone(self);
        let whole: Fetch<V, E> = Box::pin(async move {
            let fetched = fetch.await;
            slot.land(&fetched);
            fetched
        });
        let flight = whole.shared();
        state.flight = flight.downgrade();
        Flight(flight)
    }

    /// Takes in what a fetch came to. There is no later fetch yet: one begins only when every share
    /// of the one before has gone, or here.
    fn land(&self, fetched: &Fetched<V, E>) {
        self.with(|state| {
            state.flight = None;
            match fetched {
                Fetched::Keep(stored) => {
                    state.rest_until = None;
                    self.store(Some(stored.clone()));
                }
                Fetched::UseOnce(_) => {}
                Fetched::Failed { rest_until, .. } => state.rest_until = Some(*rest_until),
            }
        });
    }

    /// Says that the value, while it lasts, is not to be renewed before that moment: for a caller that
    /// gives up on a renewal.
    pub(crate) fn rest_until(&self, moment: Instant) {
        self.with(|state| state.rest_until = Some(moment));
    }

    /// Drops the value if it is the one meant.
    pub(crate) fn remove_if(&self, is_meant: impl FnOnce(&V) -> bool) -> bool {
        self.with(|_| {
            let is_here = self.stored.load().as_deref().is_some_and(|stored| is_meant(&stored.value));
            if is_here {
                self.store(None);
            }
            is_here
        })
    }

    /// When the value expires, if it is the one meant.
    pub(crate) fn expires_of(&self, is_meant: impl FnOnce(&V) -> bool) -> Option<Instant> {
        self.stored.load().as_deref().filter(|stored| is_meant(&stored.value)).map(|stored| stored.expires)
    }
}
