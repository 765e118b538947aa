//! Bodies of answers that hold something until they have been sent.

use std::{
    collections::VecDeque,
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
pub(crate) const PIECE: usize = 32 << 10;

/// Bytes that are freed at once, when the last of them was taken: memory is freed as a whole.
const PART: usize = 1 << 20;

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
    fits.then(|| Body::new(Holding { body, rest: VecDeque::new(), room, _held: held }))
}

struct Holding<T> {
    body: Body,
    /// What has not been handed on of what came last, in parts.
    rest: VecDeque<Bytes>,
    room: Option<Room>,
    _held: T,
}

impl<T> Holding<T> {
    /// Keeps these, if there is room for them: what has more than one part as a copy of each.
    fn keep(&mut self, bytes: Bytes) -> bool {
        let fits = self.room.as_mut().is_none_or(|room| room.resize(bytes.len()));
        if fits && bytes.len() <= PART {
            self.rest.push_back(bytes);
        } else if fits {
            self.rest.extend(bytes.chunks(PART).map(Bytes::copy_from_slice));
        }
        fits
    }

    /// What is handed on next: a copy, so that what waits in the connection keeps nothing but itself. With the last of
    /// a part goes the room for it.
    fn piece(&mut self) -> Bytes {
        let Some(part) = self.rest.front_mut() else { return Bytes::new() };
        let piece = Bytes::copy_from_slice(&part.split_to(part.len().min(PIECE)));
        if part.is_empty() {
            self.rest.pop_front();
            let left = self.left();
            if let Some(room) = &mut self.room {
                room.resize(left);
            }
        }
        piece
    }

    /// Bytes of what has not been handed on.
    fn left(&self) -> usize {
        self.rest.iter().map(Bytes::len).sum()
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
        let left = self.left() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(left));
        }
        hint.set_lower(hint.lower().saturating_add(left));
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
    use crate::share::{Holder, Shares};

    const HOLDER: Holder = Holder { workspace: Uuid::from_u128(1), key: Uuid::from_u128(2) };

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
        let shares = Shares::new(1, 10 * PART);
        let fits = |bytes: usize| shares.room(HOLDER).resize(bytes);
        let (length, mut taken) = (3 * PART + 5, 0);
        let mut body = holding(Body::from(vec![7_u8; length]), (), Some(shares.room(HOLDER))).unwrap();
        for given_back in [0, PART, 2 * PART, 3 * PART] {
            while taken < given_back {
                let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
                assert!(piece.iter().all(|byte| *byte == 7));
                taken += piece.len();
            }
            let free = 10 * PART - (length - given_back);
            assert!(fits(free) && !fits(free + 1), "{given_back}");
        }
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 5);
        assert!(fits(usize::MAX), "all is given back");
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_body_for_which_there_is_no_room_is_none_or_breaks_off() {
        let shares = Shares::new(1, PIECE + 5);
        let mut other = shares.room(HOLDER);
        assert!(other.resize(5));
        let room = || Some(shares.room(HOLDER));
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
