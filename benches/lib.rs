//! What the benchmarks share: real bodies, and an upstream on this machine.
#![expect(clippy::expect_used, clippy::panic, reason = "without its data there is nothing to measure")]

pub mod apart;
pub mod obvious;
pub mod pipeline;
pub mod token;

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Real bodies of several sizes and shapes, with a name for the report.
///
/// # Panics
///
/// If a file of `tests/data` cannot be read.
pub fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("github-issue-6k", github("issues/get-parent")),
        ("stripe-188k", data("stripe.json")),
        ("github-610k", data("github.json")),
        ("fhir-3.1M", data("fhir.json")),
    ]
}

/// A file of `tests/data`.
///
/// # Panics
///
/// If it cannot be read.
pub fn data(name: &str) -> Vec<u8> {
    let path = format!("{}/../tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// GitHub's example of a list of public events, its elements repeated until it has about that many bytes.
///
/// # Panics
///
/// If `tests/data/github.json` cannot be read.
pub fn events(bytes: usize) -> Vec<u8> {
    let list = github("activity/list-public-events");
    let inner = String::from_utf8_lossy(list.get(1..list.len() - 1).unwrap_or_default()).into_owned();
    let times = (bytes / inner.len()).max(1);
    format!("[{}]", vec![inner; times].join(",")).into_bytes()
}

/// One of GitHub's example bodies, compact.
///
/// # Panics
///
/// If `tests/data/github.json` cannot be read.
pub fn github(operation: &str) -> Vec<u8> {
    let text = data("github.json");
    let all: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let found = all.as_array().into_iter().flatten().find(|entry| entry["operation"] == operation);
    found.map(|entry| entry["body"].to_string().into_bytes()).unwrap_or_default()
}

/// So many of the same, that many of them at any time, of which `all` is a multiple.
pub async fn many<F: Future<Output = ()>>(all: usize, in_flight: usize, one: impl Fn() -> F) {
    let lane = || async {
        for _ in 0..all / in_flight {
            one().await;
        }
    };
    futures_util::future::join_all((0..in_flight).map(|_| lane())).await;
}

/// An HTTP server that gives every request the same body, over kept-alive connections. It serves as
/// long as the runtime runs.
///
/// # Errors
///
/// If no port of this machine can be had.
pub async fn upstream(body: Vec<u8>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    let answer: Arc<[u8]> = [head.into_bytes(), body].concat().into();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut read = Vec::new();
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                    read.extend_from_slice(&buffer[..length]);
                    // The benchmarks send bodies too; they fit into one segment behind the head.
                    if read.windows(4).any(|window| window == b"\r\n\r\n") {
                        read.clear();
                        if stream.write_all(&answer).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    Ok(address)
}
