//! The protocol over two streams: one JSON message a line.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use rmcp::{service::ServiceExt as _, transport::async_rw::AsyncRwTransport};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use crate::{McpServer, ToolSource, listening::Listening, surrogates};

/// The default bound on one message, in bytes: params of 1 MiB, and room for others to be refused by the
/// engine, which says so.
pub const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// Why a client could not be served.
#[derive(Debug, Error)]
#[error("the client did not begin as the protocol says")]
pub struct ServeError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Serves one client until its stream ends. Nothing but the protocol is written.
///
/// A line longer than `max_message_bytes` is passed over; it is never held in memory. When the input has
/// ended, answers that come within 5 s are still written; calls that take longer are cancelled.
///
/// # Errors
///
/// If what comes first is no beginning of the protocol.
pub async fn serve<S, R, W>(
    server: &McpServer<S>,
    input: R,
    output: W,
    max_message_bytes: usize,
) -> Result<(), ServeError>
where
    S: ToolSource,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let handler = server.handler();
    let input = Input { stream: input, ended: handler.input_ended().clone(), held: Vec::new(), ready: 0 };
    let transport = AsyncRwTransport::new_server(input, output).with_max_line_length(max_message_bytes);
    let session = match Listening(handler).serve(transport).await {
        Ok(session) => session,
        // Nobody has come.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(ServeError(Box::new(error))),
    };
    session.waiting().await.map_err(|error| ServeError(Box::new(error)))?;
    Ok(())
}

/// How much is read at once, in bytes.
const CHUNK: usize = 8 << 10;

/// What the client writes, as the SDK can read it.
struct Input<R> {
    stream: R,
    /// Cancelled before the SDK sees that it has ended.
    ended: CancellationToken,
    /// What was read and is not handed on.
    held: Vec<u8>,
    /// How much of it can be.
    ready: usize,
}

impl<R: AsyncRead + Unpin> AsyncRead for Input<R> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, ended, held, ready } = self.get_mut();
        while *ready == 0 {
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut chunk));
            if read.is_err() || chunk.filled().is_empty() {
                // What is held still is no whole line.
                ended.cancel();
                return Poll::Ready(read);
            }
            held.extend_from_slice(chunk.filled());
            *ready = surrogates::replace(held);
        }
        let length = into.remaining().min(*ready);
        into.put_slice(held.drain(..length).as_slice());
        *ready -= length;
        Poll::Ready(Ok(()))
    }
}
