//! Dry runs, idempotency keys and lenient params.

use callout::{CallOptions, ErrorKind, Integration, Json};
use callout_tests::{Reply, SeededRng, Upstream};

use super::{builder, json, load};

fn shop(upstream: &Upstream, auth: &str, endpoint: &str) -> Integration {
    let endpoint = endpoint.trim_start().strip_prefix('{').unwrap();
    load(
        upstream,
        &format!(
            r#"{{"name":"shop","display_name":"Shop","base_url":"URL/v1",{auth}
                "endpoints":[{{"name":"go","description":"Goes",{endpoint}]}}"#
        ),
    )
}

#[tokio::test]
async fn a_rendered_request_is_the_one_that_is_sent_and_nothing_is() {
    let upstream = Upstream::start().await;
    let client = r#""auth":{"type":"oauth2_client_credentials","token_url":"URL/token","client_id":"me",
        "client_secret_value":{"value":"canary-secret"}},"#;
    let key = r#""auth":{"type":"api_key_header","header_name":"X-Key","api_key_value":{"value":"canary-secret"}},"#;
    let endpoint = r#"{"path":"/a/{id}?key=canary-secret","headers":{"X-Also":"canary-secret","X-Plain":"shown"},
        "input_schema":{"properties":{"n":{"type":"integer"}}}}"#;
    upstream.reply("/v1/a/x%20y", Reply::json(200, "{}"));
    upstream.reply("/token", Reply::json(200, r#"{"access_token":"canary-secret-token"}"#));
    let engine = builder().build().unwrap();
    for (auth, header) in
        [(client, ("authorization", "Bearer ***")), (key, ("x-key", "***")), ("", ("x-plain", "shown"))]
    {
        let integration = shop(&upstream, auth, endpoint);
        let params = json(r#"{"id":"x y","n":1,"s":"it's"}"#);
        let before = upstream.count();
        let rendered = engine.render(&integration, "go", params.clone()).unwrap();
        assert_eq!(upstream.count(), before, "nothing is sent");
        let trace = engine.trace(&integration, "go", params).await;
        let (name, value) = rendered.headers.last().unwrap();
        assert_eq!((name.as_str(), value.as_str()), header);
        if !auth.is_empty() {
            assert_eq!(rendered.url, upstream.at("/v1/a/x%20y?key=***"));
            assert_eq!(Some(&rendered), trace.request.as_ref());
            let curl = rendered.to_curl();
            assert!(!curl.contains("canary") && curl.contains(r#"--data-raw '{"n":1,"s":"it'\''s"}'"#), "{curl}");
        }
    }
    let integration = shop(&upstream, client, endpoint);
    let error = engine.render(&integration, "go", json(r#"{"id":"x","n":"1"}"#)).unwrap_err();
    assert_eq!((error.kind(), error.endpoint()), (ErrorKind::InvalidParams, Some("go")));
}

#[tokio::test]
async fn one_idempotency_key_for_all_attempts_of_a_call() {
    let upstream = Upstream::start().await;
    upstream.reply("/token", Reply::json(200, r#"{"access_token":"a-token-1"}"#));
    for reply in [Reply::status(503), Reply::status(401), Reply::status(429), Reply::json(200, "{}")] {
        upstream.reply("/v1/x", reply.header("retry-after", "0"));
    }
    let auth = r#""auth":{"type":"oauth2_client_credentials","token_url":"URL/token","client_id":"me",
        "client_secret_value":{"value":"a-secret"}},"#;
    let integration = shop(&upstream, auth, r#"{"path":"/x"}"#);
    let engine = builder().with_idempotency_keys(true).with_rng(SeededRng::new(1)).build().unwrap();
    engine.call(&integration, "go", Json::empty_object()).await.unwrap();
    engine.call(&integration, "go", Json::empty_object()).await.unwrap();
    let sent = upstream.requests();
    let keys: Vec<_> =
        sent.iter().filter(|sent| sent.path() == "/v1/x").map(|sent| sent.header("idempotency-key").unwrap()).collect();
    assert_eq!(keys.len(), 5);
    assert!(keys[..4].iter().all(|key| *key == keys[0]) && keys[4] != keys[0], "{keys:?}");
    assert_eq!((keys[0].len(), keys[0].matches('-').count()), (36, 4));
    assert!(sent.iter().all(|sent| sent.path() != "/token" || sent.header("idempotency-key").is_none()));
}

#[tokio::test]
async fn a_configured_key_wins_a_read_has_none_and_so_has_every_call_by_default() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/x", Reply::json(200, "{}"));
    let on = builder().with_idempotency_keys(true).build().unwrap();
    let off = builder().build().unwrap();
    let configured = shop(&upstream, "", r#"{"path":"/x","headers":{"Idempotency-Key":"mine"}}"#);
    let read = shop(&upstream, "", r#"{"path":"/x","method":"GET"}"#);
    let write = shop(&upstream, "", r#"{"path":"/x","method":"DELETE"}"#);
    for (engine, integration) in [(&on, &configured), (&on, &read), (&off, &write)] {
        engine.call(integration, "go", Json::empty_object()).await.unwrap();
    }
    let sent = upstream.requests();
    let keys: Vec<_> = sent.iter().map(|sent| sent.header("idempotency-key")).collect();
    assert_eq!(keys, [Some("mine"), None, None]);
}

#[tokio::test]
async fn strings_are_converted_only_where_that_was_asked_for() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/x", Reply::json(200, "{}"));
    let endpoint = r#"{"path":"/x","input_schema":{"properties":{"n":{"type":"integer"},"b":{"type":"boolean"},"s":{"type":"string"}}}}"#;
    let integration = shop(&upstream, "", endpoint);
    let params = || json(r#"{"n":"5","b":"true","s":"7"}"#);
    let strict = builder().build().unwrap();
    let error = strict.call(&integration, "go", params()).await.unwrap_err();
    assert_eq!((error.kind(), error.faults().len(), upstream.count()), (ErrorKind::InvalidParams, 2, 0));

    let options = CallOptions::default().with_lenient_params(true);
    let outcome = strict.call_with(&integration, "go", params(), &options).await.unwrap();
    let converted: Vec<_> =
        outcome.conversions().iter().map(|converted| (converted.place.to_string(), converted.to)).collect();
    assert_eq!(converted, [("n".to_owned(), "integer"), ("b".to_owned(), "boolean")]);
    assert_eq!(upstream.requests()[0].text(), r#"{"n":5,"b":true,"s":"7"}"#);

    let lenient = builder().with_lenient_params(true).build().unwrap();
    assert_eq!(lenient.trace(&integration, "go", params()).await.conversions.len(), 2);
    let options = CallOptions::default().with_lenient_params(false);
    lenient.call_with(&integration, "go", params(), &options).await.unwrap_err();
    let fitting = lenient.call(&integration, "go", json(r#"{"n":5}"#)).await.unwrap();
    assert!(fitting.conversions().is_empty());
}

#[tokio::test]
async fn lenient_params_that_fit_as_they_are_given_are_not_converted() {
    const KINDS: &str = r#"{"path":"/x","input_schema":{"type":"object","required":["kind","value"],"oneOf":[
        {"properties":{"kind":{"const":"text"},"value":{"type":"string"}}},
        {"properties":{"kind":{"const":"number"},"value":{"type":"number"}}}]}}"#;
    const TURNED: &str = r#"{"path":"/x","input_schema":{"type":"object","required":["kind","value"],"properties":{"limit":{"type":"integer"}},"oneOf":[
        {"properties":{"kind":{"const":"number"},"value":{"type":"number"}}},
        {"properties":{"kind":{"const":"text"},"value":{"type":"string"}}}]}}"#;
    const PATTERNS: &str = r#"{"path":"/x","input_schema":{
        "patternProperties":{"^x-":{"type":"string"}},"additionalProperties":{"type":"integer"}}}"#;
    const LIMITED: &str = r#"{"path":"/x","input_schema":{"type":"object","required":["kind","value"],"oneOf":[
        {"properties":{"kind":{"const":"text"},"value":{"type":"string"},"limit":{"type":"integer"}}},
        {"properties":{"kind":{"const":"number"},"value":{"type":"number"},"limit":{"type":"integer"}}}]}}"#;
    const EITHER: &str = r#"{"path":"/x","input_schema":{"properties":{"n":{"type":"integer"}},"anyOf":[
        {"properties":{"code":{"type":"string"}}},{"properties":{"code":{"type":"integer"}}}]}}"#;
    let upstream = Upstream::start().await;
    upstream.reply("/v1/x", Reply::json(200, "{}"));
    let engine = builder().with_lenient_params(true).build().unwrap();
    for (endpoint, params, sent, conversions) in [
        (KINDS, r#"{"kind":"text","value":"5"}"#, r#"{"kind":"text","value":"5"}"#, 0),
        (KINDS, r#"{"kind":"number","value":"5"}"#, r#"{"kind":"number","value":5}"#, 1),
        (TURNED, r#"{"kind":"text","value":"5"}"#, r#"{"kind":"text","value":"5"}"#, 0),
        (TURNED, r#"{"kind":"text","value":"5","limit":"10"}"#, r#"{"kind":"text","value":"5","limit":10}"#, 1),
        (TURNED, r#"{"kind":"number","value":"5"}"#, r#"{"kind":"number","value":5}"#, 1),
        (PATTERNS, r#"{"x-a":"5","n":5}"#, r#"{"x-a":"5","n":5}"#, 0),
        (PATTERNS, r#"{"n":"5"}"#, r#"{"n":5}"#, 1),
        // Nor are those beside others that are converted.
        (PATTERNS, r#"{"x-zip":"12139","n":"5"}"#, r#"{"x-zip":"12139","n":5}"#, 1),
        (EITHER, r#"{"code":"12345678901234567890","n":"1"}"#, r#"{"code":"12345678901234567890","n":1}"#, 1),
        (LIMITED, r#"{"kind":"text","value":"5","limit":"10"}"#, r#"{"kind":"text","value":"5","limit":10}"#, 1),
    ] {
        let integration = shop(&upstream, "", endpoint);
        let rendered = engine.render(&integration, "go", json(params)).unwrap();
        assert_eq!(rendered.body.as_deref(), Some(sent));
        let outcome = engine.call(&integration, "go", json(params)).await.unwrap();
        assert_eq!(outcome.conversions().len(), conversions, "{params}");
        assert_eq!(upstream.requests().last().unwrap().text(), sent);
    }
    // Where nothing can be converted, the params are refused as they were given.
    let error = engine.call(&shop(&upstream, "", PATTERNS), "go", json(r#"{"n":"five"}"#)).await.unwrap_err();
    assert_eq!((error.kind(), error.faults().len()), (ErrorKind::InvalidParams, 1), "{error}");
    // So are those with something else that is wrong: nothing is told of what they became.
    let error = engine.call(&shop(&upstream, "", EITHER), "go", json(r#"{"code":true,"n":"1"}"#)).await.unwrap_err();
    let mut places: Vec<_> = error.faults().iter().map(|fault| fault.place.to_string()).collect();
    places.sort();
    assert_eq!(places, ["", "n"], "{error}");
}

#[tokio::test]
async fn strings_are_converted_where_patterns_positions_and_conditions_ask_for_it() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/x", Reply::json(200, "{}"));
    let engine = builder().with_lenient_params(true).build().unwrap();
    for (schema, params, sent) in [
        (
            r#"{"patternProperties":{"^s_":{"type":"string"},"^x_":{"type":"integer"}}}"#,
            r#"{"x_a":"1","s_a":"1"}"#,
            r#"{"x_a":1,"s_a":"1"}"#,
        ),
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"t":{"items":[{"type":"integer"},{"type":"boolean"}]}}}"#,
            r#"{"t":["1","true"]}"#,
            r#"{"t":[1,true]}"#,
        ),
        (
            r#"{"if":{"required":["a"]},"then":{"properties":{"n":{"type":"integer"}}}}"#,
            r#"{"a":"1","n":"1"}"#,
            r#"{"a":"1","n":1}"#,
        ),
        (
            r#"{"dependentSchemas":{"a":{"properties":{"n":{"type":"integer"}}}}}"#,
            r#"{"a":"1","n":"1"}"#,
            r#"{"a":"1","n":1}"#,
        ),
    ] {
        let integration = shop(&upstream, "", &format!(r#"{{"path":"/x","input_schema":{schema}}}"#));
        let outcome = engine.call(&integration, "go", json(params)).await.unwrap();
        assert!(!outcome.conversions().is_empty(), "{schema}");
        assert_eq!(upstream.requests().last().unwrap().text(), sent, "{schema}");
    }
}

/// Hosts whose numbers are all floats, such as those of a protobuf `Struct`, write integers with a point.
#[tokio::test]
async fn a_whole_number_is_written_as_an_integer_where_one_is_asked_for() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/x/1", Reply::json(200, "{}"));
    let endpoint = r#"{"method":"GET","path":"/x/{id}","input_schema":{"properties":{
        "id":{"type":"integer"},"page":{"type":"integer"},"ratio":{"type":"number"}}}}"#;
    let integration = shop(&upstream, "", endpoint);
    let params = || json(r#"{"id":1.0,"page":2.0,"ratio":3.0}"#);
    let engine = builder().build().unwrap();
    let sent = engine.render(&integration, "go", params()).unwrap();
    assert!(sent.url.ends_with("/v1/x/1.0?page=2.0&ratio=3.0"), "{}", sent.url);
    let options = CallOptions::default().with_lenient_params(true);
    let outcome = engine.call_with(&integration, "go", params(), &options).await.unwrap();
    let converted: Vec<_> =
        outcome.conversions().iter().map(|converted| (converted.place.to_string(), converted.to)).collect();
    assert_eq!(converted, [("id".to_owned(), "integer"), ("page".to_owned(), "integer")]);
    assert_eq!(upstream.requests()[0].target, "/v1/x/1?page=2&ratio=3.0");
}

#[tokio::test]
async fn lenient_params_that_are_too_large_as_they_are_given_are_refused_as_any_are() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/x", Reply::json(200, "{}"));
    let integration = shop(&upstream, "", r#"{"path":"/x","input_schema":{"properties":{"n":{"type":"integer"}}}}"#);
    // Converted it would be small.
    let params = || json(&format!(r#"{{"n":"{}5"}}"#, " ".repeat(2 << 20)));
    let (plain, lenient) = (builder(), builder().with_lenient_params(true));
    let mut messages = Vec::new();
    for builder in [plain, lenient] {
        let error = builder.build().unwrap().call(&integration, "go", params()).await.unwrap_err();
        assert_eq!((error.kind(), upstream.count()), (ErrorKind::LimitExceeded, 0), "{error}");
        messages.push(error.to_string());
    }
    assert!(messages[0] == messages[1] && messages[0].contains("`max_params_bytes`"), "{messages:?}");
}

#[tokio::test]
async fn a_trace_shows_what_was_converted_also_when_the_call_fails() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/x", Reply::json(404, "{}"));
    let endpoint = r#"{"path":"/x","input_schema":{"properties":{"n":{"type":"integer"},"b":{"type":"boolean"}}}}"#;
    let integration = shop(&upstream, "", endpoint);
    let engine = builder().with_lenient_params(true).build().unwrap();
    for (params, kind) in [
        (r#"{"n":"5"}"#, ErrorKind::UpstreamStatus),
        // Refused all the same, for what could not be converted.
        (r#"{"n":"5","b":"perhaps"}"#, ErrorKind::InvalidParams),
    ] {
        let trace = engine.trace(&integration, "go", json(params)).await;
        let converted: Vec<_> = trace.conversions.iter().map(|converted| converted.place.to_string()).collect();
        assert_eq!((trace.error.unwrap().kind(), converted), (kind, vec!["n".to_owned()]), "{params}");
    }
    // The same where there is no answer.
    upstream.reply("/v1/y", Reply::hang_up());
    let integration = shop(&upstream, "", &endpoint.replace("/x", "/y"));
    let trace = engine.trace(&integration, "go", json(r#"{"n":"5"}"#)).await;
    assert_eq!((trace.error.is_some(), trace.status, trace.conversions.len()), (true, None, 1));
}
