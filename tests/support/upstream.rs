//! An upstream on loopback that answers by script and records what it is asked.

use std::{
    collections::{HashMap, VecDeque},
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::{
    Reply,
    reply::{End, Step},
};

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Which connection it came on, from 0.
    pub connection: usize,
    /// When it had been read.
    pub at: Instant,
}

impl Recorded {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first header of that name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

type Handler = Box<dyn Fn(&Recorded) -> Reply + Send + Sync>;

/// A scripted upstream. Dropping it closes its port; connections end with their peers.
pub struct Upstream {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

struct Shared {
    handler: Option<Handler>,
    replies: Mutex<HashMap<String, VecDeque<Reply>>>,
    requests: Mutex<Vec<Recorded>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    to_reset: AtomicUsize,
    keep_alive: Mutex<Option<Duration>>,
}

impl Upstream {
    /// Answers what [`Upstream::reply`] has queued, and 404 to everything else.
    pub async fn start() -> Self {
        Self::serve(None, None).await
    }

    /// Answers what the closure says.
    pub async fn with(handler: impl Fn(&Recorded) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Some(Box::new(handler)), None).await
    }

    /// As [`Upstream::start`], over TLS; see [`crate::certs`].
    pub async fn tls(config: Arc<ServerConfig>) -> Self {
        Self::serve(None, Some(config)).await
    }

    async fn serve(handler: Option<Handler>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, handler, tls)
    }

    /// On a listener that exists already, answering what the closure says.
    pub fn on_listener(listener: TcpListener, handler: impl Fn(&Recorded) -> Reply + Send + Sync + 'static) -> Self {
        Self::on(listener, Some(Box::new(handler)), None)
    }

    fn on(listener: TcpListener, handler: Option<Handler>, tls: Option<Arc<ServerConfig>>) -> Self {
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            handler,
            replies: Mutex::default(),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            to_reset: AtomicUsize::new(0),
            keep_alive: Mutex::new(None),
        });
        let listening = tokio::spawn(listen(listener, tls.map(TlsAcceptor::from), shared.clone()));
        Self { address, scheme, shared, listening }
    }

    /// Queues an answer for a path. The last of a queue stays.
    pub fn reply(&self, path: &str, reply: Reply) {
        self.shared.replies.lock().unwrap().entry(path.to_owned()).or_default().push_back(reply);
    }

    /// Resets that many connections right after they were accepted, before anything is read.
    pub fn reset_connections(&self, count: usize) {
        self.shared.to_reset.store(count, Ordering::SeqCst);
    }

    /// Closes connections that have been idle for so long after an answer, without a word.
    pub fn set_keep_alive(&self, idle: Duration) {
        *self.shared.keep_alive.lock().unwrap() = Some(idle);
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// How many requests there were so far.
    pub fn count(&self) -> usize {
        self.shared.requests.lock().unwrap().len()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Waits until no more than that many connections are open; for at most 5 s.
    pub async fn settled(&self, most: usize) -> bool {
        for _ in 0..500 {
            if self.open_connections() <= most {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its origin: `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// A URL below it.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url())
    }

    /// The same with another host name in front of the port.
    pub fn named(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        if shared.to_reset.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            let _ = stream.set_zero_linger();
            continue;
        }
        let _ = stream.set_nodelay(true);
        shared.open.fetch_add(1, Ordering::SeqCst);
        let (tls, shared) = (tls.clone(), shared.clone());
        tokio::spawn(async move {
            // What a peer does to its connection is the test's affair, not the upstream's.
            let _ = match tls {
                None => converse(stream, number, &shared, TcpStream::set_zero_linger).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => converse(stream, number, &shared, |tls| tls.get_ref().0.set_zero_linger()).await,
                    Err(error) => Err(error),
                },
            };
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    connection: usize,
    shared: &Shared,
    linger: impl Fn(&S) -> io::Result<()>,
) -> io::Result<()> {
    let mut unread = Vec::new();
    let mut served = 0_u32;
    loop {
        // A connection that has served nothing yet is new, not idle.
        let patience = shared.keep_alive.lock().unwrap().filter(|_| served > 0);
        let keep_alive = patience.unwrap_or(Duration::from_hours(1));
        let idle = async { if unread.is_empty() { read_more(&mut stream, &mut unread).await } else { Ok(true) } };
        match tokio::time::timeout(keep_alive, idle).await {
            Ok(Ok(true)) => {}
            _ => return Ok(()),
        }
        let Some(request) = read_request(&mut stream, &mut unread, connection).await? else { return Ok(()) };
        let reply = answer_to(&request, shared);
        let head_only = request.method == "HEAD";
        shared.requests.lock().unwrap().push(request);
        let (steps, end) = reply.into_steps(head_only);
        for step in steps {
            perform(&mut stream, step).await?;
        }
        match end {
            End::KeepAlive => served += 1,
            End::Close => return stream.shutdown().await,
            End::Reset => return linger(&stream),
            End::Stall => {
                while read_more(&mut stream, &mut unread).await? {}
                return Ok(());
            }
        }
    }
}

fn answer_to(request: &Recorded, shared: &Shared) -> Reply {
    if let Some(handler) = &shared.handler {
        return handler(request);
    }
    let mut replies = shared.replies.lock().unwrap();
    let Some(queue) = replies.get_mut(request.path()) else { return Reply::status(404) };
    let next = if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() };
    next.unwrap_or_else(|| Reply::status(404))
}

async fn perform<S: AsyncWrite + Unpin>(stream: &mut S, step: Step) -> io::Result<()> {
    match step {
        Step::Write(bytes) => stream.write_all(&bytes).await?,
        Step::Wait(pause) => tokio::time::sleep(pause).await,
        Step::Meet(barrier) => {
            barrier.wait().await;
        }
        Step::Drip(bytes, every) => {
            for byte in bytes {
                tokio::time::sleep(every).await;
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
            }
        }
        Step::Endless(piece) => loop {
            stream.write_all(&piece).await?;
        },
    }
    stream.flush().await
}

async fn read_more<S: AsyncRead + Unpin>(stream: &mut S, unread: &mut Vec<u8>) -> io::Result<bool> {
    Ok(stream.read_buf(unread).await? > 0)
}

/// `None` if the peer is gone.
async fn read_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    unread: &mut Vec<u8>,
    connection: usize,
) -> io::Result<Option<Recorded>> {
    let end = loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if !read_more(stream, unread).await? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&unread[..end]).into_owned();
    unread.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let length: usize = length.unwrap_or(0);
    while unread.len() < length {
        if !read_more(stream, unread).await? {
            return Ok(None);
        }
    }
    let body = unread.drain(..length).collect();
    Ok(Some(Recorded { method, target, headers, body, connection, at: Instant::now() }))
}
