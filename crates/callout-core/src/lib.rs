//! The vocabulary of Callout, without any I/O: what an integration is, what can be wrong with it, how a
//! call fails, and where a host or a test can put something of its own.
//!
//! - [`config`]: integrations as written, read with every fault at once
//! - [`fault`]: faults and their places
//! - [`json`]: JSON with member order and number text kept
//! - [`limits`]: every bound in one place
//! - [`secret`], [`redact`]: secrets, and how they are kept out of what leaves a call
//! - [`time`], [`http`], [`secret_store`]: the seams for clock, chance, network and where secrets are kept
//!
//! It is not the engine: runtimes link the crate `callout`, which re-exports what they need.
//!
//! ```
//! use callout_core::{config::{IntegrationConfig, UnknownFields}, fault::Faults, json::Json};
//!
//! let body = Json::parse(r#"{"name": "github", "display_name": "GitHub", "base_url": "https://api.github.com",
//!     "endpoints": [{"name": "zen", "description": "A line of wisdom", "method": "FETCH", "path": "/zen"}]}"#)?;
//! let mut faults = Faults::new();
//! IntegrationConfig::read(&body, UnknownFields::Refuse, &mut faults);
//! assert_eq!(faults.iter().next().map(ToString::to_string).as_deref(),
//!     Some("endpoints[0].method: must be one of GET, POST, PUT, PATCH, DELETE, not \"FETCH\""));
//! # Ok::<(), callout_core::json::ReadError>(())
//! ```

pub mod config;
mod error;
pub mod fault;
pub mod http;
pub mod json;
pub mod limits;
pub mod redact;
pub mod secret;
pub mod secret_store;
pub mod time;

pub use error::{Error, ErrorKind};
