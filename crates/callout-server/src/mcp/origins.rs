//! What a browser asks of a server before a web page of another origin may use it (CORS, the Fetch
//! standard). The protocol's own check refuses the requests of origins that may not; this lets those of the
//! others come about.

use std::{fmt, net::Ipv6Addr, str::FromStr, time::Duration};

use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// How long a browser may remember what it was told.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Answers the browsers of those origins' pages.
pub(crate) fn cors(allowed: &[WebOrigin]) -> CorsLayer {
    let allowed = allowed.to_vec();
    let shown = ["mcp-session-id", "x-request-id", "retry-after", "www-authenticate"];
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| allowed.iter().any(|allowed| allowed.is(origin))))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(shown.map(HeaderName::from_static))
        .max_age(MAX_AGE)
}

/// A web origin whose pages may use `/mcp`, read of `https://app.example:443` or `http://localhost:*`. Without a port,
/// as with `*`, it has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin {
    scheme: String,
    host: String,
    /// `None` for every port.
    port: Option<u16>,
}

/// A text that no web page's origin can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebOriginError;

impl fmt::Display for WebOriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "must be a scheme and a host, with a port or `*` for any, and nothing else, such as \
             `https://app.example:443` or `http://localhost:*`",
        )
    }
}

impl std::error::Error for WebOriginError {}

impl FromStr for WebOrigin {
    type Err = WebOriginError;

    fn from_str(text: &str) -> Result<Self, WebOriginError> {
        let (scheme, host, port) = parts(text).ok_or(WebOriginError)?;
        let port = port.filter(|port| *port != "*").map(|port| number(port).ok_or(WebOriginError)).transpose()?;
        Ok(Self { scheme, host, port })
    }
}

/// As the protocol's own check reads it.
impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        match port {
            Some(port) => write!(f, "{scheme}://{host}:{port}"),
            None => write!(f, "{scheme}://{host}:*"),
        }
    }
}

impl WebOrigin {
    /// Whether it is the one that a request names, in which a port that is not given is the scheme's own.
    fn is(&self, origin: &HeaderValue) -> bool {
        let Some((scheme, host, port)) = origin.to_str().ok().and_then(parts) else { return false };
        let port = match (port, scheme.as_str()) {
            (Some(port), _) => number(port),
            (None, "http") => Some(80),
            (None, "https") => Some(443),
            (None, _) => None,
        };
        self.scheme == scheme && self.host == host && (self.port.is_none() || self.port == port)
    }
}

/// The scheme, the host, and the port as it is written.
fn parts(origin: &str) -> Option<(String, String, Option<&str>)> {
    let (scheme, rest) = origin.split_once("://")?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let (host, port) = match rest.rsplit_once(':') {
        // A colon within the brackets of an address stands before no port.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let host = match host.strip_prefix('[') {
        Some(address) => format!("[{}]", address.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?),
        None => host.to_ascii_lowercase(),
    };
    let is_host = host.starts_with('[')
        || (!host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)));
    (is_scheme && is_host).then(|| (scheme.to_ascii_lowercase(), host, port))
}

fn number(port: &str) -> Option<u16> {
    port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_its_scheme_host_and_port() {
        let allowed = ["https://app.example:443", "http://localhost:*", "https://any.example", "http://[::1]:80"];
        let allowed = allowed.map(|origin| origin.parse::<WebOrigin>().unwrap());
        for (origin, is_allowed) in [
            ("https://app.example", true),
            ("https://APP.example:443", true),
            ("https://app.example:8443", false),
            ("http://app.example", false),
            ("http://localhost:3000", true),
            ("http://localhost", true),
            ("https://localhost", false),
            ("https://any.example:9", true),
            ("http://[::1]", true),
            ("http://[::1]:8080", false),
            ("https://app.example.evil.example", false),
            ("null", false),
            ("", false),
        ] {
            let origin = HeaderValue::from_static(origin);
            assert_eq!(allowed.iter().any(|allowed| allowed.is(&origin)), is_allowed, "{origin:?}");
        }
    }

    #[test]
    fn what_no_page_can_come_from_is_no_origin() {
        for (text, read) in [
            ("https://App.Example:443", Some("https://app.example:443")),
            ("http://localhost:*", Some("http://localhost:*")),
            ("https://any.example", Some("https://any.example:*")),
            ("http://[0:0::1]:8080", Some("http://[::1]:8080")),
            ("http://[::1]", Some("http://[::1]:*")),
            ("chrome-extension://abcdef", Some("chrome-extension://abcdef:*")),
            ("app.example", None),
            ("app.example:443", None),
            ("*", None),
            ("", None),
            ("null", None),
            ("https://", None),
            ("https://:443", None),
            ("://app.example", None),
            ("https://*.app.example", None),
            ("https://bücher.example", None),
            ("https://app.example/", None),
            ("https://app.example/mcp", None),
            ("https://me@app.example", None),
            ("https://app.example:", None),
            ("https://app.example:+80", None),
            ("https://app.example:70000", None),
            ("https://app.example:**", None),
            ("http://[::1", None),
            (" https://app.example", None),
        ] {
            assert_eq!(text.parse::<WebOrigin>().ok().map(|origin| origin.to_string()).as_deref(), read, "{text}");
        }
    }
}
