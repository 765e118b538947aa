//! The codings of a body: which are undone, in what order, and how much that may cost.

use std::{
    error::Error as StdError,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use async_compression::{
    tokio::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder},
    zstd::DParameter,
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, BufReader, ReadBuf};
use tokio_util::io::StreamReader;

use super::{BodyFault, BoxError, STEP};

/// Codings on top of each other; nobody honest uses two.
const MAX_CODINGS: usize = 4;

/// A decoder may be told to look back 8 MiB and no further (RFC 8878 section 3.1.1.1.2, RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a stream of brotli begins whose window is larger than the 16 MiB of RFC 7932 section 9.1, which has no such
/// beginning: what it unpacks to would be seen when it has unpacked to as much as that window, of a GiB.
const LARGE_BROTLI_WINDOW: u8 = 0b001_0001;

/// What a decoder has written so far, never more than allowed.
struct Sink {
    body: BytesMut,
    most: usize,
}

impl Sink {
    fn new(most: usize) -> Self {
        Self { body: BytesMut::new(), most }
    }

    fn push(&mut self, chunk: &[u8]) -> Result<(), BodyFault> {
        let length = self.body.len() + chunk.len();
        if length > self.most {
            return Err(BodyFault::TooLarge);
        }
        // Doubled, but not past what can be needed.
        if length > self.body.capacity() {
            let capacity = (self.body.capacity() * 2).clamp(length, self.most);
            self.body.reserve(capacity - self.body.len());
        }
        self.body.extend_from_slice(chunk);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// Whether what undoes it holds megabytes of what it has written.
    fn has_large_window(self) -> bool {
        matches!(self, Self::Brotli | Self::Zstd)
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The codings to undo, the outermost first; they are taken out of the headers.
pub(super) fn take_codings(headers: &mut HeaderMap) -> Result<Vec<Coding>, BodyFault> {
    if !headers.contains_key(CONTENT_ENCODING) {
        return Ok(Vec::new());
    }
    let listed: Vec<_> =
        headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let listed = listed.join(",").to_ascii_lowercase();
    let mut left: Vec<&str> =
        listed.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "identity").collect();
    let mut codings = Vec::new();
    while let Some(coding) = left.last().and_then(|name| Coding::named(name)) {
        left.pop();
        codings.push(coding);
        let large = codings.iter().filter(|coding| coding.has_large_window()).count();
        if codings.len() > MAX_CODINGS || large > 1 {
            return Err(BodyFault::TooManyCodings);
        }
    }
    match HeaderValue::from_str(&left.join(", ")) {
        Ok(value) if !left.is_empty() => headers.insert(CONTENT_ENCODING, value),
        _ => headers.remove(CONTENT_ENCODING),
    };
    Ok(codings)
}

/// Marks that a bound was passed, on its way through the decoders' `io::Error`.
#[derive(Debug, thiserror::Error)]
#[error("the body is larger than allowed")]
struct PastBound;

/// The connection's error, on the same way.
#[derive(Debug, thiserror::Error)]
#[error("the connection broke")]
struct Broke(BoxError);

type Layer<'a> = Box<dyn AsyncBufRead + Send + Unpin + 'a>;

pub(super) async fn decode<S>(wire: Pin<&mut S>, codings: &[Coding], most: usize) -> Result<Bytes, BodyFault>
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send,
{
    // What is coded is smaller than what it stands for, but for a little. The bound on it keeps
    // endless empty members, and bombs that unpack to nothing, from costing more than a body may.
    let most_coded = most.saturating_add(most / 8).saturating_add(1 << 10);
    let mut left = most_coded;
    let counted = wire.map(move |chunk| {
        let chunk = chunk.map_err(|error| io::Error::other(Broke(error)))?;
        left = left.checked_sub(chunk.len()).ok_or_else(|| io::Error::other(PastBound))?;
        Ok::<_, io::Error>(chunk)
    });
    let mut wire = StreamReader::new(counted);
    if wire.fill_buf().await.map_err(of_io)?.is_empty() {
        // HEAD, 204 and 304 announce a coding of what they do not send.
        return Ok(Bytes::new());
    }
    let body = unpack(&mut wire, codings, most, most_coded).await.map_err(of_io)?;
    // The end of the coded body must be the end of the answer, else one of the two was cut.
    if wire.fill_buf().await.map_err(of_io)?.is_empty() {
        Ok(body)
    } else {
        Err(BodyFault::Corrupt(io::Error::new(io::ErrorKind::InvalidData, "there are bytes after the coded body")))
    }
}

async fn unpack(
    wire: &mut (dyn AsyncBufRead + Send + Unpin),
    codings: &[Coding],
    most: usize,
    most_coded: usize,
) -> io::Result<Bytes> {
    let mut layer: Layer<'_> = Box::new(wire);
    for coding in codings {
        layer = Box::new(BufReader::with_capacity(
            STEP,
            Bounded { inner: decoder(*coding, layer).await?, left: most_coded },
        ));
    }
    let mut sink = Sink::new(most);
    loop {
        let chunk = layer.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(sink.body.freeze());
        }
        sink.push(chunk).map_err(|_| io::Error::other(PastBound))?;
        let length = chunk.len();
        layer.consume(length);
    }
}

async fn decoder<'a>(coding: Coding, coded: Layer<'a>) -> io::Result<Box<dyn AsyncRead + Send + Unpin + 'a>> {
    let mut coded = Paced { inner: coded, left: STEP };
    Ok(match coding {
        Coding::Gzip => {
            let mut decoder = GzipDecoder::new(coded);
            decoder.multiple_members(true); // RFC 1952 section 2.2
            Box::new(decoder)
        }
        Coding::Deflate => {
            // RFC 1950 section 2.2: compression method 8 with a window of at most 32 KiB. No encoder
            // writes a raw stream that begins so: it would be a stored block with its padding set.
            let zlib = coded.fill_buf().await?.first().is_none_or(|byte| byte & 0x8f == 0x08);
            if zlib { Box::new(ZlibDecoder::new(coded)) } else { Box::new(DeflateDecoder::new(coded)) }
        }
        Coding::Brotli => {
            if coded.fill_buf().await?.first().is_some_and(|byte| byte & 0x7f == LARGE_BROTLI_WINDOW) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "its window is larger than br may have"));
            }
            Box::new(BrotliDecoder::new(coded))
        }
        Coding::Zstd => {
            let mut decoder = ZstdDecoder::with_params(coded, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)]);
            decoder.multiple_members(true); // RFC 8878 section 3.1
            Box::new(decoder)
        }
    })
}

fn of_io(error: io::Error) -> BodyFault {
    if error.get_ref().is_some_and(<dyn StdError + Send + Sync>::is::<PastBound>) {
        return BodyFault::TooLarge;
    }
    match error.downcast::<Broke>() {
        Ok(Broke(error)) => BodyFault::Wire(error),
        Err(error) => BodyFault::Corrupt(error),
    }
}

/// Fails once more than so many bytes have been read through it.
struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R: AsyncRead + Unpin> AsyncRead for Bounded<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let read = buffer.filled().len() - before;
        self.left = self.left.checked_sub(read).ok_or_else(|| io::Error::other(PastBound))?;
        Poll::Ready(Ok(()))
    }
}

/// Lets others have their turn each time that so much has been read through it: a decoder goes on as long as there
/// is something to read and nothing comes of it.
struct Paced<R> {
    inner: R,
    left: usize,
}

impl<R: AsyncBufRead + Unpin> AsyncBufRead for Paced<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Self { inner, left } = self.get_mut();
        if *left == 0 {
            *left = STEP;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(inner).poll_fill_buf(cx)
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        Pin::new(&mut self.inner).consume(amount);
    }
}

/// What the trait asks for; decoders read by the other.
impl<R: AsyncBufRead + Unpin> AsyncRead for Paced<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let found = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = found.len().min(buffer.remaining());
        buffer.put_slice(&found[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use async_compression::tokio::write::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
    use futures_util::stream;
    use http::Response;
    use http_body_util::Full;
    use tokio::io::AsyncWriteExt as _;

    use super::{super::read, *};

    const ALL: [&str; 5] = ["gzip", "zlib", "deflate", "br", "zstd"];

    async fn coded(coding: &str, plain: &[u8]) -> Vec<u8> {
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
            "zstd" => with!(ZstdEncoder),
            other => panic!("{other}"),
        }
    }

    /// As a `Content-Encoding` says it: both forms of deflate have one name.
    fn header(coding: &str) -> &str {
        if coding == "zlib" { "deflate" } else { coding }
    }

    async fn read_coded(codings: &str, body: Vec<u8>, most: usize) -> Result<(HeaderMap, Bytes), BodyFault> {
        let response = http::Response::builder().header(CONTENT_ENCODING, codings).body(Full::from(body)).unwrap();
        read(response, most).await
    }

    #[tokio::test]
    async fn every_coding_is_undone_however_the_bytes_arrive() {
        let plain: Vec<u8> = (0..5_000_u32).flat_map(|n| (n * n % 97).to_string().into_bytes()).collect();
        for coding in ALL {
            let coded = coded(coding, &plain).await;
            let (headers, body) = read_coded(&header(coding).to_uppercase(), coded.clone(), plain.len()).await.unwrap();
            assert_eq!(body, plain, "{coding}");
            assert!(!headers.contains_key(CONTENT_ENCODING));
            let chunks = stream::iter(coded.chunks(1).map(|byte| Ok(Bytes::copy_from_slice(byte))));
            let codings = [Coding::named(header(coding)).unwrap()];
            assert_eq!(decode(pin!(chunks), &codings, plain.len()).await.unwrap(), plain, "{coding}, byte by byte");
        }
    }

    #[tokio::test]
    async fn the_bound_is_exact_and_counts_what_was_decoded() {
        let plain = vec![b'a'; 100_000];
        for coding in ALL {
            let coded = coded(coding, &plain).await;
            assert!(coded.len() < 1_000);
            assert!(read_coded(header(coding), coded.clone(), 100_000).await.is_ok(), "{coding}");
            let fault = read_coded(header(coding), coded, 99_999).await.unwrap_err();
            assert!(matches!(fault, BodyFault::TooLarge), "{coding}: {fault:?}");
        }
        assert_eq!(read(Response::new(Full::from(plain.clone())), 100_000).await.unwrap().1, plain);
        assert!(matches!(read(Response::new(Full::from(plain)), 99_999).await, Err(BodyFault::TooLarge)));
    }

    #[tokio::test]
    async fn a_coded_body_that_is_cut_anywhere_is_an_error() {
        for coding in ALL {
            let coded = coded(coding, b"{\"items\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], \"more\": false}").await;
            for length in 1..coded.len() {
                let fault = read_coded(header(coding), coded[..length].to_vec(), 1_000).await;
                assert!(matches!(fault, Err(BodyFault::Corrupt(_))), "{coding} cut to {length}: {fault:?}");
            }
            let longer = [&coded[..], b"junk"].concat();
            let fault = read_coded(header(coding), longer, 1_000).await;
            assert!(matches!(fault, Err(BodyFault::Corrupt(_))), "{coding} with junk behind it: {fault:?}");
            let fault = read_coded(header(coding), b"<html>not coded at all</html>".to_vec(), 1_000).await;
            assert!(matches!(fault, Err(BodyFault::Corrupt(_))), "{coding} in name only: {fault:?}");
            // HEAD and 304 announce what they do not send.
            assert!(read_coded(header(coding), Vec::new(), 1_000).await.unwrap().1.is_empty());
        }
    }

    #[tokio::test]
    async fn nested_codings_are_undone_from_the_outside_and_bounded_at_each_layer() {
        let inner = coded("br", b"{}").await;
        let outer = coded("gzip", &inner).await;
        let (headers, body) = read_coded("br, gzip", outer.clone(), 10).await.unwrap();
        assert_eq!((&body[..], headers.contains_key(CONTENT_ENCODING)), (&b"{}"[..], false));
        assert!(matches!(read_coded("gzip, br", outer, 10).await, Err(BodyFault::Corrupt(_))));
        // Empty members: nothing in the end, but 2 MB on the way there.
        let empty_members = coded("gzip", b"").await.repeat(100_000);
        let bomb = coded("gzip", &empty_members).await;
        assert!(matches!(read_coded("gzip, gzip", bomb, 1_000).await, Err(BodyFault::TooLarge)));
        let endless = coded("gzip", b"").await.repeat(1_000);
        assert!(matches!(read_coded("gzip", endless, 1_000).await, Err(BodyFault::TooLarge)));
        assert!(matches!(
            read_coded("gzip, gzip, gzip, gzip, gzip", Vec::new(), 10).await,
            Err(BodyFault::TooManyCodings)
        ));
    }

    #[tokio::test]
    async fn members_one_after_another_are_one_body() {
        for coding in ["gzip", "zstd"] {
            let both = [coded(coding, b"[1,").await, coded(coding, b"2]").await].concat();
            assert_eq!(&read_coded(coding, both, 100).await.unwrap().1[..], b"[1,2]", "{coding}");
        }
    }

    #[tokio::test]
    async fn unknown_codings_are_passed_on_as_they_are() {
        for (named, left) in [
            ("aws-chunked", Some("aws-chunked")),
            ("gzip, made-up", Some("gzip, made-up")),
            ("identity", None),
            (" , ", None),
            ("UTF-8", Some("utf-8")),
        ] {
            let (headers, body) = read_coded(named, b"{}".to_vec(), 10).await.unwrap();
            assert_eq!(&body[..], b"{}");
            assert_eq!(headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap()), left, "{named}");
        }
        let (headers, body) = read_coded("made-up, gzip", coded("gzip", b"{}").await, 10).await.unwrap();
        assert_eq!((&body[..], headers[CONTENT_ENCODING].to_str().unwrap()), (&b"{}"[..], "made-up"));
    }

    #[tokio::test]
    async fn a_zstd_frame_may_not_ask_for_a_huge_window() {
        // Magic number, a header without content size, and a window of 2^27 bytes (RFC 8878 section 3.1.1.1.2).
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00];
        assert!(matches!(read_coded("zstd", frame.to_vec(), 100).await, Err(BodyFault::Corrupt(_))));
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (23 - 10) << 3, 0x01, 0x00, 0x00];
        assert!(read_coded("zstd", frame.to_vec(), 100).await.is_ok());
    }

    #[tokio::test]
    async fn br_may_not_ask_for_a_huge_window() {
        // A window of 2^30 bytes, as no RFC has it, and nothing in it; then one of 2^24 (RFC 7932 section 9.1).
        assert!(matches!(read_coded("br", vec![0x11, 0xde], 100).await, Err(BodyFault::Corrupt(_))));
        assert!(read_coded("br", vec![0x3f], 100).await.unwrap().1.is_empty());
        for codings in ["br, br", "zstd, gzip, br", "zstd, zstd"] {
            assert!(matches!(read_coded(codings, vec![0x3f], 100).await, Err(BodyFault::TooManyCodings)), "{codings}");
        }
    }

    #[tokio::test]
    async fn what_unpacks_to_nothing_lets_others_have_their_turn() {
        let empty_members = coded("gzip", b"").await.repeat(50_000);
        let bomb = coded("gzip", &empty_members).await;
        let mut reading = pin!(read_coded("gzip, gzip", bomb, empty_members.len()));
        let mut turns = 0;
        let read = std::future::poll_fn(|cx| {
            turns += 1;
            reading.as_mut().poll(cx)
        });
        assert!(read.await.unwrap().1.is_empty());
        assert!(turns > empty_members.len() / STEP, "{turns}");
    }
}
