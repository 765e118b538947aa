//! Test, execute and test-connection: what a call through the API answers, also when it fails.

use std::time::Duration;

use callout::Json;
use callout_tests::{
    Recorded, Reply, Upstream,
    certs::{self_signed, server_config},
};

use sqlx::{Connection, SqliteConnection};

use super::{Server, harness::Silent, integration};

async fn shop() -> Upstream {
    Upstream::with(|request: &Recorded| match request.path() {
        "/items/1" => Reply::json(200, r#"{"a":12345678901234567890123,"b":[1.50],"c":"not kept"}"#),
        "/items/2" => Reply::json(500, r#"{"message":"it broke"}"#),
        "/items/3" => Reply::hang_up(),
        _ => Reply::json(404, r#"{"message":"no such item"}"#),
    })
    .await
}

#[tokio::test]
async fn a_test_shows_every_stage() {
    let upstream = shop().await;
    let server = Server::start().await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    let path = format!("/integrations/{id}/endpoints/go/test");
    let answer = server.ask("POST", &path, Some(r#"{"params":{"id":1}}"#)).await.expect(200);
    assert_eq!(answer.at("status_code"), Json::from(200));
    assert_eq!(answer.at("raw_response").to_string(), r#"{"a":12345678901234567890123,"b":[1.50],"c":"not kept"}"#);
    assert_eq!(answer.at("after_filter").to_string(), r#"{"a":12345678901234567890123,"b":[1.50]}"#);
    assert_eq!(answer.at("after_mapping").to_string(), r#"{"x":12345678901234567890123}"#);
    assert_eq!(answer.text_at("final_result"), "x is 12345678901234567890123");
    assert_eq!((answer.at("retries"), answer.at("error")), (Json::from(0), Json::Null));
    assert_eq!(upstream.requests()[0].header("x-key"), Some("sk-live-0123456789"));
}

#[tokio::test]
async fn a_test_whose_call_fails_is_an_answer_with_its_error() {
    let upstream = shop().await;
    let server = Server::start().await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    let path = format!("/integrations/{id}/endpoints/go/test");
    for (params, status, said) in [
        (r#"{"id":2}"#, Json::from(500), "it broke"),
        (r#"{"id":9}"#, Json::from(404), "no such item"),
        (r#"{"id":3}"#, Json::Null, "broke before the answer"),
        (r#"{"id":"x"}"#, Json::Null, "shop.go: id: must be an integer, not \"x\""),
        ("{}", Json::Null, "shop.go: id: is required"),
    ] {
        let answer = server.ask("POST", &path, Some(&format!(r#"{{"params":{params}}}"#))).await.expect(200);
        assert_eq!(answer.at("status_code"), status, "{params}");
        assert!(answer.text_at("error").contains(said), "{params}: {}", answer.text);
        assert_eq!(answer.at("final_result"), Json::Null);
    }
    server.ask("POST", &format!("/integrations/{id}/endpoints/nope/test"), Some("{}")).await.expect(404);
    server.ask("POST", &path, Some(r#"{"params":[]}"#)).await.expect(422);
    server.ask("POST", &path, Some("")).await.expect(422);
}

#[tokio::test]
async fn a_disabled_integration_is_tested_but_not_executed() {
    let upstream = shop().await;
    let server = Server::start().await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    server.ask("PATCH", &format!("/integrations/{id}"), Some(r#"{"enabled":false}"#)).await.expect(200);
    let call = format!("/integrations/{id}/endpoints/go");
    let params = Some(r#"{"params":{"id":1}}"#);
    server.ask("POST", &format!("{call}/test"), params).await.expect(200);
    let refused = server.ask("POST", &format!("{call}/execute"), params).await.expect(409);
    assert_eq!(refused.text_at("error_code"), "integration_disabled");
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn execute_gives_the_text_and_no_stages() {
    let upstream = shop().await;
    let server = Server::start().await;
    let body = integration("shop", &upstream.url())
        .replace(r#""name":"go""#, r#""name":"go","max_result_length":8,"result_delivery":"queue""#);
    let id = server.create(&body).await;
    let path = format!("/integrations/{id}/endpoints/go/execute");
    let answer = server.ask("POST", &path, Some(r#"{"params":{"id":1}}"#)).await.expect(200);
    assert_eq!(answer.text_at("text"), "x is 123");
    assert_eq!(answer.text_at("delivery"), "queue");
    assert_eq!(answer.at("truncation.original_length"), Json::from(28));
    assert_eq!(answer.at("error"), Json::Null);
    assert!(!answer.text.contains("raw_response"));

    let failed = server.ask("POST", &path, Some(r#"{"params":{"id":2}}"#)).await.expect(200);
    assert_eq!((failed.at("status"), failed.at("text")), (Json::from(500), Json::Null));
    assert_eq!(failed.text_at("error.code"), "upstream_status");
    assert_eq!(failed.at("error.retryable"), Json::Bool(true));
    assert_eq!(failed.text_at("error.body.message"), "it broke");

    let refused = server.ask("POST", &path, Some(r#"{"params":{"id":"x"}}"#)).await.expect(422);
    assert_eq!(refused.at("detail.0.loc").to_string(), r#"["body","params","id"]"#);
}

#[tokio::test]
async fn each_missing_auth_param_is_a_fault_at_its_place() {
    let upstream = shop().await;
    let server = Server::start().await;
    let body = format!(
        r#"{{"name":"exchange","display_name":"E","base_url":"{0}","auth":{{"type":"bearer_token_exchange",
            "exchange_url":"{0}/token","exchange_secret_value":{{"value":"exchange-secret"}},
            "exchange_param_headers":[{{"header_name":"X-User","param_name":"user_id"}},
                {{"header_name":"X-Org","param_name":"org"}}]}},
            "endpoints":[{{"name":"go","description":"Goes","method":"GET","path":"/go"}}]}}"#,
        upstream.url()
    );
    let id = server.create(&body).await;
    let path = format!("/integrations/{id}/endpoints/go/execute");
    let refused = server.ask("POST", &path, Some(r#"{"params":{}}"#)).await.expect(422);
    for (at, name) in ["user_id", "org"].into_iter().enumerate() {
        assert_eq!(refused.at(&format!("detail.{at}.loc")).to_string(), format!(r#"["body","params","{name}"]"#));
        assert_eq!(refused.text_at(&format!("detail.{at}.type")), "missing");
    }
    assert_eq!(upstream.count(), 0, "nothing is sent");
}

#[tokio::test]
async fn addresses_that_are_not_public_stay_closed() {
    let server = Server::start().await;
    let id = server.create(&integration("shop", "http://10.0.0.1")).await;
    let path = format!("/integrations/{id}/endpoints/go/execute");
    let answer = server.ask("POST", &path, Some(r#"{"params":{"id":1}}"#)).await.expect(200);
    assert_eq!(answer.text_at("error.code"), "egress_denied");
}

#[tokio::test]
async fn a_connection_is_tested_without_calling_an_endpoint() {
    let upstream = Upstream::with(|request: &Recorded| match (request.path(), request.header("x-key")) {
        ("/refuses", _) => Reply::status(401),
        ("/down", _) => Reply::status(503),
        ("/stalls", _) => Reply::hang_up(),
        ("/moved", _) => Reply::redirect(302, "https://elsewhere.example/"),
        (_, Some("sk-live-0123456789")) => Reply::status(404),
        _ => Reply::status(400),
    })
    .await;
    let server = Server::start().await;
    let gone = Upstream::start().await;
    let closed = gone.url();
    drop(gone);
    let untrusted = Upstream::tls(server_config(&self_signed("127.0.0.1"), None)).await;
    for (name, base, status, http_status) in [
        ("good", upstream.url(), "healthy", Json::from(404)),
        ("refuses", upstream.at("/refuses"), "auth_failed", Json::from(401)),
        ("down", upstream.at("/down"), "unreachable", Json::from(503)),
        ("stalls", upstream.at("/stalls"), "unreachable", Json::Null),
        ("moved", upstream.at("/moved"), "healthy", Json::from(302)),
        ("closed", closed, "unreachable", Json::Null),
        ("untrusted", untrusted.url(), "ssl_error", Json::Null),
        ("private", "http://10.0.0.1".to_owned(), "misconfigured", Json::Null),
    ] {
        let id = server.create(&integration(name, &base)).await;
        let path = format!("/integrations/{id}/test-connection");
        let answer = server.ask("POST", &path, None).await.expect(200);
        assert_eq!(answer.text_at("status"), status, "{name}: {}", answer.text);
        assert_eq!(answer.at("http_status"), http_status, "{name}: {}", answer.text);
        assert_eq!(answer.at("auth_resolved"), Json::Bool(true), "{name}");
        assert!(answer.text_at("tested_at").ends_with('Z') && !answer.text_at("message").is_empty());
    }
    assert!(upstream.requests().iter().all(|request| request.method == "HEAD"));
}

#[tokio::test]
async fn a_connection_whose_token_cannot_be_had_says_so() {
    let upstream = Upstream::start().await;
    upstream.reply("/token", Reply::json(400, r#"{"error":"invalid_client","error_description":"who are you"}"#));
    let server = Server::start().await;
    let oauth = format!(
        r#"{{"name":"oauth","display_name":"O","base_url":"{0}","auth":{{"type":"oauth2_client_credentials",
            "token_url":"{0}/token","client_id":"c","client_secret_value":{{"value":"client-secret-1"}}}}}}"#,
        upstream.url()
    );
    let id = server.create(&oauth).await;
    let answer = server.ask("POST", &format!("/integrations/{id}/test-connection"), None).await.expect(200);
    assert_eq!(answer.text_at("status"), "auth_failed", "{}", answer.text);
    assert_eq!(answer.at("auth_resolved"), Json::Bool(false));
    assert!(answer.text_at("message").contains("who are you"), "{}", answer.text);
    assert_eq!(answer.at("http_status"), Json::Null, "the API itself was not asked");
    assert!(upstream.requests().iter().all(|request| request.path() == "/token"));

    let moved = oauth.replace(r#""name":"oauth""#, r#""name":"moved""#).replace("/token", "/moved");
    upstream.reply("/moved", Reply::redirect(302, "/login"));
    let id = server.create(&moved).await;
    let answer = server.ask("POST", &format!("/integrations/{id}/test-connection"), None).await.expect(200);
    assert_eq!((answer.text_at("status"), answer.at("http_status")), ("auth_failed".to_owned(), Json::Null));

    // The API refuses the token, and there is no other: what the token endpoint answers is not the API's.
    let once = oauth.replace(r#""name":"oauth""#, r#""name":"once""#).replace("/token", "/once");
    let once = once
        .replace(&format!(r#""base_url":"{}""#, upstream.url()), &format!(r#""base_url":"{}""#, upstream.at("/api")));
    upstream.reply("/once", Reply::json(200, r#"{"access_token":"tok-123456"}"#));
    upstream.reply("/once", Reply::redirect(302, "/login"));
    upstream.reply("/api", Reply::status(401));
    let id = server.create(&once).await;
    let answer = server.ask("POST", &format!("/integrations/{id}/test-connection"), None).await.expect(200);
    assert_eq!((answer.text_at("status"), answer.at("http_status")), ("auth_failed".to_owned(), Json::from(401)));
    assert_eq!(upstream.requests().iter().filter(|request| request.path() == "/api").count(), 1);

    let exchange = format!(
        r#"{{"name":"exchange","display_name":"E","base_url":"{0}","auth":{{"type":"bearer_token_exchange",
            "exchange_url":"{0}/exchange","exchange_secret_value":{{"value":"exchange-secret"}},
            "exchange_param_headers":[{{"header_name":"X-User","param_name":"user"}}]}}}}"#,
        upstream.url()
    );
    upstream.reply("/exchange", Reply::json(200, r#"{"token":"tok-123456"}"#));
    upstream.reply("/", Reply::status(200));
    let id = server.create(&exchange).await;
    let path = format!("/integrations/{id}/test-connection");
    let without = server.ask("POST", &path, None).await.expect(200);
    assert_eq!(without.text_at("status"), "misconfigured", "{}", without.text);
    let with = server.ask("POST", &path, Some(r#"{"params":{"user":"alice"}}"#)).await.expect(200);
    assert_eq!(with.text_at("status"), "healthy", "{}", with.text);
    assert_eq!(upstream.requests().last().unwrap().header("authorization"), Some("Bearer tok-123456"));
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_call() {
    let upstream = Upstream::with(|_: &Recorded| Reply::stall()).await;
    let server = Server::start().await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    let path = server.path(&format!("/integrations/{id}/endpoints/go/execute"));
    let asked = server.ask_as(Some(&server.owner), "POST", &path, Some(r#"{"params":{"id":1}}"#));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(500), asked).await.is_err(), "it waits");
    assert_eq!(upstream.count(), 1);
    // Its connection to the upstream is closed when nobody waits for the answer any more.
    assert!(upstream.settled(0).await, "{} connections are open", upstream.open_connections());
}

#[tokio::test]
async fn a_secret_store_that_does_not_answer_is_waited_for_once() {
    let silent = Silent::default();
    let server = Server::with_secrets(&silent).await;
    let id = server.create(&integration("shop", "https://shop.example")).await;
    let path = format!("/integrations/{id}/endpoints/go/execute");
    let ask = || server.ask("POST", &path, Some(r#"{"params":{"id":1}}"#));
    let mut all = Box::pin(futures_util::future::join_all([ask(), ask(), ask()]));
    assert!(tokio::time::timeout(Duration::from_secs(1), all.as_mut()).await.is_err(), "they wait");
    server.clock.advance(Duration::from_secs(31));
    for answer in tokio::time::timeout(Duration::from_secs(10), all).await.unwrap() {
        assert_eq!(answer.expect(503).text_at("error_code"), "store_unavailable");
    }
    assert_eq!(silent.asked(), 1);
}

#[tokio::test]
async fn what_cannot_be_loaded_is_counted_too() {
    let server = Server::start().await;
    let id = server.create(&integration("shop", "https://shop.example")).await;
    let database = server.folder().join("callout.db");
    let mut on = SqliteConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    let damage = "UPDATE sealed_secrets SET ciphertext = X'00'";
    assert_eq!(sqlx::query(damage).execute(&mut on).await.unwrap().rows_affected(), 1);
    for call in ["endpoints/go/test", "endpoints/go/execute", "test-connection"] {
        server.ask("POST", &format!("/integrations/{id}/{call}"), Some("{}")).await.expect(200);
    }
    let metrics = server.ask_as(Some(&server.operator), "GET", "/metrics", None).await.expect(200).text;
    for line in [
        r#"callout_calls_total{kind="test",outcome="missing_secret"} 1"#,
        r#"callout_calls_total{kind="execute",outcome="missing_secret"} 1"#,
        r#"callout_connection_tests_total{outcome="misconfigured"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}
