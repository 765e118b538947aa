//! Passing over much at once: containers that nobody wants, checked in groups of eight times sixty-four bytes.
//!
//! JSON's grammar is told by what may follow what, by which containers are open, and by how numbers, words and
//! escapes are written. The first is the same question for all tokens, so that bits ask it for all of a group
//! together, and whether a number has digits alone is one more; brackets are gone through one by one, and so are
//! other numbers, words, and strings with escapes. What does not pass here is not told what is wrong with it: the
//! reader walks it again, token by token, and says.
//!
//! The bits are those of Langdale and Lemire ("Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019).
//! Their second stage goes through all tokens; here it has become the masks of [`Sweep::group`].
#![expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]

use fearless_simd::{Level, Simd, dispatch, prelude::*, u64x8};

use super::{
    containers::{Containers, Places},
    group::{BYTES, Group},
    number::number_length,
    read::Reader,
    skip::Open,
    space::is_space,
    watch::{Seen, Watch},
    words::{WORDS, Words, behind, escaped, first_behind, highest, last, lowest, odd_from, sum},
};

/// From where to sweep, and how far.
pub(super) struct Start {
    /// Where a member's name or an element begins.
    pub(super) at: usize,
    /// The containers that are open there, of which the outermost ends the sweep.
    pub(super) open: Open,
    /// How many may be open.
    pub(super) most_open: usize,
}

/// What one group of blocks hands to the next.
struct Sweep<'a> {
    bytes: &'a [u8],
    base: usize,
    containers: Containers<'a>,
    /// 1 if the next group begins within a string, else 0.
    in_string: u64,
    first_is_escaped: u64,
    /// Where the string began in which it does, and whether an escape was seen in it.
    string: usize,
    has_escape: bool,
    /// 1 if that string is a name, else 0.
    in_key: u64,
    /// Where the last name began, or a string that stands where one would.
    name: usize,
    /// Where the number or word began that may go on there.
    scalar: usize,
    behind: Behind,
    /// Whether the first group has been worked on.
    goes_on: bool,
}

/// 1 if the next group's first byte is behind one of these, or the first behind white space that is, else 0.
#[derive(Default)]
struct Behind {
    open: u64,
    comma: u64,
    value: u64,
    key: u64,
    /// White space is nothing to look past there.
    scalar: u64,
    first_zero: u64,
}

/// Where strings begin and end.
struct Strings {
    opening_quotes: Words,
    closing_quotes: Words,
}

impl Reader<'_> {
    /// Moves behind the end of the outermost open container. `None`, and stays, if anything in it is not as it
    /// has to be, or the watch breaks off.
    pub(super) fn sweep(&mut self, start: Start, watch: &mut impl Watch) -> Option<()> {
        let Start { at, open, most_open } = start;
        let before = self.at;
        let mut sweep = Sweep {
            bytes: self.bytes,
            base: at,
            containers: Containers::new(self.bytes, open, most_open),
            in_string: 0,
            first_is_escaped: 0,
            string: at,
            has_escape: false,
            in_key: 0,
            name: at,
            scalar: at,
            // What stands there is the first in its container, or follows a comma: the same may come.
            behind: Behind { comma: 1, ..Behind::default() },
            goes_on: false,
        };
        let end = dispatch!(Level::new(), simd => sweep.run(simd, self, watch));
        self.at = end.unwrap_or(before);
        if end.is_some() {
            self.ends.jump(self.at);
        }
        end.map(drop)
    }
}

impl Sweep<'_> {
    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, reader: &mut Reader<'_>, watch: &mut impl Watch) -> Option<usize> {
        let (whole, rest) = self.bytes.get(self.base..)?.as_chunks::<BYTES>();
        let mut following = whole.iter();
        let mut rest = Some(rest);
        // One is read ahead of the one that is worked on, which would else wait for its words to be stored. Most
        // sweeps end in their first, so that none is read ahead of that.
        let (mut one, mut other) = (Group::default(), Group::default());
        let (mut group, mut next) = (&mut one, &mut other);
        let mut is_next_read = false;
        loop {
            std::mem::swap(&mut group, &mut next);
            if !is_next_read && !read_next(simd, group, &mut following, &mut rest) {
                return None;
            }
            is_next_read = self.goes_on && read_next(simd, next, &mut following, &mut rest);
            self.group(simd, group, reader, watch)?;
            if let Some(end) = self.containers.end() {
                return Some(end + 1);
            }
            self.goes_on = true;
            self.base += BYTES;
        }
    }

    /// `None` if something is wrong.
    #[inline(always)]
    fn group<S: Simd, W: Watch>(
        &mut self,
        simd: S,
        group: &mut Group,
        reader: &mut Reader<'_>,
        watch: &mut W,
    ) -> Option<()> {
        let words = |words: Words| u64x8::simd_from(simd, words);
        let any = |found: u64x8<S>| found.simd_ne(words([0; WORDS])).any_true();

        if group.has_backslashes || self.first_is_escaped != 0 {
            for (quotes, backslashes) in group.quotes.iter_mut().zip(group.backslashes) {
                *quotes &= !escaped(backslashes, &mut self.first_is_escaped);
            }
        }
        let quotes = words(group.quotes);
        let in_string = odd_from(simd, quotes, &mut self.in_string);
        let outside = !in_string;
        if group.has_controls && any(words(group.controls) & in_string) {
            return None;
        }
        let (opening_quotes, closing_quotes) = (quotes & in_string, quotes & outside);
        let (opens, closes) = (words(group.opens) & outside, words(group.closes) & outside);
        let (colons, commas) = (words(group.colons) & outside, words(group.commas) & outside);
        let spaces = words(group.spaces) & outside;
        let scalars = outside & !(quotes | opens | closes | colons | commas | spaces);
        let scalar_starts = scalars & !behind(simd, scalars, &mut self.behind.scalar);

        let spaces = any(spaces).then_some(spaces);
        let behind_open = first_behind(simd, opens, spaces, &mut self.behind.open);
        let behind_comma = first_behind(simd, commas, spaces, &mut self.behind.comma);
        let behind_value = first_behind(simd, closing_quotes | closes | scalars, spaces, &mut self.behind.value);

        let may_be_keys = (behind_open | behind_comma) & opening_quotes;
        let seen = Seen {
            base: self.base,
            names: may_be_keys.as_array(),
            name: self.name,
            backslashes: &group.backslashes,
            has_backslashes: group.has_backslashes,
        };
        let Places { in_object, within } = self.containers.places(simd, opens, closes, &seen, reader, watch)?;

        // A key's first quote, added to the bits of its string, comes out at its last.
        let key_ends = sum(simd, in_string, may_be_keys & in_object, &mut self.in_key) & closing_quotes;
        let behind_key = first_behind(simd, key_ends, spaces, &mut self.behind.key);
        let values = opening_quotes | opens | scalar_starts;
        let mut wrong = behind_value & values
            | (commas | colons | closes & !behind_open) & !behind_value
            | (behind_open | behind_comma) & in_object & !(opening_quotes | closes)
            | behind_key ^ colons;
        // Without its first zero no number has digits alone.
        let digits = words(group.digits);
        let first_zeros = scalar_starts & words(group.zeros);
        wrong |= behind(simd, first_zeros, &mut self.behind.first_zero) & scalars & digits;
        if any(wrong & within) {
            return None;
        }
        let others = scalars & within & !digits;
        if any(others) {
            self.others(scalars.as_array(), scalar_starts.as_array(), others.as_array())?;
        }
        if self.behind.scalar != 0 {
            self.scalar = last(scalar_starts.as_array()).map_or(self.scalar, |at| self.base + at);
        }
        if group.has_backslashes || self.has_escape {
            let backslashes = words(group.backslashes) & within;
            let (opening_quotes, closing_quotes) = (opening_quotes & within, closing_quotes & within);
            let strings = Strings { opening_quotes: opening_quotes.into(), closing_quotes: closing_quotes.into() };
            self.escapes(&strings, backslashes.as_array(), reader)?;
        }
        if W::LOOKS_INSIDE {
            self.name = last(may_be_keys.as_array()).map_or(self.name, |at| self.base + at);
        }
        if self.in_string != 0 {
            self.string = last(opening_quotes.as_array()).map_or(self.string, |at| self.base + at);
        }
        Some(())
    }

    /// Whether numbers and words are such, of which these are bytes other than digits: signs, points, letters.
    #[inline(never)]
    fn others(&self, scalars: &Words, starts: &Words, others: &Words) -> Option<()> {
        for (word, others) in others.iter().enumerate() {
            let mut others = *others;
            while others != 0 {
                let bit = others & others.wrapping_neg();
                let before = starts[word] & (bit | (bit - 1));
                let start = if before == 0 {
                    // It began before this word.
                    last(&starts[..word]).map_or(self.scalar, |at| self.base + at)
                } else {
                    self.base + word * 64 + highest(before)
                };
                // Added to all bits before its end, one comes out there, and none of them stays: it is looked at
                // once for each block that it has such bytes in, which are few if it is one.
                others &= (scalars[word] | (bit - 1)).wrapping_add(1);
                self.is_scalar(start)?;
            }
        }
        Some(())
    }

    /// Whether a number or a word stands there, and ends as one does.
    #[inline(always)]
    fn is_scalar(&self, start: usize) -> Option<()> {
        let bytes = self.bytes.get(start..)?;
        let length = match bytes.first_chunk() {
            Some(b"true" | b"null") => 4,
            Some(b"fals") if bytes.get(4) == Some(&b'e') => 5,
            _ => number_length(bytes)?,
        };
        let behind = *bytes.get(length)?;
        (matches!(behind, b',' | b'}' | b']') || is_space(behind)).then_some(())
    }

    /// Whether the escapes of strings that end here are such, and may pass.
    #[inline(never)]
    fn escapes(&mut self, strings: &Strings, backslashes: &Words, reader: &mut Reader<'_>) -> Option<()> {
        let mut string = self.string;
        for (word, backslashes) in backslashes.iter().enumerate() {
            let base = self.base + word * 64;
            let opening_quotes = strings.opening_quotes[word];
            let mut rest = opening_quotes | strings.closing_quotes[word];
            // Outside of strings there are none: that would be no scalar, and has been found.
            let mut left = *backslashes;
            while rest != 0 {
                let at = lowest(rest);
                let bit = 1 << at;
                rest &= rest - 1;
                let before = left & (bit - 1);
                left &= !before;
                if opening_quotes & bit != 0 {
                    string = base + at;
                    self.has_escape = false;
                } else if self.has_escape || before != 0 {
                    reader.escapes(string + 1, base + at).ok()?;
                    self.has_escape = false;
                }
            }
            self.has_escape |= left != 0;
        }
        Some(())
    }
}

/// Reads the next group, the last of which is filled up with white space. False if there is none.
#[inline(always)]
fn read_next<'a, S: Simd>(
    simd: S,
    group: &mut Group,
    whole: &mut std::slice::Iter<'a, [u8; BYTES]>,
    rest: &mut Option<&'a [u8]>,
) -> bool {
    if let Some(bytes) = whole.next() {
        group.read(simd, bytes);
        return true;
    }
    let Some(rest) = rest.take() else { return false };
    let mut last = [b' '; BYTES];
    for (place, byte) in last.iter_mut().zip(rest) {
        *place = *byte;
    }
    group.read(simd, &last);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{LoneSurrogates, ReadOptions, skip::tests::TOKENS, watch::Unwatched},
        *,
    };

    const LONG_SPACE: &str = "                                        ";

    /// Where the first container of a text that is not empty ends by a sweep of all of it.
    fn swept(options: ReadOptions, text: &str) -> Option<usize> {
        let mut end = None;
        let read = options.document(text.as_bytes(), None, |reader| {
            let mut open = Open::default();
            let in_object = reader.bytes.get(reader.at) == Some(&b'{');
            open.push(in_object);
            reader.at += 1;
            reader.space();
            let start = Start { at: reader.at, open, most_open: options.max_depth };
            if reader.sweep(start, &mut Unwatched).is_some() {
                end = Some(reader.at);
            }
            reader.at = reader.bytes.len();
            Ok(())
        });
        read.ok().and(end)
    }

    #[test]
    fn what_is_good_is_swept_to_its_end() {
        let escapes = r#"{"a\"":"\\","b":"\\\"\u00e9\ud83d\ude00\n","c\\":["\/","\\\\"]}"#;
        let table = [
            "[1]",
            r#"{"a":1,"b":[true,false,null,-1.5e+3,0],"c":{"d":{},"e":[]}}"#,
            "{\n    \"a\" : [ 1 ,\r\n\t2 ] ,\n    \"b\"  :  { }\n}",
            escapes,
            r#"["{[]}:,\u0022",":","[",{"{":"}"}]"#,
            "[\"é{\u{1f600}\"]",
        ];
        for text in table {
            // Tokens at all places of a block, across two, and across two groups.
            for before in (0..130).chain(380..530) {
                let text = format!("[\"{}\",{text}]", "a".repeat(before));
                assert_eq!(swept(ReadOptions::default(), &text), Some(text.len()), "{text}");
                let text = format!("[{}{text}{0}]", " ".repeat(before));
                assert_eq!(swept(ReadOptions::default(), &text), Some(text.len()), "{text}");
                let followed = format!("{text}, \"more\"]}}");
                assert_eq!(swept(ReadOptions::default(), &followed), Some(text.len()), "{followed}");
            }
        }
    }

    #[test]
    fn any_byte_changed_is_seen_as_by_the_reader() {
        let text = r#"{"a":[1,-2.5e3,true],"b\n\u0041":{"c":null,"d":"\\"},"e" : [ {} , [] ] ,"f":"x{"}"#;
        for before in [0, 20, 50, BYTES - 60, BYTES - 20] {
            let text = format!("[\"{}\",{text}]", "a".repeat(before));
            for at in before.max(1)..text.len() {
                for byte in 0..0x80_u8 {
                    let mut changed = text.clone().into_bytes();
                    changed[at] = byte;
                    let changed = String::from_utf8(changed).unwrap();
                    let options = ReadOptions::default();
                    let whole = swept(options, &changed) == Some(changed.len());
                    assert_eq!(whole, options.read(changed.as_bytes()).is_ok(), "{changed}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_sweep_finds_good_what_the_reader_finds_good(
            tokens in prop::collection::vec(
                prop_oneof![9 => prop::sample::select(&TOKENS), 1 => Just(LONG_SPACE)],
                0..24,
            ),
            before in prop_oneof![Just(0), 0..70_usize, BYTES - 80..BYTES + 10],
            max_depth in 1_usize..6,
            is_object in any::<bool>(),
        ) {
            for lone_surrogates in [LoneSurrogates::Refuse, LoneSurrogates::Replace] {
                let options = ReadOptions { max_depth, lone_surrogates, ..ReadOptions::default() };
                let inner = tokens.concat();
                let before = "a".repeat(before);
                let text =
                    if is_object { format!("{{\"{before}\":[{inner}]}}") } else { format!("[\"{before}\",{inner}]") };
                let whole = swept(options, &text) == Some(text.len());
                prop_assert_eq!(whole, options.read(text.as_bytes()).is_ok(), "{}", text);
            }
        }
    }
}
