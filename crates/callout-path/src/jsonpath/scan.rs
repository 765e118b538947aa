//! The words of a `JSONPath` (RFC 9535 section 2), read once from left to right.
//!
//! Words, blank space, escapes, digits and nesting are decided here; what order words may stand in
//! is left to the parser, but where a better message can be given.

use callout_core::{
    json::{Json, Number, SmolStr},
    limits::Limits,
};

use super::{
    literal,
    skeleton::{Skeletons, Writer},
};
use crate::error::PathError;

/// Calls that stand in each other's arguments at once: two are of use (`length(value(…))`), and each
/// one more triples the time in which the parser refuses what is wrong inside.
const MAX_CALLS_IN_CALLS: usize = 3;

/// Integers that RFC 9535 allows in indexes and slices: those that a float holds exactly.
const MAX_INDEX: i64 = (1 << 53) - 1;

/// Reads `text`, which begins with `$`.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<Skeletons, PathError> {
    let mut scanner = Scanner {
        text,
        at: 0,
        max_nesting: limits.max_path_nesting,
        open: Vec::new(),
        last: Last::Other,
        out: Writer::new(),
    };
    scanner.query()?;
    Ok(scanner.out.finish(scanner.at))
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    max_nesting: usize,
    open: Vec<(Open, usize)>,
    last: Last,
    out: Writer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// `[`
    Bracket,
    /// `(` around a condition
    Group,
    /// `(` behind a function's name
    Call(Function),
}

/// The functions of RFC 9535, by what they take and give (section 2.4).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    /// `length`
    OfValues,
    /// `count`, `value`
    OfNodes,
    /// `match`, `search`: their result is no value
    Condition,
}

impl Function {
    fn named(name: &str) -> Option<Self> {
        match name {
            "length" => Some(Self::OfValues),
            "count" | "value" => Some(Self::OfNodes),
            "match" | "search" => Some(Self::Condition),
            _ => None,
        }
    }
}

/// What the last word means for the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// `[`, or `,` or `:` in brackets: a number is an index.
    Selector,
    /// `==`, `<` and so on: a condition cannot follow.
    Comparison,
    /// The end of a value, a selector or a path: another one cannot follow.
    Value,
    /// The end of a function that is a condition: it cannot be compared.
    Condition,
    Other,
}

type Step = Result<(), PathError>;

impl<'t> Scanner<'t> {
    fn query(&mut self) -> Step {
        self.word(1, "$");
        loop {
            let spaced = self.space();
            let Some(next) = self.peek() else {
                if let Some((open, place)) = self.open.last() {
                    let end = if *open == Open::Bracket { ']' } else { ')' };
                    return Err(self.error(*place, format!("this bracket is not closed, a `{end}` is missing")));
                }
                return if spaced { self.fail("blank space at the end, remove it") } else { Ok(()) };
            };
            if self.open.is_empty() && !matches!(next, '.' | '[') {
                return Err(self.not_a_segment());
            }
            self.next(next)?;
        }
    }

    fn next(&mut self, next: char) -> Step {
        if matches!(next, '$' | '@' | '(' | '?' | '"' | '\'' | '-' | '0'..='9') {
            self.begins_value()?;
        }
        match next {
            '$' | '@' if self.in_call() => {
                self.out.begin_argument(next, self.at, self.open.len());
                self.value(1, "$");
            }
            '$' => self.value(1, "$"),
            '@' => self.value(1, "@"),
            '*' => self.value(1, "*"),
            '?' => self.word(1, "?"),
            '.' => return self.dots(),
            '[' => return self.open(Open::Bracket, "["),
            '(' if self.in_call() => return self.fail(IN_CALL),
            '(' => return self.open(Open::Group, "("),
            ']' => return self.close(']', "]"),
            ')' => return self.close(')', ")"),
            ',' => self.separator(","),
            ':' => self.separator(":"),
            '=' | '!' | '<' | '>' | '&' | '|' => return self.operator(),
            '"' | '\'' => {
                self.may_be_literal()?;
                let (value, length) =
                    literal::string(self.rest(), next).map_err(|(at, message)| self.error(self.at + at, message))?;
                self.literal(length, Json::String(value));
            }
            '-' | '0'..='9' => return self.number(),
            _ if name_first(next) => return self.name(),
            _ => {
                return self
                    .fail(format!("{next:?} has no meaning in a JSONPath; names that hold it are quoted, `['…']`"));
            }
        }
        Ok(())
    }

    /// `.name`, `.*`, `..name`, `..*`, `..[`: without blank space behind the dots.
    fn dots(&mut self) -> Step {
        let dots = if self.rest().starts_with("..") { ".." } else { "." };
        let behind = self.text.get(self.at + dots.len()..).unwrap_or_default();
        match behind.chars().next() {
            Some('*') => self.value(dots.len() + 1, if dots == ".." { "..*" } else { ".*" }),
            Some('[') if dots == ".." => {
                self.word(2, "..");
                return self.open(Open::Bracket, "[");
            }
            Some(first) if name_first(first) => {
                let length = behind.find(|found| !name_char(found)).unwrap_or(behind.len());
                let name = behind.get(..length).unwrap_or_default();
                if behind.get(length..).is_some_and(|rest| rest.starts_with('-')) {
                    self.at += dots.len() + length;
                    return self.fail("a name with `-` must be quoted, `['content-type']`; there is no subtraction");
                }
                if dots == ".." {
                    self.word(2, "..");
                } else {
                    self.at += 1;
                }
                self.out.word("[", self.at);
                self.literal(length, Json::String(SmolStr::new(name)));
                self.out.word("]", self.at);
            }
            Some('[') => return self.fail("no `.` stands before `[`, remove it"),
            Some('0'..='9') => {
                self.at += dots.len();
                return self.fail("an element is written `[0]`, a member whose name begins with a digit `['0']`");
            }
            _ => {
                self.at += dots.len();
                return self.fail(format!(
                    "a name or `*` must follow `{dots}` at once; names of other than letters, digits and `_` are \
                     quoted, `['…']`"
                ));
            }
        }
        Ok(())
    }

    fn open(&mut self, kind: Open, word: &str) -> Step {
        if self.open.len() >= self.max_nesting {
            return self.fail(format!("more than {} brackets are open at once, nest less", self.max_nesting));
        }
        self.open.push((kind, self.at));
        self.word(1, word);
        if kind == Open::Bracket {
            self.last = Last::Selector;
        }
        Ok(())
    }

    fn close(&mut self, end: char, word: &str) -> Step {
        self.out.end_argument(self.at, self.open.len());
        let closed = self.open.pop();
        match closed {
            Some((Open::Bracket, _)) if end == ']' => {}
            Some((Open::Group | Open::Call(_), _)) if end == ')' => {}
            Some((open, _)) => {
                let expected = if open == Open::Bracket { ']' } else { ')' };
                return self.fail(format!("`{end}` closes nothing here, a `{expected}` is missing before it"));
            }
            None => return self.fail(format!("`{end}` closes nothing")),
        }
        self.value(1, word);
        if matches!(closed, Some((Open::Call(Function::Condition), _))) {
            self.last = Last::Condition;
        }
        Ok(())
    }

    fn separator(&mut self, word: &str) {
        self.out.end_argument(self.at, self.open.len());
        self.word(1, word);
        if matches!(self.open.last(), Some((Open::Bracket, _))) {
            self.last = Last::Selector;
        }
    }

    fn operator(&mut self) -> Step {
        if self.in_call() {
            return self.fail(IN_CALL);
        }
        for operator in ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!"] {
            if self.rest().starts_with(operator) {
                let compares = !matches!(operator, "&&" | "||" | "!");
                if compares && self.last == Last::Condition {
                    return self.fail(COMPARED);
                }
                self.word(operator.len(), operator);
                if compares {
                    self.last = Last::Comparison;
                }
                return Ok(());
            }
        }
        self.fail(if self.rest().starts_with("=~") {
            "there is no `=~`, write `match(@.name, 'pattern')` or `search(@.name, 'pattern')`"
        } else if self.rest().starts_with('=') {
            "values are compared by `==`"
        } else {
            "conditions are joined by `&&` and `||`"
        })
    }

    fn number(&mut self) -> Step {
        let number = literal::number(self.rest()).map_err(|(at, message)| self.error(self.at + at, message))?;
        let text = number.as_str();
        if self.last != Last::Selector {
            self.may_be_literal()?;
            self.literal(text.len(), Json::Number(number));
            return Ok(());
        }
        if !number.is_integer() {
            return self.fail("an index is a whole number, without `.` and exponent");
        }
        if text == "-0" {
            return self.fail("there is no index -0; the first element is 0, the last -1");
        }
        if number.compare(&Number::from(MAX_INDEX)).is_gt() || number.compare(&Number::from(-MAX_INDEX)).is_lt() {
            return self.fail(format!("an index lies between -{MAX_INDEX} and {MAX_INDEX}"));
        }
        self.value(text.len(), text);
        Ok(())
    }

    /// A name that does not stand behind a dot: a function or a literal.
    fn name(&mut self) -> Step {
        let rest = self.rest();
        let length = rest.find(|found| !name_char(found)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at_checked(length).unwrap_or_default();
        let called = behind.starts_with('(');
        if matches!(name, "and" | "or" | "not") {
            return self.fail("conditions are joined by `&&` and `||` and negated by `!`");
        }
        self.begins_value()?;
        match name {
            "true" | "false" | "null" if !called => {
                self.may_be_literal()?;
                self.value(length, name);
                Ok(())
            }
            _ if called => match Function::named(name) {
                Some(function) => self.call(function, name),
                None => self
                    .fail(format!("there is no function `{name}`, there are length, count, match, search and value")),
            },
            _ if Function::named(name).is_some() => self.fail(format!("`(` must follow `{name}` at once")),
            _ => self.fail(format!("`{name}` must be quoted if it is a text; members are written `@.{name}`")),
        }
    }

    fn call(&mut self, function: Function, name: &str) -> Step {
        let around = self.open.iter().rev().take_while(|(open, _)| matches!(open, Open::Call(_))).count();
        if around >= MAX_CALLS_IN_CALLS {
            return self.fail(format!("more than {MAX_CALLS_IN_CALLS} calls stand in each other, nest less"));
        }
        if function == Function::Condition && self.last == Last::Comparison {
            return self.fail(COMPARED);
        }
        self.out.call(self.at);
        self.word(name.len(), name);
        self.open(Open::Call(function), "(")
    }

    /// Refuses a value right behind another one.
    fn begins_value(&self) -> Step {
        match self.last {
            Last::Value | Last::Condition => {
                self.fail("a `,` between selectors or an operator between values is missing before this")
            }
            Last::Selector | Last::Comparison | Last::Other => Ok(()),
        }
    }

    /// Refuses a literal as the argument of a function that takes nodes.
    fn may_be_literal(&self) -> Step {
        match self.open.last() {
            Some((Open::Call(Function::OfNodes), _)) => self.fail("this function takes a path, such as `@.items[*]`"),
            _ => Ok(()),
        }
    }

    fn not_a_segment(&self) -> PathError {
        let mut message = "`.` or `[` is expected here".to_owned();
        if self.at == 1 {
            message.push_str("; a member whose name begins with `$` is reached by a JSON Pointer such as `/$ref`");
        }
        self.error(self.at, message)
    }

    /// Passes over a word, which stands in the skeleton as `skeleton`.
    fn word(&mut self, length: usize, skeleton: &str) {
        self.out.word(skeleton, self.at);
        self.at += length;
        self.last = Last::Other;
    }

    fn literal(&mut self, length: usize, value: Json) {
        self.out.literal(value, self.at);
        self.at += length;
        self.last = Last::Value;
    }

    /// Passes over a word that ends a value, a selector or a path.
    fn value(&mut self, length: usize, skeleton: &str) {
        self.word(length, skeleton);
        self.last = Last::Value;
    }

    /// Whether the innermost bracket is a function's: its arguments are values and queries.
    fn in_call(&self) -> bool {
        matches!(self.open.last(), Some((Open::Call(_), _)))
    }

    fn space(&mut self) -> bool {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.at += length;
        length > 0
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error(&self, place: usize, message: impl Into<String>) -> PathError {
        PathError::at(self.text, place, message)
    }

    fn fail(&self, message: impl Into<String>) -> Step {
        Err(self.error(self.at, message))
    }
}

const COMPARED: &str = "match and search are conditions by themselves, their result is not compared";
const IN_CALL: &str = "a function takes values and queries, no conditions";

/// RFC 9535 section 2.5.1.1.
fn name_first(found: char) -> bool {
    found.is_ascii_alphabetic() || found == '_' || !found.is_ascii()
}

fn name_char(found: char) -> bool {
    name_first(found) || found.is_ascii_digit()
}
