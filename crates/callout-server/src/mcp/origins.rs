//! What a browser asks of a server before a web page of another origin may use it (CORS, the Fetch
//! standard). The protocol's own check refuses the requests of origins that may not; this lets those of the
//! others come about.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Uri};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// How long a browser may remember what it was told.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Answers the browsers of those origins' pages.
pub(crate) fn cors(allowed: &[String]) -> CorsLayer {
    let allowed = allowed.to_vec();
    let shown = ["mcp-session-id", "x-request-id", "retry-after", "www-authenticate"];
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| is_among(origin, &allowed)))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(shown.map(HeaderName::from_static))
        .max_age(MAX_AGE)
}

/// Reads origins as the protocol's check does: `scheme://host:port`, where `*` is any port and a port that
/// is not given is the scheme's own in a request, and any in a setting.
fn is_among(origin: &HeaderValue, allowed: &[String]) -> bool {
    let Some((scheme, host, port)) = origin.to_str().ok().and_then(parts) else { return false };
    let port = port.or(match &*scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    });
    let fits = |allowed: &String| {
        let base = allowed.trim().strip_suffix(":*").unwrap_or(allowed.trim());
        parts(base).is_some_and(|(its_scheme, its_host, its_port)| {
            its_scheme == scheme && its_host == host && (its_port.is_none() || its_port == port)
        })
    };
    allowed.iter().any(fits)
}

fn parts(origin: &str) -> Option<(String, String, Option<u16>)> {
    let uri = Uri::try_from(origin).ok()?;
    let (scheme, host) = (uri.scheme_str()?, uri.host()?);
    Some((scheme.to_ascii_lowercase(), host.to_ascii_lowercase(), uri.port_u16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_its_scheme_host_and_port() {
        let allowed = ["https://app.example:443", "http://localhost:*", "https://any.example"].map(str::to_owned);
        for (origin, is_allowed) in [
            ("https://app.example", true),
            ("https://APP.example:443", true),
            ("https://app.example:8443", false),
            ("http://app.example", false),
            ("http://localhost:3000", true),
            ("http://localhost", true),
            ("https://localhost", false),
            ("https://any.example:9", true),
            ("https://app.example.evil.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(is_among(&HeaderValue::from_static(origin), &allowed), is_allowed, "{origin}");
        }
        assert!(!is_among(&HeaderValue::from_static("https://app.example"), &[]));
    }
}
