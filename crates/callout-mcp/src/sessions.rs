//! Sessions that belong to somebody, for clients before revision 2026-07-28.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _};
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::{
        SessionId, SessionManager,
        session::{ServerSseMessage, local::LocalSessionManager},
    },
};
use tokio_util::sync::CancellationToken;

tokio::task_local! {
    /// Who makes the request that this task answers.
    static OWNER: Arc<str>;
}

/// Sessions in memory, each with its owner, and so many of each.
pub(crate) struct OwnedSessions {
    inner: LocalSessionManager,
    owned: Mutex<Owned>,
    /// Sessions of one owner.
    most: usize,
    /// No announcements any more.
    closing: CancellationToken,
}

#[derive(Debug, Default)]
struct Owned {
    owner_of: HashMap<SessionId, Arc<str>>,
    /// The one that was used last stands last.
    of: HashMap<Arc<str>, VecDeque<SessionId>>,
}

impl OwnedSessions {
    pub(crate) fn new(most: usize, idle: Duration, closing: CancellationToken) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = Some(idle);
        inner.session_config.sse_retry = None;
        Self { inner, owned: Mutex::default(), most: most.max(1), closing }
    }

    /// Answers a request as that owner's.
    pub(crate) async fn as_owner<T>(&self, owner: &str, answer: impl Future<Output = T>) -> T {
        OWNER.scope(owner.into(), answer).await
    }

    fn owned(&self) -> MutexGuard<'_, Owned> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Owned {
    /// Takes in a session; what has to go for it is handed out.
    fn insert(&mut self, owner: Arc<str>, id: SessionId, most: usize) -> Option<SessionId> {
        let of_it = self.of.entry(Arc::clone(&owner)).or_default();
        of_it.push_back(Arc::clone(&id));
        let oldest = if of_it.len() > most { of_it.front().cloned() } else { None };
        self.owner_of.insert(id, owner);
        if let Some(oldest) = &oldest {
            self.remove(oldest);
        }
        oldest
    }

    /// Whether it is that owner's; then it has been used last.
    fn touch(&mut self, owner: &str, id: &str) -> bool {
        let Some(of_it) = self.of.get_mut(owner) else { return false };
        let Some(at) = of_it.iter().position(|other| &**other == id) else { return false };
        if let Some(id) = of_it.remove(at) {
            of_it.push_back(id);
        }
        true
    }

    fn remove(&mut self, id: &SessionId) {
        let Some(owner) = self.owner_of.remove(id) else { return };
        if let Some(of_it) = self.of.get_mut(&owner) {
            of_it.retain(|other| other != id);
            if of_it.is_empty() {
                self.of.remove(&owner);
            }
        }
    }
}

/// All but who owns what is done by the sessions in memory.
impl SessionManager for OwnedSessions {
    type Error = <LocalSessionManager as SessionManager>::Error;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.inner.create_session().await?;
        let owner = OWNER.try_with(Arc::clone).unwrap_or_default();
        let oldest = self.owned().insert(owner, Arc::clone(&id), self.most);
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
        let is_its_own = OWNER.try_with(|owner| self.owned().touch(owner, id)).unwrap_or(false);
        Ok(is_its_own && self.inner.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.owned().remove(id);
        self.inner.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.inner.create_stream(id, message).await
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.inner.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let stream = self.inner.create_standalone_stream(id).await?;
        Ok(stream.take_until(self.closing.clone().cancelled_owned()))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let stream = self.inner.resume(id, last_event_id).await?;
        Ok(stream.take_until(self.closing.clone().cancelled_owned()))
    }
}

impl fmt::Debug for OwnedSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owned = self.owned();
        f.debug_struct("OwnedSessions")
            .field("sessions", &owned.owner_of.len())
            .field("owners", &owned.of.len())
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_owners_and_the_one_that_rested_longest_goes() {
        let mut owned = Owned::default();
        let id = |text: &str| SessionId::from(text);
        assert_eq!(owned.insert("a".into(), id("1"), 2), None);
        assert_eq!(owned.insert("a".into(), id("2"), 2), None);
        assert_eq!(owned.insert("b".into(), id("3"), 2), None);
        assert!(owned.touch("a", "1") && owned.touch("b", "3"));
        assert!(!owned.touch("b", "1") && !owned.touch("a", "3") && !owned.touch("c", "1"));
        assert_eq!(owned.insert("a".into(), id("4"), 2), Some(id("2")), "1 was used since");
        assert!(!owned.touch("a", "2") && owned.touch("a", "1"));
        for last in ["1", "3", "4", "absent"] {
            owned.remove(&id(last));
        }
        assert!(owned.of.is_empty() && owned.owner_of.is_empty(), "nothing is kept");
    }
}
