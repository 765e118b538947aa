//! Sessions that belong to somebody, for clients before revision 2026-07-28.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _};
use http::HeaderMap;
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::{
        SessionId, SessionManager,
        session::{ServerSseMessage, local::LocalSessionManager},
    },
};
use tokio_util::sync::CancellationToken;

/// The header that names a session.
const SESSION_ID: &str = "mcp-session-id";

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
    known: Mutex<Known>,
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
    owner_of: HashMap<SessionId, Owned>,
    /// By tenant; the one that was used last stands last.
    of: HashMap<Arc<str>, VecDeque<SessionId>>,
}

impl OwnedSessions {
    pub(crate) fn new(most: usize, idle: Duration, closing: CancellationToken) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = Some(idle);
        inner.session_config.sse_retry = None;
        Self { inner, known: Mutex::default(), most: most.max(1), closing }
    }

    /// Answers a request as that owner's.
    pub(crate) async fn as_owner<T>(&self, owner: Owner<'_>, answer: impl Future<Output = T>) -> T {
        let owner = Owned { tenant: owner.tenant.into(), id: owner.id.into() };
        OWNER.scope(owner, answer).await
    }

    /// Whether the request names a session, and it is that owner's.
    pub(crate) fn is_named_by_its_owner(&self, owner: Owner<'_>, headers: &HeaderMap) -> bool {
        let named = headers.get(SESSION_ID).and_then(|id| id.to_str().ok());
        named.is_some_and(|id| self.known().touch(owner, id))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Takes in a session; what has to go for it is handed out.
    fn insert(&mut self, owner: Owned, id: SessionId, most: usize) -> Option<SessionId> {
        let of_it = self.of.entry(Arc::clone(&owner.tenant)).or_default();
        of_it.push_back(Arc::clone(&id));
        let oldest = if of_it.len() > most { of_it.front().cloned() } else { None };
        self.owner_of.insert(id, owner);
        if let Some(oldest) = &oldest {
            self.remove(oldest);
        }
        oldest
    }

    /// Whether it is that owner's; then it has been used last.
    fn touch(&mut self, owner: Owner<'_>, id: &str) -> bool {
        if self.owner_of.get(id).is_none_or(|known| known.as_owner() != owner) {
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
        let Some(owner) = self.owner_of.remove(id) else { return };
        if let Some(of_it) = self.of.get_mut(&owner.tenant) {
            of_it.retain(|other| other != id);
            if of_it.is_empty() {
                self.of.remove(&owner.tenant);
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
        let known = self.known();
        f.debug_struct("OwnedSessions")
            .field("sessions", &known.owner_of.len())
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
        assert!(known.of.is_empty() && known.owner_of.is_empty(), "nothing is kept");
    }
}
