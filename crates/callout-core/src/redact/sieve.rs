//! Where in much text the start of a secret may stand: a coarse search before the exact one.
//!
//! An exact search asks about each byte. A start of [`START_BYTES`] holds three whole words of four bytes wherever
//! it stands among those of the text, so that it is enough to ask about each word, and after that about one byte of
//! its hash. The question is that of Teddy, the algorithm that aho-corasick's `packed` is: two tables of sixteen
//! entries tell for the halves of a byte which starts it may belong to, and a place is looked at if one start may
//! have all three bytes there.
#![expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64, u32x16};

use super::START_BYTES;

/// Bytes of a word.
const WORD: usize = size_of::<u32>();

/// Whole words that a start holds wherever it stands.
const WORDS: usize = START_BYTES / WORD - 1;

/// Words of a block, of which each becomes a byte.
const BLOCK_WORDS: usize = 64;

const BLOCK: usize = BLOCK_WORDS * WORD;

/// With more starts too many places would be looked at.
const MOST_STARTS: usize = 12;

/// For each of the words the bits of the starts that it may belong to, by the lower half of its hash and by the
/// upper one. Starts share eight bits.
pub(super) struct Sieve {
    lower: [[u8; 16]; WORDS],
    upper: [[u8; 16]; WORDS],
}

impl Sieve {
    /// `None` if the starts are too short or too many for it, or the processor is not made for it.
    pub(super) fn new(starts: &[Vec<u8>]) -> Option<Self> {
        if !is_quick(Level::new()) || starts.len() > MOST_STARTS {
            return None;
        }
        let mut sieve = Self { lower: [[0; 16]; WORDS], upper: [[0; 16]; WORDS] };
        let mut bit: u8 = 1;
        for start in starts {
            // So many bytes of it stand before the first whole word.
            for before in 0..WORD {
                let (words, _) = start.get(before..START_BYTES)?.as_chunks::<WORD>();
                for (word, (lower, upper)) in words.iter().zip(sieve.lower.iter_mut().zip(&mut sieve.upper)) {
                    let hash = hash(u32::from_le_bytes(*word));
                    lower[usize::from(hash & 0xf)] |= bit;
                    upper[usize::from(hash >> 4)] |= bit;
                }
                bit = bit.rotate_left(1);
            }
        }
        Some(sieve)
    }

    /// Whether `is_in` says so of a part of the text; each start that stands in the text stands in one of them.
    pub(super) fn any(&self, text: &[u8], is_in: impl Fn(&[u8]) -> bool) -> bool {
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        // A start ends at most one word behind its last whole one.
        let part = |begin: usize, end: usize| {
            text.get(begin.saturating_sub(START_BYTES)..text.len().min(end + WORD)).unwrap_or(text)
        };
        let mut from = 0;
        while let Some(at) = dispatch!(Level::new(), simd => self.next(simd, blocks, from)) {
            if is_in(part(at * BLOCK, (at + 1) * BLOCK)) {
                return true;
            }
            from = at + 1;
        }
        is_in(part(text.len() - rest.len(), text.len()))
    }

    /// The first block from there on in which the last whole word of a start may stand.
    #[inline(always)]
    fn next<S: Simd>(&self, simd: S, blocks: &[[u8; BLOCK]], from: usize) -> Option<usize> {
        let tables = Tables::of(simd, self);
        let none = u8x64::splat(simd, 0);
        let mut previous = match from.checked_sub(1).and_then(|before| blocks.get(before)) {
            Some(before) => tables.rows(simd, before),
            None => [none; WORDS],
        };
        for (at, block) in blocks.iter().enumerate().skip(from) {
            let rows = tables.rows(simd, block);
            let first = previous[0].slide::<{ BLOCK_WORDS - 2 }>(rows[0]);
            let second = previous[1].slide::<{ BLOCK_WORDS - 1 }>(rows[1]);
            if (first & second & rows[2]).simd_ne(none).any_true() {
                return Some(at);
            }
            previous = rows;
        }
        None
    }
}

/// What the words of a block may be: for each the bits of starts of which it may be the first, the second, the third.
type Rows<S> = [u8x64<S>; WORDS];

/// Those of a sieve, once for each sixteen bytes that are looked up at a time.
struct Tables<S: Simd> {
    lower: Rows<S>,
    upper: Rows<S>,
}

impl<S: Simd> Tables<S> {
    #[inline(always)]
    fn of(simd: S, sieve: &Sieve) -> Self {
        let [lower, upper] = [&sieve.lower, &sieve.upper];
        Self {
            lower: [table(simd, &lower[0]), table(simd, &lower[1]), table(simd, &lower[2])],
            upper: [table(simd, &upper[0]), table(simd, &upper[1]), table(simd, &upper[2])],
        }
    }

    #[inline(always)]
    fn rows(&self, simd: S, block: &[u8; BLOCK]) -> Rows<S> {
        let (quarters, _) = block.as_chunks::<64>();
        let half = hashes(simd, &quarters[0]).relaxed_narrow(hashes(simd, &quarters[1]));
        let other = hashes(simd, &quarters[2]).relaxed_narrow(hashes(simd, &quarters[3]));
        let hashes = half.relaxed_narrow(other);
        let (lower, upper) = (hashes & u8x64::splat(simd, 0xf), hashes >> 4);
        let mut rows = self.lower;
        for (at, row) in rows.iter_mut().enumerate() {
            *row = row.swizzle_dyn_within_blocks(lower) & self.upper[at].swizzle_dyn_within_blocks(upper);
        }
        rows
    }
}

/// A factor whose product with a word has a top byte that depends on all of its bits (Knuth's multiplicative hashing,
/// The Art of Computer Programming, vol. 3, section 6.4).
const FACTOR: u32 = 0x9e37_79b1;

const fn hash(word: u32) -> u8 {
    (word.wrapping_mul(FACTOR) >> 24) as u8
}

/// Those of sixteen words.
#[inline(always)]
fn hashes<S: Simd>(simd: S, words: &[u8; 64]) -> u32x16<S> {
    let words: u32x16<S> = u8x64::simd_from(simd, *words).bitcast();
    (words * u32x16::splat(simd, FACTOR)) >> 24
}

/// The same sixteen entries for each block of sixteen indices.
#[inline(always)]
fn table<S: Simd>(simd: S, entries: &[u8; 16]) -> u8x64<S> {
    let mut all = [0; 64];
    for block in all.as_chunks_mut().0 {
        *block = *entries;
    }
    u8x64::simd_from(simd, all)
}

/// Whether the processor looks tables up sixteen bytes at a time, and has words as they are hashed here.
fn is_quick(level: Level) -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let is_quick = level.as_sse4_2().is_some();
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    let is_quick = !level.is_fallback();
    is_quick && cfg!(target_endian = "little")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    fn starts() -> Vec<Vec<u8>> {
        let starts = [
            "a-token-that-is-long",
            "612d746f6b656e2d74686174",
            "YS10b2tlbi10aGF0LWlz",
            "\u{e9}\u{e9}\u{e9}\u{e9}++++++++",
        ];
        starts.iter().map(|start| start.as_bytes()[..START_BYTES].to_vec()).collect()
    }

    /// Text like that of an answer.
    fn text(length: usize) -> Vec<u8> {
        let events = (0..).flat_map(|n: u64| {
            format!(r#"{{"id":"{}","type":"PushEvent","by":{{"login":"octo-{n}","id":{n}}},"#, n * 7_919).into_bytes()
        });
        events.take(length).collect()
    }

    /// Whether it is found, and in how many parts it was looked for.
    fn sieved(sieve: &Sieve, text: &[u8]) -> (bool, usize) {
        let looked = Cell::new(0);
        let found = sieve.any(text, |part| {
            looked.set(looked.get() + 1);
            starts().iter().any(|start| part.windows(START_BYTES).any(|window| window == start))
        });
        (found, looked.get())
    }

    #[test]
    fn starts_are_found_wherever_they_stand() {
        let Some(sieve) = Sieve::new(&starts()) else { return };
        for length in [START_BYTES, 100, BLOCK, BLOCK + 1, 2 * BLOCK + 9, 3 * BLOCK + 100] {
            let text = text(length);
            assert!(!sieved(&sieve, &text).0);
            for start in starts() {
                for at in 0..=length - START_BYTES {
                    let mut holding = text.clone();
                    holding[at..at + START_BYTES].copy_from_slice(&start);
                    assert!(sieved(&sieve, &holding).0, "at {at} of {length}");
                    // All but its last byte is no start.
                    holding[at + START_BYTES - 1] = b'?';
                    assert!(!sieved(&sieve, &holding).0, "cut at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn few_parts_are_looked_at() {
        let Some(sieve) = Sieve::new(&starts()) else { return };
        let blocks = 4_000;
        let (_, looked) = sieved(&sieve, &text(blocks * BLOCK));
        assert!(looked < blocks / 20, "{looked} of {blocks}");
        // Blocks that are looked at for nothing hide none behind them, nor one that reaches out of them.
        for begun in [1, 4 * BLOCK / START_BYTES] {
            let mut holding = text(4 * BLOCK);
            for place in holding.chunks_exact_mut(START_BYTES).take(begun) {
                place.copy_from_slice(&starts()[0]);
                place[START_BYTES - 1] = b'?';
            }
            let (found, looked) = sieved(&sieve, &holding);
            assert!(!found && looked > begun.min(4));
            for at in START_BYTES..holding.len() - START_BYTES {
                let mut holding = holding.clone();
                holding[at..at + START_BYTES].copy_from_slice(&starts()[1]);
                assert!(sieved(&sieve, &holding).0, "at {at} behind {begun}");
            }
        }
    }

    #[test]
    fn what_it_is_not_made_for() {
        assert!(Sieve::new(&[b"short".to_vec()]).is_none());
        assert!(Sieve::new(&vec![starts()[0].clone(); MOST_STARTS + 1]).is_none());
    }

    proptest! {
        #[test]
        fn nothing_is_missed(
            starts in prop::collection::vec(prop::collection::vec(any::<u8>(), START_BYTES), 1..=MOST_STARTS),
            length in START_BYTES..4 * BLOCK,
            which in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
        ) {
            if let Some(sieve) = Sieve::new(&starts) {
                let mut text = text(length);
                let start = which.get(&starts);
                let at = at.index(length - START_BYTES + 1);
                text[at..at + START_BYTES].copy_from_slice(start);
                prop_assert!(sieve.any(&text, |part| part.windows(START_BYTES).any(|window| window == start)));
            }
        }
    }
}
