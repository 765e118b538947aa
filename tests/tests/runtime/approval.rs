//! Holding calls until somebody has approved them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use callout::{Approval, Approver, CallOptions, Decision, ErrorKind, HeldCall, Integration, Timeouts};
use callout_tests::{Recorded, Reply, Upstream};

use super::{builder, json, load};

/// Decides as it is told, after a while, and keeps what it was shown.
#[derive(Clone)]
struct Desk {
    decision: Decision,
    pause: Duration,
    seen: Arc<Mutex<Vec<HeldCall>>>,
}

impl Desk {
    fn that(decision: Decision) -> Self {
        Self { decision, pause: Duration::ZERO, seen: Arc::default() }
    }

    fn seen(&self) -> Vec<HeldCall> {
        self.seen.lock().unwrap().clone()
    }
}

impl Approver for Desk {
    async fn decide(&self, call: &HeldCall) -> Decision {
        self.seen.lock().unwrap().push(call.clone());
        tokio::time::sleep(self.pause).await;
        self.decision.clone()
    }
}

fn refusal() -> Decision {
    Decision::Refused { reason: "the user wants to look first".to_owned() }
}

async fn shop() -> (Upstream, Integration) {
    let upstream = Upstream::with(|request: &Recorded| match request.path() {
        "/token" => Reply::json(200, r#"{"access_token":"a-token-1","expires_in":60}"#),
        _ => Reply::json(200, r#""done""#),
    })
    .await;
    let endpoint = |method: &str| {
        format!(r#"{{"name":"{method}","description":"Does {method}","method":"{method}","path":"/x"}}"#)
    };
    let endpoints: Vec<_> = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().map(endpoint).collect();
    let text = format!(
        r#"{{"name":"shop","display_name":"Shop","base_url":"URL","auth":{{"type":"oauth2_client_credentials",
            "token_url":"URL/token","client_id":"me","client_secret_value":{{"value":"canary-secret"}}}},"endpoints":[{}]}}"#,
        endpoints.join(",")
    );
    let integration = load(&upstream, &text);
    (upstream, integration)
}

#[tokio::test]
async fn writes_are_held_and_a_refusal_sends_nothing() {
    let (upstream, integration) = shop().await;
    let desk = Desk::that(refusal());
    let engine = builder().with_approval(Approval::writes(desk.clone())).build().unwrap();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let error = engine.call(&integration, method, json(r#"{"n":1}"#)).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::ApprovalRefused, false));
        let said = error.to_string();
        assert!(said.contains("the user wants to look first") && said.contains("do not make it again"), "{said}");
    }
    assert_eq!(upstream.count(), 0, "no token call either");
    let seen = desk.seen();
    let first = &seen[0];
    assert_eq!((seen.len(), first.endpoint.as_str(), first.description.as_str()), (4, "POST", "Does POST"));
    assert_eq!(first.request.body.as_deref(), Some(r#"{"n":1}"#));
    assert_eq!(first.request.headers.last().unwrap(), &("authorization".to_owned(), "Bearer ***".to_owned()));
    assert!(!format!("{seen:?}").contains("canary"), "{seen:?}");

    // A read is not held, and a trace sends like any call.
    engine.call(&integration, "GET", json("{}")).await.unwrap();
    let trace = engine.trace(&integration, "POST", json("{}")).await;
    assert_eq!(trace.error.unwrap().kind(), ErrorKind::ApprovalRefused);
    assert_eq!(desk.seen().len(), 5);
}

#[tokio::test]
async fn an_approved_call_goes_on_and_its_deadline_begins_then() {
    let (upstream, integration) = shop().await;
    let desk = Desk { pause: Duration::from_millis(600), ..Desk::that(Decision::Approved) };
    let engine = builder().with_approval(Approval::all(desk.clone())).build().unwrap();
    let mut timeouts = Timeouts::default();
    timeouts.call = Duration::from_millis(500);
    let options = CallOptions::default().with_timeouts(timeouts);
    let outcome = engine.call_with(&integration, "GET", json("{}"), &options).await.unwrap();
    assert_eq!((outcome.text(), upstream.count()), ("done", 2));
    assert!(outcome.duration() >= desk.pause, "the hold is part of the call");
}

#[tokio::test]
async fn nobody_is_asked_about_what_is_refused_anyway_or_not_chosen() {
    let (upstream, integration) = shop().await;
    let desk = Desk::that(refusal());
    let chosen = Approval::when(|call| call.params.get("amount").is_some(), desk.clone());
    let engine = builder().with_approval(chosen).build().unwrap();
    engine.call(&integration, "POST", json("{}")).await.unwrap();
    engine.call(&integration, "POST", json("[]")).await.unwrap_err();
    assert!(desk.seen().is_empty());
    engine.call(&integration, "POST", json(r#"{"amount":5}"#)).await.unwrap_err();
    assert_eq!((desk.seen().len(), upstream.count()), (1, 2));
}

#[tokio::test]
async fn without_a_policy_no_call_is_held() {
    let (upstream, integration) = shop().await;
    builder().build().unwrap().call(&integration, "DELETE", json("{}")).await.unwrap();
    assert_eq!(upstream.count(), 2);
}
