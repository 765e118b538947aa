//! Behaviour, section 2: what comes before what, and what is never sent.

use callout::{EndpointConfig, ErrorKind, IntegrationConfig, Json, Protocol, SecretName, Secrets};

use super::{engine, friendly, go, load, with_endpoint};

#[tokio::test]
async fn refusals_come_first_and_say_what_there_is() {
    let upstream = friendly().await;
    let endpoint = EndpointConfig::new("go", "Goes", "/x");
    let config = IntegrationConfig::new("shop", upstream.url()).with_endpoint(endpoint);
    let mut disabled = config.clone();
    disabled.enabled = false;
    let mut desktop = config.clone();
    desktop.protocol = Protocol::Desktop;
    let table = [
        (config, "come", ErrorKind::UnknownEndpoint, "shop.come: there is no such endpoint; it has go"),
        (disabled.clone(), "go", ErrorKind::IntegrationDisabled, "shop.go: the integration is disabled"),
        (desktop, "go", ErrorKind::UnsupportedProtocol, "shop.go: integrations of protocol `desktop`"),
    ];
    for (config, name, kind, message) in table {
        let integration = engine().load(config, &Secrets::new()).unwrap();
        // Params that would be refused too: the refusal of the call comes first.
        let error = engine().call(&integration, name, Json::from(1)).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().starts_with(message), "{error}");
    }
    assert_eq!(upstream.count(), 0);

    let disabled = engine().load(disabled, &Secrets::new()).unwrap();
    let trace = engine().trace(&disabled, "go", Json::empty_object()).await;
    assert!(trace.error.is_none(), "a trace runs on a disabled integration: {:?}", trace.error);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn every_violation_is_reported_and_nothing_is_sent() {
    let upstream = friendly().await;
    let integration = with_endpoint(
        &upstream,
        r#"{"path":"/{id}","input_schema":{"type":"object","required":["q"],
            "properties":{"n":{"type":"integer"},"list":{"items":{"maximum":3}}}}}"#,
    );
    let error = go(&integration, r#"{"n":"x","list":[1,9]}"#).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParams);
    let mut places: Vec<_> = error.faults().iter().map(|fault| fault.place.to_string()).collect();
    places.sort();
    assert_eq!(places, ["id", "list[1]", "n", "q"], "{error}");
    let error = engine().call(&integration, "go", Json::from("text")).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidParams, "params must be a JSON object, not string"));
    assert_eq!(upstream.count(), 0);
}

const EXCHANGE: &str = r#"{"name":"shop","display_name":"Shop","base_url":"URL","auth":{"type":"bearer_token_exchange",
    "exchange_url":"URL/token","exchange_secret_value":{"value":"a-secret"},
    "exchange_param_headers":[{"header_name":"X-User","param_name":"user"},
                              {"header_name":"X-Team","param_name":"team","required":false,"consume":false}]},
    "endpoints":[{"name":"go","description":"Goes","method":"PATH_METHOD","path":"PATH",
                  "input_schema":{"type":"object","properties":{"q":{}},"additionalProperties":false}}]}"#;

#[tokio::test]
async fn a_closed_schema_need_not_name_path_and_auth_params() {
    let text = EXCHANGE.replace("PATH_METHOD", "GET").replace("PATH", "/things/{id}");
    let upstream = token_upstream().await;
    let integration = load(&upstream, &text).unwrap();
    go(&integration, r#"{"id":1,"user":"u","team":"t","q":2}"#).await.unwrap();
    let sent = upstream.requests();
    assert_eq!(sent[0].path(), "/token");
    assert_eq!((sent[0].header("x-user"), sent[0].header("x-team")), (Some("u"), Some("t")));
    // `team` is not consumed: the endpoint gets it too.
    assert_eq!(sent[1].target, "/things/1?team=t&q=2");
    assert_eq!(
        go(&integration, r#"{"id":1,"user":"u","other":2}"#).await.unwrap_err().kind(),
        ErrorKind::InvalidParams
    );
}

#[tokio::test]
async fn a_missing_auth_param_fails_before_anything_is_sent() {
    let upstream = token_upstream().await;
    for (path, params, kind, names) in [
        ("/x", r#"{"q":1}"#, ErrorKind::MissingAuthParam, "X-User"),
        ("/users/{user}", r#"{"q":1}"#, ErrorKind::MissingAuthParam, "X-User"),
        ("/users/{user}/{id}", r#"{"user":null}"#, ErrorKind::MissingAuthParam, "X-User"),
        // The schema's faults come first, and the path's are told with them.
        ("/users/{user}", r#"{"q":1,"other":2}"#, ErrorKind::InvalidParams, "other"),
        ("/users/{user}/{id}", r#"{"user":"u"}"#, ErrorKind::InvalidParams, "id: is required"),
    ] {
        let text = EXCHANGE.replace("PATH_METHOD", "GET").replace("PATH", path);
        let error = go(&load(&upstream, &text).unwrap(), params).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{path} {params}: {error}");
        assert!(error.to_string().contains(names), "{path} {params}: {error}");
        assert!(kind == ErrorKind::InvalidParams || error.to_string().contains("user: is required"), "{error}");
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_path_param_may_be_a_consumed_auth_param() {
    let upstream = token_upstream().await;
    let text = EXCHANGE.replace("PATH_METHOD", "GET").replace("PATH", "/users/{user}");
    let integration = load(&upstream, &text).unwrap();
    go(&integration, r#"{"user":"u 1","q":2}"#).await.unwrap();
    let sent = upstream.requests();
    assert_eq!((sent[0].header("x-user"), sent[1].target.as_str()), (Some("u 1"), "/users/u%201?q=2"));
}

#[tokio::test]
async fn the_auth_header_beats_a_configured_one() {
    let upstream = friendly().await;
    let text = r#"{"name":"shop","display_name":"Shop","base_url":"URL",
        "auth":{"type":"api_key_header","header_name":"X-Key","api_key_value":{"value":"the-right-one"}},
        "endpoints":[{"name":"go","description":"Goes","path":"/","headers":{"x-key":"another","X-Other":"stays"}}]}"#;
    let integration = load(&upstream, text).unwrap();
    go(&integration, "{}").await.unwrap();
    let sent = &upstream.requests()[0];
    let keys: Vec<_> =
        sent.headers.iter().filter(|(name, _)| name == "x-key").map(|(_, value)| value.as_str()).collect();
    assert_eq!((keys, sent.header("x-other")), (vec!["the-right-one"], Some("stays")));
}

#[tokio::test]
async fn ten_faults_are_ten_places() {
    let upstream = friendly().await;
    let text = r#"{"name":"Shop","display_name":"","base_url":"URL?x","auth":{"type":"bearer_token"},"enabled":"false",
        "endpoints":[
          {"name":"a b","description":"","method":"GET","path":"/{","headers":{"Host":"x"},"retry_config":{"max_retries":11}},
          {"name":"b","description":"","path":"/","response_filter":["$["],"response_mapping":{"total":"a..b"},
           "result_key":"/~2","result_template":"{{","max_result_lenght":9,"input_schema":{"$ref":"https://x.example/schema"}}]}"#;
    let error = load(&upstream, text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    let mut places: Vec<_> = error.faults().iter().map(|fault| fault.place.to_string()).collect();
    places.sort();
    let expected = [
        "auth.bearer_token_value",
        "base_url",
        "display_name",
        "enabled",
        "endpoints[0].headers.Host",
        "endpoints[0].name",
        "endpoints[0].path",
        "endpoints[0].retry_config.max_retries",
        "endpoints[1].input_schema.$ref",
        "endpoints[1].max_result_lenght",
        "endpoints[1].response_filter[0]",
        "endpoints[1].response_mapping.total",
        "endpoints[1].result_key",
        "endpoints[1].result_template",
        "name",
    ];
    assert_eq!(places, expected, "{error}");
}

/// Without what has the fault it could be called: unauthenticated, though switched off, or as a POST.
#[tokio::test]
async fn a_document_that_has_a_fault_is_not_loaded() {
    let upstream = friendly().await;
    let rest =
        r#""display_name":"Shop","base_url":"URL","endpoints":[{"name":"go","description":"Goes","path":"/"METHOD}]"#;
    let document = |beside: &str, method: &str| format!("{{{}{beside}}}", rest.replace("METHOD", method));
    let name = r#","name":"shop""#;
    for (text, told) in [
        (document(&format!(r#"{name},"enabled":"false""#), ""), "shop: enabled: must be true or false, not string"),
        (document(&format!(r#"{name},"auth":"none""#), ""), "shop: auth: must be an object"),
        (document(name, r#","method":"Get""#), "shop: endpoints[0].method: must be one of GET, "),
        (document("", ""), "name: is required"),
        ("[]".to_owned(), "must be an object"),
    ] {
        let error = load(&upstream, &text).unwrap_err();
        assert_eq!((error.kind(), error.faults().len()), (ErrorKind::InvalidConfig, 1), "{error}");
        assert!(error.to_string().starts_with(told), "{error}");
    }
}

#[tokio::test]
async fn secrets_that_are_given_come_before_those_in_the_document() {
    let upstream = friendly().await;
    let text = r#"{"name":"shop","display_name":"Shop","base_url":"URL",
        "auth":{"type":"bearer_token","bearer_token_value":{"value":"as-written"}},
        "endpoints":[{"name":"go","description":"Goes","path":"/"}]}"#;
    let document = Json::parse(&text.replace("URL", &upstream.url())).unwrap();
    let given = Secrets::new().with(SecretName::BearerToken, "as-given");
    for (secrets, sent) in [(Secrets::new(), "Bearer as-written"), (given, "Bearer as-given")] {
        let of_nobody = engine().load_json(&document, &secrets).unwrap();
        let of_red = engine().load_json_as("red", "7", &document, &secrets).unwrap();
        for integration in [&of_nobody, &of_red] {
            go(integration, "{}").await.unwrap();
            assert_eq!(upstream.requests().last().unwrap().header("authorization"), Some(sent));
        }
        assert!(format!("{of_nobody:?}").contains(r#"workspace: "", integration: "shop""#), "{of_nobody:?}");
        assert!(format!("{of_red:?}").contains(r#"workspace: "red", integration: "7""#), "{of_red:?}");
    }
}

async fn token_upstream() -> callout_tests::Upstream {
    callout_tests::Upstream::with(|_: &callout_tests::Recorded| {
        callout_tests::Reply::json(200, r#"{"token":"a-token-1","expires_in":3600}"#)
    })
    .await
}

#[tokio::test]
async fn schemas_never_leave_the_document() {
    let upstream =
        callout_tests::Upstream::with(|_: &callout_tests::Recorded| callout_tests::Reply::json(200, "{}")).await;
    let folder = std::env::temp_dir().join("callout-schema-canary.json");
    std::fs::write(&folder, r#"{"canary": "in a file"}"#).unwrap();
    for reference in [upstream.at("/schema"), format!("file://{}", folder.display()), "other.json#/x".to_owned()] {
        let text = format!(
            r#"{{"name":"shop","display_name":"Shop","base_url":"URL",
                "endpoints":[{{"name":"go","description":"Goes","path":"/","input_schema":{{"$ref":"{reference}"}}}}]}}"#
        );
        let error = load(&upstream, &text).unwrap_err();
        assert_eq!(error.faults()[0].place.to_string(), "endpoints[0].input_schema.$ref");
        assert!(!error.to_string().contains("in a file"), "{error}");
    }
    assert_eq!(upstream.count(), 0);
}
