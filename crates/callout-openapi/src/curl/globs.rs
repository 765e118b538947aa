//! What curl makes of brackets in a URL, unless it has `--globoff`.

use super::{expansions, line::Line};
use crate::names;

/// The URL of a line as far as its brackets are not known to be params.
pub(super) struct Globs {
    /// Empty where curl leaves brackets alone.
    rest: String,
}

impl Globs {
    pub(super) fn of(line: &Line) -> Self {
        if line.is_globoff {
            return Self { rest: String::new() };
        }
        // What is escaped is text, and what a shell expands curl never sees.
        Self { rest: expansions::without(&line.url).replace("\\{", "").replace("\\[", "") }
    }

    /// The name in a segment that is all `{name}`. curl takes it for a set of one, and nobody writes such a set:
    /// it is where something is to be put in, as descriptions of APIs write it.
    pub(super) fn take_name<'s>(&mut self, segment: &'s str) -> Option<&'s str> {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        // Percent-encoded braces are text.
        let written = format!("/{segment}");
        if name.contains(['[', ']']) || !names::is_param(name) || !self.rest.contains(&written) {
            return None;
        }
        self.rest = self.rest.replacen(&written, "/", 1);
        Some(name)
    }

    /// Whether there is a set (`{a,b}`) or a range (`[1-3]`). Other square brackets curl refuses, or they are an
    /// address: what is meant is the text.
    pub(super) fn are_left(&self) -> bool {
        let is_set = self.rest.split('{').skip(1).any(|behind| behind.contains('}'));
        let is_bracketed_range = |behind: &str| behind.split_once(']').is_some_and(|(inside, _)| is_range(inside));
        is_set || self.rest.split('[').skip(1).any(is_bracketed_range)
    }
}

/// `1-3`, `001-100:2` or `a-z`.
fn is_range(text: &str) -> bool {
    let (range, step) = text.split_once(':').unwrap_or((text, "1"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_letter = |part: &str| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_of_a_kind =
        |(from, to): (&str, &str)| (is_number(from) && is_number(to)) || (is_letter(from) && is_letter(to));
    is_number(step) && range.split_once('-').is_some_and(is_of_a_kind)
}
