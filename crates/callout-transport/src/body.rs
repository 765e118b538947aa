//! An answer's body: read to its end, decoded, and never more of it than allowed.
//!
//! Content codings (RFC 9110 section 8.4): gzip, deflate (zlib, as the RFC says, and raw, as some
//! servers do), br and zstd, at most four on top of each other, one of them br or zstd. What is coded otherwise, or was coded
//! under an unknown coding, is passed on as it is, with the `Content-Encoding` that is left. The
//! client itself decodes nothing, so that the count is exact and a configured `Accept-Encoding`
//! changes nothing.

mod coding;

use std::{error::Error as StdError, io, pin::pin};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{
    HeaderMap, Response, Version,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    response::Parts,
};
use http_body::Body;
use http_body_util::BodyExt as _;

use self::coding::{decode, take_codings};

/// What a request says it takes, unless its config says otherwise.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br, zstd";

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

/// Whether the body ends where the connection does (RFC 9112 section 6.3): HTTP/2 has its own ends.
pub(crate) fn is_open_ended<B>(response: &Response<B>) -> bool {
    let headers = response.headers();
    response.version() <= Version::HTTP_11
        && !headers.contains_key(CONTENT_LENGTH)
        && !headers.contains_key(TRANSFER_ENCODING)
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

#[cfg(test)]
mod tests {
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

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
}
