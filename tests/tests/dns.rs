//! Names over the wire: a name server of the test's own answers with addresses that may not be
//! called, mixes them with others, and changes its mind between look-ups.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

use std::net::IpAddr;

use callout_core::ErrorKind;
use callout_tests::{NameServer, Reply, Sender, Upstream};
use callout_transport::{EgressPolicy, Transport};
use tokio::net::TcpListener;

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// The allowed upstream on 127.0.0.1 and a forbidden one on the same port of 127.0.0.2.
async fn upstreams() -> (Upstream, Upstream) {
    let allowed = Upstream::with(|_| Reply::json(200, "{}").header("connection", "close").then_close()).await;
    let listener = TcpListener::bind(("127.0.0.2", allowed.address().port())).await.unwrap();
    (allowed, Upstream::on_listener(listener, |_| Reply::status(500)))
}

fn transport(names: &NameServer) -> Transport {
    // The one address that stands for a public one here.
    let egress = EgressPolicy::public().allow("127.0.0.1").unwrap();
    Transport::builder().with_egress(egress).with_resolver(names.resolver()).build().unwrap()
}

#[tokio::test]
async fn of_mixed_answers_over_the_wire_only_the_allowed_are_dialled() {
    let (allowed, forbidden) = upstreams().await;
    for (answer, denied) in [
        (&["127.0.0.2", "127.0.0.1"][..], false),
        (&["::1", "127.0.0.1"], false),
        (&["127.0.0.2"], true),
        (&["169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.2"], true),
    ] {
        let answer = addresses(answer);
        let shown = format!("{answer:?}");
        let names = NameServer::start(move |_, _| answer.clone()).await;
        let sent = Sender::get(allowed.named("mixed.example", "/x")).send(&transport(&names)).await;
        match sent {
            Ok(response) => assert!(!denied && response.status == 200, "{shown}"),
            Err(error) => assert!(denied && error.kind() == ErrorKind::EgressDenied, "{shown}: {error}"),
        }
        assert_eq!(names.look_ups(), 1, "{shown}: one look-up, none between the check and the dialling");
    }
    assert_eq!((allowed.count(), forbidden.connections()), (2, 0));
}

#[tokio::test]
async fn a_name_that_is_bound_anew_gains_nothing() {
    let (allowed, forbidden) = upstreams().await;
    let names = NameServer::start(|name, look_up| {
        assert_eq!(name, "rebind.example");
        addresses(&[if look_up % 2 == 0 { "127.0.0.1" } else { "127.0.0.2" }])
    })
    .await;
    let transport = transport(&names);
    let mut denied = 0;
    for _ in 0..20 {
        match Sender::get(allowed.named("rebind.example", "/x")).send(&transport).await {
            Ok(response) => assert_eq!(response.status, 200),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::EgressDenied);
                denied += 1;
            }
        }
    }
    assert_eq!((denied, allowed.count(), forbidden.connections(), names.look_ups()), (10, 10, 0, 20));
}

#[tokio::test]
async fn a_name_that_is_unknown_is_no_denial() {
    let (allowed, _) = upstreams().await;
    let names = NameServer::start(|_, _| Vec::new()).await;
    let error = Sender::get(allowed.named("absent.example", "/x")).send(&transport(&names)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
}
