//! The headers that every request of an endpoint has.

use callout_core::{config::EndpointConfig, http::OWN_USER_AGENT};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE, USER_AGENT},
};

/// The configured headers, and `Accept`, `User-Agent` and (with a body) `Content-Type` where they are
/// not configured. `None` for headers that the config's own check refuses.
///
/// Configured values are marked sensitive, for keys stand there too. Characters beyond ASCII are sent
/// as their UTF-8 bytes.
pub(crate) fn compile(endpoint: &EndpointConfig, content_type: Option<&'static str>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(endpoint.headers.len() + 4);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(OWN_USER_AGENT));
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in &endpoint.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Some(headers)
}
