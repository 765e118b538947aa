//! Threads for work that takes long, shared out among workspaces.

mod queue;

use std::{
    fmt, mem,
    panic::{self, AssertUnwindSafe},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use callout_core::{
    Error, ErrorKind,
    time::{Deadline, SharedClock},
};
use futures_util::future::{Either, select};
use queue::{MOST_WAITING, Queue, Waits};
use tokio::{runtime::Handle, sync::oneshot};

/// Runs work that would hold up the threads of an async runtime, on those that the runtime has for blocking
/// work. It has no thread of its own.
///
/// At most so many run at once, by default one less than the machine has cores and one at least, and one
/// fewer for each workspace, if that leaves it any. Whoever waits for a turn holds no thread. Workspaces that
/// wait take turns: the one with the fewest running comes first, then the one whose last turn is longest ago.
/// At most 1,024 of a workspace wait, and 4,096 in all; the next is refused at once.
///
/// It is the work that waits in the queue: whoever's turn ends begins the next, whether or not anybody polls the
/// future that waits for it. No turn is held by somebody who does nothing with it.
#[derive(Clone)]
pub struct Workers(Arc<Shared>);

struct Shared(Mutex<State>);

struct State {
    queue: Queue<Begin>,
    /// Somebody gives turns on, for as long as there is somebody who may have one.
    is_giving: bool,
}

/// Begins work that has its turn, on another thread.
type Begin = Box<dyn FnOnce(Turn) + Send>;

/// A place in the queue, left when this is dropped.
struct Place<'a> {
    shared: &'a Shared,
    workspace: Arc<str>,
    arrival: u64,
}

impl Place<'_> {
    /// False if the work has had its turn.
    fn leave(&self) -> bool {
        // What it holds is dropped when the queue is let go.
        let left = self.shared.state().queue.leave(&self.workspace, self.arrival);
        left.is_some()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.leave();
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
        let queue = Queue::new(most, most_waiting);
        Self(Arc::new(Shared(Mutex::new(State { queue, is_giving: false }))))
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
        let (tell, told) = oneshot::channel();
        let begin = move |turn: Turn| {
            runtime.spawn_blocking(move || {
                let done = panic::catch_unwind(AssertUnwindSafe(work));
                // Nobody waits any more if it fails. What comes next begins after it: others whose turn ends meanwhile
                // leave theirs to be given on here too.
                let _ = tell.send(done);
                drop(turn);
            });
        };
        let done = match self.ask(workspace, Box::new(begin))? {
            None => told.await,
            Some(place) => match select(told, pin!(clock.until(deadline.moment()))).await {
                Either::Left((done, _)) => done,
                Either::Right(((), _)) if place.leave() => {
                    let message = format!(
                        "the call's time was over before its {what} could be worked on: the workspace, or the \
                         machine, has too much of that at once"
                    );
                    return Err(Error::new(ErrorKind::Timeout, message).with_retryable(true));
                }
                // It has begun, and ends by its own bounds.
                Either::Right(((), told)) => told.await,
            },
        };
        match done {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(panic)) => panic::resume_unwind(panic),
            Err(_) => Err(Error::new(ErrorKind::Interrupted, "the program's runtime is ending")),
        }
    }

    /// Begins the work, or has it wait and gives its place.
    fn ask(&self, workspace: &str, begin: Begin) -> Result<Option<Place<'_>>, Error> {
        let workspace: Arc<str> = workspace.into();
        let mut state = self.0.state();
        if state.queue.may_run(&workspace) {
            state.queue.begin(&workspace);
            drop(state);
            begin(Turn { shared: self.0.clone(), workspace });
            return Ok(None);
        }
        state.queue.check_waiting(&workspace)?;
        let arrival = state.queue.wait(&workspace, begin);
        drop(state);
        Ok(Some(Place { shared: &self.0, workspace, arrival }))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.queue.end(&self.workspace);
        // A runtime that has ended drops what it is to run, and so the turn for it, within the loop.
        if mem::replace(&mut state.is_giving, true) {
            return;
        }
        while let Some((workspace, begin)) = state.queue.next() {
            state.queue.begin(&workspace);
            drop(state);
            let turn = Self { shared: self.shared.clone(), workspace };
            // It panics if the system has no thread for it; then it is run by the next that there is.
            drop(panic::catch_unwind(AssertUnwindSafe(|| begin(turn))));
            state = self.shared.state();
        }
        state.is_giving = false;
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state();
        f.debug_struct("Workers")
            .field("most", &state.queue.most)
            .field("running", &state.queue.running)
            .field("waiting", &state.queue.waiting)
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

    use futures_util::{FutureExt as _, future::poll_immediate};

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

    type Asked = tokio::task::JoinHandle<Result<(), Error>>;

    impl Order {
        fn new(most: usize) -> Self {
            let (begin, started) = mpsc::channel();
            let (let_go, go) = mpsc::channel();
            Self { workers: Workers::new(most), began: started, begin, go: Arc::new(Mutex::new(go)), let_go }
        }

        async fn ask(&self, workspace: &'static str) -> Asked {
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

        /// Lets what runs end, and after it what was asked for last, by when all between has had its turn.
        async fn let_go_until(&self, first: Asked, last: Asked, of_last: &str) {
            self.let_go.send(()).unwrap();
            assert_eq!(self.next().await, of_last);
            self.let_go.send(()).unwrap();
            first.await.unwrap().unwrap();
            last.await.unwrap().unwrap();
        }
    }

    /// Waits until the last turn has ended, which is told of before.
    async fn rests(workers: &Workers) {
        for _ in 0..5_000 {
            if workers.0.state().queue.is_at_rest() {
                return;
            }
            system_clock().sleep(Duration::from_millis(1)).await;
        }
        panic!("somebody keeps a turn");
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
        rests(&order.workers).await;
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

    #[tokio::test]
    async fn work_has_its_turn_though_nobody_polls_who_waits_for_it() {
        let (order, clock) = (Order::new(1), system_clock());
        let first = order.ask("a").await;
        assert_eq!(order.next().await, "a");
        let mut left_alone = pin!(order.workers.run("b", &clock, deadline(&clock), "answer", || "b"));
        assert!(poll_immediate(left_alone.as_mut()).await.is_none());
        let last = order.ask("c").await;
        order.let_go_until(first, last, "c").await;
        assert_eq!(left_alone.await.unwrap(), "b");
    }

    #[tokio::test]
    async fn what_is_done_is_told_before_the_next_begins() {
        let (order, clock) = (Order::new(1), system_clock());
        let first = order.ask("a").await;
        assert_eq!(order.next().await, "a");
        let (let_begin, begin) = mpsc::channel::<()>();
        let slow = move |turn: Turn| {
            let _ = begin.recv();
            drop(turn);
        };
        let _place = order.workers.ask("b", Box::new(slow)).unwrap().unwrap();
        order.let_go.send(()).unwrap();
        match select(first, pin!(clock.sleep(Duration::from_secs(20)))).await {
            Either::Left((done, _)) => done.unwrap().unwrap(),
            Either::Right(_) => panic!("it waits for the next"),
        }
        drop(let_begin);
        rests(&order.workers).await;
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_turn_on_and_panics_where_it_is_waited_for() {
        let (order, clock) = (Order::new(1), system_clock());
        let first = order.ask("a").await;
        assert_eq!(order.next().await, "a");
        let broken = || -> bool { panic::resume_unwind(Box::new("broken")) };
        let broken = AssertUnwindSafe(order.workers.run("b", &clock, deadline(&clock), "answer", broken));
        let mut broken = pin!(broken.catch_unwind());
        assert!(poll_immediate(broken.as_mut()).await.is_none());
        let last = order.ask("c").await;
        order.let_go_until(first, last, "c").await;
        assert!(broken.await.is_err());
        rests(&order.workers).await;
    }

    #[test]
    fn a_runtime_that_has_ended_keeps_no_turn() {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (lasting, ended, order, clock) = (runtime(), runtime(), Order::new(1), system_clock());
        let first = lasting.block_on(order.ask("a"));
        assert_eq!(lasting.block_on(order.next()), "a");
        let wait = || Box::pin(order.workers.run("b", &clock, deadline(&clock), "answer", || ()));
        let mut waits: Vec<_> = (0..1_000).map(|_| wait()).collect();
        ended.block_on(async {
            for wait in &mut waits {
                assert!(poll_immediate(wait).await.is_none());
            }
        });
        drop(ended);
        lasting.block_on(async {
            let last = order.ask("c").await;
            order.let_go_until(first, last, "c").await;
            // Till then a wait would look at the clock of its runtime, which has none any more.
            rests(&order.workers).await;
            for wait in waits {
                assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::Interrupted);
            }
        });
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
