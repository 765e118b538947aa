//! Keeps a call's own secrets out of everything that leaves it.

use std::{borrow::Cow, fmt, sync::Arc};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::json::{Json, Object, ObjectBuilder};

/// Shorter values are not masked: `***` in place of every `a` would hide the answer and nothing else.
pub const MIN_REDACTED_BYTES: usize = 6;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Replaces secrets and tokens, and their percent-encoded, base64, hex and JSON-escaped forms, by
/// [`MASK`]. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Redactor {
    matcher: Option<Arc<AhoCorasick>>,
    /// Another redactor's secrets, masked too: an integration's besides a token's.
    outer: Option<Arc<Redactor>>,
}

impl Redactor {
    /// A redactor for these values. Values under [`MIN_REDACTED_BYTES`] are passed over.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms: Vec<String> = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= MIN_REDACTED_BYTES) {
            let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
            let mut json = String::new();
            let _ = crate::json::write_string(secret, &mut json);
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            forms.extend([
                secret.to_owned(),
                form_encoded(secret),
                encoded.to_lowercase(),
                encoded,
                json[1..json.len() - 1].to_owned(),
                hex.to_uppercase(),
                hex,
                BASE64_STANDARD.encode(secret),
                BASE64_STANDARD.encode(secret).trim_end_matches('=').to_owned(),
                BASE64_URL_SAFE_NO_PAD.encode(secret),
            ]);
        }
        forms.sort_unstable();
        forms.dedup();
        let matcher = if forms.is_empty() {
            None
        } else {
            AhoCorasickBuilder::new().match_kind(MatchKind::LeftmostLongest).build(&forms).ok().map(Arc::new)
        };
        Self { matcher, outer: None }
    }

    /// A redactor that masks what either masks.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (&self.matcher, &other.matcher) {
            (None, _) if self.outer.is_none() => other.clone(),
            (_, None) if other.outer.is_none() => self.clone(),
            _ => {
                let inner = match &self.outer {
                    Some(outer) => outer.and(other),
                    None => other.clone(),
                };
                Self { matcher: self.matcher.clone(), outer: Some(Arc::new(inner)) }
            }
        }
    }

    /// Whether it masks nothing.
    pub fn is_empty(&self) -> bool {
        self.matcher.is_none() && self.outer.as_ref().is_none_or(|outer| outer.is_empty())
    }

    /// Whether one of the secrets stands in these bytes.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.matcher.as_ref().is_some_and(|matcher| matcher.is_match(bytes))
            || self.outer.as_ref().is_some_and(|outer| outer.is_match(bytes))
    }

    /// The text with every secret masked.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let masked = match &self.matcher {
            Some(matcher) if matcher.is_match(text) => {
                let mut masked = String::with_capacity(text.len());
                matcher.replace_all_with(text, &mut masked, |_, _, out| {
                    out.push_str(MASK);
                    true
                });
                Cow::Owned(masked)
            }
            _ => Cow::Borrowed(text),
        };
        match &self.outer {
            None => masked,
            Some(outer) => match masked {
                Cow::Borrowed(text) => outer.text(text),
                Cow::Owned(text) => Cow::Owned(outer.text(&text).into_owned()),
            },
        }
    }

    /// The value with every secret masked in its strings and member names. What holds none is
    /// shared, not copied.
    #[must_use]
    pub fn json(&self, value: &Json) -> Json {
        if self.is_empty() { value.clone() } else { self.masked(value).unwrap_or_else(|| value.clone()) }
    }

    /// `None` if nothing had to be masked.
    fn masked(&self, value: &Json) -> Option<Json> {
        match value {
            Json::Null | Json::Bool(_) => None,
            Json::Number(number) => self.is_match(number.as_str().as_bytes()).then(|| Json::string(MASK)),
            Json::String(text) => match self.text(text) {
                Cow::Borrowed(_) => None,
                Cow::Owned(masked) => Some(masked.into()),
            },
            Json::Array(elements) => {
                let mut copy: Option<Vec<Json>> = None;
                for (at, element) in elements.iter().enumerate() {
                    if let Some(masked) = self.masked(element) {
                        copy.get_or_insert_with(|| elements.to_vec())[at] = masked;
                    }
                }
                copy.map(Json::from)
            }
            Json::Object(members) => self.masked_members(members),
        }
    }

    fn masked_members(&self, members: &Object) -> Option<Json> {
        let touched =
            members.iter().any(|(name, value)| self.is_match(name.as_bytes()) || self.masked(value).is_some());
        touched.then(|| {
            let mut copy = ObjectBuilder::with_capacity(members.len());
            for (name, value) in members.iter() {
                copy.insert(self.text(name), self.masked(value).unwrap_or_else(|| value.clone()));
            }
            copy.into()
        })
    }
}

/// `application/x-www-form-urlencoded`, as a secret stands in a form body.
fn form_encoded(secret: &str) -> String {
    url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { matcher: _, outer: _ } = self; // secrets
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr+t/é\"x";

    #[test]
    fn every_form_is_masked() {
        let redactor = Redactor::new([SECRET, "short"]);
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in [
            SECRET.to_owned(),
            "s3cr%2Bt%2F%C3%A9%22x".to_owned(),
            "s3cr%2bt%2f%c3%a9%22x".to_owned(),
            BASE64_STANDARD.encode(SECRET),
            BASE64_URL_SAFE_NO_PAD.encode(SECRET),
            hex.to_uppercase(),
            hex,
            "s3cr+t/é\\\"x".to_owned(),
        ] {
            assert!(redactor.text(&format!("<{form}>")).starts_with("<***"), "{form}");
        }
        assert_eq!(redactor.text("short"), "short");
        assert!(matches!(redactor.text("nothing"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_is_masked_in_names_and_values_and_else_shared() {
        let redactor = Redactor::new(["canary-1"]).and(&Redactor::new(["canary-2", "12345678"]));
        let value = Json::parse(r#"{"a":["x canary-1 y",1],"canary-2":{"b":null},"n":12345678,"same":[1,2]}"#).unwrap();
        assert_eq!(redactor.json(&value).to_string(), r#"{"a":["x *** y",1],"***":{"b":null},"n":"***","same":[1,2]}"#);
        assert!(Redactor::new([]).and(&Redactor::default()).is_empty());
    }
}
