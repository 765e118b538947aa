//! Why a text is not JSON.

use std::fmt;

use smol_str::SmolStr;

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text is empty or only white space.
    Empty,
    /// The text ends inside a value.
    UnexpectedEnd,
    /// Something else was expected here.
    Expected(&'static str),
    /// More text follows the value.
    TrailingText,
    /// A control character stands in a string, where it must be escaped.
    ControlCharacter,
    /// An escape sequence that JSON does not have.
    BadEscape,
    /// Half a surrogate pair, where that is refused.
    LoneSurrogate,
    /// A member name stands twice, where that is refused.
    DuplicateName(SmolStr),
    /// More than this many arrays and objects are open at once.
    TooDeep(usize),
    /// The caller's own check of strings stopped the reading.
    Stopped,
}

impl fmt::Display for ReadErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Empty => f.write_str("empty, a JSON value was expected"),
            Self::UnexpectedEnd => f.write_str("the text ends inside a value"),
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::TrailingText => f.write_str("more text after the value"),
            Self::ControlCharacter => f.write_str("a control character in a string must be escaped"),
            Self::BadEscape => f.write_str("unknown escape sequence"),
            Self::LoneSurrogate => f.write_str("half a surrogate pair"),
            Self::DuplicateName(name) => write!(f, "the name {name:?} stands twice in one object"),
            Self::TooDeep(limit) => write!(f, "nested deeper than {limit} levels"),
            Self::Stopped => f.write_str("a string that may not pass"),
        }
    }
}

/// Why and where a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    kind: ReadErrorKind,
    line: usize,
    column: usize,
}

impl ReadError {
    pub(super) fn at(bytes: &[u8], offset: usize, kind: ReadErrorKind) -> Self {
        let before = &bytes[..offset];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = 1 + before[start..].iter().filter(|byte| (**byte as i8) >= -0x40).count();
        Self { kind, line, column }
    }

    /// What is wrong.
    pub const fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// The line, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column in characters, from 1.
    pub const fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.kind, self.line, self.column)
    }
}

impl std::error::Error for ReadError {}

/// Why the reader stops, in a byte: every step may return one, and none should have to be written to memory
/// for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slip {
    Empty,
    End,
    Value,
    Number,
    Name,
    Colon,
    CommaOrBrace,
    CommaOrBracket,
    TrailingText,
    ControlCharacter,
    Escape,
    LoneSurrogate,
    Duplicate,
    Depth,
    Stopped,
}

impl Slip {
    /// In full, with the name that stands twice and the bound on depth, if it is one of those.
    pub(super) fn in_full(self, duplicate: SmolStr, max_depth: usize) -> ReadErrorKind {
        match self {
            Self::Empty => ReadErrorKind::Empty,
            Self::End => ReadErrorKind::UnexpectedEnd,
            Self::Value => ReadErrorKind::Expected("a value"),
            Self::Number => ReadErrorKind::Expected("a number"),
            Self::Name => ReadErrorKind::Expected("a member name in quotes"),
            Self::Colon => ReadErrorKind::Expected("`:`"),
            Self::CommaOrBrace => ReadErrorKind::Expected("`,` or `}`"),
            Self::CommaOrBracket => ReadErrorKind::Expected("`,` or `]`"),
            Self::TrailingText => ReadErrorKind::TrailingText,
            Self::ControlCharacter => ReadErrorKind::ControlCharacter,
            Self::Escape => ReadErrorKind::BadEscape,
            Self::LoneSurrogate => ReadErrorKind::LoneSurrogate,
            Self::Duplicate => ReadErrorKind::DuplicateName(duplicate),
            Self::Depth => ReadErrorKind::TooDeep(max_depth),
            Self::Stopped => ReadErrorKind::Stopped,
        }
    }
}
