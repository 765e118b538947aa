//! What can be wrong with a template, and what can go wrong in a render.

use std::fmt::Display;

/// A template that cannot be compiled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SyntaxError {
    pub(super) line: u32,
    pub(super) message: String,
}

impl SyntaxError {
    pub(super) fn new(line: u32, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

/// Why a render stopped.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fail {
    /// Something in the template does not go together with the values it met.
    Template(String),
    /// A filter found nothing, which `default` or a test behind it may be content with. Where it is applied this
    /// becomes what is undefined, and goes no further.
    Undefined(String),
    /// A bound was reached; the text names it.
    Limit(String),
    /// The call's time is over.
    Time,
}

impl Fail {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self::Template(message.into())
    }

    /// The same failure, told from one step further out; limits are not told anew.
    pub(super) fn within(self, place: impl Display) -> Self {
        match self {
            Self::Template(message) => Self::Template(format!("{place}: {message}")),
            other => other,
        }
    }
}

pub(super) type Outcome<T> = Result<T, Fail>;

/// At most ten names, each cut where it is long, for a message.
pub(super) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 10;
    let total = names.len();
    let mut shown: Vec<String> = names.take(SHOWN).map(|name| clipped(name, 40)).collect();
    if total > SHOWN {
        shown.push(format!("and {} more", total - SHOWN));
    }
    shown.join(", ")
}

/// The text, cut after `max` characters.
pub(super) fn clipped(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
    }
}
