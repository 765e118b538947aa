//! Regular expressions as `match` and `search` take them: I-Regexp (RFC 9485), handed to the regex
//! crate in its own syntax.
//!
//! `^` and `$` outside of brackets mean the text's ends, as in every implementation and in the
//! standard's compliance suite, though the RFC's grammar has them as plain characters.

use std::fmt;

use callout_core::{fault::Faults, limits::Limits};
use regex::{Regex, RegexBuilder};
use regex_automata::{
    dfa::{StartKind, dense},
    nfa::thompson::{self, WhichCaptures},
};

use crate::budget::{Budget, TooMuch};

/// Bytes of text that are matched for the price of one node, where each byte is one step.
const BYTES_PER_NODE: usize = 64;

/// Bytes that a compiled pattern may take, and the price of one byte of text in nodes where it is not one
/// step. The time to match grows with both the text and the pattern: for each byte, every state that
/// the pattern may be in is moved on.
const SIZES: [(usize, usize); 5] = [(SMALL, 0), (4 << 10, 1), (16 << 10, 4), (64 << 10, 16), (256 << 10, 64)];

/// Up to this size a pattern has so few states that each byte is one step.
const SMALL: usize = 1 << 10;

/// Up to this size of a pattern it is found out whether there is an automaton of one step for each byte.
const LARGEST_WITH_AUTOMATON: usize = 64 << 10;

/// Bytes that such an automaton may take, and bytes for making it.
const AUTOMATON: (usize, usize) = (256 << 10, 512 << 10);

/// What looking for one costs for each byte of the pattern: less memory than that, but much time.
const AUTOMATON_PER_BYTE: usize = 8;

/// Bytes that reading a class of Unicode (`\p{L}`) takes: it is a table of hundreds of ranges.
const CLASS_BYTES: usize = 4 << 10;

/// Nodes that compiling a pattern costs beside its length.
const COMPILE_COST: usize = 500;

/// Whether a pattern must match all of the text or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// `match`
    Whole,
    /// `search`
    Part,
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// What one byte of text costs in nodes, unless it is one step.
    nodes_per_byte: usize,
    /// Whether a match takes one step for each byte of the text, whatever the text is.
    takes_one_step: bool,
}

impl Pattern {
    /// Compiles a pattern of a path, which is used again and again: whether it takes one step for each
    /// byte is found out now. What that costs, and compiling it, goes on the config's account.
    pub(super) fn compile(text: &str, extent: Extent, account: &mut Account<'_>) -> Result<Self, Refusal> {
        let classes = (text.matches("\\p").count() + text.matches("\\P").count()).saturating_mul(CLASS_BYTES);
        let (mut found, size) = Self::with(text, extent, |size| account.pay(size + classes))?;
        if !found.takes_one_step && size <= LARGEST_WITH_AUTOMATON {
            account.pay(size * AUTOMATON_PER_BYTE + classes)?;
            found.takes_one_step = has_automaton(found.regex.as_str());
        }
        Ok(found)
    }

    /// Compiles a pattern that stands in a document, to be used a few times.
    pub(super) fn compile_once(text: &str, extent: Extent) -> Result<Self, Refusal> {
        Self::with(text, extent, |_| Ok(())).map(|(found, _)| found)
    }

    /// The pattern, and the first size that it fits in.
    fn with(
        text: &str,
        extent: Extent,
        mut pay: impl FnMut(usize) -> Result<(), Refusal>,
    ) -> Result<(Self, usize), Refusal> {
        let inner = translate(text)?;
        let whole = match extent {
            Extent::Whole => format!("^(?:{inner})$"),
            Extent::Part => inner,
        };
        let mut refusal = Refusal::TooLarge;
        for (size, nodes_per_byte) in SIZES {
            pay(size)?;
            // The lazy automaton's cache is bounded as well, at its least size that is of use.
            match RegexBuilder::new(&whole).size_limit(size).dfa_size_limit(1 << 20).build() {
                Ok(regex) => return Ok((Self { regex, nodes_per_byte, takes_one_step: size == SMALL }, size)),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(_) => refusal = Refusal::Wrong("a range in it runs backwards, or it nests too deep"),
            }
        }
        Err(refusal)
    }

    /// How many nodes the compilation of a text costs.
    pub(super) const fn cost(text: &str) -> usize {
        COMPILE_COST.saturating_add(text.len())
    }

    pub(super) fn matches(&self, text: &str, budget: &mut Budget<'_>) -> Result<bool, TooMuch> {
        let nodes = if self.takes_one_step {
            text.len() / BYTES_PER_NODE
        } else {
            text.len().saturating_mul(self.nodes_per_byte)
        };
        budget.take(nodes)?;
        Ok(self.regex.is_match(text))
    }
}

/// Who pays for the patterns of a path.
pub(crate) enum Account<'f> {
    /// A path by itself, which its length bounds.
    None,
    /// The config that the path stands in.
    Config(&'f mut Faults, &'f Limits),
}

impl Account<'_> {
    fn pay(&mut self, bytes: usize) -> Result<(), Refusal> {
        match self {
            Self::None => Ok(()),
            Self::Config(faults, limits) => {
                let affordable = faults.afford_pattern(bytes, limits);
                affordable.then_some(()).ok_or(Refusal::TooMany(limits.max_pattern_bytes))
            }
        }
    }
}

/// Whether an automaton of bounded size can be made that takes one step for each byte. The regex crate
/// makes the part of it that a text needs, and goes on more slowly where that does not end. `a.{20}b`
/// has none, as it must know of each of the last 20 characters whether it was an `a`.
fn has_automaton(pattern: &str) -> bool {
    let (size, working_size) = AUTOMATON;
    let nfa = thompson::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(working_size));
    let dfa = dense::Config::new()
        .accelerate(false)
        .start_kind(StartKind::Unanchored)
        .dfa_size_limit(Some(size))
        .determinize_size_limit(Some(working_size));
    dense::Builder::new().thompson(nfa).configure(dfa).build(pattern).is_ok()
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    TooLarge,
    /// With those before it.
    TooMany(usize),
    Wrong(&'static str),
    /// An escape that only other kinds of regular expressions have.
    Escape(char),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("it is too large, use smaller `{…}` repetitions"),
            Self::TooMany(max) => write!(
                f,
                "with it, the patterns of this config take more than {max} bytes when compiled (`max_pattern_bytes`), \
                 use fewer ones, smaller `{{…}}` repetitions and less `\\p{{…}}`"
            ),
            Self::Wrong(what) => f.write_str(what),
            Self::Escape(letter) => {
                write!(f, "`\\{letter}` is not in I-Regexp (RFC 9485)")?;
                let instead = match letter {
                    'd' => "[0-9]",
                    'D' => "[^0-9]",
                    'w' => "[0-9A-Za-z_]",
                    'W' => "[^0-9A-Za-z_]",
                    's' => "[ \\t\\r\\n]",
                    'S' => "[^ \\t\\r\\n]",
                    _ => return Ok(()),
                };
                write!(f, ", write `{instead}`")
            }
        }
    }
}

/// The same pattern in the regex crate's syntax; an error if RFC 9485's grammar does not have it.
fn translate(text: &str) -> Result<String, Refusal> {
    let mut chars = text.chars().peekable();
    let mut out = String::with_capacity(text.len() + 16);
    let mut groups = 0_usize;
    // Whether there is something before here that a quantifier can stand behind.
    let mut atom = false;
    while let Some(found) = chars.next() {
        let mut behind = true;
        match found {
            '.' => out.push_str("[^\\n\\r]"),
            '\\' => escape(&mut chars, &mut out)?,
            '[' => class(&mut chars, &mut out)?,
            '(' => {
                groups += 1;
                out.push_str("(?:");
                behind = false;
            }
            ')' => {
                groups = groups
                    .checked_sub(1)
                    .ok_or(Refusal::Wrong("a `)` in it closes nothing, `\\)` means the character"))?;
                out.push(')');
            }
            '|' | '^' | '$' => {
                out.push(found);
                behind = false;
            }
            '*' | '+' | '?' | '{' => {
                if !atom {
                    return Err(Refusal::Wrong(
                        "a `*`, `+`, `?` or `{` in it has nothing to repeat; in I-Regexp (RFC 9485) they do not follow \
                         each other, and there is no `(?…)`",
                    ));
                }
                out.push(found);
                if found == '{' {
                    range(&mut chars, &mut out)?;
                }
                behind = false;
            }
            ']' | '}' => {
                return Err(Refusal::Wrong(
                    "a `]` or `}` in it closes nothing, write `\\]` or `\\}` for the character",
                ));
            }
            _ => literal(found, &mut out),
        }
        atom = behind;
    }
    if groups > 0 {
        return Err(Refusal::Wrong("a `(` in it is not closed, `\\(` means the character"));
    }
    Ok(out)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// What stands behind a `\`.
fn escape(chars: &mut Chars<'_>, out: &mut String) -> Result<(), Refusal> {
    match chars.next() {
        Some('n') => out.push_str("\\n"),
        Some('r') => out.push_str("\\r"),
        Some('t') => out.push_str("\\t"),
        Some(letter @ ('p' | 'P')) => category(letter, chars, out)?,
        Some(found) if single_escape(found) => literal(found, out),
        Some(found) => return Err(Refusal::Escape(found)),
        None => return Err(Refusal::Wrong("it ends with a `\\`, `\\\\` means the character")),
    }
    Ok(())
}

/// `SingleCharEsc` but for n, r and t.
const fn single_escape(found: char) -> bool {
    matches!(found, '('..='+' | '-' | '.' | '?' | '['..='^' | '{'..='}')
}

/// `\p{Lu}`, `\P{N}`: the general categories of Unicode.
fn category(letter: char, chars: &mut Chars<'_>, out: &mut String) -> Result<(), Refusal> {
    const WRONG: Refusal =
        Refusal::Wrong("behind `\\p` stands a general category of Unicode in braces, such as `\\p{L}` or `\\p{Lu}`");
    if chars.next() != Some('{') {
        return Err(WRONG);
    }
    let mut name = String::new();
    loop {
        match chars.next() {
            Some('}') => break,
            Some(found) if name.len() < 2 && found.is_ascii_alphabetic() => name.push(found),
            _ => return Err(WRONG),
        }
    }
    let (major, minors) = match name.as_bytes().first() {
        Some(b'L') => ("L", "lmotu"),
        Some(b'M') => ("M", "cen"),
        Some(b'N') => ("N", "dlo"),
        Some(b'P') => ("P", "cdefios"),
        Some(b'Z') => ("Z", "lps"),
        Some(b'S') => ("S", "ckmo"),
        Some(b'C') => ("C", "cfno"),
        _ => return Err(WRONG),
    };
    if !name.strip_prefix(major).is_some_and(|minor| minors.contains(minor)) {
        return Err(WRONG);
    }
    out.push('\\');
    out.push(letter);
    out.push('{');
    out.push_str(&name);
    out.push('}');
    Ok(())
}

/// `{2}`, `{2,}`, `{2,5}` behind their brace.
fn range(chars: &mut Chars<'_>, out: &mut String) -> Result<(), Refusal> {
    let mut digits = [0_usize; 2];
    let mut part = 0;
    for found in chars.by_ref() {
        match found {
            '0'..='9' => {
                if let Some(count) = digits.get_mut(part) {
                    *count += 1;
                }
            }
            ',' if part == 0 && digits[0] > 0 => part = 1,
            '}' if digits[0] > 0 => {
                out.push('}');
                return Ok(());
            }
            _ => break,
        }
        out.push(found);
    }
    Err(Refusal::Wrong("a repetition in it is written `{2}`, `{2,}` or `{2,5}`; `\\{` means the character"))
}

/// `[a-z\-]` behind its bracket.
fn class(chars: &mut Chars<'_>, out: &mut String) -> Result<(), Refusal> {
    const WRONG: Refusal = Refusal::Wrong(
        "a class in it is written `[a-z0-9]` or `[^a-z]`; `-` for itself stands first or last, and `\\[`, `\\]`, `\\\\` \
         mean these characters",
    );
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut empty = true;
    loop {
        match chars.next() {
            Some(']') if !empty => break,
            // First or last it means itself, between two characters it is read with them.
            Some('-') if empty || chars.peek() == Some(&']') => out.push_str("\\-"),
            None | Some('-' | '[' | ']') => return Err(WRONG),
            Some('\\') if matches!(chars.peek(), Some('p' | 'P')) => escape(chars, out)?,
            Some(first) => {
                member(first, chars, out)?;
                let ahead = chars.clone().nth(1);
                if chars.peek() == Some(&'-') && ahead != Some(']') {
                    chars.next();
                    out.push('-');
                    match chars.next() {
                        None | Some('[' | ']' | '-') => return Err(WRONG),
                        Some('\\') if matches!(chars.peek(), Some('p' | 'P')) => return Err(WRONG),
                        Some(last) => member(last, chars, out)?,
                    }
                }
            }
        }
        empty = false;
    }
    out.push(']');
    Ok(())
}

/// A character of a class.
fn member(found: char, chars: &mut Chars<'_>, out: &mut String) -> Result<(), Refusal> {
    if found == '\\' {
        return escape(chars, out);
    }
    literal(found, out);
    Ok(())
}

/// A character that means itself.
fn literal(found: char, out: &mut String) {
    // Others must not be escaped: `\<` means the start of a word.
    if r"\.+*?()|[]{}^$#&-~".contains(found) {
        out.push('\\');
    }
    out.push(found);
}

#[cfg(test)]
mod tests {
    use callout_core::limits::Limits;

    use super::*;

    fn is_match(pattern: &str, extent: Extent, text: &str) -> bool {
        let mut budget = Budget::new(&Limits::default());
        Pattern::compile(pattern, extent, &mut Account::None).unwrap().matches(text, &mut budget).unwrap()
    }

    #[test]
    fn whole_matches() {
        let table: [(&str, &[&str], &[&str]); 24] = [
            ("abc", &["abc"], &["xabc", "abcx", "", "ABC"]),
            ("a|bc", &["a", "bc"], &["abc", "ac"]),
            ("", &[""], &["a"]),
            ("a|", &["a", ""], &["b"]),
            ("()", &[""], &["a"]),
            ("a.c", &["abc", "a😀c", "a\u{2028}c"], &["a\nc", "a\rc", "ac"]),
            ("a*b+c?", &["b", "aabbc"], &["aac"]),
            ("a{2}", &["aa"], &["a", "aaa"]),
            ("a{2,}", &["aa", "aaaa"], &["a"]),
            ("(ab){1,2}", &["ab", "abab"], &["", "ababab"]),
            ("[a-c]+", &["abc"], &["d", ""]),
            ("[^a-c]", &["d", "\n"], &["a"]),
            ("[-a]+", &["-a"], &["b"]),
            ("[a-]+", &["-a"], &["b"]),
            ("[a-c-]+", &["b-"], &["d"]),
            ("[^-a]", &["b"], &["-", "a"]),
            ("[.*+?(){}|^$&~#,:]+", &[".*+?(){}|^$&~#,:"], &["a", "\\"]),
            ("[\\[\\]\\\\\\-\\^]+", &["[]\\-^"], &["a"]),
            ("[a&&b]+", &["a&b"], &["c"]),
            ("\\.\\*\\(\\)\\{\\}\\|\\^\\?\\+\\-\\[\\]\\\\", &[".*(){}|^?+-[]\\"], &[]),
            ("\\n\\r\\t", &["\n\r\t"], &["nrt"]),
            ("\\p{Lu}\\P{Lu}[\\p{Nd}x]", &["Éa7", "A1x"], &["aa7", "Aay"]),
            ("\\p{L}+", &["abcж"], &["1"]),
            ("#x /~@'\"%&=<>!`;:,_-", &["#x /~@'\"%&=<>!`;:,_-"], &["#x"]),
        ];
        for (pattern, yes, no) in table {
            for text in yes {
                assert!(is_match(pattern, Extent::Whole, text), "{pattern} on {text:?}");
            }
            for text in no {
                assert!(!is_match(pattern, Extent::Whole, text), "{pattern} on {text:?}");
            }
        }
    }

    #[test]
    fn searches() {
        assert!(is_match("b+", Extent::Part, "abbc"));
        assert!(!is_match("^b", Extent::Part, "ab"));
        assert!(is_match("b$", Extent::Part, "ab"));
        assert!(!is_match("a$", Extent::Part, "a\nb"), "`$` is the text's end, no line's");
        assert!(!is_match("a$", Extent::Part, "a\n"));
    }

    #[test]
    fn what_is_no_i_regexp() {
        let table = [
            "*a",
            "a**",
            "a+?",
            "a{2}{3}",
            "a{",
            "a{}",
            "a{,2}",
            "a{2",
            "a{x}",
            "a{1,2,3}",
            "(",
            ")",
            "(a",
            "a)",
            "]",
            "}",
            "a]",
            "[",
            "[]",
            "[^]",
            "[a",
            "[a-",
            "[[]",
            "[a[b]]",
            "[--a]",
            "[a--]",
            "[a-b-c]",
            "[a-\\p{L}]",
            "\\",
            "\\d",
            "\\w",
            "[\\s]",
            "\\b",
            "\\x41",
            "\\u0041",
            "\\1",
            "\\p",
            "\\pL",
            "\\p{}",
            "\\p{Lx}",
            "\\p{Greek}",
            "\\p{Cs}",
            "\\p{L",
            "(?i)a",
            "(?:a)",
            "(?=a)",
            "[b-a]",
            "a{2,1}",
            "[[:alpha:]]",
            "(*a)",
            "a|*",
            "^*",
        ];
        for pattern in table {
            assert!(Pattern::compile(pattern, Extent::Whole, &mut Account::None).is_err(), "{pattern}");
        }
    }

    #[test]
    fn patterns_are_bounded() {
        let large = [
            "a{1000000}".to_owned(),
            "((a{100}){100}){100}".to_owned(),
            "\\p{L}{1000}".to_owned(),
            "(".repeat(400) + &")".repeat(400),
        ];
        for pattern in large {
            assert!(Pattern::compile(&pattern, Extent::Part, &mut Account::None).is_err(), "{pattern}");
        }
        assert!(Pattern::compile("\\p{L}+[0-9]{1,20}", Extent::Part, &mut Account::None).is_ok());
    }

    #[test]
    fn other_dialects_are_told_what_to_write() {
        let told = |pattern| Pattern::compile(pattern, Extent::Whole, &mut Account::None).unwrap_err().to_string();
        assert!(told("\\d+").contains("write `[0-9]`"), "{}", told("\\d+"));
        assert!(told("(?i)a").contains("no `(?…)`"), "{}", told("(?i)a"));
        assert!(told("a{1000000}").contains("too large"), "{}", told("a{1000000}"));
    }
}
