//! The network: which addresses may be called, when to try again, how long to wait, and how much of
//! an answer to take.
//!
//! [`Transport`] is the [`HttpService`](callout_core::http::HttpService) behind every request of the
//! engine: endpoints, token endpoints, connection tests. It is the only crate that opens a connection
//! on behalf of a config, and the only one that names the HTTP client.
//!
//! Whatever else needs the async runtime is here too: the system's clock, and [`Workers`] for work that
//! would hold its threads up.
//!
//! It is not a general HTTP client: it follows no redirect to another origin, reads no proxy from the
//! environment, keeps no cookies, and hands out whole bodies, never streams.
//!
//! ```
//! use callout_transport::{EgressPolicy, Transport};
//!
//! // Public addresses, and one of this machine.
//! let egress = EgressPolicy::public().allow("127.0.0.1:8080")?;
//! let transport = Transport::builder().with_egress(egress).build()?;
//! # let _ = transport;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod builder;
mod client;
mod connector;
mod egress;
mod fault;
mod permits;
mod redirect;
mod resolver;
mod retry;
mod span;
mod system;
mod target;
mod tls;
mod transport;
mod workers;

pub use builder::TransportBuilder;
pub use egress::{EgressEntryError, EgressPolicy};
pub use fault::ConnectFault;
pub use resolver::Resolver;
pub use retry::RetryPolicy;
pub use system::{system_clock, system_rng};
pub use transport::Transport;
pub use workers::Workers;
