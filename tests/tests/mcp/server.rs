//! `/mcp` on the server: a workspace's tools by either kind of revision, within the bounds of every
//! other request.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use callout_server::ServerOptions;
use callout_tests::{Recorded, Reply, Upstream};
use http::{HeaderMap, Method};
use tokio::sync::Barrier;

use crate::{
    at,
    calls::reached,
    client::call,
    harness::{Server, Silent, integration},
    http_client::HttpClient,
    json, text_at,
};

/// One client of each kind.
async fn both(server: &Server) -> [HttpClient; 2] {
    [HttpClient::start(&server.address, &server.owner).await, HttpClient::new(&server.address, &server.owner)]
}

#[tokio::test]
async fn a_workspaces_endpoints_are_tools_over_http() {
    let upstream = Upstream::start().await;
    upstream.reply("/items/7", Reply::json(200, r#"{"a":"seven","b":1}"#));
    upstream.reply("/items/8", Reply::json(404, r#"{"message":"there is no 8"}"#));
    let server = Server::start().await;
    server.create(&integration("one", &upstream.url())).await;
    let off = server.create(&integration("off", &upstream.url())).await;
    server.ask("PATCH", &format!("/integrations/{off}"), Some(r#"{"enabled":false}"#)).await.expect(200);
    for client in both(&server).await {
        assert_eq!(client.tools().await, ["one__go"], "{client:?}");
        let answer = client.call("one__go", r#"{"id":7}"#).await;
        assert_eq!(text_at(&answer, "result.content.0.text"), "x is seven");
        assert_eq!(text_at(&answer, "result._meta.result_delivery"), "interrupt");
        let answer = client.call("one__go", r#"{"id":8}"#).await;
        assert_eq!(at(&answer, "result.isError"), json("true"));
        assert!(text_at(&answer, "result.content.0.text").contains("there is no 8"), "{answer}");
        let answer = client.call("one__go", r#"{"id":"eight"}"#).await;
        assert_eq!(text_at(&answer, "result._meta.error.code"), "invalid_params");
        let answer = client.call("one__go", r#""{}""#).await;
        assert_eq!(at(&answer, "error.code"), json("-32602"), "no object: {answer}");
        for absent in ["off__go", "none__go"] {
            assert_eq!(at(&client.call(absent, "{}").await, "error.code"), json("-32602"), "{absent}");
        }
    }
    let requests = upstream.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.header("x-key") == Some("sk-live-0123456789")));
    let metrics = server.ask_as(Some(&server.operator), "GET", "/metrics", None).await.expect(200).text;
    for line in [
        r#"callout_calls_total{kind="mcp",outcome="ok"} 2"#,
        r#"callout_calls_total{kind="mcp",outcome="upstream_status"} 2"#,
        r#"callout_calls_total{kind="mcp",outcome="invalid_params"} 2"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

#[tokio::test]
async fn params_are_called_over_http_by_the_names_that_are_listed() {
    let upstream = Upstream::start().await;
    upstream.reply("/items/7", Reply::json(200, r#"{"a":"seven"}"#));
    let server = Server::start().await;
    let properties = r#""properties":{"id":{"type":"integer"}"#;
    let shop = integration("shop", &upstream.url());
    assert!(shop.contains(properties), "{shop}");
    server.create(&shop.replace(properties, &format!(r#"{properties},"at[gte]":{{"type":"integer"}}"#))).await;
    for client in both(&server).await {
        let listed = client.ask("tools/list", "{}").await;
        let shown = text_at(&listed, "result.tools.0.inputSchema.properties.at_gte.description");
        assert_eq!(shown, "The API calls it at[gte]", "{listed}");
        let answer = client.call("shop__go", r#"{"id":7,"at_gte":5}"#).await;
        assert_eq!(text_at(&answer, "result.content.0.text"), "x is seven");
        let answer = client.call("shop__go", r#"{"id":7,"at_gte":"x"}"#).await;
        assert!(text_at(&answer, "result.content.0.text").contains("at_gte: must be an integer"), "{answer}");
    }
    let targets: Vec<_> = upstream.requests().iter().map(|request| request.target.clone()).collect();
    assert_eq!(targets, ["/items/7?at%5Bgte%5D=5"; 2]);
}

#[tokio::test]
async fn half_a_surrogate_pair_is_read_over_http_too() {
    let server = Server::start().await;
    server.create(&integration("shop", "https://shop.example")).await;
    let client = HttpClient::start(&server.address, &server.owner).await;
    let answer = client.call("shop__go", r#"{"id":"\ud83d"}"#).await;
    assert!(text_at(&answer, "result.content.0.text").contains("id: must be an integer, not \"\u{fffd}\""), "{answer}");
}

#[tokio::test]
async fn what_changes_is_called_as_it_is_now() {
    let (before, after) = (Upstream::start().await, Upstream::start().await);
    before.reply("/items/1", Reply::json(200, r#"{"a":"before"}"#));
    after.reply("/items/1", Reply::json(200, r#"{"a":"after"}"#));
    let server = Server::start().await;
    let id = server.create(&integration("shop", &before.url())).await;
    let client = HttpClient::new(&server.address, &server.owner);
    assert_eq!(text_at(&client.call("shop__go", r#"{"id":1}"#).await, "result.content.0.text"), "x is before");
    let moved = format!(r#"{{"base_url":"{}","auth":{{"api_key_value":{{"value":"sk-other"}}}}}}"#, after.url());
    server.ask("PATCH", &format!("/integrations/{id}"), Some(&moved)).await.expect(200);
    assert_eq!(text_at(&client.call("shop__go", r#"{"id":1}"#).await, "result.content.0.text"), "x is after");
    assert_eq!(after.requests()[0].header("x-key"), Some("sk-other"));

    // One that comes after the list was made is found all the same, and one that goes is not.
    server.create(&integration("late", &after.url())).await;
    assert_eq!(text_at(&client.call("late__go", r#"{"id":1}"#).await, "result.content.0.text"), "x is after");
    server.ask("DELETE", &format!("/integrations/{id}"), None).await.expect(204);
    assert_eq!(at(&client.call("shop__go", r#"{"id":1}"#).await, "error.code"), json("-32602"));
    assert_eq!(client.tools().await, ["late__go"]);

    // One that came in the place of another, under its name, is found by those who only call.
    let id = server.create(&integration("shop", &before.url())).await;
    assert_eq!(client.tools().await, ["late__go", "shop__go"]);
    server.ask("DELETE", &format!("/integrations/{id}"), None).await.expect(204);
    server.create(&integration("shop", &after.url())).await;
    assert_eq!(text_at(&client.call("shop__go", r#"{"id":1}"#).await, "result.content.0.text"), "x is after");
}

#[tokio::test]
async fn progress_is_told_over_http_too() {
    let upstream = Upstream::start().await;
    upstream.reply("/items/1", Reply::json(200, r#"{"a":1}"#));
    let server = Server::start().await;
    server.create(&integration("shop", &upstream.url())).await;
    let asked = r#"{"name":"shop__go","arguments":{"id":1},"_meta":{"progressToken":5}}"#;
    let client = HttpClient::start(&server.address, &server.owner).await;
    let mut messages = client.begin(1, "tools/call", asked).await;
    let mut lines = Vec::new();
    loop {
        let message = messages.message().await.unwrap();
        if message.get("id").is_some() {
            break;
        }
        lines.push(text_at(&message, "params.message"));
    }
    assert_eq!(lines, ["started", "attempt 1: GET sent"]);
}

#[tokio::test]
async fn a_call_that_is_cancelled_over_http_closes_its_connection() {
    let upstream = Upstream::with(|_: &Recorded| Reply::stall()).await;
    let server = Server::start().await;
    server.create(&integration("shop", &upstream.url())).await;
    let [with_session, without] = both(&server).await;

    // With a session by a word,
    let messages = with_session.begin(9, "tools/call", &call("shop__go", r#"{"id":1}"#)).await;
    reached(&upstream, 1).await;
    let word = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}"#;
    assert_eq!(with_session.send(Method::POST, word).await.status, 202);
    assert!(upstream.settled(0).await, "the upstream's connection stays open");
    drop(messages);

    // without one by going away.
    let going = tokio::spawn(async move { without.begin(9, "tools/call", &call("shop__go", r#"{"id":2}"#)).await });
    reached(&upstream, 2).await;
    assert_eq!(upstream.open_connections(), 1);
    going.abort();
    assert!(upstream.settled(0).await, "the upstream's connection stays open");
}

#[tokio::test]
async fn fifty_calls_over_http_run_at_once() {
    let all = Arc::new(Barrier::new(50));
    let at_once = move |request: &Recorded| Reply::json(200, format!(r#"{{"a":"{}"}}"#, request.target)).together(&all);
    let upstream = Upstream::with(at_once).await;
    let server = Server::start().await;
    server.create(&integration("shop", &upstream.url())).await;
    for client in both(&server).await {
        let calls = (0..50).map(|id| {
            let client = client.clone();
            async move { (id, client.begin(id, "tools/call", &call("shop__go", &format!(r#"{{"id":{id}}}"#))).await) }
        });
        for (id, mut messages) in futures_util::future::join_all(calls).await {
            let answer = messages.message().await.unwrap();
            assert_eq!(text_at(&answer, "result.content.0.text"), format!("x is /items/{id}"));
        }
    }
}

#[tokio::test]
async fn a_call_counts_among_its_workspaces_until_it_ends() {
    let upstream = Upstream::with(|_: &Recorded| Reply::stall()).await;
    let mut options = ServerOptions::default();
    options.max_requests_per_workspace = 2;
    let server = Server::with(options).await;
    server.create(&integration("shop", &upstream.url())).await;
    let client = HttpClient::start(&server.address, &server.owner).await;
    // The answers have begun; the calls have not ended. A word in a header makes none of them a listener.
    let first = client.begin(1, "tools/call", &call("shop__go", r#"{"id":1}"#)).await;
    let mut pretending = client.clone();
    pretending.headers.push(("mcp-method", "subscriptions/listen".to_owned()));
    let _second = pretending.begin(2, "tools/call", &call("shop__go", r#"{"id":2}"#)).await;
    assert_eq!(first.status, 200);
    reached(&upstream, 2).await;
    let refused = server.ask("GET", "/integrations", None).await.expect(429);
    assert_eq!(refused.text_at("error_code"), "too_many_in_flight");
    assert_eq!(client.begin(3, "tools/list", "{}").await.status, 429);
    // The word that ends one would be the third request; the operator can still look.
    server.ask_as(Some(&server.operator), "GET", &server.path("/integrations"), None).await.expect(200);
}

#[tokio::test]
async fn listening_takes_nothing_of_the_workspaces_share() {
    let mut options = ServerOptions::default();
    options.max_requests_per_workspace = 2;
    let server = Server::with(options).await;
    let mut listening = Vec::new();
    for _ in 0..4 {
        let client = HttpClient::new(&server.address, &server.owner);
        let mut messages =
            client.begin(1, "subscriptions/listen", r#"{"notifications":{"toolsListChanged":true}}"#).await;
        assert_eq!(messages.status, 200);
        let first = messages.message().await.unwrap();
        assert_eq!(text_at(&first, "method"), "notifications/subscriptions/acknowledged");
        listening.push(messages);
        // Its own answer may still count for a moment.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Nor do the streams of sessions.
    for _ in 0..4 {
        let client = HttpClient::start(&server.address, &server.owner).await;
        let stream = client.listen(None).await;
        assert_eq!(stream.status, 200);
        listening.push(stream);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(HttpClient::new(&server.address, &server.owner).tools().await.is_empty());
}

#[tokio::test]
async fn mcp_requests_have_the_bounds_of_others() {
    let mut options = ServerOptions::default();
    options.requests_per_minute = NonZeroU32::new(3);
    let server = Server::with(options).await;
    let client = HttpClient::new(&server.address, &server.owner);
    let large = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":"{}"}}}}"#, "x".repeat(2 << 20));
    assert_eq!(client.send(Method::POST, &large).await.status, 413);
    let mut answer = client.send(Method::PUT, "").await;
    assert_eq!(answer.status, 405);
    assert!(answer.rest().await.contains("method_not_allowed"));
    assert_eq!(client.begin(1, "tools/list", "{}").await.headers["x-ratelimit-remaining"], "0");
    assert_eq!(client.begin(1, "tools/list", "{}").await.status, 429);
}

#[tokio::test]
async fn web_pages_are_refused_but_those_of_origins_that_may() {
    let mut options = ServerOptions::default();
    options.mcp_origins = vec!["https://app.example:443".parse().unwrap()];
    let server = Server::with(options).await;
    for (origin, status) in [
        ("https://app.example", 200),
        ("http://app.example", 403),
        ("https://evil.example", 403),
        ("http://localhost:8080", 403),
        ("null", 403),
    ] {
        let mut client = HttpClient::new(&server.address, &server.owner);
        client.headers.push(("origin", origin.to_owned()));
        let answer = client.begin(1, "tools/list", "{}").await;
        let permits = |headers: &HeaderMap| headers.get("access-control-allow-origin").is_some_and(|it| it == origin);
        assert_eq!((answer.status, permits(&answer.headers)), (status, status == 200), "{origin}");

        // What a browser asks first, without a key.
        client.key.clear();
        client.headers.push(("access-control-request-method", "POST".to_owned()));
        client.headers.push(("access-control-request-headers", "authorization,mcp-param-x".to_owned()));
        let answer = client.send(Method::OPTIONS, "").await;
        assert_eq!(permits(&answer.headers), status == 200, "{origin} {:?}", answer.headers);
        assert_eq!(answer.headers["access-control-allow-headers"], "authorization,mcp-param-x");
        let mut client = HttpClient::new(&server.address, "");
        client.headers.push(("origin", origin.to_owned()));
        assert_eq!(client.begin(1, "tools/list", "{}").await.status, 401, "a key is needed all the same");
    }
    let server = Server::start().await;
    assert_eq!(HttpClient::new(&server.address, "").send(Method::OPTIONS, "").await.status, 401, "no origin may ask");
}

#[tokio::test]
async fn tools_whose_secrets_cannot_be_had_are_waited_for_once() {
    let silent = Silent::default();
    let server = Server::with_secrets(&silent).await;
    server.create(&integration("shop", "https://shop.example")).await;
    let client = HttpClient::new(&server.address, &server.owner);
    let ask = || async { client.begin(7, "tools/list", "{}").await.message().await.unwrap() };
    let mut all = Box::pin(futures_util::future::join_all([ask(), ask(), ask()]));
    assert!(tokio::time::timeout(Duration::from_secs(1), all.as_mut()).await.is_err(), "they wait");
    server.clock.advance(Duration::from_secs(31));
    let answers = tokio::time::timeout(Duration::from_secs(10), all).await;
    for answer in answers.unwrap() {
        assert!(answer.get("error").is_some(), "{answer}");
    }
    assert_eq!(silent.asked(), 1);
}
