//! Halves of surrogate pairs, as JavaScript writes them for a text that was cut within a character.
//!
//! `"\ud83d"` alone stands for no character, and the SDK takes a message with it for no JSON: on streams it passes it
//! over without a word. Here it becomes `"\ufffd"`, the replacement character, as where JavaScript writes UTF-8.

/// An escape, and what replaces it.
const REPLACEMENT: &[u8] = b"\\ufffd";

/// Replaces the halves in a JSON text, in place, and says how much of the text is done: at its end may stand an
/// escape, or a pair, that goes on in what comes next.
pub(crate) fn replace(text: &mut [u8]) -> usize {
    let mut done = 0;
    loop {
        let rest = text.get(done..).unwrap_or_default();
        let Some(next) = rest.iter().position(|byte| *byte == b'\\') else { return text.len() };
        done += next;
        let rest = rest.get(next..).unwrap_or_default();
        let behind = rest.get(REPLACEMENT.len()..).unwrap_or_default();
        let (length, is_half) = match unit(rest) {
            None if may_go_on(rest) => return done,
            // `\n`, `\"`, `\\`: what is escaped begins nothing.
            None => (2, false),
            Some(0xd800..=0xdbff) => match unit(behind) {
                Some(0xdc00..=0xdfff) => (2 * REPLACEMENT.len(), false),
                None if may_go_on(behind) => return done,
                _ => (REPLACEMENT.len(), true),
            },
            Some(0xdc00..=0xdfff) => (REPLACEMENT.len(), true),
            Some(_) => (REPLACEMENT.len(), false),
        };
        if is_half && let Some(half) = text.get_mut(done..done + length) {
            half.copy_from_slice(REPLACEMENT);
        }
        done += length;
    }
}

/// The code unit of an escape with four hex digits (RFC 8259 section 7), if the text begins with one.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

/// Whether this is the beginning of such an escape, or nothing yet.
fn may_go_on(text: &[u8]) -> bool {
    text.len() < REPLACEMENT.len() && text.iter().zip(b"\\u").all(|(is, begins)| is == begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_replaced_and_nothing_else() {
        for (text, expected) in [
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\uD83D.""#, r#""\ufffd.""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\ud83d\n""#, r#""\ufffd\n""#),
            (r#""\ud83d\"""#, r#""\ufffd\"""#),
            (r#""\ud83d\ude00 \u00e9 \n""#, r#""\ud83d\ude00 \u00e9 \n""#),
            // A backslash before a text that is no escape.
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            ("\"\u{1f600}\"\n", "\"\u{1f600}\"\n"),
            // No JSON either way.
            (r#""\uzzzz\ud83d""#, r#""\uzzzz\ufffd""#),
        ] {
            let mut bytes = text.as_bytes().to_vec();
            assert_eq!(replace(&mut bytes), bytes.len(), "{text}");
            assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_comes_in_parts_is_the_same() {
        let text = br#"{"a":"\ud83d\ude00\ud83d","b":"\\\ude00\u0041\\"}"#.as_slice();
        let mut whole = text.to_vec();
        replace(&mut whole);
        for size in 1..text.len() {
            let (mut held, mut done) = (Vec::new(), Vec::new());
            for part in text.chunks(size) {
                held.extend_from_slice(part);
                let ready = replace(&mut held);
                done.extend(held.drain(..ready));
            }
            assert!(held.is_empty());
            assert_eq!(done, whole, "{size}");
        }
        for open in [r#""\"#, r#""\u"#, r#""\ud83"#, r#""\ud83d"#, r#""\ud83d\"#, r#""\ud83d\ude0"#] {
            assert_eq!(replace(&mut open.as_bytes().to_vec()), 1, "{open}");
        }
    }
}
