//! Threads for work that takes long, shared out among workspaces.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt, panic,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use callout_core::{
    Error, ErrorKind,
    time::{Deadline, SharedClock},
};
use futures_util::future::{Either, select};
use tokio::{runtime::Handle, sync::oneshot};

/// How many wait for a turn at most, in all and of one workspace: who waits holds what it has to work on.
const MOST_WAITING: Waits = Waits { all: 4_096, workspace: 1_024 };

#[derive(Clone, Copy)]
struct Waits {
    all: usize,
    workspace: usize,
}

/// Runs work that would hold up the threads of an async runtime, on those that the runtime has for blocking
/// work. It has no thread of its own.
///
/// At most so many run at once, by default one less than the machine has cores and one at least, and one
/// fewer for each workspace, if that leaves it any. Whoever waits for a turn holds no thread. Workspaces that
/// wait take turns: the one with the fewest running comes first, then the one whose last turn is longest ago.
/// At most 1,024 of a workspace wait, and 4,096 in all; the next is refused at once.
#[derive(Clone)]
pub struct Workers(Arc<Shared>);

struct Shared {
    most: usize,
    most_per_workspace: usize,
    most_waiting: Waits,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Of each workspace that has anything running or waiting.
    lanes: HashMap<Arc<str>, Lane>,
    /// Those in which somebody waits; the first is next.
    order: BTreeMap<Rank, Arc<str>>,
    running: usize,
    waiting: usize,
    /// Turns so far.
    turns: u64,
    /// How many have had to wait so far.
    arrivals: u64,
}

#[derive(Default)]
struct Lane {
    running: usize,
    /// Which turn was its last.
    last: u64,
    waiting: VecDeque<Waiting>,
}

impl Lane {
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

struct Waiting {
    arrival: u64,
    turn: oneshot::Sender<Turn>,
}

/// A place in the queue, left when this is dropped.
struct Place<'a> {
    shared: &'a Shared,
    workspace: &'a Arc<str>,
    arrival: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // What it holds is dropped when the queue is let go.
        let _left = self.shared.queue().leave(self.workspace, self.arrival);
    }
}

/// The right to run; dropping it gives it on.
struct Turn {
    shared: Arc<Shared>,
    workspace: Arc<str>,
}

impl Default for Workers {
    fn default() -> Self {
        Self::new(thread::available_parallelism().map_or(1, |cores| cores.get() - 1))
    }
}

impl Workers {
    /// As many as that at once; one, if none.
    pub fn new(most: usize) -> Self {
        Self::bounded(most, MOST_WAITING)
    }

    fn bounded(most: usize, most_waiting: Waits) -> Self {
        let most = most.max(1);
        let most_per_workspace = (most - 1).max(1);
        Self(Arc::new(Shared { most, most_per_workspace, most_waiting, queue: Mutex::default() }))
    }

    /// Waits for a turn, until the deadline at most, and runs the work on `what`, as an error names it. Without a
    /// tokio runtime it runs where it is.
    ///
    /// Dropping the future gives up the wait; work that has begun goes on to its own end, and keeps its turn
    /// until then.
    ///
    /// # Errors
    ///
    /// `timeout`, if the deadline passes before the work has its turn, and `limit_exceeded`, if too many wait
    /// already: both say that it can be tried again. `interrupted`, if the runtime ends.
    pub async fn run<T: Send + 'static>(
        &self,
        workspace: &str,
        clock: &SharedClock,
        deadline: Deadline,
        what: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let Ok(runtime) = Handle::try_current() else { return Ok(work()) };
        let turn = match select(pin!(self.turn(workspace)), pin!(clock.until(deadline.moment()))).await {
            Either::Left((turn, _)) => turn?,
            Either::Right(((), _)) => {
                let message = format!(
                    "the call's time was over before its {what} could be worked on: the workspace, or the machine, \
                     has too much of that at once"
                );
                return Err(Error::new(ErrorKind::Timeout, message).with_retryable(true));
            }
        };
        let done = runtime.spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|failed| match failed.try_into_panic() {
            Ok(panic) => panic::resume_unwind(panic),
            Err(_) => Error::new(ErrorKind::Interrupted, "the program's runtime is ending"),
        })
    }

    async fn turn(&self, workspace: &str) -> Result<Turn, Error> {
        let workspace: Arc<str> = workspace.into();
        loop {
            let (coming, _place) = {
                let mut queue = self.0.queue();
                if queue.may_run(&workspace, &self.0) {
                    queue.begin(&workspace);
                    drop(queue);
                    return Ok(Turn { shared: self.0.clone(), workspace });
                }
                queue.check_waiting(&workspace, self.0.most_waiting)?;
                let (turn, coming) = oneshot::channel();
                let arrival = queue.wait(&workspace, turn);
                (coming, Place { shared: &self.0, workspace: &workspace, arrival })
            };
            // It comes from the one that ends; who is in the queue is never forgotten.
            if let Ok(turn) = coming.await {
                return Ok(turn);
            }
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn may_run(&self, workspace: &str, shared: &Shared) -> bool {
        let own = self.lanes.get(workspace).map_or(0, |lane| lane.running);
        self.running < shared.most && own < shared.most_per_workspace
    }

    /// Whether one more may wait.
    fn check_waiting(&self, workspace: &str, most: Waits) -> Result<(), Error> {
        let own = self.lanes.get(workspace).map_or(0, |lane| lane.waiting.len());
        let (whose, count) = if own >= most.workspace {
            ("of this workspace", own)
        } else if self.waiting >= most.all {
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
    fn change<T>(&mut self, workspace: &Arc<str>, change: impl FnOnce(&mut Lane) -> T) -> T {
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

    fn begin(&mut self, workspace: &Arc<str>) {
        self.running += 1;
        self.turns += 1;
        let last = self.turns;
        self.change(workspace, |lane| {
            lane.running += 1;
            lane.last = last;
        });
    }

    fn end(&mut self, workspace: &Arc<str>) {
        self.running -= 1;
        self.change(workspace, |lane| lane.running -= 1);
    }

    /// Gives the number under which it waits.
    fn wait(&mut self, workspace: &Arc<str>, turn: oneshot::Sender<Turn>) -> u64 {
        self.waiting += 1;
        self.arrivals += 1;
        let arrival = self.arrivals;
        self.change(workspace, |lane| lane.waiting.push_back(Waiting { arrival, turn }));
        arrival
    }

    /// Takes out who waits under that number, if anybody does.
    fn leave(&mut self, workspace: &Arc<str>, arrival: u64) -> Option<Waiting> {
        let at = self.lanes.get(workspace)?.waiting.binary_search_by_key(&arrival, |waiting| waiting.arrival).ok()?;
        self.waiting -= 1;
        self.change(workspace, |lane| lane.waiting.remove(at))
    }

    /// Takes out who is next, if somebody may run.
    fn next(&mut self, shared: &Shared) -> Option<(Arc<str>, oneshot::Sender<Turn>)> {
        let (rank, workspace) = self.order.first_key_value()?;
        // All others have as many running, or more.
        if self.running >= shared.most || rank.running >= shared.most_per_workspace {
            return None;
        }
        let (arrival, workspace) = (rank.arrival, workspace.clone());
        let Waiting { turn, .. } = self.leave(&workspace, arrival)?;
        Some((workspace, turn))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut queue = self.shared.queue();
            queue.end(&self.workspace);
            let next = queue.next(&self.shared);
            if let Some((workspace, _)) = &next {
                queue.begin(workspace);
            }
            next
        };
        if let Some((workspace, turn)) = next {
            // Who has gone in this moment drops it, which gives it on.
            drop(turn.send(Self { shared: self.shared.clone(), workspace }));
        }
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.0.queue();
        f.debug_struct("Workers")
            .field("most", &self.0.most)
            .field("running", &queue.running)
            .field("waiting", &queue.waiting)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        time::Duration,
    };

    use proptest::prelude::*;

    use super::*;
    use crate::system_clock;

    fn deadline(clock: &SharedClock) -> Deadline {
        Deadline::after(clock, Duration::from_secs(20))
    }

    /// Takes the turns of work that waits until it is let go, in the order in which it began.
    struct Order {
        workers: Workers,
        began: mpsc::Receiver<&'static str>,
        begin: mpsc::Sender<&'static str>,
        go: Arc<Mutex<mpsc::Receiver<()>>>,
        let_go: mpsc::Sender<()>,
    }

    impl Order {
        fn new(most: usize) -> Self {
            let (begin, started) = mpsc::channel();
            let (let_go, go) = mpsc::channel();
            Self { workers: Workers::new(most), began: started, begin, go: Arc::new(Mutex::new(go)), let_go }
        }

        async fn ask(&self, workspace: &'static str) -> tokio::task::JoinHandle<Result<(), Error>> {
            let (workers, begin, go) = (self.workers.clone(), self.begin.clone(), self.go.clone());
            let task = tokio::spawn(async move {
                let clock = system_clock();
                let work = move || {
                    begin.send(workspace).unwrap();
                    go.lock().unwrap().recv().unwrap();
                };
                workers.run(workspace, &clock, deadline(&clock), "params", work).await
            });
            // It stands in the queue, or has begun, once everybody has been polled.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            task
        }

        async fn next(&self) -> &'static str {
            for _ in 0..5_000 {
                if let Ok(workspace) = self.began.try_recv() {
                    return workspace;
                }
                system_clock().sleep(Duration::from_millis(1)).await;
            }
            panic!("nobody begins")
        }
    }

    #[tokio::test]
    async fn who_asks_seldom_comes_before_who_never_stops() {
        let order = Order::new(1);
        let mut tasks = vec![order.ask("often").await];
        assert_eq!(order.next().await, "often");
        for workspace in ["often", "often", "seldom"] {
            tasks.push(order.ask(workspace).await);
        }
        let mut began = Vec::new();
        for _ in 0..3 {
            order.let_go.send(()).unwrap();
            began.push(order.next().await);
        }
        order.let_go.send(()).unwrap();
        assert_eq!(began, ["seldom", "often", "often"]);
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_full_queue_refuses_the_next_at_once() {
        let mut order = Order::new(1);
        order.workers = Workers::bounded(1, Waits { all: 3, workspace: 2 });
        let mut tasks = vec![order.ask("a").await];
        assert_eq!(order.next().await, "a");
        tasks.push(order.ask("a").await);
        let leaves = order.ask("a").await;
        let told = |refused: Result<Result<(), Error>, tokio::task::JoinError>| {
            let error = refused.unwrap().unwrap_err();
            assert!(error.kind() == ErrorKind::LimitExceeded && error.is_retryable(), "{error}");
            error.message().split(" wait").next().map(str::to_owned)
        };
        assert_eq!(told(order.ask("a").await.await).as_deref(), Some("2 calls of this workspace"));
        // Another has its own share, of what there is for all.
        tasks.push(order.ask("b").await);
        assert_eq!(told(order.ask("b").await.await).as_deref(), Some("3 calls in all"));
        // Who goes away makes room at once.
        leaves.abort();
        assert!(leaves.await.unwrap_err().is_cancelled());
        tasks.push(order.ask("b").await);
        for _ in 0..4 {
            order.let_go.send(()).unwrap();
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn one_workspace_leaves_a_turn_to_the_others() {
        let order = Order::new(3);
        let mut tasks = Vec::new();
        for _ in 0..4 {
            tasks.push(order.ask("often").await);
        }
        assert_eq!([order.next().await, order.next().await], ["often", "often"]);
        tasks.push(order.ask("seldom").await);
        assert_eq!(order.next().await, "seldom", "two of often wait, and there is a turn left");
        assert!(order.began.try_recv().is_err());
        for _ in 0..5 {
            order.let_go.send(()).unwrap();
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn who_goes_away_leaves_the_queue_and_the_deadline_ends_the_wait() {
        let order = Order::new(1);
        let first = order.ask("a").await;
        assert_eq!(order.next().await, "a");
        let gone = order.ask("b").await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        let clock = system_clock();
        let soon = Deadline::after(&clock, Duration::from_millis(20));
        let late = order.workers.run("c", &clock, soon, "params", || ()).await.unwrap_err();
        assert!(late.kind() == ErrorKind::Timeout && late.is_retryable(), "{late}");
        assert!(late.message().contains("before its params could be worked on"), "{late}");
        let last = order.ask("d").await;
        order.let_go.send(()).unwrap();
        order.let_go.send(()).unwrap();
        assert_eq!(order.next().await, "d");
        first.await.unwrap().unwrap();
        last.await.unwrap().unwrap();
        let queue = order.workers.0.queue();
        assert!(queue.lanes.is_empty() && queue.order.is_empty());
        assert_eq!((queue.running, queue.waiting), (0, 0));
    }

    #[tokio::test]
    async fn work_that_has_begun_keeps_its_turn_though_nobody_waits_for_it() {
        let order = Order::new(1);
        let begun = order.ask("a").await;
        assert_eq!(order.next().await, "a");
        begun.abort();
        let other = order.ask("b").await;
        assert!(order.began.try_recv().is_err(), "the turn is taken");
        order.let_go.send(()).unwrap();
        assert_eq!(order.next().await, "b");
        order.let_go.send(()).unwrap();
        other.await.unwrap().unwrap();
    }

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
            let workers = Workers::new(3);
            let shared = &*workers.0;
            let mut seen = vec![Seen::default(); names.len()];
            let mut turns = 0;
            for (kind, pick) in steps {
                let mut queue = shared.queue();
                let all: usize = seen.iter().map(|seen| seen.running).sum();
                let may_run = |seen: &Seen, all: usize| all < 3 && seen.running < 2;
                match kind {
                    0 => {
                        let who = pick.index(names.len());
                        prop_assert_eq!(queue.may_run(&names[who], shared), may_run(&seen[who], all));
                        if may_run(&seen[who], all) {
                            queue.begin(&names[who]);
                            turns += 1;
                            seen[who].running += 1;
                            seen[who].last = turns;
                        } else {
                            let arrival = queue.wait(&names[who], oneshot::channel().0);
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
                        let found = queue.next(shared).map(|(workspace, _)| workspace);
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

    #[test]
    fn without_a_runtime_it_runs_where_it_is() {
        static RUN: AtomicUsize = AtomicUsize::new(0);
        let (workers, clock) = (Workers::default(), system_clock());
        let work = || RUN.fetch_add(1, Ordering::Relaxed);
        let mut run = pin!(workers.run("a", &clock, deadline(&clock), "params", work));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(run.as_mut().poll(&mut context).is_ready());
        assert_eq!(RUN.load(Ordering::Relaxed), 1);
    }
}
