//! Sessions and announcements of `/mcp`: whose they are, how many, what they are told, how they end.

use std::{sync::Arc, time::Duration};

use callout_server::ServerOptions;
use callout_store::Role;
use callout_tests::{Reply, Upstream};
use http::Method;
use tokio::sync::Barrier;

use crate::{
    calls::reached,
    client::call,
    harness::{Server, integration, key_of},
    http_client::{HttpClient, Messages},
    text_at,
};

const LISTEN: &str = r#"{"notifications":{"toolsListChanged":true}}"#;

#[tokio::test]
async fn a_session_is_its_keys_alone() {
    let server = Server::start().await;
    let (id, other_key) = server.key(Role::Owner, &[]).await;
    let other = server.store.create_workspace("other", &crate::harness::actor()).await.unwrap();
    let (_, foreign) =
        server.store.create_api_key(key_of(other.id, Role::Owner), &crate::harness::actor()).await.unwrap();
    let client = HttpClient::start(&server.address, &server.owner).await;
    assert!(client.tools().await.is_empty());
    let thieves = [other_key.clone(), callout::ExposeSecret::expose_secret(&foreign).to_owned()];
    for key in thieves {
        let thief = HttpClient { key, ..client.clone() };
        assert_eq!(thief.begin(1, "tools/list", "{}").await.status, 404);
        assert_eq!(thief.send(Method::GET, "").await.status, 404);
        assert_eq!(thief.send(Method::DELETE, "").await.status, 404);
    }
    assert_eq!(HttpClient { key: String::new(), ..client.clone() }.begin(1, "tools/list", "{}").await.status, 401);
    assert!(client.tools().await.is_empty(), "it goes on");

    // A session does not outlive its key.
    let mut of_it = HttpClient::start(&server.address, &other_key).await;
    server.ask("DELETE", &format!("/api-keys/{id}"), None).await.expect(204);
    assert_eq!(of_it.begin(1, "tools/list", "{}").await.status, 401);
    // Nor does one go on once it was ended, or was never there.
    assert_eq!(client.send(Method::DELETE, "").await.status, 204);
    assert_eq!(client.begin(1, "tools/list", "{}").await.status, 404);
    of_it.session = Some("00000000-0000-4000-8000-000000000000".to_owned());
    of_it.key.clone_from(&client.key);
    assert_eq!(of_it.begin(1, "tools/list", "{}").await.status, 404);
}

#[tokio::test]
async fn a_rotated_key_has_no_session_any_more() {
    let server = Server::start().await;
    let (id, key) = server.key(Role::Owner, &[]).await;
    let mut client = HttpClient::start(&server.address, &key).await;
    assert!(client.tools().await.is_empty());
    let rotated = server.ask("POST", &format!("/api-keys/{id}/rotate"), None).await.expect(200);
    assert_eq!(client.begin(1, "tools/list", "{}").await.status, 401);
    // It would go on, and be told of no change.
    client.key = rotated.text_at("api_key");
    assert_eq!(client.begin(1, "tools/list", "{}").await.status, 404);
    assert_eq!(client.send(Method::GET, "").await.status, 404);
    let again = HttpClient::start(&server.address, &client.key).await;
    assert!(again.tools().await.is_empty());
}

#[tokio::test]
async fn with_one_session_too_many_the_one_that_rested_longest_ends() {
    let mut options = ServerOptions::default();
    options.max_mcp_sessions = 2;
    let server = Server::with(options).await;
    let first = HttpClient::start(&server.address, &server.owner).await;
    let second = HttpClient::start(&server.address, &server.owner).await;
    assert!(first.tools().await.is_empty());
    let third = HttpClient::start(&server.address, &server.owner).await;
    assert_eq!(second.begin(1, "tools/list", "{}").await.status, 404);
    assert!(first.tools().await.is_empty() && third.tools().await.is_empty());
}

/// Twice as many may listen as there may be sessions, which are among them.
#[tokio::test]
async fn one_listener_too_many_is_told_of_nothing() {
    let mut options = ServerOptions::default();
    options.max_mcp_sessions = 1;
    let server = Server::with(options).await;
    let mut of_session = HttpClient::start(&server.address, &server.owner).await.listen(None).await;
    let client = HttpClient::new(&server.address, &server.owner);
    let mut second = client.begin(1, "subscriptions/listen", LISTEN).await;
    let mut third = client.begin(2, "subscriptions/listen", LISTEN).await;
    for stream in [&mut second, &mut third] {
        let first = stream.message().await.unwrap();
        assert_eq!(text_at(&first, "method"), "notifications/subscriptions/acknowledged", "{first}");
    }
    // It ends, before there is anything to tell.
    while let Some(message) = third.message().await {
        assert!(message.get("method").is_none(), "{message}");
    }
    server.create(&integration("one", "https://one.example")).await;
    for stream in [&mut of_session, &mut second] {
        assert_eq!(text_at(&stream.message().await.unwrap(), "method"), "notifications/tools/list_changed");
    }
}

#[tokio::test]
async fn the_last_stream_of_a_session_is_told_of_changes() {
    let server = Server::start().await;
    let client = HttpClient::start(&server.address, &server.owner).await;
    let others = HttpClient::start(&server.address, &server.owner).await;
    let mut others = others.listen(None).await;
    let mut before = client.listen(None).await;
    let mut after = client.listen(None).await;
    assert_eq!((before.status, after.status), (200, 200));
    assert!(before.message().await.is_none(), "it goes on");
    server.create(&integration("one", "https://one.example")).await;
    for stream in [&mut after, &mut others] {
        assert_eq!(text_at(&stream.message().await.unwrap(), "method"), "notifications/tools/list_changed");
    }
    // So is one that takes up where another was.
    let mut resumed = client.listen(Some(after.last_id())).await;
    assert!(after.message().await.is_none(), "it goes on");
    server.create(&integration("two", "https://two.example")).await;
    assert_eq!(text_at(&resumed.message().await.unwrap(), "method"), "notifications/tools/list_changed");
    assert!(resumed.last_id() > after.last_id(), "what came before is not told again");
    // Of many at once one is left, and it is told.
    let mut many = futures_util::future::join_all((0..8).map(|_| client.listen(None))).await;
    server.create(&integration("three", "https://three.example")).await;
    let told = many.iter_mut().map(|stream| async move {
        while stream.last_id() < "2" && stream.message().await.is_some() {}
        stream.last_id() == "2"
    });
    let told = futures_util::future::join_all(told).await;
    assert_eq!(told.into_iter().filter(|is_told| *is_told).count(), 1);
}

#[tokio::test]
async fn a_request_is_not_taken_twice_before_it_is_answered() {
    let released = Arc::new(Barrier::new(2));
    let upstream = Upstream::start().await;
    upstream.reply("/items/1", Reply::json(200, r#"{"a":"late"}"#).together(&released));
    upstream.reply("/items/2", Reply::stall());
    let server = Server::start().await;
    server.create(&integration("shop", &upstream.url())).await;
    let client = HttpClient::start(&server.address, &server.owner).await;
    let mut first = client.begin(5, "tools/call", &call("shop__go", r#"{"id":1}"#)).await;
    reached(&upstream, 1).await;
    let mut second = client.begin(5, "tools/list", "{}").await;
    let refused = second.message().await.unwrap();
    assert_eq!(text_at(&refused, "error.message"), "the request before it with this id has no answer yet");
    released.wait().await;
    assert_eq!(text_at(&first.message().await.unwrap(), "result.content.0.text"), "x is late");
    let mut third = client.begin(5, "tools/list", "{}").await;
    assert!(third.message().await.unwrap().get("result").is_some(), "it was answered");
    // One that its client gave up without a word goes on.
    drop(client.begin(6, "tools/call", &call("shop__go", r#"{"id":2}"#)).await);
    let mut again = client.begin(6, "tools/list", "{}").await;
    assert!(again.message().await.unwrap().get("error").is_some());
    // After one that was cancelled the id is free.
    let mut cancelled = client.begin(7, "tools/call", &call("shop__go", r#"{"id":2}"#)).await;
    for id in [6, 7] {
        let word = format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#);
        assert_eq!(client.send(Method::POST, &word).await.status, 202);
    }
    assert!(cancelled.message().await.is_none());
    for id in [6, 7] {
        let mut free = client.begin(id, "tools/list", "{}").await;
        assert!(free.message().await.unwrap().get("result").is_some(), "{id}");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_came_meanwhile() {
    let released = Arc::new(Barrier::new(2));
    let upstream = Upstream::start().await;
    upstream.reply("/items/1", Reply::json(200, r#"{"a":"late"}"#).together(&released));
    let server = Server::start().await;
    server.create(&integration("shop", &upstream.url())).await;
    let client = HttpClient::start(&server.address, &server.owner).await;
    let asked = r#"{"name":"shop__go","arguments":{"id":1},"_meta":{"progressToken":5}}"#;
    let is_free = async |id| client.begin(id, "ping", "{}").await.message().await.unwrap().get("result").is_some();
    for (id, has_ended, gives_up) in [(1, false, true), (2, true, true), (3, true, false)] {
        let mut lost = client.begin(id, "tools/call", asked).await;
        assert_eq!(text_at(&lost.message().await.unwrap(), "method"), "notifications/progress");
        let seen = lost.last_id().to_owned();
        reached(&upstream, usize::try_from(id).unwrap()).await;
        // Also one that seems to be there may have lost what was sent to it.
        let _lost = (!gives_up).then_some(lost);
        if has_ended {
            released.wait().await;
            while !is_free(id).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        let mut back = client.listen(Some(&seen)).await;
        assert_eq!(back.status, 200);
        if !has_ended {
            released.wait().await;
        }
        let answer = loop {
            let message = back.message().await.unwrap();
            assert_ne!(back.last_id(), seen, "it came before");
            if message.get("id").is_some() {
                break message;
            }
        };
        assert_eq!(text_at(&answer, "result.content.0.text"), "x is late", "{id}");
        assert!(back.message().await.is_none(), "{id}");
        assert!(is_free(id).await, "{id}");
    }
    // What is another session's is not to be had.
    let other = HttpClient::start(&server.address, &server.owner).await;
    assert!(other.listen(Some("0/2")).await.message().await.is_none());
}

/// A stream of announcements of each kind of revision.
async fn listening(server: &Server, key: &str) -> [Messages; 2] {
    let modern = HttpClient::new(&server.address, key);
    let mut modern = modern.begin(1, "subscriptions/listen", LISTEN).await;
    assert_eq!(text_at(&modern.message().await.unwrap(), "method"), "notifications/subscriptions/acknowledged");
    let with_session = HttpClient::start(&server.address, key).await;
    let stream = with_session.send(Method::GET, "").await;
    assert_eq!(stream.status, 200);
    [modern, stream]
}

#[tokio::test]
async fn changes_of_a_workspaces_tools_are_told_to_its_clients() {
    let server = Server::start().await;
    let other = server.store.create_workspace("other", &crate::harness::actor()).await.unwrap();
    let (_, foreign) =
        server.store.create_api_key(key_of(other.id, Role::Owner), &crate::harness::actor()).await.unwrap();
    let foreign = HttpClient::new(&server.address, callout::ExposeSecret::expose_secret(&foreign));
    let mut foreign = foreign.begin(1, "subscriptions/listen", LISTEN).await;
    foreign.message().await.unwrap();

    let mut streams = listening(&server, &server.owner).await;
    let id = server.create(&integration("shop", "https://shop.example")).await;
    told(&mut streams).await;
    // A new secret changes no list.
    let secret = r#"{"auth":{"api_key_value":{"value":"sk-new"}}}"#;
    server.ask("PATCH", &format!("/integrations/{id}"), Some(secret)).await.expect(200);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    server.ask("PATCH", &format!("/integrations/{id}"), Some(r#"{"enabled":false}"#)).await.expect(200);
    told(&mut streams).await;
    for stream in &mut streams {
        let more = tokio::time::timeout(Duration::from_millis(1500), stream.message()).await;
        assert!(more.is_err(), "told once too often: {more:?}");
    }
    assert!(tokio::time::timeout(Duration::from_millis(100), foreign.message()).await.is_err(), "not theirs");
}

async fn told(streams: &mut [Messages; 2]) {
    for stream in streams {
        assert_eq!(text_at(&stream.message().await.unwrap(), "method"), "notifications/tools/list_changed");
    }
}

#[tokio::test]
async fn nobody_listens_with_a_key_that_is_gone() {
    let server = Server::start().await;
    let stays = HttpClient::start(&server.address, &server.owner).await;
    let mut stays = stays.listen(None).await;
    for (method, path, status) in [("DELETE", "", 204), ("POST", "/rotate", 200)] {
        let (id, key) = server.key(Role::Viewer, &[]).await;
        let [mut modern, mut stream] = listening(&server, &key).await;
        server.ask(method, &format!("/api-keys/{id}{path}"), None).await.expect(status);
        // The end of a subscription is its answer.
        let end = modern.message().await.unwrap();
        assert!(end.get("result").is_some(), "{end}");
        assert!(modern.message().await.is_none());
        assert!(stream.message().await.is_none(), "it was told");
    }
    assert!(tokio::time::timeout(Duration::from_millis(100), stays.message()).await.is_err(), "its key is one");
    // A key ends on its day.
    let (_, key) = server.key(Role::Viewer, &[]).await;
    let [_, mut stream] = listening(&server, &key).await;
    server.clock.advance(Duration::from_hours(24 * 31));
    assert!(stream.message().await.is_none(), "it was told");
    assert!(stays.message().await.is_none(), "it was told");
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams_and_waits_for_its_calls() {
    let upstream = Upstream::start().await;
    upstream.reply("/items/1", Reply::json(200, r#"{"a":"late"}"#).after(Duration::from_secs(1)));
    let mut server = Server::start().await;
    server.create(&integration("shop", &upstream.url())).await;
    let [mut modern, mut stream] = listening(&server, &server.owner.clone()).await;
    let client = HttpClient::start(&server.address, &server.owner).await;
    let mut in_flight = client.begin(1, "tools/call", &call("shop__go", r#"{"id":1}"#)).await;
    let alone = HttpClient::new(&server.address, &server.owner);
    let other = tokio::spawn(async move { alone.call("shop__go", r#"{"id":1}"#).await });
    reached(&upstream, 2).await;
    let ending = server.ask_to_stop();
    assert!(modern.message().await.unwrap().get("result").is_some());
    assert!(stream.message().await.is_none());
    let answer = in_flight.message().await.unwrap();
    assert_eq!(text_at(&answer, "result.content.0.text"), "x is late");
    assert_eq!(text_at(&other.await.unwrap(), "result.content.0.text"), "x is late");
    tokio::time::timeout(Duration::from_secs(10), ending).await.unwrap().unwrap();
}
