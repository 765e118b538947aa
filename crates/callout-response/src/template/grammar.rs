//! The grammar of expressions, which is Jinja's, from tokens to their [form](super::expr).
//!
//! It recurses with brackets, signs, `not` and inline conditions only, and no more than
//! [`MAX_NESTING`] deep: parsing, evaluating and dropping an expression take a bounded stack whatever
//! its length.

use callout_core::json::{Json, Number};

use super::{
    expr::{Args, Branches, Chain, Expr, Root, Step, StepKind},
    fault::{SyntaxError, clipped},
    filters::{self, Filter},
    lex::{Kind, Token},
    methods,
    ops::{Arith, Compare},
    predicates,
};

/// How deep brackets, signs and inline conditions of one expression may nest.
const MAX_NESTING: usize = 20;

/// Names that cannot be set; `loop` can be read.
const RESERVED: [&str; 14] =
    ["true", "True", "false", "False", "none", "None", "loop", "self", "in", "if", "else", "not", "and", "or"];

/// What `loop` has.
pub(super) const LOOP_FIELDS: [&str; 7] = ["index", "index0", "revindex", "revindex0", "first", "last", "length"];

type Parsed<T> = Result<T, SyntaxError>;

/// Reads tokens of one tag from the front.
pub(super) struct Parser<'t, 's> {
    source: &'s str,
    tokens: &'t [Token<'s>],
    at: usize,
    line: u32,
    nesting: usize,
}

impl<'t, 's> Parser<'t, 's> {
    pub(super) fn new(source: &'s str, tokens: &'t [Token<'s>], line: u32) -> Self {
        Self { source, tokens, at: 0, line, nesting: 0 }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> SyntaxError {
        let near = self.tokens.get(self.at).or(self.tokens.last());
        SyntaxError::new(near.map_or(self.line, |token| token.line), message)
    }

    /// An error that says what stands here instead.
    pub(super) fn expected(&self, what: &str) -> SyntaxError {
        let found = match self.tokens.get(self.at) {
            Some(token) => format!("`{}`", self.source.get(token.start..token.end).unwrap_or_default()),
            None => "the end of the tag".to_owned(),
        };
        self.error(format!("expected {what}, not {}", clipped(&found, 40)))
    }

    fn peek(&self) -> Option<&'t Kind<'s>> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn peek_second(&self) -> Option<&'t Kind<'s>> {
        self.tokens.get(self.at + 1).map(|token| &token.kind)
    }

    /// Where the next token begins.
    pub(super) fn start(&self) -> usize {
        self.tokens.get(self.at).map_or(self.source.len(), |token| token.start)
    }

    /// Where the last token ended.
    pub(super) fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.end)
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn finish(&self) -> Parsed<()> {
        if self.is_done() { Ok(()) } else { Err(self.expected("the end of the tag")) }
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Kind::Symbol(found)) if *found == symbol)
    }

    pub(super) fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Kind::Name(found)) if *found == word)
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn name(&mut self) -> Parsed<&'s str> {
        match self.peek() {
            Some(Kind::Name(name)) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.expected("a name")),
        }
    }

    /// A name that a template may set.
    pub(super) fn new_name(&mut self) -> Parsed<&'s str> {
        let name = self.name()?;
        self.at -= 1;
        if RESERVED.contains(&name) {
            return Err(self.error(format!("`{name}` cannot be set, it has a meaning of its own")));
        }
        if name.starts_with("__") {
            return Err(self.error("names that begin with two underscores are kept for the engine"));
        }
        self.at += 1;
        Ok(name)
    }

    /// Whether the name that stands here is called: `name(`.
    pub(super) fn is_call_of(&self, name: &str) -> bool {
        self.is_word(name) && matches!(self.peek_second(), Some(Kind::Symbol("(")))
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting == MAX_NESTING {
            return Err(self.error(format!(
                "the expression nests deeper than {MAX_NESTING} levels; `set` a part of it to a name first"
            )));
        }
        self.nesting += 1;
        let parsed = parse(self);
        self.nesting -= 1;
        parsed
    }

    /// A whole expression, inline condition included.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.nested(|parser| {
            let then = parser.without_condition()?;
            if !parser.word("if") {
                return Ok(then);
            }
            let test = parser.without_condition()?;
            let other = if parser.word("else") { Some(parser.expression()?) } else { None };
            Ok(Expr::If(Box::new(Branches { then, test, other })))
        })
    }

    /// An expression up to a word `if`, which belongs to the tag.
    pub(super) fn without_condition(&mut self) -> Parsed<Expr> {
        let mut any = vec![self.all()?];
        while self.word("or") {
            any.push(self.all()?);
        }
        Ok(single(any, Expr::Or))
    }

    fn all(&mut self) -> Parsed<Expr> {
        let mut all = vec![self.inverse()?];
        while self.word("and") {
            all.push(self.inverse()?);
        }
        Ok(single(all, Expr::And))
    }

    fn inverse(&mut self) -> Parsed<Expr> {
        if self.word("not") {
            return self.nested(|parser| Ok(Expr::Not(Box::new(parser.inverse()?))));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let compare = match self.peek() {
                Some(Kind::Symbol("==")) => Compare::Eq,
                Some(Kind::Symbol("!=")) => Compare::Ne,
                Some(Kind::Symbol("<")) => Compare::Lt,
                Some(Kind::Symbol("<=")) => Compare::Le,
                Some(Kind::Symbol(">")) => Compare::Gt,
                Some(Kind::Symbol(">=")) => Compare::Ge,
                Some(Kind::Name("in")) => Compare::In,
                Some(Kind::Name("not")) if matches!(self.peek_second(), Some(Kind::Name("in"))) => {
                    self.at += 1;
                    Compare::NotIn
                }
                _ => break,
            };
            self.at += 1;
            rest.push((compare, self.sum()?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Compare(Box::new(first), rest) })
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let operator = |kind: &Kind<'_>| match kind {
            Kind::Symbol("+") => Some(Arith::Add),
            Kind::Symbol("-") => Some(Arith::Sub),
            _ => None,
        };
        self.arith(operator, Self::concat)
    }

    fn concat(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.product()?];
        while self.symbol("~") {
            parts.push(self.product()?);
        }
        Ok(single(parts, Expr::Concat))
    }

    fn product(&mut self) -> Parsed<Expr> {
        let operator = |kind: &Kind<'_>| match kind {
            Kind::Symbol("*") => Some(Arith::Mul),
            Kind::Symbol("/") => Some(Arith::Div),
            Kind::Symbol("//") => Some(Arith::FloorDiv),
            Kind::Symbol("%") => Some(Arith::Rem),
            _ => None,
        };
        self.arith(operator, Self::power)
    }

    fn power(&mut self) -> Parsed<Expr> {
        self.arith(|kind| (*kind == Kind::Symbol("**")).then_some(Arith::Pow), Self::filtered)
    }

    fn arith(
        &mut self,
        operator: impl Fn(&Kind<'_>) -> Option<Arith>,
        operand: impl Fn(&mut Self) -> Parsed<Expr>,
    ) -> Parsed<Expr> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(found) = self.peek().and_then(&operator) {
            self.at += 1;
            rest.push((found, operand(self)?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Arith(Box::new(first), rest) })
    }

    /// An operand with its filters and tests. They apply to a negated operand as a whole.
    fn filtered(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let operand = self.signed()?;
        if !self.is_symbol("|") && !self.is_word("is") {
            return Ok(operand);
        }
        let mut chain = into_chain(operand, start, self.end());
        loop {
            let kind = if self.symbol("|") {
                self.filter()?
            } else if self.word("is") {
                self.test()?
            } else {
                return Ok(Expr::Chain(Box::new(chain)));
            };
            chain.steps.push(Step { kind, end: self.end() });
        }
    }

    fn signed(&mut self) -> Parsed<Expr> {
        let negates = self.symbol("-");
        if !negates && !self.symbol("+") {
            return self.postfixed();
        }
        self.nested(|parser| {
            Ok(match parser.signed()? {
                Expr::Const(Json::Number(number)) if negates => Expr::Const(Json::Number(negated(&number))),
                number @ Expr::Const(Json::Number(_)) => number,
                other if negates => Expr::Negate(Box::new(other)),
                // It has to be a number, and be calculated with.
                other => Expr::Arith(Box::new(Expr::Const(0.into())), vec![(Arith::Add, other)]),
            })
        })
    }

    fn postfixed(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let root = self.primary()?;
        if !matches!(self.peek(), Some(Kind::Symbol("." | "[" | "("))) {
            return Ok(root);
        }
        let mut chain = into_chain(root, start, self.end());
        loop {
            let kind = if self.symbol(".") {
                self.attribute()?
            } else if self.symbol("[") {
                self.subscript()?
            } else if self.is_symbol("(") {
                return Err(self.error("only methods and the functions range, dict and namespace can be called"));
            } else {
                return Ok(Expr::Chain(Box::new(chain)));
            };
            chain.steps.push(Step { kind, end: self.end() });
        }
    }

    fn attribute(&mut self) -> Parsed<StepKind> {
        if let Some(Kind::Number(number)) = self.peek() {
            self.at += 1;
            return Ok(StepKind::Item(Expr::Const(Json::Number(number.clone()))));
        }
        let name = self.name()?;
        if !self.is_symbol("(") {
            return Ok(StepKind::Attr(name.into()));
        }
        let Some(method) = methods::find(name) else {
            return Err(self.error(format!("there is no method `{name}`; filters are applied with `|`")));
        };
        Ok(StepKind::Method(method, self.positional()?))
    }

    fn subscript(&mut self) -> Parsed<StepKind> {
        let mut parts = [const { None }; 3];
        let mut colons = 0;
        loop {
            if self.symbol("]") {
                break;
            }
            if colons < 2 && self.symbol(":") {
                colons += 1;
                continue;
            }
            match parts.get_mut(colons) {
                Some(part @ None) => *part = Some(self.expression()?),
                _ => return Err(self.expected("`]`")),
            }
        }
        let [first, ..] = &mut parts;
        match (colons, first.take()) {
            (0, Some(item)) => Ok(StepKind::Item(item)),
            (0, None) => Err(self.error("the brackets are empty")),
            (_, start) => {
                *first = start;
                Ok(StepKind::Slice(Box::new(parts)))
            }
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let Some(token) = self.peek() else { return Err(self.expected("a value")) };
        self.at += 1;
        match token {
            Kind::Number(number) => Ok(Expr::Const(Json::Number(number.clone()))),
            Kind::String(text) => Ok(Expr::Const(self.strings(text))),
            Kind::Symbol("(") => self.parenthesis(),
            Kind::Symbol("[") => Ok(Expr::List(self.until("]", Self::expression)?)),
            Kind::Symbol("{") => self.map(),
            Kind::Name("true" | "True") => Ok(Expr::Const(true.into())),
            Kind::Name("false" | "False") => Ok(Expr::Const(false.into())),
            Kind::Name("none" | "None") => Ok(Expr::Const(Json::Null)),
            Kind::Name("loop") => self.of_loop(start),
            Kind::Name(name) if self.is_symbol("(") => self.call(name, start),
            Kind::Name(name) if !RESERVED.contains(name) && !name.starts_with("__") => {
                let end = self.end();
                let root = Root::Name((*name).into());
                Ok(Expr::Chain(Box::new(Chain { root, steps: Vec::new(), start, end })))
            }
            _ => {
                self.at -= 1;
                Err(self.expected("a value"))
            }
        }
    }

    /// Strings that stand side by side are one.
    fn strings(&mut self, first: &str) -> Json {
        let mut all = first.to_owned();
        while let Some(Kind::String(next)) = self.peek() {
            self.at += 1;
            all.push_str(next);
        }
        all.into()
    }

    fn parenthesis(&mut self) -> Parsed<Expr> {
        if self.symbol(")") {
            return Ok(Expr::List(Vec::new()));
        }
        let first = self.expression()?;
        if self.symbol(")") {
            return Ok(first);
        }
        self.expect(",")?;
        let mut items = vec![first];
        items.extend(self.until(")", Self::expression)?);
        Ok(Expr::List(items))
    }

    /// What stands up to a bracket, one after the other with commas between.
    fn until<T>(&mut self, close: &str, mut one: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut all = Vec::new();
        while !self.symbol(close) {
            all.push(one(self)?);
            if !self.is_symbol(close) {
                self.expect(",")?;
            }
        }
        Ok(all)
    }

    fn map(&mut self) -> Parsed<Expr> {
        let members = self.until("}", |parser| {
            let key = parser.expression()?;
            parser.expect(":")?;
            Ok((key, parser.expression()?))
        })?;
        Ok(Expr::Map(members))
    }

    fn of_loop(&mut self, start: usize) -> Parsed<Expr> {
        let root = if self.symbol(".") { self.name().ok() } else { None };
        let root = match root {
            Some("cycle") => {
                let items = self.positional()?;
                if items.is_empty() {
                    return Err(self.error("`loop.cycle` needs the values to go through"));
                }
                Root::Cycle(items)
            }
            other => match LOOP_FIELDS.into_iter().find(|field| other == Some(field)) {
                Some(field) => Root::Loop(field),
                None => {
                    return Err(self.error(format!("`loop` has cycle(…), {}", LOOP_FIELDS.join(", "))));
                }
            },
        };
        Ok(Expr::Chain(Box::new(Chain { root, steps: Vec::new(), start, end: self.end() })))
    }

    fn call(&mut self, name: &str, start: usize) -> Parsed<Expr> {
        match name {
            "range" => {
                let args = self.positional()?;
                if args.is_empty() || args.len() > 3 {
                    return Err(self.error("`range` takes a stop; or a start and a stop; or a step besides"));
                }
                let root = Root::Range(args);
                Ok(Expr::Chain(Box::new(Chain { root, steps: Vec::new(), start, end: self.end() })))
            }
            "dict" => Ok(Expr::Map(self.keywords()?)),
            "namespace" => Err(self.error("`namespace` can only be used as `{% set name = namespace(…) %}`")),
            _ => Err(self.error(format!("there is no function `{name}`; there are range, dict and namespace"))),
        }
    }

    /// `(name=value, …)`
    pub(super) fn keywords(&mut self) -> Parsed<Vec<(Expr, Expr)>> {
        self.expect("(")?;
        self.until(")", |parser| {
            let name = parser.name()?;
            parser.expect("=")?;
            Ok((Expr::Const(name.into()), parser.expression()?))
        })
    }

    /// `(value, …)`
    fn positional(&mut self) -> Parsed<Vec<Expr>> {
        self.expect("(")?;
        self.until(")", |parser| {
            if parser.is_keyword() {
                return Err(parser.error("keyword arguments cannot be used here"));
            }
            parser.expression()
        })
    }

    fn is_keyword(&self) -> bool {
        matches!((self.peek(), self.peek_second()), (Some(Kind::Name(_)), Some(Kind::Symbol("="))))
    }

    /// The name and arguments of a filter, behind the `|`.
    pub(super) fn filter(&mut self) -> Parsed<StepKind> {
        let name = self.name()?;
        let Some(filter) = filters::find(name) else {
            return Err(self.error(format!("there is no filter `{name}`")));
        };
        let mut args = Args { mapped: None, named: vec![None; filter.named.len()], rest: Vec::new() };
        if self.symbol("(") {
            self.until(")", |parser| parser.argument(filter, &mut args))?;
        }
        if filter.maps && !args.rest.is_empty() && args.mapped.is_none() && args.named.iter().any(Option::is_some) {
            let either =
                "takes `attribute` and `default`, or a filter's name, in quotes if arguments by name follow it";
            return Err(self.error(format!("the filter `{name}` {either}")));
        }
        let applied = args.mapped.unwrap_or(filter);
        if applied.required > args.named.iter().take_while(|arg| arg.is_some()).count() {
            return Err(self.error(format!("the filter `{}` needs {}", applied.name, applied.named.join(", "))));
        }
        Ok(StepKind::Filter(filter, args))
    }

    fn argument(&mut self, filter: &Filter, args: &mut Args) -> Parsed<()> {
        let filter = args.mapped.unwrap_or(filter);
        let place = if self.is_keyword() {
            let name = self.name()?;
            self.at += 1;
            match filter.named.iter().position(|known| *known == name) {
                Some(place) => Some(place),
                None => return Err(self.error(unknown_argument(filter, name))),
            }
        } else if filter.takes_rest {
            None
        } else {
            Some(args.named.iter().take_while(|arg| arg.is_some()).count())
        };
        let value = self.expression()?;
        match place {
            None if filter.maps && args.rest.is_empty() && args.named.iter().all(Option::is_none) => match value {
                Expr::Const(Json::String(name)) => {
                    let mapped = filters::find_mapped(&name).map_err(|message| self.error(message))?;
                    args.named = vec![None; mapped.named.len()];
                    args.mapped = Some(mapped);
                }
                name => args.rest.push(name),
            },
            None => args.rest.push(value),
            Some(place) => match args.named.get_mut(place) {
                Some(slot @ None) => *slot = Some(value),
                Some(_) => return Err(self.error(format!("the filter `{}` got an argument twice", filter.name))),
                None => return Err(self.error(format!("the filter `{}` takes fewer arguments", filter.name))),
            },
        }
        Ok(())
    }

    fn test(&mut self) -> Parsed<StepKind> {
        let negated = self.word("not");
        let name = self.name()?;
        let Some(test) = predicates::find(name) else {
            return Err(self.error(format!("there is no test `{name}`")));
        };
        let args = if self.is_symbol("(") {
            self.positional()?
        } else if test.takes > 0 {
            vec![self.nested(Self::signed)?]
        } else {
            Vec::new()
        };
        if args.len() != test.takes {
            return Err(self.error(format!("the test `{name}` takes {} arguments", test.takes)));
        }
        Ok(StepKind::Test { test, args, negated })
    }
}

fn unknown_argument(filter: &Filter, name: &str) -> String {
    if filter.named.is_empty() {
        format!("the filter `{}` takes no argument `{name}`", filter.name)
    } else {
        format!("the filter `{}` takes no argument `{name}`; it takes {}", filter.name, filter.named.join(", "))
    }
}

fn single(mut parts: Vec<Expr>, many: impl FnOnce(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}

fn into_chain(expr: Expr, start: usize, end: usize) -> Chain {
    match expr {
        Expr::Chain(chain) => *chain,
        other => Chain { root: Root::Value(other), steps: Vec::new(), start, end },
    }
}

fn negated(number: &Number) -> Number {
    let text = number.as_str();
    // There is one whole zero.
    if text == "0" {
        return number.clone();
    }
    let text = text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned);
    Number::from_text(&text).unwrap_or_else(|| number.clone())
}
