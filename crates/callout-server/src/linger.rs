//! Requests that are answered before all of their body has come.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::HttpBody;
use callout::{Deadline, SharedClock};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::pace::{Moment, moment};

/// Bytes that are still taken of a request that was answered.
const MOST: usize = 64 << 20;

/// How long they are waited for.
const LONGEST: Duration = Duration::from_secs(10);

/// Bytes that are taken at once.
const STEP: usize = 8 << 10;

/// Whether the body of a connection's last request was let go before its end. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Unread(Arc<AtomicBool>);

impl Unread {
    /// The body of the next request, followed to its end.
    pub(crate) fn follow<B: HttpBody>(&self, body: B) -> Followed<B> {
        self.0.store(false, Ordering::Relaxed);
        Followed { body, unread: self.clone(), has_ended: false }
    }

    /// Whether it was, which is forgotten.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    /// That it was.
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body that leaves word when it is let go before its end.
pub(crate) struct Followed<B: HttpBody> {
    body: B,
    unread: Unread,
    has_ended: bool,
}

impl<B: HttpBody + Unpin> HttpBody for Followed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        this.has_ended |= frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: HttpBody> Drop for Followed<B> {
    fn drop(&mut self) {
        if !self.has_ended && !self.body.is_end_stream() {
            self.unread.note();
        }
    }
}

/// A stream that, where a body was not read, takes what comes of it before it is closed, and drops it.
///
/// To close a stream on which bytes have come that nobody has read resets it, and that takes the answer from the peer:
/// most send all of a request before they look for one, and find that they cannot (RFC 9112 section 9.6). The answer
/// is on its way by then, and nothing of a workspace's is held for what is dropped here.
pub(crate) struct Lingering<S> {
    stream: S,
    unread: Unread,
    clock: SharedClock,
    rest: Option<Rest>,
}

/// What is still taken.
struct Rest {
    bytes: usize,
    end: Moment,
}

impl<S> Lingering<S> {
    pub(crate) fn new(stream: S, unread: Unread, clock: SharedClock) -> Self {
        Self { stream, unread, clock, rest: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, unread, clock, rest } = self.get_mut();
        if rest.is_none() {
            // The peer is told that it has been answered, and may go on to send.
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
            if !unread.is_so() {
                return Poll::Ready(Ok(()));
            }
        }
        let rest =
            rest.get_or_insert_with(|| Rest { bytes: MOST, end: moment(clock, Deadline::after(clock, LONGEST)) });
        while rest.bytes > 0 && rest.end.as_mut().poll(context).is_pending() {
            let mut room = [MaybeUninit::<u8>::uninit(); STEP];
            let mut taken = ReadBuf::uninit(&mut room);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut taken));
            if read.is_err() || taken.filled().is_empty() {
                // The peer has sent all, or is gone.
                break;
            }
            rest.bytes = rest.bytes.saturating_sub(taken.filled().len());
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, poll_fn},
        time::Instant,
    };

    use axum::body::Body;
    use callout::{Clock, StillClock, system_clock};
    use futures_util::FutureExt as _;
    use http_body_util::BodyExt as _;

    use super::*;

    /// A clock at which nothing comes, or everything has.
    struct Told(bool);

    impl Clock for Told {
        fn now(&self) -> Instant {
            Clock::now(&StillClock::new())
        }

        fn unix(&self) -> Duration {
            Duration::ZERO
        }

        async fn sleep(&self, _: Duration) {}

        async fn until(&self, _: Instant) {
            if !self.0 {
                pending::<()>().await;
            }
        }
    }

    /// Sends so many bytes, and then nothing, or its end.
    struct Sender {
        bytes: usize,
        ends: bool,
    }

    impl AsyncRead for Sender {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let sent = self.bytes.min(buffer.remaining());
            if sent == 0 && !self.ends {
                return Poll::Pending;
            }
            buffer.put_slice(&[b' '; STEP][..sent]);
            self.bytes -= sent;
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Sender {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Of a request that was not read.
    fn lingering(sender: Sender, clock: Told) -> Lingering<Sender> {
        let unread = Unread::default();
        drop(unread.follow(Body::from("some")));
        Lingering::new(sender, unread, SharedClock::new(clock))
    }

    /// Whether it is closed by now, and what is left then of what was sent.
    fn close(stream: &mut Lingering<Sender>) -> (bool, usize) {
        let closed = poll_fn(|context| Pin::new(&mut *stream).poll_shutdown(context)).now_or_never();
        (closed.is_some_and(|closed| closed.is_ok()), stream.stream.bytes)
    }

    #[test]
    fn what_comes_of_a_request_that_was_answered_is_taken_within_bounds() {
        for (bytes, ends, is_late, closed, left) in [
            (3 * STEP + 1, true, false, true, 0),
            (3 * STEP + 1, false, false, false, 0),
            (MOST, false, false, true, 0),
            (usize::MAX, false, false, true, usize::MAX - MOST),
            (3 * STEP, true, true, true, 3 * STEP),
        ] {
            let mut stream = lingering(Sender { bytes, ends }, Told(is_late));
            assert_eq!(close(&mut stream), (closed, left), "{bytes} {ends} {is_late}");
        }
        // More comes, and its end.
        let mut slow = lingering(Sender { bytes: 1, ends: false }, Told(false));
        assert_eq!(close(&mut slow), (false, 0));
        slow.stream = Sender { bytes: STEP, ends: true };
        assert_eq!(close(&mut slow), (true, 0));
    }

    #[tokio::test]
    async fn nothing_is_waited_for_where_a_body_was_read_or_there_was_none() {
        let unread = Unread::default();
        drop(unread.follow(Body::from("some")));
        assert!(unread.is_so());
        assert_eq!(unread.follow(Body::from("some")).collect().await.unwrap().to_bytes(), "some");
        assert!(!unread.is_so());
        // Of some it is not known where they end until they have.
        let unknown = || Body::from_stream(futures_util::stream::iter([Ok::<_, io::Error>("some")]));
        assert_eq!(unread.follow(unknown()).collect().await.unwrap().to_bytes(), "some");
        assert!(!unread.is_so());
        let mut begun = unread.follow(unknown());
        assert!(begun.frame().await.is_some());
        drop(begun);
        assert!(unread.is_so());
        drop(unread.follow(Body::empty()));
        assert!(!unread.is_so());
        let mut stream = Lingering::new(Sender { bytes: 1, ends: true }, unread, system_clock());
        assert_eq!(close(&mut stream), (true, 1));
    }
}
