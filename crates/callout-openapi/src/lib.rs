//! Turns an API's own OpenAPI document, or a curl line, into integrations.
//!
//! [`import`] makes endpoints of operations: servers become the base URL, path and query parameters the path
//! template, the members of the body the input schema, and a security scheme the way to authenticate. What
//! cannot be carried over is in the [`Report`], per operation, with its place in the document. Nothing is
//! dropped silently.
//!
//! It does no I/O and fetches nothing: references lead only to places of the same document. Nor does it call
//! anything; that is the engine's work, once the config is loaded.
//!
//! ```
//! use callout_core::{fault::Faults, limits::Limits, secret::Secrets};
//! use callout_openapi::{Document, Options, import, lean};
//!
//! let document = Document::read(br#"
//! openapi: 3.1.0
//! info: {title: Shop}
//! servers: [{url: https://shop.example/v1}]
//! paths:
//!   /things/{id}:
//!     get:
//!       operationId: getThing
//!       summary: Gets a thing
//!       parameters:
//!         - {name: id, in: path, required: true, schema: {type: integer}}
//!         - {name: fields, in: query, schema: {type: array, items: {type: string}}}
//! "#)?;
//! let imported = import(&document, &Options::default(), &|config, faults| {
//!     config.check(&Secrets::new(), &Limits::default(), faults); // or the engine's compile, which checks more
//! })?;
//! assert_eq!(imported.report.imported(), 1);
//! let shop = &imported.integrations[0];
//! assert_eq!((shop.base_url.as_str(), shop.endpoints[0].path.as_str()), ("https://shop.example/v1", "/things/{id}{?fields}"));
//! println!("{:#}", lean(shop));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod curl;
mod document;
mod endpoint;
mod filter;
mod flat;
mod import;
mod lean;
mod names;
mod object;
mod operation;
mod params;
mod pointer;
mod repair;
mod report;
mod schema;
mod security;
mod select;
mod server;
mod shape;
mod steps;
mod text;

pub use curl::{CurlError, CurlImport, import_curl};
pub use document::{Document, DocumentError, Version};
pub use import::{ImportError, Imported, Options, Proposal, import};
pub use lean::lean;
pub use pointer::Pointer;
pub use repair::Check;
pub use report::{Fate, Finding, OperationReport, Report, SecretNeeded, Severity};
pub use security::CLIENT_ID_TO_BE_GIVEN;
pub use select::{Selector, SelectorError};
