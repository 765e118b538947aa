//! Names to addresses: the seam for a host's own look-up, and the filter that every address passes.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use callout_core::http::BoxFuture;

use crate::egress::{EgressPolicy, Refusal};

/// How many addresses of one name are tried.
const MAX_ADDRESSES: usize = 16;

/// Looks up host names. The default asks the system (`getaddrinfo`).
///
/// Whatever it answers passes the egress policy, and only what passes is dialled: one look-up per
/// connection, none between the check and the dialling.
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

    pub(crate) fn system() -> Self {
        Self::new(SystemResolver)
    }
}

impl fmt::Debug for SharedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedResolver").finish_non_exhaustive()
    }
}

struct SystemResolver;

impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// What a connection's look-up goes through.
#[derive(Clone, Debug)]
pub(crate) enum Gate {
    /// Addresses that the policy allows for this port; `None` stands for every port that no entry names.
    Policy { policy: Arc<EgressPolicy>, port: Option<u16> },
    /// The proxy that the embedder chose, wherever it is.
    Proxy,
}

/// The look-up that the client uses: the resolver's answer without what the gate refuses.
#[derive(Debug)]
pub(crate) struct GatedResolver {
    pub(crate) resolver: SharedResolver,
    pub(crate) gate: Gate,
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

impl reqwest::dns::Resolve for GatedResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let Self { resolver, gate } = self;
        let (resolver, gate) = (resolver.clone(), gate.clone());
        Box::pin(async move {
            let host = name.as_str().to_ascii_lowercase();
            let found = resolver.0.resolve(&host).await.map_err(LookupError::Failed)?;
            let allowed = pass(&gate, &host, found)?;
            // Port 0 is replaced by the URL's.
            Ok(Box::new(allowed.into_iter().map(|address| SocketAddr::new(address, 0))) as reqwest::dns::Addrs)
        })
    }
}

fn pass(gate: &Gate, host: &str, mut found: Vec<IpAddr>) -> Result<Vec<IpAddr>, LookupError> {
    let mut refused = None;
    if let Gate::Policy { policy, port } = gate {
        found.retain(|address| match policy.check(Some(host), *address, *port) {
            Ok(()) => true,
            Err(refusal) => {
                refused.get_or_insert(refusal);
                false
            }
        });
    }
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
        Gate::Policy { policy: Arc::new(policy), port: None }
    }

    fn addresses(text: &[&str]) -> Vec<IpAddr> {
        text.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn only_allowed_addresses_pass_and_a_refusal_is_no_failed_look_up() {
        let mixed = addresses(&["127.0.0.1", "8.8.8.8", "::1", "10.0.0.1"]);
        assert_eq!(pass(&gate(&[]), "a.example", mixed.clone()).unwrap(), addresses(&["8.8.8.8"]));
        assert_eq!(pass(&gate(&["a.example"]), "a.example", mixed.clone()).unwrap(), mixed);
        assert_eq!(pass(&Gate::Proxy, "proxy", mixed.clone()).unwrap(), mixed);
        assert!(matches!(pass(&gate(&[]), "a", addresses(&["127.0.0.1"])), Err(LookupError::Refused(_))));
        assert!(matches!(pass(&gate(&[]), "a", Vec::new()), Err(LookupError::Empty)));
        let many = vec![addresses(&["8.8.8.8"])[0]; 100];
        assert_eq!(pass(&gate(&[]), "a", many).unwrap().len(), MAX_ADDRESSES);
    }
}
