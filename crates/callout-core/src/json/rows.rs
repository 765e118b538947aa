//! Reading an object, or a list of them, as rows: each a new object of some values of the old one, which
//! is never made itself.

use smol_str::SmolStr;

use super::{
    Json, Object, ReadError, ReadOptions,
    error::Slip,
    read::{Reader, Step},
    skip::Open,
    sweep::{Start, Watch},
};

/// More names than this do not lead to a value.
const LONGEST: usize = 16;

/// The members that rows have, and where in an object their values are.
///
/// ```
/// use callout_core::json::{RowBounds, ReadOptions, Rows, SmolStr};
///
/// let path = |names: &[&str]| names.iter().map(SmolStr::new).collect();
/// let rows = Rows::new(vec![("id".into(), path(&["id"])), ("by".into(), path(&["user", "login"]))]).ok_or("no rows")?;
/// let body = br#"[{"id": 1, "user": {"login": "ada", "age": 36}}, {"id": 2}]"#;
/// let read = ReadOptions::default().read_rows(body, &rows, &RowBounds::most(1_000), None)?.ok_or("other than objects")?;
/// assert_eq!(read.rows.to_string(), r#"[{"id":1,"by":"ada"},{"id":2,"by":null}]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rows {
    names: Vec<SmolStr>,
    fields: Fields,
}

/// What is looked for in one object.
#[derive(Clone, Debug, Default)]
struct Fields {
    /// A bit for the length of each name, so that most of the others are not compared.
    lengths: u64,
    members: Vec<Member>,
    /// The columns that are filled from here.
    columns: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Member {
    /// That of the name, which is told from most others by it.
    length: usize,
    name: SmolStr,
    field: Field,
}

#[derive(Clone, Debug)]
enum Field {
    Column(usize),
    Within(Fields),
}

impl Rows {
    /// From the name of each member and the names that lead to its value. `None` if two members have the same
    /// name, one value stands within another, or there are too many names.
    pub fn new(members: Vec<(SmolStr, Vec<SmolStr>)>) -> Option<Self> {
        let mut rows = Self { names: Vec::with_capacity(members.len()), fields: Fields::default() };
        for (column, (name, path)) in members.into_iter().enumerate() {
            if rows.names.contains(&name) || path.len() > LONGEST {
                return None;
            }
            rows.names.push(name);
            rows.fields.add(&path, column)?;
        }
        Some(rows)
    }
}

impl Fields {
    fn add(&mut self, path: &[SmolStr], column: usize) -> Option<()> {
        let (name, rest) = path.split_first()?;
        self.columns.push(column);
        self.lengths |= length_bit(name.as_bytes());
        let member = |field| Member { length: name.len(), name: name.clone(), field };
        let known = self.members.iter_mut().find(|member| member.name == *name);
        match (known.map(|member| &mut member.field), rest.is_empty()) {
            (None, true) => self.members.push(member(Field::Column(column))),
            (None, false) => {
                let mut inner = Self::default();
                inner.add(rest, column)?;
                self.members.push(member(Field::Within(inner)));
            }
            (Some(Field::Within(inner)), false) => inner.add(rest, column)?,
            (Some(_), _) => return None,
        }
        Some(())
    }

    #[inline]
    fn get(&self, name: &[u8]) -> Option<&Field> {
        if self.lengths & length_bit(name) == 0 {
            return None;
        }
        let is_it = |member: &&Member| member.length == name.len() && member.name.as_bytes() == name;
        self.members.iter().find(is_it).map(|member| &member.field)
    }
}

fn length_bit(name: &[u8]) -> u64 {
    1 << name.len().min(63)
}

/// How many rows a list may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowBounds {
    /// With more elements it is not read.
    pub most: usize,
    /// What rows are made for; `None`: all are made. The others are read in the same way, and `null` stands for
    /// each: for callers who will not look at them.
    pub room: Option<Room>,
}

/// The room that rows are made for: once those that were made fill it, no more are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// In characters.
    pub chars: usize,
    /// How many of them a row takes, whatever its values.
    pub each: usize,
    /// Columns, by their place: a row takes as many more as its values there have, if they are strings or
    /// numbers. One may stand here more than once.
    pub columns: Vec<usize>,
}

impl Room {
    fn taken_by(&self, row: &Object) -> usize {
        let chars = |column: &usize| match row.entry(*column) {
            // Counting is slow, and most texts need none.
            Some((_, Json::String(text))) if text.is_ascii() => text.len(),
            Some((_, Json::String(text))) => text.chars().count(),
            Some((_, Json::Number(number))) => number.as_str().len(),
            _ => 0,
        };
        self.columns.iter().map(chars).fold(self.each, usize::saturating_add)
    }
}

/// What was read as rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsRead {
    /// The row, or the list of them.
    pub rows: Json,
    /// Whether all were made.
    pub is_whole: bool,
}

impl RowBounds {
    /// So many, all of them made.
    pub const fn most(most: usize) -> Self {
        Self { most, room: None }
    }
}

impl ReadOptions {
    /// Reads an object as one row, or a list of objects as a list of rows; what no row wants is passed over and
    /// checked, as by [`ReadOptions::read_wanted`], which also tells what `may_pass` is for. A value that is
    /// absent is `null`.
    ///
    /// `None` if there is anything else where an object could stand: in the list an element that is none, on
    /// the way to a value an array; or if the list has more elements than `bounds` allow. What follows is
    /// not read then.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::read_wanted`].
    pub fn read_rows(
        &self,
        bytes: &[u8],
        rows: &Rows,
        bounds: &RowBounds,
        may_pass: Option<&dyn Fn(&str) -> bool>,
    ) -> Result<Option<RowsRead>, ReadError> {
        self.document(bytes, may_pass, |reader| {
            let read = reader.rows(rows, bounds)?;
            if read.is_none() {
                reader.at = reader.bytes.len();
            }
            Ok(read)
        })
    }
}

/// Watches over elements of which no rows are made.
struct Unmade<'f> {
    elements: usize,
    most: usize,
    fields: &'f Fields,
    /// Of the containers that are open, the outermost, which is an element, first.
    ways: [Way<'f>; LONGEST],
}

/// Whether a container is on the way to a value that a row takes. An array that is makes it something else.
#[derive(Clone, Copy)]
enum Way<'f> {
    /// It is: this is looked for in it.
    To(&'f Fields),
    Off,
    /// It may be: a name that leads to it is written with escapes.
    Unknown,
}

impl Watch for Unmade<'_> {
    const ONLY_CONTAINERS: bool = true;

    #[inline]
    fn opens(&mut self, bytes: &[u8], at: usize, within: usize, is_object: bool) -> Option<()> {
        self.elements += usize::from(within == 1);
        // Once for each container, or a name would be looked at as often as there are others behind it.
        let way = match within.checked_sub(2).map(|outer| self.ways.get(outer)) {
            None => Way::To(self.fields),
            Some(Some(Way::To(fields))) => fields.way(bytes, at),
            Some(Some(Way::Unknown)) => Way::Unknown,
            Some(Some(Way::Off) | None) => Way::Off,
        };
        if let Some(place) = self.ways.get_mut(within - 1) {
            *place = way;
        }
        (self.elements <= self.most && (is_object || matches!(way, Way::Off))).then_some(())
    }
}

impl Fields {
    /// That of a container which begins there, in the object of these.
    #[inline(never)]
    fn way(&self, bytes: &[u8], at: usize) -> Way<'_> {
        match name_before(bytes, at).map(|name| self.get(name)) {
            Some(Some(Field::Within(inner))) => Way::To(inner),
            Some(_) => Way::Off,
            None => Way::Unknown,
        }
    }
}

/// The name of the member whose value begins there. `None` if it is written with escapes, or there is none.
fn name_before(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let before = bytes.get(..at)?.trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let start = before.iter().rposition(|byte| matches!(byte, b'"' | b'\\'))?;
    let is_whole =
        before.get(start) == Some(&b'"') && start.checked_sub(1).and_then(|at| before.get(at)) != Some(&b'\\');
    is_whole.then(|| before.get(start + 1..)).flatten()
}

impl Reader<'_> {
    fn rows(&mut self, rows: &Rows, bounds: &RowBounds) -> Step<Option<RowsRead>> {
        let mut row = vec![Json::Null; rows.names.len()];
        match self.peek()? {
            b'{' => {
                let only = self.row(rows, &mut row)?;
                Ok(only.map(|row| RowsRead { rows: Json::Object(row), is_whole: true }))
            }
            b'[' => {
                self.enter()?;
                let mut all = Vec::new();
                let mut made = 0;
                if self.peek()? == b']' {
                    self.at += 1;
                } else {
                    let mut was_swept = false;
                    let mut left = bounds.room.as_ref().map_or(usize::MAX, |room| room.chars);
                    loop {
                        if self.peek()? != b'{' || all.len() == bounds.most {
                            return Ok(None);
                        }
                        if left == 0
                            && !std::mem::replace(&mut was_swept, true)
                            && let Some(rest) = self.sweep_rows(&rows.fields, bounds.most - all.len())
                        {
                            all.resize(all.len() + rest, Json::Null);
                            break;
                        }
                        if left > 0 {
                            let Some(object) = self.row(rows, &mut row)? else { return Ok(None) };
                            if let Some(room) = &bounds.room {
                                left = left.saturating_sub(room.taken_by(&object));
                            }
                            all.push(Json::Object(object));
                            made += 1;
                        } else if self.fields::<false>(&rows.fields, &mut row)? {
                            all.push(Json::Null);
                        } else {
                            return Ok(None);
                        }
                        if self.ends_with(b']', Slip::CommaOrBracket)? {
                            break;
                        }
                    }
                }
                self.depth -= 1;
                Ok(Some(RowsRead { is_whole: made == all.len(), rows: Json::Array(all.into()) }))
            }
            _ => Ok(None),
        }
    }

    /// Moves behind the end of the list if nothing but elements follows that could be rows; says how many.
    fn sweep_rows(&mut self, fields: &Fields, most: usize) -> Option<usize> {
        let mut open = Open::default();
        open.push(false);
        // The list is one of those that are open.
        let most_open = self.max_depth() - self.depth + 1;
        let mut watch = Unmade { elements: 0, most, fields, ways: [Way::Off; LONGEST] };
        self.sweep(Start { at: self.at, open, most_open }, &mut watch)?;
        Some(watch.elements)
    }

    /// One row. The values are collected in `row`, which is all `null` before and afterwards.
    fn row(&mut self, rows: &Rows, row: &mut [Json]) -> Step<Option<Object>> {
        if !self.fields::<true>(&rows.fields, row)? {
            return Ok(None);
        }
        Ok(Some(Object::of_row(&rows.names, row.iter_mut().map(std::mem::take))))
    }

    /// Fills the columns from an object; what would fill them is passed over if they are not to be made. False
    /// if there is an array on the way to one.
    fn fields<const MADE: bool>(&mut self, fields: &Fields, row: &mut [Json]) -> Step<bool> {
        self.enter()?;
        if self.peek()? == b'}' {
            self.at += 1;
            self.depth -= 1;
            return Ok(true);
        }
        loop {
            match self.field(fields)? {
                Some(Field::Column(column)) if MADE => {
                    let value = self.value()?;
                    if let Some(place) = row.get_mut(*column) {
                        *place = value;
                    }
                }
                None | Some(Field::Column(_)) => self.pass_over()?,
                Some(Field::Within(inner)) => {
                    if MADE {
                        // Of members with the same name the last counts, with what it does not have too.
                        for column in &inner.columns {
                            if let Some(place) = row.get_mut(*column) {
                                *place = Json::Null;
                            }
                        }
                    }
                    match self.peek()? {
                        b'{' => {
                            if !self.fields::<MADE>(inner, row)? {
                                return Ok(false);
                            }
                        }
                        b'[' => return Ok(false),
                        _ => self.pass_over()?,
                    }
                }
            }
            if self.ends_with(b'}', Slip::CommaOrBrace)? {
                self.depth -= 1;
                return Ok(true);
            }
        }
    }

    /// Reads a member's name, and tells what is looked for behind it.
    #[inline]
    fn field<'f>(&mut self, fields: &'f Fields) -> Step<Option<&'f Field>> {
        if self.peek()? != b'"' {
            return Err(Slip::Name);
        }
        let start = self.at + 1;
        let end = self.ends.of_string(self.at);
        let field = if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            fields.get(&self.bytes[start..end])
        } else {
            fields.get(self.escaped_string(start, end)?.as_bytes())
        };
        self.colon()?;
        Ok(field)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::ReadErrorKind, *};

    fn rows(members: &[(&str, &str)]) -> Option<Rows> {
        Rows::new(
            members
                .iter()
                .map(|(name, path)| (SmolStr::new(name), path.split('.').map(SmolStr::new).collect()))
                .collect(),
        )
    }

    fn read(members: &[(&str, &str)], text: &str, most: usize) -> String {
        match ReadOptions::default().read_rows(text.as_bytes(), &rows(members).unwrap(), &RowBounds::most(most), None) {
            Ok(Some(read)) => read.rows.to_string(),
            Ok(None) => "other".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn rows_of_objects() {
        let members = [("n", "a.b"), ("m", "c"), ("o", "a.d.e")];
        let table = [
            (r#"{"a":{"b":1,"d":{"e":[2,{"x":3}]}},"c":{"y":1.10}}"#, r#"{"n":1,"m":{"y":1.10},"o":[2,{"x":3}]}"#),
            (
                r#" [ {"c":1} , {} , {"x":[{}],"a":null} ] "#,
                r#"[{"n":null,"m":1,"o":null},{"n":null,"m":null,"o":null},{"n":null,"m":null,"o":null}]"#,
            ),
            ("[]", "[]"),
            ("{}", r#"{"n":null,"m":null,"o":null}"#),
            // Of duplicates the last counts, whole.
            (r#"{"a":{"b":1,"d":{"e":2}},"a":{"d":{"e":3,"e":4}},"c":1,"c":2}"#, r#"{"n":null,"m":2,"o":4}"#),
            (r#"{"a":{"b":1},"a":"text"}"#, r#"{"n":null,"m":null,"o":null}"#),
            (r#"{"\u0061":{"b":"\n"}}"#, r#"{"n":"\n","m":null,"o":null}"#),
            (r#"[{"a":[{"b":1}]}]"#, "other"),
            (r#"[{"a":{"d":[]}} not looked at"#, "other"),
            (r#"[{"c":1},2]"#, "other"),
            ("7", "other"),
            ("[{},{},{},{}]", "other"),
            (r#"[{"c":1},]"#, "other"),
            (r#"[{"x":tru}]"#, "expected a value at line 1 column 7"),
            (r#"[{"c":1}] {"#, "more text after the value at line 1 column 11"),
            (r#"[{"c":1"#, "the text ends inside a value at line 1 column 8"),
        ];
        for (text, expected) in table {
            assert_eq!(read(&members, text, 3), expected, "{text}");
        }
    }

    #[test]
    fn rows_that_are_not_made_are_read_all_the_same() {
        let rows = rows(&[("n", "a.b"), ("m", "c")]).unwrap();
        let read = |text: &str, made: usize| {
            let bounds = RowBounds { most: 3, room: Some(Room { chars: made, each: 1, columns: Vec::new() }) };
            ReadOptions::default().read_rows(text.as_bytes(), &rows, &bounds, None)
        };
        let text = r#"[{"c":1},{"a":{"b":2},"c":{"x":[]}},{"c":"\n"}]"#;
        let made = |made| read(text, made).unwrap().unwrap().rows.to_string();
        assert_eq!(made(0), "[null,null,null]");
        assert_eq!(made(1), r#"[{"n":null,"m":1},null,null]"#);
        assert_eq!(made(3), made(usize::MAX));
        for other in [
            r#"[{"c":1},2]"#,
            r#"[{"a":{"b":1}},{"a":[{"b":1}]}]"#,
            "[{},{},{},{}]",
            r#"[{"c":1},{"c":tru}]"#,
            r#"[{"c":1},{"c":"\x"}]"#,
            r#"[{"c":1},{"a":{"b":01}}]"#,
            r#"[{"c":1},{"a":{"b":1,}}]"#,
            r#"[{},{"c":1"#,
        ] {
            assert_eq!(read(other, 1), read(other, usize::MAX), "{other}");
        }
        for (made, is_whole) in [(0, false), (2, false), (3, true), (4, true)] {
            assert_eq!(read(text, made).unwrap().unwrap().is_whole, is_whole);
        }
        // One object is no element.
        assert_eq!(read(r#"{"c":1}"#, 0), read(r#"{"c":1}"#, 1));
    }

    #[test]
    fn arrays_on_the_way_are_met_wherever_no_rows_are_made() {
        let rows = rows(&[("n", "a.b.c"), ("m", "d")]).unwrap();
        let is_read = |element: &str| {
            let text = format!("[{{}}, {element}, {{\"d\": 1}}]");
            let bounds = RowBounds { most: 3, room: Some(Room { chars: 1, each: 1, columns: Vec::new() }) };
            ReadOptions::default().read_rows(text.as_bytes(), &rows, &bounds, None).unwrap().is_some()
        };
        let table = [
            (r#"{"a":{"b":{"c":[1]}},"d":[[]]}"#, true),
            (r#"{"x":{"a":[{"b":1}]},"y":[{"a":[]}]}"#, true),
            (r#"{"a":{"x":[]},"b":[]}"#, true),
            (r#"{"a":{"x":{"b":[]}}}"#, true),
            (
                r#"{"a" : {"b"
                : [1]}}"#,
                false,
            ),
            (r#"{"a":{"b":[{"c":1}]}}"#, false),
            (r#"{"a":[]}"#, false),
            (r#"{"\u0061":[]}"#, false),
            (r#"{"\u0061":{"b":{"c":[]}}}"#, true),
            (r#"{"\u0061":{"b":[]}}"#, false),
            (r#"{"x\"":[],"\"a":{"b":[]}}"#, true),
            (r#"{"":[],"x":{"a":[]},"a":{"":[],"b":{}}}"#, true),
            ("[]", false),
            ("1", false),
            ("\"a\"", false),
            ("{},{}", false),
        ];
        for (element, expected) in table {
            assert_eq!(is_read(element), expected, "{element}");
        }
    }

    #[test]
    fn names_are_looked_at_once_however_many_arrays_stand_behind_them() {
        let rows = rows(&[("n", "a.b")]).unwrap();
        let arrays = "\"\":[],".repeat(50_000);
        for (name, space) in [("x".repeat(500_000), String::new()), ("x".to_owned(), " ".repeat(500_000))] {
            let text = format!("[{{}},{{\"{name}\":{space}{{{arrays}\"c\":1}}}}]");
            let bounds = RowBounds { most: 3, room: Some(Room { chars: 1, each: 1, columns: Vec::new() }) };
            let (read, took) =
                callout_hostile::timed(|| ReadOptions::default().read_rows(text.as_bytes(), &rows, &bounds, None));
            assert!(read.unwrap().is_some());
            assert!(took < std::time::Duration::from_secs(5), "{took:?}");
        }
    }

    proptest! {
        #[test]
        fn as_many_rows_are_read_whether_they_are_made_or_not(
            tokens in prop::collection::vec(
                prop::sample::select(vec![
                    "{\"a\":{\"b\":1}}", "{\"a\":[]}", "{\"a\":{\"b\":[{}]}}", "{\"x\":[1]}", "{\"d\":\"\\n\"}", "{\"a\":",
                    "{\"\\u0061\":[", "]", "}", "{", "[", "1", ",", ", ", "{\"x\":{\"a\":[\"", "\"]}}", "{\"b\":1,\"a\":{}}",
                ]),
                0..12,
            ),
            chars in 0_usize..4,
        ) {
            let rows = rows(&[("n", "a.b"), ("m", "d")]).unwrap();
            for text in [format!("[{}]", tokens.concat()), format!("[{}]", tokens.join(","))] {
                let read = |chars| {
                    let bounds = RowBounds { most: 5, room: Some(Room { chars, each: 1, columns: Vec::new() }) };
                    let read = ReadOptions::default().read_rows(text.as_bytes(), &rows, &bounds, None);
                    read.map(|read| read.map(|read| read.rows.as_array().map_or(0, |rows| rows.len())))
                };
                prop_assert_eq!(read(chars), read(usize::MAX), "{}", text);
            }
        }
    }

    #[test]
    fn values_take_room_by_their_characters() {
        let rows = rows(&[("n", "a"), ("m", "b")]).unwrap();
        let text = r#"[{"a":"éé","b":-1.5},{"a":true,"b":[1]},{"a":"\u0041"},{"a":"","b":null},{"b":"ab"}]"#;
        let made = |chars, each, columns: &[usize]| {
            let bounds = RowBounds { most: 9, room: Some(Room { chars, each, columns: columns.to_vec() }) };
            let read = ReadOptions::default().read_rows(text.as_bytes(), &rows, &bounds, None).unwrap().unwrap();
            read.rows.as_array().unwrap().iter().filter(|row| !row.is_null()).count()
        };
        // 2 and 4, 0 and 0, 1 and 0, 0 and 0, 0 and 2.
        let table = [
            (1, 0, vec![0], 1),
            (2, 0, vec![0], 1),
            (3, 0, vec![0], 3),
            (4, 0, vec![0], 5),
            (4, 0, vec![0, 0], 1),
            (6, 0, vec![0, 1], 1),
            (7, 0, vec![1, 0], 3),
            (9, 0, vec![1, 0], 5),
            (8, 1, vec![0, 1], 2),
            (3, 1, vec![], 3),
            (1, 0, vec![7], 5),
        ];
        for (chars, each, columns, expected) in table {
            assert_eq!(made(chars, each, &columns), expected, "{chars} {each} {columns:?}");
        }
    }

    #[test]
    fn what_makes_no_rows() {
        assert!(rows(&[("a", "a"), ("a", "b")]).is_none());
        assert!(rows(&[("a", "a"), ("b", "a.b")]).is_none());
        assert!(rows(&[("a", "a.b"), ("b", "a")]).is_none());
        assert!(rows(&[("a", "a"), ("b", "a")]).is_none());
        assert!(rows(&[("a", &["x"; 17].join("."))]).is_none());
    }

    #[test]
    fn nesting_is_bounded_as_elsewhere() {
        let options = ReadOptions { max_depth: 3, ..ReadOptions::default() };
        let rows = rows(&[("m", "a.b")]).unwrap();
        let read = |text: &str| {
            options
                .read_rows(text.as_bytes(), &rows, &RowBounds::most(9), None)
                .map(|read| read.map(|read| read.rows.to_string()))
        };
        assert_eq!(read(r#"[{"a":{"b":1}}]"#).unwrap().unwrap(), r#"[{"m":1}]"#);
        for text in [r#"[{"a":{"b":[]}}]"#, r#"[{"a":{"b":1,"x":{}}}]"#, r#"[{"x":[[]]}]"#] {
            assert_eq!(read(text).unwrap_err().kind(), &ReadErrorKind::TooDeep(3), "{text}");
        }
    }
}
