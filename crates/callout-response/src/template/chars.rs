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
