//! Passing over values that nobody wants, which most of a body is: checked as if they were built.

use super::{
    error::Slip,
    number::number_length,
    read::{Reader, Step},
    space::behind_space,
    sweep::Start,
    watch::Unwatched,
    words::highest,
};

/// A container of which so many bytes were passed over is swept from there on.
const SWEPT_FROM: usize = 384;

/// So many containers and more are not told as bits.
pub(super) const MOST_IN_BITS: usize = 63;

/// Which containers are open, of any number: a bit for each, set for an object.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// The innermost ones, the last in the lowest bit, behind a bit that is always set.
    last: u64,
    count: usize,
    /// Sixty-three of those further out in each, and that bit.
    outer: Vec<u64>,
}

impl Default for Open {
    fn default() -> Self {
        Self { last: 1, count: 0, outer: Vec::new() }
    }
}

impl Open {
    #[inline]
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// All of them, the innermost in the lowest bit, behind a bit that is always set, if there is room for so many
    /// in all.
    #[inline]
    pub(super) fn bits(&self, most: usize) -> Option<u64> {
        (most < MOST_IN_BITS && self.outer.is_empty()).then_some(self.last)
    }

    /// What has become of [`Open::bits`].
    #[inline]
    pub(super) fn set(&mut self, bits: u64) {
        self.last = bits;
        self.count = highest(bits);
    }

    /// Whether the innermost is an object; true if none is open.
    #[inline]
    pub(super) const fn is_in_object(&self) -> bool {
        self.last & 1 == 1
    }

    #[inline]
    pub(super) fn push(&mut self, is_object: bool) {
        if self.last >> 63 == 1 {
            self.outer.push(self.last);
            self.last = 1;
        }
        self.last = self.last << 1 | u64::from(is_object);
        self.count += 1;
    }

    /// Nothing, if none is open.
    #[inline]
    pub(super) fn pop(&mut self) {
        self.count = self.count.saturating_sub(1);
        self.last >>= 1;
        if self.last <= 1 {
            self.last = self.outer.pop().unwrap_or(1);
        }
    }
}

impl Reader<'_> {
    /// Moves behind a value.
    #[inline]
    pub(super) fn pass_over(&mut self) -> Step<()> {
        if self.peek()? != b'"' {
            return self.pass_over_any();
        }
        self.at = self.behind_string(self.at)?;
        Ok(())
    }

    fn pass_over_any(&mut self) -> Step<()> {
        let bytes = self.bytes;
        // Its own, so that it need not be stored at each step.
        let mut at = self.at;
        let mut open = Open::default();
        let mut in_object = false;
        let mut sweep_from = at + SWEPT_FROM;
        loop {
            if at >= sweep_from && open.count > 0 {
                // Once: where it meets what it leaves to us, it does so again.
                sweep_from = usize::MAX;
                let most_open = self.max_depth() - self.depth;
                if self.sweep(Start { at, open: open.clone(), most_open }, &mut Unwatched).is_some() {
                    return Ok(());
                }
            }
            if in_object {
                at = self.behind_name(at)?;
            }
            match bytes.get(at) {
                Some(b'"') => at = self.behind_string(at)?,
                Some(b'-' | b'0'..=b'9') => match number_length(&bytes[at..]) {
                    Some(length) => at += length,
                    None => return self.fail(at, Slip::Number),
                },
                Some(first @ (b'{' | b'[')) => {
                    self.may_enter(at, open.count)?;
                    let opens_object = *first == b'{';
                    at = behind_space(bytes, at + 1);
                    if bytes.get(at) == Some(if opens_object { &b'}' } else { &b']' }) {
                        at += 1;
                    } else {
                        open.push(opens_object);
                        in_object = opens_object;
                        continue;
                    }
                }
                Some(b't') => at = self.behind_word(at, "true")?,
                Some(b'f') => at = self.behind_word(at, "false")?,
                Some(b'n') => at = self.behind_word(at, "null")?,
                Some(_) => return self.fail(at, Slip::Value),
                None => return self.fail(at, Slip::End),
            }
            loop {
                if open.count == 0 {
                    self.at = at;
                    return Ok(());
                }
                at = behind_space(bytes, at);
                match bytes.get(at) {
                    Some(b',') => {
                        at = behind_space(bytes, at + 1);
                        break;
                    }
                    Some(b'}') if in_object => open.pop(),
                    Some(b']') if !in_object => open.pop(),
                    Some(_) if in_object => return self.fail(at, Slip::CommaOrBrace),
                    Some(_) => return self.fail(at, Slip::CommaOrBracket),
                    None => return self.fail(at, Slip::End),
                }
                in_object = open.is_in_object();
                at += 1;
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn fail<T>(&mut self, at: usize, slip: Slip) -> Step<T> {
        self.at = at;
        Err(slip)
    }

    #[inline]
    fn may_enter(&mut self, at: usize, open: usize) -> Step<()> {
        if self.depth + open == self.max_depth() { self.fail(at, Slip::Depth) } else { Ok(()) }
    }

    #[inline]
    fn behind_word(&mut self, at: usize, word: &'static str) -> Step<usize> {
        self.at = at;
        self.word(word)?;
        Ok(self.at)
    }

    /// Where a member's value begins.
    #[inline]
    fn behind_name(&mut self, at: usize) -> Step<usize> {
        match self.bytes.get(at) {
            Some(b'"') => {}
            Some(_) => return self.fail(at, Slip::Name),
            None => return self.fail(at, Slip::End),
        }
        let end = self.ends.of_string(at);
        match self.bytes.get(end..) {
            // Most often there is no space, or one.
            Some([b'"', b':', next, ..]) if *next > b' ' => Ok(end + 2),
            Some([b'"', b':', b' ', next, ..]) if *next > b' ' => Ok(end + 3),
            _ => self.behind_other_name(at, end),
        }
    }

    #[inline(never)]
    fn behind_other_name(&mut self, at: usize, end: usize) -> Step<usize> {
        self.at = if self.bytes.get(end) == Some(&b'"') { end + 1 } else { self.behind_escaped(at, end)? };
        self.colon()?;
        Ok(self.at)
    }

    /// Behind the string that begins there.
    #[inline]
    fn behind_string(&mut self, at: usize) -> Step<usize> {
        let end = self.ends.of_string(at);
        if self.bytes.get(end) == Some(&b'"') { Ok(end + 1) } else { self.behind_escaped(at, end) }
    }

    /// The same for a string of which the first bytes, up to that end, are plain.
    #[inline(never)]
    fn behind_escaped(&mut self, at: usize, end: usize) -> Step<usize> {
        if self.may_pass.is_some() {
            // It is asked about what the escapes stand for.
            self.escaped_string(at + 1, end)?;
            return Ok(self.at);
        }
        self.at = end;
        while self.goes_on()? {
            self.escape()?;
            self.at = self.ends.from(self.at);
        }
        Ok(self.at)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::{LoneSurrogates, ReadError, ReadOptions, Want, Wanted};

    /// What texts of the property tests are made of.
    pub(in super::super) const TOKENS: [&str; 34] = [
        "{",
        "}",
        "[",
        "]",
        "{\"a\":1}",
        "[1,2]",
        "\"name\":",
        "\"a\" : ",
        ",",
        " ,\n    ",
        ":",
        "1",
        "-0.5e3",
        "01",
        "2.",
        "true",
        "nul",
        "null",
        "\"text of more than eight bytes\"",
        "\"\\n\\u0061\"",
        "\"\\x\"",
        "\"\\ud83d\"",
        "\"\t\"",
        "\"",
        "\\",
        "\u{b}",
        "é",
        "{\"a\":{\"b\":[{}]},\"c\":\"d\"}",
        ",\"a\":",
        ",\"b\":[",
        "],",
        "},",
        "\"a\",",
        "{\"a\":",
    ];

    #[derive(Clone, Copy)]
    struct Nothing;

    impl Wanted for Nothing {
        fn member(self, _: &str) -> Want<Self> {
            Want::Nothing
        }

        fn element(self, _: usize) -> Want<Self> {
            Want::Nothing
        }
    }

    /// What is said of a text when all of it is built, and when what is in it is passed over.
    fn said(options: ReadOptions, text: &str) -> [Result<(), ReadError>; 3] {
        let all = |_: &str| true;
        [
            options.read(text.as_bytes()).map(drop),
            options.read_wanted(text.as_bytes(), Nothing, None).map(drop),
            options.read_wanted(text.as_bytes(), Nothing, Some(&all)).map(drop),
        ]
    }

    #[test]
    fn containers_of_any_depth_are_closed_as_they_were_opened() {
        let options = ReadOptions { max_depth: 300, ..ReadOptions::default() };
        for depth in [1, 2, 63, 64, 65, 66, 127, 128, 129, 130, 200, 300, 301] {
            let is_object = |level: usize| !(level * level + level / 3).is_multiple_of(3) && level > 0;
            let opened: String = (0..depth).map(|level| if is_object(level) { "{\"a\":" } else { "[ " }).collect();
            let closed: String = (0..depth).rev().map(|level| if is_object(level) { "}" } else { " ]" }).collect();
            let good = format!("{opened}1{closed}");
            let [built, passed, asked] = said(options, &good);
            assert_eq!(built.is_ok(), depth <= 300, "{depth}");
            assert_eq!((&built, &built), (&passed, &asked), "{depth}");
            for (at, byte) in good.bytes().enumerate().filter(|(_, byte)| b"{}[]".contains(byte)) {
                let mut bad = good.clone();
                bad.replace_range(at..=at, if b"{}".contains(&byte) { "]" } else { "}" });
                let [built, passed, asked] = said(options, &bad);
                assert!(built.is_err());
                assert_eq!((&built, &built), (&passed, &asked), "{bad}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_passed_over_is_checked_as_if_it_were_built(
            tokens in prop::collection::vec(
                prop::sample::select(&TOKENS),
                0..12,
            ),
            max_depth in 1_usize..6,
        ) {
            for lone_surrogates in [LoneSurrogates::Refuse, LoneSurrogates::Replace] {
                let options = ReadOptions { max_depth, lone_surrogates, ..ReadOptions::default() };
                for text in [format!("[{}]", tokens.concat()), format!("{{\"a\":[{}]}}", tokens.concat())] {
                    let [built, passed, asked] = said(options, &text);
                    prop_assert_eq!(&built, &passed, "{}", text);
                    prop_assert_eq!(&built, &asked, "{}", text);
                }
            }
        }
    }
}
