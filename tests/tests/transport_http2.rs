//! HTTP/2 (RFC 9113), which most real APIs speak: the same bounds and the same retries as over
//! HTTP/1.1, many calls on one connection.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::{
    collections::VecDeque,
    convert::Infallible,
    error::Error as _,
    io,
    sync::{
        Arc, Mutex,
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
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

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
        let (acceptor, listener, url) = listening(&authority).await;
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
        transport(&self.authority)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// What accepts connections that are to speak HTTP/2, and where.
async fn listening(authority: &Authority) -> (TlsAcceptor, TcpListener, String) {
    let mut config = Arc::unwrap_or_clone(server_config(&authority.server(HOST), None));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{HOST}:{}", listener.local_addr().unwrap().port());
    (TlsAcceptor::from(Arc::new(config)), listener, url)
}

fn transport(authority: &Authority) -> Transport {
    Transport::builder()
        .with_egress(EgressPolicy::public().allow(HOST).unwrap())
        .with_resolver(Names::new().with(HOST, &["127.0.0.1"]))
        .with_root_certificate_pem(authority.pem.as_bytes())
        .with_clock(TestClock::still().shared())
        .build()
        .unwrap()
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
    let (acceptor, listener, url) = listening(&authority).await;
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
    let error = Sender::get(format!("{url}/x")).send(&transport(&authority)).await.unwrap_err();
    assert_eq!((error.kind(), error.retries()), (ErrorKind::Interrupted, 2), "{error:?}");
    let shown = format!("{error} {error:?} {:?}", error.source());
    assert!(shown.contains("HTTP/2: unspecific protocol error detected") && !shown.contains("canary"), "{shown}");
    serving.abort();
}

/// What is said to a request instead of an answer, with its error code (RFC 9113 section 7).
#[derive(Clone, Copy, Debug)]
enum Said {
    /// An answer after all.
    Ok,
    /// Nothing: the connection ends.
    Nothing,
    /// The end of its stream.
    Reset(u32),
    /// The end of the connection, which promises that streams after the one before are not processed.
    Away(u32),
}

const NO_ERROR: u32 = 0;
const PROTOCOL_ERROR: u32 = 1;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const HTTP_1_1_REQUIRED: u32 = 13;

/// Says what is left to say, one to each request that has come whole, and after that answers 200.
async fn speak(
    mut stream: TlsStream<TcpStream>,
    script: Arc<Mutex<VecDeque<Said>>>,
    requests: Arc<AtomicUsize>,
) -> io::Result<()> {
    // Settings, all as they are by default.
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await?;
    stream.read_exact(&mut [0_u8; 24]).await?;
    loop {
        let mut head = [0_u8; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, stream_id @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        stream.read_exact(&mut vec![0_u8; length as usize]).await?;
        // HEADERS or DATA that end their stream.
        if kind > 1 || flags & 1 == 0 {
            continue;
        }
        requests.fetch_add(1, Ordering::SeqCst);
        let said = script.lock().unwrap().pop_front();
        let frame = match said {
            None | Some(Said::Ok) => [&[0, 0, 1, 1, 5][..], &stream_id, &[0x88]].concat(),
            Some(Said::Nothing) => return Ok(()),
            Some(Said::Reset(code)) => [&[0, 0, 4, 3, 0][..], &stream_id, &code.to_be_bytes()].concat(),
            Some(Said::Away(code)) => {
                let before = u32::from_be_bytes(stream_id).saturating_sub(2);
                [&[0, 0, 8, 7, 0, 0, 0, 0, 0][..], &before.to_be_bytes(), &code.to_be_bytes()].concat()
            }
        };
        stream.write_all(&frame).await?;
        stream.flush().await?;
    }
}

/// What [`speak`] is served by, where it is, and how many requests it has had.
async fn scripted(said: Vec<Said>) -> (Authority, String, Arc<AtomicUsize>, JoinHandle<()>) {
    let authority = Authority::new();
    let (acceptor, listener, url) = listening(&authority).await;
    let script = Arc::new(Mutex::new(VecDeque::from(said)));
    let requests = Arc::new(AtomicUsize::new(0));
    let received = Arc::clone(&requests);
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream = acceptor.accept(stream).await.unwrap();
            tokio::spawn(speak(stream, Arc::clone(&script), Arc::clone(&received)));
        }
    });
    (authority, url, requests, serving)
}

/// A stream that is refused was not processed (RFC 9113 section 8.7). Of the end of a connection the client does
/// not know what it is said of.
#[tokio::test]
async fn what_a_server_says_it_has_not_processed_is_sent_again_whatever_its_method() {
    for (method, said, expected) in [
        ("POST", vec![Said::Reset(REFUSED_STREAM)], Ok(1)),
        ("PATCH", vec![Said::Reset(REFUSED_STREAM); 2], Ok(2)),
        // Once without a retry.
        ("GET", vec![Said::Away(NO_ERROR)], Ok(0)),
        ("GET", vec![Said::Away(NO_ERROR); 2], Ok(1)),
        ("GET", vec![Said::Away(PROTOCOL_ERROR)], Ok(1)),
        ("POST", vec![Said::Reset(REFUSED_STREAM); 3], Err((true, 2))),
        // What says no more than that something went wrong.
        ("POST", vec![Said::Reset(CANCEL)], Err((false, 0))),
        ("POST", vec![Said::Away(NO_ERROR)], Err((false, 0))),
        ("POST", vec![Said::Away(PROTOCOL_ERROR)], Err((false, 0))),
        ("GET", vec![Said::Reset(CANCEL)], Ok(1)),
        ("GET", vec![Said::Reset(HTTP_1_1_REQUIRED)], Err((false, 0))),
    ] {
        let resent = usize::from(matches!((method, said[0]), ("GET", Said::Away(NO_ERROR))));
        let (authority, url, requests, serving) = scripted(said.clone()).await;
        let result = Sender::new(method, format!("{url}/x")).send(&transport(&authority)).await;
        let (ended, retries) = match &result {
            Ok(response) => (Ok(response.retries), response.retries),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Interrupted, "{method} {said:?}: {error:?}");
                (Err((error.is_retryable(), error.retries())), error.retries())
            }
        };
        assert_eq!(ended, expected, "{method} {said:?}: {result:?}");
        let sent = requests.load(Ordering::SeqCst);
        assert_eq!(sent, 1 + retries as usize + resent, "{method} {said:?}: no more is sent");
        serving.abort();
    }
}

/// As over HTTP/1.1: what breaks after it has carried an answer was most likely closed before the request came.
#[tokio::test]
async fn a_connection_that_breaks_after_an_answer_costs_no_retry() {
    for (said, expected) in [
        (vec![Said::Ok, Said::Nothing], Ok(200)),
        // The one that comes next has carried nothing.
        (vec![Said::Ok, Said::Nothing, Said::Nothing], Err(ErrorKind::Interrupted)),
        // An answer to one stream is no end of the connection.
        (vec![Said::Ok, Said::Reset(CANCEL)], Err(ErrorKind::Interrupted)),
    ] {
        let (authority, url, requests, serving) = scripted(said.clone()).await;
        let transport = transport(&authority);
        let sender = Sender::get(format!("{url}/x")).retries(0);
        assert_eq!(sender.send(&transport).await.unwrap().status, 200);
        let result = sender.send(&transport).await;
        let ended = result.as_ref().map(|response| response.status).map_err(callout_core::Error::kind);
        assert_eq!(ended, expected, "{said:?}: {result:?}");
        let sent = said.len() + usize::from(expected.is_ok());
        assert_eq!(requests.load(Ordering::SeqCst), sent, "{said:?}");
        serving.abort();
    }
}
