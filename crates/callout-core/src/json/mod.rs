//! JSON as upstreams write it: members in their order, numbers with their digits.
//!
//! [`Json`] is immutable and cheap to clone: arrays and objects are shared, so that a stage can
//! keep its input, its output and any part of either without copying. It is read by
//! [`ReadOptions::read`] (bounded depth, no recursion past it) and written by its `Display`
//! (`{}` compact, `{:#}` indented).
//!
//! The type does not depend on which features of `serde_json` the host program switches on.

mod array;
mod containers;
mod convert;
mod eight;
mod ends;
mod error;
mod group;
mod number;
mod object;
mod options;
mod pointer;
mod read;
mod rows;
mod skip;
mod space;
mod sweep;
mod unnest;
mod wanted;
mod watch;
mod words;
mod write;

pub use array::Array;
pub use error::{ReadError, ReadErrorKind};
pub use number::Number;
pub use object::{Object, ObjectBuilder};
pub use options::{Duplicates, LoneSurrogates, ReadOptions, Whole};
pub use pointer::{pointer_of, unescaped_step};
pub use rows::{Cell, Cells, Room, RowBounds, Rows, RowsRead};
pub use smol_str::SmolStr;
pub use wanted::{Want, Wanted};
pub(crate) use write::write_inside;
pub use write::{compact, is_written_within, write_compact, write_string};

/// A JSON value (RFC 8259) that keeps member order and number text.
///
/// Two values are equal when they would be written alike; `1.0` and `1` differ.
///
/// The reader bounds how deep a value nests. One that is put together in memory may nest as deep as it
/// likes and is dropped without trouble, but comparing and writing it take stack as deep as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(Number),
    /// A string; short ones are stored inline, long ones are shared.
    String(SmolStr),
    /// An array.
    Array(Array),
    /// An object, members in order.
    Object(Object),
}

impl Json {
    /// Reads one JSON text with the default [`ReadOptions`].
    ///
    /// # Errors
    ///
    /// When the text is not one JSON value, or nests deeper than the default bound.
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        ReadOptions::default().read(text.as_bytes())
    }

    /// A string value.
    pub fn string(text: impl Into<SmolStr>) -> Self {
        Self::String(text.into())
    }

    /// An object without members.
    pub fn empty_object() -> Self {
        Self::Object(Object::default())
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub const fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub const fn as_array(&self) -> Option<&Array> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The members, if this is an object.
    pub const fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The member of that name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// Whether both are clones of one array or object that is not empty.
    fn shares(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(one), Self::Array(other)) => one.shares(other),
            (Self::Object(one), Self::Object(other)) => one.shares(other),
            _ => false,
        }
    }

    /// What kind of value this is, in JSON Schema's words: `null`, `boolean`, `number`, `string`,
    /// `array` or `object`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}
