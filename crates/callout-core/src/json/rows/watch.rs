//! Rows looked for while the text is swept.

use super::{
    super::{
        ends::Ends,
        read::Reader,
        skip::Open,
        space::before_space,
        sweep::Start,
        watch::{Seen, Watch},
    },
    LONGEST, Rows,
    fields::{Fields, Found},
};

/// Takes rows as they are found. It is not known yet whether all of the text is as it has to be.
pub(super) trait Sink {
    /// Whether it takes one more.
    fn takes_more(&self) -> bool;

    /// A row: where the value of each column stands, which is 0 for one that has none. `None` breaks off.
    fn take(&mut self, reader: &mut Reader<'_>, places: &[usize]) -> Option<()>;
}

/// Looks for the columns of rows in the objects that begin and end.
struct RowWatch<'r, K> {
    fields: &'r Fields,
    /// Deeper containers than that are not on the way to a value.
    depth: usize,
    /// No more elements than that.
    most: usize,
    /// Containers that are open around each element: the list, or none.
    around: usize,
    /// Of the containers that are open in an element, itself first: where the name before them begins.
    names: [usize; LONGEST],
    /// And what is looked for in them: while names are told of all, and else of so many as it is `known`, for arrays
    /// alone need it.
    ways: [Way<'r>; LONGEST],
    known: usize,
    /// That of the innermost, where names are asked for,
    way: Way<'r>,
    /// and of the member whose name was the last there.
    member: Way<'r>,
    elements: usize,
    /// Where the name before the value of each column has ended, 0 for one that has not been met in the element.
    places: Vec<usize>,
    sink: &'r mut K,
    sink_takes_more: bool,
}

/// What is looked for in a container that is on the way to a value that a row takes. An array that is makes it
/// something else.
type Way<'r> = Option<&'r Fields>;

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
            let last = before_space(self.bytes, self.at - 1);
            (!is_list || last.is_some_and(|(_, byte)| byte == b'}')).then_some(watch.elements)
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
            depth: rows.depth,
            most,
            around: usize::from(is_list),
            names: [0; LONGEST],
            ways: [None; LONGEST],
            known: 0,
            way: None,
            member: None,
            elements: 0,
            places: vec![0; rows.names.len()],
            sink_takes_more: sink.takes_more(),
            sink,
        };
        if !is_list {
            watch.enter_element();
        }
        watch
    }

    #[inline]
    fn enter_element(&mut self) {
        self.elements += 1;
        self.way = Some(self.fields);
        self.ways[0] = self.way;
        self.known = 1;
    }

    /// A container within an element, while names are told. `None` if that is an array on the way.
    #[inline]
    fn enter(&mut self, level: usize, is_object: bool) -> Option<()> {
        self.way = if level < self.depth {
            // No member's in an array: no name was told there, and of the array's own nothing was looked for.
            *self.ways.get_mut(level)? = self.member;
            self.member
        } else {
            None
        };
        (is_object || self.way.is_none()).then_some(())
    }

    /// The same while they are not: they are looked at where there is an array, back to the last that is known.
    /// `None` also if one of them is written with escapes.
    #[inline(never)]
    fn enter_unnamed(
        &mut self,
        bytes: &[u8],
        group: &Seen<'_>,
        at: usize,
        level: usize,
        is_object: bool,
    ) -> Option<()> {
        *self.names.get_mut(level)? = group.name_before(at);
        // It need not have been told that others have ended.
        self.known = self.known.min(level);
        if is_object {
            return Some(());
        }
        while self.known <= level {
            let name = *self.names.get(self.known)?;
            let outer = self.known.checked_sub(1).and_then(|outer| self.ways.get(outer)).copied().flatten();
            let way = match outer.map(|fields| fields.object_at(bytes, group, name)) {
                Some(Found::Object(inner)) => Some(inner),
                Some(Found::Unknown) => return None,
                Some(Found::Value(_) | Found::Nothing) | None => None,
            };
            *self.ways.get_mut(self.known)? = way;
            self.known += 1;
        }
        self.ways.get(level)?.is_none().then_some(())
    }

    /// The element has ended.
    #[inline(never)]
    fn end_row(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        // White space is looked past here, once however often a value is looked at.
        for place in self.places.iter_mut().filter(|place| **place > 0) {
            reader.at = *place;
            reader.colon().ok()?;
            *place = reader.at;
        }
        self.sink.take(reader, &self.places)?;
        self.places.fill(0);
        self.sink_takes_more = self.sink.takes_more();
        Some(())
    }
}

impl<K: Sink> Watch for RowWatch<'_, K> {
    const LOOKS_INSIDE: bool = true;

    #[inline]
    fn wants_names(&self) -> bool {
        self.sink_takes_more && self.way.is_some()
    }

    #[inline]
    fn skims(&self) -> Option<usize> {
        // Of elements in any case.
        (!self.sink_takes_more).then_some(self.around + self.depth.max(2))
    }

    #[inline]
    fn name(&mut self, bytes: &[u8], group: &Seen<'_>, quote: usize) -> Option<()> {
        let Some(fields) = self.way else { return Some(()) };
        self.member = None;
        match fields.at(bytes, group, quote) {
            (Found::Nothing, _) => {}
            (Found::Unknown, _) => return None,
            // Of members with the same name the last counts,
            (Found::Value(column), behind_name) => *self.places.get_mut(column)? = behind_name,
            // with what it does not have too.
            (Found::Object(inner), _) => {
                self.member = Some(inner);
                for column in &inner.columns {
                    *self.places.get_mut(*column)? = 0;
                }
            }
        }
        Some(())
    }

    #[inline]
    fn opens(&mut self, bytes: &[u8], group: &Seen<'_>, at: usize, within: usize, is_object: bool) -> Option<()> {
        let level = within.checked_sub(self.around)?;
        if level == 0 {
            self.enter_element();
            let is_next = self.around == 0 || follows_element(bytes, at, self.elements == 1);
            return (is_object && is_next && self.elements <= self.most).then_some(());
        }
        if self.sink_takes_more {
            return self.enter(level, is_object);
        }
        // An object matters for arrays within it that are on the way.
        if level + usize::from(is_object) < self.depth {
            return self.enter_unnamed(bytes, group, at, level, is_object);
        }
        Some(())
    }

    #[inline]
    fn closes(&mut self, reader: &mut Reader<'_>, within: usize) -> Option<()> {
        // Of the list itself, whose end is no element's.
        let Some(level) = within.checked_sub(self.around) else { return Some(()) };
        if !self.sink_takes_more {
            return Some(());
        }
        self.way = level.checked_sub(1).and_then(|outer| self.ways.get(outer)).copied().flatten();
        if level == 0 { self.end_row(reader) } else { Some(()) }
    }
}

/// Whether nothing but white space and a comma stands between an element and the object before it, or white space
/// alone behind the beginning of the list if it is the first. Arrays among the elements have been refused where they
/// began, and anything else does not end in a brace.
#[inline]
fn follows_element(bytes: &[u8], at: usize, is_first: bool) -> bool {
    match before_space(bytes, at) {
        Some((_, b'[')) => is_first,
        Some((comma, b',')) => !is_first && before_space(bytes, comma).is_some_and(|(_, byte)| byte == b'}'),
        _ => false,
    }
}
