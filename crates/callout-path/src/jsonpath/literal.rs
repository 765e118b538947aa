//! Strings and numbers as they are written in a JSONPath (RFC 9535 sections 2.3.1.1 and 2.3.5.1).

use callout_core::json::{Number, SmolStr};

/// At which byte it goes wrong, and what to write.
type Wrong = (usize, &'static str);

/// Reads the string that `text` begins with, in `quote`s: its value, and its length as written.
pub(super) fn string(text: &str, quote: char) -> Result<(SmolStr, usize), Wrong> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, found)) = chars.next() {
        match found {
            _ if found == quote => return Ok((value.into(), at + 1)),
            '\0'..='\x1f' => return Err((at, "a control character in a string must be escaped: `\\n`, `\\u0000`")),
            '\\' => value.push(match chars.next().map(|(_, letter)| letter) {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(letter @ ('/' | '\\')) => letter,
                Some(letter) if letter == quote => letter,
                Some('u') => {
                    let mut first = unit(&mut chars).ok_or((at, BAD_ESCAPE))?;
                    if (0xd800..0xdc00).contains(&first) {
                        let joined = matches!(chars.next(), Some((_, '\\'))) && matches!(chars.next(), Some((_, 'u')));
                        let low = unit(&mut chars).filter(|low| joined && (0xdc00..0xe000).contains(low));
                        let low = low.ok_or((at, HALF_PAIR))?;
                        first = 0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00);
                    }
                    char::from_u32(first).ok_or((at, HALF_PAIR))?
                }
                _ => return Err((at, BAD_ESCAPE)),
            }),
            _ => value.push(found),
        }
    }
    Err((0, "this string is not closed, its quote is missing"))
}

const BAD_ESCAPE: &str = "an escape in a string is `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t`, `\\u` with four \
                          hexadecimal digits, or `\\` before the string's own quote";
const HALF_PAIR: &str = "half a surrogate pair is no character, write both halves: `\\ud83d\\ude00`";

/// Reads four hexadecimal digits.
fn unit(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit * 16 + chars.next()?.1.to_digit(16)?))
}

/// Reads the number that `text` begins with, a digit or `-`.
pub(super) fn number(text: &str) -> Result<Number, Wrong> {
    let end = text.find(|found: char| !found.is_ascii_alphanumeric() && !matches!(found, '.' | '-' | '+'));
    let text = end.and_then(|end| text.get(..end)).unwrap_or(text);
    Number::from_text(text).ok_or((
        0,
        "a number is written like 0, -1, 2.5 or 1e6: without leading zeros, with digits on both sides of a `.`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings() {
        let table = [
            (r"'' rest", "", 2),
            (r"'a'", "a", 3),
            (r#"'"'"#, "\"", 3),
            (r#""'""#, "'", 3),
            (r"'\''", "'", 4),
            (r#""\"""#, "\"", 4),
            (r"'\\'", "\\", 4),
            (r"'\/\b\f\n\r\t'", "/\u{8}\u{c}\n\r\t", 14),
            (r"'\u263A\u263a'", "☺☺", 14),
            (r"'\uD83D\ude00'", "😀", 14),
            (r"'\u0000'", "\0", 8),
            ("'\u{7f}é😀'", "\u{7f}é😀", 9),
            (r"'\uD7FF\uE000'", "\u{d7ff}\u{e000}", 14),
        ];
        for (text, value, length) in table {
            let quote = text.chars().next().unwrap();
            assert_eq!(string(text, quote), Ok((value.into(), length)), "{text}");
        }
    }

    #[test]
    fn what_is_no_string() {
        let table = [
            ("'", 0),
            ("'a", 0),
            ("'a\"", 0),
            ("'a\nb'", 2),
            ("'\0'", 1),
            ("'\u{1f}'", 1),
            (r#"'\"'"#, 1),
            (r#""\'""#, 1),
            (r"'\a'", 1),
            (r"'\x41'", 1),
            (r"'\U0041'", 1),
            (r"'a\u12'", 2),
            (r"'\u12g4'", 1),
            (r"'\u+123'", 1),
            (r"'\uD800'", 1),
            (r"'\uD800\n'", 1),
            (r"'\uD800xDC00'", 1),
            (r"'\uD800\xDC00'", 1),
            (r"'\uD800\u0041'", 1),
            (r"'\uD800\uD800'", 1),
            (r"'\uDC00'", 1),
            (r"'\uDC00\uD800'", 1),
            (r"'\'", 0),
            (r"'\", 1),
        ];
        for (text, at) in table {
            let quote = text.chars().next().unwrap();
            assert_eq!(string(text, quote).unwrap_err().0, at, "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, value) in [
            ("0", "0"),
            ("-0", "-0"),
            ("-1]", "-1"),
            ("1.50 ", "1.50"),
            ("1e5)", "1e5"),
            ("-1.5E-10,", "-1.5E-10"),
            ("1E+2:", "1E+2"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(number(text).map(|number| number.to_string()).as_deref(), Ok(value), "{text}");
        }
        for text in ["01", "-01", "-", "--1", "1.", "1.e5", "1e", "1e+", "1a", "1.2.3", "0x1", "1-1", "- 1"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
