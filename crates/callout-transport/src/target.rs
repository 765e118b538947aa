//! Where a request goes, as errors, budgets and counters name it.

use std::fmt;

use callout_core::{Error, ErrorKind};
use url::{Host, Url};

/// An upstream: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    https: bool,
    host: Host<String>,
    port: u16,
}

impl Target {
    pub(crate) fn of(url: &Url) -> Result<Self, Error> {
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            other => {
                return Err(Error::new(
                    ErrorKind::EgressDenied,
                    format!("{other} URLs are not called, only http and https"),
                ));
            }
        };
        let parts = url.host().map(|host| host.to_owned()).zip(url.port_or_known_default());
        let (host, port) = parts.ok_or_else(|| Error::new(ErrorKind::EgressDenied, "the URL has no host"))?;
        Ok(Self { https, host, port })
    }

    pub(crate) fn host(&self) -> &Host<String> {
        &self.host
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// Host and, where it is not the scheme's own, port: `api.example.com`, `127.0.0.1:8080`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = if self.https { 443 } else { 80 };
        if self.port == own { self.host.fmt(f) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_the_url_names_and_no_more() {
        for (url, shown) in [
            ("https://api.example.com/v1?token=secret#x", "api.example.com"),
            ("http://u:p@API.example.com:443/", "api.example.com:443"),
            ("http://127.1:8080/", "127.0.0.1:8080"),
            ("https://[::1]/", "[::1]"),
        ] {
            assert_eq!(Target::of(&url.parse().unwrap()).unwrap().to_string(), shown);
        }
        for url in ["ftp://host/", "file:///etc/passwd", "data:,x"] {
            assert_eq!(Target::of(&url.parse().unwrap()).unwrap_err().kind(), ErrorKind::EgressDenied);
        }
    }
}
