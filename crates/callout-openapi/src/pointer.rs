//! Places in a document, as JSON Pointers.

use std::fmt;

use callout_core::json::{Json, pointer_of, unescaped_step};

/// A place in a document: a JSON Pointer in its URI fragment form (RFC 6901 section 6), `#/paths/~1x/get`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(String);

impl Pointer {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The place of a member or element below this one.
    #[must_use]
    pub fn below(&self, step: &str) -> Self {
        let mut text = String::with_capacity(self.0.len() + step.len() + 1);
        text.push_str(&self.0);
        text.push('/');
        for found in step.chars() {
            match found {
                '~' => text.push_str("~0"),
                '/' => text.push_str("~1"),
                other => text.push(other),
            }
        }
        Self(text)
    }

    /// The place of an element below this one.
    #[must_use]
    pub fn at(&self, index: usize) -> Self {
        self.below(&index.to_string())
    }

    /// Reads `#/a/b`, percent-encoded or not. `None` for what is no pointer into the same document.
    pub(crate) fn parse(reference: &str) -> Option<Self> {
        pointer_of(reference).map(|pointer| Self(pointer.into_owned()))
    }

    /// The value at this place.
    pub(crate) fn get<'d>(&self, root: &'d Json) -> Option<&'d Json> {
        root.pointer(&self.0)
    }

    /// The last step, as a name.
    pub(crate) fn last(&self) -> String {
        unescaped_step(self.0.rsplit('/').next().unwrap_or_default()).into_owned()
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_where_they_say() {
        let root = Json::parse(r#"{"a/b": [{"~": 7}], "": {"x y": 8}}"#).unwrap();
        let built = Pointer::root().below("a/b").at(0).below("~");
        assert_eq!(built.to_string(), "#/a~1b/0/~0");
        for (reference, expected) in [
            ("#/a~1b/0/~0", Some("7")),
            ("#//x%20y", Some("8")),
            ("#//x y", Some("8")),
            ("#/a~1b/1", None),
            ("#/a~1b/x", None),
            ("#/a~1b/0/~0/z", None),
        ] {
            let found = Pointer::parse(reference).and_then(|pointer| pointer.get(&root).map(ToString::to_string));
            assert_eq!(found.as_deref(), expected, "{reference}");
        }
        assert_eq!(Pointer::parse("#").and_then(|pointer| pointer.get(&root)), Some(&root));
        for elsewhere in ["other.yaml#/a", "#anchor", "https://x.example/#/a", "#/%ff"] {
            assert_eq!(Pointer::parse(elsewhere), None, "{elsewhere}");
        }
    }
}
