//! Serves the API on a listener until it is told to stop, then lets what is in flight end.

use std::{io, time::Duration};

use axum::Router;
use callout::SharedClock;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};

use crate::{App, router::router};

/// Bytes of a request's headers.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// Serves until `shutdown` is ready. Then no connection is accepted any more, requests in flight end
/// (but for those that take longer than `ServerOptions::shutdown_timeout`), and this returns.
///
/// A client that goes away cancels its request: a call in flight stops, a change that has not been
/// committed does not happen.
///
/// # Errors
///
/// None so far: a connection that fails is logged and concerns no other.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let options = app.options().clone();
    let clock = app.clock().clone();
    let router = router(&app);
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => answer(stream, router.clone(), options.read_timeout, &graceful),
                Err(error) => wait_for_room(&error, &clock).await,
            },
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    tracing::info!("shutting down: waiting for requests in flight");
    tokio::select! {
        () = graceful.shutdown() => {}
        () = clock.until(clock.now() + options.shutdown_timeout) => tracing::warn!("requests were still in flight and are ended"),
    }
    Ok(())
}

/// Answers the requests of one connection, in a task of its own.
fn answer(stream: TcpStream, router: Router, read_timeout: Duration, graceful: &GracefulShutdown) {
    // Small answers are not held back to be sent with others.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(read_timeout)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

/// A connection that failed before it was accepted concerns nobody else. Without file descriptors
/// there is nothing to do but wait until some are free.
async fn wait_for_room(error: &io::Error, clock: &SharedClock) {
    let of_the_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    );
    if !of_the_client {
        tracing::error!(%error, "no connection can be accepted");
        clock.sleep(Duration::from_secs(1)).await;
    }
}
