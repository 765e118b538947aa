//! Reading an object, or a list of them, as rows: each a new object of some values of the old one, which
//! is never made itself.

use std::borrow::Cow;

use smol_str::SmolStr;

use super::{
    Json, Object, ReadError, ReadOptions,
    read::{Reader, Step},
};

/// More names than this do not lead to a value.
const LONGEST: usize = 16;

/// The members that rows have, and where in an object their values are.
///
/// ```
/// use callout_core::json::{ReadOptions, Rows, SmolStr};
///
/// let path = |names: &[&str]| names.iter().map(SmolStr::new).collect();
/// let rows = Rows::new(vec![("id".into(), path(&["id"])), ("by".into(), path(&["user", "login"]))]).ok_or("no rows")?;
/// let body = br#"[{"id": 1, "user": {"login": "ada", "age": 36}}, {"id": 2}]"#;
/// let read = ReadOptions::default().read_rows(body, &rows, 1_000, None)?.ok_or("other than objects")?;
/// assert_eq!(read.to_string(), r#"[{"id":1,"by":"ada"},{"id":2,"by":null}]"#);
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
    members: Vec<(SmolStr, Field)>,
    /// The columns that are filled from here.
    columns: Vec<usize>,
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
        self.lengths |= length_bit(name);
        let known = self.members.iter_mut().find(|(known, _)| known == name);
        match (known, rest.is_empty()) {
            (None, true) => self.members.push((name.clone(), Field::Column(column))),
            (None, false) => {
                let mut inner = Self::default();
                inner.add(rest, column)?;
                self.members.push((name.clone(), Field::Within(inner)));
            }
            (Some((_, Field::Within(inner))), false) => inner.add(rest, column)?,
            (Some(_), _) => return None,
        }
        Some(())
    }

    fn get(&self, name: &str) -> Option<&Field> {
        if self.lengths & length_bit(name) == 0 {
            return None;
        }
        self.members.iter().find(|(known, _)| known == name).map(|(_, field)| field)
    }
}

fn length_bit(name: &str) -> u64 {
    1 << name.len().min(63)
}

impl ReadOptions {
    /// Reads an object as one row, or a list of objects as a list of rows; what no row wants is passed over and
    /// checked, as by [`ReadOptions::read_wanted`], which also tells what `may_pass` is for. A value that is
    /// absent is `null`.
    ///
    /// `None` if there is anything else where an object could stand: in the list an element that is none, on
    /// the way to a value an array; or if the list has more than `most` elements. What follows is not read
    /// then.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::read_wanted`].
    pub fn read_rows(
        &self,
        bytes: &[u8],
        rows: &Rows,
        most: usize,
        may_pass: Option<&dyn Fn(&str) -> bool>,
    ) -> Result<Option<Json>, ReadError> {
        self.document(bytes, may_pass, |reader| {
            let read = reader.rows(rows, most)?;
            if read.is_none() {
                reader.at = reader.bytes.len();
            }
            Ok(read)
        })
    }
}

impl Reader<'_> {
    fn rows(&mut self, rows: &Rows, most: usize) -> Step<Option<Json>> {
        let mut row = vec![Json::Null; rows.names.len()];
        match self.peek()? {
            b'{' => Ok(self.row(rows, &mut row)?.map(Json::Object)),
            b'[' => {
                self.enter()?;
                let mut all = Vec::new();
                if self.peek()? == b']' {
                    self.at += 1;
                } else {
                    loop {
                        if self.peek()? != b'{' || all.len() == most {
                            return Ok(None);
                        }
                        let Some(object) = self.row(rows, &mut row)? else { return Ok(None) };
                        all.push(Json::Object(object));
                        if self.ends_with(b']', "`,` or `]`")? {
                            break;
                        }
                    }
                }
                self.depth -= 1;
                Ok(Some(Json::Array(all.into())))
            }
            _ => Ok(None),
        }
    }

    /// One row. The values are collected in `row`, which is all `null` before and afterwards.
    fn row(&mut self, rows: &Rows, row: &mut [Json]) -> Step<Option<Object>> {
        if !self.fields(&rows.fields, row)? {
            return Ok(None);
        }
        Ok(Some(Object::of_row(&rows.names, row.iter_mut().map(std::mem::take))))
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
            let name: Cow<'_, str> = self.name()?;
            match fields.get(&name) {
                None => self.pass_over()?,
                Some(Field::Column(column)) => {
                    let value = self.value()?;
                    if let Some(place) = row.get_mut(*column) {
                        *place = value;
                    }
                }
                Some(Field::Within(inner)) => {
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
            if self.ends_with(b'}', "`,` or `}`")? {
                self.depth -= 1;
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
        match ReadOptions::default().read_rows(text.as_bytes(), &rows(members).unwrap(), most, None) {
            Ok(Some(read)) => read.to_string(),
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
            options.read_rows(text.as_bytes(), &rows, 9, None).map(|read| read.map(|read| read.to_string()))
        };
        assert_eq!(read(r#"[{"a":{"b":1}}]"#).unwrap().unwrap(), r#"[{"m":1}]"#);
        for text in [r#"[{"a":{"b":[]}}]"#, r#"[{"a":{"b":1,"x":{}}}]"#, r#"[{"x":[[]]}]"#] {
            assert_eq!(read(text).unwrap_err().kind(), &ReadErrorKind::TooDeep(3), "{text}");
        }
    }
}
