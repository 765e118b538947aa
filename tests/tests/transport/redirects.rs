//! Where a call follows, and where it does not: credentials and bodies stay with their origin.

use callout_core::{ErrorKind, http::Redirects};
use callout_tests::{Recorded, Reply, Sender, TestClock, Upstream};
use callout_transport::EgressPolicy;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{builder, shown, transport};

#[tokio::test]
async fn another_origin_sees_nothing_of_key_and_body() {
    let (first, second) = (Upstream::start().await, Upstream::with(|_| Reply::json(200, "{}")).await);
    let transport = builder(&[&first, &second], &TestClock::still()).build().unwrap();
    for status in [301, 302, 303, 307, 308] {
        let path = format!("/{status}");
        first.reply(&path, Reply::redirect(status, &second.at("/take?secret=canary")));
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let sender = Sender::new(method, first.at(&path))
                .header("x-api-key", "sk-canary")
                .header("authorization", "Bearer sk-canary")
                .body(r#"{"client_secret": "sk-canary"}"#);
            let error = sender.send(&transport).await.unwrap_err();
            assert_eq!((error.kind(), error.retries()), (ErrorKind::RedirectRefused, 0), "{method} {status}");
            assert_eq!(error.status(), Some(status));
            assert!(error.message().contains(&second.url()), "{error}");
            assert!(!shown(&error).contains("canary"), "{error:?}");
        }
    }
    assert_eq!((first.count(), second.connections()), (25, 0));
}

#[tokio::test]
async fn within_the_origin_a_call_follows() {
    let upstream = Upstream::start().await;
    upstream.reply("/old", Reply::redirect(308, "/new?page=2"));
    upstream.reply("/new", Reply::json(200, "{}"));
    upstream.reply("/form", Reply::redirect(303, "result"));
    upstream.reply("/result", Reply::json(200, "{}"));
    let transport = transport(&upstream);
    let response =
        Sender::post(upstream.at("/old")).header("x-api-key", "key").body("{\"a\":1}").send(&transport).await.unwrap();
    assert_eq!((response.status, response.retries), (200, 0));
    Sender::post(upstream.at("/form")).header("x-api-key", "key").send(&transport).await.unwrap();
    let two = Sender::get(upstream.at("/old")).header("x-api-key", "key").header("x-two", "a").header("x-two", "b");
    two.send(&transport).await.unwrap();
    let values = |request: &Recorded| {
        let two = request.headers.iter().filter(|(name, _)| name == "x-two");
        two.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(upstream.requests().iter().skip(4).map(values).collect::<Vec<_>>(), [["a", "b"], ["a", "b"]]);
    let seen: Vec<_> = upstream
        .requests()
        .iter()
        .take(4)
        .map(|request| {
            format!("{} {} {} {}", request.method, request.target, request.header("x-api-key").unwrap(), request.text())
        })
        .collect();
    assert_eq!(
        seen,
        ["POST /old key {\"a\":1}", "POST /new?page=2 key {\"a\":1}", "POST /form key {}", "GET /result key ",]
    );
}

#[tokio::test]
async fn redirects_are_counted_and_can_be_refused() {
    let upstream = Upstream::start().await;
    upstream.reply("/loop", Reply::redirect(302, "/loop"));
    for at in 1..=5 {
        upstream.reply(&format!("/{at}"), Reply::redirect(302, &format!("/{}", at + 1)));
    }
    upstream.reply("/6", Reply::json(200, "{}"));
    upstream.reply("/plain", Reply::json(302, "{}"));
    let transport = transport(&upstream);
    let error = Sender::get(upstream.at("/loop")).send(&transport).await.unwrap_err();
    assert_eq!((error.kind(), upstream.count()), (ErrorKind::RedirectRefused, 6));
    assert_eq!(Sender::get(upstream.at("/1")).send(&transport).await.unwrap().status, 200);
    assert_eq!(Sender::get(upstream.at("/plain")).send(&transport).await.unwrap().status, 302);
    let mut token = Sender::post(upstream.at("/1"));
    token.redirects = Redirects::Refuse;
    let before = upstream.count();
    assert_eq!(token.send(&transport).await.unwrap_err().kind(), ErrorKind::RedirectRefused);
    assert_eq!(upstream.count(), before + 1);
}

#[tokio::test]
async fn each_attempt_follows_anew() {
    let upstream = Upstream::start().await;
    upstream.reply("/old", Reply::redirect(307, "/new"));
    upstream.reply("/new", Reply::status(503));
    upstream.reply("/new", Reply::json(200, "{}"));
    let response = Sender::get(upstream.at("/old")).send(&transport(&upstream)).await.unwrap();
    assert_eq!((response.status, response.retries, upstream.count()), (200, 1, 4));
}

/// Answers the first request with a redirect, and is gone.
async fn leads_astray(status: u16) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/orders", listener.local_addr().unwrap());
    let gone = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        let mut request = [0; 1 << 10];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        let head = "Location: /orders/1\r\nContent-Length: 0\r\nConnection: close";
        stream.write_all(format!("HTTP/1.1 {status} X\r\n{head}\r\n\r\n").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    (url, gone)
}

#[tokio::test]
async fn what_has_been_answered_was_sent_wherever_it_leads() {
    for status in [303, 307] {
        for (method, is_retried) in [("POST", false), ("PATCH", false), ("PUT", true)] {
            let (url, gone) = leads_astray(status).await;
            let transport = builder(&[], &TestClock::still())
                .with_egress(EgressPolicy::public().allow("127.0.0.1").unwrap())
                .build()
                .unwrap();
            let error = Sender::new(method, url).send(&transport).await.unwrap_err();
            gone.await.unwrap();
            assert_eq!(error.kind(), ErrorKind::Connect, "{method} {status}: {error}");
            assert_eq!((error.retries() > 0, error.is_retryable()), (is_retried, is_retried), "{method} {status}");
            assert_eq!(error.message().contains("it may have been carried out"), !is_retried, "{error}");
            assert_eq!(error.advice().contains("may have been carried out"), !is_retried, "{error}");
        }
    }
}

#[tokio::test]
async fn what_was_carried_out_is_not_repeated_because_its_result_cannot_be_had() {
    let upstream = Upstream::start().await;
    upstream.reply("/form", Reply::redirect(303, "/result"));
    upstream.reply("/moved", Reply::redirect(307, "/result"));
    upstream.reply("/result", Reply::status(503));
    let transport = transport(&upstream);
    let sends = |method: &'static str, path: &'static str| {
        let (sender, before) = (Sender::new(method, upstream.at(path)).retries(2), upstream.count());
        let (transport, upstream) = (&transport, &upstream);
        async move {
            let response = sender.send(transport).await.unwrap();
            assert_eq!(response.status, 503);
            (response.retries, upstream.count() - before, response.carried_out)
        }
    };
    assert_eq!(sends("POST", "/form").await, (0, 2, true));
    // The others have not been, or may be repeated.
    assert_eq!(sends("POST", "/moved").await, (2, 6, false));
    assert_eq!(sends("PUT", "/form").await, (2, 6, false));
}
