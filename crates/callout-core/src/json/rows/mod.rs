//! Reading an object, or a list of them, as rows: each a new object of some values of the old one, which
//! is never made itself.
//!
//! Most are read while the text is swept ([`watch`]): the names in an object are compared where they stand, and
//! what a row takes is read once the object has ended. What cannot be told there is read step by step, here.

mod cells;
mod fields;
mod made;
mod watch;

use smol_str::SmolStr;

pub use self::cells::{Cell, Cells};
use self::{
    cells::Visited,
    fields::{Fields, Found},
    made::Maker,
};
use super::{
    Json, Object, ReadError, ReadOptions,
    error::Slip,
    read::{Reader, Step},
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
    /// [`Fields::depth`]
    depth: usize,
}

impl Rows {
    /// From the name of each member and the names that lead to its value. `None` if two members have the same
    /// name, one value stands within another, or there are too many names.
    pub fn new(members: Vec<(SmolStr, Vec<SmolStr>)>) -> Option<Self> {
        let mut rows = Self { names: Vec::with_capacity(members.len()), fields: Fields::default(), depth: 0 };
        for (column, (name, path)) in members.into_iter().enumerate() {
            if rows.names.contains(&name) || path.len() > LONGEST {
                return None;
            }
            rows.names.push(name);
            rows.fields.add(&path, column)?;
        }
        rows.depth = rows.fields.depth();
        Some(rows)
    }
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

    /// Shows the elements of a list of objects as rows, one after the other, each as soon as it has been read,
    /// until `visit` wants no more; the others are passed over and checked. Tells how many elements there are.
    ///
    /// `None` if this text cannot be read in this way, whatever was shown before: if it is no JSON within the
    /// bounds, or no list, or one without elements or with more than `most`; if there is anything else where an
    /// object could stand, as for [`ReadOptions::read_rows`]; if a name that may lead to a value is written with
    /// escapes; or if `visit` gives `None`.
    ///
    /// ```
    /// use callout_core::json::{Cell, ReadOptions, Rows, SmolStr};
    ///
    /// let path = |names: &[&str]| names.iter().map(SmolStr::new).collect();
    /// let rows = Rows::new(vec![("id".into(), path(&["id"])), ("by".into(), path(&["user", "login"]))]).ok_or("no rows")?;
    /// let body = br#"[{"id": 1, "user": {"login": "ada", "age": 36}}, {"id": 2}]"#;
    /// let mut logins = Vec::new();
    /// let elements = ReadOptions::default().visit_rows(body, &rows, 1_000, None, &mut |row| {
    ///     if let Cell::String(login) = row.get(1)? {
    ///         logins.push(login.into_owned());
    ///     }
    ///     Some(true)
    /// });
    /// assert_eq!((elements, logins), (Some(2), vec!["ada".to_owned()]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visit_rows(
        &self,
        bytes: &[u8],
        rows: &Rows,
        most: usize,
        may_pass: Option<&dyn Fn(&str) -> bool>,
        visit: &mut dyn FnMut(&mut Cells<'_, '_>) -> Option<bool>,
    ) -> Option<usize> {
        let read = self.document(bytes, may_pass, |reader| {
            let is_list = reader.peek()? == b'[';
            let mut sink = Visited { visit, takes_more: true };
            let elements = is_list.then(|| reader.watched_rows(rows, most, true, &mut sink)).flatten();
            if elements.is_none() {
                reader.at = reader.bytes.len();
            }
            Ok(elements)
        });
        read.ok().flatten()
    }
}

impl Reader<'_> {
    fn rows(&mut self, rows: &Rows, bounds: &RowBounds) -> Step<Option<RowsRead>> {
        let is_list = match self.peek()? {
            b'{' => false,
            b'[' => true,
            _ => return Ok(None),
        };
        let mut sink = Maker::new(rows, bounds.room.as_ref().filter(|_| is_list));
        if let Some(elements) = self.watched_rows(rows, bounds.most, is_list, &mut sink) {
            return Ok(Some(sink.read(elements, is_list)));
        }
        let mut row = vec![Json::Null; rows.names.len()];
        let read = if is_list { self.list(rows, bounds.most, &mut row)? } else { self.row(rows, &mut row)? };
        Ok(read.map(|rows| RowsRead { rows, is_whole: true }))
    }

    fn list(&mut self, rows: &Rows, most: usize, row: &mut [Json]) -> Step<Option<Json>> {
        self.enter()?;
        let mut all = Vec::new();
        if self.peek()? == b']' {
            self.at += 1;
        } else {
            loop {
                if self.peek()? != b'{' || all.len() == most {
                    return Ok(None);
                }
                let Some(object) = self.row(rows, row)? else { return Ok(None) };
                all.push(object);
                if self.ends_with(b']', Slip::CommaOrBracket)? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(Some(Json::Array(all.into())))
    }

    /// One row. The values are collected in `row`, which is all `null` before and afterwards.
    fn row(&mut self, rows: &Rows, row: &mut [Json]) -> Step<Option<Json>> {
        if !self.fields(&rows.fields, row)? {
            return Ok(None);
        }
        Ok(Some(Json::Object(Object::of_row(&rows.names, row.iter_mut().map(std::mem::take)))))
    }

    /// Fills the columns from an object. False if there is an array on the way to one.
    fn fields(&mut self, fields: &Fields, row: &mut [Json]) -> Step<bool> {
        self.enter()?;
        if self.peek()? == b'}' {
            self.at += 1;
            self.depth -= 1;
            return Ok(true);
        }
        loop {
            let name = self.name()?;
            match fields.get(&name) {
                Found::Nothing | Found::Unknown => self.pass_over()?,
                Found::Value(column) => {
                    let value = self.value()?;
                    if let Some(place) = row.get_mut(column) {
                        *place = value;
                    }
                }
                Found::Object(inner) => {
                    // Of members with the same name the last counts, with what it does not have too.
                    for column in &inner.columns {
                        if let Some(place) = row.get_mut(*column) {
                            *place = Json::Null;
                        }
                    }
                    match self.peek()? {
                        b'{' => {
                            if !self.fields(inner, row)? {
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
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use callout_hostile::within;
    use proptest::prelude::*;

    use super::{super::ReadErrorKind, *};

    /// Tens of times what they take, and much less than what takes the square of it.
    const LONG: Duration = Duration::from_secs(5);

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
        let is_read = |element: &str, before: &str| {
            let text = format!("[{{\"x\":\"{before}\"}}, {element}, {{\"d\": 1}}]");
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
            (r#"{"x":{"b":[]},"a":{"b":[]}}"#, false),
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
            // Where the list is read to its end at once, and where it goes on when no more rows are made.
            for before in ["", &"x".repeat(600)] {
                assert_eq!(is_read(element, before), expected, "{element} behind {}", before.len());
            }
        }
    }

    #[test]
    fn names_are_looked_at_once_however_many_arrays_stand_behind_them() {
        let rows = rows(&[("n", "a.b.c")]).unwrap();
        let arrays = "\"\":[],".repeat(50_000);
        for (name, space) in [("a".repeat(500_000), String::new()), ("a".to_owned(), " ".repeat(500_000))] {
            let text = format!("[{{}},{{\"{name}\":{space}{{{arrays}\"c\":1}}}}]");
            let bounds = RowBounds { most: 3, room: Some(Room { chars: 1, each: 1, columns: Vec::new() }) };
            let read = within(LONG, "a name or space", || {
                ReadOptions::default().read_rows(text.as_bytes(), &rows, &bounds, None)
            });
            assert!(read.unwrap().is_some());
        }
    }

    #[test]
    fn space_is_looked_past_once_however_often_a_value_is_looked_at() {
        let rows = rows(&[("n", "a")]).unwrap();
        let text = format!("[{{\"a\":{}1}}]", "\n".repeat(1_000_000));
        let looks = within(LONG, "space", || {
            let mut looks = 0;
            let elements = ReadOptions::default().visit_rows(text.as_bytes(), &rows, 1, None, &mut |row| {
                for _ in 0..2_000 {
                    looks += usize::from(row.get(0)? == Cell::Number("1"));
                }
                Some(true)
            });
            elements.map(|_| looks)
        });
        assert_eq!(looks, Some(2_000));
    }

    #[test]
    fn names_that_stand_often_cost_what_they_lead_to() {
        let names: Vec<String> = (0..64).map(|at| format!("c{at}")).collect();
        let nested: Vec<(String, String)> =
            names.iter().map(|name| (format!("o{name}"), format!("o.{name}"))).collect();
        let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        let nested: Vec<(&str, &str)> = nested.iter().map(|(name, path)| (name.as_str(), path.as_str())).collect();
        let rows = rows(&[all, nested].concat()).unwrap();
        let members: String = names.iter().map(|name| format!("\"{name}\":1,")).collect();
        let text = format!("[{{{members}{}\"o\":{{\"c7\":2}}}}]", "\"o\":{\"c0\":1},\"o\":{},".repeat(60_000));
        let read = within(LONG, "names", || {
            ReadOptions::default().read_rows(text.as_bytes(), &rows, &RowBounds::most(9), None).unwrap().unwrap()
        });
        let row = read.rows.as_array().and_then(|rows| rows.first().cloned()).unwrap();
        assert_eq!(["c0", "oc0", "oc7"].map(|name| row.get(name).unwrap().to_string()), ["1", "null", "2"]);
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
