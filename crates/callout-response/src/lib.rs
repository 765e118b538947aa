//! From an HTTP answer to a short text: [`read_body`] turns bytes into a value, and a [`Pipeline`] turns the
//! value into a text, in five stages: filter, mapping, result key, template, truncation.
//!
//! Everything is compiled once, when an integration is loaded, and runs within the
//! [limits](callout_core::limits::Limits) whatever a tenant, a model or an upstream writes. It opens no
//! connection, waits for nothing and knows nothing of retries; whether a status is a failure is decided
//! before a pipeline runs.
//!
//! - [`filter`], [`mapping`], [`result_key`], [`template`], [`truncate`]: the stages, each usable alone
//! - [`Stages`]: what each stage gave, for the one who sets an endpoint up
//!
//! ```
//! # use std::{future::{Future, pending}, time::{Duration, Instant}};
//! use callout_core::{
//!     config::EndpointConfig, fault::Faults, json::Object, limits::Limits, redact::Redactor,
//!     time::{Clock, Deadline, SharedClock},
//! };
//! use callout_response::{Input, Pipeline, read_body};
//! # struct System;
//! # impl Clock for System {
//! #     fn now(&self) -> Instant { Instant::now() }
//! #     fn unix(&self) -> Duration { Duration::ZERO }
//! #     fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send { pending() }
//! #     fn until(&self, _: Instant) -> impl Future<Output = ()> + Send { pending() }
//! # }
//! # let clock = SharedClock::new(System);
//!
//! let limits = Limits::default();
//! let mut endpoint = EndpointConfig::new("open", "Lists open issues", "/issues");
//! endpoint.response_mapping = Some(vec![("number".into(), "number".into()), ("by".into(), "user.login".into())]);
//! endpoint.result_template = Some("{% for issue in result %}#{{ issue.number }} by {{ issue.by }}\n{% endfor %}".into());
//! let mut faults = Faults::new();
//! let pipeline = Pipeline::compile(&endpoint, &limits, &mut faults).ok_or("the endpoint has faults")?;
//!
//! let body = br#"[{"number": 7, "user": {"login": "ada"}}, {"number": 9, "user": {"login": "bob"}}]"#;
//! let body = read_body(200, Some("application/json"), body, &limits)?;
//! let text = pipeline.run(&Input {
//!     body: &body,
//!     params: &Object::default(),
//!     status: 200,
//!     redactor: &Redactor::default(),
//!     clock: &clock,
//!     deadline: Deadline::after(&clock, Duration::from_mins(1)),
//! })?;
//! assert_eq!(text.text, "#7 by ada\n#9 by bob\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
pub mod filter;
pub mod mapping;
mod pipeline;
mod plan;
pub mod result_key;
pub mod template;
pub mod truncate;
mod watch;

pub use body::{Read, read_body, read_clean};
pub use callout_path::Visits;
pub use pipeline::{Input, Pipeline, Stages};
pub use truncate::{Length, Text, Truncation};
pub use watch::Watch;
