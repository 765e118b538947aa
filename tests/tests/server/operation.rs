//! What an operator relies on: health, metrics, limits, request ids, and an end that loses nothing.

use std::{num::NonZeroU32, pin::pin, sync::Arc, time::Duration};

use callout_server::ServerOptions;
use callout_store::Role;
use callout_tests::{Recorded, Reply, Upstream};
use http::Request;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Barrier,
};

use super::{Server, integration};

#[tokio::test]
async fn health_needs_no_key_and_metrics_need_the_operators() {
    let server = Server::start().await;
    for path in ["/healthz", "/readyz", "/openapi.json", "/docs"] {
        server.ask_as(None, "GET", path, None).await.expect(200);
    }
    server.ask_as(None, "GET", "/metrics", None).await.expect(401);
    server.ask_as(Some(&server.owner), "GET", "/metrics", None).await.expect(403);
    let metrics = server.ask_as(Some(&server.operator), "GET", "/metrics", None).await.expect(200);
    for line in [
        r#"callout_http_requests_total{method="GET",route="/healthz",status="200"} 1"#,
        r#"callout_http_requests_total{method="GET",route="/metrics",status="403"} 1"#,
        "callout_token_fetches_total 0",
        "# EOF",
    ] {
        assert!(metrics.text.contains(line), "{line} is not in {}", metrics.text);
    }
    assert!(!metrics.text.contains(&server.workspace.to_string()), "no ids in labels");
}

#[tokio::test]
async fn the_docs_page_comes_with_its_policy() {
    let server = Server::start().await;
    let page = server.ask_as(None, "GET", "/docs", None).await.expect(200);
    let policy = page.header("content-security-policy");
    let directives: Vec<_> = policy.split("; ").collect();
    for directive in [
        "default-src 'none'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(directives.contains(&directive), "{directive}: {policy}");
    }
    for hashed in ["script-src 'sha256-", "style-src 'sha256-"] {
        let found = directives.iter().find_map(|directive| directive.strip_prefix(hashed));
        // A digest in base64, and a quote.
        assert_eq!(found.map(str::len), Some(45), "{hashed}: {policy}");
    }
    assert_eq!(directives.len(), 8, "{policy}");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
}

#[tokio::test]
async fn a_request_keeps_its_id() {
    let server = Server::start().await;
    let asked = |id: &'static str| Request::get("/healthz").header("x-request-id", id).body(String::new()).unwrap();
    assert_eq!(server.send(asked("abc-123")).await.header("x-request-id"), "abc-123");
    for unfit in ["", "a b", "é"] {
        let answer = server.send(asked(unfit)).await;
        assert_eq!(answer.header("x-request-id").len(), 36, "{unfit:?}");
    }
    let (one, two) = (server.ask_as(None, "GET", "/x", None).await, server.ask_as(None, "GET", "/x", None).await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    for error in [one, two] {
        assert_eq!(error.text_at("request_id"), error.header("x-request-id"), "{}", error.text);
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_answer_in_the_same_envelope() {
    let server = Server::start().await;
    for path in ["/", "/v2", "/v1", "/v1/x/y", "/docs/"] {
        let answer = server.ask_as(None, "GET", path, None).await.expect(404);
        assert_eq!(answer.text_at("error_code"), "not_found", "{path}");
    }
    let refused = server.ask("PUT", "/integrations", None).await.expect(405);
    assert_eq!(refused.text_at("error_code"), "method_not_allowed");
    assert!(refused.header("allow").contains("POST"), "{:?}", refused.headers);
    let detail = "this path does not take PUT; the header `Allow` says what it takes";
    assert_eq!(refused.text_at("detail"), detail);
    // A path that is no UTF-8.
    server.ask("GET", "/integrations/%ff", None).await.expect(422);
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_take_it() {
    let server = Server::start().await;
    server.create(&integration("shop", "https://api.example.com")).await;
    for (path, key, plain_size) in
        [("/openapi.json", None, 10_000), (&*server.path("/integrations"), Some(&server.owner), 100)]
    {
        let plain = server.ask_as(key.map(String::as_str), "GET", path, None).await.expect(200);
        assert!(plain.headers.get("content-encoding").is_none() && plain.text.len() > plain_size, "{path}");
        let mut request = Request::get(path).header("accept-encoding", "br;q=0.5, gzip");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let coded = server.send(request.body(String::new()).unwrap()).await.expect(200);
        assert_eq!(coded.header("content-encoding"), "gzip", "{path}");
        assert!(coded.header("vary").contains("accept-encoding"), "{path}");
        assert_eq!(coded.text, plain.text);
    }
}

#[tokio::test]
async fn a_rate_limit_is_per_key_and_says_what_is_left() {
    let mut options = ServerOptions::default();
    options.requests_per_minute = NonZeroU32::new(3);
    let server = Server::with(options).await;
    for left in ["2", "1", "0"] {
        let answer = server.ask("GET", "/integrations", None).await.expect(200);
        assert_eq!((answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")), ("3", left));
    }
    let refused = server.ask("GET", "/integrations", None).await.expect(429);
    assert_eq!(refused.text_at("error_code"), "rate_limited");
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    server.ask_as(Some(&server.operator), "GET", &server.path("/integrations"), None).await.expect(200);
    server.clock.advance(Duration::from_secs(21));
    server.ask("GET", "/integrations", None).await.expect(200);
}

#[tokio::test]
async fn one_workspace_does_not_take_the_server_from_the_others() {
    let upstream = Upstream::with(|_: &Recorded| Reply::stall()).await;
    let mut options = ServerOptions::default();
    options.max_requests_per_workspace = 3;
    options.requests_per_minute = NonZeroU32::new(10);
    let server = Server::with(options).await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    let path = server.path(&format!("/integrations/{id}/endpoints/go/execute"));
    let stalled = || server.ask_as(Some(&server.owner), "POST", &path, Some(r#"{"params":{"id":1}}"#));
    let mut calls = Box::pin(futures_util::future::join_all([stalled(), stalled(), stalled()]));
    while upstream.count() < 3 {
        let moment = tokio::time::timeout(Duration::from_millis(5), calls.as_mut()).await;
        assert!(moment.is_err(), "they wait");
    }
    let refused = server.ask("GET", "/integrations", None).await.expect(429);
    assert_eq!(refused.text_at("error_code"), "too_many_in_flight");
    // It counts as every other: one has made the integration, three wait.
    assert_eq!(refused.header("x-ratelimit-remaining"), "5");
    server.ask_as(Some(&server.operator), "GET", &server.path("/integrations"), None).await.expect(200);
    drop(calls);
    assert!(upstream.settled(0).await);
    server.ask("GET", "/integrations", None).await.expect(200);
}

#[tokio::test]
async fn connections_are_bounded_and_wait_for_room() {
    let mut options = ServerOptions::default();
    options.max_connections = 2;
    let server = Server::with(options).await;
    let idle = [
        tokio::net::TcpStream::connect(&server.address).await.unwrap(),
        tokio::net::TcpStream::connect(&server.address).await.unwrap(),
    ];
    let asked = server.ask_as(None, "GET", "/healthz", None);
    assert!(tokio::time::timeout(Duration::from_millis(300), asked).await.is_err(), "there is no room");
    drop(idle);
    server.ask_as(None, "GET", "/healthz", None).await.expect(200);
}

fn large(_: &Recorded) -> Reply {
    Reply::json(200, format!(r#"{{"a":"{}"}}"#, "x".repeat(8 << 20)))
}

/// A server, and a connection to it on which an answer of more than 8 MiB has begun.
async fn large_answer(options: ServerOptions) -> (Server, tokio::net::TcpStream) {
    let upstream = Upstream::with(large).await;
    let server = Server::with(options).await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    let path = server.path(&format!("/integrations/{id}/endpoints/go/test"));
    let stream = begun(&server, &path).await;
    (server, stream)
}

/// A connection on which the answer to that test has begun.
async fn begun(server: &Server, path: &str) -> tokio::net::TcpStream {
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let (owner, body) = (&server.owner, r#"{"params":{"id":1}}"#);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {owner}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(stream.peek(&mut [0]).await.unwrap(), 1);
    stream
}

#[tokio::test]
async fn an_answer_counts_until_it_was_taken() {
    let mut options = ServerOptions::default();
    options.max_requests_per_workspace = 1;
    let (server, mut stream) = large_answer(options).await;
    let refused = server.ask("GET", "/integrations", None).await.expect(429);
    assert_eq!(refused.text_at("error_code"), "too_many_in_flight");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let head_end = answer.windows(4).position(|found| found == b"\r\n\r\n").unwrap() + 4;
    let length = format!("content-length: {}\r\n", answer.len() - head_end);
    assert!(String::from_utf8_lossy(&answer[..head_end]).contains(&length), "it says how long it is");
    assert!(answer.len() > 8 << 20);
    server.ask("GET", "/integrations", None).await.expect(200);
}

#[tokio::test]
async fn answers_that_wait_have_a_bound() {
    let mut options = ServerOptions::default();
    options.max_waiting_bytes_per_workspace = 1 << 20;
    // Alone it has room.
    let (server, mut stream) = large_answer(options).await;
    let refused = server.ask("GET", "/integrations", None).await.expect(429);
    assert_eq!(refused.text_at("error_code"), "too_many_in_flight");
    assert_eq!(refused.header("retry-after"), "1");
    let (_, other) = server.key(Role::Viewer, &[]).await;
    for key in [&other, &server.operator] {
        server.ask_as(Some(key), "GET", &server.path("/integrations"), None).await.expect(200);
    }
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    server.ask("GET", "/integrations", None).await.expect(200);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_let_go_and_said_to_be_done() {
    let pair = Arc::new(Barrier::new(2));
    let answer = move |request: &Recorded| {
        let reply = large(request);
        if request.target == "/items/2" { reply.together(&pair) } else { reply }
    };
    let upstream = Upstream::with(answer).await;
    let mut options = ServerOptions::default();
    options.max_waiting_bytes_per_workspace = 1 << 20;
    let server = Server::with(options).await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    let path = server.path(&format!("/integrations/{id}/endpoints/go/test"));
    let ask = |key| server.ask_as(Some(key), "POST", &path, Some(r#"{"params":{"id":2}}"#));
    // It has begun when another's answer comes to wait, and ends while that waits.
    let mut asked = pin!(ask(&server.owner));
    while upstream.count() == 0 {
        let moment = tokio::time::timeout(Duration::from_millis(5), asked.as_mut()).await;
        assert!(moment.is_err(), "it waits");
    }
    let waiting = begun(&server, &path).await;
    let (refused, other) = tokio::join!(asked, ask(&server.operator));
    other.expect(200);
    let refused = refused.expect(500);
    assert_eq!(refused.text_at("error_code"), "answer_let_go");
    assert!(!refused.headers.contains_key("retry-after"), "a client that repeats it would do it twice");
    assert!(refused.text_at("detail").contains("has been carried out"), "{}", refused.text);
    drop(waiting);
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
    let mut options = ServerOptions::default();
    options.read_timeout = Duration::from_millis(300);
    let (_server, mut stream) = large_answer(options).await;
    // From now on nothing of it is taken.
    let waited = tokio::time::timeout(Duration::from_secs(2), std::future::pending::<()>()).await;
    assert!(waited.is_err());
    let mut rest = Vec::new();
    // It ends in the middle: with an error, or short of its length.
    let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok() && rest.len() < 8 << 20, "{} bytes", rest.len());
}

#[tokio::test]
async fn an_end_cuts_off_what_takes_too_long() {
    let upstream = Upstream::with(|_: &Recorded| Reply::stall()).await;
    let mut options = ServerOptions::default();
    options.shutdown_timeout = Duration::from_millis(200);
    let mut server = Server::with(options).await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    let path = server.path(&format!("/integrations/{id}/endpoints/go/execute"));
    let (address, owner) = (server.address.clone(), server.owner.clone());
    let asked = tokio::spawn(async move {
        let request = Request::post(path).header("authorization", format!("Bearer {owner}"));
        let request = request.body(r#"{"params":{"id":1}}"#.to_owned()).unwrap();
        super::harness::try_send(&address, request).await
    });
    while upstream.count() == 0 {
        tokio::task::yield_now().await;
    }
    server.stop().await;
    assert!(asked.await.unwrap().is_none(), "its client gets no answer");
    assert!(upstream.settled(0).await, "and its call has ended");
}

#[tokio::test]
async fn an_end_waits_for_what_is_in_flight() {
    let upstream =
        Upstream::with(|_: &Recorded| Reply::json(200, r#"{"a":1}"#).after(Duration::from_millis(600))).await;
    let mut server = Server::start().await;
    let id = server.create(&integration("shop", &upstream.url())).await;
    let path = server.path(&format!("/integrations/{id}/endpoints/go/execute"));
    let (address, owner) = (server.address.clone(), server.owner.clone());
    let asked = tokio::spawn(async move {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {owner}"))
            .body(r#"{"params":{"id":1}}"#.to_owned());
        super::harness::send(&address, request.unwrap()).await
    });
    while upstream.count() == 0 {
        tokio::task::yield_now().await;
    }
    let stopped = server.ask_to_stop();
    assert_eq!(asked.await.unwrap().expect(200).text_at("text"), "x is 1");
    stopped.await.unwrap();
    assert!(tokio::net::TcpStream::connect(&server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn an_end_waits_for_no_rest_of_a_head() {
    let mut server = Server::start().await;
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let answered = tokio::time::timeout(Duration::from_millis(300), stream.read(&mut [0])).await;
    assert!(answered.is_err(), "the server waits for the rest");
    let stopped = tokio::time::timeout(Duration::from_secs(10), server.stop()).await;
    assert!(stopped.is_ok(), "it does so when it is to stop");
}

#[tokio::test]
async fn an_end_waits_for_no_idle_connection() {
    let mut server = Server::start().await;
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    // Its body comes with it, and is not read.
    stream.write_all(b"POST /elsewhere HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 404");
    let stopped = tokio::time::timeout(Duration::from_secs(5), server.stop()).await;
    assert!(stopped.is_ok(), "nothing more of it is waited for");
}

#[tokio::test]
async fn slow_clients_are_let_go() {
    let mut options = ServerOptions::default();
    options.read_timeout = Duration::from_millis(300);
    let server = Server::with(options).await;
    // Half a head, and then nothing.
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection stays open");
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    // A whole head, and half a body.
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let (path, owner) = (server.path("/integrations"), &server.owner);
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {owner}\r\ncontent-length: 9\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn a_vanished_database_is_503() {
    let server = Server::start().await;
    server.ask_as(None, "GET", "/readyz", None).await.expect(200);
    server.store.close().await;
    let refused = server.ask_as(None, "GET", "/readyz", None).await.expect(503);
    assert_eq!(refused.text_at("error_code"), "store_unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    server.ask("POST", "/integrations", Some(&integration("shop", "https://a.example"))).await.expect(503);
    server.ask_as(None, "GET", "/healthz", None).await.expect(200);
}

/// A connection on which a request has begun whose body has that length.
async fn sending(server: &Server, line: &str, key: Option<&str>, length: usize) -> tokio::net::TcpStream {
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let key = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    let head = format!("{line} HTTP/1.1\r\nhost: x\r\n{key}content-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn who_is_refused_while_sending_gets_the_answer() {
    let server = Server::start().await;
    let (create, owner) = (format!("POST {}", server.path("/integrations")), Some(&*server.owner));
    let elsewhere = format!("POST /v1/{}/integrations", callout_store::Uuid::from_u128(7));
    let put = create.replace("POST", "PUT");
    for (line, key, status) in [
        (&*create, owner, 413),
        (&*create, None, 401),
        (&*elsewhere, owner, 403),
        ("POST /elsewhere", owner, 404),
        (&*put, owner, 405),
    ] {
        // As most clients do it, all at once before they look for an answer, and little by little.
        for (pieces, length, pause) in [(30, 1 << 20, 0), (60, 100 << 10, 5)] {
            let mut stream = sending(&server, line, key, pieces * length).await;
            for _ in 0..pieces {
                stream.write_all(&vec![b' '; length]).await.unwrap();
                let waited = tokio::time::timeout(Duration::from_millis(pause), std::future::pending::<()>());
                assert!(pause == 0 || waited.await.is_err());
            }
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_is_sent_after_a_refusal_counts_for_no_workspace() {
    let mut options = ServerOptions::default();
    options.max_requests_per_workspace = 1;
    let server = Server::with(options).await;
    let create = format!("POST {}", server.path("/integrations"));
    let mut stream = sending(&server, &create, Some(&server.owner), 30 << 20).await;
    stream.write_all(&vec![b' '; 3 << 20]).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    server.ask("GET", "/integrations", None).await.expect(200);
    stream.write_all(&vec![b' '; 3 << 20]).await.unwrap();
}
