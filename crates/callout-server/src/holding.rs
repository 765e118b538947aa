//! Bodies of answers that hold something until they have been sent.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use crate::share::Room;

/// Bytes that are handed on at once. A connection takes what it is given before it is sent, and a body that was
/// given whole would be at its end while all of it waits for a slow client.
const PIECE: usize = 32 << 10;

/// Bytes that are freed before the last of them was taken.
const LARGE: usize = 1 << 20;

/// The body, which holds that, and room for its bytes, until the connection has taken the last of it; a short one,
/// which waits in the connection's own buffer, does not. `None` if there is not enough room; a body whose length is not
/// known breaks off where it has not. Without a room nothing is counted.
pub(crate) fn holding<T: Send + Unpin + 'static>(body: Body, held: T, mut room: Option<Room>) -> Option<Body> {
    let hint = body.size_hint();
    if hint.upper().is_some_and(|most| most <= PIECE as u64) {
        return Some(body);
    }
    let known = hint.exact().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
    let fits = room.as_mut().is_none_or(|room| room.resize(known));
    fits.then(|| Body::new(Holding { body, rest: Bytes::new(), kept: 0, room, _held: held }))
}

struct Holding<T> {
    body: Body,
    /// What has not been handed on of what came last.
    rest: Bytes,
    /// Bytes of the memory in which that stands.
    kept: usize,
    room: Option<Room>,
    _held: T,
}

impl<T> Holding<T> {
    /// Keeps these, if there is room for them.
    fn keep(&mut self, bytes: Bytes) -> bool {
        let fits = self.room.as_mut().is_none_or(|room| room.resize(bytes.len()));
        if fits {
            self.kept = bytes.len();
            self.rest = bytes;
        }
        fits
    }

    /// What is handed on next: a copy, so that what waits in the connection keeps nothing but itself. Memory is freed
    /// as a whole, so the rest becomes a copy too whenever it is half of what is kept.
    fn piece(&mut self) -> Bytes {
        let piece = Bytes::copy_from_slice(&self.rest.split_to(self.rest.len().min(PIECE)));
        if self.rest.is_empty() || (self.kept > LARGE && self.rest.len() <= self.kept / 2) {
            // There is room for less.
            self.keep(Bytes::copy_from_slice(&self.rest));
        }
        piece
    }
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
                    // It waits in the connection's own buffer.
                    Ok(data) if data.len() <= PIECE => return Poll::Ready(Some(Ok(Frame::data(data)))),
                    Ok(data) => {
                        if !this.keep(data) {
                            let error = io::Error::other("too much of the workspace's answers waits to be taken");
                            return Poll::Ready(Some(Err(axum::Error::new(error))));
                        }
                    }
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(this.piece()))))
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

    use callout_store::Uuid;
    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::share::Shares;

    #[tokio::test]
    async fn a_long_body_holds_to_its_end_and_says_how_long_it_is() {
        let held = Arc::new(());
        let length = 2 * PIECE + 5;
        let mut body = holding(Body::from(vec![7_u8; length]), Arc::clone(&held), None).unwrap();
        let mut left = length;
        while !body.is_end_stream() {
            assert_eq!((body.size_hint().exact(), Arc::strong_count(&held)), (Some(left as u64), 2));
            let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!((1..=PIECE).contains(&piece.len()) && piece.iter().all(|byte| *byte == 7));
            assert!(piece.is_unique(), "it keeps nothing of the rest");
            left -= piece.len();
        }
        assert_eq!((left, body.size_hint().exact()), (0, Some(0)));
        assert!(body.frame().await.is_none());
        drop(body);
        assert_eq!(Arc::strong_count(&held), 1);
    }

    /// A body that comes in parts of these lengths.
    fn parts<const N: usize>(lengths: [usize; N]) -> Body {
        Body::from_stream(stream::iter(lengths.map(|length| Ok::<_, axum::Error>(vec![1_u8; length]))))
    }

    #[tokio::test]
    async fn so_does_one_whose_length_is_not_known_and_a_short_one_does_not() {
        let held = Arc::new(());
        let body = holding(parts([3, PIECE + 1]), Arc::clone(&held), None).unwrap();
        assert_eq!((body.size_hint().exact(), Arc::strong_count(&held)), (None, 2));
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), PIECE + 4);
        let short = holding(Body::from(vec![7_u8; PIECE]), Arc::clone(&held), None).unwrap();
        assert_eq!((short.size_hint().exact(), Arc::strong_count(&held)), (Some(PIECE as u64), 1));
        assert!(holding(Body::empty(), (), None).unwrap().is_end_stream());
    }

    #[tokio::test]
    async fn an_answer_gives_its_room_back_while_it_is_taken() {
        let (shares, workspace) = (Shares::new(1, 10 << 20), Uuid::from_u128(1));
        let fits = |bytes: usize| shares.room(workspace).resize(bytes);
        let mut body = holding(Body::from(vec![7_u8; 8 << 20]), (), Some(shares.room(workspace))).unwrap();
        for left in [8 << 20, 4 << 20, 2 << 20, 1 << 20] {
            let free = (10 << 20) - left;
            assert!(fits(free) && !fits(free + 1), "{left}");
            while body.size_hint().exact() > Some(left as u64 / 2) {
                body.frame().await.unwrap().unwrap();
            }
        }
        let rest = body.collect().await.unwrap().to_bytes();
        assert!(rest.len() == 1 << 19 && rest.iter().all(|byte| *byte == 7));
        assert!(fits(usize::MAX), "all is given back");
    }

    #[tokio::test]
    async fn a_body_for_which_there_is_no_room_is_none_or_breaks_off() {
        let (shares, workspace) = (Shares::new(1, PIECE + 5), Uuid::from_u128(1));
        let mut other = shares.room(workspace);
        assert!(other.resize(5));
        let room = || Some(shares.room(workspace));
        assert!(holding(Body::from(vec![7_u8; PIECE + 1]), (), room()).is_none());
        let body = holding(parts([PIECE, PIECE + 1]), (), room()).unwrap();
        assert!(body.collect().await.is_err());
        assert!(other.resize(4));
        assert!(holding(Body::from(vec![7_u8; PIECE + 1]), (), room()).is_some());
        let body = holding(parts([PIECE + 1, PIECE + 1]), (), room()).unwrap();
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 2 * PIECE + 2, "the first was taken by then");
        // What is short waits in the connection's own buffer, and the operator's answers are not counted.
        for (length, room) in [(PIECE, room()), (1 << 20, None)] {
            assert!(holding(Body::from(vec![7_u8; length]), (), room).is_some());
        }
    }
}
