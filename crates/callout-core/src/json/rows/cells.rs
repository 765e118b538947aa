//! Rows of which nothing is made: their values are looked at where they stand.

use std::{borrow::Cow, fmt};

use memchr::memchr2;

use super::{
    super::{
        eight::{ends_plain, first},
        read::Reader,
    },
    watch::Sink,
};

/// One row of a text that is being read.
pub struct Cells<'c, 'a> {
    reader: &'c mut Reader<'a>,
    /// Where the value of each column stands, 0 for one that has none.
    places: &'c [usize],
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
        f.debug_struct("Cells").field("columns", &self.places.len()).finish_non_exhaustive()
    }
}

impl Cells<'_, '_> {
    /// The value of a column, which is told by its place among the members of the rows. `None` if what stands
    /// there is no JSON, for the text has been checked about as far as to the row's end, or may not pass.
    #[inline]
    pub fn get(&mut self, column: usize) -> Option<Cell<'_>> {
        let place = self.places.get(column).copied().unwrap_or_default();
        if place == 0 {
            return Some(Cell::Null);
        }
        let reader = &mut *self.reader;
        reader.at = place;
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
#[inline]
fn string<'a>(reader: &mut Reader<'a>) -> Option<Cow<'a, str>> {
    let start = reader.at + 1;
    let mut end = start;
    let mut has_escape = false;
    loop {
        end = behind_plain(reader.bytes, end)?;
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

/// Where the next quote or backslash stands.
#[inline]
fn behind_plain(bytes: &[u8], mut at: usize) -> Option<usize> {
    // Most strings are short.
    for _ in 0..8 {
        let Some(word) = bytes.get(at..)?.first_chunk() else { break };
        let found = ends_plain(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(at + first(found));
        }
        at += word.len();
    }
    memchr2(b'"', b'\\', bytes.get(at..)?).map(|plain| at + plain)
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

    fn take(&mut self, reader: &mut Reader<'_>, places: &[usize]) -> Option<()> {
        self.takes_more = (self.visit)(&mut Cells { reader, places })?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{super::Json, ReadOptions, RowBounds, Rows, SmolStr},
        *,
    };

    fn rows() -> Rows {
        let path = |path: &str| path.split('.').map(SmolStr::new).collect();
        Rows::new(vec![("n".into(), path("a.b")), ("m".into(), path("d")), ("o".into(), path("a.long name"))]).unwrap()
    }

    /// Each row with its values in the order of their columns, all or up to that many.
    fn shown(text: &str, most: usize) -> Option<(Vec<[String; 3]>, usize)> {
        let mut all = Vec::new();
        let elements = ReadOptions::default().visit_rows(text.as_bytes(), &rows(), 1_000, None, &mut |row| {
            let mut cell = |column| {
                Some(match row.get(column)? {
                    Cell::Null => "null".to_owned(),
                    Cell::Bool(value) => value.to_string(),
                    Cell::Number(number) => number.to_owned(),
                    Cell::String(text) => Json::from(&*text).to_string(),
                    Cell::Nested => "…".to_owned(),
                })
            };
            // Against the order of the text, and one of them twice.
            let (last, first, middle) = (cell(2)?, cell(0)?, cell(1)?);
            assert_eq!(cell(2)?, last);
            all.push([first, middle, last]);
            Some(all.len() < most)
        })?;
        Some((all, elements))
    }

    #[test]
    fn values_are_told_as_they_stand() {
        let text = r#"[{"a":{"long name":"é\"\u0041","b":-1.50},"d":true}, {"d" : null, "a":{}},
            {"d":false,"a":{"b":[1],"long name":{}}},{"a":{"b":1},"a":{"b":"x"},"d":1,"d":"\\"},{"a":{"b":1},"a":2}]"#;
        let expected = [
            ["-1.50", "true", r#""é\"A""#],
            ["null", "null", "null"],
            ["…", "false", "…"],
            [r#""x""#, r#""\\""#, "null"],
            ["null", "null", "null"],
        ];
        let (all, elements) = shown(text, 9).unwrap();
        assert_eq!(all, expected);
        assert_eq!(elements, 5);
        // No more are shown than are asked for, and the others are read all the same.
        assert_eq!(shown(text, 2).unwrap(), (expected[..2].iter().map(|row| row.map(str::to_owned)).collect(), 5));
        for other in
            ["[]", r#"{"d":1}"#, "1", r#"[{"d":1},2]"#, r#"[{"d":1},{"d":01}]"#, r#"[{"a":[]}]"#, r#"[{"\u0064":1}]"#]
        {
            assert_eq!(shown(other, 9), None, "{other}");
        }
    }

    /// More brackets than are gone through at once.
    const DENSE: &str = "{\"x\":[[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],\
        [],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]]}";

    proptest! {
        #[test]
        fn what_is_shown_is_what_rows_would_be_made_of(
            elements in prop::collection::vec(
                prop::collection::vec(
                    (
                        prop::sample::select(vec!["a", "d", "x", "\\u0064", "long name"]),
                        prop::sample::select(vec![
                            "1", "\"\"", "\"\\n\"", "null", "{\"b\":1.0}", "{\"b\":\"x\",\"long name\":true}",
                            "{\"long name\":[{\"a\":[]}]}", "[]", "{}", "{\"x\":{\"b\":2}}",
                            "\"a string that is longer than sixty-four bytes, so that it is in several blocks\"",
                        ]),
                    ),
                    0..5,
                ),
                1..24,
            ),
            space in prop::sample::select(vec!["", " ", "\n        "]),
        ) {
            let element = |members: &Vec<(&str, &str)>| {
                let members = members.iter().map(|(name, value)| format!("{space}\"{name}\":{space}{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            };
            let text = format!("[{}]", elements.iter().map(element).collect::<Vec<_>>().join(","));
            let made = ReadOptions::default().read_rows(text.as_bytes(), &rows(), &RowBounds::most(1_000), None);
            let made = made.unwrap().map(|read| read.rows);
            let has_escapes = text.contains("u0064");
            match (shown(&text, usize::MAX), made) {
                (Some((shown, elements)), Some(made)) => {
                    let cell = |value: &Json| match value {
                        Json::Array(_) | Json::Object(_) => "…".to_owned(),
                        other => other.to_string(),
                    };
                    let made = made.as_array().unwrap();
                    let values = made.iter().map(|row| row.as_object().unwrap().values().map(cell).collect::<Vec<_>>());
                    prop_assert_eq!(elements, made.len());
                    prop_assert_eq!(shown.iter().map(|row| row.to_vec()).collect::<Vec<_>>(), values.collect::<Vec<_>>());
                }
                (None, made) => prop_assert!(has_escapes || made.is_none(), "{}", text),
                (Some(_), None) => prop_assert!(false, "{}", text),
            }
        }

        #[test]
        fn what_is_not_shown_is_read_as_what_is(
            elements in prop::collection::vec(
                prop::sample::select(vec![
                    "{}", " {}\n        ", "{\"d\":1}", "{\"d\":[]}", "{\"a\":{\"b\":1}}", "{\"a\":{\"x\":[{}]}}",
                    "{\"a\":{\"b\":[{\"a\":[]}]}}", "{\"x\":[1],\"d\":[[],{\"a\":[]}]}", "{\"x\":{\"a\":[]}}", "{\"a\":[]}",
                    "{\"x\":[1],\"a\":[1]}", "{\"x\":[{},2],\"y\":[1]}", "{\"a\":{\"x\":{},\"b\":{\"c\":1}},\"d\":1}",
                    "{\"x\":{},\"a\":{\"x\":[],\"b\":{\"c\":[]}}}", "{\"x\":{\"b\":[]},\"a\":{\"x\":{\"b\":[]}}}", "{\"x\":{\"b\":[]},\"a\":{\"b\":[]}}", DENSE,
                ]),
                1..24,
            ),
            slip in prop::sample::select(vec!["", "", "", "{", "}", "[", "]", "{}", "[]", ",", "1", "\"\"", "null", " "]),
            at in any::<prop::sample::Index>(),
            before in 400..520_usize,
        ) {
            let mut list = elements.join(",");
            list.insert_str(at.index(list.len() + 1), slip);
            // So long that no more are asked for where the list goes on.
            let text = format!("[{{\"d\":\"{}\"}},{list}]", "x".repeat(before));
            let deep = |most| shown(&text, most).map(|(_, elements)| elements);
            prop_assert_eq!(deep(1), deep(usize::MAX), "{}", text);
            // The same by rows that look no deeper than the elements, and by some that look deeper.
            for path in [vec!["d".into()], vec!["a".into(), "b".into(), "c".into()]] {
                let rows = Rows::new(vec![("n".into(), path)]).unwrap();
                let elements = |most| {
                    let mut shown = 0;
                    let visit = &mut |_: &mut Cells<'_, '_>| {
                        shown += 1;
                        Some(shown < most)
                    };
                    ReadOptions::default().visit_rows(text.as_bytes(), &rows, 1_000, None, visit)
                };
                let all = elements(usize::MAX);
                for most in [1, 2, 5] {
                    prop_assert_eq!(elements(most), all, "{} of {}", most, text);
                }
            }
        }
    }
}
