//! Several servers before one database: what one changes, all see.

use callout_server::ServerOptions;
use callout_store::StoreOptions;
use callout_tests::{Recorded, Reply, Upstream};

use super::{Server, integration};

async fn follow(one: &Server, two: &Server) {
    let upstream = Upstream::with(|request: &Recorded| {
        Reply::json(200, format!(r#"{{"a":{}}}"#, request.header("x-key").unwrap_or_default().len()))
    })
    .await;
    let id = one.create(&integration("shop", &upstream.url())).await;
    let test = two.path(&format!("/integrations/{id}/endpoints/go/test"));
    let params = Some(r#"{"params":{"id":1}}"#);
    let tested = async || two.ask_as(Some(&one.owner), "POST", &test, params).await.expect(200).text_at("final_result");
    assert_eq!(tested().await, "x is 18");
    let rotated = r#"{"auth":{"api_key_value":{"value":"sk-new"}}}"#;
    one.ask("PATCH", &format!("/integrations/{id}"), Some(rotated)).await.expect(200);
    assert_eq!(tested().await, "x is 6", "the other server uses the new secret at once");
    one.ask("DELETE", &format!("/integrations/{id}"), None).await.expect(204);
    two.ask_as(Some(&one.owner), "POST", &test, params).await.expect(404);
}

#[tokio::test]
async fn two_servers_on_one_file() {
    let one = Server::start().await;
    let database = one.folder().join("callout.db").display().to_string();
    let two = Server::on(StoreOptions::new(database.parse().unwrap()), ServerOptions::default()).await;
    assert!(two.operator.is_empty(), "the operator's key is made once");
    follow(&one, &two).await;
}
