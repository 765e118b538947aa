//! An answer's body: read to its end, decoded, and never more of it than allowed.
//!
//! Content codings (RFC 9110 section 8.4): gzip, deflate (zlib, as the RFC says, and raw, as some
//! servers do), br and zstd, at most four on top of each other. What is coded otherwise, or was coded
//! under an unknown coding, is passed on as it is, with the `Content-Encoding` that is left. The
//! client itself decodes nothing, so that the count is exact and a configured `Accept-Encoding`
//! changes nothing.

use std::{
    error::Error as StdError,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use async_compression::{
    tokio::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder},
    zstd::DParameter,
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http::{
    HeaderMap, HeaderValue, Response,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
    response::Parts,
};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, BufReader, ReadBuf};
use tokio_util::io::StreamReader;

/// What a request says it takes, unless its config says otherwise.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// Codings on top of each other; nobody honest uses two.
const MAX_CODINGS: usize = 4;

/// A decoder may be told to look back 8 MiB and no further (RFC 8878 section 3.1.1.1.2, RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// What is read and decoded at a time.
const STEP: usize = 16 << 10;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum BodyFault {
    TooLarge,
    TooManyCodings,
    /// The connection broke.
    Wire(BoxError),
    /// What arrived is not what its coding says, or ends too soon.
    Corrupt(io::Error),
}

/// Reads a body. Where it was decoded, the headers no longer say that it is encoded.
pub(crate) async fn read<B>(response: Response<B>, most: usize) -> Result<(HeaderMap, Bytes), BodyFault>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    let (Parts { mut headers, .. }, mut body) = response.into_parts();
    let codings = take_codings(&mut headers)?;
    if codings.is_empty() {
        let body = read_plain(&mut body, most).await?;
        return Ok((headers, body));
    }
    headers.remove(CONTENT_LENGTH);
    let wire = stream::unfold(Some(body), |body| async {
        let mut body = body?;
        match chunk(&mut body).await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(body))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    let body = decode(pin!(wire), &codings, most).await?;
    Ok((headers, body))
}

/// The next bytes; `None` at the end. Trailers are passed over.
async fn chunk<B>(body: &mut B) -> Result<Option<Bytes>, BoxError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.map_err(Into::into)?.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

async fn read_plain<B>(body: &mut B, most: usize) -> Result<Bytes, BodyFault>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let announced = body.size_hint().exact().unwrap_or(0);
    if announced > most as u64 {
        return Err(BodyFault::TooLarge);
    }
    let Some(first) = chunk(body).await.map_err(BodyFault::Wire)? else { return Ok(Bytes::new()) };
    if first.len() > most {
        return Err(BodyFault::TooLarge);
    }
    let Some(second) = chunk(body).await.map_err(BodyFault::Wire)? else { return Ok(first) };
    let mut chunks = Chunks::new(usize::try_from(announced).unwrap_or(usize::MAX), most);
    chunks.push(first)?;
    chunks.push(second)?;
    while let Some(chunk) = chunk(body).await.map_err(BodyFault::Wire)? {
        chunks.push(chunk)?;
    }
    Ok(chunks.joined())
}

/// Chunks as they came, put together once all of them are there: what an answer announces may be a lie, and a
/// buffer that grows is copied as often as it does.
struct Chunks {
    whole: Vec<Bytes>,
    /// What has come since in chunks that are not worth being kept apart.
    small: BytesMut,
    /// Chunks of so many bytes are.
    worth_keeping: usize,
    length: usize,
    most: usize,
}

impl Chunks {
    /// Smaller chunks are copied at once. Each keeps the buffer that it was read into, of which this is the least
    /// that hyper makes: a server that sends few bytes at a time would otherwise have us keep many times as much
    /// as it sends.
    const WORTH_KEEPING: usize = 8 << 10;
    /// So many are kept, and then all are put together: the buffers can be larger than what is in them, 408 KiB
    /// each.
    const MOST: usize = 32;
    /// A body that is announced with no more has its place at once.
    const SMALL: usize = 4 * STEP;

    fn new(announced: usize, most: usize) -> Self {
        let (room, worth_keeping) = match announced {
            1..=Self::SMALL => (announced, usize::MAX),
            _ => (0, Self::WORTH_KEEPING),
        };
        Self { whole: Vec::new(), small: BytesMut::with_capacity(room), worth_keeping, length: 0, most }
    }

    fn push(&mut self, chunk: Bytes) -> Result<(), BodyFault> {
        self.length += chunk.len();
        if self.length > self.most {
            return Err(BodyFault::TooLarge);
        }
        if chunk.len() < self.worth_keeping {
            self.small.extend_from_slice(&chunk);
            return Ok(());
        }
        self.keep_small();
        self.whole.push(chunk);
        if self.whole.len() >= Self::MOST {
            self.small = self.put_together();
            self.worth_keeping = usize::MAX;
        }
        Ok(())
    }

    fn keep_small(&mut self) {
        if !self.small.is_empty() {
            self.whole.push(self.small.split().freeze());
        }
    }

    fn joined(mut self) -> Bytes {
        if self.whole.is_empty() {
            return self.small.freeze();
        }
        self.keep_small();
        self.put_together().freeze()
    }

    fn put_together(&mut self) -> BytesMut {
        let mut body = BytesMut::with_capacity(self.length);
        for chunk in self.whole.drain(..) {
            body.extend_from_slice(&chunk);
        }
        body
    }
}

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
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
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
fn take_codings(headers: &mut HeaderMap) -> Result<Vec<Coding>, BodyFault> {
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
        if codings.len() > MAX_CODINGS {
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

async fn decode<S>(wire: Pin<&mut S>, codings: &[Coding], most: usize) -> Result<Bytes, BodyFault>
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

async fn decoder<'a>(coding: Coding, mut coded: Layer<'a>) -> io::Result<Box<dyn AsyncRead + Send + Unpin + 'a>> {
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
        Coding::Brotli => Box::new(BrotliDecoder::new(coded)),
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

#[cfg(test)]
mod tests {
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use async_compression::tokio::write::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
    use tokio::io::AsyncWriteExt as _;

    use super::*;

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
    async fn plain_chunks_of_any_sizes_are_put_together_in_their_order() {
        let large = Chunks::WORTH_KEEPING;
        let sizes = [1, large, 2, 3, large - 1, 20_000, large + 1, 7, 70_000];
        for first in 0..sizes.len() {
            for behind in first + 1..=sizes.len() {
                let mut bytes = (0..=u8::MAX).cycle();
                let chunks: Vec<Bytes> =
                    sizes[first..behind].iter().map(|size| bytes.by_ref().take(*size).collect()).collect();
                let whole = chunks.concat();
                let body = || {
                    let frames = chunks.clone().into_iter().map(|chunk| Ok::<_, BoxError>(Frame::data(chunk)));
                    Response::new(StreamBody::new(stream::iter(frames)))
                };
                assert_eq!(read(body(), whole.len()).await.unwrap().1, whole);
                assert!(matches!(read(body(), whole.len() - 1).await, Err(BodyFault::TooLarge)));
                // Many chunks are put together earlier.
                let many = vec![Bytes::from(vec![7; large]); Chunks::MOST + first];
                let mut all = Chunks::new(0, usize::MAX);
                for chunk in chunks.iter().chain(&many).chain(&chunks) {
                    all.push(chunk.clone()).unwrap();
                }
                assert_eq!(all.joined(), [whole.clone(), many.concat(), whole.clone()].concat());
                // What is announced changes nothing but where it is put.
                for announced in [0, 1, whole.len(), usize::MAX] {
                    let mut all = Chunks::new(announced, whole.len());
                    for chunk in &chunks {
                        all.push(chunk.clone()).unwrap();
                    }
                    assert_eq!(all.joined(), whole);
                }
            }
        }
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
}
