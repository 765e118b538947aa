//! The slot under a scheduler that tries interleavings: `src/slot.rs` is compiled here with that
//! scheduler's lock. What must hold in all of them: there is never more than one fetch at a time, nobody
//! who waits is left behind when another gives up, a due value is renewed by one and used by all, and a
//! refused value is dropped once, its successor never.

#![expect(clippy::panic, reason = "a test fails by panicking")]

#[path = "../src/slot.rs"]
#[expect(dead_code, reason = "the crate uses more of it than is checked here")]
mod slot;

mod sync {
    pub(crate) use shuttle::sync::Mutex;
}

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::Poll,
    time::{Duration, Instant},
};

use shuttle::{check_pct, check_random, future::block_on, thread};
use slot::{Fetched, Found, Slot, Stored};

type Value = Arc<u32>;
type Tested = Slot<Value, &'static str>;

const RUNS: usize = 3_000;

/// Runs it under both of the scheduler's strategies: even chance, and few but well-placed switches.
fn in_many_orders(scenario: fn()) {
    check_random(scenario, RUNS);
    check_pct(scenario, RUNS, 3);
}

/// Counts fetches and sees to it that there is one at a time.
#[derive(Clone, Default)]
struct Upstream {
    begun: Arc<AtomicU32>,
    under_way: Arc<AtomicU32>,
}

struct UnderWay(Arc<AtomicU32>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Upstream {
    /// A fetch that is not done at its first poll and gives its own number.
    fn fetch(
        &self,
        give: impl FnOnce(u32) -> Fetched<Value, &'static str> + Send + 'static,
    ) -> impl Future<Output = Fetched<Value, &'static str>> + Send + 'static {
        let upstream = self.clone();
        async move {
            assert_eq!(upstream.under_way.fetch_add(1, SeqCst), 0, "two fetches at once");
            let _under_way = UnderWay(Arc::clone(&upstream.under_way));
            let number = upstream.begun.fetch_add(1, SeqCst) + 1;
            shuttle::future::yield_now().await;
            shuttle::future::yield_now().await;
            give(number)
        }
    }

    fn begun(&self) -> u32 {
        self.begun.load(SeqCst)
    }
}

#[expect(clippy::disallowed_methods, reason = "any moment will do")]
fn start() -> Instant {
    Instant::now()
}

fn fresh(value: u32, now: Instant) -> Fetched<Value, &'static str> {
    Fetched::Keep(Stored {
        value: Arc::new(value),
        renew_at: now + Duration::from_secs(90),
        expires: now + Duration::from_secs(100),
    })
}

/// A slot that holds value 0 since `now`.
fn filled(now: Instant) -> Arc<Tested> {
    let slot = Arc::new(Tested::new());
    let Found::Wait(flight) = slot.find(now, || std::future::ready(fresh(0, now))) else { panic!("not empty") };
    block_on(flight);
    slot
}

fn value(fetched: Fetched<Value, &'static str>) -> u32 {
    match fetched {
        Fetched::Keep(Stored { value, .. }) | Fetched::UseOnce(value) => *value,
        Fetched::Failed { error, .. } => panic!("{error}"),
    }
}

#[test]
fn all_who_wait_share_one_fetch() {
    in_many_orders(|| {
        let (slot, upstream, now) = (Arc::new(Tested::new()), Upstream::default(), start());
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let (slot, upstream) = (Arc::clone(&slot), upstream.clone());
                thread::spawn(move || match slot.find(now, || upstream.fetch(move |number| fresh(number, now))) {
                    Found::Value(value) => *value,
                    Found::Wait(flight) => value(block_on(flight)),
                    Found::Renew { .. } => panic!("there is nothing to renew"),
                })
            })
            .collect();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), 1);
        }
        assert_eq!(upstream.begun(), 1);
    });
}

#[test]
fn who_gives_up_leaves_nobody_behind() {
    in_many_orders(|| {
        let (slot, upstream, now) = (Arc::new(Tested::new()), Upstream::default(), start());
        let waiters: Vec<_> = (0..3)
            .map(|who| {
                let (slot, upstream) = (Arc::clone(&slot), upstream.clone());
                thread::spawn(move || match slot.find(now, || upstream.fetch(move |number| fresh(number, now))) {
                    Found::Value(value) => Some(*value),
                    Found::Wait(mut flight) if who == 0 => block_on(async {
                        let once = std::future::poll_fn(|context| {
                            Poll::Ready(std::pin::Pin::new(&mut flight).poll(context).is_ready())
                        });
                        once.await;
                        None
                    }),
                    Found::Wait(flight) => Some(value(block_on(flight))),
                    Found::Renew { .. } => panic!("there is nothing to renew"),
                })
            })
            .collect();
        let got: Vec<_> = waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect();
        // A second fetch only if the one who gave up was alone with the first.
        assert!((1..=2).contains(&upstream.begun()));
        assert!(got[1..].iter().all(|got| got.is_some_and(|got| (1..=2).contains(&got))), "{got:?}");
    });
}

#[test]
fn a_failure_is_shared_and_not_kept() {
    in_many_orders(|| {
        let (slot, upstream, now) = (Arc::new(Tested::new()), Upstream::default(), start());
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let (slot, upstream) = (Arc::clone(&slot), upstream.clone());
                thread::spawn(move || {
                    let fetch = || upstream.fetch(move |_| Fetched::Failed { error: "no", rest_until: now });
                    match slot.find(now, fetch) {
                        Found::Wait(flight) => assert!(matches!(block_on(flight), Fetched::Failed { error: "no", .. })),
                        other => panic!("{other:?}"),
                    }
                })
            })
            .collect();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        let before = upstream.begun();
        assert!((1..=3).contains(&before));
        let Found::Wait(flight) = slot.find(now, || upstream.fetch(move |number| fresh(number, now))) else {
            panic!("the failure was kept");
        };
        assert_eq!(value(block_on(flight)), before + 1);
    });
}

/// One of the waiters has not looked yet at how it ended.
#[test]
fn a_failure_is_over_for_the_next_caller_although_a_waiter_still_holds_it() {
    check_random(
        || {
            let (slot, upstream, now) = (Arc::new(Tested::new()), Upstream::default(), start());
            let fetch = || upstream.fetch(move |_| Fetched::Failed { error: "no", rest_until: now });
            let (Found::Wait(one), Found::Wait(other)) = (slot.find(now, fetch), slot.find(now, fetch)) else {
                panic!("not empty");
            };
            assert!(matches!(block_on(one), Fetched::Failed { .. }));
            let Found::Wait(next) = slot.find(now, || upstream.fetch(move |number| fresh(number, now))) else {
                panic!("not empty");
            };
            assert_eq!(value(block_on(next)), 2);
            assert!(matches!(block_on(other), Fetched::Failed { .. }));
        },
        100,
    );
}

#[test]
fn a_due_value_is_renewed_by_one_and_used_by_all() {
    in_many_orders(|| {
        let now = start();
        let (slot, upstream, due) = (filled(now), Upstream::default(), now + Duration::from_secs(95));
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let (slot, upstream) = (Arc::clone(&slot), upstream.clone());
                thread::spawn(move || match slot.find(due, || upstream.fetch(move |number| fresh(number, due))) {
                    Found::Value(value) => *value,
                    Found::Renew { old, flight } => {
                        assert_eq!(*old.value, 0);
                        value(block_on(flight))
                    }
                    Found::Wait(_) => panic!("made to wait although there is a value"),
                })
            })
            .collect();
        let got: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
        assert_eq!(upstream.begun(), 1);
        assert!(got.contains(&1), "{got:?}");
    });
}

#[test]
fn a_failed_renewal_is_not_repeated_at_once() {
    in_many_orders(|| {
        let now = start();
        let (slot, upstream, due) = (filled(now), Upstream::default(), now + Duration::from_secs(95));
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let (slot, upstream) = (Arc::clone(&slot), upstream.clone());
                thread::spawn(move || {
                    let rest_until = due + Duration::from_secs(2);
                    let fetch = || upstream.fetch(move |_| Fetched::Failed { error: "no", rest_until });
                    match slot.find(due, fetch) {
                        Found::Value(value) => assert_eq!(*value, 0),
                        Found::Renew { flight, .. } => assert!(matches!(block_on(flight), Fetched::Failed { .. })),
                        Found::Wait(_) => panic!("made to wait although there is a value"),
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.join().unwrap();
        }
        assert_eq!(upstream.begun(), 1);
    });
}

#[test]
fn a_refused_value_is_dropped_once_and_its_successor_never() {
    in_many_orders(|| {
        let now = start();
        let (slot, upstream) = (filled(now), Upstream::default());
        let Found::Value(refused) = slot.find(now, || std::future::ready(fresh(9, now))) else { panic!("not filled") };
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let (slot, upstream, refused) = (Arc::clone(&slot), upstream.clone(), Arc::clone(&refused));
                thread::spawn(move || {
                    slot.remove_if(|value| Arc::ptr_eq(value, &refused));
                    match slot.find(now, || upstream.fetch(move |number| fresh(number, now))) {
                        Found::Value(value) => *value,
                        Found::Wait(flight) => value(block_on(flight)),
                        Found::Renew { .. } => panic!("there is nothing to renew"),
                    }
                })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.join().unwrap(), 1);
        }
        assert_eq!(upstream.begun(), 1);
    });
}
