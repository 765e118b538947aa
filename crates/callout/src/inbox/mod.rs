//! Calls beside the conversation: spawned, and their results handed over when their endpoints want it.

mod lanes;
mod sync;

use std::{convert, fmt, sync::Arc};

use callout_core::{Error, ErrorKind, config::Delivery, json::Json};
use lanes::{Lane, Lanes};
use tokio::{runtime::Handle, task::AbortHandle};
use tracing::Instrument as _;

use crate::{CallId, CallOptions, Engine, Integration, Outcome};

/// How many calls an inbox holds that is not told otherwise.
const CAPACITY: usize = 1024;

/// A call that has ended, as an [`Inbox`] hands it over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivered {
    /// The id that [`Inbox::spawn`] gave.
    pub id: CallId,
    /// What the host calls it ([`CallOptions::with_id`]).
    pub host_id: Option<Arc<str>>,
    /// The integration's name.
    pub integration: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// When the endpoint wants it handed over; [`Delivery::Interrupt`] if there is no such endpoint.
    pub delivery: Delivery,
    /// What came of it.
    pub result: Result<Outcome, Error>,
}

impl Delivered {
    /// What a model is told: the outcome's text, or what went wrong and what it can do about that ([`Error::advice`]).
    pub fn text(&self) -> String {
        match &self.result {
            Ok(outcome) => outcome.text().to_owned(),
            Err(error) => format!("{error}. {}", error.advice()),
        }
    }
}

/// Calls in flight beside an agent's conversation, and two lanes of their results: those whose
/// endpoint says [`Delivery::Interrupt`], to be handed over as they land, and those that say
/// [`Delivery::Queue`], to be handed over when the agent's turn has ended.
///
/// Every spawned call ends in exactly one result, in the order of arrival within its lane: an outcome
/// or an error, also when it was cancelled or its task broke. Only dropping the inbox ends calls
/// without a result. All methods take `&self`, so that one inbox, in an `Arc`, serves any number of
/// tasks; each result goes to one of them.
///
/// A spawned call is a task on the tokio runtime that it was spawned from: it goes on while the agent
/// speaks and nobody polls the inbox, which a future that the inbox polls would not. These tasks are
/// the only ones that an engine ever starts, one for each call, and none outlives the inbox by more
/// than the moment that tokio takes to drop it.
///
/// ```no_run
/// # async fn speak() {}
/// # async fn example(engine: callout::Engine, shop: callout::Integration) -> Result<(), callout::Error> {
/// let inbox = engine.inbox();
/// let id = inbox.spawn(&shop, "book", serde_json::json!({"table": 4}))?; // at once
/// tokio::select! {
///     () = speak() => {}
///     landed = inbox.interrupted() => println!("{} says: {}", landed.endpoint, landed.text()),
/// }
/// for landed in inbox.drain() { // the turn has ended
///     println!("{}: {}", landed.id, landed.text());
/// }
/// inbox.cancel(id);
/// # Ok(())
/// # }
/// ```
pub struct Inbox {
    engine: Engine,
    lanes: Arc<Lanes<CallId, Flight, Delivered>>,
    capacity: usize,
}

/// What is kept of a call in flight.
struct Flight {
    names: Names,
    task: Option<AbortHandle>,
}

#[derive(Clone)]
struct Names {
    id: CallId,
    host_id: Option<Arc<str>>,
    integration: Arc<str>,
    endpoint: Arc<str>,
    delivery: Delivery,
}

impl Names {
    fn delivered(&self, result: Result<Outcome, Error>) -> Delivered {
        Delivered {
            id: self.id,
            host_id: self.host_id.clone(),
            integration: self.integration.to_string(),
            endpoint: self.endpoint.to_string(),
            delivery: self.delivery,
            result,
        }
    }

    fn cancelled(&self, message: &str) -> Delivered {
        let error = Error::new(ErrorKind::Cancelled, message);
        self.delivered(Err(error.with_integration(&self.integration).with_endpoint(&self.endpoint)))
    }
}

impl Engine {
    /// An inbox for calls beside a conversation. It holds at most 1,024 calls.
    pub fn inbox(&self) -> Inbox {
        self.inbox_with_capacity(CAPACITY)
    }

    /// As [`Engine::inbox`], for at most that many calls: in flight, or landed and not yet taken.
    pub fn inbox_with_capacity(&self, capacity: usize) -> Inbox {
        Inbox { engine: self.clone(), lanes: Arc::new(Lanes::new(capacity)), capacity }
    }
}

impl Inbox {
    /// Begins a call and returns at once. What comes of it, a failure too, is delivered through the
    /// lane that the endpoint names.
    ///
    /// # Errors
    ///
    /// `limit_exceeded` if the inbox is full; `cancelled` outside a tokio runtime.
    pub fn spawn(&self, integration: &Integration, endpoint: &str, params: impl Into<Json>) -> Result<CallId, Error> {
        self.spawn_with(integration, endpoint, params, &CallOptions::default())
    }

    /// As [`Inbox::spawn`], with options of its own.
    ///
    /// # Errors
    ///
    /// As [`Inbox::spawn`].
    pub fn spawn_with(
        &self,
        integration: &Integration,
        endpoint: &str,
        params: impl Into<Json>,
        options: &CallOptions,
    ) -> Result<CallId, Error> {
        self.spawn_telling(integration, endpoint, params.into(), options, convert::identity)
    }

    /// As [`Inbox::spawn_with`], with an error delivered as `told` makes it.
    pub(crate) fn spawn_telling(
        &self,
        integration: &Integration,
        endpoint: &str,
        params: Json,
        options: &CallOptions,
        told: impl FnOnce(Error) -> Error + Send + 'static,
    ) -> Result<CallId, Error> {
        let placed = |error: Error| error.with_integration(integration.name()).with_endpoint(endpoint);
        let runtime = Handle::try_current().map_err(|_| {
            let message = "there is no tokio runtime to run the call on: spawn calls from within one";
            placed(Error::new(ErrorKind::Cancelled, message))
        })?;
        let delivery = integration.delivery(endpoint).unwrap_or_default();
        let names = Names {
            id: self.engine.next_call(),
            host_id: options.host_id.clone(),
            integration: integration.name().into(),
            endpoint: endpoint.into(),
            delivery,
        };
        let id = names.id;
        let lane = match delivery {
            Delivery::Interrupt => Lane::Interrupting,
            Delivery::Queue => Lane::Queued,
        };
        if !self.lanes.begin(id, lane, Flight { names: names.clone(), task: None }) {
            let message = format!(
                "the inbox is full: {} calls are in flight, or have landed and were not taken; take results, cancel \
                 calls, or give it a larger capacity",
                self.capacity
            );
            return Err(placed(Error::new(ErrorKind::LimitExceeded, message).with_retryable(true)));
        }
        let landing = Landing { lanes: Arc::clone(&self.lanes), names };
        let mut spawned = Spawned {
            engine: self.engine.clone(),
            integration: integration.clone(),
            options: options.clone(),
            landing,
            has_begun: false,
        };
        let work = async move {
            let Spawned { engine, integration, options, landing, .. } = spawned.begin();
            let result = engine.call_as(landing.names.id, integration, &landing.names.endpoint, params, options).await;
            landing.land(result.map_err(told));
        };
        self.keep(id, runtime.spawn(work.in_current_span()).abort_handle());
        Ok(id)
    }

    /// Keeps the task of a call. The task may have begun before this: where the call has ended meanwhile, as
    /// by an observer that cancels it at its start, nobody else could end the task.
    fn keep(&self, id: CallId, task: AbortHandle) {
        if !self.lanes.update(id, |flight| flight.task = Some(task.clone())) {
            task.abort();
        }
    }

    /// The next result that is to interrupt, when there is one; it waits as long as it takes, also
    /// while nothing is in flight.
    ///
    /// Dropping the future loses nothing, so it is good in a `select!`.
    pub async fn interrupted(&self) -> Delivered {
        self.lanes.interrupted().await
    }

    /// The next result that is to interrupt, if one has landed.
    pub fn try_interrupted(&self) -> Option<Delivered> {
        self.lanes.try_interrupted()
    }

    /// The results that were to wait for the end of the agent's turn. Those that interrupt are not
    /// among them.
    pub fn drain(&self) -> Vec<Delivered> {
        self.lanes.drain()
    }

    /// As [`Inbox::drain`], and waits until there are any, as long as it takes, also while nothing is in flight: for
    /// results that land when the agent's turn has ended already, as while it waits for its user.
    ///
    /// Dropping the future loses nothing, so it is good in a `select!`.
    ///
    /// ```no_run
    /// # async fn example(inbox: callout::Inbox, user: impl Future<Output = String>) {
    /// let mut next = inbox.drain(); // the turn has ended
    /// if next.is_empty() {
    ///     tokio::select! {
    ///         said = user => println!("the user says: {said}"),
    ///         landed = inbox.interrupted() => next.push(landed),
    ///         landed = inbox.queued() => next.extend(landed),
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn queued(&self) -> Vec<Delivered> {
        self.lanes.queued().await
    }

    /// Waits until no call is in flight: for a runtime that has nothing else to do.
    pub async fn idle(&self) {
        self.lanes.idle().await;
    }

    /// Cancels a call: its result is an error of kind `cancelled`, in its lane. False if it has
    /// landed already, whether or not its result was taken.
    ///
    /// What may have reached the upstream is not undone.
    pub fn cancel(&self, id: CallId) -> bool {
        let ended = self.lanes.end(id, |flight| flight.names.cancelled("the call was cancelled"));
        if let Some(task) = ended.as_ref().and_then(|flight| flight.task.as_ref()) {
            task.abort();
        }
        ended.is_some()
    }

    /// How many calls are in flight.
    pub fn in_flight(&self) -> usize {
        self.lanes.in_flight()
    }

    /// How many calls it holds: in flight, or landed and not yet taken.
    pub fn len(&self) -> usize {
        self.lanes.held()
    }

    /// Whether it holds no call.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Cancels what is in flight.
impl Drop for Inbox {
    fn drop(&mut self) {
        for task in self.lanes.close().into_iter().filter_map(|flight| flight.task) {
            task.abort();
        }
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("capacity", &self.capacity)
            .field("in_flight", &self.in_flight())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// What a task has of its call besides params.
struct Spawned {
    engine: Engine,
    integration: Integration,
    options: CallOptions,
    landing: Landing,
    has_begun: bool,
}

impl Spawned {
    fn begin(&mut self) -> &Self {
        self.has_begun = true;
        self
    }
}

/// A call that is cancelled before its task has had a turn began and finished too, as an observer is promised.
impl Drop for Spawned {
    fn drop(&mut self) {
        if !self.has_begun {
            let Names { id, endpoint, .. } = &self.landing.names;
            self.engine.tell_cancelled(*id, &self.integration, endpoint, &self.options);
        }
    }
}

/// Sees to it that a task's call ends in a result, whatever becomes of the task.
struct Landing {
    lanes: Arc<Lanes<CallId, Flight, Delivered>>,
    names: Names,
}

impl Landing {
    fn land(&self, result: Result<Outcome, Error>) {
        self.lanes.end(self.names.id, |_| self.names.delivered(result));
    }
}

/// A task that is dropped midway has panicked, in what the host has put into the engine, or its
/// runtime has ended. After a landing or a cancellation there is nothing left to end.
impl Drop for Landing {
    fn drop(&mut self) {
        self.lanes.end(self.names.id, |_| {
            self.names.cancelled("the call's task ended before it had a result: it panicked, or its runtime is over")
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_call_that_was_cancelled_before_its_task_was_kept_leaves_no_task() {
        let inbox = Engine::builder().build().unwrap().inbox();
        let id = inbox.engine.next_call();
        let (integration, endpoint) = ("shop".into(), "go".into());
        let names = Names { id, host_id: None, integration, endpoint, delivery: Delivery::Interrupt };
        assert!(inbox.lanes.begin(id, Lane::Interrupting, Flight { names, task: None }));
        let task = tokio::spawn(std::future::pending::<()>());
        assert!(inbox.cancel(id));
        inbox.keep(id, task.abort_handle());
        let ended = tokio::time::timeout(Duration::from_secs(5), task).await.expect("the task goes on");
        assert!(ended.unwrap_err().is_cancelled());
        assert_eq!(inbox.try_interrupted().unwrap().result.unwrap_err().kind(), ErrorKind::Cancelled);
    }
}
