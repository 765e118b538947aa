//! Calls in flight, and two lanes of results in the order of their arrival.
//!
//! A flight begins, and ends exactly once: whoever ends it first puts its result into the lane that
//! it was begun for, and every later end finds nothing to do. Nothing in this module runs a call,
//! knows what a result is, or does I/O.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::PoisonError,
    task::{Context, Poll, Waker},
};

use super::sync::Mutex;

/// Where a result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Taken one by one, as they land.
    Interrupting,
    /// Taken together.
    Queued,
}

/// See the module. `K` tells flights apart, `F` is what is kept of each, `R` is a result.
pub(crate) struct Lanes<K, F, R>(Mutex<State<K, F, R>>);

struct State<K, F, R> {
    capacity: usize,
    flights: BTreeMap<K, (Lane, F)>,
    interrupting: VecDeque<R>,
    queued: VecDeque<R>,
    waiting: Vec<(u64, Waker)>,
    waits: u64,
}

impl<K, F, R> State<K, F, R> {
    fn held(&self) -> usize {
        self.flights.len() + self.interrupting.len() + self.queued.len()
    }

    /// Wakes the wait of that number at the next landing; gives one that has none a number.
    fn wait(&mut self, number: &mut Option<u64>, waker: &Waker) {
        let number = *number.get_or_insert_with(|| {
            self.waits += 1;
            self.waits
        });
        match self.waiting.iter_mut().find(|(other, _)| *other == number) {
            Some((_, known)) => known.clone_from(waker),
            None => self.waiting.push((number, waker.clone())),
        }
    }
}

impl<K: Ord + Copy, F, R> Lanes<K, F, R> {
    /// Empty lanes for at most that many calls, in flight or landed.
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Mutex::new(State {
            capacity,
            flights: BTreeMap::new(),
            interrupting: VecDeque::new(),
            queued: VecDeque::new(),
            waiting: Vec::new(),
            waits: 0,
        }))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State<K, F, R>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a flight. False if there is no room.
    pub(crate) fn begin(&self, key: K, lane: Lane, flight: F) -> bool {
        self.with(|state| {
            let room = state.held() < state.capacity;
            if room {
                state.flights.insert(key, (lane, flight));
            }
            room
        })
    }

    /// Changes what is kept of a flight; false if it has ended.
    pub(crate) fn update(&self, key: K, change: impl FnOnce(&mut F)) -> bool {
        self.with(|state| state.flights.get_mut(&key).map(|(_, flight)| change(flight)).is_some())
    }

    /// Ends a flight with a result, unless it has ended already, and gives back what was kept of it.
    pub(crate) fn end(&self, key: K, result: impl FnOnce(&F) -> R) -> Option<F> {
        let (flight, waiting) = self.with(|state| {
            let (lane, flight) = state.flights.remove(&key)?;
            let result = result(&flight);
            match lane {
                Lane::Interrupting => state.interrupting.push_back(result),
                Lane::Queued => state.queued.push_back(result),
            }
            // All of them: one alone might be dropped before it looks, and the result would wait.
            Some((flight, std::mem::take(&mut state.waiting)))
        })?;
        for (_, waker) in waiting {
            waker.wake();
        }
        Some(flight)
    }

    /// The first result that interrupts, when there is one.
    pub(crate) fn interrupted(&self) -> Wait<'_, K, F, R, R> {
        Wait { lanes: self, number: None, look: |state| state.interrupting.pop_front() }
    }

    /// All queued results, when there are any.
    pub(crate) fn queued(&self) -> Wait<'_, K, F, R, Vec<R>> {
        Wait {
            lanes: self,
            number: None,
            look: |state| (!state.queued.is_empty()).then(|| std::mem::take(&mut state.queued).into()),
        }
    }

    /// Nothing is in flight any more.
    pub(crate) fn idle(&self) -> Wait<'_, K, F, R, ()> {
        Wait { lanes: self, number: None, look: |state| state.flights.is_empty().then_some(()) }
    }

    /// The first result that interrupts, if there is one.
    pub(crate) fn try_interrupted(&self) -> Option<R> {
        self.with(|state| state.interrupting.pop_front())
    }

    /// All queued results.
    pub(crate) fn drain(&self) -> Vec<R> {
        self.with(|state| std::mem::take(&mut state.queued)).into()
    }

    /// How many calls are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.with(|state| state.flights.len())
    }

    /// How many calls are in flight or landed.
    pub(crate) fn held(&self) -> usize {
        self.with(|state| state.held())
    }

    /// Ends all flights without results.
    pub(crate) fn close(&self) -> Vec<F> {
        let flights = self.with(|state| std::mem::take(&mut state.flights));
        flights.into_values().map(|(_, flight)| flight).collect()
    }
}

/// Waits for what a look at the state gives. Dropping it loses nothing: a result is taken only by the
/// poll that returns it.
pub(crate) struct Wait<'l, K, F, R, T> {
    lanes: &'l Lanes<K, F, R>,
    number: Option<u64>,
    look: fn(&mut State<K, F, R>) -> Option<T>,
}

impl<K: Ord + Copy, F, R, T> Future for Wait<'_, K, F, R, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let wait = self.get_mut();
        let Wait { lanes, number, look } = wait;
        lanes.with(|state| {
            if let Some(found) = look(state) {
                return Poll::Ready(found);
            }
            state.wait(number, context.waker());
            Poll::Pending
        })
    }
}

impl<K, F, R, T> Drop for Wait<'_, K, F, R, T> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let mut state = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.waiting.retain(|(other, _)| *other != number);
        }
    }
}
