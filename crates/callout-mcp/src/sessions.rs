//! Sessions that belong to somebody, for clients before revision 2026-07-28.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    Stream, StreamExt as _, future,
    stream::{self, BoxStream},
};
use http::HeaderMap;
use rmcp::{
    model::{
        ClientJsonRpcMessage, ClientNotification, ErrorData, JsonRpcNotification, RequestId, ServerJsonRpcMessage,
    },
    transport::streamable_http_server::{
        SessionId, SessionManager,
        session::{
            ServerSseMessage,
            local::{LocalSessionManager, LocalSessionManagerError},
        },
    },
};
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio_util::sync::CancellationToken;

use crate::late::{Answer, Late};

/// The header that names a session.
const SESSION_ID: &str = "mcp-session-id";

/// Requests of one session that have no answer yet. More than a host lets be in flight at once.
const MAX_UNANSWERED: usize = 1024;

/// Whose a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// Whose sessions count together; nothing where there are no tenants.
    pub tenant: &'a str,
    /// Who asks. Nobody else can use the session, others of the tenant included.
    pub id: &'a str,
}

tokio::task_local! {
    /// Who makes the request that this task answers.
    static OWNER: Owned;
}

/// Sessions in memory, each with its owner, and so many of each tenant.
pub(crate) struct OwnedSessions {
    inner: LocalSessionManager,
    known: Arc<Mutex<Known>>,
    /// Sessions of one tenant.
    most: usize,
    /// No announcements any more.
    closing: CancellationToken,
}

/// An [`Owner`] that stays.
#[derive(Clone, Debug, Default)]
struct Owned {
    tenant: Arc<str>,
    id: Arc<str>,
}

impl Owned {
    fn as_owner(&self) -> Owner<'_> {
        Owner { tenant: &self.tenant, id: &self.id }
    }
}

#[derive(Debug, Default)]
struct Known {
    sessions: HashMap<SessionId, Session>,
    /// By tenant; the one that was used last stands last.
    of: HashMap<Arc<str>, VecDeque<SessionId>>,
    /// Digests ids of requests.
    ids: RandomState,
    late: Late,
}

#[derive(Debug)]
struct Session {
    owner: Owned,
    /// Whose turn it is to have its announcements.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The requests that have no answer yet, by a digest of their ids, which may be long.
    unanswered: HashSet<u64>,
}

impl OwnedSessions {
    pub(crate) fn new(most: usize, idle: Duration, closing: CancellationToken) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = Some(idle);
        inner.session_config.sse_retry = None;
        Self { inner, known: Arc::default(), most: most.max(1), closing }
    }

    /// Answers a request as that owner's.
    pub(crate) async fn as_owner<T>(&self, owner: Owner<'_>, answer: impl Future<Output = T>) -> T {
        let owner = Owned { tenant: owner.tenant.into(), id: owner.id.into() };
        OWNER.scope(owner, answer).await
    }

    /// Whether the request names a session that is not that owner's.
    pub(crate) fn is_named_by_another(&self, owner: Owner<'_>, headers: &HeaderMap) -> bool {
        headers.get(SESSION_ID).is_some_and(|id| id.to_str().is_ok_and(|id| !self.known().touch(owner, id)))
    }

    /// Ends the session's stream of announcements, so that the next one is told of them: to one that comes
    /// besides, the SDK tells nothing, not even after the first has ended. It is the next one's turn until
    /// what is handed out is dropped.
    async fn end_announcements(&self, id: &SessionId) -> Result<Option<OwnedMutexGuard<()>>, LocalSessionManagerError> {
        let Some(turn) = self.known().turn(id) else { return Ok(None) };
        let turn = turn.lock_owned().await;
        let session = self.inner.sessions.read().await.get(id).cloned();
        if let Some(session) = session {
            session.close_standalone_sse_stream(None).await?;
        }
        Ok(Some(turn))
    }

    /// What comes on a request's stream. It is taken from the SDK also when nobody is there any more: the
    /// request has its answer then, and its client may come back for it.
    fn handed_on(
        &self,
        id: &SessionId,
        mut events: BoxStream<'static, ServerSseMessage>,
    ) -> impl Stream<Item = ServerSseMessage> + Send + Sync + use<> {
        let (to, mut taken) = mpsc::channel(1);
        let (known, id) = (Arc::clone(&self.known), Arc::clone(id));
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if let Some(request) = answered_by(&event) {
                    let answer = Answer::new(&event);
                    lock(&known).note(&id, request, answer);
                }
                let _ = to.send(event).await;
            }
        });
        stream::poll_fn(move |context| taken.poll_recv(context))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    /// Takes in a session; what has to go for it is handed out.
    fn insert(&mut self, owner: Owned, id: SessionId, most: usize) -> Option<SessionId> {
        let of_it = self.of.entry(Arc::clone(&owner.tenant)).or_default();
        of_it.push_back(Arc::clone(&id));
        let oldest = if of_it.len() > most { of_it.front().cloned() } else { None };
        self.sessions.insert(id, Session { owner, turn: Arc::default(), unanswered: HashSet::new() });
        if let Some(oldest) = &oldest {
            self.remove(oldest);
        }
        oldest
    }

    /// Whether it is that owner's; then it has been used last.
    fn touch(&mut self, owner: Owner<'_>, id: &str) -> bool {
        if self.sessions.get(id).is_none_or(|known| known.owner.as_owner() != owner) {
            return false;
        }
        let Some(of_it) = self.of.get_mut(owner.tenant) else { return false };
        let Some(at) = of_it.iter().position(|other| &**other == id) else { return false };
        if let Some(id) = of_it.remove(at) {
            of_it.push_back(id);
        }
        true
    }

    fn remove(&mut self, id: &SessionId) {
        let Some(Session { owner, .. }) = self.sessions.remove(id) else { return };
        if let Some(of_it) = self.of.get_mut(&owner.tenant) {
            of_it.retain(|other| other != id);
            if of_it.is_empty() {
                self.of.remove(&owner.tenant);
            }
        }
        self.late.forget(&owner.tenant, id);
    }

    fn turn(&self, id: &SessionId) -> Option<Arc<tokio::sync::Mutex<()>>> {
        self.sessions.get(id).map(|session| Arc::clone(&session.turn))
    }

    /// Takes in a request, or says why not. The SDK answers the later of two with the same id twice, and keeps
    /// the earlier.
    fn take(&mut self, id: &SessionId, request: &RequestId) -> Result<(), &'static str> {
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        let request = self.ids.hash_one(request);
        if session.unanswered.contains(&request) {
            return Err("the request before it with this id has no answer yet");
        }
        if session.unanswered.len() >= MAX_UNANSWERED {
            return Err("too many requests of this session have no answer yet");
        }
        session.unanswered.insert(request);
        Ok(())
    }

    /// Notes that a request has its answer, and keeps it when it comes for the first time.
    fn note(&mut self, id: &SessionId, request: &RequestId, answer: Option<Answer>) {
        let is_first = self.answered(id, request);
        if let (true, Some(session), Some(answer)) = (is_first, self.sessions.get(id), answer) {
            self.late.keep(&session.owner.tenant, id, answer);
        }
    }

    /// Whether it had none before.
    fn answered(&mut self, id: &SessionId, request: &RequestId) -> bool {
        let Some(session) = self.sessions.get_mut(id) else { return false };
        session.unanswered.remove(&self.ids.hash_one(request))
    }

    /// The answer that came after that event, if it is kept.
    fn after(&self, id: &SessionId, event_id: &str) -> Option<Answer> {
        let session = self.sessions.get(id)?;
        self.late.after(&session.owner.tenant, id, event_id)
    }
}

/// What the SDK sends again without the event that the client saw last, with which it begins.
fn beyond(
    last_event_id: String,
    events: impl Stream<Item = ServerSseMessage> + Send + Sync + 'static,
) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
    events.filter(move |event| future::ready(event.event_id.as_ref() != Some(&last_event_id)))
}

/// The request of which this is the answer.
fn answered_by(event: &ServerSseMessage) -> Option<&RequestId> {
    match event.message.as_deref()? {
        ServerJsonRpcMessage::Response(response) => Some(&response.id),
        ServerJsonRpcMessage::Error(error) => error.id.as_ref(),
        ServerJsonRpcMessage::Request(_) | ServerJsonRpcMessage::Notification(_) => None,
    }
}

/// All but who owns what is done by the sessions in memory.
impl SessionManager for OwnedSessions {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.inner.create_session().await?;
        let owner = OWNER.try_with(Owned::clone).unwrap_or_default();
        let oldest = self.known().insert(owner, Arc::clone(&id), self.most);
        if let Some(oldest) = oldest {
            self.inner.close_session(&oldest).await?;
        }
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.inner.initialize_session(id, message).await
    }

    /// The gate of every request that names a session.
    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        let is_its_own = OWNER.try_with(|owner| self.known().touch(owner.as_owner(), id)).unwrap_or(false);
        Ok(is_its_own && self.inner.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.known().remove(id);
        self.inner.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        if let ClientJsonRpcMessage::Request(request) = &message {
            let taken = self.known().take(id, &request.id);
            if let Err(refusal) = taken {
                let error = ErrorData::invalid_request(refusal, None);
                let error = ServerJsonRpcMessage::error(error, Some(request.id.clone()));
                return Ok(stream::iter([ServerSseMessage::from_message(error)]).left_stream());
            }
        }
        let events = self.inner.create_stream(id, message).await?;
        Ok(self.handed_on(id, events.boxed()).right_stream())
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        let cancelled = match &message {
            ClientJsonRpcMessage::Notification(JsonRpcNotification {
                notification: ClientNotification::CancelledNotification(cancelled),
                ..
            }) => cancelled.params.request_id.clone(),
            _ => None,
        };
        self.inner.accept_message(id, message).await?;
        if let Some(request) = cancelled {
            // It gets none.
            self.known().answered(id, &request);
        }
        Ok(())
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let _turn = self.end_announcements(id).await?;
        let stream = self.inner.create_standalone_stream(id).await?;
        Ok(stream.take_until(self.closing.clone().cancelled_owned()))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let is_of_announcements = last_event_id.parse::<usize>().is_ok();
        if is_of_announcements {
            let _turn = self.end_announcements(id).await?;
            let stream = beyond(last_event_id.clone(), self.inner.resume(id, last_event_id).await?);
            return Ok(stream.take_until(self.closing.clone().cancelled_owned()).left_stream());
        }
        match self.inner.resume(id, last_event_id.clone()).await {
            Ok(events) => {
                let events = beyond(last_event_id, events);
                Ok(self.handed_on(id, events.boxed()).left_stream().right_stream())
            }
            Err(error) => {
                let late = self.known().after(id, &last_event_id);
                let event = late.and_then(|answer| answer.event()).ok_or(error)?;
                Ok(stream::iter([event]).right_stream().right_stream())
            }
        }
    }
}

impl fmt::Debug for OwnedSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known();
        f.debug_struct("OwnedSessions")
            .field("sessions", &known.sessions.len())
            .field("tenants", &known.of.len())
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_owners_and_the_tenants_one_that_rested_longest_goes() {
        let mut known = Known::default();
        let id = |text: &str| SessionId::from(text);
        let owner = |tenant: &str, id: &str| Owned { tenant: tenant.into(), id: id.into() };
        let (one, two, foreign) = (owner("a", "1"), owner("a", "2"), owner("b", "1"));
        assert_eq!(known.insert(one.clone(), id("x"), 2), None);
        assert_eq!(known.insert(two.clone(), id("y"), 2), None);
        assert_eq!(known.insert(foreign.clone(), id("z"), 2), None);
        assert!(known.touch(one.as_owner(), "x") && known.touch(foreign.as_owner(), "z"));
        for (other, session) in [(&two, "x"), (&foreign, "x"), (&one, "y"), (&one, "z"), (&one, "absent")] {
            assert!(!known.touch(other.as_owner(), session), "{other:?} {session}");
        }
        assert_eq!(known.insert(one.clone(), id("w"), 2), Some(id("y")), "x was used since");
        assert!(
            !known.touch(two.as_owner(), "y") && known.touch(one.as_owner(), "x") && known.touch(one.as_owner(), "w")
        );
        for last in ["x", "z", "w", "absent"] {
            known.remove(&id(last));
        }
        assert!(known.of.is_empty() && known.sessions.is_empty(), "nothing is kept");
    }

    #[test]
    fn a_session_has_each_request_once_and_not_too_many_of_them() {
        let mut known = Known::default();
        let (id, absent) = (SessionId::from("x"), SessionId::from("absent"));
        known.insert(Owned { tenant: "a".into(), id: "1".into() }, Arc::clone(&id), 1);
        let request = RequestId::Number;
        let most = MAX_UNANSWERED as i64;
        assert_eq!(known.take(&id, &request(0)), Ok(()));
        assert!(known.take(&id, &request(0)).unwrap_err().starts_with("the request before it"));
        known.answered(&id, &request(0));
        assert!((0..most).all(|number| known.take(&id, &request(number)).is_ok()));
        assert!(known.take(&id, &request(most)).unwrap_err().starts_with("too many"));
        known.answered(&id, &request(1));
        assert_eq!(known.take(&id, &request(most)), Ok(()));
        known.answered(&absent, &request(1));
        assert_eq!(known.take(&absent, &request(1)), Ok(()), "the SDK refuses it");
    }
}
