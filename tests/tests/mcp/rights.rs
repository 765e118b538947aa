//! Who may do what over `/mcp`: every kind of key × listing, calling and listening. The tools are always
//! those of the key's own workspace, so that there is no other's to ask for.

use std::time::Duration;

use callout::ExposeSecret as _;
use callout_store::{Permission, Role};
use callout_tests::{Reply, Upstream};
use http::Method;

use crate::{
    at,
    harness::{Server, actor, integration, key_of},
    http_client::HttpClient,
    json, text_at,
};

#[tokio::test]
async fn each_key_may_do_over_mcp_what_its_rights_say() {
    let upstream = Upstream::start().await;
    upstream.reply("/items/1", Reply::json(200, r#"{"a":"here"}"#));
    let server = Server::start().await;
    server.create(&integration("shop", &upstream.url())).await;
    let other = server.store.create_workspace("other", &actor()).await.unwrap();
    let (_, foreign) = server.store.create_api_key(key_of(other.id, Role::Owner), &actor()).await.unwrap();
    let (deleted_id, deleted) = server.key(Role::Owner, &[]).await;
    server.store.delete_api_key(server.workspace, deleted_id, &actor()).await.unwrap();
    let (_, viewer) = server.key(Role::Viewer, &[]).await;
    let (_, caller) = server.key(Role::Viewer, &[Permission::IntegrationExecute]).await;
    let (_, member) = server.key(Role::Member, &[]).await;
    // Key, status, whether it is shown the tool, whether it may call it.
    let cases = [
        ("", 401, false, false),
        ("not-a-key", 401, false, false),
        ("callout_0123456789abcdef0123456789abcdef", 401, false, false),
        (&*deleted, 401, false, false),
        (&*server.operator, 403, false, false),
        (foreign.expose_secret(), 200, false, false),
        (&*viewer, 200, true, false),
        (&*caller, 200, true, true),
        (&*member, 200, true, true),
        (&*server.owner, 200, true, true),
    ];
    let mut calls = 0;
    for (key, status, is_shown, may_call) in cases {
        let client = HttpClient::new(&server.address, key);
        let mut listed = client.begin(1, "tools/list", "{}").await;
        assert_eq!(listed.status, status, "{key}");
        for method in [Method::GET, Method::DELETE, Method::PUT] {
            let refused = client.send(method, "").await.status;
            assert!(if status == 200 { refused >= 400 } else { refused == status }, "{key}: {refused}");
        }
        if status != 200 {
            let body = listed.rest().await;
            assert!(body.contains("request_id") && !body.contains("shop"), "{body}");
            continue;
        }
        let listed = listed.message().await.unwrap();
        assert_eq!(at(&listed, "result.tools.0.name").is_null(), !is_shown, "{key}: {listed}");
        let answer = client.call("shop__go", r#"{"id":1}"#).await;
        if may_call {
            calls += 1;
            assert_eq!(text_at(&answer, "result.content.0.text"), "x is here", "{key}");
        } else if is_shown {
            assert_eq!(at(&answer, "error.code"), json("-32600"));
            assert!(text_at(&answer, "error.message").contains("Integration.execute"), "{answer}");
            // What is absent is refused alike.
            assert_eq!(at(&client.call("shop__none", "{}").await, "error"), at(&answer, "error"));
        } else {
            assert_eq!(at(&answer, "error.code"), json("-32602"), "{key}: {answer}");
        }
    }
    assert_eq!(upstream.count(), calls, "what is refused sends nothing");

    // A key ends on its day.
    server.clock.advance(Duration::from_hours(24 * 31));
    assert_eq!(HttpClient::new(&server.address, &member).begin(1, "tools/list", "{}").await.status, 401);
}
