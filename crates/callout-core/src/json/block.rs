//! What stands in sixty-four bytes of a JSON text, as bits: one for each byte, the lowest for the first
//! (the first stage of Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019).
#![expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]

use std::hint::black_box;

use fearless_simd::{Simd, mask8x64, prelude::*, u8x64};

/// The bytes that mean something in JSON, wherever they stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    pub(super) controls: u64,
    /// `{` and `[`
    pub(super) opens: u64,
    /// `}` and `]`
    pub(super) closes: u64,
    pub(super) colons: u64,
    pub(super) commas: u64,
    /// White space (RFC 8259 section 2).
    pub(super) spaces: u64,
}

impl Block {
    #[inline(always)]
    pub(super) fn of<S: Simd>(simd: S, bytes: &[u8; 64]) -> Self {
        let bytes = u8x64::simd_from(simd, *bytes);
        let is = |byte: u8| bytes.simd_eq(u8x64::splat(simd, byte));
        // Brackets and braces differ in this bit alone.
        let folded = bytes | u8x64::splat(simd, 0x20);
        let folds_to = |byte: u8| folded.simd_eq(u8x64::splat(simd, byte));
        let controls = bits(bytes.simd_le(u8x64::splat(simd, 0x1f)));
        let mut spaces = bits(is(b' '));
        if controls != 0 {
            spaces |= bits(is(b'\n') | is(b'\r') | is(b'\t'));
        }
        Self {
            quotes: bits(is(b'"')),
            backslashes: bits(is(b'\\')),
            controls,
            opens: bits(folds_to(b'{')),
            closes: bits(folds_to(b'}')),
            colons: bits(is(b':')),
            commas: bits(is(b',')),
            spaces,
        }
    }
}

/// A bit for each byte of the mask. The compiler is not to see where they come from: it knows them for sixty-four
/// truths, and then works with each of them.
#[inline(always)]
pub(super) fn bits<S: Simd>(mask: mask8x64<S>) -> u64 {
    black_box(mask.to_bitmask())
}

/// For each bit how many are set up to it, itself counted: set where that is odd.
#[inline(always)]
pub(super) const fn odd_from(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

/// The bytes that a backslash before them takes the meaning from. `carry` is 1 if the first is one, and
/// afterwards if the first behind these is, else 0.
#[inline(always)]
pub(super) const fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    if backslashes == 0 {
        let first = *carry;
        *carry = 0;
        return first;
    }
    // Of a row of backslashes each second one is itself escaped: a row that begins at an even place escapes
    // what stands at odd places, and the other way round.
    let backslashes = backslashes & !*carry;
    let follows = backslashes << 1 | *carry;
    let odd_starts = backslashes & !EVEN & !follows;
    let (even_rows, overflow) = odd_starts.overflowing_add(backslashes);
    *carry = overflow as u64;
    let turned = even_rows << 1;
    (EVEN ^ turned) & follows
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};
    use proptest::prelude::*;

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
                let block = dispatch!(Level::new(), simd => Block::of(simd, &bytes));
                let shown = [
                    block.quotes,
                    block.backslashes,
                    block.controls,
                    block.opens,
                    block.closes,
                    block.colons,
                    block.commas,
                    block.spaces,
                ];
                let expected = [
                    plainly(&bytes, |byte| byte == b'"'),
                    plainly(&bytes, |byte| byte == b'\\'),
                    plainly(&bytes, |byte| byte < 0x20),
                    plainly(&bytes, |byte| b"{[".contains(&byte)),
                    plainly(&bytes, |byte| b"}]".contains(&byte)),
                    plainly(&bytes, |byte| byte == b':'),
                    plainly(&bytes, |byte| byte == b','),
                    plainly(&bytes, |byte| b" \n\r\t".contains(&byte)),
                ];
                assert_eq!(shown, expected, "{byte:#x} at {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_counted_and_what_is_escaped(
            bits in any::<u64>(),
            backslashes in prop::collection::vec(prop::bool::weighted(0.7), 192),
        ) {
            let odd = (0..64).map(|at| u64::from((bits << (63 - at)).count_ones() % 2) << at).sum::<u64>();
            prop_assert_eq!(odd_from(bits), odd);
            let mut carry = 0;
            let mut plain = false;
            for block in backslashes.chunks(64) {
                let mut expected = 0;
                for (at, is_backslash) in block.iter().enumerate() {
                    expected |= u64::from(plain) << at;
                    plain = *is_backslash && !plain;
                }
                let bits = block.iter().enumerate().map(|(at, is)| u64::from(*is) << at).sum();
                prop_assert_eq!(escaped(bits, &mut carry), expected);
                prop_assert_eq!(carry, u64::from(plain));
            }
        }
    }
}
