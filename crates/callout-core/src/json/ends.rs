//! Where strings end: the quotes, backslashes and control characters of a text, found many bytes at a time
//! and ahead of the reader.
//!
//! A string begins where the one before has ended. A reader that looks for each end from there waits for
//! one search before it can begin the next. Here the searches do not depend on each other: the text is turned
//! into bits, as many bytes at a time as the processor can take, and the reader takes them one by one (the
//! first stage of Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019, without the
//! second).

use std::hint::black_box;

use fearless_simd::{Level, Simd, dispatch, mask8x64, prelude::*, u8x64};

use super::words::lowest;

/// Words of bits that are made at a time.
const WORDS: usize = 16;

/// What stands in sixty-four bytes: a bit for each, the lowest for the first.
#[derive(Clone, Copy, Default)]
struct Word {
    /// Quotes and backslashes.
    quotes: u64,
    /// Control characters. They end a string too, but stand mostly between strings: as the ends of lines.
    controls: u64,
}

/// The ends that the reader has not passed.
pub(super) struct Ends<'a> {
    bytes: &'a [u8],
    words: [Word; WORDS],
    /// Which of the words the reader is at.
    at: usize,
    /// That word; the reader takes quotes away.
    word: Word,
    /// The place of its first byte.
    base: usize,
}

impl<'a> Ends<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let mut ends = Self { bytes, words: [Word::default(); WORDS], at: 0, word: Word::default(), base: 0 };
        ends.read_words();
        ends
    }

    /// The first end behind the quote that stands there; the end of the text if there is none.
    #[inline]
    pub(super) fn of_string(&mut self, quote: usize) -> usize {
        // As a rule both quotes are in this word, and there is none before them.
        let Word { quotes, controls } = self.word;
        let behind = without_lowest(quotes);
        if behind != 0 && self.base + lowest(quotes) == quote {
            let between = (behind ^ behind.wrapping_sub(1)) & !(quotes ^ quotes.wrapping_sub(1));
            if controls & between == 0 {
                self.word.quotes = without_lowest(behind);
                return self.base + lowest(behind);
            }
        }
        self.from(quote + 1)
    }

    /// The first end from there on; the end of the text if there is none. What stands before it is not asked
    /// about again.
    #[inline(never)]
    pub(super) fn from(&mut self, from: usize) -> usize {
        debug_assert!(from >= self.base, "the reader does not go back");
        let mut offset = from.saturating_sub(self.base);
        loop {
            if offset < 64 {
                let Word { quotes, controls } = self.word;
                let ends = (quotes | controls) >> offset;
                if ends != 0 {
                    let end = offset + lowest(ends);
                    self.word.quotes = quotes & (!1 << end);
                    return self.base + end;
                }
                offset = 64;
            }
            if self.base + 64 >= self.bytes.len() {
                return self.bytes.len();
            }
            offset -= 64;
            self.next_word();
        }
    }

    /// Goes on at that place, which lies ahead.
    pub(super) fn jump(&mut self, to: usize) {
        let ahead = to.saturating_sub(self.base) / 64;
        if ahead == 0 || to >= self.bytes.len() {
            return;
        }
        if let Some(word) = self.words.get(self.at + ahead) {
            self.word = *word;
            self.at += ahead;
            self.base += ahead * 64;
        } else {
            self.base = to;
            self.read_words();
        }
    }

    #[inline]
    fn next_word(&mut self) {
        self.at += 1;
        self.base += 64;
        match self.words.get(self.at) {
            Some(word) => self.word = *word,
            None => self.read_words(),
        }
    }

    #[inline(never)]
    fn read_words(&mut self) {
        dispatch!(Level::new(), simd => self.read_words_by(simd));
    }

    #[expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]
    #[inline(always)]
    fn read_words_by<S: Simd>(&mut self, simd: S) {
        let rest = self.bytes.get(self.base..).unwrap_or_default();
        let (whole, rest) = rest.as_chunks::<64>();
        let mut words = self.words.iter_mut();
        for (bytes, word) in whole.iter().zip(words.by_ref()) {
            *word = Word::of(simd, bytes);
        }
        if let Some(word) = words.next() {
            let mut bytes = [b' '; 64];
            bytes[..rest.len()].copy_from_slice(rest);
            *word = Word::of(simd, &bytes);
        }
        self.at = 0;
        self.word = self.words[0];
    }
}

impl Word {
    #[expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]
    #[inline(always)]
    fn of<S: Simd>(simd: S, bytes: &[u8; 64]) -> Self {
        let bytes = u8x64::simd_from(simd, *bytes);
        let is = |byte: u8| bytes.simd_eq(u8x64::splat(simd, byte));
        Self { quotes: bits(is(b'"') | is(b'\\')), controls: bits(bytes.simd_le(u8x64::splat(simd, 0x1f))) }
    }
}

/// A bit for each byte of the mask. The compiler is not to see where they come from: it knows them for sixty-four
/// truths, and then works with each of them.
#[expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]
#[inline(always)]
fn bits<S: Simd>(mask: mask8x64<S>) -> u64 {
    black_box(mask.to_bitmask())
}

const fn without_lowest(bits: u64) -> u64 {
    bits & bits.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plainly(bytes: &[u8], from: usize) -> usize {
        let end = |byte: &u8| matches!(byte, b'"' | b'\\' | 0x00..=0x1f);
        bytes[from..].iter().position(end).map_or(bytes.len(), |at| from + at)
    }

    #[test]
    fn every_byte_at_every_place_of_a_word() {
        for at in 0..130 {
            for byte in 0..=u8::MAX {
                let mut bytes = vec![b'a'; 130];
                bytes[at] = byte;
                for from in [0, at, at + 1] {
                    assert_eq!(Ends::of(&bytes).from(from), plainly(&bytes, from), "{byte} at {at} from {from}");
                }
            }
        }
    }

    #[test]
    fn what_lies_between_is_left_out() {
        let text: String = (0..400).map(|at| format!("\"{}\" ", "a".repeat(at % 70))).collect();
        let bytes = text.as_bytes();
        let quotes: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'"').collect();
        for step in [1, 2, 3, 7, 20, 50, 399] {
            let mut ends = Ends::of(bytes);
            for pair in quotes.chunks(2).step_by(step) {
                ends.jump(pair[0]);
                assert_eq!(ends.of_string(pair[0]), pair[1], "{step}");
            }
            ends.jump(bytes.len());
        }
    }

    #[test]
    fn strings_of_any_length_wherever_they_begin() {
        // Across words, across all words made at a time, and to the end of the text or not.
        for space in (0..70).chain(1_000..1_100) {
            for length in (0..70).chain(1_000..1_100) {
                for end in ["\"", "\\", "\n", ""] {
                    let text = format!("\"\" \n{}\"{}{end}\"", " ".repeat(space), "a".repeat(length));
                    let mut ends = Ends::of(text.as_bytes());
                    assert_eq!(ends.of_string(0), 1);
                    let end = ends.of_string(4 + space);
                    assert_eq!(end, 5 + space + length);
                    assert_eq!(ends.from(end + 1), plainly(text.as_bytes(), end + 1));
                    assert_eq!(ends.from(text.len()), text.len());
                }
            }
        }
    }
}
