//! Templates that write a line for each element of a mapped list: text, and values as they are printed. Most that
//! list something are such. They are written while the list is read, and no value is made.

use std::fmt;

use callout_core::{
    json::{Cell, Cells},
    limits::Limits,
};

use super::{
    Rendered,
    budget::{Enough, Fuel, Meter, Output},
    exec::{LOOP, PRINT, TURN},
    expr::{Expr, Root, StepKind},
    ops::{LONG_NAME, MEMBERS_PER_VISIT},
    parse::Program,
    statements::{For, Stmt, Targets},
    uses::Uses,
};
use crate::Watch;

/// What is written for each element, and around all of them.
pub(crate) struct Lines {
    before: Vec<Box<str>>,
    line: Vec<Piece>,
    after: Vec<Box<str>>,
}

/// Without its texts, which are the template's.
impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

enum Piece {
    Text(Box<str>),
    /// The value of that member.
    Value(usize),
}

/// A render of them. It costs what the statements cost that they were made of.
struct Render<'l> {
    lines: &'l Lines,
    meter: Meter,
    fuel: Fuel,
    output: Output,
    /// Whether the output takes more.
    goes_on: bool,
}

impl Lines {
    /// `None` if the template does anything else. The elements have members of these names.
    pub(super) fn of(statements: &[Stmt], program: &Program, names: &[&str]) -> Option<Self> {
        // Of those to look one up costs the same.
        if names.len() >= MEMBERS_PER_VISIT || names.iter().any(|name| name.len() > LONG_NAME) {
            return None;
        }
        let is_loop = |statement: &Stmt| matches!(statement, Stmt::For(_));
        let at = statements.iter().position(is_loop)?;
        let (before, rest) = statements.split_at_checked(at)?;
        let (each, after) = rest.split_first()?;
        let Stmt::For(each) = each else { return None };
        Some(Self { before: texts(before)?, line: line(each, program, names)?, after: texts(after)? })
    }

    /// Writes the lines of what is read: `read` shows each element to what it is given, which tells whether it
    /// takes more, and then tells whether all has been read. `None` if the statements have to be run: because
    /// that could not be, an element has another kind of value, or they may fail.
    pub(crate) fn write(
        &self,
        limits: &Limits,
        watch: &Watch<'_>,
        enough: Enough,
        read: impl FnOnce(&mut dyn FnMut(&mut Cells<'_, '_>) -> Option<bool>) -> Option<usize>,
    ) -> Option<Rendered> {
        let mut render = Render {
            lines: self,
            meter: Meter::new(limits, watch, 1),
            fuel: Fuel::new(limits),
            output: Output::new(limits.max_template_output_bytes, enough),
            goes_on: true,
        };
        render.texts(&self.before)?;
        // The elements are looked up once.
        render.spend(LOOP, 0)?;
        render.meter.visit(1).ok()?;
        read(&mut |cells| render.element(cells))?;
        if render.goes_on {
            render.texts(&self.after)?;
        }
        let is_whole = render.goes_on;
        // It takes no more, too, where there is more than there may be.
        (!render.output.overflowed()).then(|| Rendered { text: render.output.into_text(), is_whole, failed: None })
    }
}

fn texts(statements: &[Stmt]) -> Option<Vec<Box<str>>> {
    let text = |statement: &Stmt| match statement {
        Stmt::Text(text) => Some(text.clone()),
        _ => None,
    };
    statements.iter().map(text).collect()
}

fn line(each: &For, program: &Program, names: &[&str]) -> Option<Vec<Piece>> {
    let For { targets: Targets::One(variable), elements, test: None, body, .. } = each else { return None };
    // A long name costs more each time that it is looked up.
    if variable.len() > LONG_NAME || !Uses::is_name(&program.sites.get(*elements)?.expr, "result") {
        return None;
    }
    let piece = |statement: &Stmt| match statement {
        Stmt::Text(text) => Some(Piece::Text(text.clone())),
        Stmt::Print(site) => {
            let name = member(&program.sites.get(*site)?.expr, variable)?;
            names.iter().position(|known| *known == name).map(Piece::Value)
        }
        _ => None,
    };
    body.iter().map(piece).collect()
}

/// `variable.member`
fn member<'e>(expr: &'e Expr, variable: &str) -> Option<&'e str> {
    let Expr::Chain(chain) = expr else { return None };
    match (&chain.root, chain.steps.as_slice()) {
        (Root::Name(name), [step]) if name == variable => match &step.kind {
            StepKind::Attr(member) => Some(member),
            _ => None,
        },
        _ => None,
    }
}

impl Render<'_> {
    /// Whether there is more to come; `None` if something fails.
    fn element(&mut self, cells: &mut Cells<'_, '_>) -> Option<bool> {
        if !self.goes_on {
            return Some(false);
        }
        self.spend(TURN, 0)?;
        self.meter.make(1).ok()?;
        for piece in &self.lines.line {
            match piece {
                Piece::Text(text) => self.text(text)?,
                Piece::Value(column) => self.value(cells, *column)?,
            }
            if !self.goes_on {
                break;
            }
        }
        Some(self.goes_on)
    }

    fn value(&mut self, cells: &mut Cells<'_, '_>, column: usize) -> Option<()> {
        // The expression, its one step, and the look-up of that, as `Eval::print` pays for them.
        self.meter.visit(3).ok()?;
        let cell = cells.get(column)?;
        let text = match &cell {
            Cell::Null => "None",
            Cell::Bool(true) => "True",
            Cell::Bool(false) => "False",
            Cell::Number(number) => {
                self.meter.write(number.len()).ok()?;
                number
            }
            Cell::String(text) => text,
            Cell::Nested => return None,
        };
        self.put(text);
        self.spend(PRINT, text.len().saturating_mul(2))
    }

    fn texts(&mut self, texts: &[Box<str>]) -> Option<()> {
        texts.iter().try_for_each(|text| if self.goes_on { self.text(text) } else { Some(()) })
    }

    fn text(&mut self, text: &str) -> Option<()> {
        self.spend(1, text.len())?;
        self.put(text);
        Some(())
    }

    fn put(&mut self, text: &str) {
        self.goes_on = self.output.put(text);
    }

    fn spend(&mut self, instructions: u64, bytes: usize) -> Option<()> {
        self.fuel.spend(instructions, bytes).then_some(())
    }
}
