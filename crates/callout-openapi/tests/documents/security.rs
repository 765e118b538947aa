//! How what comes of a document authenticates.

use callout_core::config::{AuthConfig, AuthType};
use callout_openapi::{CLIENT_ID_TO_BE_GIVEN, OperationReport, Options, Severity, lean};

use crate::{SERVER, document, run};

fn losses(operation: &OperationReport) -> impl Iterator<Item = &str> {
    let losses = operation.findings.iter().filter(|finding| finding.severity == Severity::Loss);
    losses.map(|finding| finding.reason.as_str())
}

#[test]
fn security_schemes_become_auth_types() {
    let auth = |scheme: &str, scopes: &str| {
        let more = format!(
            r#"{SERVER} "security": [{{"s": {scopes}}}], "components": {{"securitySchemes": {{"s": {scheme}}}}},"#
        );
        let imported = run(&document(&["GET /a"], &more), &Options::default()).unwrap();
        let lean = lean(&imported.integrations[0]);
        let auth = lean.get("auth").map_or_else(|| "none".to_owned(), ToString::to_string);
        let secrets: Vec<_> =
            imported.report.secrets.iter().map(|secret| format!(" {}: {}", secret.secret, secret.what)).collect();
        let operation = &imported.report.operations[0];
        let all = imported.report.findings.iter().chain(&operation.findings);
        format!("{auth}{}{}", secrets.concat(), all.map(|finding| format!(" | {}", finding.reason)).collect::<String>())
    };
    let client = format!(
        r#"{{"type":"oauth2_client_credentials","token_url":"https://shop.example/token","client_id":"{CLIENT_ID_TO_BE_GIVEN}","scopes":["read"]}} client_secret: the client's secret | put your client id in place of `CLIENT_ID`"#
    );
    for (scheme, scopes, expected) in [
        (r#"{"type": "http", "scheme": "Bearer"}"#, "[]", r#"{"type":"bearer_token"} bearer_token: the bearer token"#),
        (
            r#"{"type": "apiKey", "in": "header", "name": "X-Key"}"#,
            "[]",
            r#"{"type":"api_key_header","header_name":"X-Key"} api_key: what the header X-Key carries, all of it"#,
        ),
        (
            r#"{"type": "http", "scheme": "basic"}"#,
            "[]",
            r#"{"type":"api_key_header","header_name":"Authorization"} api_key: `Basic ` and the Base64 of USER:PASSWORD"#,
        ),
        (
            r#"{"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {"read": ""}}}}"#,
            r#"["read", "nope"]"#,
            client.as_str(),
        ),
        (
            r#"{"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://login.example/{tenant}/token"}}}"#,
            "[]",
            r#"none | the security scheme "s" cannot be used: its tokenUrl has placeholders, and nothing says what for | needs s, and is called without"#,
        ),
        (
            r#"{"type": "oauth2", "flows": {"authorizationCode": {}}}"#,
            "[]",
            r#"{"type":"bearer_token"} bearer_token: an OAuth 2.0 access token | its flows need a person: an access token is obtained elsewhere and given as a bearer token"#,
        ),
        (
            r#"{"type": "openIdConnect"}"#,
            "[]",
            r#"{"type":"bearer_token"} bearer_token: an access token of the OpenID provider"#,
        ),
        (
            r#"{"type": "apiKey", "in": "query", "name": "key"}"#,
            "[]",
            r#"none | the security scheme "s" cannot be used: it is an API key in the query, and only headers carry secrets | needs s, and is called without"#,
        ),
        (
            r#"{"type": "http", "scheme": "digest"}"#,
            "[]",
            r#"none | the security scheme "s" cannot be used: there is no HTTP scheme "digest" here, only bearer and basic | needs s, and is called without"#,
        ),
    ] {
        assert_eq!(auth(scheme, scopes), expected, "{scheme}");
    }
}

#[test]
fn a_relative_token_url_is_at_the_base_url_of_the_document_or_the_one_that_is_given() {
    let servers = r#""servers": [{"url": "https://{env}.example/v1/", "variables": {"env": {"default": "a"}}}],"#;
    let here = "http://127.0.0.1:8080/base";
    for (servers, given, token_url, expected) in [
        (servers, None, "/token", "https://a.example/token"),
        (servers, None, "token", "https://a.example/v1/token"),
        (servers, Some(here), "/token", "http://127.0.0.1:8080/token"),
        (servers, Some(here), "token", "http://127.0.0.1:8080/base/token"),
        ("", Some(here), "token", "http://127.0.0.1:8080/base/token"),
        (servers, Some(here), "https://id.example/token", "https://id.example/token"),
    ] {
        let more = format!(
            r#"{servers} "security": [{{"s": []}}], "components": {{"securitySchemes": {{"s": {{
                "type": "oauth2", "flows": {{"clientCredentials": {{"tokenUrl": "{token_url}", "scopes": {{}}}}}}}}}}}},"#
        );
        let mut options = Options::default();
        options.base_url = given.map(str::to_owned);
        let imported = run(&document(&["GET /a"], &more), &options).unwrap();
        let auth = imported.integrations[0].auth.as_ref().unwrap();
        assert_eq!(auth.token_url.as_deref(), Some(expected), "{servers} {given:?} {token_url}");
    }
}

#[test]
fn the_scheme_that_serves_most_is_taken_and_the_others_are_reported() {
    let text = r#"{"openapi": "3.0.0", "info": {"title": "Shop"}, "servers": [{"url": "https://a.example"}],
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
        "paths": {"/a": {"get": {"security": [{"key": []}]}, "put": {"security": []}, "post": {"security": [{"key": [], "token": []}]}},
                  "/b": {"get": {}, "post": {"security": [{}]}}}}"#;
    let imported = run(text, &Options::default()).unwrap();
    assert_eq!(imported.integrations[0].auth.as_ref().map(|auth| auth.kind), Some(AuthType::ApiKeyHeader));
    let losses: Vec<_> =
        imported.report.operations.iter().map(|operation| losses(operation).collect::<Vec<_>>()).collect();
    assert_eq!(
        losses,
        [
            vec![],
            vec![],
            vec![r#"needs key and token, and is called with "key" only"#],
            vec![r#"needs token, and is called with "key" only"#],
            vec![]
        ]
    );
    let mut options = Options::default();
    options.auth = Some(AuthConfig::new(AuthType::BearerToken));
    let imported = run(text, &options).unwrap();
    assert!(imported.report.is_whole());
    assert_eq!(imported.report.secrets[0].secret, "bearer_token");
}

#[test]
fn of_schemes_that_serve_a_tag_equally_the_one_of_its_origin_is_taken() {
    let auths = |paths: &str| -> Vec<String> {
        let text = format!(
            r#"{{"openapi": "3.0.0", "info": {{"title": "Shop"}}, "servers": [{{"url": "https://a.example/v1"}}],
            "components": {{"securitySchemes": {{"k": {{"type": "apiKey", "in": "header", "name": "X-Key"}}, "b": {{"type": "http", "scheme": "bearer"}}}}}},
            "security": [{{"k": []}}, {{"b": []}}], "paths": {{{paths}}}}}"#
        );
        let mut options = Options::default();
        options.split_by_tag = true;
        let imported = run(&text, &options).unwrap();
        imported
            .integrations
            .iter()
            .zip(&imported.report.secrets)
            .map(|(integration, secret)| format!("{} {}", integration.name, secret.secret))
            .collect()
    };
    let first = r#""/a": {"get": {"tags": ["x"]}}, "#;
    let swapped = r#""get": {"tags": ["y"], "security": [{"b": []}, {"k": []}]}"#;
    assert_eq!(auths(&format!(r#"{first}"/b": {{{swapped}}}"#)), ["shop-x api_key", "shop-y api_key"]);
    // Another path of the origin is no other place, and another origin is.
    let servers = |url: &str| format!(r#"{first}"/b": {{"servers": [{{"url": "{url}"}}], {swapped}}}"#);
    assert_eq!(auths(&servers("https://a.example/v2"))[1], "shop-y-a-example-v2 api_key");
    assert_eq!(auths(&servers("https://b.example"))[1], "shop-y-b-example bearer_token");
    // What most of a tag's operations need comes first all the same.
    let more = r#""put": {"tags": ["y"], "security": [{"b": []}]}"#;
    assert_eq!(auths(&format!(r#"{first}"/b": {{{swapped}, {more}}}"#))[1], "shop-y bearer_token");
}

#[test]
fn what_is_at_another_origin_or_of_another_tag_authenticates_as_its_own_operations_do() {
    let text = r#"{"openapi": "3.0.0", "info": {"title": "Shop"}, "servers": [{"url": "https://a.example"}],
        "components": {"securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "token": {"type": "http", "scheme": "bearer"},
            "query": {"type": "apiKey", "in": "query", "name": "k"}}},
        "security": [{"key": []}],
        "paths": {
            "/a": {"get": {"tags": ["a"]}, "put": {"tags": ["a"]}, "post": {"tags": ["b"], "security": [{"token": []}]}},
            "/b": {"servers": [{"url": "https://b.example"}],
                "get": {"security": [{"token": []}]}, "put": {"security": [{"query": []}]}},
            "/c": {"servers": [{"url": "https://c.example"}], "get": {"security": [{"query": []}]}},
            "/d": {"servers": [{"url": "https://d.example"}], "get": {"security": []}}}}"#;
    let told = |options: &Options| {
        let imported = run(text, options).unwrap();
        let secret = |name: &str| {
            let found = imported.report.secrets.iter().find(|secret| secret.integration == name);
            found.map_or("none", |secret| secret.secret)
        };
        let mut told = Vec::new();
        for integration in &imported.integrations {
            let auth = lean(integration).get("auth").map_or_else(|| "none".to_owned(), ToString::to_string);
            told.push(format!("{} {auth} {}", integration.name, secret(&integration.name)));
        }
        for operation in &imported.report.operations {
            let place = format!("{} {}", operation.method, operation.path);
            told.extend(losses(operation).map(|reason| format!("{place} {reason}")));
        }
        told.extend(imported.report.findings.iter().map(|finding| finding.reason.clone()));
        told
    };
    let key = r#"{"type":"api_key_header","header_name":"X-Key"} api_key"#;
    let token = r#"{"type":"bearer_token"} bearer_token"#;
    let others = [
        r#"PUT /b needs query, and is called with "token" only"#,
        "GET /c needs query, and is called without",
        r#"the security scheme "query" cannot be used: it is an API key in the query, and only headers carry secrets"#,
    ];
    let mut options = Options::default();
    let mut expected = vec![
        format!("shop {key}"),
        format!("shop-b-example {token}"),
        "shop-c-example none none".to_owned(),
        "shop-d-example none none".to_owned(),
        r#"POST /a needs token, and is called with "key" only"#.to_owned(),
    ];
    expected.extend(others.map(str::to_owned));
    assert_eq!(told(&options), expected);
    options.split_by_tag = true;
    let mut expected = vec![
        format!("shop-a {key}"),
        format!("shop-b {token}"),
        format!("shop-other-b-example {token}"),
        "shop-other-c-example none none".to_owned(),
        "shop-other-d-example none none".to_owned(),
    ];
    expected.extend(others.map(str::to_owned));
    assert_eq!(told(&options), expected);
    // What the caller says holds for all.
    options.auth = Some(AuthConfig::new(AuthType::BearerToken));
    let names = ["shop-a", "shop-b", "shop-other-b-example", "shop-other-c-example", "shop-other-d-example"];
    assert_eq!(told(&options), names.map(|name| format!("{name} {token}")));
}

#[test]
fn a_header_that_the_auth_sends_is_not_one_that_is_missing() {
    let mut token = AuthConfig::new(AuthType::BearerToken);
    token.header_name = Some("X-Token".to_owned());
    for (auth, header, is_whole) in [
        (None, "x-key", true),
        (None, "X-Token", false),
        (None, "Authorization", false),
        (Some(&token), "x-token", true),
        (Some(&token), "X-Key", false),
    ] {
        let text = format!(
            r#"{{"openapi": "3.0.0", "info": {{"title": "Shop"}}, "servers": [{{"url": "https://a.example"}}],
            "components": {{"securitySchemes": {{"key": {{"type": "apiKey", "in": "header", "name": "X-Key"}}}}}},
            "security": [{{"key": []}}], "paths": {{"/a": {{"get": {{"parameters": [
                {{"name": "{header}", "in": "header", "required": true, "schema": {{"type": "string"}}}}]}}}}}}}}"#
        );
        let mut options = Options::default();
        options.auth = auth.cloned();
        let imported = run(&text, &options).unwrap();
        assert_eq!(imported.report.is_whole(), is_whole, "{header}: {:?}", imported.report);
        assert!(imported.integrations[0].endpoints[0].headers.is_empty(), "{header}");
    }
}
