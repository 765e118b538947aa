//! The upstream, in a process of its own: `/1k`, `/32k` and `/1m` answer with that many bytes of GitHub
//! events, `/hold/N` once that many requests have come, and `/cpu` with the nanoseconds of CPU that it has
//! taken.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use callout_benches::events;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use crate::measure::cpu;

/// Sizes of bodies by their paths.
pub(crate) const SIZES: [(&str, usize); 3] = [("1k", 1_000), ("32k", 32_000), ("1m", 1_000_000)];

/// A running upstream; it ends with this value.
pub(crate) struct Upstream {
    child: Child,
    pub(crate) port: u16,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(program);
        let mut child = command.arg("upstream").stdout(Stdio::piped()).spawn().expect("a process");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output is piped");
        BufReader::new(out).read_line(&mut line).expect("the upstream tells its port");
        Self { child, port: line.trim().parse().expect("a port") }
    }

    /// CPU time that it has taken so far.
    pub(crate) fn cpu(&self) -> Duration {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.write_all(b"GET /cpu HTTP/1.1\r\n\r\n").expect("it takes a request");
        let mut told = String::new();
        stream.read_to_string(&mut told).expect("it answers and closes");
        Duration::from_nanos(told.parse().expect("a number"))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Held {
    arrived: AtomicUsize,
    go: Semaphore,
}

/// Serves until it is ended.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(any).expect("a port");
        let listener: TcpListener = socket.listen(16_384).expect("a listener");
        println!("{}", listener.local_addr().expect("an address").port());
        let answers: HashMap<String, Vec<u8>> =
            SIZES.iter().map(|(path, size)| (format!("/{path}"), answer(&events(*size)))).collect();
        let answers = Arc::new(answers);
        let held = Arc::new(Held { arrived: AtomicUsize::new(0), go: Semaphore::new(0) });
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(connection(stream, Arc::clone(&answers), Arc::clone(&held)));
        }
    });
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
        if path == "/cpu" {
            let _ = stream.write_all(cpu().as_nanos().to_string().as_bytes()).await;
            return;
        }
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
