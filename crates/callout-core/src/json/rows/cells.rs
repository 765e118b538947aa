//! Rows of which nothing is made: their values are looked at where they stand.

use std::{borrow::Cow, fmt};

use memchr::memchr2;

use super::{super::read::Reader, watch::Sink};

/// One row of a text that is being read.
pub struct Cells<'c, 'a> {
    reader: &'c mut Reader<'a>,
    /// Where what stands behind a name begins, and for which column.
    row: &'c [(usize, usize)],
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// `null`, or nothing.
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(&'a str),
    /// A string.
    String(Cow<'a, str>),
    /// An array or an object.
    Nested,
}

/// Without what stands there, which is a body's.
impl fmt::Debug for Cells<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cells").field("found", &self.row.len()).finish_non_exhaustive()
    }
}

impl Cells<'_, '_> {
    /// The value of a column, which is told by its place among the members of the rows. `None` if what stands
    /// there is no JSON: the text has not been read further than to the row's end, and not checked as far.
    pub fn get(&mut self, column: usize) -> Option<Cell<'_>> {
        let Some((behind_name, _)) = self.row.iter().find(|(_, of)| *of == column) else { return Some(Cell::Null) };
        let reader = &mut *self.reader;
        reader.at = *behind_name;
        reader.colon().ok()?;
        Some(match reader.peek().ok()? {
            b'"' => Cell::String(string(reader)?),
            b'{' | b'[' => Cell::Nested,
            b't' => Cell::Bool(true),
            b'f' => Cell::Bool(false),
            b'n' => Cell::Null,
            _ => Cell::Number(reader.digits().ok()?),
        })
    }
}

/// The string that begins there. It may lie before what was looked at last.
fn string<'a>(reader: &mut Reader<'a>) -> Option<Cow<'a, str>> {
    let start = reader.at + 1;
    let mut end = start;
    let mut has_escape = false;
    loop {
        let rest = reader.bytes.get(end..)?;
        end += memchr2(b'"', b'\\', rest)?;
        if reader.bytes.get(end) == Some(&b'"') {
            break;
        }
        has_escape = true;
        end += 2;
    }
    if has_escape {
        reader.unescaped(start, end).ok().map(Cow::Owned)
    } else {
        reader.text.get(start..end).map(Cow::Borrowed)
    }
}

/// Shows rows, until no more are asked for.
pub(super) struct Visited<'v> {
    pub(super) visit: &'v mut dyn FnMut(&mut Cells<'_, '_>) -> Option<bool>,
    pub(super) takes_more: bool,
}

impl Sink for Visited<'_> {
    fn takes_more(&self) -> bool {
        self.takes_more
    }

    fn take(&mut self, reader: &mut Reader<'_>, row: &[(usize, usize)]) -> Option<()> {
        self.takes_more = (self.visit)(&mut Cells { reader, row })?;
        Some(())
    }
}
