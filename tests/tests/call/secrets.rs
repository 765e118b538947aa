//! Behaviour, sections 7 and 8: no secret in anything that leaves a call.

use callout::Json;
use callout_tests::{Recorded, Reply, Upstream};

use super::{engine, load};

const CANARY: &str = "canary/Key+é1";

fn integration(endpoint: &str) -> String {
    format!(
        r#"{{"name":"shop","display_name":"Shop","base_url":"URL",
            "auth":{{"type":"api_key_header","header_name":"X-Key","api_key_value":{{"value":"{CANARY}"}}}},
            "endpoints":[{{"name":"go","description":"Goes","path":"/x"{endpoint}}}]}}"#
    )
}

#[tokio::test]
async fn echoed_secrets_are_masked() {
    let body = format!(
        r#"{{"you":"sent {CANARY}","{CANARY}":1,"coded":"canary%2FKey%2B%C3%A91","escaped":"canary\/Key+\u00e91"}}"#
    );
    let upstream = Upstream::with(move |_: &Recorded| Reply::json(200, body.clone())).await;
    let integration = load(&upstream, &integration("")).unwrap();
    let outcome = engine().call(&integration, "go", Json::empty_object()).await.unwrap();
    assert_eq!(outcome.text(), r#"{"you":"sent ***","***":1,"coded":"***","escaped":"***"}"#);
    // In what a template makes of it, nobody would find the secret again.
    let stages = r#","response_filter":["you"],"result_template":"{{ you|upper }} {{ you|list|join('-') }}""#;
    let integration = load(&upstream, &self::integration(stages)).unwrap();
    let outcome = engine().call(&integration, "go", Json::empty_object()).await.unwrap();
    assert_eq!(outcome.text(), "SENT *** s-e-n-t- -*-*-*");
    let trace = engine().trace(&integration, "go", Json::empty_object()).await;
    assert_eq!(trace.text.unwrap().text, "SENT *** s-e-n-t- -*-*-*");
    assert_eq!(trace.after_filter.unwrap().to_string(), r#"{"you":"sent ***"}"#);
}

/// Its bytes are those that would be written for it, and the secret is found in what they stand for alone.
#[tokio::test]
async fn a_secret_in_json_in_json_is_in_no_text_of_a_trace() {
    let body = r#"{"a":"{\"b\":\"canary\\\"key\"}","c":"shown"}"#;
    let upstream = Upstream::with(move |_: &Recorded| Reply::json(200, body)).await;
    let integration = load(&upstream, &integration("").replace(CANARY, r#"canary\"key"#)).unwrap();
    let trace = engine().trace(&integration, "go", Json::empty_object()).await;
    assert!(trace.error.is_none(), "{trace:?}");
    for said in [trace.to_json_text(), trace.to_json().to_string(), format!("{trace:?}")] {
        assert!(said.contains("shown") && !said.contains("canary"), "{said}");
    }
}

#[tokio::test]
async fn a_secret_in_a_param_is_masked_too() {
    let upstream = Upstream::with(|_: &Recorded| Reply::json(200, "{}")).await;
    let integration = load(&upstream, &integration(r#","result_template":"asked for {{ params.q }}""#)).unwrap();
    let params: Json = [("q", Json::from(CANARY))].into_iter().collect();
    let outcome = engine().call(&integration, "go", params).await.unwrap();
    assert_eq!(outcome.text(), "asked for ***");
}

#[tokio::test]
async fn no_canary_leaves_a_call() {
    let echo =
        |status: u16| move |_: &Recorded| Reply::json(status, format!("[\"{CANARY}\"]")).header("location", CANARY);
    for status in [200, 302, 401, 404, 500] {
        let upstream = Upstream::with(echo(status)).await;
        let endpoint = r#","result_template":"{{ result[0] }} {{ nothing }}","headers":{"X-Plain":"shown"}"#;
        let integration = load(&upstream, &integration(endpoint)).unwrap();
        let engine = engine();
        let trace = engine.trace(&integration, "go", Json::empty_object()).await;
        let error = engine.call(&integration, "go", Json::empty_object()).await.unwrap_err();
        let mut said =
            format!("{trace:?} {} {error} {error:?} {:?} {integration:?} {engine:?}", trace.to_json(), error.body());
        said.push_str(&trace.to_json_text());
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            said.push_str(&format!("{cause} {cause:?}"));
            source = cause.source();
        }
        assert!(!said.contains("canary"), "{status}: {said}");
        assert!(said.contains("shown"), "configured headers are no secrets: {said}");
        // The upstream did get it.
        assert_eq!(upstream.requests()[0].header("x-key").map(str::len), Some(CANARY.len()));
    }
}
