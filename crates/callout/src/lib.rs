//! Runs configured calls to other people's HTTP APIs, for agent runtimes.
//!
//! An *integration* describes one REST API: where it is, how to authenticate, which endpoints it
//! has and how their answers become a short text for a language model. The engine turns
//! `(integration, endpoint, params)` into one authenticated HTTP call and its answer into that text.
//!
//! A runtime links this crate alone:
//!
//! ```no_run
//! use callout::{EgressPolicy, Engine, IntegrationConfig, EndpointConfig, Method, Secrets};
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), callout::Error> {
//! let mut issues = EndpointConfig::new("list-issues", "Lists the open issues of a repository", "/repos/{owner}/{repo}/issues");
//! issues.method = Method::Get;
//! issues.response_mapping = Some(vec![("title".into(), "title".into()), ("by".into(), "user.login".into())]);
//! issues.result_template = Some("{% for issue in result %}- {{ issue.title }} ({{ issue.by }})\n{% endfor %}".into());
//! issues.max_result_length = 2_000;
//! let config = IntegrationConfig::new("github", "https://api.github.com").with_endpoint(issues);
//!
//! let engine = Engine::builder().with_egress(EgressPolicy::public()).build()?;
//! let integration = engine.load(config, &Secrets::new())?; // every fault at once
//! let outcome = engine.call(&integration, "list-issues", json!({"owner": "rust-lang", "repo": "log"})).await?;
//! println!("{}", outcome.text());
//! # Ok(())
//! # }
//! ```
//!
//! Configs can be read from JSON too ([`Engine::load_json`]), as the HTTP API and the command
//! line do. [`Engine::trace`] shows a call stage by stage, [`Integration::tools`] gives the endpoints
//! as tools for function calling, and [`guide`] holds the behaviour, the config and recipes.
//!
//! What this library does not do: it stores nothing, reads no environment variable and no file but for
//! the certificates that the platform trusts, follows no schedule, and runs nothing in the background but
//! the calls that a host spawns into an [`Inbox`].
//!
//! Those certificates are read when an engine is built. On Linux and the BSDs they stand in the system's
//! files, or in place of these where the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` say.

mod answer;
mod approval;
mod call;
mod challenge;
mod connection;
mod engine;
pub mod guide;
mod idempotency;
mod inbox;
mod integration;
mod lenient;
mod observer;
mod offload;
mod outcome;
mod render;
mod schema_walk;
mod sending;
mod tools;
mod upstream_error;

pub use approval::{Approval, Approver, Decision, HeldCall};
pub use call::CallOptions;
pub use callout_auth::{CredentialSource, TokenCache, TokenInfo, TokenStats};
pub use callout_core::{
    Error, ErrorKind,
    config::{
        AuthConfig, AuthType, BodyFormat, Delivery, EndpointConfig, ExchangeHeaderMapping, IntegrationConfig, Method,
        Protocol, RequestTransform, RetryConfig, UnknownFields,
    },
    fault::{self, Fault, FaultCode, Faults, Place},
    http::{
        Caller, Exchange, ExchangeObserver, HttpRequest, HttpResponse, HttpService, Redirects, Replay, RequestFactory,
        RetryReason, SharedHttp, Watch,
    },
    json,
    json::Json,
    limits::{Limits, Timeouts},
    secret::{ExposeSecret, SecretName, SecretString, Secrets},
    time::{Clock, Deadline, Rng, SharedClock, SharedRng, SteppingClock, StillClock, milliseconds},
};
pub use callout_response::{Length, Text, Truncation};
pub use callout_transport::{EgressEntryError, EgressPolicy, Resolver, RetryPolicy, system_clock, system_rng};
pub use connection::{Connection, ConnectionStatus};
pub use engine::{Engine, EngineBuilder};
pub use inbox::{Delivered, Inbox};
pub use integration::Integration;
pub use lenient::Conversion;
pub use observer::{CallId, CallInfo, Event, Observer};
pub use outcome::{Outcome, SentRequest, Trace};
pub use tools::{Tool, ToolRegistry};
/// What the types of an [`HttpService`] are made of, for hosts that have one of their own.
pub use {bytes, http, url};

/// Keeps the README's example compiling.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
