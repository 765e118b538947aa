//! The HTTP client: hyper's, over connections that have passed the gate.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use callout_core::{
    Error, ErrorKind,
    http::{HttpRequest, MAX_URL_BYTES},
    limits::{Limits, Timeouts},
};
use http::{
    Request, Response, Uri,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, HeaderValue, PROXY_AUTHORIZATION},
};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, ResponseFuture},
    rt::{TokioExecutor, TokioTimer},
};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::{
    body,
    connector::{Connector, Proxy, Used},
    egress::EgressPolicy,
    fault::{Fault, Settings},
    resolver::{Gate, SharedResolver},
    target::Target,
    tls::{Tls, tls},
};

/// Idle connections kept per upstream; more are closed when their answers are read.
const MAX_IDLE: usize = 128;

/// What hyper reads of a head of HTTP/1 unless told otherwise, in bytes: 8 kB and a hundred times 4 kB.
const HEAD_BUFFER: usize = 417_792;

/// How long a connection is kept without a request.
const IDLE: Duration = Duration::from_secs(90);

/// When a connection of HTTP/2 is given up whose kernel answers and whose peer does not. It comes before the
/// default bound on an attempt, so that the next one does not meet it again.
const SILENCE: Silence = Silence { asked_after: Duration::from_secs(15), given_up_after: Duration::from_secs(10) };

/// How long a peer may be silent while a request is open.
#[derive(Clone, Copy)]
struct Silence {
    /// It gets a ping (RFC 9113 section 6.7).
    asked_after: Duration,
    /// From the ping on.
    given_up_after: Duration,
}

/// What the client is made from.
#[derive(Clone)]
pub(crate) struct ClientConfig {
    pub(crate) egress: EgressPolicy,
    /// `None` for the system's.
    pub(crate) resolver: Option<SharedResolver>,
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

/// Sends requests and reads the heads of their answers.
pub(crate) struct Client {
    http: legacy::Client<Connector, Full<Bytes>>,
    /// What addresses in URLs are judged by where a proxy dials them.
    proxied: Option<Proxied>,
    settings: Settings,
}

/// What is to be done where a proxy stands between.
struct Proxied {
    policy: EgressPolicy,
    authorization: Option<HeaderValue>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http: _, proxied: _, settings } = self;
        f.debug_struct("Client").field("settings", settings).finish_non_exhaustive()
    }
}

impl Client {
    /// Needs no runtime.
    ///
    /// # Errors
    ///
    /// `invalid_config`: a certificate, the identity or the proxy's URL cannot be used.
    pub(crate) fn new(config: ClientConfig, limits: &Limits, timeouts: &Timeouts) -> Result<Self, Error> {
        let ClientConfig { egress, resolver, roots, identity, proxy } = config;
        let Tls { config: for_proxy, no_platform_roots } = tls(&roots, identity.as_deref())?;
        let mut for_upstream = for_proxy.clone();
        for_upstream.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let proxy = proxy.map(|proxy| proxy_at(&proxy, for_proxy)).transpose()?;
        let (gate, proxied) = match &proxy {
            None => (Gate::Policy(Arc::new(egress)), None),
            Some(proxy) => (Gate::Proxy, Some(Proxied { policy: egress, authorization: proxy.authorization.clone() })),
        };
        let settings = Settings {
            connect_timeout: timeouts.connect,
            max_header_bytes: limits.max_header_bytes,
            no_platform_roots,
            proxied: proxied.is_some(),
        };
        let resolver = resolver.unwrap_or_else(|| SharedResolver::system(timeouts.connect));
        let connector = Connector::new(resolver, gate, Arc::new(for_upstream), proxy, timeouts.connect);
        let http = client_builder(limits.max_header_bytes, SILENCE).build(connector);
        Ok(Self { http, proxied, settings })
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// Begins to send one request.
    pub(crate) fn send(&self, request: HttpRequest, target: &Target) -> Result<ResponseFuture, Fault> {
        let mut request = to_client(request)?;
        if let Some(Proxied { policy, authorization }) = &self.proxied {
            let address = match target.host() {
                Host::Ipv4(address) => Some(IpAddr::V4(*address)),
                Host::Ipv6(address) => Some(IpAddr::V6(*address)),
                // The proxy's to look up.
                Host::Domain(_) => None,
            };
            if let Some(address) = address {
                let verdict = policy.check(None, address, target.port());
                verdict.map_err(|refusal| Fault::denied(target, refusal))?;
            }
            // Through a tunnel the upstream would see it.
            if let (Some(authorization), "http") = (authorization, target.scheme()) {
                request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
            }
        }
        Ok(self.http.request(request))
    }

    /// Sends it and reads the head of its answer.
    pub(crate) async fn head(&self, sent: ResponseFuture, target: &Target) -> Result<Response<Incoming>, Fault> {
        let response = sent.await.map_err(|error| Fault::of_request(&error, target, self.settings))?;
        Used::note(&response);
        let bytes: usize = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if bytes > self.settings.max_header_bytes {
            return Err(Fault::headers_too_large(target, self.settings.max_header_bytes));
        }
        Ok(response)
    }
}

fn client_builder(max_header_bytes: usize, silence: Silence) -> legacy::Builder {
    // Past the client's own bound an answer is only a broken stream; below it, it can be named.
    let most = max_header_bytes.saturating_mul(4);
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MAX_IDLE)
        .http1_max_buf_size(most.max(HEAD_BUFFER))
        // What a user agent is to read (RFC 9112 section 5.2), and what others read too (section 5.1).
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http2_max_header_list_size(u32::try_from(most).unwrap_or(u32::MAX))
        .http2_keep_alive_interval(silence.asked_after)
        .http2_keep_alive_timeout(silence.given_up_after);
    builder
}

fn to_client(request: HttpRequest) -> Result<Request<Full<Bytes>>, Fault> {
    let HttpRequest { method, url, headers, body } = request;
    let length = url.as_str().len();
    // A fragment is not sent.
    let uri = Uri::from_maybe_shared(Bytes::from(String::from(url))).map_err(|error| {
        Fault::last(if length > MAX_URL_BYTES {
            let message = format!("the URL has {length} bytes, {MAX_URL_BYTES} are sent at most");
            Error::new(ErrorKind::LimitExceeded, message)
        } else {
            invalid(&format!("the URL cannot be sent: {error}"))
        })
    })?;
    let is_empty = body.is_empty();
    let mut sent = Request::new(Full::new(body));
    *sent.method_mut() = method;
    *sent.uri_mut() = uri;
    *sent.headers_mut() = headers;
    let method_has_body = matches!(sent.method().as_str(), "POST" | "PUT" | "PATCH");
    let headers = sent.headers_mut();
    if !headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    }
    if !headers.contains_key(ACCEPT_ENCODING) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(body::ACCEPTED));
    }
    if is_empty && method_has_body {
        // RFC 9110 section 8.6; some servers answer 411 without it.
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(sent)
}

fn proxy_at(url: &str, tls: rustls::ClientConfig) -> Result<Proxy, Error> {
    // The text may hold credentials, so it is not repeated.
    let bad = || invalid("proxy: must be an http or https URL with a host, such as http://proxy.internal:3128");
    let mut url: Url = url.parse().map_err(|_| bad())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(bad());
    }
    let authorization = basic(&url);
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| bad())?;
    Ok(Proxy { url: url.as_str().parse().map_err(|_| bad())?, authorization, tls: Arc::new(tls) })
}

/// Basic authentication (RFC 7617) by the credentials that stand in the URL, if any do.
fn basic(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |part: &str| percent_decode_str(part).collect::<Vec<u8>>();
    let credentials = [&decoded(url.username()), &b":"[..], &decoded(url.password().unwrap_or_default())].concat();
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(credentials))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

pub(crate) fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidConfig, message)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use hyper_util::client::legacy::connect::HttpConnector;
    use tokio::{io::AsyncReadExt as _, net::TcpListener, time::timeout};

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn a_silent_connection_is_given_up_before_an_attempt_has_used_up_its_time() {
        let Silence { asked_after, given_up_after } = SILENCE;
        assert_eq!([asked_after, given_up_after].map(|time| time.as_secs()), [15, 10]);
        assert!(asked_after + given_up_after < Timeouts::default().attempt);
    }

    #[tokio::test]
    async fn an_http_2_connection_whose_peer_is_stuck_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&accepted);
        // Takes what is sent, and answers neither request nor ping.
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await });
            }
        });
        let silence = Silence { asked_after: Duration::from_millis(50), given_up_after: Duration::from_millis(50) };
        let client: legacy::Client<HttpConnector, Full<Bytes>> =
            client_builder(65_536, silence).http2_only(true).build(HttpConnector::new());
        for connections in 1..=2 {
            let answer = timeout(SOON, client.get(url.clone())).await.expect("the request ends");
            assert!(answer.is_err_and(|error| !error.is_connect()));
            assert_eq!(accepted.load(Ordering::SeqCst), connections, "the next request has a new connection");
        }
        serving.abort();
    }
}
