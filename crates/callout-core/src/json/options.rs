//! How a JSON text is read, and the ways to read one.

use super::{
    Json,
    error::{ReadError, ReadErrorKind},
    read::{Reader, Step},
    wanted::Wanted,
};

/// What becomes of a member name that stands twice in one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// The last value wins, at the place of the first.
    #[default]
    LastWins,
    /// The text is refused: for files that people write, where it is a slip.
    Refuse,
}

/// What becomes of half a surrogate pair, `"\ud83d"`: JSON's grammar has it, Unicode text has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoneSurrogates {
    /// The text is refused.
    #[default]
    Refuse,
    /// It becomes U+FFFD: for upstreams that cut a string in the middle of an emoji.
    Replace,
}

/// How a JSON text is read.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    /// How many arrays and objects may be open at once. Default 128.
    pub max_depth: usize,
    /// Default: the last wins.
    pub duplicates: Duplicates,
    /// Default: refused.
    pub lone_surrogates: LoneSurrogates,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { max_depth: 128, duplicates: Duplicates::default(), lone_surrogates: LoneSurrogates::default() }
    }
}

/// A value that was read of all of a text, and how it was written there.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The value.
    pub value: Json,
    /// Whether the text is known to be, byte for byte, what [`super::write_compact`] writes for the value. One in
    /// which a character is written by its number is not, though some have to be.
    pub is_compact: bool,
}

impl ReadOptions {
    /// Reads one JSON text (RFC 8259). A byte order mark before it is passed over.
    ///
    /// # Errors
    ///
    /// When the bytes are not UTF-8, not one JSON value, or past one of these bounds.
    pub fn read(&self, bytes: &[u8]) -> Result<Json, ReadError> {
        self.document(bytes, None, Reader::value)
    }

    /// As [`ReadOptions::read`], and tells whether the text is written as the value would be. `may_pass` is that of
    /// [`ReadOptions::read_wanted`].
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::read_wanted`].
    pub fn read_whole(&self, bytes: &[u8], may_pass: Option<&dyn Fn(&str) -> bool>) -> Result<Whole, ReadError> {
        let whole = |reader: &mut Reader<'_>| {
            let value = reader.value()?;
            // White space behind it counts.
            reader.space();
            Ok(Whole { value, is_compact: reader.is_compact })
        };
        self.document(bytes, may_pass, whole)
    }

    /// Reads what is wanted of one JSON text and passes over the rest, which is checked all the same:
    /// a text is refused exactly if [`ReadOptions::read`] refuses it, but for duplicate names in what is
    /// passed over. See [`Wanted`] for what becomes of the rest.
    ///
    /// `may_pass` is shown each string and name that is written with escapes (some twice in a text that is not
    /// JSON), also where it is passed over: in the bytes of the text it cannot be found. Where it says no,
    /// reading stops.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::read`], and [`ReadErrorKind::Stopped`].
    pub fn read_wanted(
        &self,
        bytes: &[u8],
        wanted: impl Wanted,
        may_pass: Option<&dyn Fn(&str) -> bool>,
    ) -> Result<Json, ReadError> {
        self.document(bytes, may_pass, |reader| reader.wanted(wanted))
    }

    pub(super) fn document<'a, T>(
        &self,
        bytes: &'a [u8],
        may_pass: Option<&'a dyn Fn(&str) -> bool>,
        read: impl FnOnce(&mut Reader<'a>) -> Step<T>,
    ) -> Result<T, ReadError> {
        let marked = bytes.strip_prefix(b"\xef\xbb\xbf");
        let bytes = marked.unwrap_or(bytes);
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| {
            // Slower, and knows where.
            let place = simdutf8::compat::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
            ReadError::at(bytes, place, ReadErrorKind::NotUtf8)
        })?;
        let mut reader = Reader::new(text, *self, may_pass);
        reader.is_compact = marked.is_none();
        reader.document(read).map_err(|slip| {
            let kind = slip.in_full(std::mem::take(&mut reader.duplicate), self.max_depth);
            ReadError::at(bytes, reader.at.min(bytes.len()), kind)
        })
    }
}
