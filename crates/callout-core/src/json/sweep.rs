//! Passing over much at once: containers that nobody wants, checked sixty-four bytes at a time.
//!
//! JSON's grammar is told by what may follow what, by which containers are open, and by how numbers, words and
//! escapes are written. The first is the same question for all tokens, so that bits ask it for all of a block
//! together; brackets are gone through one by one, and so are numbers, words, and strings with escapes. What
//! does not pass here is not told what is wrong with it: the reader walks it again, token by token, and says.
//!
//! The blocks are those of Langdale and Lemire ("Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019).
//! Their second stage goes through all tokens; here it has become the masks of [`Sweep::follows_the_grammar`].
#![expect(clippy::inline_always, reason = "only so it is compiled for what the processor is found to have")]

use fearless_simd::{Level, Simd, dispatch};

use super::{
    block::{Block, escaped, odd_from},
    number::number_length,
    read::Reader,
    skip::Open,
    space::is_space,
};

/// Is told of the containers in what is swept, and may break off.
pub(super) trait Watch {
    /// Whether the outermost container may hold nothing but containers.
    const ONLY_CONTAINERS: bool;

    /// One begins at `at`, in so many others. `None` breaks off.
    fn opens(&mut self, bytes: &[u8], at: usize, within: usize, is_object: bool) -> Option<()>;
}

/// Nobody watches.
pub(super) struct Unwatched;

impl Watch for Unwatched {
    const ONLY_CONTAINERS: bool = false;

    #[inline]
    fn opens(&mut self, _: &[u8], _: usize, _: usize, _: bool) -> Option<()> {
        Some(())
    }
}

/// From where to sweep, and how far.
pub(super) struct Start {
    /// Where a member's name or an element begins.
    pub(super) at: usize,
    /// The containers that are open there, of which the outermost ends the sweep.
    pub(super) open: Open,
    /// How many may be open.
    pub(super) most_open: usize,
}

/// What one block hands to the next.
struct Sweep<'a> {
    bytes: &'a [u8],
    base: usize,
    open: Open,
    in_object: bool,
    most_open: usize,
    /// All bits if the next block begins within a string.
    in_string: u64,
    first_is_escaped: u64,
    /// Where the last string began that has, and whether an escape was seen in it.
    string: usize,
    has_escape: bool,
    in_key: u64,
    in_scalar: u64,
    /// 1 if the next token is the first behind one of these, else 0.
    behind: Behind,
    /// Where the outermost container has ended.
    end: Option<usize>,
}

#[derive(Default)]
struct Behind {
    open: u64,
    comma: u64,
    colon: u64,
    value: u64,
    key: u64,
}

/// The tokens of a block, outside of strings.
struct Tokens {
    opening_quotes: u64,
    closing_quotes: u64,
    opens: u64,
    closes: u64,
    colons: u64,
    commas: u64,
    spaces: u64,
    /// Bytes of numbers and words, and of what has no place in JSON.
    scalars: u64,
    in_string: u64,
    /// Where the innermost container is an object.
    in_object: u64,
    /// Where it is the outermost, if that is asked.
    in_outermost: u64,
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
            in_object: open.is_in_object(),
            open,
            most_open,
            in_string: 0,
            first_is_escaped: 0,
            string: at,
            has_escape: false,
            in_key: 0,
            in_scalar: 0,
            // What stands there is the first in its container, or follows a comma: the same may come.
            behind: Behind { comma: 1, ..Behind::default() },
            end: None,
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
        let (blocks, rest) = self.bytes.get(self.base..)?.as_chunks::<64>();
        for block in blocks {
            self.block(simd, block, reader, watch)?;
            if let Some(end) = self.end {
                return Some(end + 1);
            }
            self.base += 64;
        }
        let mut last = [b' '; 64];
        last.get_mut(..rest.len())?.copy_from_slice(rest);
        self.block(simd, &last, reader, watch)?;
        self.end.map(|end| end + 1)
    }

    /// `None` if something is wrong.
    #[inline(always)]
    fn block<S: Simd, W: Watch>(
        &mut self,
        simd: S,
        bytes: &[u8; 64],
        reader: &mut Reader<'_>,
        watch: &mut W,
    ) -> Option<()> {
        let block = Block::of(simd, bytes);
        let quotes = block.quotes & !escaped(block.backslashes, &mut self.first_is_escaped);
        let in_string = odd_from(quotes) ^ self.in_string;
        let outside = !in_string;
        if block.controls & in_string != 0 {
            return None;
        }
        let mut tokens = Tokens {
            opening_quotes: quotes & in_string,
            closing_quotes: quotes & outside,
            opens: block.opens & outside,
            closes: block.closes & outside,
            colons: block.colons & outside,
            commas: block.commas & outside,
            spaces: block.spaces & outside,
            scalars: 0,
            in_string,
            in_object: 0,
            in_outermost: 0,
        };
        let Tokens { opens, closes, colons, commas, spaces, .. } = tokens;
        tokens.scalars = outside & !(quotes | opens | closes | colons | commas | spaces);
        self.brackets(&mut tokens, watch)?;
        if let Some(end) = self.end {
            tokens.end_behind(end - self.base);
        }
        let scalar_starts = match tokens.spaces {
            0 => self.follows_the_grammar::<false>(&tokens),
            _ => self.follows_the_grammar::<true>(&tokens),
        }?;
        if W::ONLY_CONTAINERS && (tokens.opening_quotes | scalar_starts) & tokens.in_outermost != 0 {
            return None;
        }
        self.scalars(scalar_starts)?;
        if block.backslashes != 0 || self.has_escape {
            self.escapes(&tokens, block.backslashes, reader)?;
        }
        self.in_string = if in_string >> 63 == 1 { u64::MAX } else { 0 };
        if tokens.opening_quotes != 0 {
            self.string = self.base + highest(tokens.opening_quotes);
        }
        Some(())
    }

    /// Opens and closes containers, to the end of the outermost if it is here.
    #[inline(always)]
    fn brackets<W: Watch>(&mut self, tokens: &mut Tokens, watch: &mut W) -> Option<()> {
        let mut rest = tokens.opens | tokens.closes;
        // Up to the last bracket that was gone through.
        let mut done = 0;
        while rest != 0 {
            let at = lowest(rest);
            let bit = 1 << at;
            rest &= rest - 1;
            let upto = bit | (bit - 1);
            if self.in_object {
                tokens.in_object |= upto & !done;
            }
            if W::ONLY_CONTAINERS && self.open.count() == 1 {
                tokens.in_outermost |= upto & !done;
            }
            done = upto;
            let place = self.base + at;
            let byte = self.bytes.get(place)?;
            if tokens.opens & bit != 0 {
                if self.open.count() == self.most_open {
                    return None;
                }
                self.in_object = *byte == b'{';
                watch.opens(self.bytes, place, self.open.count(), self.in_object)?;
                self.open.push(self.in_object);
            } else {
                if (*byte == b'}') != self.in_object {
                    return None;
                }
                self.open.pop();
                if self.open.count() == 0 {
                    self.end = Some(place);
                    return Some(());
                }
                self.in_object = self.open.is_in_object();
            }
        }
        if self.in_object {
            tokens.in_object |= !done;
        }
        if W::ONLY_CONTAINERS && self.open.count() == 1 {
            tokens.in_outermost |= !done;
        }
        Some(())
    }

    /// Whether each token may follow on the one before; the places where numbers and words begin.
    #[inline(always)]
    fn follows_the_grammar<const SPACED: bool>(&mut self, tokens: &Tokens) -> Option<u64> {
        let Tokens { opening_quotes, closing_quotes, opens, closes, colons, commas, spaces, scalars, .. } = *tokens;
        let scalar_starts = scalars & !(scalars << 1 | self.in_scalar);
        self.in_scalar = scalars >> 63;
        let values = opening_quotes | opens | scalar_starts;
        let behind_open = next::<SPACED>(opens, spaces, &mut self.behind.open);
        let behind_comma = next::<SPACED>(commas, spaces, &mut self.behind.comma);
        let behind_colon = next::<SPACED>(colons, spaces, &mut self.behind.colon);
        let behind_value = next::<SPACED>(closing_quotes | closes | scalars, spaces, &mut self.behind.value);
        let keys = (behind_open | behind_comma) & tokens.in_object;
        // A key's first quote, added to the bits of its string, comes out at its last.
        let key_starts = keys & opening_quotes | self.in_key;
        let (key_ends, overflow) = tokens.in_string.overflowing_add(key_starts);
        self.in_key = u64::from(overflow);
        let behind_key = next::<SPACED>(key_ends & closing_quotes, spaces, &mut self.behind.key);
        let wrong = behind_value & values
            | (behind_comma | behind_colon) & !values
            | behind_open & !(values | closes)
            | keys & !(opening_quotes | closes)
            | behind_key ^ colons;
        (wrong == 0).then_some(scalar_starts)
    }

    /// Whether numbers and words are such.
    #[inline(always)]
    fn scalars(&self, mut starts: u64) -> Option<()> {
        while starts != 0 {
            let bytes = self.bytes.get(self.base + lowest(starts)..)?;
            starts &= starts - 1;
            let length = match bytes.first()? {
                b't' if bytes.starts_with(b"true") => 4,
                b'f' if bytes.starts_with(b"false") => 5,
                b'n' if bytes.starts_with(b"null") => 4,
                _ => number_length(bytes)?,
            };
            match bytes.get(length)? {
                b',' | b'}' | b']' => {}
                byte if is_space(*byte) => {}
                _ => return None,
            }
        }
        Some(())
    }

    /// Whether the escapes of strings that end here are such, and may pass.
    #[inline(never)]
    fn escapes(&mut self, tokens: &Tokens, backslashes: u64, reader: &mut Reader<'_>) -> Option<()> {
        let Tokens { opening_quotes, closing_quotes, in_string, .. } = *tokens;
        let mut rest = opening_quotes | closing_quotes;
        let mut string = self.string;
        // Backslashes outside of strings are no scalars and have been found.
        let mut left = backslashes & in_string;
        while rest != 0 {
            let at = lowest(rest);
            let bit = 1 << at;
            rest &= rest - 1;
            let before = left & (bit - 1);
            left &= !before;
            if opening_quotes & bit != 0 {
                string = self.base + at;
                self.has_escape = false;
            } else if self.has_escape || before != 0 {
                reader.escapes(string + 1, self.base + at).ok()?;
                self.has_escape = false;
            }
        }
        self.has_escape |= left != 0;
        Some(())
    }
}

impl Tokens {
    /// What stands behind that place is no longer asked about.
    #[inline(always)]
    fn end_behind(&mut self, end: usize) {
        let upto = u64::MAX >> (63 - end);
        for bits in [
            &mut self.opening_quotes,
            &mut self.closing_quotes,
            &mut self.opens,
            &mut self.closes,
            &mut self.colons,
            &mut self.commas,
            &mut self.scalars,
            &mut self.in_string,
        ] {
            *bits &= upto;
        }
    }
}

/// The first places behind these where no white space stands. `carry` is 1 if the first byte is behind one of
/// the last block, and afterwards if that of the next is, else 0.
#[inline(always)]
const fn next<const SPACED: bool>(places: u64, spaces: u64, carry: &mut u64) -> u64 {
    let behind = places << 1 | *carry;
    *carry = places >> 63;
    if !SPACED {
        return behind;
    }
    // Added to a row of white space, the bit at its beginning comes out behind it.
    let (moved, overflow) = spaces.overflowing_add(behind & spaces);
    *carry |= overflow as u64;
    (moved | behind) & !spaces
}

#[inline(always)]
const fn lowest(bits: u64) -> usize {
    bits.trailing_zeros() as usize
}

#[inline(always)]
const fn highest(bits: u64) -> usize {
    63 - bits.leading_zeros() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{LoneSurrogates, ReadOptions, skip::tests::TOKENS},
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
            // Tokens at all places of a block, and across two.
            for before in 0..130 {
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
        for before in [0, 20, 50] {
            let text = format!("[\"{}\",{text}]", "a".repeat(before));
            for at in 1..text.len() {
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
            max_depth in 1_usize..6,
            is_object in any::<bool>(),
        ) {
            for lone_surrogates in [LoneSurrogates::Refuse, LoneSurrogates::Replace] {
                let options = ReadOptions { max_depth, lone_surrogates, ..ReadOptions::default() };
                let inner = tokens.concat();
                let text = if is_object { format!("{{\"x\":[{inner}]}}") } else { format!("[0,{inner}]") };
                let whole = swept(options, &text) == Some(text.len());
                prop_assert_eq!(whole, options.read(text.as_bytes()).is_ok(), "{}", text);
            }
        }
    }
}
