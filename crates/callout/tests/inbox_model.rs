//! The inbox's lanes under a scheduler that tries interleavings: `src/inbox/lanes.rs` is compiled here
//! with that scheduler's lock. What must hold in all of them: each flight ends in exactly one result,
//! whoever ends it; every result is taken once; whoever waits is woken; a wait that is dropped loses
//! nothing; within a lane results come in the order in which they landed.

#[path = "../src/inbox/lanes.rs"]
#[expect(dead_code, reason = "the crate uses more of it than is checked here")]
mod lanes;

mod sync {
    pub(crate) use shuttle::sync::Mutex;
}

use std::{future::Future, pin::pin, sync::Arc, task::Poll};

use lanes::{Lane, Lanes};
use shuttle::{check_pct, check_random, future::block_on, thread};

/// Keys are numbers, and a result is its flight's key and who ended it.
type Tested = Lanes<u32, (), (u32, &'static str)>;

const RUNS: usize = 3_000;

/// Runs it under both of the scheduler's strategies: even chance, and few but well-placed switches.
fn in_many_orders(scenario: fn()) {
    check_random(scenario, RUNS);
    check_pct(scenario, RUNS, 3);
}

fn lanes(interrupting: impl IntoIterator<Item = u32>) -> Arc<Tested> {
    let lanes = Arc::new(Tested::new(16));
    for key in interrupting {
        assert!(lanes.begin(key, Lane::Interrupting, ()));
    }
    lanes
}

#[test]
fn a_flight_ends_once_whoever_ends_it() {
    in_many_orders(|| {
        let lanes = lanes(0..2);
        let enders: Vec<_> = ["landed", "cancelled", "dropped"]
            .into_iter()
            .map(|who| {
                let lanes = Arc::clone(&lanes);
                thread::spawn(move || (0..2).filter(|&key| lanes.end(key, |()| (key, who)).is_some()).count())
            })
            .collect();
        let mut taken = [block_on(lanes.interrupted()).0, block_on(lanes.interrupted()).0];
        taken.sort_unstable();
        assert_eq!(taken, [0, 1]);
        let ended: usize = enders.into_iter().map(|ender| ender.join().unwrap()).sum();
        assert_eq!((ended, lanes.held()), (2, 0));
        assert_eq!(lanes.try_interrupted(), None);
    });
}

#[test]
fn every_waiter_is_woken_and_every_result_taken_once() {
    in_many_orders(|| {
        let lanes = lanes(0..3);
        let takers: Vec<_> = (0..3)
            .map(|_| {
                let lanes = Arc::clone(&lanes);
                thread::spawn(move || block_on(lanes.interrupted()).0)
            })
            .collect();
        let lander = {
            let lanes = Arc::clone(&lanes);
            thread::spawn(move || {
                for key in 0..3 {
                    lanes.end(key, |()| (key, "landed"));
                }
            })
        };
        let mut taken: Vec<_> = takers.into_iter().map(|taker| taker.join().unwrap()).collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2]);
        lander.join().unwrap();
        block_on(lanes.idle());
    });
}

#[test]
fn who_waits_for_what_is_queued_is_woken_by_it() {
    in_many_orders(|| {
        let lanes = lanes([7]);
        assert!(lanes.begin(8, Lane::Queued, ()) && lanes.begin(9, Lane::Queued, ()));
        let taker = {
            let lanes = Arc::clone(&lanes);
            thread::spawn(move || {
                let mut taken = Vec::new();
                while taken.len() < 2 {
                    let landed = block_on(lanes.queued());
                    assert!(!landed.is_empty());
                    taken.extend(landed.into_iter().map(|(key, _)| key));
                }
                taken
            })
        };
        for key in [7, 8, 9] {
            lanes.end(key, |()| (key, "landed"));
        }
        assert_eq!(taker.join().unwrap(), [8, 9]);
        assert_eq!(lanes.try_interrupted(), Some((7, "landed")));
    });
}

#[test]
fn a_wait_that_is_dropped_loses_nothing() {
    in_many_orders(|| {
        let lanes = lanes([7]);
        let lander = {
            let lanes = Arc::clone(&lanes);
            thread::spawn(move || lanes.end(7, |()| (7, "landed")))
        };
        // Polled once at whatever moment, and dropped.
        let early = block_on(async {
            let mut wait = pin!(lanes.interrupted());
            std::future::poll_fn(|context| match wait.as_mut().poll(context) {
                Poll::Ready(found) => Poll::Ready(Some(found)),
                Poll::Pending => Poll::Ready(None),
            })
            .await
        });
        let found = match early {
            Some(found) => found,
            None => block_on(lanes.interrupted()),
        };
        assert_eq!(found, (7, "landed"));
        assert!(lander.join().unwrap().is_some());
    });
}

#[test]
fn order_within_a_lane_is_the_order_of_arrival_and_the_bound_is_kept() {
    in_many_orders(|| {
        let lanes = Arc::new(Tested::new(3));
        let spawners: Vec<_> = [[0, 1], [10, 11]]
            .into_iter()
            .map(|keys| {
                let lanes = Arc::clone(&lanes);
                thread::spawn(move || {
                    let begun: Vec<_> = keys.into_iter().filter(|&key| lanes.begin(key, Lane::Queued, ())).collect();
                    assert!(lanes.held() <= 3);
                    for &key in &begun {
                        lanes.end(key, |()| (key, "landed"));
                    }
                    begun.len()
                })
            })
            .collect();
        let begun: usize = spawners.into_iter().map(|spawner| spawner.join().unwrap()).sum();
        assert_eq!(begun, 3, "one of four finds no room, since nothing is taken meanwhile");
        let queued: Vec<_> = lanes.drain().into_iter().map(|(key, _)| key).collect();
        let of_each = |tens: u32| queued.iter().copied().filter(|key| key / 10 == tens).collect::<Vec<_>>();
        for lane in [of_each(0), of_each(1)] {
            assert!(lane.is_sorted(), "{queued:?}");
        }
        assert_eq!((queued.len(), lanes.held()), (3, 0));
        assert!(lanes.begin(9, Lane::Queued, ()), "there is room again");
        assert_eq!(lanes.close().len(), 1);
        assert!(lanes.end(9, |()| (9, "late")).is_none() && lanes.drain().is_empty(), "closed is ended");
    });
}
