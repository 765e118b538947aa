//! What the texts in a config may be: names, headers, URLs, lengths.

use url::Url;

use crate::fault::{FaultCode, Faults};

/// Headers that belong to one connection (RFC 9110 section 7.6.1, RFC 9112) or that the client sets
/// itself; a config may not.
const REFUSED_HEADERS: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Reports a text whose length in characters is outside the range.
pub fn length(text: &str, min: usize, max: usize, faults: &mut Faults) {
    let found = text.chars().count();
    if found < min {
        faults.report(FaultCode::TooShort, format!("must have at least {min} characters, not {found}"));
    } else if found > max {
        faults.report(FaultCode::TooLong, format!("must have at most {max} characters, not {found}"));
    }
}

/// Reports a list that is longer than allowed.
pub fn at_most(found: usize, max: usize, what: &str, faults: &mut Faults) {
    if found > max {
        faults.report(FaultCode::TooLong, format!("must have at most {max} {what}, not {found}"));
    }
}

/// Integration names: `^[a-z0-9][a-z0-9_-]*[a-z0-9]$`, 2 to 128 characters.
pub fn integration_name(name: &str, faults: &mut Faults) {
    length(name, 2, 128, faults);
    let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !name.is_empty() && !is_name(name, edge) {
        faults.report(
            FaultCode::Pattern,
            "must be lower-case letters, digits, `_` and `-`, beginning and ending with a letter or digit",
        );
    }
}

/// Endpoint names: `^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$`, 1 to 128 characters.
pub fn endpoint_name(name: &str, faults: &mut Faults) {
    length(name, 1, 128, faults);
    if !name.is_empty() && !is_name(name, |byte| byte.is_ascii_alphanumeric()) {
        faults.report(
            FaultCode::Pattern,
            "must be letters, digits, `_` and `-`, beginning and ending with a letter or digit",
        );
    }
}

fn is_name(name: &str, edge: impl Fn(u8) -> bool) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|byte| edge(*byte))
        && bytes.last().is_some_and(|byte| edge(*byte))
        && bytes.iter().all(|byte| edge(*byte) || b"_-".contains(byte))
}

/// Names of headers that a config sets: a token (RFC 9110 section 5.1), and none of those that
/// belong to the connection.
pub fn header_name(name: &str, faults: &mut Faults) {
    length(name, 1, 256, faults);
    if !name.is_empty() && !name.bytes().all(is_token_byte) {
        faults.report(FaultCode::Pattern, "must be a header name: letters, digits and !#$%&'*+-.^_`|~");
    } else if REFUSED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        faults.report(FaultCode::Value, format!("{name} is set by the connection and cannot be configured"));
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Values of headers: without control characters (a tab is allowed, RFC 9110 section 5.5).
pub fn header_value(value: &str, faults: &mut Faults) {
    if !is_header_value(value) {
        faults.report(FaultCode::Pattern, "must not hold control characters");
    }
}

/// Whether a text can be sent as a header value.
pub fn is_header_value(value: &str) -> bool {
    !value.bytes().any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f)
}

/// What a URL may have besides scheme, host, port and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlQuery {
    /// A query is allowed: token URLs.
    Allowed,
    /// A query is a fault: base URLs, to which paths are joined.
    Refused,
}

/// Base URLs: at most 2048 characters, without a query ([`http_url`]).
pub fn base_url(url: &str, faults: &mut Faults) {
    length(url, 0, 2048, faults);
    http_url(url, UrlQuery::Refused, faults);
}

/// An absolute http or https URL without userinfo and fragment. How long it may be depends on the field.
pub fn http_url(text: &str, query: UrlQuery, faults: &mut Faults) -> Option<Url> {
    let before = faults.len();
    if text.chars().any(|found| found.is_control() || found.is_whitespace() || found == '\\') {
        faults.report(FaultCode::Url, "must not hold white space, control characters or backslashes");
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => {
            faults.report(FaultCode::Url, format!("must be an absolute http or https URL: {error}"));
            return None;
        }
    };
    let written_with_authority = text.split_once(':').is_some_and(|(_, rest)| rest.starts_with("//"));
    if !matches!(url.scheme(), "http" | "https") || !written_with_authority {
        faults.report(FaultCode::Url, "must begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        faults.report(FaultCode::Url, "must not hold a user or password, use `auth`");
    }
    if url.fragment().is_some() {
        faults.report(FaultCode::Url, "must not have a fragment (`#…`)");
    }
    if query == UrlQuery::Refused && url.query().is_some() {
        faults.report(FaultCode::Url, "must not have a query (`?…`), put it into the endpoint's path");
    }
    // Placeholders are refused where they are known for what they are, with a way out.
    if faults.len() == before
        && !text.contains(['{', '}'])
        && let Err(error) = url.as_str().parse::<http::Uri>()
    {
        // A host with a quote in it is one by the rules of browsers (WHATWG), not by those of HTTP.
        faults.report(FaultCode::Url, format!("cannot be sent over HTTP: {error}"));
    }
    (faults.len() == before).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(rule: impl FnOnce(&mut Faults)) -> bool {
        let mut faults = Faults::new();
        rule(&mut faults);
        faults.is_empty()
    }

    #[test]
    fn names() {
        for (name, integration, endpoint) in [
            ("github", true, true),
            ("g", false, true),
            ("a_b-c9", true, true),
            ("GitHub", false, true),
            ("-a", false, false),
            ("a-", false, false),
            ("a b", false, false),
            ("é1", false, false),
            ("", false, false),
        ] {
            assert_eq!(accepts(|faults| integration_name(name, faults)), integration, "{name:?}");
            assert_eq!(accepts(|faults| endpoint_name(name, faults)), endpoint, "{name:?}");
        }
        assert!(!accepts(|faults| endpoint_name(&"a".repeat(129), faults)));
    }

    #[test]
    fn headers_of_the_connection_are_refused() {
        for (name, good) in
            [("X-Api-Key", true), ("hOsT", false), ("TE", false), ("a b", false), ("", false), ("é", false)]
        {
            assert_eq!(accepts(|faults| header_name(name, faults)), good, "{name:?}");
        }
        for name in [
            "Connection",
            "Content-Length",
            "Expect",
            "Host",
            "Keep-Alive",
            "Proxy-Authenticate",
            "Proxy-Authorization",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
        ] {
            for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
                assert!(!accepts(|faults| header_name(&name, faults)), "{name:?} is the connection's");
                assert!(accepts(|faults| header_name(&format!("X-{name}"), faults)), "X-{name}");
            }
        }
        for (value, good) in [("a b\té", true), ("a\r\nb", false), ("\0", false), ("\u{7f}", false), ("", true)] {
            assert_eq!(accepts(|faults| header_value(value, faults)), good, "{value:?}");
        }
    }

    #[test]
    fn urls() {
        for (url, base, token) in [
            ("https://api.example.com", true, true),
            ("http://127.0.0.1:8080/v1/", true, true),
            ("https://[::1]/x", true, true),
            ("https://a.example/x?y=1", false, true),
            ("https://a.example/#f", false, false),
            ("https://user@a.example/", false, false),
            ("https://a`b.example/", false, false),
            ("https://a\"b.example/", false, false),
            ("https://a.example/{b}|`^", true, true),
            ("https://a.example/a b", false, false),
            ("ftp://a.example/", false, false),
            ("https:a.example", false, false),
            ("/relative", false, false),
            ("https://", false, false),
            ("", false, false),
        ] {
            assert_eq!(accepts(|faults| drop(http_url(url, UrlQuery::Refused, faults))), base, "{url:?}");
            assert_eq!(accepts(|faults| drop(http_url(url, UrlQuery::Allowed, faults))), token, "{url:?}");
        }
    }
}
