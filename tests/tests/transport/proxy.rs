//! What goes through a proxy that the embedder has set: in a tunnel, or as whole URLs.

use std::sync::{Arc, Mutex};

use callout_tests::{
    Names, Reply, Sender, TestClock, Upstream,
    certs::{Authority, server_config},
};
use callout_transport::EgressPolicy;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::builder;

const HOST: &str = "api.example";
const PROXY: &str = "proxy.example";

/// Opens the tunnel that is asked for, always to one address, and gives the head of the request.
async fn tunnel(stream: impl AsyncRead + AsyncWrite + Unpin, heads: &Mutex<Vec<String>>, port: u16) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).await.unwrap() > 0, "{head}");
    }
    heads.lock().unwrap().push(head);
    let mut upstream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut upstream).await;
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_the_upstream_sees_nothing_of_it() {
    let authority = Authority::new();
    let upstream = Upstream::tls(server_config(&authority.server(HOST), None)).await;
    upstream.reply("/x", Reply::json(200, "{}"));
    for scheme in ["http", "https"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let mut config = Arc::unwrap_or_clone(server_config(&authority.server(PROXY), None));
        // One that could speak HTTP/2 is asked for a tunnel in HTTP/1.1 all the same.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = (scheme == "https").then(|| TlsAcceptor::from(Arc::new(config)));
        let (seen, port) = (Arc::clone(&heads), upstream.address().port());
        let proxy = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                match &acceptor {
                    Some(acceptor) => tunnel(acceptor.accept(stream).await.unwrap(), &seen, port).await,
                    None => tunnel(stream, &seen, port).await,
                }
            }
        });
        let names = Names::new().with(PROXY, &["127.0.0.1"]);
        let transport = builder(&[], &TestClock::still())
            // Nothing of this machine is open: the proxy may be anywhere.
            .with_egress(EgressPolicy::public())
            .with_resolver(names.clone())
            .with_root_certificate_pem(authority.pem.as_bytes())
            .with_proxy(&format!("{scheme}://user:pass%20word@{PROXY}:{at}"))
            .build()
            .unwrap();
        let lost = builder(&[], &TestClock::still())
            .with_resolver(Names::new())
            .with_proxy(&format!("{scheme}://{PROXY}:{at}"))
            .build()
            .unwrap();
        let error = Sender::get(format!("https://{HOST}/x")).send(&lost).await.unwrap_err();
        assert_eq!(error.message(), "the name of the proxy on the way to api.example cannot be looked up");
        let before = upstream.count();
        let sender = Sender::get(format!("https://{HOST}:8443/x"));
        assert_eq!(sender.send(&transport).await.unwrap().status, 200, "{scheme}");
        assert_eq!(sender.send(&transport).await.unwrap().status, 200, "{scheme}");
        let heads = heads.lock().unwrap().clone();
        assert_eq!(heads.len(), 1, "a tunnel is used again");
        assert!(heads[0].starts_with("CONNECT api.example:8443 HTTP/1.1\r\nHost: api.example:8443\r\n"), "{heads:?}");
        // RFC 7617: `user:pass word`.
        assert!(heads[0].contains("Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n"), "{heads:?}");
        assert_eq!(names.asked(), [PROXY], "the upstream's name is the proxy's to look up");
        let requests = upstream.requests().split_off(before);
        assert_eq!(requests.len(), 2);
        for request in requests {
            assert_eq!((request.target.as_str(), request.header("host")), ("/x", Some("api.example:8443")));
            assert_eq!(request.header("proxy-authorization"), None);
        }
        proxy.abort();
    }
}
