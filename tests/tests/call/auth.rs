//! Behaviour, section 3: tokens through whole calls.

use std::sync::atomic::{AtomicUsize, Ordering};

use callout::{EgressPolicy, Engine, ErrorKind, Json};
use callout_tests::{Recorded, Reply, TestClock, Upstream};

use super::{engine, go, load};

const CLIENT: &str = r#"{"name":"shop","display_name":"Shop","base_url":"URL","auth":{"type":"oauth2_client_credentials",
    "token_url":"URL/token","client_id":"me","client_secret_value":{"value":"a-secret"}},
    "endpoints":[{"name":"go","description":"Goes","path":"/x"}]}"#;

/// Hands out `token-1`, `token-2` and so on, and answers calls by the closure.
async fn provider(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Upstream {
    let handed = AtomicUsize::new(0);
    Upstream::with(move |request: &Recorded| {
        if request.path() == "/token" {
            let number = handed.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::json(200, format!(r#"{{"access_token":"token-{number}","expires_in":3600}}"#));
        }
        answer(request.header("authorization").unwrap_or_default())
    })
    .await
}

fn paths(upstream: &Upstream) -> Vec<String> {
    upstream.requests().iter().map(|request| request.path().to_owned()).collect()
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_call_sent_once_more() {
    let upstream = provider(|token| Reply::json(if token == "Bearer token-2" { 200 } else { 401 }, "{}")).await;
    let integration = load(&upstream, CLIENT).unwrap();
    let engine = engine();
    let call = || engine.call(&integration, "go", Json::parse(r#"{"n":1}"#).unwrap());
    let outcome = call().await.unwrap();
    assert_eq!(outcome.retries(), 0, "the resend is no retry");
    assert_eq!(paths(&upstream), ["/token", "/x", "/token", "/x"]);
    let bodies: Vec<_> = upstream.requests().iter().filter(|sent| sent.path() == "/x").map(Recorded::text).collect();
    assert_eq!(bodies, [r#"{"n":1}"#, r#"{"n":1}"#]);
    call().await.unwrap();
    assert_eq!(upstream.count(), 5, "the new token is cached");
}

#[tokio::test]
async fn what_was_carried_out_is_not_sent_again_with_another_token() {
    let upstream = Upstream::with(|request: &Recorded| match (request.method.as_str(), request.path()) {
        (_, "/token") => Reply::json(200, r#"{"access_token":"a-token","expires_in":3600}"#),
        ("POST", path) => Reply::redirect(303, &format!("{path}/made")),
        ("GET", "/refuses/made") => Reply::status(401),
        _ => Reply::status(503),
    })
    .await;
    // Of a refused token, which is dropped, two calls ask for another each time.
    for (path, status, tokens) in [("/refuses", 401, 2), ("/busy", 503, 1)] {
        let text = CLIENT.replace(r#""path":"/x""#, &format!(r#""method":"POST","path":"{path}""#));
        let (engine, integration) = (engine(), load(&upstream, &text).unwrap());
        let before = upstream.count();
        for _ in 0..2 {
            let error = engine.call(&integration, "go", Json::empty_object()).await.unwrap_err();
            assert_eq!((error.status(), error.is_retryable()), (Some(status), false));
        }
        // Each sends the call, and asks where it led.
        assert_eq!(upstream.count() - before, 4 + tokens, "{path}");
    }
}

#[tokio::test]
async fn a_token_that_was_refused_is_masked_too() {
    let body = r#"{"refused":"token-1","took":"token-2"}"#;
    for status in [200, 401] {
        let good = move |token: &str| Reply::json(if token == "Bearer token-2" { status } else { 401 }, body);
        let upstream = provider(good).await;
        let shown = match go(&load(&upstream, CLIENT).unwrap(), "{}").await {
            Ok(outcome) => outcome.text().to_owned(),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(shown.contains("***") && !shown.contains("token-"), "{shown}");
    }
}

/// What the token endpoint answers is no answer of the endpoint, which was not called.
#[tokio::test]
async fn the_status_of_a_call_is_not_the_token_endpoints() {
    let refused = || Reply::json(400, r#"{"error":"invalid_client"}"#);
    for (reply, said) in [
        (refused(), "answered 400: invalid_client"),
        (Reply::redirect(302, "/login"), "answered 302"),
        (Reply::redirect(307, "https://elsewhere.example/"), "; it had answered 307"),
        (Reply::truncated(r#"{"access_token":"#, 100), "; it had answered 200"),
    ] {
        let upstream = Upstream::start().await;
        upstream.reply("/token", reply);
        let integration = load(&upstream, CLIENT).unwrap();
        let trace = engine().trace(&integration, "go", Json::empty_object()).await;
        let error = trace.error.as_ref().unwrap();
        assert_eq!((trace.status, error.status()), (None, None), "{error}");
        assert!(error.message().contains(said), "{said}: {error}");
        assert_eq!(trace.to_json().get("status_code"), Some(&Json::Null));
        assert!(paths(&upstream).iter().all(|path| path == "/token"));
    }
    let upstream = Upstream::start().await;
    upstream.reply("/token", refused());
    let error = go(&load(&upstream, CLIENT).unwrap(), "{}").await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.is_retryable()), (ErrorKind::AuthFailed, None, false));
}

#[tokio::test]
async fn a_second_401_is_returned() {
    let upstream = provider(|_| Reply::json(401, r#"{"message":"no"}"#)).await;
    let integration = load(&upstream, CLIENT).unwrap();
    let error = go(&integration, "{}").await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::UpstreamStatus, Some(401)));
    assert_eq!(paths(&upstream), ["/token", "/x", "/token", "/x"]);
}

/// With the token that was refused no attempt can succeed.
#[tokio::test]
async fn a_401_that_is_to_be_tried_again_renews_the_token_first() {
    let text =
        CLIENT.replace(r#""path":"/x""#, r#""path":"/x","retry_config":{"max_retries":2,"retry_on_status":[401,503]}"#);
    for (good, status, retries, sent) in [
        ("Bearer token-2", 200, 0, &["/token", "/x", "/token", "/x"][..]),
        ("none", 401, 2, &["/token", "/x", "/token", "/x", "/x", "/x"]),
    ] {
        let upstream = provider(move |token| Reply::json(if token == good { 200 } else { 401 }, "{}")).await;
        let integration = load(&upstream, &text).unwrap();
        let egress = EgressPolicy::public().allow("127.0.0.1").unwrap();
        let engine = Engine::builder().with_egress(egress).with_clock(TestClock::still()).build().unwrap();
        let ended = engine.call(&integration, "go", Json::empty_object()).await;
        let ended = ended.map_or_else(
            |error| (error.status(), error.retries()),
            |outcome| (Some(outcome.status()), outcome.retries()),
        );
        assert_eq!(ended, (Some(status), retries), "{good}");
        assert_eq!(paths(&upstream), sent, "{good}");
    }
}

#[tokio::test]
async fn a_403_renews_only_when_it_says_invalid_token() {
    for (challenge, is_renewed) in [
        (None, false),
        (Some(r#"Bearer error="insufficient_scope", error_description="this is no invalid_token""#), false),
        (Some(r#"Basic realm="bearer invalid_token""#), false),
        (Some(r#"Basic realm="x", Bearer realm="y", error="invalid_token""#), true),
    ] {
        let upstream = provider(move |token| {
            let reply = Reply::json(if token == "Bearer token-1" { 403 } else { 200 }, "{}");
            challenge.into_iter().fold(reply, |reply, challenge| reply.header("www-authenticate", challenge))
        })
        .await;
        let (engine, integration) = (engine(), load(&upstream, CLIENT).unwrap());
        let call = || engine.call(&integration, "go", Json::empty_object());
        let status = call().await.map_or_else(|error| error.status(), |outcome| Some(outcome.status()));
        let (expected, sent): (u16, &[&str]) =
            if is_renewed { (200, &["/token", "/x", "/token", "/x"]) } else { (403, &["/token", "/x"]) };
        assert_eq!(status, Some(expected), "{challenge:?}");
        assert_eq!(paths(&upstream), sent, "{challenge:?}");
        // A token that was not refused is still the one of the next call.
        let _ = call().await;
        assert_eq!(upstream.count(), sent.len() + 1, "{challenge:?}");
    }
}

#[tokio::test]
async fn static_secrets_are_not_sent_again() {
    let upstream = Upstream::with(|_: &Recorded| Reply::json(401, "{}")).await;
    let text = r#"{"name":"shop","display_name":"Shop","base_url":"URL",
        "auth":{"type":"bearer_token","bearer_token_value":{"value":"a-secret"}},
        "endpoints":[{"name":"go","description":"Goes","path":"/x"}]}"#;
    assert_eq!(go(&load(&upstream, text).unwrap(), "{}").await.unwrap_err().status(), Some(401));
    assert_eq!(upstream.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_cold_callers_cost_one_token_request() {
    let upstream = Upstream::with(|request: &Recorded| {
        let token = Reply::json(200, r#"{"access_token":"token-1","expires_in":3600}"#);
        if request.path() == "/token" {
            token.after(std::time::Duration::from_millis(300))
        } else {
            Reply::json(200, "{}")
        }
    })
    .await;
    let (engine, integration) = (engine(), load(&upstream, CLIENT).unwrap());
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let (engine, integration) = (engine.clone(), integration.clone());
            tokio::spawn(async move { engine.call(&integration, "go", Json::empty_object()).await.map(drop) })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(upstream.requests().iter().filter(|request| request.path() == "/token").count(), 1);
    assert_eq!(upstream.count(), 1001);
}
