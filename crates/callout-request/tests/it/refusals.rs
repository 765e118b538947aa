//! What is refused: paths when an integration is loaded, params when it is called.

use callout_core::{ErrorKind, config::Method, limits::Limits};
use callout_request::Request;

use crate::{compile, compile_with, endpoint, exchange, faults_of, object, violations, violations_of};

const API: &str = "https://api.example.com/v1";

#[test]
fn paths_that_are_config_faults() {
    let path = "endpoints[0].path: ";
    let table: &[(&str, &str, &str)] = &[
        (API, "https://b.example/x", "is a whole URL, but the integration has a `base_url`"),
        (API, "HTTP://b.example/x", "is a whole URL, but the integration has a `base_url`"),
        ("", "/x", "must be a whole URL (https://…), for the integration has no `base_url`"),
        ("", "", "must be a whole URL"),
        ("", "ftp://a.example/x", "must be a whole URL"),
        ("", "https:/a.example/x", "must be a whole URL"),
        ("", "https://{host}/x", "may have placeholders only after the host"),
        ("", "https://a.example:{port}/x", "may have placeholders only after the host"),
        ("", "https://{user}@a.example/x", "may have placeholders only after the host"),
        ("", "https://a.{zone?}.example/x", "may have placeholders only after the host"),
        ("", "{url}", "must be a whole URL"),
        ("", "https://user:pass@a.example/x", "must not hold a user or password"),
        ("", "https:///x", "must be an absolute http or https URL"),
        ("", "https://a.example\\@b.example/x", "must not hold white space, control characters or backslashes"),
        (API, "/x/{id", "has, at byte 3, a `{` that nothing closes"),
        (API, "/x/id}", "has, at byte 5, a `}` that closes nothing"),
        (API, "/x/{}", "has, at byte 3, an empty placeholder"),
        (API, "/x/{{id}}", "has, at byte 3, doubled braces: write `{id}`"),
        (API, "/x/{ id }", "a name \" id \""),
        (API, "/x/{a b}", "a name \"a b\""),
        (API, "/x/{é}", "a name \"é\""),
        (API, "/x/{+id}", "`{+id}`: only `{name}`, and `{?a,b}` at the end, are supported"),
        (API, "/x/{#id}", "only `{name}`, and `{?a,b}` at the end"),
        (API, "/x{/id}", "only `{name}`, and `{?a,b}` at the end"),
        (API, "/x{;id}", "only `{name}`, and `{?a,b}` at the end"),
        (API, "/x?a=1{&b}", "write `{?b}`, which goes on with `&`"),
        (API, "/x/{a,b}", "write one placeholder for each param"),
        (API, "/x/{id*}", "names take no modifiers"),
        (API, "/x/{id:3}", "names take no modifiers"),
        (API, "/x{?a*}", "a name \"a*\" in `{?…}`"),
        (API, "/x{?}", "a name \"\" in `{?…}`"),
        (API, "/x{?a,,b}", "a name \"\" in `{?…}`"),
        (API, "/x{?a}/y", "has `{?a}` before its end"),
        (API, "/x{?a}{?b}", "has `{?a}` before its end"),
        (API, "/x{?a}&b=1", "has `{?a}` before its end"),
        (API, "/x{?a,a}", "names \"a\" twice"),
        (API, "/x?a=1{?a}", "sets the query key \"a\" itself"),
        (API, "/x?{key}=1", "has a placeholder in a query key"),
        (API, "/x?{q}", "has a placeholder in a query key"),
        (API, "/x?a{q}=1", "has a placeholder in a query key"),
        (API, "/a//b", "has an empty segment"),
        (API, "//b.example/x", "has an empty segment"),
        (API, "/{a}//{b}", "has an empty segment"),
        (API, "/a/./b", "has the segment \".\""),
        (API, "/../b", "has the segment \"..\""),
        (API, "/%2e%2E/b", "has the segment \"%2e%2E\""),
        (API, "/.%252e", "has the segment \".%252e\""),
        (API, "/a\\b", "has, at byte 2, a backslash"),
        (API, "/a#b", "has, at byte 2, a `#`"),
        (API, "/a?b=1#c", "has, at byte 6, a `#`"),
        (API, "/a b", "has, at byte 2, white space"),
        (API, "/a\u{a0}b", "has, at byte 2, white space"),
        (API, "/a\n", "has, at byte 2, white space"),
        (API, "/a\0", "has, at byte 2, white space or a control character"),
        (API, "/a%", "has, at byte 2, a `%` without two hex digits"),
        (API, "/a%2{x}", "has, at byte 2, a `%` without two hex digits"),
        (API, "/a%zz", "has, at byte 2, a `%` without two hex digits"),
    ];
    for (base_url, written, expected) in table {
        let faults = faults_of(base_url, &endpoint(Method::Get, written));
        assert!(
            faults.iter().any(|fault| fault.starts_with(path) && fault.contains(expected)),
            "{base_url} {written:?}: {faults:?}"
        );
    }
    assert_eq!(faults_of(API, &endpoint(Method::Get, &format!("/{}", "a".repeat(8191)))), [""; 0]);
    let faults = faults_of(API, &endpoint(Method::Get, &format!("/{}", "a".repeat(8192))));
    assert_eq!(faults, [format!("{path}must have at most 8192 bytes, not 8193")]);
}

#[test]
fn every_fault_of_a_path_is_told_at_once() {
    let faults = faults_of(API, &endpoint(Method::Get, "/a b/{+x}/y%{?z}/"));
    assert_eq!(faults.len(), 4, "{faults:?}");
}

#[test]
fn a_base_url_takes_no_placeholders_and_its_own_faults_are_the_configs() {
    for base_url in ["https://a.example/{tenant}", "https://{tenant}.example"] {
        assert_eq!(
            faults_of(base_url, &endpoint(Method::Get, "/x")),
            ["base_url: must not hold placeholders, put them into the endpoints' paths"]
        );
    }
    let mut faults = callout_core::fault::Faults::new();
    for bad in ["https://a.example/?q", "ftp://x", "nonsense", "https://u@a.example"] {
        let made = Request::compile(bad, &endpoint(Method::Get, "/x"), None, &Limits::default(), &mut faults);
        assert!(made.is_none() && faults.is_empty(), "{bad}: {faults:?}");
    }
    let mut bad_header = endpoint(Method::Get, "/x");
    bad_header.headers = vec![("a b".to_owned(), "x\r\ny".to_owned())];
    assert!(Request::compile(API, &bad_header, None, &Limits::default(), &mut faults).is_none() && faults.is_empty());
}

#[test]
fn params_that_a_path_cannot_take() {
    let climbs = ": must not make the path segment `.` or `..`, which would climb";
    let table: &[(&str, &str, &str, &str)] = &[
        ("/u/{id}", "{}", "id", ": is required"),
        ("/u/{id}", r#"{"id":null}"#, "id", "must be a string, number or boolean, not null"),
        ("/u/{id}", r#"{"id":[1]}"#, "id", "must be a string, number or boolean, not array"),
        ("/u/{id}", r#"{"id":{}}"#, "id", "must be a string, number or boolean, not object"),
        ("/u/{id}", r#"{"id":""}"#, "id", "must not be empty"),
        ("/v{id}/x", r#"{"id":""}"#, "id", "must not be empty"),
        ("/u/{id}", r#"{"id":"."}"#, "id", climbs),
        ("/u/{id}", r#"{"id":".."}"#, "id", climbs),
        ("/u/{id}/x", r#"{"id":".."}"#, "id", climbs),
        ("/u/{id}", r#"{"id":"%2e%2e"}"#, "id", climbs),
        ("/u/{id}", r#"{"id":"%2E%2e"}"#, "id", climbs),
        ("/u/{id}", r#"{"id":".%2e"}"#, "id", climbs),
        ("/u/{id}", r#"{"id":"%2e."}"#, "id", climbs),
        ("/u/{id}", r#"{"id":"%2e"}"#, "id", climbs),
        ("/u/{id}", r#"{"id":"%252e%252e"}"#, "id", climbs),
        ("/u/{id}", r#"{"id":"%25%32%65."}"#, "id", climbs),
        ("/u/.{id}", r#"{"id":"."}"#, "id", climbs),
        ("/u/%2e{id}", r#"{"id":"."}"#, "id", climbs),
        ("/u/{id}{other}", r#"{"id":".","other":"."}"#, "id", climbs),
        ("/u/{id}", r#"{"id":"a\u0000"}"#, "id", "must not hold control characters"),
        ("/u/{id}", r#"{"id":"a\r\nb"}"#, "id", "must not hold control characters"),
        ("/u/{id}", r#"{"id":"\u007f"}"#, "id", "must not hold control characters"),
        ("/u/{id}", r#"{"id":"\u0085"}"#, "id", "must not hold control characters"),
        ("/u?x={id}", "{}", "id", ": is required"),
        ("/u?x={id}", r#"{"id":["a"]}"#, "id", "must be a string, number or boolean, not array"),
        ("/u?v=2", r#"{"v":"3"}"#, "v", "is set by the endpoint's path and cannot be passed"),
        ("/u?%76=2", r#"{"v":"3"}"#, "v", "is set by the endpoint's path and cannot be passed"),
        ("/u?v", r#"{"v":null}"#, "v", "is set by the endpoint's path and cannot be passed"),
        ("/u?a+b=1", r#"{"a b":"3"}"#, "[\"a b\"]", "is set by the endpoint's path and cannot be passed"),
    ];
    for (path, params, place, expected) in table {
        let request = compile(API, &endpoint(Method::Get, path));
        let params = object(params);
        for refused in [request.validate(&params), request.build(&params).map(drop)] {
            let error = refused.expect_err(path);
            assert_eq!(error.kind(), ErrorKind::InvalidParams, "{path} {params:?}");
            let [fault] = error.faults() else { panic!("{path} {params:?}: {error}") };
            assert_eq!(fault.place.to_string(), *place);
            assert!(error.to_string().contains(expected), "{path} {params:?}: {error}");
        }
    }
}

#[test]
fn a_body_method_leaves_params_of_the_paths_query_keys_to_the_body() {
    let request = compile(API, &endpoint(Method::Post, "/u?v=2"));
    assert!(request.validate(&object(r#"{"v":3}"#)).is_ok());
    let made = request.build(&object(r#"{"v":3}"#)).unwrap();
    assert_eq!((made.url.query(), &made.body[..]), (Some("v=2"), br#"{"v":3}"#.as_slice()));
}

#[test]
fn a_schema_cannot_offer_what_the_path_sets() {
    let mut get = endpoint(Method::Get, "/u?v=2");
    get.input_schema = object(r#"{"properties":{"v":{}}}"#);
    let faults = faults_of(API, &get);
    assert!(faults[0].starts_with("endpoints[0].path: sets the query key \"v\""), "{faults:?}");
    let auth = exchange(&[("v", true, true)]);
    assert!(compile_with(API, &get, Some(&auth)).is_ok(), "a consumed param never reaches the query");
    get.method = Method::Post;
    assert!(compile_with(API, &get, None).is_ok());
    get.method = Method::Get;
    get.path = "/u?v={v}".to_owned();
    assert!(compile_with(API, &get, None).is_ok());
}

#[test]
fn sizes_and_depths_at_their_limits() {
    let mut limits = Limits::default();
    limits.max_params_bytes = 20;
    limits.max_json_depth = 3;
    let mut faults = callout_core::fault::Faults::new();
    let request = Request::compile(API, &endpoint(Method::Post, "/x"), None, &limits, &mut faults).unwrap();
    assert!(request.validate(&object(r#"{"a":"12345678901"}"#)).is_ok());
    assert!(request.validate(&object(r#"{"a":"123456789012"}"#)).is_ok());
    let error = request.validate(&object(r#"{"a":"1234567890123"}"#)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains("`max_params_bytes`"), "{error}");
    assert!(request.validate(&object(r#"{"a":[[1]]}"#)).is_ok());
    let error = request.validate(&object(r#"{"a":[[[]]]}"#)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains("`max_json_depth`"), "{error}");
    for (params, is_within) in
        [(r#"{"a":[[1]]}"#, true), (r#"{"a":[[[]]]}"#, false), (r#"{"a":"1234567890123"}"#, false)]
    {
        assert_eq!(request.is_within_bounds(&object(params)), is_within, "{params}");
    }
}

#[test]
fn urls_that_are_too_long_to_send() {
    let request = compile("https://a.example", &endpoint(Method::Get, "/x"));
    let fits = 65_534 - "https://a.example/x?q=".len();
    let params = |length: usize| object(&format!("{{\"q\":\"{}\"}}", "a".repeat(length)));
    assert!(request.build(&params(fits)).is_ok());
    let error = request.build(&params(fits + 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains("65535 bytes"), "{error}");
}

#[test]
fn odd_params_are_bounded_errors_or_go_through() {
    let request = compile(API, &endpoint(Method::Get, "/x/{id}"));
    let huge = format!("{{\"id\":\"{}\"}}", "%25".repeat(300_000));
    assert_eq!(request.validate(&object(&huge)).unwrap_err_kind(), None);
    assert_eq!(request.build(&object(&huge)).map(drop).unwrap_err_kind(), Some(ErrorKind::LimitExceeded));
    let ten_mb = format!("{{\"id\":\"{}\"}}", "a".repeat(10 << 20));
    assert_eq!(request.validate(&object(&ten_mb)).unwrap_err_kind(), Some(ErrorKind::LimitExceeded));
    let keys: String = (0..100_000).map(|n| format!("\"k{n}\":1,")).collect();
    let keys = format!("{{{keys}\"id\":1}}");
    let error = request.build(&object(&keys)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    let post = compile(API, &endpoint(Method::Post, "/x"));
    assert!(post.build(&object(&keys)).is_ok());
    assert_eq!(violations(&post, r#"{"a":"\u0000"}"#), [""; 0]);
}

trait UnwrapErrKind {
    fn unwrap_err_kind(&self) -> Option<ErrorKind>;
}

impl UnwrapErrKind for Result<(), callout_core::Error> {
    fn unwrap_err_kind(&self) -> Option<ErrorKind> {
        self.as_ref().err().map(callout_core::Error::kind)
    }
}

#[test]
fn what_is_missing_is_told_once() {
    let mut get = endpoint(Method::Get, "/u/{id}");
    get.input_schema = object(r#"{"properties":{"id":{"type":"string"}},"required":["id","b"]}"#);
    let request = compile(API, &get);
    assert_eq!(violations_of(request.validate(&object("{}"))), ["id: is required", "b: is required"]);
}
