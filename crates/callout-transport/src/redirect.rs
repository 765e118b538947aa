//! Redirects (RFC 9110 section 15.4): followed within the origin, and only where that neither
//! repeats a side effect nor turns a write into a read.
//!
//! | status | GET, HEAD | PUT, DELETE | POST | PATCH |
//! |---|---|---|---|---|
//! | 301 | same | same | refused | refused |
//! | 302 | same | same | GET | refused |
//! | 303 | GET (HEAD stays) | GET | GET | GET |
//! | 307, 308 | same | same | same | same |
//!
//! "Same" keeps method and body. The section allows GET for a POST that is answered 301 or 302. After
//! 302 that is the usual answer to a form; after 301 it would read where the call was to write, and
//! the config should name the new place anyhow. Other statuses, and these without a `Location`, are
//! answers like any other.

use bytes::Bytes;
use callout_core::{
    Error, ErrorKind,
    http::{HttpRequest, Redirects},
};
use http::{
    HeaderMap, Method,
    header::{CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, LOCATION},
};
use url::Url;

/// How many one attempt follows.
const MAX_REDIRECTS: u32 = 5;

/// Whether an answer asks for something to be sent next.
pub(crate) fn is_one(status: u16, headers: &HeaderMap) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308) && headers.contains_key(LOCATION)
}

/// What an answer asks to be sent next; `None` if it is no redirect.
///
/// # Errors
///
/// `redirect_refused`, if it may not be followed.
pub(crate) fn next(
    request: &HttpRequest,
    status: u16,
    headers: &HeaderMap,
    rule: Redirects,
    followed: u32,
) -> Result<Option<HttpRequest>, Error> {
    let Some(location) = headers.get(LOCATION).filter(|_| is_one(status, headers)) else { return Ok(None) };
    // Some servers write names as they are, which the URL then encodes.
    let location = str::from_utf8(location.as_bytes()).ok();
    let url = location.and_then(|location| request.url.join(location).ok());
    let mut url =
        url.ok_or_else(|| refused(format!("the upstream answered {status} with a `Location` that is no URL")))?;
    if url.origin() != request.url.origin() {
        return Err(refused(format!(
            "the upstream redirects to another origin, {}, where nothing was sent; if the API has moved there, name \
             that origin in the config",
            shown_origin(&url)
        )));
    }
    match rule {
        Redirects::Refuse => {
            return Err(refused(format!(
                "the upstream answered {status}, which leads to {}, and this request follows no redirect; if it is to \
                 go there, name that path in the config",
                shown_path(&url)
            )));
        }
        Redirects::SameOrigin if followed >= MAX_REDIRECTS => {
            return Err(refused(format!("the upstream redirected more than {MAX_REDIRECTS} times")));
        }
        Redirects::SameOrigin => {}
    }
    // Credentials come from the config, not from an answer.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let method = method_after(status, &request.method).ok_or_else(|| {
        refused(format!(
            "the upstream answered {} with {status}, which does not say whether to send it again; name the path that \
             it leads to, {}, in the config",
            request.method,
            shown_path(&url)
        ))
    })?;
    let mut next = HttpRequest { url, ..request.clone() };
    if method != next.method {
        next.method = method;
        next.body = Bytes::new();
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION] {
            next.headers.remove(name);
        }
    }
    Ok(Some(next))
}

/// `None` if it may not be followed.
fn method_after(status: u16, method: &Method) -> Option<Method> {
    match (status, method.as_str()) {
        (_, "GET" | "HEAD") | (307 | 308, _) | (301 | 302, "PUT" | "DELETE") => Some(method.clone()),
        (303, _) | (302, "POST") => Some(Method::GET),
        _ => None,
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::RedirectRefused, message)
}

/// The origin, bounded: it is the upstream's text.
fn shown_origin(url: &Url) -> String {
    let origin = url.origin();
    if origin.is_tuple() {
        origin.ascii_serialization().chars().take(300).collect()
    } else {
        format!("a {} URL", url.scheme().chars().take(30).collect::<String>())
    }
}

/// The path without its query, which may hold a key. A long one is not shown: of a secret in it that a cut goes through
/// the rest would not be masked.
fn shown_path(url: &Url) -> &str {
    let path = url.path();
    if path.len() > 300 { "a path that is too long to be shown" } else { path }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn request(method: &str) -> HttpRequest {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", "k".parse().unwrap());
        headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
        HttpRequest {
            method: method.parse().unwrap(),
            url: "https://api.example.com/v1/items?page=2".parse().unwrap(),
            headers,
            body: Bytes::from_static(b"{}"),
        }
    }

    fn follow(method: &str, status: u16, location: impl AsRef<[u8]>) -> Result<Option<HttpRequest>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_bytes(location.as_ref()).unwrap());
        next(&request(method), status, &headers, Redirects::SameOrigin, 0)
    }

    #[test]
    fn methods() {
        let mut table = String::new();
        for status in [300, 301, 302, 303, 304, 305, 306, 307, 308] {
            table.push_str(&status.to_string());
            for method in ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"] {
                let cell = match follow(method, status, "/v2") {
                    Ok(None) => "answer".to_owned(),
                    Ok(Some(next)) => format!("{}{}", next.method, if next.body.is_empty() { "" } else { "+body" }),
                    Err(error) => error.kind().to_string(),
                };
                table.push(' ');
                table.push_str(&cell);
            }
            table.push('\n');
        }
        insta::assert_snapshot!(table, @"
        300 answer answer answer answer answer answer
        301 GET+body HEAD+body PUT+body DELETE+body redirect_refused redirect_refused
        302 GET+body HEAD+body PUT+body DELETE+body GET redirect_refused
        303 GET+body HEAD+body GET GET GET GET
        304 answer answer answer answer answer answer
        305 answer answer answer answer answer answer
        306 answer answer answer answer answer answer
        307 GET+body HEAD+body PUT+body DELETE+body POST+body PATCH+body
        308 GET+body HEAD+body PUT+body DELETE+body POST+body PATCH+body
        ");
    }

    #[test]
    fn headers_stay_and_what_describes_a_lost_body_goes() {
        let same = follow("POST", 307, "../v2/").unwrap().unwrap();
        assert_eq!(same.url.as_str(), "https://api.example.com/v2/");
        assert!(same.headers.contains_key("x-api-key") && same.headers.contains_key(CONTENT_TYPE));
        let get = follow("POST", 303, "?page=3").unwrap().unwrap();
        assert_eq!(get.url.as_str(), "https://api.example.com/v1/items?page=3");
        assert!(get.headers.contains_key("x-api-key") && !get.headers.contains_key(CONTENT_TYPE));
    }

    #[test]
    fn another_origin_is_named_and_refused() {
        for (location, named) in [
            ("http://api.example.com/v2", "http://api.example.com,"),
            ("https://api.example.com:8443/v2", "https://api.example.com:8443,"),
            ("//evil.example/v2?token=secret", "https://evil.example,"),
            ("https://api.example.com.evil.example/", "https://api.example.com.evil.example,"),
            ("https://api.example.com@evil.example/", "https://evil.example,"),
            ("\\\\evil.example/x", "https://evil.example,"),
            ("javascript:alert(1)", "a javascript URL,"),
            ("file:///etc/passwd", "a file URL,"),
            ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1],"),
            ("https://b\u{fc}cher.example/", "https://xn--bcher-kva.example,"),
            ("https://[", "no URL"),
        ] {
            let error = follow("GET", 302, location).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RedirectRefused);
            assert!(error.message().contains(named) && !error.message().contains("secret"), "{location}: {error}");
        }
    }

    #[test]
    fn what_is_refused_within_the_origin_names_the_path_and_no_more() {
        let location = format!("/token/?key=secret#{}", "x".repeat(400));
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, location.parse().unwrap());
        for rule in [Redirects::Refuse, Redirects::SameOrigin] {
            let error = next(&request("POST"), 301, &headers, rule, 0).unwrap_err();
            let message = error.message();
            assert!(
                message.contains("leads to") && message.contains(" /token/, ") && message.ends_with("in the config"),
                "{message}"
            );
            assert!(!message.contains("secret"), "{message}");
        }
        let error = follow("POST", 301, format!("/{}", "x".repeat(2_000))).unwrap_err();
        assert!(error.message().len() < 500, "{error}");
        // Nor is a part of what may hold a secret.
        let error = follow("POST", 301, format!("/{}secret", "x".repeat(295))).unwrap_err();
        assert!(error.message().contains("a path that is too long"), "{error}");
        assert!(!error.message().contains("xxsec"), "{error}");
    }

    #[test]
    fn a_location_may_be_written_in_utf_8_and_in_no_other_way() {
        let next = follow("GET", 302, "/v2/\u{e9}?q=\u{fc}").unwrap().unwrap();
        assert_eq!(next.url.as_str(), "https://api.example.com/v2/%C3%A9?q=%C3%BC");
        let error = follow("GET", 302, b"/v2/\xe9").unwrap_err();
        assert!(error.message().contains("no URL"), "{error}");
    }

    #[test]
    fn credentials_in_a_location_are_dropped_and_the_count_is_bounded() {
        let next_request = follow("GET", 302, "https://user:pass@api.example.com:443/v2").unwrap().unwrap();
        assert_eq!(next_request.url.as_str(), "https://api.example.com/v2");
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, "/v2".parse().unwrap());
        for (rule, followed, ok) in
            [(Redirects::SameOrigin, 4, true), (Redirects::SameOrigin, 5, false), (Redirects::Refuse, 0, false)]
        {
            assert_eq!(next(&request("GET"), 302, &headers, rule, followed).is_ok(), ok, "{rule:?} {followed}");
        }
        assert!(next(&request("GET"), 302, &HeaderMap::new(), Redirects::Refuse, 0).unwrap().is_none());
    }
}
