//! Answers that are too large, cut, or no HTTP at all: an error at worst, and the next call is right.

use std::time::Duration;

use callout_core::{ErrorKind, limits::Limits};
use callout_tests::{Reply, Sender, TestClock, Upstream, compressed, faults};
use callout_transport::ConnectFault;

use crate::{builder, shown, transport};

const MOST: usize = 100_000;

#[tokio::test]
async fn the_bound_counts_decoded_bytes() {
    let upstream = Upstream::start().await;
    let transport = transport(&upstream);
    for codings in ["gzip", "deflate", "zlib", "br", "zstd", "gzip, gzip", "br, deflate", "zstd, deflate, gzip"] {
        for (bytes, fits) in [(MOST, true), (MOST + 1, false), (10 << 20, false)] {
            let path = format!("/{}-{bytes}", codings.replace(", ", "-"));
            upstream.reply(&path, Reply::bomb(codings, bytes).await);
            let result = Sender::get(upstream.at(&path)).most(MOST).send(&transport).await;
            match result {
                Ok(response) => assert!(fits && response.body.len() == bytes, "{codings} {bytes}"),
                Err(error) => {
                    assert!(!fits, "{codings} {bytes}: {error}");
                    assert_eq!((error.kind(), error.retries()), (ErrorKind::ResponseTooLarge, 0), "{codings}");
                    assert_eq!(error.status(), Some(200));
                }
            }
        }
    }
}

#[tokio::test]
async fn lengths_may_lie_be_missing_or_endless() {
    let upstream = Upstream::start().await;
    let transport = transport(&upstream);
    upstream.reply("/endless-chunks", Reply::endless_chunks());
    upstream.reply("/endless-body", Reply::endless_body());
    upstream.reply("/huge", Reply::truncated("{}", usize::MAX >> 1));
    upstream.reply("/above", Reply::truncated("{}", MOST + 1));
    upstream.reply("/overflow", Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n{}"));
    upstream.reply("/two", Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x"));
    upstream.reply("/exact", Reply::json(200, vec![b'1'; MOST]));
    for (path, kind) in [
        ("/endless-chunks", ErrorKind::ResponseTooLarge),
        ("/endless-body", ErrorKind::ResponseTooLarge),
        ("/huge", ErrorKind::ResponseTooLarge),
        ("/above", ErrorKind::ResponseTooLarge),
        ("/overflow", ErrorKind::Interrupted),
        ("/two", ErrorKind::Interrupted),
    ] {
        let error = Sender::post(upstream.at(path)).most(MOST).send(&transport).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{path}: {error}");
    }
    let exact = Sender::get(upstream.at("/exact")).most(MOST).send(&transport).await.unwrap();
    assert_eq!(exact.body.len(), MOST);
}

#[tokio::test]
async fn an_answer_that_is_cut_is_an_error_and_never_half_an_answer() {
    let upstream = Upstream::start().await;
    let transport = transport(&upstream);
    let coded = compressed("gzip", br#"{"items": [1, 2, 3]}"#).await;
    let half = coded.len() / 2;
    let cut_gzip = [b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", &coded[..half]].concat();
    for (path, reply) in [
        ("/short", Reply::truncated(r#"{"items": [1, 2"#, 30)),
        ("/chunks", Reply::unfinished_chunks(r#"{"items": [1, 2"#)),
        ("/bad-chunk", Reply::bad_chunk()),
        ("/gzip", Reply::raw(cut_gzip)),
        ("/not-gzip", Reply::json(200, "{}").header("content-encoding", "gzip")),
        ("/head", Reply::raw("HTTP/1.1 200 OK\r\ncontent-le")),
        ("/nothing", Reply::hang_up()),
        ("/no-http", Reply::raw("SSH-2.0-OpenSSH_9.6\r\n")),
    ] {
        upstream.reply(path, reply);
        let error = Sender::get(upstream.at(path)).retries(1).send(&transport).await.unwrap_err();
        assert_eq!((error.kind(), error.retries()), (ErrorKind::Interrupted, 1), "{path}: {error}");
        assert_eq!(ConnectFault::of(&error), None, "{path} has nothing to do with TLS");
    }
    // Without a length, an early close cannot be told from the end; who reads the JSON tells.
    upstream.reply("/close", Reply::until_close(r#"{"items": [1, 2"#));
    let response = Sender::get(upstream.at("/close")).send(&transport).await.unwrap();
    assert_eq!(&response.body[..], br#"{"items": [1, 2"#);
}

#[tokio::test]
async fn headers_are_bounded() {
    let upstream = Upstream::start().await;
    let transport = transport(&upstream);
    upstream.reply("/fits", Reply::large_headers(60_000));
    upstream.reply("/large", Reply::large_headers(300_000));
    upstream.reply("/larger", Reply::large_headers(1_000_000));
    upstream.reply("/endless", Reply::endless_headers());
    assert_eq!(Sender::get(upstream.at("/fits")).send(&transport).await.unwrap().status, 200);
    for path in ["/large", "/larger", "/endless"] {
        let error = Sender::get(upstream.at(path)).send(&transport).await.unwrap_err();
        assert_eq!((error.kind(), error.retries()), (ErrorKind::ResponseTooLarge, 0), "{path}: {error}");
        assert!(error.message().contains("max_header_bytes"), "{error}");
    }
    let short =
        |count: usize| (0..count).fold(Reply::json(200, "{}"), |reply, at| reply.header(&format!("x-{at}"), "y"));
    upstream.reply("/some", short(90));
    upstream.reply("/many", short(101));
    assert_eq!(Sender::get(upstream.at("/some")).send(&transport).await.unwrap().status, 200);
    let error = Sender::get(upstream.at("/many")).send(&transport).await.unwrap_err();
    assert_eq!((error.kind(), error.retries()), (ErrorKind::ResponseTooLarge, 0), "{error}");
    assert!(error.message().ends_with(" 65536 bytes (`max_header_bytes`), or more than 100 of them"), "{error}");
}

#[tokio::test]
async fn the_bound_on_headers_may_be_raised() {
    let upstream = Upstream::with(|_| Reply::large_headers(700_000)).await;
    let mut limits = Limits::default();
    limits.max_header_bytes = 1 << 20;
    let transport = builder(&[&upstream], &TestClock::still()).with_limits(limits).build().unwrap();
    assert_eq!(Sender::get(upstream.at("/")).send(&transport).await.unwrap().status, 200);
}

#[tokio::test]
async fn odd_answers_are_answers_and_the_next_call_is_right() {
    let upstream = Upstream::start().await;
    let transport = transport(&upstream);
    upstream.reply("/ok", Reply::json(200, r#"{"ok": true}"#));
    upstream.reply("/999", Reply::json(999, "{}"));
    upstream.reply("/101", Reply::status(101).header("upgrade", "x").header("connection", "upgrade"));
    upstream.reply("/204", Reply::status(204));
    upstream.reply("/205", Reply::status(205));
    upstream.reply("/304", Reply::status(304).header("content-encoding", "gzip"));
    upstream.reply("/both", Reply::length_and_chunks());
    upstream.reply("/stray", Reply::stray_second("{}", r#"{"stray": true}"#));
    upstream.reply("/1xx", Reply::endless_informational());
    for (path, expected) in [
        ("/999", Some(999)),
        ("/101", Some(101)),
        ("/204", Some(204)),
        ("/205", Some(205)),
        ("/304", Some(304)),
        ("/both", None), // either, but see below
        ("/stray", Some(200)),
        ("/1xx", None),
    ] {
        let sender =
            Sender::get(upstream.at(path)).retries(0).timeouts(Duration::from_millis(200), Duration::from_secs(5));
        match sender.send(&transport).await {
            Ok(response) => {
                assert_eq!(Some(response.status), expected.or(Some(200)), "{path}");
                assert!(response.body.is_empty() || &response.body[..] == b"{}", "{path}");
            }
            Err(error) => assert!(expected.is_none(), "{path}: {error}"),
        }
        let next = Sender::post(upstream.at("/ok")).send(&transport).await;
        let next = next.unwrap_or_else(|error| panic!("after {path}: {}", shown(&error)));
        assert_eq!((next.status, &next.body[..]), (200, &br#"{"ok": true}"#[..]), "after {path}");
    }
}

#[tokio::test]
async fn a_header_may_be_folded_or_have_white_space_before_its_colon() {
    let upstream = Upstream::start().await;
    let transport = transport(&upstream);
    for (path, header, value) in [
        ("/folded", "x-odd: default-src 'self';\r\n  script-src 'none'", "default-src 'self'; script-src 'none'"),
        ("/folded-twice", "x-odd:\r\n\ta\r\n b", "a b"),
        ("/spaced", "x-odd : a", "a"),
        ("/spaced-more", "x-odd \t: a", "a"),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{header}\r\ncontent-length: 2\r\n\r\n{{}}");
        upstream.reply(path, Reply::raw(answer));
        let response = Sender::get(upstream.at(path)).send(&transport).await.unwrap();
        assert_eq!((response.headers["x-odd"].to_str().unwrap(), &response.body[..]), (value, &b"{}"[..]), "{header}");
    }
}

#[tokio::test]
async fn bodies_are_asked_for_and_arrive_as_they_are() {
    let upstream = Upstream::with(|request| Reply::bytes(200, "text/plain", request.body.clone())).await;
    let transport = transport(&upstream);
    let response = Sender::post(upstream.at("/x")).body("é\0").send(&transport).await.unwrap();
    assert_eq!(
        (&response.body[..], response.headers["content-type"].to_str().unwrap()),
        ("é\0".as_bytes(), "text/plain")
    );
    Sender::get(upstream.at("/x")).header("accept-encoding", "identity").send(&transport).await.unwrap();
    Sender::new("DELETE", upstream.at("/x")).send(&transport).await.unwrap();
    Sender::post(upstream.at("/x")).body("").send(&transport).await.unwrap();
    Sender::new("HEAD", upstream.at("/x")).send(&transport).await.unwrap();
    let seen: Vec<_> = upstream
        .requests()
        .iter()
        .map(|request| {
            let header = |name| request.header(name).unwrap_or("-").to_owned();
            format!(
                "{} {} {} {}",
                request.method,
                header("accept-encoding"),
                header("content-length"),
                header("referer")
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "POST gzip, deflate, br, zstd 3 -",
            "GET identity - -",
            "DELETE gzip, deflate, br, zstd - -",
            "POST gzip, deflate, br, zstd 0 -",
            "HEAD gzip, deflate, br, zstd - -",
        ]
    );
}

/// Whatever goes wrong, no error shows what stood in the URL's query, a header or the body.
#[tokio::test]
async fn no_error_shows_a_secret() {
    let upstream = Upstream::with(faults::answer).await;
    let transport = transport(&upstream);
    let mut failed = 0;
    for fault in faults::FAULTS {
        let sender = Sender::post(upstream.at(&format!("{}?token=sk-canary", fault.path)))
            .header("x-api-key", "sk-canary")
            .body(r#"{"client_secret": "sk-canary"}"#)
            .retries(0)
            .timeouts(Duration::from_millis(100), Duration::from_secs(1));
        match sender.send(&transport).await {
            Ok(response) => assert!(!format!("{response:?}").contains("canary")),
            Err(error) => {
                failed += 1;
                assert!(!shown(&error).contains("canary"), "{}: {}", fault.path, shown(&error));
            }
        }
    }
    assert!(failed > 10, "{failed}");
}
