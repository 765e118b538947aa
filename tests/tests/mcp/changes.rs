//! Tools that change while clients are there.

use std::time::Duration;

use callout_tests::{Reply, Upstream};

use crate::{at, client::Client, endpoint, registry, text_at, tools};

#[tokio::test]
async fn clients_are_told_when_they_would_see_another_list() {
    let upstream = Upstream::start().await;
    upstream.reply("/one", Reply::json(200, "1"));
    upstream.reply("/uno", Reply::json(200, "11"));
    let registry = registry(&upstream, &[endpoint("one", "/one", "")]);
    let mut client = Client::start(registry.clone()).await;
    assert_eq!(at(&client.ask("tools/list", "{}").await, "result.tools").as_array().unwrap().len(), 1);

    // Another path is no matter of the list; calls take it all the same.
    assert!(!registry.replace(tools(&upstream, &[endpoint("one", "/uno", "")])));
    assert_eq!(text_at(&client.call("shop__one", "{}").await, "result.content.0.text"), "11");
    assert!(client.told.is_empty(), "{:?}", client.told);

    assert!(registry.replace(tools(&upstream, &[endpoint("one", "/uno", ""), endpoint("two", "/two", "")])));
    assert_eq!(text_at(&client.next_told().await, "method"), "notifications/tools/list_changed");
    assert_eq!(at(&client.ask("tools/list", "{}").await, "result.tools").as_array().unwrap().len(), 2);

    assert!(registry.replace(callout::ToolRegistry::new()));
    assert_eq!(text_at(&client.next_told().await, "method"), "notifications/tools/list_changed");
    assert_eq!(text_at(&client.call("shop__one", "{}").await, "error.message"), "Unknown tool: shop__one");
}

#[tokio::test]
async fn calls_in_flight_end_as_they_began() {
    let upstream = Upstream::start().await;
    upstream.reply("/slow", Reply::json(200, r#"{"slow":true}"#).after(Duration::from_millis(300)));
    let registry = registry(&upstream, &[endpoint("slow", "/slow", "")]);
    let mut client = Client::start(registry.clone()).await;
    let id = client.begin("tools/call", &crate::client::call("shop__slow", "{}")).await;
    crate::calls::reached(&upstream, 1).await;
    registry.replace(callout::ToolRegistry::new());
    assert_eq!(text_at(&client.answer(id).await, "result.content.0.text"), r#"{"slow":true}"#);
}
