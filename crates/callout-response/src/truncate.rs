//! The longest text that fits: plain text cut at a character, JSON cut so that it stays JSON.

use std::fmt::{self, Write};

use callout_core::json::{Json, ObjectBuilder, write_compact, write_string};

/// A text as it leaves the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// What was cut off, if something was.
    pub truncation: Option<Truncation>,
}

/// How a text was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncation {
    /// Characters (Unicode scalar values) that were kept.
    pub kept: usize,
    /// Characters that there were.
    pub from: Length,
}

impl Truncation {
    /// `{"length", "original_length", "is_exact"}`: a text that is cut while it is written may have been longer
    /// than is known.
    pub fn to_json(self) -> Json {
        let (length, is_exact) = match self.from {
            Length::Exactly(length) => (length, true),
            Length::AtLeast(length) => (length, false),
        };
        ObjectBuilder::new().with("length", self.kept).with("original_length", length).with("is_exact", is_exact).into()
    }
}

/// The length of a text before it was cut, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many.
    Exactly(usize),
    /// So many or more: the writer stopped at the limit.
    AtLeast(usize),
}

/// Whether the length before the cut is counted to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Count it, which means writing the whole text.
    Exactly,
    /// Stop where the limit is reached.
    UpToLimit,
}

/// Makes the text of a value: a string as it is, `null` as an empty string, all else as compact JSON;
/// then at most `max` characters of it, 0 being no limit.
///
/// A string is cut at a character. JSON is cut to the longest prefix, in document order, that
/// closing what is open in it makes valid again: elements and members are whole but for the last,
/// which is closed where the limit falls if it is a container or a string. Numbers, literals, member
/// names and escapes are never cut. `{"a":[1,2],"b":true}` within 9 characters is `{"a":[1]}`.
/// If nothing fits, the text is empty.
///
/// ```
/// use callout_core::json::Json;
/// use callout_response::truncate::{Count, cut};
///
/// let value = Json::parse(r#"{"items": [{"id": 1}, {"id": 2}], "more": true}"#)?;
/// assert_eq!(cut(&value, 25, Count::Exactly).text, r#"{"items":[{"id":1},{}]}"#);
/// # Ok::<(), callout_core::json::ReadError>(())
/// ```
pub fn cut(value: &Json, max: u64, count: Count) -> Text {
    let max = bound(max);
    match value {
        Json::Null => Text { text: String::new(), truncation: None },
        Json::String(text) => cut_text(text.to_string(), max),
        _ => cut_json(value, max, count),
    }
}

/// Cuts plain text, such as a template's output, at a character; 0 is no limit.
pub fn cut_plain(text: String, max: u64) -> Text {
    cut_text(text, bound(max))
}

/// The same for a text of which there would have been more.
pub(crate) fn cut_begun(text: String, max: u64) -> Text {
    let mut cut = cut_plain(text, max);
    if let Some(Truncation { from: from @ Length::Exactly(_), .. }) = &mut cut.truncation
        && let Length::Exactly(length) = *from
    {
        *from = Length::AtLeast(length);
    }
    cut
}

/// Characters that are kept, for a limit of which 0 is none.
pub(crate) fn bound(max: u64) -> usize {
    usize::try_from(max).ok().filter(|max| *max > 0).unwrap_or(usize::MAX)
}

fn cut_text(mut text: String, max: usize) -> Text {
    // There are at least as many bytes as characters.
    let end = if text.len() <= max { None } else { start_of(&text, max) };
    let Some(end) = end else { return Text { text, truncation: None } };
    let rest = text.get(end..).unwrap_or_default();
    let from = max + if rest.is_ascii() { rest.len() } else { rest.chars().count() };
    text.truncate(end);
    Text { text, truncation: Some(Truncation { kept: max, from: Length::Exactly(from) }) }
}

/// Where the character with that number, from 0, begins, if there is one.
fn start_of(text: &str, number: usize) -> Option<usize> {
    const STRETCH: usize = 256;
    if text.is_ascii() {
        return (number < text.len()).then_some(number);
    }
    let begins = |byte: &&u8| (**byte as i8) >= -0x40;
    let (mut at, mut before) = (0, 0);
    // Stretch by stretch, as far as the character is in none of them.
    while let Some(stretch) = text.as_bytes().get(at..at + STRETCH) {
        let chars = stretch.iter().filter(begins).count();
        if before + chars > number {
            break;
        }
        (at, before) = (at + STRETCH, before + chars);
    }
    let behind = text.as_bytes().get(at..)?.iter().enumerate().filter(|(_, byte)| begins(byte));
    behind.map(|(index, _)| at + index).nth(number - before)
}

fn cut_json(value: &Json, max: usize, count: Count) -> Text {
    // What is not wanted of it costs less than to grow it step by step.
    let text = String::with_capacity(max.min(ROOM));
    let mut cutter = Cutter { text, name: String::new(), chars: 0, max, closers: 0 };
    if cutter.value(value, "").is_ok() {
        return Text { text: cutter.text, truncation: None };
    }
    let from = match count {
        Count::UpToLimit => Length::AtLeast(max.saturating_add(1)),
        Count::Exactly => {
            let mut counted = Counter(0);
            // Counting cannot fail.
            let _ = write_compact(value, &mut counted);
            Length::Exactly(counted.0)
        }
    };
    Text { truncation: Some(Truncation { kept: cutter.chars, from }), text: cutter.text }
}

/// Counts characters.
struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.chars().count();
        Ok(())
    }
}

/// Room for a text, to begin with.
const ROOM: usize = 1 << 10;

/// The limit was reached; what was open has been closed.
struct Full;

/// Writes compact JSON token by token. A token is only written if it fits together with the closing
/// character of each container and string that is open behind it, so that all can be closed at any time.
struct Cutter {
    text: String,
    /// What stands before the next member, used again and again.
    name: String,
    chars: usize,
    max: usize,
    /// Containers and strings that are open.
    closers: usize,
}

impl Cutter {
    fn room(&self) -> usize {
        self.max - self.chars - self.closers
    }

    fn put(&mut self, token: &str, chars: usize) {
        self.text.push_str(token);
        self.chars += chars;
    }

    /// Writes a value and what stands before it, or nothing if not even its beginning fits.
    fn value(&mut self, value: &Json, before: &str) -> Result<(), Full> {
        match value {
            Json::Null => self.whole(before, "null"),
            Json::Bool(true) => self.whole(before, "true"),
            Json::Bool(false) => self.whole(before, "false"),
            Json::Number(number) => self.whole(before, number.as_str()),
            Json::String(text) => self.string(text, before),
            Json::Array(elements) => {
                self.open(before, "[")?;
                let written = elements
                    .iter()
                    .enumerate()
                    .try_for_each(|(at, element)| self.value(element, if at > 0 { "," } else { "" }));
                self.close("]");
                written
            }
            Json::Object(members) => {
                self.open(before, "{")?;
                let written = members.iter().enumerate().try_for_each(|(at, (key, member))| {
                    let mut name = std::mem::take(&mut self.name);
                    self.name(key, at > 0, &mut name)?;
                    // Members of this one make their names anew, and leave the last of them here.
                    let written = self.value(member, &name);
                    self.name = name;
                    written
                });
                self.close("}");
                written
            }
        }
    }

    fn whole(&mut self, before: &str, token: &str) -> Result<(), Full> {
        let chars = before.chars().count() + token.len();
        if chars > self.room() {
            return Err(Full);
        }
        self.put(before, 0);
        self.put(token, chars);
        Ok(())
    }

    fn open(&mut self, before: &str, opening: &str) -> Result<(), Full> {
        let chars = before.chars().count() + 1;
        // Its end must fit too.
        if chars >= self.room() {
            return Err(Full);
        }
        self.put(before, 0);
        self.put(opening, chars);
        self.closers += 1;
        Ok(())
    }

    fn close(&mut self, closing: &str) {
        self.closers -= 1;
        self.put(closing, 1);
    }

    /// Puts `,"key":` into `name`, unless the key alone is too long.
    fn name(&self, key: &str, comma: bool, name: &mut String) -> Result<(), Full> {
        if key.len() / 4 > self.room() {
            return Err(Full);
        }
        name.clear();
        if comma {
            name.push(',');
        }
        // Writing to a string cannot fail.
        let _ = write_string(key, name);
        name.push(':');
        Ok(())
    }

    fn string(&mut self, text: &str, before: &str) -> Result<(), Full> {
        self.open(before, "\"")?;
        let written = self.characters(text);
        self.close("\"");
        written
    }

    /// The inside of a string: stretches without escapes as a whole, escapes one by one.
    fn characters(&mut self, mut rest: &str) -> Result<(), Full> {
        while !rest.is_empty() {
            let room = self.room();
            // What lies this far behind the limit is not looked at.
            let near = room.saturating_mul(4);
            let plain = rest.bytes().take(near.saturating_add(1)).position(needs_escape).unwrap_or(rest.len());
            let (stretch, behind) = rest.split_at(plain);
            if stretch.len() > room
                && let Some(end) = start_of(stretch, room)
            {
                self.put(stretch.get(..end).unwrap_or_default(), room);
                return Err(Full);
            }
            let chars = stretch.chars().count();
            self.put(stretch, chars);
            let mut letters = behind.chars();
            let Some(escaped) = letters.next() else { return Ok(()) };
            let mut quoted = String::new();
            // Writing to a string cannot fail.
            let _ = write_string(escaped.encode_utf8(&mut [0; 4]), &mut quoted);
            let escape = quoted.get(1..quoted.len() - 1).unwrap_or_default();
            if escape.len() > self.room() {
                return Err(Full);
            }
            self.put(escape, escape.len());
            rest = letters.as_str();
        }
        Ok(())
    }
}

fn needs_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0x00..=0x1f)
}

#[cfg(test)]
mod tests {
    use callout_core::json::Number;
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn json_is_cut_so_that_it_stays_json() {
        let document = r#"{"a":[1,22],"b":{"c":"xé\n"},"d":true}"#;
        let table = [
            (1, ""),
            (2, "{}"),
            (7, "{}"),
            (8, r#"{"a":[]}"#),
            (9, r#"{"a":[1]}"#),
            (11, r#"{"a":[1]}"#),
            (12, r#"{"a":[1,22]}"#),
            (18, r#"{"a":[1,22]}"#),
            (19, r#"{"a":[1,22],"b":{}}"#),
            (24, r#"{"a":[1,22],"b":{}}"#),
            (25, r#"{"a":[1,22],"b":{"c":""}}"#),
            (27, r#"{"a":[1,22],"b":{"c":"xé"}}"#),
            (28, r#"{"a":[1,22],"b":{"c":"xé"}}"#),
            (29, r#"{"a":[1,22],"b":{"c":"xé\n"}}"#),
            (37, r#"{"a":[1,22],"b":{"c":"xé\n"}}"#),
        ];
        for (max, expected) in table {
            let got = cut(&json(document), max, Count::Exactly);
            let truncation = Truncation { kept: expected.chars().count(), from: Length::Exactly(38) };
            assert_eq!((got.text.as_str(), got.truncation), (expected, Some(truncation)), "{max}");
        }
        let full = cut(&json(document), 38, Count::UpToLimit);
        assert_eq!((full.text.as_str(), full.truncation), (document, None));
    }

    #[test]
    fn what_is_no_container() {
        let table = [
            ("null", 3, "", None),
            ("\"héllo\"", 2, "hé", Some((2, Length::Exactly(5)))),
            ("\"héllo\"", 5, "héllo", None),
            ("\"👩‍👩‍👧\"", 2, "👩\u{200d}", Some((2, Length::Exactly(5)))),
            ("12345", 4, "", Some((0, Length::AtLeast(5)))),
            ("12345", 5, "12345", None),
            ("true", 3, "", Some((0, Length::AtLeast(4)))),
            ("[]", 1, "", Some((0, Length::AtLeast(2)))),
            ("[]", 2, "[]", None),
            ("[1,2]", 0, "[1,2]", None),
        ];
        for (value, max, expected, truncation) in table {
            let got = cut(&json(value), max, Count::UpToLimit);
            assert_eq!(got.text, expected, "{value} {max}");
            let truncation = truncation.map(|(kept, from)| Truncation { kept, from });
            assert_eq!(got.truncation, truncation, "{value} {max}");
        }
        assert_eq!(cut_plain("héllo".to_owned(), 2).text, "hé");
        assert_eq!(cut_plain("héllo".to_owned(), 0).truncation, None);
    }

    proptest! {
        #[test]
        fn a_character_begins_where_it_does(text in "[aé👩\n]{0,900}", number in 0_usize..900) {
            prop_assert_eq!(start_of(&text, number), text.char_indices().nth(number).map(|(at, _)| at));
        }
    }

    /// Every text that a prefix of the compact document gives when what is open in it is closed.
    fn candidates(document: &str) -> Vec<String> {
        let mut found = vec![String::new()];
        for (end, _) in document.char_indices().chain([(document.len(), ' ')]) {
            let prefix = &document[..end];
            let mut open = Vec::new();
            let (mut inside, mut escaped) = (false, false);
            for letter in prefix.chars() {
                match letter {
                    _ if escaped => escaped = false,
                    '\\' if inside => escaped = true,
                    '"' => {
                        inside = !inside;
                        if inside { open.push('"') } else { open.pop().map_or((), drop) }
                    }
                    '[' if !inside => open.push(']'),
                    '{' if !inside => open.push('}'),
                    ']' | '}' if !inside => open.pop().map_or((), drop),
                    _ => {}
                }
            }
            let closed: String = prefix.chars().chain(open.into_iter().rev()).collect();
            // A number or a name that was cut may read as one; neither is whole.
            let behind = document[end..].chars().next();
            let cut_number = prefix.ends_with(|last: char| last.is_ascii_digit() || "-.eE+".contains(last))
                && behind.is_some_and(|next| next.is_ascii_digit() || ".eE+-".contains(next))
                && !inside;
            if !cut_number && Json::parse(&closed).is_ok() {
                found.push(closed);
            }
        }
        found
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let text = prop_oneof!["[a-c\"\\\\\n\u{1}é👩]{0,6}", "[a-z]{0,3}"];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (-1500_i64..1500).prop_map(Json::from),
            Just(Json::Number(Number::from_text("-1.50e+10").unwrap())),
            text.clone().prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 12, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((text.clone(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_cut_is_the_longest_prefix_that_can_be_closed(value in any_json()) {
            prop_assume!(!matches!(value, Json::String(_) | Json::Null));
            let document = value.to_string();
            let length = document.chars().count();
            let candidates = candidates(&document);
            for max in 1..=length as u64 + 1 {
                let got = cut(&value, max, Count::Exactly);
                let kept = got.text.chars().count();
                prop_assert!(kept as u64 <= max);
                prop_assert!(got.text.is_empty() || Json::parse(&got.text).is_ok(), "{}", got.text);
                prop_assert!(candidates.contains(&got.text), "{:?} of {document}", got.text);
                let longest = candidates.iter().map(|text| text.chars().count()).filter(|chars| *chars as u64 <= max).max();
                prop_assert_eq!(Some(kept), longest, "{} of {} in {}", got.text, document, max);
                let expected = (length as u64 > max).then_some(Truncation { kept, from: Length::Exactly(length) });
                prop_assert_eq!(got.truncation, expected);
                let quick = cut(&value, max, Count::UpToLimit);
                prop_assert_eq!(&quick.text, &got.text);
                prop_assert_eq!(quick.truncation.is_some(), got.truncation.is_some());
            }
        }

        #[test]
        fn text_is_cut_at_a_character(text in any::<String>(), max in 1_u64..20) {
            let got = cut(&Json::from(text.as_str()), max, Count::UpToLimit);
            let expected: String = text.chars().take(max as usize).collect();
            prop_assert_eq!(&got.text, &expected);
            let total = text.chars().count();
            let cut = (total as u64 > max).then_some(Truncation { kept: max as usize, from: Length::Exactly(total) });
            prop_assert_eq!(got.truncation, cut);
        }
    }
}
