//! An upstream on loopback that commits every fault, each on a path of its own.
//!
//! `callout-faults [port]` (default 8099); the list of paths is printed and is at `/`.

use std::{error::Error, future};

use callout_tests::{Upstream, faults};
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    let port = match std::env::args().nth(1) {
        Some(port) => port.parse::<u16>().map_err(|error| format!("{port} is no port: {error}"))?,
        None => 8099,
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let upstream = Upstream::on_listener(listener, faults::answer);
        println!("{}\n\n{}", upstream.url(), faults::table());
        future::pending().await
    })
}
