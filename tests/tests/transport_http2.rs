//! HTTP/2 (RFC 9113), which most real APIs speak: the same bounds and the same retries as over
//! HTTP/1.1, many calls on one connection.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::{
    convert::Infallible,
    error::Error as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use callout_core::ErrorKind;
use callout_tests::{
    Names, Sender, TestClock,
    certs::{Authority, server_config},
};
use callout_transport::{EgressPolicy, Transport};
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

const HOST: &str = "api.example";

/// A proper server, since the scripted one speaks HTTP/1.1 only.
struct Server {
    url: String,
    authority: Authority,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let authority = Authority::new();
        let mut config = Arc::unwrap_or_clone(server_config(&authority.server(HOST), None));
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{HOST}:{}", listener.local_addr().unwrap().port());
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (accepted, received) = (connections.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                let (acceptor, received) = (acceptor.clone(), received.clone());
                tokio::spawn(async move {
                    let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
                    let service = service_fn(move |request| {
                        received.fetch_add(1, Ordering::SeqCst);
                        answer(request)
                    });
                    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
                });
            }
        });
        Self { url, authority, connections, requests }
    }

    fn transport(&self) -> Transport {
        Transport::builder()
            .with_egress(EgressPolicy::public().allow(HOST).unwrap())
            .with_resolver(Names::new().with(HOST, &["127.0.0.1"]))
            .with_root_certificate_pem(self.authority.pem.as_bytes())
            .with_clock(TestClock::still().shared())
            .build()
            .unwrap()
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// That many headers of 10 kB.
fn headers(response: http::response::Builder, count: usize) -> http::Result<Response<Full<Bytes>>> {
    let large = |response: http::response::Builder, at| response.header(format!("x-{at}"), "y".repeat(10_000));
    (0..count).fold(response, large).body(Full::default())
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let response = Response::builder();
    let response = match head.uri.path() {
        "/echo" => response.body(Full::new(body)),
        "/503" => response.status(503).body(Full::default()),
        "/large" => response.body(Full::new(Bytes::from(vec![b'x'; 200_000]))),
        "/large-headers" => headers(response, 8),
        "/huge-headers" => headers(response, 30),
        "/location" => response.status(307).header("location", "https://other.example/").body(Full::default()),
        _ => {
            std::future::pending::<()>().await;
            response.body(Full::default())
        }
    };
    Ok(response.unwrap())
}

#[tokio::test]
async fn many_calls_share_one_connection() {
    let server = Server::start().await;
    let transport = server.transport();
    Sender::post(server.at("/echo")).send(&transport).await.unwrap();
    let calls = (0..100).map(|at| {
        let sender = Sender::post(server.at("/echo")).body(format!("[{at}]"));
        let transport = &transport;
        async move {
            let response = sender.send(transport).await.unwrap();
            assert_eq!(response.body, sender.request.body);
        }
    });
    join_all(calls).await;
    assert_eq!((server.connections.load(Ordering::SeqCst), server.requests.load(Ordering::SeqCst)), (1, 101));
}

#[tokio::test]
async fn bounds_and_retries_hold_as_over_http_1() {
    let server = Server::start().await;
    let transport = server.transport();
    let response = Sender::post(server.at("/503")).send(&transport).await.unwrap();
    assert_eq!((response.status, response.retries), (503, 2));
    for (path, kind) in [
        ("/large", ErrorKind::ResponseTooLarge),
        ("/large-headers", ErrorKind::ResponseTooLarge),
        ("/huge-headers", ErrorKind::Interrupted),
        ("/location", ErrorKind::RedirectRefused),
        ("/stall", ErrorKind::Timeout),
    ] {
        let bound = Duration::from_millis(200);
        let sender = Sender::get(server.at(path)).most(100_000).retries(0).timeouts(bound, bound * 10);
        let error = sender.send(&transport).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{path}: {error:?}");
        // What one call meets does not cost the others their connection's calls.
        let next = Sender::post(server.at("/echo")).body("[1]").send(&transport).await.unwrap();
        assert_eq!(&next.body[..], b"[1]", "after {path}");
    }
}

/// A server that ends a connection may say why (RFC 9113 section 6.8), and may say anything there.
#[tokio::test]
async fn what_a_server_says_when_it_goes_away_is_not_passed_on() {
    let authority = Authority::new();
    let mut config = Arc::unwrap_or_clone(server_config(&authority.server(HOST), None));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = acceptor.accept(stream).await.unwrap();
            let said = b"you sent the key canary";
            let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
            // Of no stream, for a protocol error.
            let going = [0, 0, 8 + said.len() as u8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            stream.write_all(&[&settings[..], &going, said].concat()).await.unwrap();
            stream.shutdown().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let transport = Transport::builder()
        .with_egress(EgressPolicy::public().allow(HOST).unwrap())
        .with_resolver(Names::new().with(HOST, &["127.0.0.1"]))
        .with_root_certificate_pem(authority.pem.as_bytes())
        .with_clock(TestClock::still().shared())
        .build()
        .unwrap();
    let error = Sender::get(format!("https://{HOST}:{port}/x")).send(&transport).await.unwrap_err();
    assert_eq!((error.kind(), error.retries()), (ErrorKind::Interrupted, 2), "{error:?}");
    let shown = format!("{error} {error:?} {:?}", error.source());
    assert!(shown.contains("HTTP/2: unspecific protocol error detected") && !shown.contains("canary"), "{shown}");
    serving.abort();
}
