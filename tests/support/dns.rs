//! A name server on loopback, and a resolver that asks it over UDP (RFC 1035): what the wire can
//! answer, a test can let it answer.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use callout_transport::Resolver;
use tokio::{net::UdpSocket, task::JoinHandle, time::timeout};

/// The record types of addresses.
const TYPES: [u16; 2] = [1, 28];
const HEADER_BYTES: usize = 12;

/// A name server that answers by the closure: the addresses of a name at its n-th look-up, from 0.
/// Addresses of version 4 are A records, those of version 6 AAAA records. It ends when dropped.
pub struct NameServer {
    address: SocketAddr,
    queries: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl NameServer {
    /// Starts one on a free port.
    pub async fn start(answer: impl Fn(&str, usize) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let queries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&queries);
        let serving = tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
                let query = &buffer[..length];
                // A look-up asks for A and for AAAA: two queries, one after the other.
                let look_up = counted.fetch_add(1, Ordering::SeqCst) / TYPES.len();
                let (name, kind, end) = question(query);
                let wanted = |address: &IpAddr| address.is_ipv4() == (kind == TYPES[0]);
                let addresses: Vec<_> = answer(&name, look_up).into_iter().filter(wanted).collect();
                let _ = socket.send_to(&reply(&query[..end], kind, &addresses), client).await;
            }
        });
        Self { address, queries, serving }
    }

    /// How often names were looked up so far.
    pub fn look_ups(&self) -> usize {
        self.queries.load(Ordering::SeqCst) / TYPES.len()
    }

    /// A resolver that asks this server.
    pub fn resolver(&self) -> impl Resolver + use<> {
        Asking(self.address)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl fmt::Debug for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameServer").field("address", &self.address).finish_non_exhaustive()
    }
}

struct Asking(SocketAddr);

impl Resolver for Asking {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut found = Vec::new();
        for kind in TYPES {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.send_to(&query(host, kind), self.0).await?;
            let mut buffer = [0; 512];
            let length = timeout(Duration::from_secs(2), socket.recv(&mut buffer)).await??;
            found.extend(addresses(&buffer[..length]));
        }
        if found.is_empty() { Err(io::Error::new(io::ErrorKind::NotFound, "no such name")) } else { Ok(found) }
    }
}

fn query(host: &str, kind: u16) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in host.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend(kind.to_be_bytes());
    bytes.extend(1_u16.to_be_bytes());
    bytes
}

/// The name and the type that are asked for, and where the question ends.
fn question(query: &[u8]) -> (String, u16, usize) {
    let mut labels = Vec::new();
    let mut at = HEADER_BYTES;
    while query[at] > 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).into_owned());
        at += 1 + length;
    }
    (labels.join("."), u16::from_be_bytes([query[at + 1], query[at + 2]]), at + 5)
}

fn reply(question: &[u8], kind: u16, addresses: &[IpAddr]) -> Vec<u8> {
    let mut bytes = question.to_vec();
    bytes[2..4].copy_from_slice(&[0x81, 0x80]);
    bytes[6..8].copy_from_slice(&u16::try_from(addresses.len()).unwrap().to_be_bytes());
    for address in addresses {
        // The name by a pointer to the question, class IN, a TTL of 0: nobody may keep it.
        bytes.extend([0xc0, 0x0c]);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 1, 0, 0, 0, 0]);
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        bytes.extend(u16::try_from(octets.len()).unwrap().to_be_bytes());
        bytes.extend(octets);
    }
    bytes
}

/// The addresses of a reply as [`reply`] writes it.
fn addresses(reply: &[u8]) -> Vec<IpAddr> {
    let (_, _, mut at) = question(reply);
    let count = u16::from_be_bytes([reply[6], reply[7]]);
    let mut found = Vec::new();
    for _ in 0..count {
        let length = usize::from(u16::from_be_bytes([reply[at + 10], reply[at + 11]]));
        let octets = &reply[at + 12..at + 12 + length];
        found.extend(<[u8; 4]>::try_from(octets).map(IpAddr::from).ok());
        found.extend(<[u8; 16]>::try_from(octets).map(IpAddr::from).ok());
        at += 12 + length;
    }
    found
}
