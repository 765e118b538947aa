//! Eight bytes at a time, in plain arithmetic: for what is mostly too short for more.

/// Eight times that byte.
#[inline]
pub(super) const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Fewer than eight bytes as a little-endian word, zeros behind them.
#[inline]
pub(super) fn few(bytes: &[u8]) -> u64 {
    debug_assert!(bytes.len() < 8, "they are few");
    let at = |place: usize| u64::from(bytes[place]) << (8 * place);
    match (bytes.first_chunk(), bytes.last_chunk()) {
        // Where the two overlap they are the same.
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (bytes.len() - 4))
        }
        _ if bytes.is_empty() => 0,
        _ => at(0) | at(bytes.len() / 2) | at(bytes.len() - 1),
    }
}

/// Marks the first byte that is below a bound, by its top bit, and perhaps others behind it. What the other bits
/// are says nothing, and the bound is not above 0x80.
#[inline]
const fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(eight(bound)) & !word
}

/// Marks the first quote or backslash of a little-endian word, and perhaps other bytes behind it; 0 if there is none.
#[inline]
pub(super) const fn ends_plain(word: u64) -> u64 {
    (below(word ^ eight(b'"'), 1) | below(word ^ eight(b'\\'), 1)) & eight(0x80)
}

/// The same of what has to be escaped in a string: control characters too.
#[inline]
pub(super) const fn needs_escape(word: u64) -> u64 {
    ends_plain(word) | below(word, b' ') & eight(0x80)
}

/// Which byte of a little-endian word is the first that is marked: 8 if none is.
#[inline]
pub(super) const fn first(marked: u64) -> usize {
    marked.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bytes_are_a_word() {
        let bytes = [1, 2, 3, 4, 0xff, 6, 7];
        for length in 0..8 {
            let mut padded = [0; 8];
            padded[..length].copy_from_slice(&bytes[..length]);
            assert_eq!(few(&bytes[..length]), u64::from_le_bytes(padded), "{length}");
        }
    }

    #[test]
    fn the_first_byte_of_each_kind_is_marked() {
        // Each byte at each place, with each other behind it, among bytes of all kinds that are none.
        for at in 0..8 {
            for byte in 0..=u8::MAX {
                for behind in 0..=u8::MAX {
                    for plain in *b"a!]#\x7f" {
                        let mut bytes = [plain, 0x80, 0xa2, 0xdc, 0xff, plain, 0x81, 0x9f];
                        bytes[at] = byte;
                        if let Some(place) = bytes.get_mut(at + 1) {
                            *place = behind;
                        }
                        let word = u64::from_le_bytes(bytes);
                        let is_end = |byte: &u8| matches!(byte, b'"' | b'\\');
                        let is_escaped = |byte: &u8| is_end(byte) || *byte < 0x20;
                        let place = |is: &dyn Fn(&u8) -> bool| bytes.iter().position(is).unwrap_or(8);
                        assert_eq!(first(ends_plain(word)), place(&is_end), "{bytes:x?}");
                        assert_eq!(first(needs_escape(word)), place(&is_escaped), "{bytes:x?}");
                    }
                }
            }
        }
    }
}
