//! Rows looked for while the text is swept.

use super::{
    super::{
        ends::Ends,
        read::Reader,
        skip::Open,
        sweep::{Seen, Start, Watch},
    },
    LONGEST, Rows,
    fields::{Fields, Found},
};

/// Takes rows as they are found. It is not known yet whether all of the text is as it has to be.
pub(super) trait Sink {
    /// Whether it takes one more.
    fn takes_more(&self) -> bool;

    /// A row: where what stands behind a name begins, in that order, and for which column. `None` breaks off.
    fn take(&mut self, reader: &mut Reader<'_>, row: &[(usize, usize)]) -> Option<()>;
}

/// Looks for the columns of rows in the objects that begin and end.
struct RowWatch<'r, K> {
    fields: &'r Fields,
    /// No more elements than that.
    most: usize,
    /// Containers that are open around each element: the list, or none.
    around: usize,
    /// Of the containers that are open in an element, itself first.
    ways: [Way<'r>; LONGEST],
    /// That of the innermost.
    way: Way<'r>,
    elements: usize,
    /// Of the element that is open: where what stands behind a name begins, in that order, and for which column.
    found: Vec<(usize, usize)>,
    /// A bit for each column that is among those, the last for all from there on.
    is_found: u64,
    sink: &'r mut K,
    sink_takes_more: bool,
}

/// Whether a container is on the way to a value that a row takes. An array that is makes it something else.
#[derive(Clone, Copy)]
enum Way<'r> {
    /// It is: this is looked for in it.
    To(&'r Fields),
    Off,
    /// It may be: a name that leads to it is written with escapes.
    Unknown,
}

impl Reader<'_> {
    /// Gives rows to the sink, as it takes them, and tells how many there would be. `None`, and stays, if
    /// anything is not as it has to be, if there are none, or other than rows, or if a name that may be looked
    /// for is written with escapes.
    pub(super) fn watched_rows<K: Sink>(
        &mut self,
        rows: &Rows,
        most: usize,
        is_list: bool,
        sink: &mut K,
    ) -> Option<usize> {
        let (before, depth) = (self.at, self.depth);
        let elements = self.enter().ok().and_then(|()| {
            let mut watch = RowWatch::new(rows, most, is_list, sink);
            let mut open = Open::default();
            open.push(!is_list);
            let most_open = self.max_depth() - depth;
            self.sweep(Start { at: self.at, open, most_open }, &mut watch)?;
            Some(watch.elements)
        });
        self.depth = depth;
        if elements.is_none() {
            self.at = before;
            self.ends = Ends::of(self.bytes);
            self.ends.jump(before);
        }
        elements
    }
}

impl<'r, K: Sink> RowWatch<'r, K> {
    fn new(rows: &'r Rows, most: usize, is_list: bool, sink: &'r mut K) -> Self {
        let mut watch = Self {
            fields: &rows.fields,
            most,
            around: usize::from(is_list),
            ways: [Way::Off; LONGEST],
            way: Way::Off,
            elements: 0,
            found: Vec::with_capacity(rows.names.len()),
            is_found: 0,
            sink_takes_more: sink.takes_more(),
            sink,
        };
        if !is_list {
            watch.enter(0, Way::To(&rows.fields));
        }
        watch
    }

    #[inline]
    fn enter(&mut self, level: usize, way: Way<'r>) {
        self.elements += usize::from(level == 0);
        if let Some(place) = self.ways.get_mut(level) {
            *place = way;
        }
        self.way = way;
    }

    fn forget(&mut self, columns: &[usize]) {
        let bits = columns.iter().fold(0, |bits, column| bits | bit_of(*column));
        if self.is_found & bits != 0 {
            self.found.retain(|(_, column)| !columns.contains(column));
        }
    }

    /// The element has ended.
    #[inline(never)]
    fn end_row(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.sink.take(reader, &self.found)?;
        self.found.clear();
        self.is_found = 0;
        self.sink_takes_more = self.sink.takes_more();
        Some(())
    }
}

/// That of a column in [`RowWatch::is_found`].
const fn bit_of(column: usize) -> u64 {
    1 << if column < 63 { column } else { 63 }
}

impl<K: Sink> Watch for RowWatch<'_, K> {
    const LOOKS_INSIDE: bool = true;

    #[inline]
    fn holds_containers(&self) -> bool {
        self.around == 1
    }

    #[inline]
    fn wants_names(&self) -> bool {
        self.sink_takes_more && matches!(self.way, Way::To(_))
    }

    #[inline]
    fn name(&mut self, bytes: &[u8], group: &Seen<'_>, quote: usize) -> Option<()> {
        let Way::To(fields) = self.way else { return Some(()) };
        match fields.at(bytes, group, quote) {
            (Found::Nothing, _) => {}
            (Found::Unknown, _) => return None,
            (Found::Value(column), behind_name) => {
                // Of members with the same name the last counts.
                if self.is_found & bit_of(column) != 0 {
                    self.forget(&[column]);
                }
                self.is_found |= bit_of(column);
                self.found.push((behind_name, column));
            }
            // It counts with what it does not have too.
            (Found::Object(inner), _) => self.forget(&inner.columns),
        }
        Some(())
    }

    #[inline]
    fn opens(&mut self, bytes: &[u8], group: &Seen<'_>, at: usize, within: usize, is_object: bool) -> Option<()> {
        let level = within.checked_sub(self.around)?;
        let way = match self.way {
            _ if level == 0 => Way::To(self.fields),
            Way::To(fields) => match fields.object_at(bytes, group, group.name_before(at)) {
                Found::Object(inner) => Way::To(inner),
                Found::Value(_) | Found::Nothing => Way::Off,
                Found::Unknown => Way::Unknown,
            },
            other => other,
        };
        self.enter(level, way);
        (self.elements <= self.most && (is_object || matches!(way, Way::Off))).then_some(())
    }

    #[inline]
    fn closes(&mut self, reader: &mut Reader<'_>, within: usize) -> Option<()> {
        // Of the list itself, whose end is no element's.
        let Some(level) = within.checked_sub(self.around) else { return Some(()) };
        self.way = level.checked_sub(1).and_then(|outer| self.ways.get(outer)).copied().unwrap_or(Way::Off);
        if level == 0 && self.sink_takes_more { self.end_row(reader) } else { Some(()) }
    }
}
