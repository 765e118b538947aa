//! What rows look for in an object, found by the names of its members.
#![expect(clippy::inline_always, reason = "what is found would come through memory, and its reader wait for it")]

use smol_str::SmolStr;

use super::super::watch::Seen;

/// What is looked for in one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    values: Vec<Member<usize>>,
    objects: Vec<Member<Self>>,
    /// The columns that are filled from here.
    pub(super) columns: Vec<usize>,
    /// Bytes of the longest name.
    longest: usize,
    /// A bit for the last six of each name's first byte, as it stands in a text, and for that of an escape: most of
    /// the other names are told by it.
    firsts: u64,
}

/// A name, and what it leads to.
#[derive(Clone, Debug)]
struct Member<T> {
    /// How the name begins in a text, the quote behind it counted in, and which of these bits count.
    start: u64,
    mask: u64,
    name: SmolStr,
    to: T,
}

/// What the name of a member leads to.
pub(super) enum Found<'f> {
    /// The value of a column.
    Value(usize),
    /// Values within.
    Object(&'f Fields),
    Nothing,
    /// It is written with escapes.
    Unknown,
}

impl Fields {
    pub(super) fn add(&mut self, path: &[SmolStr], column: usize) -> Option<()> {
        let (name, rest) = path.split_first()?;
        self.columns.push(column);
        self.longest = self.longest.max(name.len());
        self.firsts |= first_bit(name.as_bytes().first().copied().unwrap_or(b'"')) | first_bit(b'\\');
        if self.values.iter().any(|member| member.name == *name) {
            return None;
        }
        let known = self.objects.iter_mut().find(|member| member.name == *name);
        match (known, rest.is_empty()) {
            (None, true) => self.values.push(Member::new(name, column)),
            (None, false) => {
                let mut inner = Self::default();
                inner.add(rest, column)?;
                self.objects.push(Member::new(name, inner));
            }
            (Some(member), false) => member.to.add(rest, column)?,
            (Some(_), true) => return None,
        }
        Some(())
    }

    /// How many objects within each other a value is in at most, this one counted in.
    pub(super) fn depth(&self) -> usize {
        1 + self.objects.iter().map(|member| member.to.depth()).max().unwrap_or(0)
    }

    /// By a name as it is.
    pub(super) fn get(&self, name: &str) -> Found<'_> {
        if let Some(member) = self.values.iter().find(|member| member.name == name) {
            return Found::Value(member.to);
        }
        self.objects
            .iter()
            .find(|member| member.name == name)
            .map_or(Found::Nothing, |member| Found::Object(&member.to))
    }

    /// By the name whose quote stands there, and where it ends.
    #[inline(always)]
    pub(super) fn at(&self, bytes: &[u8], group: &Seen<'_>, quote: usize) -> (Found<'_>, usize) {
        let rest = bytes.get(quote + 1..).unwrap_or_default();
        if !self.may_begin(rest) {
            return (Found::Nothing, quote);
        }
        let start = start_of(rest);
        if let Some(member) = self.values.iter().find(|member| member.stands_in(rest, start)) {
            return (Found::Value(member.to), quote + member.name.len() + 2);
        }
        (self.object_of(rest, start, group, quote), quote)
    }

    /// The same where only objects are looked for.
    #[inline]
    pub(super) fn object_at(&self, bytes: &[u8], group: &Seen<'_>, quote: usize) -> Found<'_> {
        let rest = bytes.get(quote + 1..).unwrap_or_default();
        if self.may_begin(rest) { self.object_of(rest, start_of(rest), group, quote) } else { Found::Nothing }
    }

    #[inline]
    fn may_begin(&self, rest: &[u8]) -> bool {
        rest.first().is_some_and(|first| self.firsts & first_bit(*first) != 0)
    }

    #[inline]
    fn object_of(&self, rest: &[u8], start: u64, group: &Seen<'_>, quote: usize) -> Found<'_> {
        if let Some(member) = self.objects.iter().find(|member| member.stands_in(rest, start)) {
            return Found::Object(&member.to);
        }
        if group.is_plain(quote, quote + 1 + self.longest) || !self.may_have_escape(rest) {
            Found::Nothing
        } else {
            Found::Unknown
        }
    }

    /// Whether an escape stands in the name, as far as one that is looked for can be.
    #[inline(never)]
    fn may_have_escape(&self, rest: &[u8]) -> bool {
        let end = rest.iter().take(self.longest + 1).find(|byte| matches!(byte, b'"' | b'\\'));
        end == Some(&b'\\')
    }
}

/// That of a name's first byte in [`Fields::firsts`].
#[inline]
const fn first_bit(byte: u8) -> u64 {
    1 << (byte & 63)
}

/// Bytes of a name that are compared at once.
const AT_ONCE: usize = size_of::<u64>();

impl<T> Member<T> {
    fn new(name: &SmolStr, to: T) -> Self {
        let has_escape = name.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        let quoted: Vec<u8> = name.bytes().chain([b'"']).collect();
        let (start, mask) = if has_escape {
            // It never stands in a text as it is.
            (1, 0)
        } else {
            (padded(&quoted), padded(&vec![0xff; quoted.len()]))
        };
        Self { start, mask, name: name.clone(), to }
    }

    /// Whether a text that begins so begins with the name and its quote.
    #[inline]
    fn stands_in(&self, text: &[u8], start: u64) -> bool {
        start & self.mask == self.start && (self.name.len() < AT_ONCE || self.goes_on_in(text))
    }

    #[inline(never)]
    fn goes_on_in(&self, text: &[u8]) -> bool {
        text.starts_with(self.name.as_bytes()) && text.get(self.name.len()) == Some(&b'"')
    }
}

/// The first bytes of a text.
#[inline]
fn start_of(text: &[u8]) -> u64 {
    text.first_chunk().map_or_else(|| padded(text), |start| u64::from_le_bytes(*start))
}

/// The same, with zeros behind its end.
#[inline(never)]
fn padded(text: &[u8]) -> u64 {
    let mut start = [0; AT_ONCE];
    for (place, byte) in start.iter_mut().zip(text) {
        *place = *byte;
    }
    u64::from_le_bytes(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_they_stand() {
        let names = ["", "a", "seven77", "eight888", "nine99999", "a much longer name", "a\":\"b", "a\\", "é"];
        let mut fields = Fields::default();
        for (column, name) in names.iter().enumerate() {
            fields.add(&[SmolStr::new(name)], column).unwrap();
        }
        for name in ["object", "another object"] {
            fields.add(&[name.into(), "x".into()], names.len()).unwrap();
        }
        let found = |text: &str, backslashes: u64| {
            let words = [backslashes, u64::MAX, 0, 0, 0, 0, 0, 0];
            let (found, behind) = fields.at(text.as_bytes(), &Seen::alone(&words), 1);
            match found {
                Found::Value(column) => {
                    assert_eq!(text.get(1..behind), Some(format!("\"{}\"", names[column]).as_str()));
                    names[column]
                }
                Found::Object(_) => "object",
                Found::Nothing => "nothing",
                Found::Unknown => "unknown",
            }
        };
        let table = [
            (r#"{"":1}"#, ""),
            (r#"{"a":1}"#, "a"),
            (r#"{"a""#, "a"),
            (r#"{"seven77":1}"#, "seven77"),
            (r#"{"eight888":1}"#, "eight888"),
            (r#"{"eight8889":1}"#, "nothing"),
            (r#"{"nine99999":1}"#, "nine99999"),
            (r#"{"nine99998":1}"#, "nothing"),
            (r#"{"a much longer name":1}"#, "a much longer name"),
            (r#"{"a much longer name"#, "nothing"),
            (r#"{"é":1}"#, "é"),
            (r#"{"b":1}"#, "nothing"),
            (r#"{"object":1}"#, "object"),
            (r#"{"another object":1}"#, "object"),
            (r#"{"objects":1}"#, "nothing"),
            // What has to be escaped does not stand there as it is.
            (r#"{"a":"b":1}"#, "a"),
            (r#"{"a\":1}"#, "unknown"),
            (r#"{"\u0061":1}"#, "unknown"),
            (r#"{"a much longer nam\u0065":1}"#, "unknown"),
            (r#"{"a much longer name and more\n":1}"#, "nothing"),
            (r#"{"b":"\n"}"#, "nothing"),
            ("{", "nothing"),
        ];
        for (text, expected) in table {
            assert_eq!(found(text, u64::MAX), expected, "{text}");
            if expected != "unknown" {
                assert_eq!(found(text, 0), expected, "{text}");
            }
        }
    }
}
