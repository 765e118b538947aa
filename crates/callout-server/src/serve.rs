//! Serves the API on a listener until it is told to stop, then lets what is in flight end.

use std::{
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use callout::SharedClock;
use futures_util::FutureExt as _;
use http::Request;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

use crate::{
    App,
    linger::{Lingering, Unread},
    mcp::Mcp,
    pace::Paced,
    router::router,
};

/// Bytes of a request's headers.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// How often what a crash or an unreachable secret store left behind is cleared away.
const RECOVERY: Duration = Duration::from_mins(1);

/// Serves until `shutdown` is ready. Then no connection is accepted any more, requests in flight may
/// end, and after `ServerOptions::shutdown_timeout` those that have not are cut off. What has not sent all of its
/// headers till then is no request in flight.
///
/// A client that goes away cancels its request: a call in flight stops, a change that has not been
/// committed does not happen.
///
/// # Errors
///
/// None so far: a connection that fails is logged and concerns no other.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let mcp = Mcp::new(&app);
    let router = router(&app, &mcp);
    // Dropped when it is time to stop.
    let (going, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let room = Arc::new(Semaphore::new(app.options().max_connections));
    let mut recovery = pin!(recover_now_and_then(&app));
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            accepted = accept(&listener, &room, &app) => {
                if let Some((stream, place)) = accepted {
                    let answering = answer(stream, router.clone(), app.clone(), stopping.clone());
                    connections.spawn(async move {
                        answering.await;
                        drop(place);
                    });
                }
            }
            Some(_) = connections.join_next() => {}
            () = &mut recovery => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    tracing::info!("shutting down: waiting for requests in flight");
    mcp.close();
    drop(going);
    let patience = app.wait(app.options().shutdown_timeout);
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        () = patience => tracing::warn!("requests were still in flight and are cut off"),
    }
    connections.shutdown().await;
    mcp.end();
    Ok(())
}

/// The next connection, once there is room for one.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>, app: &App) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            wait_for_room(&error, app.clock()).await;
            None
        }
    }
}

/// Answers the requests of one connection; when it is time to stop, none but the one in flight.
async fn answer(stream: TcpStream, router: Router, app: App, mut stopping: watch::Receiver<()>) {
    let patience = app.options().read_timeout;
    // Small answers are not held back to be sent with others.
    let _ = stream.set_nodelay(true);
    // A client that does not take its answer holds it in memory; after a while it is let go.
    let stream = Paced::new(stream, patience, app.clock().clone());
    let (was_asked, unread) = (Arc::new(AtomicBool::new(false)), Unread::default());
    let stream = Lingering::new(stream, unread.clone(), app.clock().clone());
    let service = {
        let (was_asked, unread) = (Arc::clone(&was_asked), unread.clone());
        let router = TowerToHyperService::new(router);
        service_fn(move |request: Request<Incoming>| {
            was_asked.store(true, Ordering::Relaxed);
            router.call(request.map(|body| unread.follow(body)))
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            if !was_asked.load(Ordering::Relaxed) {
                // For the rest of its first headers hyper would wait as long as a client may take.
                return;
            }
            connection.as_mut().graceful_shutdown();
            // What ends at once was idle: though nobody asked for the body of its last request, hyper has taken all
            // of that, and nothing of it is still to come.
            let was_unread = unread.take();
            if let Some(ended) = connection.as_mut().now_or_never() {
                ended
            } else {
                if was_unread {
                    unread.note();
                }
                connection.await
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Never ends.
async fn recover_now_and_then(app: &App) {
    loop {
        app.wait(RECOVERY).await;
        if let Err(error) = app.store().recover().await {
            tracing::warn!(%error, "what unfinished changes left could not be cleared away yet");
        }
    }
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
