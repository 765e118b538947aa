//! Bodies of answers that are coded a piece at a time.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::task::{JoinHandle, yield_now};

use crate::holding::PIECE;

/// The body, which hands on a piece, and the next once the tasks that waited by then have had their turn.
///
/// A coding takes what it is given as long as there is more, and a body that is there is always ready: all of it would
/// be coded in one turn, for seconds, while everybody else waits for the thread. A piece at a time is fair whatever the
/// size of answers, how many there are, and what a machine codes in a moment; a size from which nothing is coded, or
/// a quicker level, would be a guess at all three.
pub(crate) fn giving_way(body: Body) -> Body {
    if body.size_hint().upper().is_some_and(|most| most <= PIECE as u64) {
        return body;
    }
    Body::new(GivingWay { body, others: None })
}

struct GivingWay {
    body: Body,
    /// A task at the end of the queue. To be pending once is not enough: a coding that is told to wait hands on what it
    /// has, and is asked for more in the same turn.
    others: Option<JoinHandle<()>>,
}

impl HttpBody for GivingWay {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if let Some(others) = &mut this.others {
            // It does nothing, and so it does not fail.
            drop(ready!(Pin::new(others).poll(context)));
            this.others = None;
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        if frame.is_some() && !this.body.is_end_stream() {
            this.others = Some(tokio::spawn(yield_now()));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, stream};
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn pieces_come_one_by_one_however_often_they_are_asked_for() {
        let pieces = ["one", "two", "three"].map(|piece| Ok::<_, axum::Error>(Bytes::from(piece)));
        let mut body = giving_way(Body::from_stream(stream::iter(pieces)));
        for piece in ["one", "two", "three"] {
            let frame = body.frame().now_or_never().unwrap().unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), piece);
            for _ in 0..3 {
                assert!(body.frame().now_or_never().is_none(), "others have not had their turn");
            }
            // They have it, and what waits behind them.
            for _ in 0..3 {
                yield_now().await;
            }
        }
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_body_that_comes_at_once_is_at_its_end_then_and_says_how_long_it_is() {
        for length in [PIECE, PIECE + 1] {
            let mut body = giving_way(Body::from(vec![7_u8; length]));
            assert_eq!(body.size_hint().exact(), Some(length as u64));
            let frame = body.frame().now_or_never().unwrap().unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap().len(), length);
            assert!(body.is_end_stream() && body.frame().now_or_never().unwrap().is_none());
        }
    }
}
