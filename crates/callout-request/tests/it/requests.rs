//! Tables of (base URL, path, method, params) to (URL, body, headers).

use std::time::Duration;

use callout_core::{
    config::{BodyFormat, Method, RequestTransform},
    json::{Json, Object},
};
use callout_hostile::within;
use http::header;

use crate::{body, compile, compile_with, endpoint, exchange, object};

/// Path, format, wrap key, injected fields, params, body.
type Body = (&'static str, BodyFormat, Option<&'static str>, Pairs, &'static str, &'static str);
type Pairs = &'static [(&'static str, &'static str)];

const API: &str = "https://api.example.com";
const V1: &str = "https://api.example.com/v1/";

#[test]
fn urls() {
    use Method::{Delete, Get, Patch, Post, Put};
    let table: &[(&str, Method, &str, &str, &str)] = &[
        // Joining: exactly one slash, whoever has one.
        (API, Get, "/a", "{}", "https://api.example.com/a"),
        (API, Get, "a", "{}", "https://api.example.com/a"),
        (V1, Get, "/a", "{}", "https://api.example.com/v1/a"),
        (V1, Get, "a/b", "{}", "https://api.example.com/v1/a/b"),
        ("https://api.example.com/v1", Get, "a", "{}", "https://api.example.com/v1/a"),
        ("https://api.example.com/v1//", Get, "/a", "{}", "https://api.example.com/v1/a"),
        ("https://API.example.com:443/V", Get, "/A", "{}", "https://api.example.com/V/A"),
        ("http://127.0.0.1:8080", Get, "/a", "{}", "http://127.0.0.1:8080/a"),
        ("http://[::1]:8080/x/", Get, "/a", "{}", "http://[::1]:8080/x/a"),
        // An empty path is the base as it is; `/` is one with a slash at its end.
        (API, Get, "", "{}", "https://api.example.com/"),
        ("https://api.example.com/v1", Get, "", "{}", "https://api.example.com/v1"),
        (V1, Get, "", "{}", "https://api.example.com/v1/"),
        ("https://api.example.com/v1", Get, "/", "{}", "https://api.example.com/v1/"),
        (API, Get, "/", "{}", "https://api.example.com/"),
        (API, Get, "/a/", "{}", "https://api.example.com/a/"),
        ("https://api.example.com/v1", Get, "?a=1", "{}", "https://api.example.com/v1?a=1"),
        ("https://api.example.com/v1", Get, "{?a}", r#"{"a":1}"#, "https://api.example.com/v1?a=1"),
        // Whole URLs where there is no base.
        ("", Get, "https://a.example/x/{id}", r#"{"id":7}"#, "https://a.example/x/7"),
        ("", Get, "HTTPS://a.example:8443", "{}", "https://a.example:8443/"),
        ("", Get, "http://a.example?q={q}", r#"{"q":"é"}"#, "http://a.example/?q=%C3%A9"),
        ("", Get, "https://a.example{?q}", r#"{"q":"x"}"#, "https://a.example/?q=x"),
        ("", Get, "https://a.example/{x}", r#"{"x":"//evil.example"}"#, "https://a.example/%2F%2Fevil.example"),
        // Segments.
        (API, Get, "/users/{id}", r#"{"id":"x"}"#, "https://api.example.com/users/x"),
        (API, Get, "{id}", r#"{"id":"x"}"#, "https://api.example.com/x"),
        (API, Get, "/u/{id}", r#"{"id":"a/b?c#d%2e\\;e"}"#, "https://api.example.com/u/a%2Fb%3Fc%23d%252e%5C%3Be"),
        (API, Get, "/u/{id}", r#"{"id":"é 漢😀"}"#, "https://api.example.com/u/%C3%A9%20%E6%BC%A2%F0%9F%98%80"),
        (API, Get, "/u/{id}", r#"{"id":"a@b:c+d&e=f"}"#, "https://api.example.com/u/a%40b%3Ac%2Bd%26e%3Df"),
        (API, Get, "/u/{id}", r#"{"id":"-._~"}"#, "https://api.example.com/u/-._~"),
        (API, Get, "/u/{id}", r#"{"id":"..."}"#, "https://api.example.com/u/..."),
        (API, Get, "/u/{id}", r#"{"id":"{x}"}"#, "https://api.example.com/u/%7Bx%7D"),
        (API, Get, "/u/{id}", r#"{"id":12345678901234567890123}"#, "https://api.example.com/u/12345678901234567890123"),
        (API, Get, "/u/{id}", r#"{"id":1.10}"#, "https://api.example.com/u/1.10"),
        (API, Get, "/u/{id}", r#"{"id":false}"#, "https://api.example.com/u/false"),
        (API, Get, "/v{major}/x", r#"{"major":2}"#, "https://api.example.com/v2/x"),
        (API, Get, "/files/{name}.json", r#"{"name":".."}"#, "https://api.example.com/files/...json"),
        (API, Get, "/{a}-{b}/{a}", r#"{"a":"x","b":"y"}"#, "https://api.example.com/x-y/x"),
        (API, Get, "/v1/{name}:cancel", r#"{"name":"n"}"#, "https://api.example.com/v1/n:cancel"),
        (API, Get, "/a%20b/%7Bx%7D", "{}", "https://api.example.com/a%20b/%7Bx%7D"),
        (API, Get, "/straße", "{}", "https://api.example.com/stra%C3%9Fe"),
        (API, Get, "/u/{user.id}", r#"{"user.id":"x"}"#, "https://api.example.com/u/x"),
        // The literal query.
        (API, Get, "/x?v=2", "{}", "https://api.example.com/x?v=2"),
        (API, Get, "/x?v=2", r#"{"a":"b"}"#, "https://api.example.com/x?v=2&a=b"),
        (API, Get, "/x?flag", r#"{"a":"b"}"#, "https://api.example.com/x?flag&a=b"),
        (API, Get, "/x?", r#"{"a":"b"}"#, "https://api.example.com/x?a=b"),
        (API, Get, "/x?a={p}&b={q}", r#"{"q":"&c=d#","p":"1 2"}"#, "https://api.example.com/x?a=1%202&b=%26c%3Dd%23"),
        (API, Get, "/x?q=repo:{o}/{r}+is:open", r#"{"o":"a","r":"b"}"#, "https://api.example.com/x?q=repo:a/b+is:open"),
        (API, Get, "/x?q={q}", r#"{"q":""}"#, "https://api.example.com/x?q="),
        (API, Get, "/x?q={q}", r#"{"q":".."}"#, "https://api.example.com/x?q=.."),
        (API, Get, "/x?q={q}", r#"{"q":"a\u0000\nb"}"#, "https://api.example.com/x?q=a%00%0Ab"),
        (API, Get, "/x?a=1&a=2", "{}", "https://api.example.com/x?a=1&a=2"),
        (API, Get, "/x?url=https://b.example/?y", "{}", "https://api.example.com/x?url=https://b.example/?y"),
        // `{?a,b}`.
        (API, Get, "/x{?a,b}", "{}", "https://api.example.com/x"),
        (API, Get, "/x{?a,b}", r#"{"b":"1","c":"2","a":"3"}"#, "https://api.example.com/x?a=3&b=1&c=2"),
        (API, Get, "/x{?a}", r#"{"a":[1,"2",null]}"#, "https://api.example.com/x?a=1&a=2"),
        (API, Get, "/x{?a}", r#"{"a":null}"#, "https://api.example.com/x"),
        (API, Get, "/x?v=1{?a}", r#"{"a":"&"}"#, "https://api.example.com/x?v=1&a=%26"),
        (
            API,
            Get,
            "/x{?$top,page[size]}",
            r#"{"$top":1,"page[size]":2}"#,
            "https://api.example.com/x?%24top=1&page%5Bsize%5D=2",
        ),
        (API, Post, "/x{?dry_run}", r#"{"dry_run":true,"a":1}"#, "https://api.example.com/x?dry_run=true"),
        (API, Put, "/x/{id}?v=1{?a,b}", r#"{"id":1,"b":2,"c":3}"#, "https://api.example.com/x/1?v=1&b=2"),
        (API, Patch, "/x?id={id}", r#"{"id":1,"c":3}"#, "https://api.example.com/x?id=1"),
        // What remains, in the query.
        (
            API,
            Get,
            "/x",
            r#"{"a":"b c","d":1.50,"e":true,"f":null}"#,
            "https://api.example.com/x?a=b%20c&d=1.50&e=true",
        ),
        (
            API,
            Get,
            "/x",
            r#"{"a":["x",2,null,["y"],{"k":1}]}"#,
            "https://api.example.com/x?a=x&a=2&a=%5B%22y%22%5D&a=%7B%22k%22%3A1%7D",
        ),
        (
            API,
            Get,
            "/x",
            r#"{"o":{"b":1.0,"a":null}}"#,
            "https://api.example.com/x?o=%7B%22b%22%3A1.0%2C%22a%22%3Anull%7D",
        ),
        (API, Get, "/x", r#"{"a":[]}"#, "https://api.example.com/x"),
        (API, Get, "/x", r#"{"":"v","a&b=c#":"d"}"#, "https://api.example.com/x?=v&a%26b%3Dc%23=d"),
        (API, Delete, "/x/{id}", r#"{"id":"1","force":true}"#, "https://api.example.com/x/1?force=true"),
        (API, Delete, "/x/{id}", r#"{"id":"1"}"#, "https://api.example.com/x/1"),
        (API, Post, "/x", r#"{"a":1}"#, "https://api.example.com/x"),
    ];
    for (base_url, method, path, params, expected) in table {
        let request = compile(base_url, &endpoint(*method, path));
        let params = object(params);
        request.validate(&params).unwrap_or_else(|error| panic!("{path} {params:?}: {error}"));
        let made = request.build(&params).unwrap_or_else(|error| panic!("{path} {params:?}: {error}"));
        assert_eq!(made.url.as_str(), *expected, "{base_url} {path} {params:?}");
        assert_eq!(made.method.as_str(), method.as_str());
        assert_eq!((request.method(), request.path_template()), (*method, *path));
        if !method.has_body() {
            assert!(made.body.is_empty());
        }
    }
}

#[test]
fn bodies() {
    use BodyFormat::{Form, Json};
    let table: &[Body] = &[
        ("/x", Json, None, &[], "{}", "{}"),
        (
            "/x",
            Json,
            None,
            &[],
            r#"{"z":1.10,"a":12345678901234567890123}"#,
            r#"{"z":1.10,"a":12345678901234567890123}"#,
        ),
        ("/x", Json, None, &[], r#"{"a":null,"b":[null,{"c":"é\n"}]}"#, r#"{"a":null,"b":[null,{"c":"é\n"}]}"#),
        ("/x/{id}", Json, None, &[], r#"{"id":1,"b":2}"#, r#"{"b":2}"#),
        ("/x/{id}", Json, None, &[], r#"{"id":1}"#, "{}"),
        ("/x?i={id}{?q}", Json, None, &[], r#"{"q":3,"id":1,"b":2}"#, r#"{"b":2}"#),
        ("/x?v=1", Json, None, &[], r#"{"v":2}"#, r#"{"v":2}"#),
        ("/x", Json, Some("data"), &[], r#"{"a":1}"#, r#"{"data":{"a":1}}"#),
        ("/x", Json, Some("data"), &[], "{}", r#"{"data":{}}"#),
        ("/x", Json, Some("data"), &[], r#"{"data":1}"#, r#"{"data":{"data":1}}"#),
        ("/x", Json, Some(""), &[("", "v")], r#"{"a":1}"#, r#"{"a":1,"":"v"}"#),
        ("/x", Json, None, &[("k", "v")], r#"{"a":1}"#, r#"{"a":1,"k":"v"}"#),
        ("/x", Json, None, &[("k", "v")], r#"{"k":{"x":1},"a":1}"#, r#"{"k":"v","a":1}"#),
        ("/x", Json, None, &[("k", "\"}")], "{}", r#"{"k":"\"}"}"#),
        ("/x", Json, Some("data"), &[("k", "v"), ("l", "w")], r#"{"k":1}"#, r#"{"data":{"k":1},"k":"v","l":"w"}"#),
        ("/x", Form, None, &[], "{}", ""),
        ("/x", Form, None, &[], r#"{"a":"b c&d=é","n":1.10,"t":true,"z":null}"#, "a=b+c%26d%3D%C3%A9&n=1.10&t=true"),
        (
            "/x",
            Form,
            None,
            &[],
            r#"{"a":[1,null,"x",[2]],"o":{"k":"v"}}"#,
            "a=1&a=x&a=%5B2%5D&o=%7B%22k%22%3A%22v%22%7D",
        ),
        ("/x/{id}", Form, None, &[], r#"{"id":1,"a&b":"c"}"#, "a%26b=c"),
        ("/x", Form, Some("payload"), &[], r#"{"a":1.0}"#, "payload=%7B%22a%22%3A1.0%7D"),
        ("/x", Form, Some("payload"), &[], "{}", "payload=%7B%7D"),
        ("/x", Form, None, &[("k", "v w")], r#"{"k":[1,2],"a":1}"#, "k=v+w&a=1"),
        ("/x", Form, Some("p"), &[("k", "v")], r#"{"k":1}"#, "p=%7B%22k%22%3A1%7D&k=v"),
    ];
    for (path, format, wrap, inject, params, expected) in table {
        for method in [Method::Post, Method::Put, Method::Patch] {
            let mut endpoint = endpoint(method, path);
            endpoint.body_format = *format;
            endpoint.request_transform = Some(RequestTransform {
                inject: inject.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
                wrap_params_key: wrap.map(str::to_owned),
            });
            let made = compile("https://api.example.com", &endpoint).build(&object(params)).unwrap();
            assert_eq!(body(&made), *expected, "{path} {format:?} {wrap:?} {inject:?} {params}");
            let content_type = match format {
                Json => "application/json",
                Form => "application/x-www-form-urlencoded",
            };
            assert_eq!(made.headers[header::CONTENT_TYPE], content_type);
        }
    }
}

#[test]
fn headers() {
    const VERSION: &str = concat!("callout/", env!("CARGO_PKG_VERSION"));
    let table: &[(Method, Pairs, Pairs)] = &[
        (Method::Get, &[], &[("accept", "application/json"), ("user-agent", VERSION)]),
        (
            Method::Post,
            &[],
            &[("accept", "application/json"), ("user-agent", VERSION), ("content-type", "application/json")],
        ),
        (
            Method::Post,
            &[("ACCEPT", "text/plain"), ("user-Agent", "mine"), ("Content-type", "application/vnd.api+json")],
            &[("accept", "text/plain"), ("user-agent", "mine"), ("content-type", "application/vnd.api+json")],
        ),
        (
            Method::Delete,
            &[("X-Key", "a\tb é"), ("X-Empty", "")],
            &[("accept", "application/json"), ("user-agent", VERSION), ("x-key", "a\tb é"), ("x-empty", "")],
        ),
    ];
    for (method, configured, expected) in table {
        let mut endpoint = endpoint(*method, "/x");
        endpoint.headers = configured.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let made = compile("https://api.example.com", &endpoint).build(&object("{}")).unwrap();
        assert_eq!(made.headers.len(), expected.len(), "{:?}", made.headers);
        for (name, value) in *expected {
            assert_eq!(made.headers[*name].as_bytes(), value.as_bytes(), "{name}");
        }
        for (name, _) in *configured {
            assert!(made.headers[*name].is_sensitive(), "{name}");
        }
    }
}

#[test]
fn what_the_auth_consumes_goes_nowhere_but_into_the_path() {
    let params = object(r#"{"tenant":"t","a":1}"#);
    let made = |method, path, consume| {
        let auth = exchange(&[("tenant", consume, true)]);
        compile_with(API, &endpoint(method, path), Some(&auth)).unwrap().build(&params).unwrap()
    };
    assert_eq!(made(Method::Get, "/x", true).url.as_str(), "https://api.example.com/x?a=1");
    assert_eq!(made(Method::Get, "/x", false).url.as_str(), "https://api.example.com/x?tenant=t&a=1");
    let post = made(Method::Post, "/{tenant}/x", true);
    assert_eq!((post.url.path(), body(&post)), ("/t/x", r#"{"a":1}"#));
}

#[test]
fn the_same_params_make_the_same_bytes() {
    let params: String = (0..200).map(|n| format!("\"k{}\":{n},", n * 7919 % 200)).collect();
    let params = object(&format!("{{{}}}", params.trim_end_matches(',')));
    let request = compile("https://api.example.com", &endpoint(Method::Post, "/x"));
    let first = request.build(&params).unwrap();
    for _ in 0..20 {
        let again = compile("https://api.example.com", &endpoint(Method::Post, "/x")).build(&params).unwrap();
        assert_eq!((&again.url, &again.body, &again.headers), (&first.url, &first.body, &first.headers));
    }
}

/// Compared with each other they would take 136 million steps, twice.
#[test]
fn many_params_are_looked_up_among_many_names_of_a_path() {
    let names: Vec<String> = (0..1_360).map(|at| format!("a{at:04}")).collect();
    let request = compile(API, &endpoint(Method::Post, &format!("/x{{?{}}}", names.join(","))));
    let others = (0..100_000).map(|at| (format!("{at:05}"), Json::from(at)));
    let params: Object = others.chain([("a0000".to_owned(), Json::from(7))]).collect();
    let longest = Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 300 });
    let made = within(longest, "many params", || request.build(&params)).unwrap();
    assert_eq!(made.url.as_str(), "https://api.example.com/x?a0000=7");
    assert!(body(&made).starts_with(r#"{"00000":0,"#) && body(&made).ends_with(r#","99999":99999}"#));
}

/// Each of them looked for by itself, twice, would visit the parts of the schema eight million times.
#[test]
fn the_names_of_a_path_do_not_each_go_through_a_schema() {
    let names: Vec<String> = (0..2_000).map(|at| format!("{at:03x}")).collect();
    let mut endpoint = endpoint(Method::Post, &format!("/x{{?{}}}", names.join(",")));
    let parts = vec![r#"{"properties":{"a":true}}"#; 1_990];
    endpoint.input_schema = object(&format!(r#"{{"allOf":[{}]}}"#, parts.join(",")));
    let longest = Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 150 });
    let request = within(longest, "many names", || compile(API, &endpoint));
    assert!(request.tool_schema().to_string().contains(r#""7cf":{"type":"string""#));
}

#[test]
fn debug_shows_no_values() {
    let mut endpoint = endpoint(Method::Post, "/x/{id}");
    endpoint.headers = vec![("X-Key".to_owned(), "canary".to_owned())];
    endpoint.request_transform =
        Some(RequestTransform { inject: vec![("token".to_owned(), "canary".to_owned())], wrap_params_key: None });
    let request = compile("https://api.example.com", &endpoint);
    assert_eq!(format!("{request:?}"), r#"Request { method: Post, path: "/x/{id}", .. }"#);
    let made = request.build(&object(r#"{"id":"canary"}"#)).unwrap();
    assert!(!format!("{made:?}").contains("canary"));
}
