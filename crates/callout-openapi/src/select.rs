//! Which operations are wanted.

use std::str::FromStr;

use crate::operation::Operation;

/// A condition on operations: `tag:NAME`, `op:GLOB`, `path:GLOB` or `method:GET`.
///
/// In a glob `*` stands for any text, slashes too, and `?` for one character. Tags and methods are
/// compared without case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// One of the operation's tags.
    Tag(String),
    /// Its `operationId`, as a glob.
    Operation(String),
    /// Its path, as a glob.
    Path(String),
    /// Its method.
    Method(String),
}

/// A text that is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no selection: write tag:NAME, op:GLOB, path:GLOB or method:GET")]
pub struct SelectorError(String);

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let refused = || SelectorError(text.to_owned());
        let (kind, value) = text.split_once(':').ok_or_else(refused)?;
        if value.is_empty() {
            return Err(refused());
        }
        let value = value.to_owned();
        match kind {
            "tag" => Ok(Self::Tag(value)),
            "op" => Ok(Self::Operation(value)),
            "path" => Ok(Self::Path(value)),
            "method" => Ok(Self::Method(value)),
            _ => Err(refused()),
        }
    }
}

impl Selector {
    fn holds(&self, operation: &Operation<'_>) -> bool {
        match self {
            Self::Tag(wanted) => operation.tags().any(|tag| tag.to_lowercase() == wanted.to_lowercase()),
            Self::Operation(glob) => operation.id().is_some_and(|id| matches(glob, id)),
            Self::Path(glob) => matches(glob, operation.path),
            Self::Method(wanted) => operation.method.eq_ignore_ascii_case(wanted),
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Tag(_) => 0,
            Self::Operation(_) => 1,
            Self::Path(_) => 2,
            Self::Method(_) => 3,
        }
    }
}

/// Whether an operation is wanted: of each kind that is named, one selector holds.
pub(crate) fn selects(selectors: &[Selector], operation: &Operation<'_>) -> bool {
    (0..4).all(|kind| {
        let mut of_kind = selectors.iter().filter(|selector| selector.kind() == kind).peekable();
        of_kind.peek().is_none() || of_kind.any(|selector| selector.holds(operation))
    })
}

/// Whether a glob matches the whole text. It never backs up further than to its last `*`.
fn matches(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut at, mut in_text) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(&found) if found == '?' || Some(&found) == text.get(in_text) => {
                at += 1;
                in_text += 1;
            }
            _ => match &mut star {
                Some((back, resume)) => {
                    *resume += 1;
                    (at, in_text) = (*back + 1, *resume);
                }
                None => return false,
            },
        }
    }
    glob[at.min(glob.len())..].iter().all(|found| *found == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("repos/*", "repos/get", true),
            ("repos/*", "repo/get", false),
            ("*/get-*", "repos/get-branch", true),
            ("/a/?", "/a/b", true),
            ("/a/?", "/a/", false),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "aXbYb", false),
            ("a", "ab", false),
            ("*é", "aé", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
        assert!(!matches(&"*a".repeat(30), &"a".repeat(29)), "ends soon");
    }

    #[test]
    fn selectors_read() {
        assert_eq!("op:repos/*".parse(), Ok(Selector::Operation("repos/*".to_owned())));
        assert_eq!("path:/a:b".parse(), Ok(Selector::Path("/a:b".to_owned())));
        for bad in ["", "tag", "tag:", "name:x"] {
            assert!(bad.parse::<Selector>().is_err(), "{bad}");
        }
    }
}
