//! Looking at eight bytes at a time, in plain arithmetic: what the reader does most is to look for the
//! end of a string.

const ONES: u64 = eight(1);
const HIGH_BITS: u64 = ONES << 7;

const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// How many bytes stand before the first quote, backslash or control character; all of them if there
/// is none.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let found = ends_of_plain(u64::from_le_bytes(*word));
        if found != 0 {
            return at * 8 + first(found);
        }
    }
    let plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0x00..=0x1f);
    words.len() * 8 + rest.iter().take_while(|byte| plain(byte)).count()
}

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

/// The high bit of each byte that ends a plain stretch. Bytes behind the first may be marked falsely:
/// subtraction borrows from them.
const fn ends_of_plain(word: u64) -> u64 {
    let quotes = word ^ eight(b'"');
    let backslashes = word ^ eight(b'\\');
    let control = word.wrapping_sub(eight(0x20)) & !word;
    let quotes = quotes.wrapping_sub(ONES) & !quotes;
    let backslashes = backslashes.wrapping_sub(ONES) & !backslashes;
    (control | quotes | backslashes) & HIGH_BITS
}

/// Which byte of a little-endian word is the first with a bit set.
const fn first(marked: u64) -> usize {
    marked.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = byte;
                    // What follows must not be taken for the first.
                    if at + 1 < length {
                        bytes[at + 1] = b'"';
                    }
                    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
                    let expected = bytes.iter().take_while(|byte| plain(byte)).count();
                    assert_eq!(plain_length(&bytes), expected, "{bytes:?}");
                    bytes[..at].fill(b' ');
                    let expected = bytes.iter().take_while(|byte| is_space(**byte)).count();
                    assert_eq!(space_length(&bytes), expected, "{bytes:?}");
                }
            }
        }
    }
}
