//! Places in a document, as JSON Pointers.

use std::fmt;

use callout_core::json::Json;
use percent_encoding::percent_decode_str;

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
        let fragment = reference.strip_prefix('#')?;
        let text = percent_decode_str(fragment).decode_utf8().ok()?;
        (text.is_empty() || text.starts_with('/')).then(|| Self(text.into_owned()))
    }

    /// The value at this place.
    pub(crate) fn get<'d>(&self, root: &'d Json) -> Option<&'d Json> {
        let mut found = root;
        for step in self.0.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            found = match found {
                Json::Object(object) => object.get(&name)?,
                Json::Array(array) => array.get(name.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(found)
    }

    /// The last step, as a name.
    pub(crate) fn last(&self) -> String {
        self.0.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~")
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
