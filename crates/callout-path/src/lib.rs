//! Paths into callout's JSON: one grammar wherever a config asks for a path.
//!
//! | text | grammar |
//! |---|---|
//! | `$…` | `JSONPath` (RFC 9535) |
//! | `/…` | JSON Pointer (RFC 6901) |
//! | anything else | dotted path: `data.items.0.id` |
//!
//! A [`Path`] is compiled once, when its config is loaded, and then gives the value at that place
//! ([`Path::value`]) or marks all that it matches in a [`Mask`] ([`Path::select`]). Both visit a
//! bounded number of nodes, and borrow what they can.
//!
//! It does not change JSON and is no template language: it finds what is there.
//!
//! ```
//! use callout_core::{json::Json, limits::Limits};
//! use callout_path::{Mask, Path};
//!
//! let limits = Limits::default();
//! let body = Json::parse(r#"{"items": [{"id": 1, "tag": "x"}, {"id": 2}], "next": null}"#)?;
//! let value = |path: &str| -> Result<String, Box<dyn std::error::Error>> {
//!     Ok(Path::parse(path, &limits)?.value(&body, &limits)?.map_or("nothing".into(), |value| value.to_string()))
//! };
//! assert_eq!(value("items.0.id")?, "1");
//! assert_eq!(value("items.tag")?, r#"["x",null]"#);
//! assert_eq!(value("/items/1")?, r#"{"id":2}"#);
//! assert_eq!(value("$.items[?@.id > 1].id")?, "[2]");
//! assert_eq!(value("total")?, "nothing");
//!
//! let mut mask = Mask::new();
//! for path in ["items.id", "$..tag"] {
//!     Path::parse(path, &limits)?.select(&body, &mut mask, &limits)?;
//! }
//! assert_eq!(mask.apply(&body).to_string(), r#"{"items":[{"id":1,"tag":"x"},{"id":2}]}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod dotted;
mod error;
mod jsonpath;
mod mask;
mod path;
mod pointer;
mod route;
mod step;

pub use budget::{TooMuch, Visits};
pub use error::PathError;
pub use mask::Mask;
pub use path::{Grammar, Path};
pub use route::{Hop, Route};
