//! Bodies of answers that hold something until they have been sent.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// Bytes that are handed on at once. A connection takes what it is given before it is sent, and a body that was
/// given whole would be at its end while all of it waits for a slow client.
const PIECE: usize = 32 << 10;

/// The body, which holds that until the connection has taken the last of it; a short one, which waits in the
/// connection's own buffer, does not.
pub(crate) fn holding<T: Send + Unpin + 'static>(body: Body, held: T) -> Body {
    let is_short = body.size_hint().upper().is_some_and(|most| most <= PIECE as u64);
    if is_short { body } else { Body::new(Holding { body, rest: Bytes::new(), _held: held }) }
}

struct Holding<T> {
    body: Body,
    /// What has not been handed on of what came last.
    rest: Bytes,
    _held: T,
}

impl<T: Unpin> HttpBody for Holding<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_long_body_holds_to_its_end_and_says_how_long_it_is() {
        let held = Arc::new(());
        let length = 2 * PIECE + 5;
        let mut body = holding(Body::from(vec![7_u8; length]), Arc::clone(&held));
        let mut left = length;
        while !body.is_end_stream() {
            assert_eq!((body.size_hint().exact(), Arc::strong_count(&held)), (Some(left as u64), 2));
            let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!((1..=PIECE).contains(&piece.len()) && piece.iter().all(|byte| *byte == 7));
            left -= piece.len();
        }
        assert_eq!((left, body.size_hint().exact()), (0, Some(0)));
        assert!(body.frame().await.is_none());
        drop(body);
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test]
    async fn so_does_one_whose_length_is_not_known_and_a_short_one_does_not() {
        let held = Arc::new(());
        let parts = [Ok::<_, axum::Error>(vec![1_u8; 3]), Ok(vec![2_u8; PIECE + 1])];
        let body = holding(Body::from_stream(stream::iter(parts)), Arc::clone(&held));
        assert_eq!((body.size_hint().exact(), Arc::strong_count(&held)), (None, 2));
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), PIECE + 4);
        let short = holding(Body::from(vec![7_u8; PIECE]), Arc::clone(&held));
        assert_eq!((short.size_hint().exact(), Arc::strong_count(&held)), (Some(PIECE as u64), 1));
        assert!(holding(Body::empty(), ()).is_end_stream());
    }
}
