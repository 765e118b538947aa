//! Names to addresses: the seam for a host's own look-up, and the filter that every address passes.

mod system;

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use callout_core::http::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use self::system::SystemResolver;
use crate::egress::{EgressPolicy, Refusal};

/// How many addresses of one name are tried.
const MAX_ADDRESSES: usize = 16;

/// Looks up host names. The default asks the system (`getaddrinfo`): 256 names at once, 16 of those of one domain
/// (`example.com`, `example.co.uk`), each once for all who ask for it meanwhile. Others wait for their turn, within
/// the time that a connection has.
///
/// Whatever it answers passes the egress policy, and only what passes is dialled: it is asked once for a
/// connection, and not between the check and the dialling.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of a host, the one to try first in front.
    ///
    /// # Errors
    ///
    /// If the name cannot be looked up; the call fails with kind `connect`.
    fn resolve(&self, host: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

trait DynResolver: Send + Sync {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

impl<R: Resolver> DynResolver for R {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(Resolver::resolve(self, host))
    }
}

/// A [`Resolver`] that many clients hold.
#[derive(Clone)]
pub(crate) struct SharedResolver(Arc<dyn DynResolver>);

impl SharedResolver {
    pub(crate) fn new(resolver: impl Resolver) -> Self {
        Self(Arc::new(resolver))
    }

    /// The system's, for connections that have so much time.
    pub(crate) fn system(connect: Duration) -> Self {
        // Who has waited for most of it is told why, before the connection's own time is over.
        Self::new(SystemResolver::new(connect / 10 * 9))
    }
}

impl fmt::Debug for SharedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedResolver").finish_non_exhaustive()
    }
}

/// What an address passes before it is dialled.
#[derive(Clone, Debug)]
pub(crate) enum Gate {
    /// Addresses that the policy allows.
    Policy(Arc<EgressPolicy>),
    /// The proxy that the embedder chose, wherever it is.
    Proxy,
}

impl Gate {
    /// The verdict on one address and port; `host` is the name that led there, if one did.
    pub(crate) fn check(&self, host: Option<&str>, address: IpAddr, port: u16) -> Result<(), Refusal> {
        match self {
            Self::Policy(policy) => policy.check(host, address, port),
            Self::Proxy => Ok(()),
        }
    }
}

/// The look-up for one connection: the resolver's answer without what the gate refuses.
#[derive(Clone, Debug)]
pub(crate) struct GatedResolver {
    pub(crate) resolver: SharedResolver,
    pub(crate) gate: Gate,
    /// Where the connection goes.
    pub(crate) port: u16,
}

/// Why a name led to no address that may be dialled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error("the egress policy refuses {}", .0.what)]
    Refused(Refusal),
    #[error("{0}")]
    Failed(io::Error),
    #[error("the name has no address")]
    Empty,
}

impl Service<Name> for GatedResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = LookupError;
    type Future = BoxFuture<'static, Result<Self::Response, LookupError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LookupError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { resolver, gate, port } = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_ascii_lowercase();
            let found = resolver.0.resolve(&host).await.map_err(LookupError::Failed)?;
            let allowed = pass(&gate, &host, port, found)?;
            let addresses: Vec<_> = allowed.into_iter().map(|address| SocketAddr::new(address, port)).collect();
            Ok(addresses.into_iter())
        })
    }
}

fn pass(gate: &Gate, host: &str, port: u16, mut found: Vec<IpAddr>) -> Result<Vec<IpAddr>, LookupError> {
    let mut refused = None;
    found.retain(|address| match gate.check(Some(host), *address, port) {
        Ok(()) => true,
        Err(refusal) => {
            refused.get_or_insert(refusal);
            false
        }
    });
    found.truncate(MAX_ADDRESSES);
    match refused {
        Some(refusal) if found.is_empty() => Err(LookupError::Refused(refusal)),
        _ if found.is_empty() => Err(LookupError::Empty),
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(entries: &[&str]) -> Gate {
        let policy = entries.iter().fold(EgressPolicy::public(), |policy, entry| policy.allow(entry).unwrap());
        Gate::Policy(Arc::new(policy))
    }

    fn addresses(text: &[&str]) -> Vec<IpAddr> {
        text.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn only_allowed_addresses_pass_and_a_refusal_is_no_failed_look_up() {
        let mixed = addresses(&["127.0.0.1", "8.8.8.8", "::1", "10.0.0.1"]);
        assert_eq!(pass(&gate(&[]), "a.example", 80, mixed.clone()).unwrap(), addresses(&["8.8.8.8"]));
        assert_eq!(pass(&gate(&["a.example"]), "a.example", 80, mixed.clone()).unwrap(), mixed);
        assert_eq!(pass(&Gate::Proxy, "proxy", 80, mixed.clone()).unwrap(), mixed);
        assert!(matches!(pass(&gate(&[]), "a", 80, addresses(&["127.0.0.1"])), Err(LookupError::Refused(_))));
        assert!(matches!(pass(&gate(&[]), "a", 80, Vec::new()), Err(LookupError::Empty)));
        let many = vec![addresses(&["8.8.8.8"])[0]; 100];
        assert_eq!(pass(&gate(&[]), "a", 80, many).unwrap().len(), MAX_ADDRESSES);
    }
}
