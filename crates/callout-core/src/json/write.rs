use std::fmt::{self, Write};

use super::Json;

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
        Json::Object(object) => {
            out.write_char('{')?;
            for (at, (name, member)) in object.iter().enumerate() {
                if at > 0 {
                    out.write_char(',')?;
                }
                write_string(name, out)?;
                out.write_char(':')?;
                write_compact(member, out)?;
            }
            out.write_char('}')
        }
    }
}

/// Writes `text` as a JSON string: only `"`, `\` and control characters are escaped.
///
/// # Errors
///
/// Those of `out`.
pub fn write_string(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0x00..=0x1f => "",
            _ => continue,
        };
        out.write_str(&text[written..at])?;
        if escape.is_empty() {
            write!(out, "\\u{byte:04x}")?;
        } else {
            out.write_str(escape)?;
        }
        written = at + 1;
    }
    out.write_str(&text[written..])?;
    out.write_char('"')
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
        let value = Json::parse(r#" { "a" : [ 1.0 , "x\u0001\n\"é" ] , "b" : { } , "c":[] } "#).unwrap();
        assert_eq!(value.to_string(), "{\"a\":[1.0,\"x\\u0001\\n\\\"é\"],\"b\":{},\"c\":[]}");
        assert_eq!(
            format!("{value:#}"),
            "{\n  \"a\": [\n    1.0,\n    \"x\\u0001\\n\\\"é\"\n  ],\n  \"b\": {},\n  \"c\": []\n}"
        );
    }
}
