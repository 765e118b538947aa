//! What stands in eight times sixty-four bytes of a JSON text, as bits: one for each byte, the lowest of a word for
//! the first (the first stage of Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019).
#![expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]

use std::hint::black_box;

use fearless_simd::{Simd, prelude::*, u8x64};

use super::words::{WORDS, Words};

/// So many bytes.
pub(super) const BYTES: usize = WORDS * 64;

/// The bytes that mean something in JSON, wherever they stand.
#[derive(Default)]
pub(super) struct Group {
    pub(super) quotes: Words,
    /// `{` and `[`
    pub(super) opens: Words,
    /// `}` and `]`
    pub(super) closes: Words,
    pub(super) colons: Words,
    pub(super) commas: Words,
    /// White space (RFC 8259 section 2).
    pub(super) spaces: Words,
    pub(super) digits: Words,
    pub(super) zeros: Words,
    /// Of use if there are any.
    pub(super) controls: Words,
    pub(super) has_controls: bool,
    pub(super) backslashes: Words,
    pub(super) has_backslashes: bool,
}

impl Group {
    #[inline(always)]
    pub(super) fn read<S: Simd>(&mut self, simd: S, bytes: &[u8; BYTES]) {
        let (blocks, _) = bytes.as_chunks::<64>();
        let all = |byte: u8| u8x64::splat(simd, byte);
        let mut least = all(u8::MAX);
        let mut backslashes = all(0).simd_ne(all(0));
        for (at, block) in blocks.iter().enumerate() {
            let bytes = u8x64::simd_from(simd, *block);
            let is = |byte: u8| bytes.simd_eq(all(byte));
            // Brackets and braces differ in this bit alone.
            let folded = bytes | all(0x20);
            let folds_to = |byte: u8| folded.simd_eq(all(byte)).to_bitmask();
            self.quotes[at] = is(b'"').to_bitmask();
            self.opens[at] = folds_to(b'{');
            self.closes[at] = folds_to(b'}');
            self.colons[at] = is(b':').to_bitmask();
            self.commas[at] = is(b',').to_bitmask();
            self.spaces[at] = is(b' ').to_bitmask();
            self.digits[at] = (bytes - all(b'0')).simd_le(all(9)).to_bitmask();
            self.zeros[at] = is(b'0').to_bitmask();
            least = least.min(bytes);
            backslashes |= is(b'\\');
        }
        // Of these most texts have few, or none.
        self.has_controls = least.simd_le(all(0x1f)).any_true();
        if self.has_controls {
            for (at, block) in blocks.iter().enumerate() {
                let bytes = u8x64::simd_from(simd, *block);
                let is = |byte: u8| bytes.simd_eq(all(byte));
                self.controls[at] = bytes.simd_le(all(0x1f)).to_bitmask();
                self.spaces[at] |= (is(b'\n') | is(b'\r') | is(b'\t')).to_bitmask();
            }
        }
        self.has_backslashes = backslashes.any_true();
        for (at, block) in blocks.iter().enumerate() {
            self.backslashes[at] =
                if self.has_backslashes { u8x64::simd_from(simd, *block).simd_eq(all(b'\\')).to_bitmask() } else { 0 };
        }
        // The compiler is not to see where these come from: it knows masks for sixty-four truths, and then works
        // with each of them.
        black_box(self);
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    fn plainly(bytes: &[u8], is: impl Fn(u8) -> bool) -> u64 {
        bytes.iter().enumerate().map(|(at, byte)| u64::from(is(*byte)) << at).sum()
    }

    #[test]
    fn every_byte_is_in_its_classes_and_no_other() {
        for byte in 0..=u8::MAX {
            for at in [0, 1, 15, 16, 31, 32, 47, 48, 62, 63] {
                let mut bytes = [b'a'; 64];
                bytes[at] = byte;
                let mut all = [b'a'; BYTES];
                all[64..128].copy_from_slice(&bytes);
                let mut group = Group::default();
                dispatch!(Level::new(), simd => group.read(simd, &all));
                assert_eq!((group.has_controls, group.has_backslashes), (byte < 0x20, byte == b'\\'));
                let shown = [
                    group.quotes,
                    group.backslashes,
                    if group.has_controls { group.controls } else { [0; WORDS] },
                    group.opens,
                    group.closes,
                    group.colons,
                    group.commas,
                    group.spaces,
                    group.digits,
                    group.zeros,
                ];
                assert!(shown.iter().all(|words| words[..1].iter().chain(&words[2..]).all(|word| *word == 0)));
                let expected = [
                    plainly(&bytes, |byte| byte == b'"'),
                    plainly(&bytes, |byte| byte == b'\\'),
                    plainly(&bytes, |byte| byte < 0x20),
                    plainly(&bytes, |byte| b"{[".contains(&byte)),
                    plainly(&bytes, |byte| b"}]".contains(&byte)),
                    plainly(&bytes, |byte| byte == b':'),
                    plainly(&bytes, |byte| byte == b','),
                    plainly(&bytes, |byte| b" \n\r\t".contains(&byte)),
                    plainly(&bytes, |byte| byte.is_ascii_digit()),
                    plainly(&bytes, |byte| byte == b'0'),
                ];
                assert_eq!(shown.map(|words| words[1]), expected, "{byte:#x} at {at}");
            }
        }
    }
}
