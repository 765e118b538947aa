//! The one gate that every connection passes: its address is judged here, then dialled.

use std::{
    error::Error as StdError,
    future::Future,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::{Extensions, HeaderValue, Response, Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector, proxy::Tunnel},
    rt::TokioIo,
};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::resolver::{Gate, GatedResolver, LookupError, SharedResolver};

/// A connection that is idle is asked so often whether anybody is there, and given up after so many silences.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const SILENCES: u32 = 3;

/// How long what was sent may stay unacknowledged.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

type BoxError = Box<dyn StdError + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Makes connections, from the look-up of a name to the end of the TLS handshake. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Parts>);

struct Parts {
    dial: Dial,
    tls: Arc<ClientConfig>,
    proxy: Option<Proxy>,
    timeout: Duration,
}

/// The proxy that the embedder chose.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) url: Uri,
    /// `Proxy-Authorization`.
    pub(crate) authorization: Option<HeaderValue>,
    /// The proxy speaks HTTP/1.1, whatever the upstream behind it speaks.
    pub(crate) tls: Arc<ClientConfig>,
}

impl Connector {
    /// The timeout is that of a whole connection.
    pub(crate) fn new(
        resolver: SharedResolver,
        gate: Gate,
        tls: Arc<ClientConfig>,
        proxy: Option<Proxy>,
        timeout: Duration,
    ) -> Self {
        Self(Arc::new(Parts { dial: Dial { resolver, gate, timeout }, tls, proxy, timeout }))
    }
}

impl Service<Uri> for Connector {
    type Response = Wire;
    type Error = BoxError;
    type Future = Connecting<Wire>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let parts = Arc::clone(&self.0);
        Box::pin(async move {
            match tokio::time::timeout(parts.timeout, parts.connect(to)).await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

impl Parts {
    async fn connect(&self, to: Uri) -> Result<Wire, BoxError> {
        let Some(proxy) = &self.proxy else {
            let mut direct = HttpsConnector::from((self.dial.clone(), Arc::clone(&self.tls)));
            return Ok(Wire { io: boxed(direct.call(to).await?), proxied: false });
        };
        let mut to_proxy = HttpsConnector::from((self.dial.clone(), Arc::clone(&proxy.tls)));
        if to.scheme() != Some(&Scheme::HTTPS) {
            return Ok(Wire { io: boxed(to_proxy.call(proxy.url.clone()).await?), proxied: true });
        }
        let tunnel = Tunnel::new(proxy.url.clone(), to_proxy);
        let tunnel = proxy.authorization.iter().cloned().fold(tunnel, Tunnel::with_auth);
        let mut through = HttpsConnector::from((tunnel, Arc::clone(&self.tls)));
        Ok(Wire { io: Box::new(through.call(to).await?), proxied: false })
    }
}

/// Makes TCP connections to addresses that pass the gate.
#[derive(Clone)]
struct Dial {
    resolver: SharedResolver,
    gate: Gate,
    timeout: Duration,
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Connecting<TokioIo<TcpStream>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let Self { resolver, gate, timeout } = self.clone();
        Box::pin(async move {
            let port = to.port_u16().unwrap_or(if to.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
            // An address that stands in the URL is not looked up.
            let host = to.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
            if let Ok(address) = host.parse::<IpAddr>() {
                gate.check(None, address, port).map_err(LookupError::Refused)?;
            }
            // Of several addresses each has its share of the time, so that one which is silent leaves some.
            let mut dialling = HttpConnector::new_with_resolver(GatedResolver { resolver, gate, port });
            dialling.enforce_http(false);
            dialling.set_connect_timeout(Some(timeout));
            dialling.set_nodelay(true);
            dialling.set_keepalive(Some(KEEP_ALIVE));
            dialling.set_keepalive_interval(Some(KEEP_ALIVE));
            dialling.set_keepalive_retries(Some(SILENCES));
            #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
            dialling.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
            Ok(dialling.call(to).await?)
        })
    }
}

/// A connection: plain or TLS, to the upstream or to a proxy.
pub(crate) struct Wire {
    io: Box<dyn Io>,
    /// The proxy takes whole URLs, in place of paths.
    proxied: bool,
}

trait Io: Connection + Read + Write + Send + Unpin {}

impl<T: Connection + Read + Write + Send + Unpin> Io for T {}

/// Without the room for TLS, a kilobyte, where there is none.
fn boxed(connection: MaybeHttpsStream<TokioIo<TcpStream>>) -> Box<dyn Io> {
    match connection {
        MaybeHttpsStream::Http(plain) => Box::new(plain),
        tls @ MaybeHttpsStream::Https(_) => Box::new(tls),
    }
}

impl Connection for Wire {
    /// With nothing of what is below but the protocol: each answer has a copy of the extras.
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.proxied).extra(Used::default());
        if self.io.connected().is_negotiated_h2() { connected.negotiated_h2() } else { connected }
    }
}

/// Whether a connection has carried an answer. One that breaks after that was most likely closed by its server,
/// which had lost patience with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used(Arc<AtomicBool>);

impl Used {
    /// Notes that this answer has come over its connection.
    pub(crate) fn note<B>(answer: &Response<B>) {
        if let Some(Self(used)) = answer.extensions().get::<Self>() {
            used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a connection has carried one.
    pub(crate) fn was(connected: &Connected) -> bool {
        let mut extras = Extensions::new();
        connected.get_extras(&mut extras);
        extras.get::<Self>().is_some_and(|Self(used)| used.load(Ordering::Relaxed))
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }
}
