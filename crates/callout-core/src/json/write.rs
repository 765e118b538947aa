use std::{
    fmt::{self, Write},
    ops::Range,
};

use super::{
    Json, Object,
    eight::{few, first, needs_escape},
};

/// Writes `value` as compact JSON.
///
/// # Errors
///
/// Those of `out`; a `String` has none. A writer that refuses stops the walk at once.
pub fn write_compact(value: &Json, out: &mut impl Write) -> fmt::Result {
    match value {
        Json::Null => out.write_str("null"),
        Json::Bool(true) => out.write_str("true"),
        Json::Bool(false) => out.write_str("false"),
        Json::Number(number) => out.write_str(number.as_str()),
        Json::String(text) => write_string(text, out),
        Json::Array(array) => {
            out.write_char('[')?;
            for (at, element) in array.iter().enumerate() {
                if at > 0 {
                    out.write_char(',')?;
                }
                write_compact(element, out)?;
            }
            out.write_char(']')
        }
        Json::Object(object) => write_object(object, out, |member, out| write_compact(member, out)),
    }
}

/// Whether [`write_compact`] writes no more than that many bytes for `value`, found out without writing them; false
/// too once `goes_on`, which is asked every 16 KiB, says so.
///
/// A value whose parts are shared may be small in memory and endless when it is written: it is walked as far as the
/// bytes reach, and to the end of the text there.
pub fn is_written_within(value: &Json, bytes: usize, goes_on: impl FnMut() -> bool) -> bool {
    write_compact(value, &mut Left { bytes, unasked: 0, goes_on }).is_ok()
}

/// Takes so many bytes more, and keeps none of them.
struct Left<F> {
    bytes: usize,
    /// Those since it was last asked whether to go on.
    unasked: usize,
    goes_on: F,
}

impl<F: FnMut() -> bool> Write for Left<F> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        /// Some tens of microseconds of short pieces.
        const ASKED_EACH: usize = 16 << 10;
        self.bytes = self.bytes.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.unasked += text.len();
        if self.unasked < ASKED_EACH {
            return Ok(());
        }
        self.unasked = 0;
        if (self.goes_on)() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// Writes names and texts, and by `other` the members that are no texts. Few long pieces are written faster than many
/// short ones: what stands between a name or a text and the next is one.
fn write_object<'o, W: Write>(
    object: &'o Object,
    out: &mut W,
    mut other: impl FnMut(&'o Json, &mut W) -> fmt::Result,
) -> fmt::Result {
    const BEGINS: &str = "{\"";
    const BEHIND_TEXT: &str = "\",\"";
    let mut before = BEGINS;
    for (name, member) in object.iter() {
        out.write_str(before)?;
        write_inside(name, out)?;
        before = if let Json::String(text) = member {
            out.write_str("\":\"")?;
            write_inside(text, out)?;
            BEHIND_TEXT
        } else {
            out.write_str("\":")?;
            other(member, out)?;
            ",\""
        };
    }
    out.write_str(match before {
        BEGINS => "{}",
        BEHIND_TEXT => "\"}",
        _ => "}",
    })
}

/// Bytes that a text has room for to begin with: enough for most that are kept for a moment, to be sent.
const ROOM: usize = 8 << 10;

/// `value` as compact JSON: the text that [`write_compact`] writes, made faster where it is an object that has the same
/// twice. A member that is a clone of the array or object before it, with texts at most in between, is copied from there.
///
/// `known` is a value and the text that would be written for it, which the caller answers for: a member that is a clone
/// of an array or object known so is copied.
pub fn compact(value: &Json, known: Option<(&Json, &str)>) -> String {
    let Json::Object(object) = value else {
        let mut text = String::with_capacity(ROOM);
        // Writing to a string cannot fail.
        let _ = write_compact(value, &mut text);
        return text;
    };
    let known_text = |member: &Json| known.and_then(|(value, text)| member.shares(value).then_some(text));
    let copied: usize = object.values().filter_map(known_text).map(str::len).sum();
    let mut text = String::with_capacity(ROOM + copied);
    let mut before: Option<(&Json, Range<usize>)> = None;
    let _ = write_object(object, &mut text, |member, text| {
        let start = text.len();
        match &before {
            _ if let Some(written) = known_text(member) => text.push_str(written),
            Some((same, written)) if member.shares(same) => text.extend_from_within(written.clone()),
            _ => write_compact(member, text)?,
        }
        before = Some((member, start..text.len()));
        Ok(())
    });
    text
}

/// Writes `text` as a JSON string: only `"`, `\` and control characters are escaped.
///
/// # Errors
///
/// Those of `out`.
pub fn write_string(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    write_inside(text, out)?;
    out.write_char('"')
}

/// What stands between the quotes.
pub(crate) fn write_inside(text: &str, out: &mut impl Write) -> fmt::Result {
    let mut rest = text;
    loop {
        let (plain, behind) = rest.split_at(plain_length(rest.as_bytes()));
        out.write_str(plain)?;
        let Some(byte) = behind.bytes().next() else { return Ok(()) };
        match byte {
            b'"' => out.write_str("\\\""),
            b'\\' => out.write_str("\\\\"),
            b'\n' => out.write_str("\\n"),
            b'\r' => out.write_str("\\r"),
            b'\t' => out.write_str("\\t"),
            0x08 => out.write_str("\\b"),
            0x0c => out.write_str("\\f"),
            _ => write!(out, "\\u{byte:04x}"),
        }?;
        // What is escaped is ASCII.
        rest = &behind[1..];
    }
}

/// How many bytes stand before the first that has to be escaped: many are looked at together.
fn plain_length(bytes: &[u8]) -> usize {
    const TOGETHER: usize = 32;
    let Some(last) = bytes.last_chunk() else {
        // The zeros behind them would have to be escaped.
        return first(needs_escape(few(bytes)));
    };
    let is_escaped = |byte: &u8| matches!(byte, b'"' | b'\\' | 0x00..=0x1f);
    let (chunks, _) = bytes.as_chunks::<TOGETHER>();
    let is_plain = |chunk: &&[u8; TOGETHER]| !chunk.iter().fold(false, |any, byte| any | is_escaped(byte));
    let mut plain = chunks.iter().take_while(is_plain).count() * TOGETHER;
    while let Some(word) = bytes.get(plain..).and_then(|rest| rest.first_chunk()) {
        let found = needs_escape(u64::from_le_bytes(*word));
        if found != 0 {
            return plain + first(found);
        }
        plain += size_of::<u64>();
    }
    // It overlaps what is known to be plain.
    bytes.len() - size_of::<u64>() + first(needs_escape(u64::from_le_bytes(*last)))
}

fn write_indented(value: &Json, level: usize, out: &mut impl Write) -> fmt::Result {
    fn line(level: usize, out: &mut impl Write) -> fmt::Result {
        write!(out, "\n{:width$}", "", width = level * 2)
    }
    match value {
        Json::Array(array) if !array.is_empty() => {
            out.write_char('[')?;
            for (at, element) in array.iter().enumerate() {
                if at > 0 {
                    out.write_char(',')?;
                }
                line(level + 1, out)?;
                write_indented(element, level + 1, out)?;
            }
            line(level, out)?;
            out.write_char(']')
        }
        Json::Object(object) if !object.is_empty() => {
            out.write_char('{')?;
            for (at, (name, member)) in object.iter().enumerate() {
                if at > 0 {
                    out.write_char(',')?;
                }
                line(level + 1, out)?;
                write_string(name, out)?;
                out.write_str(": ")?;
                write_indented(member, level + 1, out)?;
            }
            line(level, out)?;
            out.write_char('}')
        }
        _ => write_compact(value, out),
    }
}

/// `{}` writes compact JSON, `{:#}` indents by two spaces.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { write_indented(self, 0, f) } else { write_compact(self, f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_indented() {
        for text in
            ["{}", r#"{"":""}"#, r#"{"a":"","b":"c"}"#, r#"{"a":"b","c":1,"d":"e","f":{}}"#, r#"[{"a":"b"},"c"]"#]
        {
            assert_eq!(Json::parse(text).unwrap().to_string(), text);
        }
        let value = Json::parse(r#" { "a" : [ 1.0 , "x\u0001\n\"é" ] , "b" : { } , "c":[] } "#).unwrap();
        assert_eq!(value.to_string(), "{\"a\":[1.0,\"x\\u0001\\n\\\"é\"],\"b\":{},\"c\":[]}");
        assert_eq!(
            format!("{value:#}"),
            "{\n  \"a\": [\n    1.0,\n    \"x\\u0001\\n\\\"é\"\n  ],\n  \"b\": {},\n  \"c\": []\n}"
        );
    }

    #[test]
    fn what_is_shared_is_copied_and_all_else_written() {
        let shared = Json::parse(r#"{"a":["x\"y",1.0,{}],"b":{"c":[]}}"#).unwrap();
        let alike = Json::parse(&shared.to_string()).unwrap();
        let (list, object) = (shared.get("a").cloned().unwrap(), shared.get("b").cloned().unwrap());
        let values = [
            Json::Null,
            shared.clone(),
            shared.clone(),
            shared.clone(),
            alike,
            object.clone(),
            object.get("c").cloned().unwrap(),
            list.clone(),
            list.clone(),
            Json::from_iter([list.clone()]),
            Json::empty_object(),
            Json::empty_object(),
            object,
            shared.clone(),
            Json::from("x"),
            shared.clone(),
        ];
        let object: Object = values.iter().enumerate().map(|(at, value)| (format!("m\n{at}"), value.clone())).collect();
        for value in values.into_iter().chain([Json::Object(object), Json::parse("[1,[2]]").unwrap()]) {
            let plain = compact(&value, None);
            assert_eq!(plain, value.to_string());
            for known in [&shared, &list] {
                assert_eq!(compact(&value, Some((known, &known.to_string()))), plain);
            }
            let replaced = compact(&value, Some((&shared, "\"known\"")));
            assert_eq!(replaced.contains("known"), value.as_object().is_some_and(|object| object.len() > 2));
        }
    }

    #[test]
    fn what_is_written_is_within_its_length_and_not_within_one_byte_less() {
        let nested = r#"{"a\"":["x",{"b":[1,false]}],"c":"d"}"#;
        for text in ["null", "true", "-1.50", "\"\"", "\"é\\n\\u0001\"", "[]", "{}", nested] {
            let value = Json::parse(text).unwrap();
            let within = |bytes: usize| is_written_within(&value, bytes, || true);
            assert!(within(text.len()) && within(usize::MAX), "{text}");
            assert!(!within(text.len() - 1) && !within(0), "{text}");
        }
    }

    #[test]
    fn what_shares_its_parts_is_walked_no_further_than_the_bytes_reach() {
        let mut endless = Json::from("x");
        for _ in 0..100 {
            endless = vec![endless.clone(), endless].into();
        }
        assert!(!is_written_within(&endless, 10_000, || true));
        let mut asked = 0;
        let thrice = || {
            asked += 1;
            asked < 3
        };
        assert!(!is_written_within(&endless, usize::MAX, thrice));
        assert_eq!(asked, 3);
    }

    #[test]
    fn every_character_is_escaped_wherever_it_stands() {
        for before in 0..70 {
            for byte in 0..0x80_u8 {
                let found = char::from(byte);
                let text = format!("{}{found}é{found}b", "a".repeat(before));
                let mut written = String::new();
                write_string(&text, &mut written).unwrap();
                assert_eq!(written, serde_json::to_string(&text).unwrap());
            }
        }
    }
}
