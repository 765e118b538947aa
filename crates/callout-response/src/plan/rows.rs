//! A mapping's result read at once.

use callout_core::{
    json::{Cells, ReadError, ReadOptions, Room, RowBounds, Rows, RowsRead, SmolStr},
    limits::Limits,
};
use callout_path::{Hop, Path};

use crate::{
    mapping::{NULL, bytes_around},
    template::Lines,
};

/// A mapping of which each member is a dotted path of names.
#[derive(Debug)]
pub(crate) struct MappedRows {
    rows: Rows,
    /// With more elements the mapping could reach a bound, which it has to tell itself. Fewer are made where
    /// the text is cut before it can come to the others.
    bounds: RowBounds,
    /// What the template writes for each of a list, if that is all.
    lines: Option<Lines>,
    /// Bytes that names and absent values take of the result at most. All other values stand in it no more often
    /// than in the body.
    around: usize,
    /// Those that the result may have.
    max_result_bytes: usize,
}

/// The room that a text has for the elements of a mapped array: the others are of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextRoom {
    /// In characters.
    pub(crate) chars: usize,
    /// How many of them each element takes, whatever its values.
    pub(crate) each: usize,
    /// Members of which it takes as many characters more as their values have.
    pub(crate) values: Vec<SmolStr>,
}

impl MappedRows {
    /// `None` if a path is another kind, or two of them are in each other's way.
    pub(crate) fn compile<'m>(
        members: impl Iterator<Item = (&'m SmolStr, &'m Path)>,
        room: Option<TextRoom>,
        lines: Option<Lines>,
        limits: &Limits,
    ) -> Option<Self> {
        let mut all = Vec::new();
        // What all paths together may visit of one element: each name, the element, and what is at the end.
        let mut visits = 0_usize;
        for (name, path) in members {
            let names: Vec<SmolStr> = path.route().into_iter().map(plain_name).collect::<Option<_>>()?;
            visits = visits.saturating_add(names.len() + 2);
            all.push((name.clone(), names));
        }
        let most = limits.max_path_matches.min(limits.max_total_path_matches) / visits.max(1);
        // One more than the elements: the list itself, or the only object.
        let most = most.checked_sub(1)?;
        // Half of the result is left to values.
        let each = bytes_around(all.iter().map(|(name, _)| name.as_str())).saturating_add(all.len() * NULL.len());
        let most = most.min(limits.max_result_bytes / 2 / each);
        let around = most.max(1).saturating_mul(each);
        let room = room.map(|TextRoom { chars, each, values }| {
            let column = |value: SmolStr| all.iter().position(|(name, _)| *name == value);
            Room { chars, each, columns: values.into_iter().filter_map(column).collect() }
        });
        let bounds = RowBounds { most, room };
        Some(Self { rows: Rows::new(all)?, bounds, lines, around, max_result_bytes: limits.max_result_bytes })
    }

    pub(crate) const fn lines(&self) -> Option<&Lines> {
        self.lines.as_ref()
    }

    /// Whether the result is within its bound whatever stands in the body; else the mapping has to tell.
    const fn is_bounded(&self, bytes: &[u8]) -> bool {
        bytes.len().saturating_add(self.around) <= self.max_result_bytes
    }

    /// Shows the elements of a list as they are read, until no more are asked for, and tells how many there are.
    /// `None` if that cannot be done.
    pub(crate) fn visit(
        &self,
        bytes: &[u8],
        options: ReadOptions,
        may_pass: Option<&dyn Fn(&str) -> bool>,
        visit: &mut dyn FnMut(&mut Cells<'_, '_>) -> Option<bool>,
    ) -> Option<usize> {
        if !self.is_bounded(bytes) {
            return None;
        }
        options.visit_rows(bytes, &self.rows, self.bounds.most, may_pass, visit)
    }

    /// What the mapping gives, with `null` for the elements that are of no use. `None` if the body is not
    /// made of objects where it would have to be, or there may be too much of it.
    pub(crate) fn read(
        &self,
        bytes: &[u8],
        options: ReadOptions,
        may_pass: Option<&dyn Fn(&str) -> bool>,
    ) -> Result<Option<RowsRead>, ReadError> {
        if !self.is_bounded(bytes) {
            return Ok(None);
        }
        options.read_rows(bytes, &self.rows, &self.bounds, may_pass)
    }
}

/// The name of a dotted path's part that is no index.
fn plain_name(hops: Vec<Hop>) -> Option<SmolStr> {
    match <[Hop; 1]>::try_from(hops) {
        Ok([Hop::Through(name)]) => Some(name),
        _ => None,
    }
}
