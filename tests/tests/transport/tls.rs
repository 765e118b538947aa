//! Certificates that are trusted and not, clients that are known and not.

use callout_core::ErrorKind;
use callout_tests::{
    Names, Reply, Sender, TestClock, Upstream,
    certs::{Authority, self_signed, self_signed_authority, server_config},
};
use callout_transport::{ConnectFault, EgressPolicy, Transport, TransportBuilder};

use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use crate::builder;

const HOST: &str = "api.example";

fn tls_builder() -> TransportBuilder {
    builder(&[], &TestClock::still())
        .with_egress(EgressPolicy::public().allow(HOST).unwrap())
        .with_resolver(Names::new().with(HOST, &["127.0.0.1"]))
}

#[tokio::test]
async fn only_a_certificate_that_is_valid_for_the_host_is_trusted() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (what, identity, text) in [
        ("good", authority.server(HOST), None),
        ("expired", authority.expired(HOST), Some("expired")),
        ("for another host", authority.server("other.example"), Some("not valid for name")),
        ("self-signed", self_signed(HOST), Some("UnknownIssuer")),
        ("of another authority", stranger.server(HOST), Some("invalid peer certificate")),
        ("of a client", authority.client(), Some("invalid peer certificate")),
    ] {
        let upstream = Upstream::tls(server_config(&identity, None)).await;
        upstream.reply("/x", Reply::json(200, "{}"));
        let transport = tls_builder().with_root_certificate_pem(authority.pem.as_bytes()).build().unwrap();
        let result = Sender::get(upstream.named(HOST, "/x?token=canary")).send(&transport).await;
        let Some(text) = text else {
            assert_eq!(result.unwrap().status, 200, "{what}");
            continue;
        };
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.retries(), error.is_retryable()), (ErrorKind::Connect, 0, false), "{what}");
        assert_eq!(ConnectFault::of(&error), Some(ConnectFault::Tls), "{what}");
        assert!(error.message().contains(text) && error.message().contains(HOST), "{what}: {error}");
        assert_eq!((upstream.connections(), upstream.count()), (1, 0), "{what}");
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_if_it_is_named() {
    let authority = Authority::new();
    let upstream = Upstream::tls(server_config(&authority.server(HOST), None)).await;
    upstream.reply("/x", Reply::json(200, "{}"));
    let error = Sender::get(upstream.named(HOST, "/x")).send(&tls_builder().build().unwrap()).await.unwrap_err();
    assert_eq!(ConnectFault::of(&error), Some(ConnectFault::Tls));
}

#[tokio::test]
async fn a_self_signed_certificate_can_be_trusted_if_it_is_no_authoritys() {
    for (identity, text) in
        [(self_signed(HOST), None), (self_signed_authority(HOST), Some("basicConstraints=critical,CA:FALSE`"))]
    {
        let upstream = Upstream::tls(server_config(&identity, None)).await;
        upstream.reply("/x", Reply::json(200, "{}"));
        let transport = tls_builder().with_root_certificate_pem(identity.certificate.as_bytes()).build().unwrap();
        match (Sender::get(upstream.named(HOST, "/x")).send(&transport).await, text) {
            (Ok(response), None) => assert_eq!(response.status, 200),
            (Err(error), Some(text)) => {
                assert!(error.message().ends_with(text), "{error}");
                assert_eq!(ConnectFault::of(&error), Some(ConnectFault::Tls), "{error}");
            }
            (result, text) => panic!("{result:?}, not {text:?}"),
        }
    }
}

#[tokio::test]
async fn plain_http_at_a_tls_port_is_no_trusted_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{HOST}:{}/x", listener.local_addr().unwrap().port());
    let answering = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let error = Sender::get(url).send(&tls_builder().build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.retries()), (ErrorKind::Connect, 0), "{error}");
    assert_eq!(ConnectFault::of(&error), Some(ConnectFault::Tls), "{error}");
    answering.abort();
}

#[tokio::test]
async fn a_client_that_is_asked_shows_its_certificate() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let upstream = Upstream::tls(server_config(&authority.server(HOST), Some(&authority))).await;
    upstream.reply("/x", Reply::json(200, "{}"));
    let trusting = || tls_builder().with_root_certificate_pem(authority.pem.as_bytes());
    let sender = Sender::post(upstream.named(HOST, "/x"));
    let known = trusting().with_client_identity_pem(authority.client().pem().as_bytes());
    assert!(!format!("{known:?}").contains("PRIVATE"));
    assert_eq!(sender.send(&known.build().unwrap()).await.unwrap().status, 200);
    for (unknown, text) in [
        (trusting(), "it wants a client certificate"),
        (trusting().with_client_identity_pem(stranger.client().pem().as_bytes()), "it refuses the client certificate"),
    ] {
        let error = sender.send(&unknown.build().unwrap()).await.unwrap_err();
        // TLS 1.3 lets the server refuse after the client is done with its handshake.
        assert_eq!((error.kind(), error.is_retryable(), error.retries()), (ErrorKind::Connect, false, 0), "{error}");
        assert_eq!(ConnectFault::of(&error), Some(ConnectFault::Tls), "{error}");
        assert!(error.message().contains(text), "{error}");
    }
    assert_eq!(upstream.count(), 1);
}

#[test]
fn unusable_certificates_are_config_faults() {
    let identity = self_signed(HOST);
    for builder in [
        Transport::builder().with_root_certificate_pem(b"no PEM"),
        Transport::builder().with_root_certificate_pem(b""),
        Transport::builder().with_root_certificate_pem(identity.key.as_bytes()),
        Transport::builder()
            .with_root_certificate_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Transport::builder().with_client_identity_pem(b"no PEM"),
        Transport::builder().with_client_identity_pem(identity.certificate.as_bytes()),
        Transport::builder().with_client_identity_pem(identity.key.as_bytes()),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(!format!("{error:?}").contains(identity.key.lines().nth(1).unwrap()));
    }
}
