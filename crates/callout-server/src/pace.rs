//! How fast a client has to take its answer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use callout::{Deadline, SharedClock};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes a second that a client takes at least, once its patience is over.
const LEAST: u64 = 4 << 10;

/// A stream whose peer takes what is written at a pace: something of it in that much time, and all of it in as much and
/// a second for every [`LEAST`] bytes. A client that takes nothing, or a byte now and then, would else hold its answer
/// for days.
///
/// It is counted from when the peer begins to be waited for till all that was written is on its way, so that a stream
/// on which little comes may last.
pub(crate) struct Paced<S> {
    stream: S,
    clock: SharedClock,
    patience: Duration,
    wait: Option<Wait>,
}

/// The peer is waited for.
struct Wait {
    since: Instant,
    /// Bytes since.
    taken: u64,
    /// When it took the last of them.
    last: Instant,
    end: Moment,
}

pub(crate) type Moment = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, patience: Duration, clock: SharedClock) -> Self {
        Self { stream, clock, patience, wait: None }
    }

    /// What comes of a write.
    fn written(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => return self.poll_end(context).map(Err),
            Poll::Ready(Ok(length)) => {
                if let Some(wait) = &mut self.wait {
                    wait.taken = wait.taken.saturating_add(length as u64);
                    wait.last = self.clock.now();
                }
            }
            Poll::Ready(Err(_)) => {}
        }
        written
    }

    /// Ready once the peer was too slow.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let Self { clock, patience, wait, .. } = self;
        let wait = wait.get_or_insert_with(|| {
            let since = clock.now();
            let end = Deadline::from_moment(since, *patience);
            Wait { since, taken: 0, last: since, end: moment(clock, end) }
        });
        while wait.end.as_mut().poll(context).is_ready() {
            let length = patience.saturating_add(Duration::from_secs(wait.taken / LEAST));
            let end = Deadline::from_moment(wait.since, length).min(Deadline::from_moment(wait.last, *patience));
            if clock.now() >= end.moment() {
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the answer was taken too slowly"));
            }
            wait.end = moment(clock, end);
        }
        Poll::Pending
    }
}

/// That it has come.
pub(crate) fn moment(clock: &SharedClock, end: Deadline) -> Moment {
    let clock = clock.clone();
    Box::pin(async move { clock.until(end.moment()).await })
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.wait = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::{Arc, Mutex},
        task::Waker,
    };

    use callout::{Clock, system_clock};

    use super::*;

    /// A clock that is set.
    #[derive(Clone)]
    struct Set(Arc<Mutex<Instant>>);

    impl Set {
        fn advance(&self, seconds: u64) {
            *self.0.lock().unwrap() += Duration::from_secs(seconds);
        }
    }

    impl Clock for Set {
        fn now(&self) -> Instant {
            *self.0.lock().unwrap()
        }

        fn unix(&self) -> Duration {
            Duration::ZERO
        }

        async fn sleep(&self, _: Duration) {}

        async fn until(&self, moment: Instant) {
            poll_fn(|_| if Clock::now(self) < moment { Poll::Pending } else { Poll::Ready(()) }).await;
        }
    }

    /// Takes so many bytes, and then waits.
    struct Slow(usize);

    impl AsyncWrite for Slow {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let taken = self.0.min(bytes.len());
            self.0 -= taken;
            if taken == 0 { Poll::Pending } else { Poll::Ready(Ok(taken)) }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// The bytes that are taken, none if it waits, or why it ended.
    fn write(paced: &mut Paced<Slow>) -> Result<usize, io::ErrorKind> {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(paced).poll_write(&mut context, &[0; 12 << 10]) {
            Poll::Pending => Ok(0),
            Poll::Ready(written) => written.map_err(|error| error.kind()),
        }
    }

    #[test]
    fn a_client_has_its_patience_and_a_second_for_every_few_bytes() {
        let clock = Set(Arc::new(Mutex::new(system_clock().now())));
        let paced = || Paced::new(Slow(0), Duration::from_secs(30), SharedClock::new(clock.clone()));
        let late = Err(io::ErrorKind::TimedOut);

        let mut silent = paced();
        assert_eq!(write(&mut silent), Ok(0));
        clock.advance(29);
        assert_eq!(write(&mut silent), Ok(0));
        clock.advance(1);
        assert_eq!(write(&mut silent), late);

        // A byte now and then is not enough, and three seconds' worth is that.
        for (bytes, seconds) in [(1, 0), (3 * LEAST as usize, 3)] {
            let mut dripping = paced();
            assert_eq!(write(&mut dripping), Ok(0));
            clock.advance(29);
            dripping.stream.0 = bytes;
            assert_eq!(write(&mut dripping), Ok(bytes));
            assert_eq!(write(&mut dripping), Ok(0));
            clock.advance(seconds);
            assert_eq!(write(&mut dripping), Ok(0));
            clock.advance(1);
            assert_eq!(write(&mut dripping), late);
        }

        // What it took at once gives it no more time to take nothing.
        let mut sated = paced();
        assert_eq!(write(&mut sated), Ok(0));
        clock.advance(1);
        sated.stream.0 = 3 * LEAST as usize;
        assert_eq!(write(&mut sated), Ok(3 * LEAST as usize));
        clock.advance(29);
        assert_eq!(write(&mut sated), Ok(0));
        clock.advance(1);
        assert_eq!(write(&mut sated), late);

        // One that was sent all there was may wait for more as long as it likes.
        let mut calm = paced();
        assert_eq!(write(&mut calm), Ok(0));
        clock.advance(29);
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut calm).poll_flush(&mut context).is_ready());
        clock.advance(29);
        assert_eq!(write(&mut calm), Ok(0));
        clock.advance(29);
        assert_eq!(write(&mut calm), Ok(0));
    }
}
