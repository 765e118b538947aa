//! White space.

use super::eight::{eight, first};

/// White space between tokens (RFC 8259 section 2).
#[inline]
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// The first place from there on where no white space stands.
#[inline]
pub(super) fn behind_space(bytes: &[u8], at: usize) -> usize {
    // Most often there is none.
    match bytes.get(at) {
        // It is a line's end, as a rule; what follows is looked at eight at a time.
        Some(byte) if is_space(*byte) => at + 1 + space_length(&bytes[at + 1..]),
        _ => at,
    }
}

/// The last byte before that place that is no white space, and where it stands.
#[inline]
pub(super) fn before_space(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    let mut before = bytes.get(..at)?;
    while let [rest @ .., byte] = before {
        if !is_space(*byte) {
            return Some((rest.len(), *byte));
        }
        before = rest;
    }
    None
}

/// How many bytes of white space stand first: one, or the indent of a line.
#[inline(never)]
fn space_length(bytes: &[u8]) -> usize {
    if !bytes.first().is_some_and(|byte| is_space(*byte)) {
        return 0;
    }
    let mut length = 0;
    let (words, _) = bytes.as_chunks::<8>();
    for word in words {
        let others = u64::from_le_bytes(*word) ^ eight(b' ');
        if others != 0 {
            length += first(others);
            break;
        }
        length += 8;
    }
    length + bytes[length..].iter().take_while(|byte| is_space(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_behind_every_indent() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b' '; length];
                    bytes[at] = byte;
                    let expected = bytes.iter().take_while(|byte| is_space(**byte)).count();
                    assert_eq!(space_length(&bytes), expected, "{bytes:?}");
                }
            }
        }
    }
}
