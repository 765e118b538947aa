//! How much memory a bomb may take: the bound on the body and 16 MB, whatever its coding. Alone in
//! its process, so that nothing else is counted.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fs;

use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use callout_core::ErrorKind;
use callout_tests::{Reply, Sender, Upstream};
use callout_transport::{EgressPolicy, Transport};
use tokio::io::AsyncWriteExt as _;

const BOMB: usize = 200 << 20;
const MOST: usize = 10 << 20;

async fn bomb(coding: &str) -> Vec<u8> {
    let piece = vec![0; 1 << 20];
    macro_rules! with {
        ($encoder:expr) => {{
            let mut encoder = $encoder;
            for _ in 0..BOMB / piece.len() {
                encoder.write_all(&piece).await.unwrap();
            }
            encoder.shutdown().await.unwrap();
            encoder.into_inner()
        }};
    }
    let fast = async_compression::Level::Fastest;
    match coding {
        "gzip" => with!(GzipEncoder::with_quality(Vec::new(), fast)),
        "deflate" => with!(ZlibEncoder::with_quality(Vec::new(), fast)),
        "br" => with!(BrotliEncoder::with_quality(Vec::new(), fast)),
        _ => with!(ZstdEncoder::with_quality(Vec::new(), fast)),
    }
}

/// From `/proc/self/status`, in bytes.
fn memory(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
async fn a_bomb_takes_no_more_than_the_bound_and_16_mb() {
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let upstream = Upstream::start().await;
        let body = bomb(coding).await;
        let coded = body.len();
        upstream.reply("/x", Reply::bytes(200, "text/plain", body).header("content-encoding", coding));
        let egress = EgressPolicy::public().allow(&upstream.address().to_string()).unwrap();
        let transport = Transport::builder().with_egress(egress).build().unwrap();
        // Sets the peak back to what is held now.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = memory("VmRSS:");
        let error = Sender::get(upstream.at("/x")).most(MOST).send(&transport).await.unwrap_err();
        let peak = memory("VmHWM:").saturating_sub(before);
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge, "{coding}");
        assert!(peak < MOST + (16 << 20) + 2 * coded, "{coding}: {peak} bytes more at the peak");
    }
}
