//! Which containers are open at each byte of a group that is swept.
#![expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]

use fearless_simd::{Simd, prelude::*, u64x8};

use super::{
    read::Reader,
    skip::{MOST_IN_BITS, Open},
    watch::{Seen, Watch},
    words::{WORDS, Words, highest, lowest, odd_from},
};

/// The bit that `{` and `[` have, and `}` and `]` have not.
const BEGINS: u32 = 1;

/// The bit that braces have, and square brackets have not.
const IS_BRACE: u32 = 5;

/// Brackets of a group that are gone through without a branch for each. Most groups have fewer; lists of small
/// lists, as of coordinates, have more.
const MOST_SKIMMED: usize = 128;

/// Those that are open where the next group begins.
pub(super) struct Containers<'a> {
    bytes: &'a [u8],
    open: Open,
    most_open: usize,
    /// Where the outermost has ended.
    end: Option<usize>,
    /// Of brackets in the group.
    places: [u16; MOST_SKIMMED],
    /// Of those that the watch is told of, the place in the group, and in how many containers that is.
    told: [(u16, u16); MOST_TOLD],
}

/// Each is open once it is told of, so that there are never more. A power of two.
const MOST_TOLD: usize = MOST_IN_BITS + 1;

/// Which bytes of a group are in which container.
pub(super) struct Places<S: Simd> {
    /// In an object, innermost.
    pub(super) in_object: u64x8<S>,
    /// Not behind the end of the outermost.
    pub(super) within: u64x8<S>,
}

/// What is skimmed.
struct Skim {
    /// So many brackets, whose places are listed.
    count: usize,
    /// [`Open::bits`]
    open: u64,
    /// [`Watch::skims`]
    told_within: usize,
}

impl<'a> Containers<'a> {
    pub(super) fn new(bytes: &'a [u8], open: Open, most_open: usize) -> Self {
        Self { bytes, open, most_open, end: None, places: [0; MOST_SKIMMED], told: [(0, 0); MOST_TOLD] }
    }

    /// Where the outermost container has ended.
    #[inline(always)]
    pub(super) const fn end(&self) -> Option<usize> {
        self.end
    }

    /// Opens and closes containers, to the end of the outermost if it is in this group. `None` if one ends that is
    /// not open, if they are too deep, or the watch breaks off.
    #[inline(always)]
    pub(super) fn places<S: Simd, W: Watch>(
        &mut self,
        simd: S,
        opens: u64x8<S>,
        closes: u64x8<S>,
        seen: &Seen<'_>,
        reader: &mut Reader<'_>,
        watch: &mut W,
    ) -> Option<Places<S>> {
        let brackets = opens | closes;
        match self.skimmable(opens.as_array(), brackets.as_array(), watch) {
            Some(skim) => self.skim(simd, skim, seen, watch),
            None => self.walk(simd, brackets.as_array(), seen, reader, watch),
        }
    }

    /// Lists the places of brackets. `None` if the watch does not skim, or they are too many, or would be too deep if
    /// all that begin were within each other.
    #[inline(always)]
    fn skimmable<W: Watch>(&mut self, opens: &Words, brackets: &Words, watch: &W) -> Option<Skim> {
        let told_within = watch.skims()?;
        let mut deepest = self.open.count();
        for bits in opens {
            deepest += bits.count_ones() as usize;
        }
        let open = self.open.bits(deepest).filter(|_| deepest <= self.most_open)?;
        let count = list(brackets, &mut self.places)?;
        Some(Skim { count, open, told_within })
    }

    /// Bracket by bracket.
    #[inline(always)]
    fn walk<S: Simd, W: Watch>(
        &mut self,
        simd: S,
        brackets: &Words,
        seen: &Seen<'_>,
        reader: &mut Reader<'_>,
        watch: &mut W,
    ) -> Option<Places<S>> {
        let (mut in_objects, mut within) = ([0; WORDS], [u64::MAX; WORDS]);
        let bytes = self.bytes;
        // On its own, so that it need not be stored at each step.
        let mut open = std::mem::take(&mut self.open);
        'all: for (word, bits) in brackets.iter().enumerate() {
            let base = seen.base + word * 64;
            let mut rest = *bits;
            let mut in_object = 0;
            // Up to the last bracket that was gone through.
            let mut done = 0;
            loop {
                // No bit, and then all that is left, behind the last one.
                let bit = rest & rest.wrapping_neg();
                let upto = bit | bit.wrapping_sub(1);
                let here = upto & !done;
                in_object |= here & all_if(open.is_in_object());
                if W::LOOKS_INSIDE && watch.wants_names() {
                    let mut names = seen.names[word] & here;
                    while names != 0 {
                        watch.name(bytes, seen, base + lowest(names))?;
                        names &= names - 1;
                    }
                }
                if bit == 0 {
                    break;
                }
                done = upto;
                rest &= rest - 1;
                let place = base + lowest(bit);
                let byte = *bytes.get(place)?;
                let (begins, is_brace) = (byte >> BEGINS & 1 == 1, byte >> IS_BRACE & 1 == 1);
                if begins {
                    if open.count() == self.most_open {
                        return None;
                    }
                    watch.opens(bytes, seen, place, open.count(), is_brace)?;
                    open.push(is_brace);
                } else {
                    if is_brace != open.is_in_object() {
                        return None;
                    }
                    open.pop();
                    watch.closes(reader, open.count())?;
                    if open.count() == 0 {
                        self.end = Some(place);
                        in_objects[word] = in_object;
                        within[word] = upto;
                        within[word + 1..].fill(0);
                        break 'all;
                    }
                }
            }
            in_objects[word] = in_object;
        }
        self.open = open;
        Some(Places { in_object: u64x8::simd_from(simd, in_objects), within: u64x8::simd_from(simd, within) })
    }

    /// For a watch that skims: as many as places have been listed, without a branch for each.
    #[inline(always)]
    fn skim<S: Simd, W: Watch>(
        &mut self,
        simd: S,
        Skim { count, open: first_open, told_within }: Skim,
        seen: &Seen<'_>,
        watch: &mut W,
    ) -> Option<Places<S>> {
        let none = u64x8::splat(simd, 0);
        let lanes = u64x8::simd_from(simd, [0, 1, 2, 3, 4, 5, 6, 7]);
        // Where it changes whether the innermost is an object.
        let mut turns = none;
        let mut within = [u64::MAX; WORDS];
        let mut told_count = 0;
        let (mut open, mut wrong) = (first_open, 0);
        let told_below = 1 << told_within;
        for place in self.places.iter().take(count) {
            let at = seen.base + usize::from(*place);
            let byte = u64::from(*self.bytes.get(at)?);
            let (begins, is_brace) = (byte >> BEGINS & 1, byte >> IS_BRACE & 1);
            let next = if begins == 1 { open << 1 | is_brace } else { open >> 1 };
            wrong |= (is_brace ^ open) & !begins;
            let (word, bit) = (*place / 64, *place % 64);
            let turn = u64x8::splat(simd, ((open ^ next) & 1) << bit);
            turns |= lanes.simd_eq(u64x8::splat(simd, u64::from(word))).select(turn, none);
            self.told[told_count % MOST_TOLD] = (*place, highest(open) as u16);
            told_count += usize::from(open << is_brace < told_below) & begins as usize;
            open = next;
            if open == 1 {
                self.end = Some(at);
                within[usize::from(word)] = u64::MAX >> (63 - bit);
                within[usize::from(word) + 1..].fill(0);
                break;
            }
        }
        if wrong & 1 != 0 {
            return None;
        }
        self.open.set(open);
        for (place, within) in self.told.iter().take(told_count) {
            let at = seen.base + usize::from(*place);
            watch.opens(self.bytes, seen, at, usize::from(*within), self.bytes.get(at) == Some(&b'{'))?;
        }
        let mut is_in_object = first_open & 1;
        let in_object = odd_from(simd, turns, &mut is_in_object) ^ turns;
        Some(Places { in_object, within: u64x8::simd_from(simd, within) })
    }
}

/// Lists the places of these bits, and tells how many they are. `None` if there is no room for them.
#[inline(always)]
fn list(words: &Words, places: &mut [u16; MOST_SKIMMED]) -> Option<usize> {
    let mut count = 0;
    let mut base = 0;
    for bits in words {
        let mut rest = *bits;
        let next = count + rest.count_ones() as usize;
        // Two whether they are there or not: few words have more, and whether one has any is anybody's guess.
        for place in places.get_mut(count..count + 2)? {
            *place = base + lowest(rest) as u16;
            rest &= rest.wrapping_sub(1);
        }
        if rest != 0 {
            for place in places.get_mut(count + 2..next)? {
                *place = base + lowest(rest) as u16;
                rest &= rest.wrapping_sub(1);
            }
        }
        count = next;
        base += 64;
    }
    Some(count)
}

#[inline(always)]
const fn all_if(is_so: bool) -> u64 {
    (is_so as u64).wrapping_neg()
}
