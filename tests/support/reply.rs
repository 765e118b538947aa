//! What an upstream answers: well-formed, late, cut, endless, or not at all.

use std::{sync::Arc, time::Duration};

use async_compression::tokio::write::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use bytes::Bytes;
use tokio::{io::AsyncWriteExt as _, sync::Barrier};

/// One thing that an upstream does on the wire.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Write(Bytes),
    Wait(Duration),
    /// Until the barrier's number of requests wait.
    Meet(Arc<Barrier>),
    /// Byte by byte.
    Drip(Bytes, Duration),
    /// Over and over until the peer is gone.
    Endless(Bytes),
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    KeepAlive,
    Close,
    /// RST in place of FIN.
    Reset,
    /// Nothing more is said, until the peer is gone.
    Stall,
}

/// One answer, or what is done in its place.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    delay: Duration,
    meeting: Option<Arc<Barrier>>,
    end: End,
}

#[derive(Clone, Debug)]
enum Body {
    /// With its length.
    Whole(Bytes),
    /// Raw steps after the head, which gets no length.
    Steps(Vec<Step>),
    /// Raw steps and no head at all.
    Raw(Vec<Step>),
}

impl Reply {
    fn new(status: u16, body: Body) -> Self {
        Self { status, headers: Vec::new(), body, delay: Duration::ZERO, meeting: None, end: End::KeepAlive }
    }

    /// That status and an empty body.
    pub fn status(status: u16) -> Self {
        Self::new(status, Body::Whole(Bytes::new()))
    }

    /// JSON.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, Body::Whole(body.into())).header("content-type", "application/json")
    }

    /// Bytes of any type.
    pub fn bytes(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self::new(status, Body::Whole(body.into())).header("content-type", content_type)
    }

    /// A redirect.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// Those bytes, whatever they are, and then a closed connection.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self { end: End::Close, ..Self::new(0, Body::Raw(vec![Step::Write(bytes.into())])) }
    }

    /// The request is read, and the connection closed without an answer.
    pub fn hang_up() -> Self {
        Self { end: End::Close, ..Self::new(0, Body::Raw(Vec::new())) }
    }

    /// The request is read, and the connection reset.
    pub fn reset() -> Self {
        Self { end: End::Reset, ..Self::hang_up() }
    }

    /// The request is read, and nothing is ever said.
    pub fn stall() -> Self {
        Self { end: End::Stall, ..Self::hang_up() }
    }

    /// The head, and then nothing more.
    pub fn stall_in_body() -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"";
        Self { end: End::Stall, ..Self::raw(head) }
    }

    /// A body of which one byte comes at a time.
    pub fn drip(body: impl Into<Bytes>, every: Duration) -> Self {
        let body = body.into();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        Self::new(0, Body::Raw(vec![Step::Write(head.into()), Step::Drip(body, every)]))
    }

    /// A body that ends before its announced length.
    pub fn truncated(body: &str, announced: usize) -> Self {
        Self::raw(format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {announced}\r\n\r\n{body}"
        ))
    }

    /// A body without a length that ends with its connection.
    pub fn until_close(body: &str) -> Self {
        Self::raw(format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{body}"))
    }

    /// A chunked body that stops before its last chunk.
    pub fn unfinished_chunks(body: &str) -> Self {
        Self::raw(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len()))
    }

    /// A chunk whose length is no number.
    pub fn bad_chunk() -> Self {
        Self::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")
    }

    /// Chunks without an end.
    pub fn endless_chunks() -> Self {
        let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
        let head = Step::Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".into());
        Self::new(0, Body::Raw(vec![head, Step::Endless(chunk.into())]))
    }

    /// A body without an end and without a length.
    pub fn endless_body() -> Self {
        Self::new(200, Body::Steps(vec![Step::Endless("x".repeat(0x4000).into())]))
    }

    /// Headers without an end.
    pub fn endless_headers() -> Self {
        let head = Step::Write("HTTP/1.1 200 OK\r\n".into());
        Self::new(0, Body::Raw(vec![head, Step::Endless(format!("x-more: {}\r\n", "y".repeat(1_000)).into())]))
    }

    /// Informational answers (RFC 9110 section 15.2) without an end.
    pub fn endless_informational() -> Self {
        Self::new(0, Body::Raw(vec![Step::Endless("HTTP/1.1 102 Processing\r\n\r\n".into())]))
    }

    /// A JSON answer whose headers take that many bytes.
    pub fn large_headers(bytes: usize) -> Self {
        let mut reply = Self::json(200, "{}");
        for at in 0..=bytes / 8_000 {
            let length = (bytes - at * 8_000).min(8_000);
            reply = reply.header(&format!("x-large-{at}"), &"y".repeat(length));
        }
        reply
    }

    /// Both a length and chunks, which say different things (RFC 9112 section 6.3).
    pub fn length_and_chunks() -> Self {
        Self::raw("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    }

    /// An answer, and right behind it one that nobody asked for.
    pub fn stray_second(first: &str, second: &str) -> Self {
        let answer = |body: &str| {
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        };
        Self { end: End::KeepAlive, ..Self::raw(answer(first) + &answer(second)) }
    }

    /// That many zero bytes under a coding (`gzip`, `zlib`, `deflate`, `br`, `zstd`, or several with
    /// commas, the innermost first).
    pub async fn bomb(codings: &str, bytes: usize) -> Self {
        let mut body = vec![0; bytes];
        for coding in codings.split(',') {
            body = compressed(coding.trim(), &body).await;
        }
        Self::bytes(200, "application/json", body).header("content-encoding", &codings.replace("zlib", "deflate"))
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Begun that much later.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Begun when as many requests wait here as the barrier is for: only calls that run at once get an answer.
    #[must_use]
    pub fn together(mut self, barrier: &Arc<Barrier>) -> Self {
        self.meeting = Some(Arc::clone(barrier));
        self
    }

    /// And then the connection is closed, without a word about it in the headers.
    #[must_use]
    pub fn then_close(mut self) -> Self {
        self.end = End::Close;
        self
    }

    /// The bytes as they go out: steps, and what becomes of the connection.
    pub(crate) fn into_steps(self, head_only: bool) -> (Vec<Step>, End) {
        let Self { status, headers, body, delay, meeting, end } = self;
        let mut steps: Vec<_> = meeting.map(Step::Meet).into_iter().collect();
        if !delay.is_zero() {
            steps.push(Step::Wait(delay));
        }
        let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
        for (name, value) in headers {
            head.extend([&name, ": ", &value, "\r\n"]);
        }
        match body {
            Body::Raw(raw) => steps.extend(raw),
            Body::Steps(rest) => {
                steps.push(Step::Write((head + "\r\n").into()));
                steps.extend(rest);
            }
            Body::Whole(body) => {
                if !matches!(status, 100..=199 | 204 | 304) {
                    head.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
                }
                let mut whole = (head + "\r\n").into_bytes();
                if !head_only {
                    whole.extend_from_slice(&body);
                }
                steps.push(Step::Write(whole.into()));
            }
        }
        (steps, end)
    }
}

/// Bytes under a coding: `gzip`, `zlib`, `deflate` (raw), `br`, `zstd`.
pub async fn compressed(coding: &str, plain: &[u8]) -> Vec<u8> {
    macro_rules! with {
        ($encoder:ident) => {{
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all(plain).await.unwrap();
            encoder.shutdown().await.unwrap();
            encoder.into_inner()
        }};
    }
    match coding {
        "gzip" => with!(GzipEncoder),
        "zlib" => with!(ZlibEncoder),
        "deflate" => with!(DeflateEncoder),
        "br" => with!(BrotliEncoder),
        _ => with!(ZstdEncoder),
    }
}
