//! The first pass over a template: text, tags, and the tokens in the tags.
//!
//! Delimiters, comments, `raw` blocks and white space control are those of Jinja. One pass, no
//! recursion; the input is bounded by `max_template_bytes`.

use callout_core::json::Number;

use super::fault::SyntaxError;

/// A piece of a template, in its order.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'s> {
    /// Text that is written as it is.
    Text(&'s str),
    /// `{{ … }}`
    Print(Vec<Token<'s>>, u32),
    /// `{% … %}`
    Tag(Vec<Token<'s>>, u32),
}

/// A token, where it stands in the source and on which line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind<'s>,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'s> {
    Name(&'s str),
    String(String),
    Number(Number),
    Symbol(&'static str),
}

/// Longer ones first, so that `//` is not read as two `/`.
const SYMBOLS: [&str; 29] = [
    "**", "//", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", "~", "+", "-", "*", "/", "%",
    "<", ">", "=", ";", "!", "&", "@",
];

/// Splits a template into its pieces.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece<'_>>, SyntaxError> {
    // Like Jinja, one line break at the very end is the file's, not the text's.
    let source = source.strip_suffix('\n').map_or(source, |text| text.strip_suffix('\r').unwrap_or(text));
    Lexer { source, at: 0, line: 1, pieces: Vec::new(), trim: false }.run()
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    line: u32,
    pieces: Vec<Piece<'s>>,
    /// Whether the tag before asked for the white space behind it to go.
    trim: bool,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) -> &'s str {
        let passed = self.rest().get(..bytes).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count() as u32;
        self.at += passed.len();
        passed
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.advance(prefix.len());
        }
        found
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.advance(rest.len() - rest.trim_start().len());
    }

    fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.line, message)
    }

    fn run(mut self) -> Result<Vec<Piece<'s>>, SyntaxError> {
        loop {
            let rest = self.rest();
            let end = opening(rest).unwrap_or(rest.len());
            let text = self.advance(end);
            let text = if self.trim { text.trim_start() } else { text };
            let text = if self.opens_with_trim() { text.trim_end() } else { text };
            self.trim = false;
            self.text(text);
            if self.rest().is_empty() {
                return Ok(self.pieces);
            }
            let line = self.line;
            match self.advance(2) {
                "{#" => self.comment(line)?,
                "{{" => {
                    self.sign();
                    let tokens = self.tokens("}}", line)?;
                    self.pieces.push(Piece::Print(tokens, line));
                }
                _ => {
                    self.sign();
                    if self.raw_begins() {
                        self.raw(line)?;
                    } else {
                        let tokens = self.tokens("%}", line)?;
                        self.pieces.push(Piece::Tag(tokens, line));
                    }
                }
            }
        }
    }

    fn text(&mut self, text: &'s str) {
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text));
        }
    }

    fn opens_with_trim(&self) -> bool {
        self.rest().as_bytes().get(2) == Some(&b'-')
    }

    /// Passes over the `-` or `+` behind an opening delimiter.
    fn sign(&mut self) {
        if matches!(self.rest().as_bytes().first(), Some(b'-' | b'+')) {
            self.advance(1);
        }
    }

    fn comment(&mut self, line: u32) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let Some(end) = rest.find("#}") else {
            return Err(SyntaxError::new(line, "the comment has no end, `#}`"));
        };
        self.trim = rest.as_bytes().get(..end).is_some_and(|text| text.ends_with(b"-"));
        self.advance(end + 2);
        Ok(())
    }

    fn raw_begins(&self) -> bool {
        let name = self.rest().trim_start();
        name.strip_prefix("raw").is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.starts_with("%}") || rest.starts_with("-%}") || rest.starts_with("+%}")
        })
    }

    fn raw(&mut self, line: u32) -> Result<(), SyntaxError> {
        self.space();
        self.advance("raw".len());
        self.space();
        let trim_first = self.close("%}");
        let mut from = 0;
        let rest = self.rest();
        while let Some(found) = rest.get(from..).and_then(|rest| rest.find("{%")) {
            let start = from + found;
            let inner = rest.get(start + 2..).unwrap_or_default();
            let name = inner.strip_prefix(['-', '+']).unwrap_or(inner).trim_start();
            if let Some(behind) = name.strip_prefix("endraw").map(str::trim_start)
                && let Some(sign) = ["%}", "-%}", "+%}"].into_iter().find(|close| behind.starts_with(close))
            {
                let text = self.advance(start);
                let text = if trim_first { text.trim_start() } else { text };
                let text = if inner.starts_with('-') { text.trim_end() } else { text };
                self.text(text);
                self.advance(rest.len() - start - behind.len() + sign.len());
                self.trim = sign == "-%}";
                return Ok(());
            }
            from = start + 2;
        }
        Err(SyntaxError::new(line, "the `raw` block has no `endraw`"))
    }

    /// Passes over a closing delimiter with its sign; says whether the sign was `-`.
    fn close(&mut self, close: &str) -> bool {
        let trim = self.skip("-");
        if !trim {
            self.skip("+");
        }
        self.skip(close);
        trim
    }

    /// Whether the closing delimiter, with or without a sign, stands here.
    fn at_close(&self, close: &str) -> bool {
        let rest = self.rest();
        rest.starts_with(close) || rest.strip_prefix(['-', '+']).is_some_and(|rest| rest.starts_with(close))
    }

    /// The tokens up to the closing delimiter. Inside brackets it does not close: `{{ {"a": {}} }}`.
    fn tokens(&mut self, close: &str, opened: u32) -> Result<Vec<Token<'s>>, SyntaxError> {
        let mut tokens: Vec<Token<'s>> = Vec::new();
        let mut open = 0_usize;
        loop {
            self.space();
            if open == 0 && self.at_close(close) {
                self.trim = self.close(close);
                return Ok(tokens);
            }
            let (start, line) = (self.at, self.line);
            let Some(&first) = self.rest().as_bytes().first() else {
                return Err(SyntaxError::new(opened, format!("the tag has no end, `{close}`")));
            };
            let kind = match first {
                b'"' | b'\'' => Kind::String(self.string(first)?),
                b'0'..=b'9' => {
                    let behind_dot = tokens.last().is_some_and(|last| last.kind == Kind::Symbol("."));
                    Kind::Number(self.number(behind_dot)?)
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => Kind::Name(self.name()),
                _ => Kind::Symbol(self.symbol()?),
            };
            match kind {
                Kind::Symbol("(" | "[" | "{") => open += 1,
                Kind::Symbol(")" | "]" | "}") => open = open.saturating_sub(1),
                _ => {}
            }
            tokens.push(Token { kind, start, end: self.at, line });
        }
    }

    fn name(&mut self) -> &'s str {
        let length = self.rest().bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        self.advance(length)
    }

    fn symbol(&mut self) -> Result<&'static str, SyntaxError> {
        let rest = self.rest();
        let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)).ok_or_else(|| {
            let found = rest.chars().next().unwrap_or_default();
            self.error(format!("unexpected character {found:?}"))
        })?;
        self.advance(symbol.len());
        Ok(symbol)
    }

    fn number(&mut self, behind_dot: bool) -> Result<Number, SyntaxError> {
        let rest = self.rest();
        let radix = match rest.as_bytes().get(1) {
            Some(b'x' | b'X') => 16,
            Some(b'o' | b'O') => 8,
            Some(b'b' | b'B') => 2,
            _ => 10,
        };
        if radix != 10 && rest.starts_with('0') {
            let length =
                2 + rest.bytes().skip(2).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            let digits = self.advance(length).get(2..).unwrap_or_default().replace('_', "");
            let value = i128::from_str_radix(&digits, radix).map_err(|_| self.error("not a number"))?;
            return Ok(value.into());
        }
        let digits = |text: &str| text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'_').count();
        let mut length = digits(rest);
        let mut float = false;
        let after = |length: usize| rest.get(length..).unwrap_or_default();
        // `a.0.1` is two indexes, and the dot of `1.real` begins a name.
        if !behind_dot {
            if let Some(fraction) = after(length).strip_prefix('.')
                && fraction.starts_with(|digit: char| digit.is_ascii_digit())
            {
                length += 1 + digits(fraction);
                float = true;
            }
            if let Some(exponent) = after(length).strip_prefix(['e', 'E']) {
                let sign = usize::from(exponent.starts_with(['+', '-']));
                let count = digits(exponent.get(sign..).unwrap_or_default());
                if count > 0 {
                    length += 1 + sign + count;
                    float = true;
                }
            }
        }
        let text = self.advance(length).replace('_', "");
        let number = if float {
            text.parse().ok().and_then(Number::from_f64)
        } else {
            text.parse::<i128>().ok().map(Number::from)
        };
        number.ok_or_else(|| self.error("the number is too large"))
    }

    fn string(&mut self, quote: u8) -> Result<String, SyntaxError> {
        let start = self.line;
        self.advance(1);
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let plain =
                rest.find([char::from(quote), '\\']).ok_or_else(|| SyntaxError::new(start, "the string has no end"))?;
            text.push_str(self.advance(plain));
            if self.advance(1) != "\\" {
                return Ok(text);
            }
            self.escape(&mut text)?;
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), SyntaxError> {
        let Some(letter) = self.rest().chars().next() else {
            return Err(self.error("the string has no end"));
        };
        self.advance(letter.len_utf8());
        match letter {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            '\\' | '"' | '\'' | '/' => text.push(letter),
            'x' => text.push(self.scalar(2)?),
            'u' => text.push(self.scalar(4)?),
            'U' => text.push(self.scalar(8)?),
            // Like Python, an unknown escape stands for itself.
            _ => text.extend(['\\', letter]),
        }
        Ok(())
    }

    fn scalar(&mut self, digits: usize) -> Result<char, SyntaxError> {
        let text = self.advance(digits);
        let value = u32::from_str_radix(text, 16).ok().and_then(char::from_u32);
        value.filter(|_| !text.starts_with('+')).ok_or_else(|| self.error("unknown escape in a string"))
    }
}

/// Where the next delimiter opens.
fn opening(text: &str) -> Option<usize> {
    let pairs = text.as_bytes().windows(2);
    pairs.into_iter().position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str) -> String {
        let one = |token: &Token<'_>| match &token.kind {
            Kind::Name(name) => (*name).to_owned(),
            Kind::String(text) => format!("{text:?}"),
            Kind::Number(number) => number.to_string(),
            Kind::Symbol(symbol) => (*symbol).to_owned(),
        };
        match pieces(source) {
            Err(error) => format!("line {}: {}", error.line, error.message),
            Ok(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => format!("<{text}>"),
                    Piece::Print(tokens, _) => format!("P[{}]", tokens.iter().map(one).collect::<Vec<_>>().join(" ")),
                    Piece::Tag(tokens, _) => format!("T[{}]", tokens.iter().map(one).collect::<Vec<_>>().join(" ")),
                })
                .collect(),
        }
    }

    #[test]
    fn templates_fall_into_pieces() {
        let table = [
            ("", ""),
            ("a\n", "<a>"),
            ("a\r\n", "<a>"),
            ("a\n\n", "<a\n>"),
            ("a {{ b }} c", "<a >P[b]< c>"),
            ("a {{- b -}} c", "<a>P[b]<c>"),
            ("a {%- if x -%} c", "<a>T[if x]<c>"),
            ("a {%+ if x +%} c", "<a >T[if x]< c>"),
            ("a{# {{ x }} #}b{#- c -#} d", "<a><b><d>"),
            ("{% raw %}{{ x }}{% endraw %}", "<{{ x }}>"),
            ("{%- raw -%} {{ x }} {%- endraw -%} y", "<{{ x }}><y>"),
            ("{% raw %}{% x %}{%endraw%}z", "<{% x %}><z>"),
            ("{{ {'a': {}} }}", "P[{ \"a\" : { } }]"),
            ("{{{'a': 1}}}", "P[{ \"a\" : 1 }]"),
            ("{{ '}}' }}{ {", "P[\"}}\"]<{ {>"),
            ("{{ a.0.1 + 1.50 - 1e3 ** 0x1F // 1_000 }}", "P[a . 0 . 1 + 1.5 - 1000.0 ** 31 // 1000]"),
            (r#"{{ "a\n\"\u00e9\q" 'x' }}"#, "P[\"a\\n\\\"é\\\\q\" \"x\"]"),
            ("{{ a-}}", "P[a]"),
            ("{{ 1 -}} x", "P[1]<x>"),
        ];
        for (source, expected) in table {
            assert_eq!(shown(source), expected, "{source:?}");
        }
    }

    #[test]
    fn what_has_no_end_is_told_with_its_line() {
        let table = [
            ("\n{{ a", "line 2: the tag has no end, `}}`"),
            ("{% if a }}", "line 1: the tag has no end, `%}`"),
            ("{# a", "line 1: the comment has no end, `#}`"),
            ("{{ \"a }}", "line 1: the string has no end"),
            ("{{ \"a\\", "line 1: the string has no end"),
            ("{% raw %}{{", "line 1: the `raw` block has no `endraw`"),
            ("{{ é }}", "line 1: unexpected character 'é'"),
            ("{{ (a }}", "line 1: the tag has no end, `}}`"),
            ("{{ \"\\u12\" }}", "line 1: unknown escape in a string"),
            ("{{ 999999999999999999999999999999999999999999 }}", "line 1: the number is too large"),
        ];
        for (source, expected) in table {
            assert_eq!(shown(source), expected, "{source:?}");
        }
    }
}
