//! Revision 2026-07-28: no handshake, each request says what it needs to.

use callout_tests::{Reply, Upstream};
use http::Method;

use crate::{
    at,
    client::{Client, initialize},
    endpoint,
    harness::Server,
    http_client::HttpClient,
    json, registry, text_at, tools,
};

/// What each request of the revision carries.
pub(crate) const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

#[tokio::test]
async fn requests_stand_for_themselves() {
    let upstream = Upstream::start().await;
    upstream.reply("/array", Reply::json(200, "[1,2]"));
    let mut client = Client::connect(registry(&upstream, &[endpoint("array", "/array", "")]));
    let found = client.ask("server/discover", &format!("{{{META}}}")).await;
    let versions = at(&found, "result.supportedVersions");
    assert!(versions.as_array().unwrap().iter().any(|version| version.as_str() == Some("2026-07-28")), "{found}");
    assert_eq!(at(&found, "result.capabilities.tools.listChanged"), json("true"));
    assert!(text_at(&found, "result.instructions").contains("isError"));

    let listed = client.ask("tools/list", &format!("{{{META}}}")).await;
    assert_eq!(text_at(&listed, "result.tools.0.name"), "shop__array");
    let answer = client.ask("tools/call", &format!(r#"{{"name":"shop__array","arguments":{{}},{META}}}"#)).await;
    // Any JSON may be a structure now.
    assert_eq!(at(&answer, "result.structuredContent"), json("[1,2]"), "{answer}");
}

#[tokio::test]
async fn those_who_listen_are_told_of_changes() {
    let upstream = Upstream::start().await;
    let registry = registry(&upstream, &[endpoint("one", "/one", "")]);
    let mut client = Client::connect(registry.clone());
    client.ask("server/discover", &format!("{{{META}}}")).await;
    registry.replace(callout::ToolRegistry::new());

    let listening = format!(r#"{{"notifications":{{"toolsListChanged":true,"promptsListChanged":true}},{META}}}"#);
    let id = client.begin("subscriptions/listen", &listening).await;
    let accepted = client.next_told().await;
    assert_eq!(text_at(&accepted, "method"), "notifications/subscriptions/acknowledged");
    assert_eq!(at(&accepted, "params.notifications"), json(r#"{"toolsListChanged":true}"#), "{accepted}");
    registry.replace(tools(&upstream, &[endpoint("two", "/two", "")]));
    let told = client.next_told().await;
    assert_eq!(text_at(&told, "method"), "notifications/tools/list_changed");
    assert_eq!(at(&told, "params._meta").as_object().unwrap().iter().next().map(|(_, id)| id.clone()), Some(id.into()));
}

#[tokio::test]
async fn a_revision_with_batches_is_not_agreed_on() {
    let upstream = Upstream::start().await;
    let registry = registry(&upstream, &[endpoint("one", "/one", "")]);
    let server = Server::start().await;
    for (asked, given) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2024-11-05"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("2020-01-01", "2025-11-25"),
    ] {
        let params = initialize().replace("2025-06-18", asked);
        let mut client = Client::connect(registry.clone());
        let answer = client.ask("initialize", &params).await;
        assert_eq!(text_at(&answer, "result.protocolVersion"), given, "{asked}");
        client.say("notifications/initialized", "{}").await;
        assert_eq!(text_at(&client.ask("tools/list", "{}").await, "result.tools.0.name"), "shop__one", "{asked}");

        let client = HttpClient::new(&server.address, &server.owner);
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{params}}}"#);
        let answer = client.send(Method::POST, &body).await.message().await.unwrap();
        assert_eq!(text_at(&answer, "result.protocolVersion"), given, "{asked} over HTTP");
    }
    let mut client = Client::connect(registry);
    let found = client.ask("server/discover", &format!("{{{META}}}")).await;
    let versions = json(r#"["2024-11-05","2025-06-18","2025-11-25","2026-07-28"]"#);
    assert_eq!(at(&found, "result.supportedVersions"), versions);
}
