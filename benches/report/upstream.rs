//! The upstream, in a process of its own: `/1k`, `/32k` and `/1m` answer with that many bytes of GitHub
//! events, `/hold/N` once that many requests have come. It tells the CPU that it has taken.

use std::{
    collections::HashMap,
    net::SocketAddr,
    process,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use callout_benches::{
    apart::{Apart, answer as answer_lines, cpu},
    events,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// Sizes of bodies by their paths.
pub(crate) const SIZES: [(&str, usize); 3] = [("1k", 1_000), ("32k", 32_000), ("1m", 1_000_000)];

/// A running upstream; it ends with this value.
pub(crate) struct Upstream {
    process: Apart,
    pub(crate) port: u16,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let mut process = Apart::start(&["upstream"]);
        let port = process.line().parse().expect("the upstream tells its port");
        Self { process, port }
    }

    /// CPU time that it has taken so far.
    pub(crate) fn cpu(&mut self) -> Duration {
        self.process.time("cpu")
    }
}

struct Held {
    arrived: AtomicUsize,
    go: Semaphore,
}

/// Serves until it is told to end.
pub(crate) fn serve() {
    let answers: HashMap<String, Vec<u8>> =
        SIZES.iter().map(|(path, size)| (format!("/{path}"), answer(&events(*size)))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(async {
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(any).expect("a port");
        socket.listen(16_384).expect("a listener")
    });
    println!("{}", listener.local_addr().expect("an address").port());
    thread::spawn(move || {
        runtime.block_on(accept(listener, Arc::new(answers)));
        // Who measures would wait for ever.
        process::exit(1);
    });
    answer_lines(|_| cpu());
}

async fn accept(listener: TcpListener, answers: Arc<HashMap<String, Vec<u8>>>) {
    let held = Arc::new(Held { arrived: AtomicUsize::new(0), go: Semaphore::new(0) });
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(connection(stream, Arc::clone(&answers), Arc::clone(&held)));
    }
}

fn answer(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn connection(mut stream: TcpStream, answers: Arc<HashMap<String, Vec<u8>>>, held: Arc<Held>) {
    let mut read = Vec::with_capacity(2_048);
    loop {
        let Some((path, length)) = request(&read) else {
            match stream.read_buf(&mut read).await {
                Ok(1..) => continue,
                _ => return,
            }
        };
        read.drain(..length);
        let path = if let Some(all) = path.strip_prefix("/hold/") {
            let all: usize = all.parse().unwrap_or(1);
            if held.arrived.fetch_add(1, Ordering::SeqCst) + 1 == all {
                held.arrived.store(0, Ordering::SeqCst);
                held.go.add_permits(all);
            }
            if let Ok(permit) = held.go.acquire().await {
                permit.forget();
            }
            "/1k"
        } else {
            &path
        };
        let Some(answer) = answers.get(path) else { return };
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Path and length of a request that has arrived as a whole.
fn request(bytes: &[u8]) -> Option<(String, usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let whole = head + length.unwrap_or(0);
    let path = text.split(' ').nth(1)?.to_owned();
    (bytes.len() >= whole).then_some((path, whole))
}
