//! Eight words of bits as one row of 512, the lowest bit of the first word first.
#![expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]

use fearless_simd::{Simd, mask64x8, prelude::*, u64x8};

/// So many.
pub(super) const WORDS: usize = 8;

/// A row of bits.
pub(super) type Words = [u64; WORDS];

/// The places behind these. `carry` is 1 if the first is one, and afterwards if the first behind the row is, else 0.
#[inline(always)]
pub(super) fn behind<S: Simd>(simd: S, places: u64x8<S>, carry: &mut u64) -> u64x8<S> {
    let last = places >> 63;
    let before = u64x8::splat(simd, *carry).slide::<{ WORDS - 1 }>(last);
    *carry = last[WORDS - 1];
    places << 1 | before
}

/// The first places behind these that are no spaces; the carry as for [`behind`].
#[inline(always)]
pub(super) fn first_behind<S: Simd>(simd: S, places: u64x8<S>, spaces: Option<u64x8<S>>, carry: &mut u64) -> u64x8<S> {
    let behind = behind(simd, places, carry);
    let Some(spaces) = spaces else { return behind };
    // Added to a row of white space, the bit at its beginning comes out behind it.
    let mut overflow = 0;
    let moved = sum(simd, spaces, behind & spaces, &mut overflow);
    *carry |= overflow;
    (moved | behind) & !spaces
}

/// Both as numbers, added, and `carry` with them, which is afterwards what is carried out of the last word: 0 or 1.
#[inline(always)]
pub(super) fn sum<S: Simd>(simd: S, one: u64x8<S>, other: u64x8<S>, carry: &mut u64) -> u64x8<S> {
    let sum = one + other;
    let overflows = sum.simd_lt(one).to_bitmask();
    let passes_on = sum.simd_eq(u64x8::splat(simd, u64::MAX)).to_bitmask();
    // Into which words one is carried: they are added as the words themselves are, a bit for each.
    let into = overflows << 1 | *carry;
    let carried = (into + passes_on) ^ passes_on;
    *carry = carried >> WORDS & 1;
    mask64x8::from_bitmask(simd, carried).select(sum + 1, sum)
}

/// For each bit how many are set up to it, itself counted: set where that is odd, with all before the row, of which
/// `is_odd` tells as 1 or 0.
#[inline(always)]
pub(super) fn odd_from<S: Simd>(simd: S, mut bits: u64x8<S>, is_odd: &mut u64) -> u64x8<S> {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    let mut odd = bits.simd_ge(u64x8::splat(simd, 1 << 63)).to_bitmask();
    odd = odd << 1 | *is_odd;
    for shift in [1, 2, 4, 8] {
        odd ^= odd << shift;
    }
    *is_odd = odd >> WORDS & 1;
    mask64x8::from_bitmask(simd, odd).select(!bits, bits)
}

/// The last bit that is set.
#[inline(always)]
pub(super) fn last(words: &[u64]) -> Option<usize> {
    let (word, bits) = words.iter().enumerate().rfind(|(_, bits)| **bits != 0)?;
    Some(word * 64 + highest(*bits))
}

/// The first bit that is set; 64 if none is.
#[inline(always)]
pub(super) const fn lowest(bits: u64) -> usize {
    bits.trailing_zeros() as usize
}

/// The last bit that is set, of which there must be one.
#[inline(always)]
pub(super) const fn highest(bits: u64) -> usize {
    63 - bits.leading_zeros() as usize
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

    /// Bit by bit.
    fn bits(words: &[Words]) -> Vec<bool> {
        words.iter().flatten().flat_map(|word| (0..64).map(move |at| word >> at & 1 == 1)).collect()
    }

    /// Rows in which ones and zeros stand together as they do in texts.
    fn rows() -> impl Strategy<Value = Vec<Words>> {
        let word = prop_oneof![
            Just(0),
            Just(u64::MAX),
            any::<u64>(),
            (0..64_u32).prop_map(|at| u64::MAX << at),
            Just(1),
            Just(1 << 63)
        ];
        prop::collection::vec(prop::array::uniform8(word), 3)
    }

    proptest! {
        #[test]
        fn rows_are_worked_on_as_bit_by_bit(one in rows(), other in rows()) {
            let (mut places, mut moved, mut sums, mut odds) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            let mut carries = [0; 4];
            for (one, other) in one.iter().zip(&other) {
                dispatch!(Level::new(), simd => {
                    let (one, other) = (u64x8::simd_from(simd, *one), u64x8::simd_from(simd, *other));
                    places.push(*behind(simd, one, &mut carries[0]).as_array());
                    moved.push(*first_behind(simd, one & !other, Some(other), &mut carries[1]).as_array());
                    sums.push(*sum(simd, one, other, &mut carries[2]).as_array());
                    odds.push(*odd_from(simd, one, &mut carries[3]).as_array());
                });
            }
            let (one, other) = (bits(&one), bits(&other));
            let mut expected = vec![Vec::new(); 4];
            let (mut before, mut waits, mut carry, mut is_odd) = (false, false, false, false);
            for (one, other) in one.iter().zip(&other) {
                expected[0].push(before);
                before = *one;
                expected[1].push(waits && !other);
                waits = if *other { waits } else { *one };
                expected[2].push(one ^ other ^ carry);
                carry = u8::from(*one) + u8::from(*other) + u8::from(carry) > 1;
                is_odd ^= one;
                expected[3].push(is_odd);
            }
            prop_assert_eq!([bits(&places), bits(&moved), bits(&sums), bits(&odds)].to_vec(), expected);
            prop_assert_eq!(carries, [before, waits, carry, is_odd].map(u64::from));
        }

        #[test]
        fn what_is_escaped(backslashes in prop::collection::vec(prop::bool::weighted(0.7), 192)) {
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
