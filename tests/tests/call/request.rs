//! Behaviour, sections 2 and 4: what goes over the wire.

use callout::{ErrorKind, Json};
use callout_tests::{Recorded, Upstream};

use super::{friendly, go, with_endpoint};

async fn sent(upstream: &Upstream, endpoint: &str, params: &str) -> Recorded {
    let integration = with_endpoint(upstream, endpoint);
    go(&integration, params).await.unwrap();
    upstream.requests().pop().unwrap()
}

#[tokio::test]
async fn what_the_path_leaves_goes_into_query_or_body() {
    let upstream = friendly().await;
    for method in ["GET", "DELETE"] {
        let endpoint = format!(r#"{{"method":"{method}","path":"/a/{{id}}"}}"#);
        let sent = sent(&upstream, &endpoint, r#"{"id":7,"b":[1,2],"c":null,"d":{"x":1.0}}"#).await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), (method, "/v1/a/7?b=1&b=2&d=%7B%22x%22%3A1.0%7D"));
        assert_eq!((sent.text().as_str(), sent.header("content-type")), ("", None));
    }
    for method in ["POST", "PUT", "PATCH"] {
        let endpoint = format!(r#"{{"method":"{method}","path":"/a/{{id}}{{?q}}"}}"#);
        let sent = sent(&upstream, &endpoint, r#"{"z":1.10,"id":7,"q":"x y","b":[1,null]}"#).await;
        assert_eq!((sent.method.as_str(), sent.target.as_str()), (method, "/v1/a/7?q=x%20y"));
        assert_eq!(sent.text(), r#"{"z":1.10,"b":[1,null]}"#);
        assert_eq!(sent.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn wrap_then_inject() {
    let upstream = friendly().await;
    let transform = r#""request_transform":{"wrap_params_key":"data","inject":{"kind":"order","b":"2"}}"#;
    let json = sent(&upstream, &format!(r#"{{"path":"/",{transform}}}"#), r#"{"kind":"mine","n":1}"#).await;
    assert_eq!(json.text(), r#"{"data":{"kind":"mine","n":1},"kind":"order","b":"2"}"#);
    let inject = r#""request_transform":{"inject":{"kind":"order"}}"#;
    let json = sent(&upstream, &format!(r#"{{"path":"/",{inject}}}"#), r#"{"kind":"mine","n":1}"#).await;
    assert_eq!(Json::parse(&json.text()).unwrap().get("kind"), Some(&Json::from("order")));
    let form = sent(&upstream, &format!(r#"{{"path":"/","body_format":"form",{transform}}}"#), r#"{"n":1}"#).await;
    assert_eq!(form.text(), "data=%7B%22n%22%3A1%7D&kind=order&b=2");
    assert_eq!(form.header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn empty_bodies() {
    let upstream = friendly().await;
    assert_eq!(sent(&upstream, r#"{"path":"/"}"#, "{}").await.text(), "{}");
    assert_eq!(sent(&upstream, r#"{"path":"/","body_format":"form"}"#, "{}").await.text(), "");
}

#[tokio::test]
async fn default_headers_give_way_to_configured_ones() {
    let upstream = friendly().await;
    let plain = sent(&upstream, r#"{"path":"/"}"#, "{}").await;
    assert_eq!(plain.header("accept"), Some("application/json"));
    assert!(plain.header("user-agent").unwrap().starts_with("callout/"), "{plain:?}");
    let headers =
        r#"{"path":"/","headers":{"accept":"text/plain","User-Agent":"mine","Content-Type":"application/vnd.x+json"}}"#;
    let own = sent(&upstream, headers, "{}").await;
    assert_eq!(
        (own.header("accept"), own.header("user-agent"), own.header("content-type")),
        (Some("text/plain"), Some("mine"), Some("application/vnd.x+json"))
    );
}

#[tokio::test]
async fn params_cannot_leave_their_path() {
    let upstream = friendly().await;
    let integration = with_endpoint(&upstream, r#"{"method":"GET","path":"/users/{id}/posts"}"#);
    for bad in ["", ".", "..", "%2e%2e", ".%2E", "%252e%252e", "a\r\nb", "\0"] {
        let params: Json = [("id", Json::from(bad))].into_iter().collect();
        let error = go(&integration, &params.to_string()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParams, "{bad:?}");
    }
    assert_eq!(upstream.count(), 0);
    for (odd, target) in [
        ("../admin", "/v1/users/..%2Fadmin/posts"),
        ("a?b#c%d\\e;f", "/v1/users/a%3Fb%23c%25d%5Ce%3Bf/posts"),
        ("é", "/v1/users/%C3%A9/posts"),
    ] {
        let params: Json = [("id", Json::from(odd))].into_iter().collect();
        go(&integration, &params.to_string()).await.unwrap();
        assert_eq!(upstream.requests().pop().unwrap().target, target);
    }
}

#[tokio::test]
async fn base_and_path_are_joined_with_one_slash() {
    let upstream = friendly().await;
    for (base, path, target) in [
        ("", "/a", "/a"),
        ("/", "a", "/a"),
        ("/v1", "a/b", "/v1/a/b"),
        ("/v1/", "/a", "/v1/a"),
        ("/v1", "", "/v1"),
        ("/v1", "/", "/v1/"),
    ] {
        let text = format!(
            r#"{{"name":"shop","display_name":"Shop","base_url":"URL{base}",
                "endpoints":[{{"name":"go","description":"Goes","path":"{path}"}}]}}"#
        );
        go(&super::load(&upstream, &text).unwrap(), "{}").await.unwrap();
        assert_eq!(upstream.requests().pop().unwrap().target, target, "{base} and {path}");
    }
}

#[tokio::test]
async fn without_a_base_every_path_is_a_whole_url() {
    let upstream = friendly().await;
    let text = |path: &str| {
        format!(
            r#"{{"name":"shop","display_name":"Shop","endpoints":[{{"name":"go","description":"Goes","path":"{path}"}}]}}"#
        )
    };
    let integration = super::load(&upstream, &text("URL/a/{id}?x={x}")).unwrap();
    go(&integration, r#"{"id":1,"x":"y"}"#).await.unwrap();
    assert_eq!(upstream.requests().pop().unwrap().target, "/a/1?x=y");
    for bad in ["/a", "https://{host}/a", "https://a.example:{port}/", "{scheme}://a.example/"] {
        let error = super::load(&upstream, &text(bad)).unwrap_err();
        assert_eq!(error.faults()[0].place.to_string(), "endpoints[0].path", "{bad}: {error}");
    }
}

#[tokio::test]
async fn path_params_are_one_segment_or_one_query_value() {
    let upstream = friendly().await;
    let endpoint = r#"{"method":"GET","path":"/files/{name}.json?dir={dir}&v=1"}"#;
    let sent = sent(&upstream, endpoint, r#"{"name":"a/b c","dir":"x/y&z=1","rest":true}"#).await;
    assert_eq!(sent.target, "/v1/files/a%2Fb%20c.json?dir=x%2Fy%26z%3D1&v=1&rest=true");
}

#[tokio::test]
async fn optional_query_params() {
    let upstream = friendly().await;
    for (method, params, target, body) in [
        ("POST", r#"{"a":[1,2],"c":3}"#, "/v1/x?a=1&a=2", r#"{"c":3}"#),
        ("POST", "{}", "/v1/x", "{}"),
        ("GET", r#"{"b":"é","a":null}"#, "/v1/x?b=%C3%A9", ""),
    ] {
        let sent = sent(&upstream, &format!(r#"{{"method":"{method}","path":"/x{{?a,b}}"}}"#), params).await;
        assert_eq!((sent.target.as_str(), sent.text().as_str()), (target, body));
    }
}
