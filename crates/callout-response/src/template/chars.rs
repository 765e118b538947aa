//! What Python knows of characters, where Rust's own methods know it otherwise.

/// The words of a text: letters, digits and underscores in a row.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|found: char| !found.is_alphanumeric() && found != '_').filter(|word| !word.is_empty())
}

/// Whether a line ends with the character.
fn ends_line(found: char) -> bool {
    matches!(found, '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// At most so many lines a text has.
pub(super) fn most_lines(text: &str) -> usize {
    text.chars().filter(|found| ends_line(*found)).count() + 1
}

/// The lines of a text, with the ends that they have or without. Behind a last end there is none.
pub(super) fn lines(text: &str, with_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(ends_line) {
        let (line, end) = rest.split_at(at);
        let behind = end.strip_prefix("\r\n").or_else(|| end.strip_prefix(ends_line)).unwrap_or_default();
        let (whole, _) = rest.split_at(rest.len() - behind.len());
        lines.push(if with_ends { whole } else { line });
        rest = behind;
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Whether there are letters with a case, all of which are small.
pub(super) fn is_lower(text: &str) -> bool {
    is_cased(text, char::is_lowercase, char::is_uppercase)
}

/// Whether there are letters with a case, all of which are capitals.
pub(super) fn is_upper(text: &str) -> bool {
    is_cased(text, char::is_uppercase, char::is_lowercase)
}

fn is_cased(text: &str, wanted: fn(char) -> bool, unwanted: fn(char) -> bool) -> bool {
    let mut is_cased = false;
    for found in text.chars() {
        if unwanted(found) {
            return false;
        }
        is_cased |= wanted(found);
    }
    is_cased
}

/// How many bytes a text may have in another case.
pub(super) fn most_cased(text: &str) -> usize {
    // A letter may become three, of three times as many bytes.
    text.len().saturating_mul(if text.is_ascii() { 1 } else { 3 })
}

/// The text with capitals where words begin, and small letters for all others. A word goes on behind such characters.
pub(super) fn titled(text: &str, goes_on: impl Fn(char) -> bool) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut inside = false;
    for found in text.chars() {
        if inside {
            titled.extend(found.to_lowercase());
        } else {
            titled.extend(found.to_uppercase());
        }
        inside = goes_on(found);
    }
    titled
}

/// The zeros that Unicode 14 has besides ASCII's; behind each stand its nine other digits.
const ZEROS: [u32; 65] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50,
    0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136,
    0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0,
    0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// Whether it is one of ten digits that numbers are written with.
pub(super) fn is_decimal(found: char) -> bool {
    found.is_ascii_digit() || ZEROS.iter().any(|zero| u32::from(found).wrapping_sub(*zero) < 10)
}

/// Whether it is a digit, raised, lowered and in circles too; ½ is none.
pub(super) fn is_digit(found: char) -> bool {
    let is_other = matches!(found,
        '\u{b2}'..='\u{b3}' | '\u{b9}' | '\u{1369}'..='\u{1371}' | '\u{19da}' | '\u{2070}'
        | '\u{2074}'..='\u{2079}' | '\u{2080}'..='\u{2089}' | '\u{2460}'..='\u{2468}'
        | '\u{2474}'..='\u{247c}' | '\u{2488}'..='\u{2490}' | '\u{24ea}' | '\u{24f5}'..='\u{24fd}'
        | '\u{24ff}' | '\u{2776}'..='\u{277e}' | '\u{2780}'..='\u{2788}' | '\u{278a}'..='\u{2792}'
        | '\u{10a40}'..='\u{10a43}' | '\u{10e60}'..='\u{10e68}' | '\u{11052}'..='\u{1105a}'
        | '\u{1f100}'..='\u{1f10a}');
    is_other || is_decimal(found)
}
