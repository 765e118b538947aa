//! Statements as [`super::exec`] runs them, put together while the template is parsed.

use callout_core::json::SmolStr;

/// One statement. Expressions are known by their site.
#[derive(Debug)]
pub(super) enum Stmt {
    Text(Box<str>),
    Print(usize),
    If(Vec<Branch>),
    For(Box<For>),
    Set(Box<Set>),
    Break,
    Continue,
}

/// What is done if the test holds; without one it always does.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) test: Option<usize>,
    pub(super) body: Vec<Stmt>,
}

/// `{% for targets in elements if test %}body{% else %}other{% endfor %}`
#[derive(Debug)]
pub(super) struct For {
    pub(super) targets: Targets,
    pub(super) elements: usize,
    pub(super) test: Option<usize>,
    pub(super) body: Vec<Stmt>,
    pub(super) other: Vec<Stmt>,
    pub(super) line: u32,
}

/// `{% set targets = value %}`
#[derive(Debug)]
pub(super) struct Set {
    pub(super) targets: Targets,
    pub(super) value: usize,
    pub(super) line: u32,
}

/// What each turn of a loop writes, whatever its element, unless it is the last.
#[derive(Debug)]
pub(super) struct Least {
    /// Characters of text.
    pub(super) chars: usize,
    /// The sites of what it prints. Names there stand for what they stand for when the turn begins.
    pub(super) printed: Vec<usize>,
}

impl For {
    /// `None` if a turn may end before its end.
    pub(super) fn least(&self) -> Option<Least> {
        if continues(&self.body) {
            return None;
        }
        let names_stay = !sets(&self.body);
        let mut least = Least { chars: 0, printed: Vec::new() };
        for statement in &self.body {
            match statement {
                Stmt::Text(text) => least.chars += text.chars().count(),
                Stmt::Print(site) if names_stay => least.printed.push(*site),
                _ => {}
            }
        }
        Some(least)
    }
}

/// Whether a name may come to stand for something else, but for those that loops within give their elements,
/// which end with them.
fn sets(body: &[Stmt]) -> bool {
    body.iter().any(|statement| match statement {
        Stmt::Set(_) => true,
        Stmt::If(branches) => branches.iter().any(|branch| sets(&branch.body)),
        Stmt::For(each) => sets(&each.other),
        Stmt::Text(_) | Stmt::Print(_) | Stmt::Break | Stmt::Continue => false,
    })
}

/// Whether a turn may end before its end.
fn continues(body: &[Stmt]) -> bool {
    body.iter().any(|statement| match statement {
        Stmt::Continue => true,
        Stmt::If(branches) => branches.iter().any(|branch| continues(&branch.body)),
        // A loop within has turns of its own, but for its `else`.
        Stmt::For(each) => continues(&each.other),
        Stmt::Text(_) | Stmt::Print(_) | Stmt::Set(_) | Stmt::Break => false,
    })
}

/// The names that a value is given.
#[derive(Debug)]
pub(super) enum Targets {
    /// All of it.
    One(SmolStr),
    /// To each name one element.
    Each(Vec<SmolStr>),
}

impl Targets {
    pub(super) fn of(names: &[&str]) -> Self {
        match names {
            [name] => Self::One((*name).into()),
            names => Self::Each(names.iter().copied().map(SmolStr::from).collect()),
        }
    }
}

/// Puts statements together as they are met.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// The outermost statements.
    root: Vec<Stmt>,
    open: Vec<Block>,
    /// Whether something was met that has no statement here.
    foreign: bool,
}

/// A block that has no end yet.
#[derive(Debug)]
enum Block {
    If(Vec<Branch>),
    For(Box<For>, InElse),
}

/// Whether it is in a loop's `else`.
type InElse = bool;

impl Builder {
    /// There is something that has no statement here: nothing comes of the whole.
    pub(super) fn foreign(&mut self) {
        *self = Self { foreign: true, ..Self::default() };
    }

    pub(super) fn push(&mut self, statement: Stmt) {
        if self.foreign {
            return;
        }
        let body = match self.open.last_mut() {
            None => &mut self.root,
            Some(Block::If(branches)) => match branches.last_mut() {
                Some(branch) => &mut branch.body,
                None => return,
            },
            Some(Block::For(each, false)) => &mut each.body,
            Some(Block::For(each, true)) => &mut each.other,
        };
        body.push(statement);
    }

    pub(super) fn begin_if(&mut self, test: usize) {
        if !self.foreign {
            self.open.push(Block::If(vec![Branch { test: Some(test), body: Vec::new() }]));
        }
    }

    pub(super) fn begin_for(&mut self, targets: Targets, elements: usize, test: Option<usize>, line: u32) {
        if !self.foreign {
            let each = For { targets, elements, test, body: Vec::new(), other: Vec::new(), line };
            self.open.push(Block::For(Box::new(each), false));
        }
    }

    /// `elif`, or `else` without a test.
    pub(super) fn branch(&mut self, test: Option<usize>) {
        match self.open.last_mut() {
            Some(Block::If(branches)) => branches.push(Branch { test, body: Vec::new() }),
            Some(Block::For(_, in_else)) => *in_else = true,
            None => {}
        }
    }

    pub(super) fn end(&mut self) {
        match self.open.pop() {
            Some(Block::If(branches)) => self.push(Stmt::If(branches)),
            Some(Block::For(each, _)) => self.push(Stmt::For(each)),
            None => {}
        }
    }

    /// The statements; `None` if not all could be had.
    pub(super) fn finish(self) -> Option<Vec<Stmt>> {
        (!self.foreign && self.open.is_empty()).then_some(self.root)
    }
}
