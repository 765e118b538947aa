//! What tests talk to: an upstream that does what a script says ([`Upstream`], [`Reply`]), a clock
//! that records waits ([`TestClock`]), seeded dice ([`SeededRng`]), names that lead where a test
//! wants ([`Names`]) and certificates of every kind ([`certs`]).
//!
//! The upstream writes raw bytes to a socket, so that it can break every rule of HTTP. It is not a
//! mock of any one API, and it never leaves loopback.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use callout_tests::{Reply, Upstream};
//!
//! let upstream = Upstream::start().await;
//! upstream.reply("/users", Reply::status(503).header("retry-after", "1"));
//! upstream.reply("/users", Reply::json(200, r#"{"users": []}"#));
//! // … call `upstream.url()` …
//! assert_eq!(upstream.requests().len(), 0);
//! # });
//! ```
#![expect(clippy::unwrap_used, reason = "a test's support fails loudly where a test would")]
#![expect(clippy::disallowed_methods, reason = "this is the world outside, with its own time")]
#![expect(clippy::missing_panics_doc, reason = "they panic where a test would")]

pub mod certs;
mod clock;
mod dns;
mod exchange;
pub mod faults;
mod names;
mod reply;
mod spans;
mod upstream;

pub use clock::{SeededRng, TestClock};
pub use dns::NameServer;
pub use exchange::Sender;
pub use names::Names;
pub use reply::{Reply, compressed};
pub use spans::Spans;
pub use upstream::{Recorded, Upstream};
