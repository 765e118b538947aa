//! Places of a document: JSON Pointers (RFC 6901), and the references that have one.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::Json;

impl Json {
    /// The value at a place of this one, which a JSON Pointer (RFC 6901) names: `/$defs/name`, or nothing for all
    /// of it.
    ///
    /// ```
    /// use callout_core::json::Json;
    ///
    /// let schema = Json::parse(r#"{"$defs": {"a/b": {"enum": ["x", "y"]}}}"#)?;
    /// assert_eq!(schema.pointer("/$defs/a~1b/enum/1"), Some(&Json::string("y")));
    /// # Ok::<(), callout_core::json::ReadError>(())
    /// ```
    pub fn pointer(&self, pointer: &str) -> Option<&Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |value, step| match value {
            Self::Array(elements) => elements.get(step.parse::<usize>().ok()?),
            Self::Object(members) => members.get(&unescaped_step(step)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => None,
        })
    }

    /// The place of this document that a reference (`$ref`) leads to; see [`pointer_of`] for which are followed.
    pub fn referred(&self, reference: &str) -> Option<&Self> {
        self.pointer(&pointer_of(reference)?)
    }
}

/// The JSON Pointer of a reference to a place of the same document: what stands behind the `#`, percent-encoded or
/// not (RFC 6901 section 6). `None` for one that leads out of it, and for one to an anchor.
pub fn pointer_of(reference: &str) -> Option<Cow<'_, str>> {
    let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
    (pointer.is_empty() || pointer.starts_with('/')).then_some(pointer)
}

/// A step of a JSON Pointer as the name that it stands for (RFC 6901 section 4).
pub fn unescaped_step(step: &str) -> Cow<'_, str> {
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~").into() } else { step.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_to_places_of_the_document() {
        let root = Json::parse(r#"{"a/b": [{"~1": 7}], "": {"x y": 8}, "é": 9}"#).unwrap();
        for (reference, expected) in [
            ("#/a~1b/0/~01", Some("7")),
            ("#/a~1b/0", Some(r#"{"~1":7}"#)),
            ("#//x y", Some("8")),
            ("#//x%20y", Some("8")),
            ("#/%C3%A9", Some("9")),
            ("#%2F%2Fx%20y", Some("8")),
            ("#/a~1b/1", None),
            ("#/a~1b/x", None),
            ("#/a~1b/0/~01/z", None),
            ("#/a/b", None),
            ("#/%ff", None),
            ("#anchor", None),
            ("/a~1b", None),
            ("other.json#/a~1b", None),
            ("", None),
        ] {
            assert_eq!(root.referred(reference).map(ToString::to_string).as_deref(), expected, "{reference}");
        }
        assert_eq!(root.referred("#"), Some(&root));
    }
}
