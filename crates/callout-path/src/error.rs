//! Why a text is no path.

use thiserror::Error;

/// Why a text is no path: what is wrong, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("at character {position}: {message}")]
pub struct PathError {
    position: usize,
    message: String,
}

impl PathError {
    /// What is wrong at that byte of the text.
    pub(crate) fn at(text: &str, byte: usize, message: impl Into<String>) -> Self {
        let before = text.char_indices().take_while(|(at, _)| *at < byte).count();
        Self { position: before + 1, message: message.into() }
    }

    /// Where, in characters of the path, from 1.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// What is wrong and what to write instead.
    pub fn message(&self) -> &str {
        &self.message
    }
}
