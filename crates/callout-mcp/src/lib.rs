//! Serves endpoints as tools of the Model Context Protocol (MCP), over stdio and over HTTP.
//!
//! A [`ToolSource`] says which tools there are and makes their calls; [`Registry`] is one over an
//! [`callout::Engine`] and a [`callout::ToolRegistry`], with params that the host supplies and no client
//! sees. An [`McpServer`] speaks the protocol for it: revision 2026-07-28, in which each request stands
//! for itself, and those before it, which begin with `initialize`; but not 2025-03-26, whose batches are not served.
//!
//! - A tool's result is the call's text, and `structuredContent` where that text is a JSON object. A text that was
//!   cut is followed by one that says so; in the place of an empty one stands that the call succeeded.
//!   `_meta` holds `result_delivery`, and `truncation` where the text was cut.
//! - A call that failed is a result too, with `isError` and a word on what may help. Only a tool that does
//!   not exist is an error of the protocol.
//! - `notifications/tools/list_changed` follows [`ToolSource::changes`].
//! - A client that cancels a call, or goes away and has no session, ends it: the connection to the upstream is
//!   closed.
//! - A client that asks for progress is told of each attempt, if the engine has [`Progress`] as its
//!   observer.
//!
//! Members of arguments and schemas keep their order in a program in which the feature `preserve_order` of
//! `serde_json` is on. No library here switches it on: that is up to the program, and `callout` does.
//!
//! What it does not do: it opens no connection and listens on none. A host hands it two streams
//! ([`serve`]) or single HTTP requests ([`HttpService`]) and says who asks. It offers tools alone: no
//! resources, prompts, sampling or logging.
//!
//! ```no_run
//! use callout::{EgressPolicy, Engine, EndpointConfig, IntegrationConfig, Json, Secrets, ToolRegistry};
//! use callout_mcp::{McpServer, Progress, Registry, serve};
//!
//! # async fn example(input: tokio::io::DuplexStream, output: tokio::io::DuplexStream) -> Result<(), Box<dyn std::error::Error>> {
//! let orders = EndpointConfig::new("orders", "A user's orders", "/users/{user_id}/orders");
//! let config = IntegrationConfig::new("shop", "https://shop.example").with_endpoint(orders);
//! let engine = Engine::builder().with_egress(EgressPolicy::public()).with_observer(Progress).build()?;
//! let shop = engine.load(config, &Secrets::new())?;
//!
//! let tools = ToolRegistry::new().with_integration(&shop).with_host_param("user_id");
//! let registry = Registry::new(engine, tools, Json::parse(r#"{"user_id": 42}"#)?);
//! serve(&McpServer::new(registry), input, output, callout_mcp::MAX_MESSAGE_BYTES).await?;
//! # Ok(())
//! # }
//! ```

mod direct;
mod handler;
mod http;
mod late;
mod list;
mod listening;
mod progress;
mod registry;
mod result;
mod sessions;
mod source;
mod stdio;
mod surrogates;

#[doc = include_str!("behaviour.md")]
pub mod behaviour {}

pub use handler::McpServer;
pub use http::{HttpOptions, HttpService};
pub use list::ToolList;
pub use progress::Progress;
pub use registry::{HostParams, Registry};
pub use sessions::Owner;
pub use source::{Called, Changes, Refusal, Success, ToolSource};
pub use stdio::{MAX_MESSAGE_BYTES, ServeError, serve};
