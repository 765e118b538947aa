//! Requests of revision 2026-07-28 that are served without the SDK's machinery: nobody can tell.

use callout_mcp::{HttpOptions, HttpService, McpServer, Owner};
use callout_store::Role;
use callout_tests::{Reply, Upstream};
use http::{Method, Request};
use http_body_util::Full;

use crate::{
    endpoint,
    harness::{Server, integration},
    http_client::HttpClient,
    registry,
    revision::META,
};

/// What a client sees of an answer.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    kind: String,
    body: String,
}

/// Asks `tools/call`, with those params and headers.
async fn ask(client: &HttpClient, name: &str, message: &str) -> Seen {
    let mut client = client.clone();
    for (header, value) in [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", name)] {
        if !client.headers.iter().any(|(given, _)| *given == header) {
            client.headers.push((header, value.to_owned()));
        }
    }
    let mut answer = client.send(Method::POST, message).await;
    let kind = answer.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    Seen { status: answer.status, kind: kind.unwrap_or_default(), body: answer.rest().await }
}

fn message(id: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{{params},{META}}}}}"#)
}

#[tokio::test]
async fn a_call_is_answered_as_the_sdk_answers_it() {
    let upstream = Upstream::start().await;
    upstream.reply("/items/7", Reply::json(200, r#"{"a":"seven","b":1}"#));
    upstream.reply("/items/8", Reply::json(404, r#"{"message":"there is no 8"}"#));
    upstream.reply("/items/9", Reply::json(200, r#"[{"n":1.50,"big":123456789012345678901234567890},2]"#));
    let server = Server::start().await;
    server.create(&integration("shop", &upstream.url())).await;
    let plain = integration("plain", &upstream.url()).replace(r#""x is {{ x }}""#, "null");
    let plain = plain.replace(r#""response_filter":["a","b"],"response_mapping":{"x":"a"},"#, "");
    server.create(&plain).await;
    let (_, viewer) = server.key(Role::Viewer, &[]).await;
    for (key, id, name, arguments) in [
        (&server.owner, "1", "shop__go", r#","arguments":{"id":7}"#),
        (&server.owner, r#""a\"b""#, "shop__go", r#","arguments":{"id":8}"#),
        (&server.owner, "-3", "plain__go", r#","arguments":{"id":7}"#),
        (&server.owner, "1", "plain__go", r#","arguments":{"id":9}"#),
        (&server.owner, "1", "shop__go", r#","arguments":{"id":"x"}"#),
        (&server.owner, "1", "shop__go", r#","arguments":null"#),
        (&server.owner, "1", "shop__go", ""),
        (&server.owner, "1", "none__go", r#","arguments":{}"#),
        (&viewer, "1", "shop__go", r#","arguments":{"id":7}"#),
    ] {
        let client = HttpClient::new(&server.address, key);
        let sent = message(id, &format!(r#""name":"{name}"{arguments}"#));
        let direct = ask(&client, name, &sent).await;
        // Two `Accept` headers are unusual enough for the SDK to have a look.
        let mut unusual = client.clone();
        unusual.headers.push(("accept", "text/html".to_owned()));
        assert_eq!(direct, ask(&unusual, name, &sent).await, "{sent}");
        assert_eq!((direct.status, &*direct.kind), (200, "application/json"), "{direct:?}");
    }
}

#[tokio::test]
async fn what_is_amiss_with_a_call_is_said_as_the_sdk_says_it() {
    let server = Server::start().await;
    server.create(&integration("shop", "https://shop.example")).await;
    let good = message("1", r#""name":"shop__go","arguments":{"id":7}"#);
    let client = HttpClient::new(&server.address, &server.owner);
    let with = |header: &'static str, value: &str| {
        let mut client = client.clone();
        client.headers.push((header, value.to_owned()));
        client
    };
    for (client, sent, status) in [
        (with("mcp-method", "tools/list"), good.clone(), 400),
        (with("mcp-name", "other__go"), good.clone(), 400),
        (with("mcp-protocol-version", "2025-06-18"), good.clone(), 400),
        (with("origin", "https://evil.example"), good.clone(), 403),
        (client.clone(), good.replace("2026-07-28", "2026-07-29"), 400),
        (client.clone(), good.replace(r#""io.modelcontextprotocol/clientCapabilities":{}"#, r#""x":1"#), 400),
        (client.clone(), good.replace(r#""2.0""#, r#""1.0""#), 415),
        (client.clone(), good.replace(r#"{"id":7}"#, r#"{"id":7,}"#), 415),
        (client.clone(), good.replace("tools/call", "tools/list"), 400),
        (client.clone(), format!(r#"["2.0",1,"tools/call",{{"name":"shop__go",{META}}}]"#), 415),
        (client.clone(), good.replace(r#""id":1,"#, r#""id":1,"x":2,"#), 200),
    ] {
        let seen = ask(&client, "shop__go", &sent).await;
        assert_eq!(seen.status, status, "{sent} {seen:?}");
    }
    // An array is no object, whatever is in it.
    let meta = META.split_once(':').unwrap().1;
    let array = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["shop__go",{{"id":7}},{meta}]}}"#);
    let seen = ask(&client, "shop__go", &array).await;
    assert!(!seen.body.contains(r#""result""#), "{seen:?}");
    // Progress takes a stream.
    let asks = good.replace(r#""_meta":{"#, r#""_meta":{"progressToken":5,"#);
    let seen = ask(&client, "shop__go", &asks).await;
    assert_eq!((seen.status, &*seen.kind), (200, "text/event-stream"), "{seen:?}");
}

/// Who names another host is a web page under a name of its own (DNS rebinding).
#[tokio::test]
async fn a_call_under_another_host_is_refused() {
    let upstream = Upstream::start().await;
    upstream.reply("/items/7", Reply::json(200, "{}"));
    let server = McpServer::new(registry(&upstream, &[endpoint("item", "/items/{id}", "")]));
    let service = HttpService::new(&server, HttpOptions::default());
    let call = message("1", r#""name":"shop__item","arguments":{"id":7}"#);
    let status = async |host: &str, accepts: &[&str]| {
        let mut request = Request::post("/mcp").header("content-type", "application/json");
        for (name, value) in [
            ("host", host),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "shop__item"),
        ] {
            request = request.header(name, value);
        }
        for accept in accepts {
            request = request.header("accept", *accept);
        }
        let request = request.body(Full::<bytes::Bytes>::from(call.clone())).unwrap();
        service.handle(Owner { tenant: "", id: "one" }, request).await.status().as_u16()
    };
    for (host, expected) in [
        ("localhost", 200),
        ("127.0.0.1:9000", 200),
        ("[::1]:9000", 200),
        ("evil.example", 403),
        ("evil.example:80", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1@evil.example", 403),
        ("", 400),
    ] {
        // The second form is the SDK's to serve.
        for accepts in [&["application/json, text/event-stream"][..], &["application/json", "text/event-stream"]] {
            assert_eq!(status(host, accepts).await, expected, "{host} {accepts:?}");
        }
    }
    assert_eq!(upstream.count(), 6, "only those that are answered are made");
}
