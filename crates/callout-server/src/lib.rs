//! The HTTP API over the engine and the store: workspaces, integrations, keys, calls.
//!
//! It is thin: what a config may say, how a call is made and how its answer is shaped is the engine's
//! ([`callout`]), what is kept and how it stays whole is the store's ([`callout_store`]). Here stand
//! who may ask for what, the routes (`router.rs` is their map) and the words of the answers.
//!
//! A server holds no state of its own that another would have to know: compiled integrations are used
//! only while the store says that their revision is the current one, keys are believed for half a
//! second, and only rate limits are each server's own, and the sessions of MCP clients before its revision
//! 2026-07-28. So any number of them can stand before one database. Keys travel as they are: outside of one machine, put a proxy that does TLS before it.
//!
//! ```no_run
//! use callout::{EgressPolicy, Engine, system_clock, system_rng};
//! use callout_server::{App, ServerOptions, serve};
//! use callout_store::{Store, StoreOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (clock, rng) = (system_clock(), system_rng());
//! let store = Store::open(StoreOptions::new("callout.db".parse()?).with_clock(clock.clone()).with_rng(rng.clone())).await?;
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
mod calls;
mod change;
mod envelope;
mod error;
mod gate;
mod health;
mod holding;
mod integrations;
mod keys;
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
pub use openapi::document as openapi;
pub use serve::serve;
