//! A token as it is used: ready to be put into a header.

use std::{borrow::Cow, fmt, sync::OnceLock};

use callout_core::{redact::Redactor, secret::SecretString};
use http::HeaderValue;

/// The scheme and the space before a token (RFC 6750 section 2.1).
const BEARER: &str = "Bearer ";

/// Bytes of a token with which its redactor is kept, for as long as the token is: it takes up to some twenty-five
/// times as much, and a cache counts tokens, not bytes. Most tokens are shorter.
const MOST_KEPT: usize = 2 << 10;

/// `Bearer ` and the secret as a header's value, marked sensitive; `None` if it cannot stand in one.
pub(crate) fn bearer(secret: &str) -> Option<HeaderValue> {
    sensitive(&format!("{BEARER}{secret}"))
}

/// That text as a header's value, marked sensitive; `None` if it cannot stand in one.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// One token, or the secret that stands in its place. Shared by the cache and by everybody who uses it.
pub(crate) struct Token {
    value: HeaderValue,
    redactor: OnceLock<Redactor>,
}

impl Token {
    /// `None` if the text cannot stand in a header.
    pub(crate) fn new(text: &str) -> Option<Self> {
        Some(Self { value: bearer(text)?, redactor: OnceLock::new() })
    }

    /// The integration's own secret, as it stands in its header. It is masked with all that the integration
    /// has: here there is nothing to mask.
    pub(crate) fn fixed(value: HeaderValue) -> Self {
        Self { value, redactor: OnceLock::from(Redactor::default()) }
    }

    /// The header's value.
    pub(crate) fn value(&self) -> &HeaderValue {
        &self.value
    }

    fn text(&self) -> &str {
        let bytes = self.value.as_bytes().get(BEARER.len()..).unwrap_or_default();
        // It was made from a `str`.
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The token itself.
    pub(crate) fn secret(&self) -> SecretString {
        self.text().into()
    }

    /// Masks the token. Made when it is first asked for; empty for a fixed one.
    pub(crate) fn redactor(&self) -> Cow<'_, Redactor> {
        let made = || Redactor::new([self.text()]);
        if self.redactor.get().is_none() && self.value.len() > MOST_KEPT {
            return Cow::Owned(made());
        }
        Cow::Borrowed(self.redactor.get_or_init(made))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value: _, redactor: _ } = self; // secret
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_masks_a_long_token_is_not_kept_with_it() {
        for (length, is_kept) in [(MOST_KEPT / 2, true), (4 * MOST_KEPT, false)] {
            let text = "-".repeat(length);
            let token = Token::new(&text).unwrap();
            for _ in 0..2 {
                assert_eq!(token.redactor().text(&format!("<{text}>")), "<***>");
                assert_eq!(token.redactor.get().is_some(), is_kept);
            }
        }
        assert!(Token::fixed(bearer("x").unwrap()).redactor().is_empty());
    }
}
