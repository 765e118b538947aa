//! The HTTP API over the engine and the store: workspaces, integrations, keys, calls.
//!
//! It is thin. The engine ([`callout`]) decides what a config may say, how a call is made and how its answer
//! is shaped; the store ([`callout_store`]) what is kept and how it stays whole. Here is who may ask for
//! what, the routes (`router.rs` is their map) and the form of the answers.
//!
//! A server holds no state of its own that another would have to know, so any number of them can stand before
//! one database: compiled integrations are used only while the store says that their revision is the current
//! one, and keys are believed for half a second. Only rate limits, and the sessions of MCP clients of revisions
//! before 2026-07-28, are each server's own.
//!
//! It speaks plain HTTP, in which keys travel unencrypted: beyond one machine, put a TLS proxy in front of it.
//!
//! ```no_run
//! use callout::{EgressPolicy, Engine, system_clock, system_rng};
//! use callout_server::{App, ServerOptions, serve};
//! use callout_store::{Store, StoreOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (clock, rng) = (system_clock(), system_rng());
//! let store = Store::open(StoreOptions::new("callout.db".parse()?, clock.clone(), rng.clone())).await?;
//! let engine = Engine::builder().with_egress(EgressPolicy::public()).build()?;
//! let app = App::new(store, engine, clock, rng, ServerOptions::default());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! serve(listener, app, async { let _ = tokio::signal::ctrl_c().await; }).await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod api_keys;
mod app;
mod audit;
mod body;
mod call_log;
mod calls;
mod change;
mod envelope;
mod error;
mod gate;
mod giving_way;
mod health;
mod holding;
mod integrations;
mod keys;
mod linger;
mod loaded;
mod mcp;
mod metrics;
mod openapi;
mod pace;
mod page;
mod query;
mod rate_limit;
mod reply;
mod router;
mod serve;
mod share;
mod shared_look;
mod workspaces;

#[doc = include_str!("behaviour.md")]
pub mod behaviour {}

pub use app::{App, ServerOptions};
pub use mcp::{WebOrigin, WebOriginError};
pub use openapi::document as openapi;
pub use serve::serve;
