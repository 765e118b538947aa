//! What must hold of any input, whoever wrote it: no abort, no endless work, nothing beyond a bound, the
//! same answer each time.
//!
//! Each function takes bytes, makes of them what it can, and panics where a promise is broken. The fuzz
//! targets (`fuzz/`) call them with what a fuzzer makes, a test replays their corpora, and property tests
//! call them with inputs in shape. Inputs are text that a person can read: parts stand on lines, JSON is
//! compact, the last part goes on to the end.
#![expect(clippy::panic, reason = "a broken promise ends the run")]

mod config;
mod json;
mod openapi;
mod path;
mod pipeline;
mod request;
mod template;
mod token_response;
mod world;

pub use config::config;
pub use json::json;
pub use openapi::{check_loads, openapi};
pub use path::path;
pub use pipeline::pipeline;
pub use request::request;
pub use template::template;
pub use token_response::token_response;

/// A promise about bytes.
pub type Oracle = fn(&[u8]);

/// All of them by the names of their fuzz targets.
pub const ORACLES: [(&str, Oracle); 8] = [
    ("config", config),
    ("json", json),
    ("openapi", openapi),
    ("path", path),
    ("pipeline", pipeline),
    ("request", request),
    ("template", template),
    ("token_response", token_response),
];

/// The first line and the rest.
fn line(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&text[..end]).ok()?, &text[end + 1..]))
}
