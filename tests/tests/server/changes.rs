//! PATCH: absent stays, null clears, secrets rotate, and nobody collects one by editing a URL.

use callout::Json;
use callout_tests::{Recorded, Reply, Upstream};
use sqlx::{Connection, SqliteConnection};

use super::{Server, integration};

async fn echo() -> Upstream {
    Upstream::with(|request: &Recorded| {
        let key = request.header("x-key").unwrap_or("none");
        Reply::json(200, format!(r#"{{"a":"{}"}}"#, key.len()))
    })
    .await
}

/// Calls the endpoint and gives the key's length as the upstream saw it.
async fn seen(server: &Server, id: &str) -> String {
    let path = format!("/integrations/{id}/endpoints/go/test");
    server.ask("POST", &path, Some(r#"{"params":{"id":1}}"#)).await.expect(200).text_at("final_result")
}

#[tokio::test]
async fn absent_fields_stay_as_they_were() {
    let server = Server::start().await;
    let id = server.create(&integration("shop", "https://a.example/v1")).await;
    let path = format!("/integrations/{id}");
    let before = server.ask("GET", &path, None).await.expect(200);
    let after = server.ask("PATCH", &path, Some(r#"{"display_name":"New","enabled":false}"#)).await.expect(200);
    assert_eq!(after.text_at("display_name"), "New");
    assert_eq!(after.at("enabled"), Json::Bool(false));
    for same in ["id", "name", "base_url", "auth", "endpoints", "created_at"] {
        assert_eq!(after.at(same), before.at(same), "{same}");
    }
    assert_eq!(server.ask("GET", &path, None).await.json(), after.json());
}

#[tokio::test]
async fn what_cannot_be_changed_is_said() {
    let server = Server::start().await;
    let id = server.create(&integration("shop", "https://a.example")).await;
    let path = format!("/integrations/{id}");
    let before = server.ask("GET", &path, None).await.expect(200);
    for (body, place) in [
        ("{}", r#"["body"]"#),
        (r#"{"name":"shop"}"#, r#"["body"]"#),
        (r#"{"nothing":1}"#, r#"["body"]"#),
        (r#"{"protocol":"rest"}"#, r#"["body"]"#),
        (r#"{"name":"shop","protocol":"rest"}"#, r#"["body"]"#),
        (r#"{"auth":{}}"#, r#"["body"]"#),
        (r#"{"auth":{"type":"api_key_header"}}"#, r#"["body"]"#),
        (r#"{"name":"shop","auth":{"type":"api_key_header"}}"#, r#"["body"]"#),
        (r#"{"auth":{"type":null}}"#, r#"["body","auth","type"]"#),
        (r#"{"name":"other"}"#, r#"["body","name"]"#),
        (r#"{"name":"other","enabled":false}"#, r#"["body","name"]"#),
        (r#"{"protocol":"desktop"}"#, r#"["body","protocol"]"#),
        (r#"{"protocol":5,"enabled":false}"#, r#"["body","protocol"]"#),
        (r#"{"display_name":null}"#, r#"["body","display_name"]"#),
        (r#"{"endpoints":[{"name":"x","description":"","path":"/{"}]}"#, r#"["body","endpoints",0,"path"]"#),
        (r#"{"auth":{"header_nam":"X"}}"#, r#"["body","auth","header_nam"]"#),
        (r#"{"auth":{"bearer_token_value":{"value":"x"}}}"#, r#"["body","auth","bearer_token_value"]"#),
        (r#"{"auth":{"type":"bearer_token"}}"#, r#"["body","auth","bearer_token_value"]"#),
        ("[]", r#"["body"]"#),
    ] {
        let answer = server.ask("PATCH", &path, Some(body)).await.expect(422);
        assert_eq!(answer.at("detail.0.loc").to_string(), place, "{body}: {}", answer.text);
    }
    assert_eq!(server.ask("GET", &path, None).await.json(), before.json());
    // What can be changed may be given as it is, so that a change can be sent twice.
    for auth in ["{}", r#"{"type":"api_key_header"}"#] {
        let body = format!(r#"{{"name":"shop","protocol":"rest","auth":{auth},"enabled":false}}"#);
        let changed = server.ask("PATCH", &path, Some(&body)).await.expect(200);
        assert_eq!(changed.at("auth"), before.at("auth"), "{body}");
        assert_eq!(changed.at("enabled"), Json::Bool(false), "{body}");
    }
}

#[tokio::test]
async fn a_secret_alone_rotates_it_and_the_next_call_uses_it() {
    let upstream = echo().await;
    let server = Server::start().await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    assert_eq!(seen(&server, &id).await, "x is 18");
    let rotated = r#"{"auth":{"api_key_value":{"value":"sk-new"}}}"#;
    let answer = server.ask("PATCH", &format!("/integrations/{id}"), Some(rotated)).await.expect(200);
    assert_eq!(answer.text_at("auth.header_name"), "X-Key");
    assert_eq!(seen(&server, &id).await, "x is 6");
}

#[tokio::test]
async fn auth_is_cleared_by_null_and_its_secret_is_gone() {
    let upstream = echo().await;
    let server = Server::start().await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    let path = format!("/integrations/{id}");
    let cleared = server.ask("PATCH", &path, Some(r#"{"auth":null}"#)).await.expect(200);
    assert_eq!(cleared.at("auth"), Json::Null);
    assert_eq!(seen(&server, &id).await, "x is 4");
    // The old secret does not come back with the type.
    let back = r#"{"auth":{"type":"api_key_header","header_name":"X-Key"}}"#;
    let refused = server.ask("PATCH", &path, Some(back)).await.expect(422);
    assert_eq!(refused.at("detail.0.loc").to_string(), r#"["body","auth","api_key_value"]"#);
}

#[tokio::test]
async fn a_type_is_changed_with_its_own_secret_only() {
    let server = Server::start().await;
    let id = server.create(&integration("shop", "https://a.example")).await;
    let change = r#"{"auth":{"type":"bearer_token","bearer_token_value":{"value":"tok-123456"}}}"#;
    let changed = server.ask("PATCH", &format!("/integrations/{id}"), Some(change)).await.expect(200);
    assert_eq!(changed.text_at("auth.type"), "bearer_token");
    assert_eq!(changed.at("auth.header_name"), Json::Null, "a field of the old type does not stay");
}

#[tokio::test]
async fn credentials_do_not_move_to_another_origin_without_their_secret() {
    let upstream = echo().await;
    let thief = echo().await;
    let server = Server::start().await;
    let to = thief.url();
    let key = integration("shop", &upstream.url());
    let oauth = format!(
        r#"{{"name":"oauth","display_name":"O","base_url":"{0}","auth":{{"type":"oauth2_client_credentials",
            "token_url":"{0}/token","client_id":"c","client_secret_value":{{"value":"client-secret-1"}}}}}}"#,
        upstream.url()
    );
    let pem = include_str!("../../../crates/callout-cli/demo/demo-key.pem").replace('\n', "\\n");
    let assertion = format!(
        r#"{{"name":"jwt","display_name":"J","base_url":"{to}","auth":{{"type":"oauth2_jwt_bearer",
            "assertion_issuer":"me","token_url":"{}/token","private_key_value":{{"value":"{pem}"}}}}}}"#,
        upstream.url()
    );
    let exchange = format!(
        r#"{{"name":"exchange","display_name":"E","base_url":"{0}","auth":{{"type":"bearer_token_exchange",
            "exchange_url":"{0}/token","exchange_secret_value":{{"value":"exchange-secret"}}}}}}"#,
        upstream.url()
    );
    let absolute = format!(
        r#"{{"name":"absolute","display_name":"A","auth":{{"type":"api_key_header","header_name":"X-Key",
            "api_key_value":{{"value":"sk-absolute"}}}},
            "endpoints":[{{"name":"go","description":"","method":"GET","path":"{}/x"}}]}}"#,
        upstream.url()
    );
    let endpoint = format!(r#"[{{"name":"go","description":"","method":"GET","path":"{to}/x"}}]"#);
    let jwt = r#"{"type":"api_key_header","header_name":"X-Key","api_key_value":{"value":"sk-given-anew"}}"#;
    for (body, change, place) in [
        (&key, format!(r#"{{"base_url":"{to}"}}"#), r#"["body","base_url"]"#),
        (&oauth, format!(r#"{{"auth":{{"token_url":"{to}/token"}}}}"#), r#"["body","auth","token_url"]"#),
        (&oauth, format!(r#"{{"base_url":"{to}"}}"#), r#"["body","base_url"]"#),
        // The same secret serves another type: its origin is asked for there too.
        (
            &oauth,
            format!(r#"{{"auth":{{"type":"json_token_exchange","token_url":"{to}/token","client_id":"c"}}}}"#),
            r#"["body","auth","token_url"]"#,
        ),
        (&exchange, format!(r#"{{"auth":{{"exchange_url":"{to}/token"}}}}"#), r#"["body","auth","exchange_url"]"#),
        // The API would get an assertion in place of a token.
        (&assertion, r#"{"auth":{"token_url":null}}"#.to_owned(), r#"["body","auth","token_url"]"#),
        (&assertion, r#"{"auth":{"token_url":""}}"#.to_owned(), r#"["body","auth","token_url"]"#),
        (&absolute, format!(r#"{{"endpoints":{endpoint}}}"#), r#"["body","endpoints",0,"path"]"#),
    ] {
        let id = server.create(body).await;
        let path = format!("/integrations/{id}");
        let refused = server.ask("PATCH", &path, Some(&change)).await;
        let places = refused.text.clone();
        refused.expect(422);
        assert!(places.contains(place), "{change}: {places}");
        let call = format!("{path}/endpoints/go/test");
        server.ask("POST", &call, Some(r#"{"params":{"id":1}}"#)).await;
        server.ask("DELETE", &path, None).await.expect(204);
    }
    assert_eq!(thief.count(), 0, "nothing was sent");
    assert!(upstream.count() > 0, "the calls went where they went before");

    // With the secret in the same request it may; without auth there is nothing to collect.
    let id = server.create(&key).await;
    let path = format!("/integrations/{id}");
    let moved = format!(r#"{{"base_url":"{to}","auth":{jwt}}}"#);
    server.ask("PATCH", &path, Some(&moved)).await.expect(200);
    assert_eq!(seen(&server, &id).await, "x is 13");
    server.ask("PATCH", &path, Some(r#"{"auth":null}"#)).await.expect(200);
    server.ask("PATCH", &path, Some(&format!(r#"{{"base_url":"{}"}}"#, upstream.url()))).await.expect(200);
}

#[tokio::test]
async fn a_second_secret_does_not_move_along_with_the_first() {
    let server = Server::start().await;
    let pem = include_str!("../../../crates/callout-cli/demo/demo-key.pem").replace('\n', "\\n");
    let body = format!(
        r#"{{"name":"jwt","display_name":"J","base_url":"https://a.example","auth":{{"type":"oauth2_jwt_bearer",
            "assertion_issuer":"me","client_id":"c","token_url":"https://id.example/token",
            "private_key_value":{{"value":"{pem}"}},"client_secret_value":{{"value":"client-secret-1"}}}}}}"#
    );
    let id = server.create(&body).await;
    let path = format!("/integrations/{id}");
    let to = r#""token_url":"https://evil.example/token""#;
    let with_one = format!(r#"{{"auth":{{{to},"private_key_value":{{"value":"{pem}"}}}}}}"#);
    let refused = server.ask("PATCH", &path, Some(&with_one)).await.expect(422);
    assert!(refused.text.contains("auth.client_secret_value"), "{}", refused.text);
    let with_both =
        format!(r#"{{"auth":{{{to},"private_key_value":{{"value":"{pem}"}},"client_secret_value":{{"value":"n"}}}}}}"#);
    server.ask("PATCH", &path, Some(&with_both)).await.expect(200);
}

/// An upstream that issues tokens, and an integration with two secrets that gets them there.
async fn with_two_secrets(server: &Server, pem: &str) -> (Upstream, String) {
    let upstream = Upstream::with(|request: &Recorded| {
        let token = r#"{"access_token":"t0ken","token_type":"Bearer","expires_in":60}"#;
        Reply::json(200, if request.path() == "/token" { token } else { "{}" })
    })
    .await;
    let body = format!(
        r#"{{"name":"jwt","display_name":"J","base_url":"{0}","auth":{{"type":"oauth2_jwt_bearer",
            "assertion_issuer":"me","client_id":"c","token_url":"{0}/token",
            "private_key_value":{{"value":"{pem}"}},"client_secret_value":{{"value":"client-secret-1"}}}},
            "endpoints":[{{"name":"go","description":"","method":"GET","path":"/go"}}]}}"#,
        upstream.url()
    );
    let id = server.create(&body).await;
    (upstream, format!("/integrations/{id}"))
}

#[tokio::test]
async fn null_takes_a_secret_away_that_the_type_can_do_without() {
    let server = Server::start().await;
    let pem = include_str!("../../../crates/callout-cli/demo/demo-key.pem").replace('\n', "\\n");
    let (upstream, path) = with_two_secrets(&server, &pem).await;
    let call = format!("{path}/endpoints/go/test");
    for (change, has_secret) in [(r#"{"enabled":true}"#, true), (r#"{"auth":{"client_secret_value":null}}"#, false)] {
        server.ask("PATCH", &path, Some(change)).await.expect(200);
        let called = server.ask("POST", &call, Some(r#"{"params":{}}"#)).await.expect(200);
        assert_eq!(called.at("error"), Json::Null, "{}", called.text);
        let requests = upstream.requests();
        let asked: Vec<_> = requests.iter().filter(|request| request.path() == "/token").collect();
        let text = asked.last().unwrap().text();
        assert_eq!(text.contains("client_secret"), has_secret, "{change}: {text}");
        assert_eq!(asked.len(), if has_secret { 1 } else { 2 }, "a token got with it is not used without it");
    }
    let refused = server.ask("PATCH", &path, Some(r#"{"auth":{"private_key_value":null}}"#)).await.expect(422);
    assert_eq!(refused.at("detail.0.loc").to_string(), r#"["body","auth","private_key_value"]"#);
    // What is gone goes nowhere: the other one alone lets the token endpoint move.
    let to = r#""token_url":"https://id.example/token""#;
    let moved = format!(r#"{{"auth":{{{to},"private_key_value":{{"value":"{pem}"}}}}}}"#);
    server.ask("PATCH", &path, Some(&moved)).await.expect(200);
}

#[tokio::test]
async fn a_secret_does_not_move_because_another_does_not_open() {
    let server = Server::start().await;
    let pem = include_str!("../../../crates/callout-cli/demo/demo-key.pem").replace('\n', "\\n");
    let (upstream, path) = with_two_secrets(&server, &pem).await;
    // Past the server, which does not open the other one then either.
    let database = server.folder().join("callout.db");
    let mut on = SqliteConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    let damage = "UPDATE sealed_secrets SET ciphertext = X'00' WHERE path LIKE '%/private_key'";
    assert_eq!(sqlx::query(damage).execute(&mut on).await.unwrap().rows_affected(), 1);

    let key = format!(r#""private_key_value":{{"value":"{pem}"}}"#);
    let moved = format!(r#"{{"auth":{{"token_url":"https://evil.example/token",{key}}}}}"#);
    let refused = server.ask("PATCH", &path, Some(&moved)).await.expect(422);
    assert!(refused.text.contains("auth.client_secret_value"), "{}", refused.text);

    // Where it was it may be given anew, and the other one is sent as before.
    server.ask("PATCH", &path, Some(&format!(r#"{{"auth":{{{key}}}}}"#))).await.expect(200);
    let call = format!("{path}/endpoints/go/test");
    let called = server.ask("POST", &call, Some(r#"{"params":{}}"#)).await.expect(200);
    assert_eq!(called.at("error"), Json::Null, "{}", called.text);
    let requests = upstream.requests();
    let asked = requests.iter().find(|request| request.path() == "/token").unwrap();
    assert!(asked.text().contains("client_secret=client-secret-1"), "{}", asked.text());
}

#[tokio::test]
async fn of_two_changes_at_once_one_wins_and_the_other_is_told() {
    let server = Server::start().await;
    let id = server.create(&integration("shop", "https://a.example")).await;
    let path = format!("/integrations/{id}");
    let mut told = 0;
    for round in 0..10 {
        let bodies: Vec<_> = (0..8).map(|at| format!(r#"{{"display_name":"{round}-{at}"}}"#)).collect();
        let asked = bodies.iter().map(|body| server.ask("PATCH", &path, Some(body)));
        let answers = futures_util::future::join_all(asked).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert!(!won.is_empty(), "somebody wins");
        told +=
            answers.iter().filter(|answer| answer.status == 409 && answer.text_at("error_code") == "changed").count();
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409)), "{answers:?}");
        let now = server.ask("GET", &path, None).await.text_at("display_name");
        assert!(won.iter().any(|answer| answer.text_at("display_name") == now), "{now} is nobody's");
    }
    assert!(told > 0, "the changes did not meet");
}
