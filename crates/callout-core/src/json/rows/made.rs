//! Rows as values.

use super::{
    super::{Json, Object, read::Reader},
    Room, Rows, RowsRead,
    watch::Sink,
};

/// Makes rows while there is room.
pub(super) struct Maker<'r> {
    rows: &'r Rows,
    room: Option<&'r Room>,
    /// All `null` between two rows.
    row: Vec<Json>,
    /// The places of a row's values and their columns, in the order of the text.
    order: Vec<(usize, usize)>,
    made: Vec<Json>,
    /// Room that is left for more.
    left: usize,
}

impl<'r> Maker<'r> {
    pub(super) fn new(rows: &'r Rows, room: Option<&'r Room>) -> Self {
        let left = room.map_or(usize::MAX, |room| room.chars);
        Self { rows, room, row: vec![Json::Null; rows.names.len()], order: Vec::new(), made: Vec::new(), left }
    }
}

impl Maker<'_> {
    pub(super) fn read(mut self, elements: usize, is_list: bool) -> RowsRead {
        let is_whole = self.made.len() == elements;
        if !is_list {
            return RowsRead { rows: self.made.pop().unwrap_or_default(), is_whole };
        }
        self.made.resize(elements, Json::Null);
        RowsRead { rows: Json::Array(self.made.into()), is_whole }
    }
}

impl Sink for Maker<'_> {
    fn takes_more(&self) -> bool {
        self.left > 0
    }

    fn take(&mut self, reader: &mut Reader<'_>, places: &[usize]) -> Option<()> {
        self.order.clear();
        self.order.extend(places.iter().enumerate().filter(|(_, place)| **place > 0).map(|(at, place)| (*place, at)));
        self.order.sort_unstable();
        for (place, column) in &self.order {
            reader.at = *place;
            reader.ends.jump(reader.at);
            *self.row.get_mut(*column)? = reader.value().ok()?;
        }
        let row = Object::of_row(&self.rows.names, self.row.iter_mut().map(std::mem::take));
        if let Some(room) = self.room {
            self.left = self.left.saturating_sub(room.taken_by(&row));
        }
        self.made.push(Json::Object(row));
        Some(())
    }
}
