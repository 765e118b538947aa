//! The HTTP client: the one place that builds it, and so the one gate that every connection passes.

use std::{collections::BTreeMap, fmt, net::IpAddr, sync::Arc, time::Duration};

use callout_core::{
    Error, ErrorKind,
    http::HttpRequest,
    limits::{Limits, Timeouts},
};
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderValue};
use url::Host;

use crate::{
    body,
    egress::EgressPolicy,
    fault::{Fault, Settings},
    resolver::{Gate, GatedResolver, SharedResolver},
    target::Target,
};

/// Idle connections kept per upstream; more are closed when their answers are read.
const MAX_IDLE: usize = 128;

/// What clients are made from.
#[derive(Clone)]
pub(crate) struct ClientConfig {
    pub(crate) egress: EgressPolicy,
    pub(crate) resolver: SharedResolver,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) identity: Option<Vec<u8>>,
    pub(crate) proxy: Option<String>,
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { egress, resolver: _, roots, identity, proxy } = self;
        f.debug_struct("ClientConfig")
            .field("egress", egress)
            .field("roots", &roots.len())
            .field("identity", &identity.is_some()) // secret
            .field("proxy", &proxy.is_some()) // may hold credentials
            .finish_non_exhaustive()
    }
}

/// Clients by port: the look-up filter is not told the port, so each port that an allow-list entry
/// names has a client whose filter knows it, and all others share one.
pub(crate) struct Clients {
    by_port: BTreeMap<u16, reqwest::Client>,
    other: reqwest::Client,
    policy: Arc<EgressPolicy>,
    proxied: bool,
    no_platform_roots: bool,
    connect_timeout: Duration,
    max_header_bytes: usize,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients")
            .field("ports", &self.by_port.keys())
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Clients {
    /// Needs no runtime.
    ///
    /// # Errors
    ///
    /// `invalid_config`: a certificate, the identity or the proxy's URL cannot be used.
    pub(crate) fn new(config: ClientConfig, limits: &Limits, timeouts: &Timeouts) -> Result<Self, Error> {
        let ClientConfig { egress, resolver, roots, identity, proxy } = config;
        let roots = roots.iter().map(|pem| certificates(pem)).collect::<Result<Vec<_>, _>>()?.concat();
        let identity = identity.as_deref().map(client_identity).transpose()?;
        let proxy = proxy.as_deref().map(proxy_at).transpose()?;
        let policy = Arc::new(egress);
        let proxied = proxy.is_some();
        // Past the client's own bound an answer is only a broken stream; below it, it can be named.
        let max_header_list = u32::try_from(limits.max_header_bytes.saturating_mul(4)).unwrap_or(u32::MAX);
        let make = |port: Option<u16>, platform_roots: bool| {
            let gate = if proxied { Gate::Proxy } else { Gate::Policy { policy: policy.clone(), port } };
            let builder = reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(timeouts.connect)
                .pool_max_idle_per_host(MAX_IDLE)
                .http2_max_header_list_size(max_header_list)
                .dns_resolver(GatedResolver { resolver: resolver.clone(), gate });
            let builder = if platform_roots {
                builder.tls_certs_merge(roots.iter().cloned())
            } else {
                builder.tls_certs_only(roots.iter().cloned())
            };
            let builder = identity.iter().cloned().fold(builder, reqwest::ClientBuilder::identity);
            proxy.iter().cloned().fold(builder, reqwest::ClientBuilder::proxy).build()
        };
        let (other, no_platform_roots) = match make(None, true) {
            Ok(client) => (client, false),
            // A slim container has no CA certificates. http URLs work there all the same; a TLS error
            // names the cause.
            Err(_) => (make(None, false).map_err(unusable)?, true),
        };
        let mut by_port = BTreeMap::new();
        if !proxied {
            for port in policy.ports() {
                by_port.insert(port, make(Some(port), !no_platform_roots).map_err(unusable)?);
            }
        }
        Ok(Self {
            by_port,
            other,
            policy,
            proxied,
            no_platform_roots,
            connect_timeout: timeouts.connect,
            max_header_bytes: limits.max_header_bytes,
        })
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            connect_timeout: self.connect_timeout,
            max_header_bytes: self.max_header_bytes,
            no_platform_roots: self.no_platform_roots,
            proxied: self.proxied,
        }
    }

    /// Sends one request and reads the head of its answer.
    pub(crate) async fn send(&self, request: HttpRequest, target: &Target) -> Result<reqwest::Response, Fault> {
        let named_port = self.by_port.get_key_value(&target.port());
        let address = match target.host() {
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
            // The look-up is filtered, where the connection is made.
            Host::Domain(_) => None,
        };
        if let Some(address) = address {
            // Behind a proxy no client is kept by port, so entries with a port are asked for here.
            let port = if self.proxied { Some(target.port()) } else { named_port.map(|(port, _)| *port) };
            self.policy.check(None, address, port).map_err(|refusal| Fault::denied(target, refusal))?;
        }
        let client = named_port.map_or(&self.other, |(_, client)| client);
        let response = client
            .execute(to_client(request))
            .await
            .map_err(|error| Fault::of_request(error, target, self.settings()))?;
        let bytes: usize = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if bytes > self.max_header_bytes {
            return Err(Fault::headers_too_large(target, self.max_header_bytes));
        }
        Ok(response)
    }
}

fn to_client(request: HttpRequest) -> reqwest::Request {
    let HttpRequest { method, url, headers, body } = request;
    let mut sent = reqwest::Request::new(method, url);
    *sent.headers_mut() = headers;
    if !sent.headers().contains_key(ACCEPT_ENCODING) {
        sent.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(body::ACCEPTED));
    }
    if !body.is_empty() {
        *sent.body_mut() = Some(body.into());
    } else if matches!(sent.method().as_str(), "POST" | "PUT" | "PATCH") {
        // RFC 9110 section 8.6; some servers answer 411 without it.
        sent.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    sent
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, Error> {
    let found = reqwest::Certificate::from_pem_bundle(pem).map_err(|_| invalid("root certificate: is not PEM"))?;
    if found.is_empty() {
        return Err(invalid("root certificate: holds no `BEGIN CERTIFICATE` block"));
    }
    Ok(found)
}

fn client_identity(pem: &[u8]) -> Result<reqwest::Identity, Error> {
    reqwest::Identity::from_pem(pem)
        .map_err(|_| invalid("client identity: must be PEM with a certificate and its private key, both in one"))
}

fn proxy_at(url: &str) -> Result<reqwest::Proxy, Error> {
    // The text may hold credentials, so it is not repeated.
    let bad = || invalid("proxy: must be an http or https URL with a host, such as http://proxy.internal:3128");
    let parsed: url::Url = url.parse().map_err(|_| bad())?;
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return Err(bad());
    }
    reqwest::Proxy::all(parsed).map_err(|_| bad())
}

fn unusable(error: reqwest::Error) -> Error {
    invalid("TLS: a root certificate or the client identity cannot be used")
        .with_source(Unusable(error.without_url().to_string()))
}

/// The client's reason, without its type.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unusable(String);

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidConfig, message)
}
