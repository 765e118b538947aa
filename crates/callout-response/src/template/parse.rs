//! Statements: the template is read once, each expression is set aside in a [`Program`], and what
//! is left is put together to be [run](super::exec) and written anew for minijinja, with a call in
//! place of each expression.

use std::fmt::Write;

use callout_core::json::SmolStr;

use super::{
    expr::{Chain, Expr, Root, Step, StepKind},
    fault::{SyntaxError, clipped},
    grammar::Parser,
    lex::{Piece, Token, pieces},
    statements::{Builder, Set, Stmt, Targets},
};

/// How many blocks, and branches of them, may be open at once.
pub(super) const MAX_OPEN: usize = 100;
/// How many of them may be blocks within blocks.
const MAX_BLOCKS: usize = 32;
/// How many names one assignment may unpack into.
const MAX_TARGETS: usize = 32;

/// The name of the one function that the written template calls.
pub(super) const CALL: &str = "__call";
pub(super) const NAMESPACE: &str = "__namespace";
const CAPTURED: &str = "__captured";

/// The expressions of a template.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) source: String,
    pub(super) sites: Vec<Site>,
    pub(super) loops: Vec<Loop>,
}

/// A loop with one variable, and the site of what it goes through.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) variable: SmolStr,
    pub(super) site: usize,
}

/// One expression, what its value is for, and the line on which its tag begins.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) expr: Expr,
    pub(super) usage: Use,
    pub(super) line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Use {
    Print,
    Test,
    Iterate,
    Assign,
    Namespace,
}

/// A template taken apart.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) program: Program,
    /// The statements, if they are all such as we run ourselves.
    pub(super) statements: Option<Vec<Stmt>>,
    /// What minijinja compiles.
    pub(super) written: String,
    /// For each line of `written`, from 1, the line of the source.
    pub(super) lines: Vec<u32>,
}

/// A block that has no end yet.
struct Open<'s> {
    kind: Block<'s>,
    line: u32,
    /// How many branches it has so far, and blocks that it is written as.
    branches: usize,
    has_else: bool,
}

enum Block<'s> {
    For,
    If,
    With,
    Set { name: &'s str, filters: Vec<Step>, start: usize },
    Filter { filters: Vec<Step>, start: usize },
}

impl Block<'_> {
    fn word(&self) -> &'static str {
        match self {
            Self::For => "for",
            Self::If => "if",
            Self::With => "with",
            Self::Set { .. } => "set",
            Self::Filter { .. } => "filter",
        }
    }

    /// Whether it is written as two blocks, one in the other: see [`Writer::capture`].
    fn captures(&self) -> bool {
        match self {
            Self::Set { .. } | Self::Filter { .. } => true,
            Self::For | Self::If | Self::With => false,
        }
    }
}

/// Takes a template apart.
pub(super) fn parse(source: &str) -> Result<Parts, SyntaxError> {
    let mut writer = Writer {
        source,
        sites: Vec::new(),
        loops: Vec::new(),
        statements: Builder::default(),
        written: String::new(),
        lines: vec![1, 1],
        open: Vec::new(),
    };
    for piece in pieces(source)? {
        match piece {
            Piece::Text(text) => writer.text(text),
            Piece::Print(tokens, line) => writer.print(&tokens, line)?,
            Piece::Tag(tokens, line) => writer.tag(&tokens, line)?,
        }
    }
    if let Some(open) = writer.open.last() {
        let word = open.kind.word();
        return Err(SyntaxError::new(open.line, format!("the `{word}` has no `end{word}`")));
    }
    // So that a line break at the end is text, and not the file's.
    writer.written.push_str("{##}");
    let program = Program { source: source.to_owned(), sites: writer.sites, loops: writer.loops };
    Ok(Parts { program, statements: writer.statements.finish(), written: writer.written, lines: writer.lines })
}

struct Writer<'s> {
    source: &'s str,
    sites: Vec<Site>,
    loops: Vec<Loop>,
    statements: Builder,
    written: String,
    lines: Vec<u32>,
    open: Vec<Open<'s>>,
}

impl<'s> Writer<'s> {
    /// Text goes through as it is, unless it could be taken for a tag where it ends or begins.
    fn text(&mut self, text: &str) {
        self.statements.push(Stmt::Text(text.into()));
        if text.contains(['{', '}']) {
            let mut quoted = String::new();
            // Writing to a string cannot fail. JSON's escapes are Jinja's too.
            let _ = callout_core::json::write_string(text, &mut quoted);
            self.tag_begins("{{", 0);
            self.written.push_str(&quoted);
            self.written.push_str("}}");
        } else {
            self.written.push_str(text);
            let breaks = text.bytes().filter(|byte| *byte == b'\n').count();
            self.lines.extend(std::iter::repeat_n(0, breaks));
        }
    }

    /// Each tag stands on a line of its own, so that minijinja's errors tell which it was.
    fn tag_begins(&mut self, delimiter: &str, line: u32) {
        self.written.push_str(delimiter);
        self.written.push('\n');
        self.lines.push(line);
    }

    fn write(&mut self, line: u32, tag: &str) {
        self.tag_begins("{%", line);
        self.written.push_str(tag);
        self.written.push_str("%}");
    }

    /// Sets an expression aside.
    fn site(&mut self, expr: Expr, usage: Use, line: u32) -> usize {
        self.sites.push(Site { expr, usage, line });
        self.sites.len() - 1
    }

    fn print(&mut self, tokens: &[Token<'s>], line: u32) -> Result<(), SyntaxError> {
        let mut parser = Parser::new(self.source, tokens, line);
        let expr = tuple(&mut parser, Parser::expression)?;
        parser.finish()?;
        self.print_value(expr, line);
        Ok(())
    }

    fn print_value(&mut self, expr: Expr, line: u32) {
        let site = self.site(expr, Use::Print, line);
        self.statements.push(Stmt::Print(site));
        self.tag_begins("{{", line);
        self.written.push_str(&call(site));
        self.written.push_str("}}");
    }

    fn tag(&mut self, tokens: &[Token<'s>], line: u32) -> Result<(), SyntaxError> {
        let mut parser = Parser::new(self.source, tokens, line);
        let parser = &mut parser;
        match parser.name()? {
            "for" => self.begin_for(parser, line)?,
            "if" => {
                let test = self.test(parser, line)?;
                self.begin(Block::If, line)?;
                self.statements.begin_if(test);
                self.write(line, &format!("if {}", call(test)));
            }
            "elif" => {
                self.branch("elif", parser)?;
                let test = self.test(parser, line)?;
                self.statements.branch(Some(test));
                self.write(line, &format!("elif {}", call(test)));
            }
            "else" => {
                self.branch("else", parser)?;
                self.statements.branch(None);
                self.write(line, "else");
            }
            "set" => self.set(parser, line)?,
            "with" => self.begin_with(parser, line)?,
            "filter" => {
                let start = parser.start();
                let filters = filters(parser)?;
                self.begin(Block::Filter { filters, start }, line)?;
                self.capture(CAPTURED, line);
            }
            word @ ("break" | "continue") => {
                match self.ended_by_break() {
                    Some(Block::For) => {}
                    // minijinja would leave what it has begun for that block as it is.
                    Some(other) => {
                        let within = other.word();
                        return Err(parser.error(format!("`{word}` cannot leave a `{within}` block within the `for`")));
                    }
                    None => return Err(parser.error(format!("`{word}` stands outside of a `for`"))),
                }
                self.statements.push(if word == "break" { Stmt::Break } else { Stmt::Continue });
                self.write(line, word);
            }
            "endfor" | "endif" | "endset" | "endwith" | "endfilter" => self.end(parser, tokens, line)?,
            word @ ("include" | "import" | "from" | "extends" | "block" | "macro" | "call" | "autoescape" | "do") => {
                return Err(parser.error(format!("`{word}` cannot be used in a result template")));
            }
            word => {
                let word = clipped(word, 40);
                return Err(parser.error(format!("there is no statement `{word}`")));
            }
        }
        parser.finish()
    }

    /// The `for` that a `break` here ends, or what is between.
    fn ended_by_break(&self) -> Option<&Block<'s>> {
        let counts = |open: &&Open<'s>| match open.kind {
            Block::If => false,
            // In its `else` it has ended.
            Block::For => !open.has_else,
            Block::With | Block::Set { .. } | Block::Filter { .. } => true,
        };
        let is_for = |open: &Open<'s>| matches!(open.kind, Block::For) && !open.has_else;
        self.open.iter().any(is_for).then(|| self.open.iter().rev().find(counts)).flatten().map(|open| &open.kind)
    }

    fn begin(&mut self, kind: Block<'s>, line: u32) -> Result<(), SyntaxError> {
        let branches = if kind.captures() { 2 } else { 1 };
        self.open.push(Open { kind, line, branches, has_else: false });
        if self.open.len() > MAX_BLOCKS {
            return Err(SyntaxError::new(line, format!("more than {MAX_BLOCKS} blocks are open at once")));
        }
        self.count_branches().map_err(|message| SyntaxError::new(line, message))
    }

    /// Fails where more branches are open than may be.
    fn count_branches(&self) -> Result<(), String> {
        let branches: usize = self.open.iter().map(|open| open.branches).sum();
        if branches > MAX_OPEN {
            return Err(format!("more than {MAX_OPEN} branches are open at once; a mapping can hold them"));
        }
        Ok(())
    }

    /// Begins a block whose text a name is set to. What is set within ends with it, as it would not in minijinja.
    fn capture(&mut self, name: &str, line: u32) {
        self.statements.foreign();
        self.write(line, &format!("set {name}"));
        self.write(line, "with ");
    }

    fn branch(&mut self, word: &str, parser: &Parser<'_, 's>) -> Result<(), SyntaxError> {
        match self.open.last_mut() {
            Some(open) if open.has_else => return Err(parser.error(format!("`{word}` behind an `else`"))),
            Some(Open { kind: Block::If, branches, has_else, .. }) => {
                *branches += 1;
                *has_else = word == "else";
            }
            Some(Open { kind: Block::For, has_else, .. }) if word == "else" => *has_else = true,
            _ => return Err(parser.error(format!("`{word}` stands outside of an `if`"))),
        }
        self.count_branches().map_err(|message| parser.error(message))
    }

    fn test(&mut self, parser: &mut Parser<'_, 's>, line: u32) -> Result<usize, SyntaxError> {
        let expr = parser.expression()?;
        Ok(self.site(expr, Use::Test, line))
    }

    fn begin_for(&mut self, parser: &mut Parser<'_, 's>, line: u32) -> Result<(), SyntaxError> {
        let names = targets(parser)?;
        if !parser.word("in") {
            return Err(parser.expected("`in`"));
        }
        // An `if` belongs to the loop.
        let elements = tuple(parser, Parser::without_condition)?;
        if let [name] = names[..] {
            self.loops.push(Loop { variable: name.into(), site: self.sites.len() });
        }
        let elements = self.site(elements, Use::Iterate, line);
        let mut tag = format!("for {} in {}", names.join(", "), call(elements));
        let mut test = None;
        if parser.word("if") {
            let site = self.test(parser, line)?;
            test = Some(site);
            // Writing to a string cannot fail.
            let _ = write!(tag, " if {}", call(site));
        }
        if parser.word("recursive") {
            return Err(parser.error("`recursive` cannot be used in a result template"));
        }
        self.begin(Block::For, line)?;
        self.statements.begin_for(Targets::of(&names), elements, test, line);
        self.write(line, &tag);
        Ok(())
    }

    fn begin_with(&mut self, parser: &mut Parser<'_, 's>, line: u32) -> Result<(), SyntaxError> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        while !parser.is_done() {
            if !names.is_empty() {
                parser.expect(",")?;
            }
            names.push(parser.new_name()?);
            parser.expect("=")?;
            let value = parser.expression()?;
            values.push(call(self.site(value, Use::Assign, line)));
        }
        self.begin(Block::With, line)?;
        self.statements.foreign();
        let (names, list) = (names.join(", "), values.join(", "));
        let tag = match values.len() {
            0 => "with ".to_owned(),
            1 => format!("with {names} = {list}"),
            // All at once: no name stands for its value in that of another.
            _ => format!("with ({names}) = [{list}]"),
        };
        self.write(line, &tag);
        Ok(())
    }

    fn set(&mut self, parser: &mut Parser<'_, 's>, line: u32) -> Result<(), SyntaxError> {
        let start = parser.start();
        let names = targets(parser)?;
        let mut written = names.join(", ");
        let single = match names[..] {
            [name] => Some(name),
            _ => None,
        };
        if let Some(name) = single {
            if parser.symbol(".") {
                self.statements.foreign();
                // Writing to a string cannot fail.
                let _ = write!(written, ".{}", parser.name()?);
            } else if parser.is_done() || parser.is_symbol("|") {
                let filters = if parser.symbol("|") { filters(parser)? } else { Vec::new() };
                self.begin(Block::Set { name, filters, start }, line)?;
                self.capture(name, line);
                return Ok(());
            }
        }
        parser.expect("=")?;
        let value = if single.is_some() && parser.is_call_of("namespace") {
            parser.word("namespace");
            let members = Expr::Map(parser.keywords()?);
            self.statements.foreign();
            format!("{NAMESPACE}({})", call(self.site(members, Use::Namespace, line)))
        } else {
            let value = tuple(parser, Parser::expression)?;
            let value = self.site(value, Use::Assign, line);
            self.statements.push(Stmt::Set(Box::new(Set { targets: Targets::of(&names), value, line })));
            call(value)
        };
        self.write(line, &format!("set {written} = {value}"));
        Ok(())
    }

    fn end(&mut self, parser: &mut Parser<'_, 's>, tokens: &[Token<'s>], line: u32) -> Result<(), SyntaxError> {
        let word = tokens.first().and_then(|token| self.source.get(token.start..token.end)).unwrap_or_default();
        let word = word.strip_prefix("end").unwrap_or_default();
        let open = match self.open.pop() {
            Some(open) if open.kind.word() == word => open,
            Some(open) => {
                let (inner, at) = (open.kind.word(), open.line);
                return Err(parser.error(format!("`end{word}`, but the `{inner}` of line {at} is still open")));
            }
            None => return Err(parser.error(format!("`end{word}`, but no `{word}` is open"))),
        };
        self.statements.end();
        if open.kind.captures() {
            self.write(line, "endwith");
            self.write(line, "endset");
        } else {
            self.write(line, &format!("end{word}"));
        }
        match open.kind {
            Block::Filter { filters, start } => {
                let filtered = filtered(CAPTURED, filters, start);
                self.print_value(filtered, open.line);
            }
            Block::Set { name, filters, start } if !filters.is_empty() => {
                let site = self.site(filtered(name, filters, start), Use::Assign, open.line);
                self.write(line, &format!("set {name} = {}", call(site)));
            }
            _ => {}
        }
        Ok(())
    }
}

/// What the written template calls an expression by.
fn call(site: usize) -> String {
    format!("{CALL}({site})")
}

fn filtered(name: &str, steps: Vec<Step>, start: usize) -> Expr {
    let chain = Chain { root: Root::Name(name.into()), steps, start, end: start };
    Expr::Chain(Box::new(chain))
}

/// One or more filters, up to the end of the tag.
fn filters(parser: &mut Parser<'_, '_>) -> Result<Vec<Step>, SyntaxError> {
    let mut steps = Vec::new();
    loop {
        let kind: StepKind = parser.filter()?;
        steps.push(Step { kind, end: parser.end() });
        if !parser.symbol("|") {
            return Ok(steps);
        }
    }
}

/// One value, or several with commas between them, which are a list.
fn tuple<'t, 's>(
    parser: &mut Parser<'t, 's>,
    one: fn(&mut Parser<'t, 's>) -> Result<Expr, SyntaxError>,
) -> Result<Expr, SyntaxError> {
    let first = one(parser)?;
    if !parser.is_symbol(",") {
        return Ok(first);
    }
    let mut items = vec![first];
    while parser.symbol(",") && !parser.is_done() {
        items.push(one(parser)?);
    }
    Ok(Expr::List(items))
}

/// Names to unpack into: `a`, `a, b`, `(a, b)`.
fn targets<'s>(parser: &mut Parser<'_, 's>) -> Result<Vec<&'s str>, SyntaxError> {
    let bracketed = parser.symbol("(");
    let mut names = vec![parser.new_name()?];
    while parser.symbol(",") {
        names.push(parser.new_name()?);
        if names.len() > MAX_TARGETS {
            return Err(parser.error(format!("more than {MAX_TARGETS} names to unpack into")));
        }
    }
    if bracketed {
        parser.expect(")")?;
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use callout_core::json::Json;

    use super::*;

    #[test]
    fn each_expression_is_set_aside() {
        let parts = parse("a{{ 1 }}b\n{% if 2 %}{ }{% endif %}").unwrap();
        let values: Vec<_> = parts
            .program
            .sites
            .iter()
            .map(|site| match &site.expr {
                Expr::Const(json) => (json.clone(), site.line),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(values, [(Json::from(1), 1), (Json::from(2), 2)]);
        assert_eq!(parts.written, "a{{\n__call(0)}}b\n{%\nif __call(1)%}{{\n\"{ }\"}}{%\nendif%}{##}");
        assert_eq!(parts.lines, [1, 1, 1, 0, 2, 0, 2]);
    }
}
