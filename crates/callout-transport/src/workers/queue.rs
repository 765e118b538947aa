//! Who works and who waits, by workspaces, and who is next. It knows nothing of threads.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use callout_core::{Error, ErrorKind};

/// How many wait for a turn at most, in all and of one workspace: who waits holds what it has to work on.
pub(super) const MOST_WAITING: Waits = Waits { all: 4_096, workspace: 1_024 };

#[derive(Clone, Copy)]
pub(super) struct Waits {
    pub(super) all: usize,
    pub(super) workspace: usize,
}

/// `W` is work that waits.
pub(super) struct Queue<W> {
    pub(super) most: usize,
    most_per_workspace: usize,
    most_waiting: Waits,
    /// Of each workspace that has anything running or waiting.
    lanes: HashMap<Arc<str>, Lane<W>>,
    /// Those in which somebody waits; the first is next.
    order: BTreeMap<Rank, Arc<str>>,
    pub(super) running: usize,
    pub(super) waiting: usize,
    /// Turns so far.
    turns: u64,
    /// How many have had to wait so far.
    arrivals: u64,
}

struct Lane<W> {
    running: usize,
    /// Which turn was its last.
    last: u64,
    waiting: VecDeque<Waiting<W>>,
}

impl<W> Default for Lane<W> {
    fn default() -> Self {
        Self { running: 0, last: 0, waiting: VecDeque::new() }
    }
}

impl<W> Lane<W> {
    /// `None` if nobody waits.
    fn rank(&self) -> Option<Rank> {
        let Waiting { arrival, .. } = *self.waiting.front()?;
        Some(Rank { running: self.running, last: self.last, arrival })
    }
}

/// Where a lane stands among the others. No two have the same arrival.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    running: usize,
    last: u64,
    arrival: u64,
}

struct Waiting<W> {
    arrival: u64,
    work: W,
}

impl<W> Queue<W> {
    /// With so many turns at once; one, if none.
    pub(super) fn new(most: usize, most_waiting: Waits) -> Self {
        let most = most.max(1);
        Self {
            most,
            most_per_workspace: (most - 1).max(1),
            most_waiting,
            lanes: HashMap::new(),
            order: BTreeMap::new(),
            running: 0,
            waiting: 0,
            turns: 0,
            arrivals: 0,
        }
    }

    pub(super) fn may_run(&self, workspace: &str) -> bool {
        let own = self.lanes.get(workspace).map_or(0, |lane| lane.running);
        self.running < self.most && own < self.most_per_workspace
    }

    /// Whether one more may wait.
    ///
    /// # Errors
    ///
    /// `limit_exceeded`, which can be tried again.
    pub(super) fn check_waiting(&self, workspace: &str) -> Result<(), Error> {
        let own = self.lanes.get(workspace).map_or(0, |lane| lane.waiting.len());
        let (whose, count) = if own >= self.most_waiting.workspace {
            ("of this workspace", own)
        } else if self.waiting >= self.most_waiting.all {
            ("in all", self.waiting)
        } else {
            return Ok(());
        };
        let message = format!(
            "{count} calls {whose} wait already for their params or answers to be worked on, as many as may; try \
             again when some have ended"
        );
        Err(Error::new(ErrorKind::LimitExceeded, message).with_retryable(true))
    }

    /// Changes a lane, and its place among those in which somebody waits.
    fn change<T>(&mut self, workspace: &Arc<str>, change: impl FnOnce(&mut Lane<W>) -> T) -> T {
        let lane = self.lanes.entry(workspace.clone()).or_default();
        if let Some(rank) = lane.rank() {
            self.order.remove(&rank);
        }
        let changed = change(lane);
        match lane.rank() {
            Some(rank) => drop(self.order.insert(rank, workspace.clone())),
            None if lane.running == 0 => drop(self.lanes.remove(workspace)),
            None => {}
        }
        changed
    }

    pub(super) fn begin(&mut self, workspace: &Arc<str>) {
        self.running += 1;
        self.turns += 1;
        let last = self.turns;
        self.change(workspace, |lane| {
            lane.running += 1;
            lane.last = last;
        });
    }

    pub(super) fn end(&mut self, workspace: &Arc<str>) {
        self.running -= 1;
        self.change(workspace, |lane| lane.running -= 1);
    }

    /// Gives the number under which it waits.
    pub(super) fn wait(&mut self, workspace: &Arc<str>, work: W) -> u64 {
        self.waiting += 1;
        self.arrivals += 1;
        let arrival = self.arrivals;
        self.change(workspace, |lane| lane.waiting.push_back(Waiting { arrival, work }));
        arrival
    }

    /// Takes out what waits under that number, if anything does.
    pub(super) fn leave(&mut self, workspace: &Arc<str>, arrival: u64) -> Option<W> {
        let at = self.lanes.get(workspace)?.waiting.binary_search_by_key(&arrival, |waiting| waiting.arrival).ok()?;
        self.waiting -= 1;
        self.change(workspace, |lane| lane.waiting.remove(at)).map(|waiting| waiting.work)
    }

    /// Takes out what is next, if somebody may run.
    pub(super) fn next(&mut self) -> Option<(Arc<str>, W)> {
        let (rank, workspace) = self.order.first_key_value()?;
        // All others have as many running, or more.
        if self.running >= self.most || rank.running >= self.most_per_workspace {
            return None;
        }
        let (arrival, workspace) = (rank.arrival, workspace.clone());
        let work = self.leave(&workspace, arrival)?;
        Some((workspace, work))
    }

    /// Whether nothing runs or waits, and nothing is kept of what did.
    #[cfg(test)]
    pub(super) fn is_at_rest(&self) -> bool {
        self.lanes.is_empty() && self.order.is_empty() && (self.running, self.waiting) == (0, 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is known of a workspace by looking at all who run and wait.
    #[derive(Clone, Default)]
    struct Seen {
        running: usize,
        last: u64,
        waiting: Vec<u64>,
    }

    proptest! {
        /// Asking, ending and leaving in any order.
        #[test]
        fn who_is_next_is_who_would_be_found_by_looking_at_all(
            steps in prop::collection::vec((0..3_u8, any::<prop::sample::Index>()), 1..120),
        ) {
            let names: Vec<Arc<str>> = ["a", "b", "c", "d"].map(Arc::from).to_vec();
            let mut queue = Queue::new(3, MOST_WAITING);
            let mut seen = vec![Seen::default(); names.len()];
            let mut turns = 0;
            for (kind, pick) in steps {
                let all: usize = seen.iter().map(|seen| seen.running).sum();
                let may_run = |seen: &Seen, all: usize| all < 3 && seen.running < 2;
                match kind {
                    0 => {
                        let who = pick.index(names.len());
                        prop_assert_eq!(queue.may_run(&names[who]), may_run(&seen[who], all));
                        if may_run(&seen[who], all) {
                            queue.begin(&names[who]);
                            turns += 1;
                            seen[who].running += 1;
                            seen[who].last = turns;
                        } else {
                            let arrival = queue.wait(&names[who], ());
                            seen[who].waiting.push(arrival);
                        }
                    }
                    1 if all > 0 => {
                        let running: Vec<_> = (0..names.len()).filter(|who| seen[*who].running > 0).collect();
                        let who = *pick.get(&running);
                        queue.end(&names[who]);
                        seen[who].running -= 1;
                        let next = (0..names.len()).filter(|who| may_run(&seen[*who], all - 1));
                        let next = next.filter(|who| !seen[*who].waiting.is_empty());
                        let next = next.min_by_key(|who| (seen[*who].running, seen[*who].last, seen[*who].waiting[0]));
                        let found = queue.next().map(|(workspace, ())| workspace);
                        prop_assert_eq!(&found, &next.map(|who| names[who].clone()));
                        if let Some(who) = next {
                            queue.begin(&names[who]);
                            turns += 1;
                            seen[who].waiting.remove(0);
                            seen[who].running += 1;
                            seen[who].last = turns;
                        }
                    }
                    _ => {
                        let who = pick.index(names.len());
                        if !seen[who].waiting.is_empty() {
                            let at = pick.index(seen[who].waiting.len());
                            let arrival = seen[who].waiting.remove(at);
                            prop_assert!(queue.leave(&names[who], arrival).is_some());
                            prop_assert!(queue.leave(&names[who], arrival).is_none());
                        }
                    }
                }
                for (name, seen) in names.iter().zip(&mut seen) {
                    let lane = queue.lanes.get(name);
                    let waiting: Vec<_> = lane.iter().flat_map(|lane| &lane.waiting).map(|one| one.arrival).collect();
                    prop_assert_eq!(&waiting, &seen.waiting);
                    // Of one at rest nothing is known.
                    if seen.running == 0 && seen.waiting.is_empty() {
                        prop_assert!(!queue.lanes.contains_key(name));
                        seen.last = 0;
                    }
                }
                let sum = |of: fn(&Seen) -> usize| seen.iter().map(of).sum::<usize>();
                prop_assert_eq!(queue.running, sum(|seen| seen.running));
                prop_assert_eq!(queue.waiting, sum(|seen| seen.waiting.len()));
                prop_assert_eq!(queue.order.len(), sum(|seen| usize::from(!seen.waiting.is_empty())));
            }
        }
    }
}
