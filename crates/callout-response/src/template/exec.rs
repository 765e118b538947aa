//! Runs the statements that most templates are made of: text, printing, `for`, `if`, `set` of names. Values
//! are looked at where they are, in the body or in a variable, and what is printed is written straight into
//! the output. A template with any other statement goes through minijinja.
//!
//! It does what minijinja does with the same template, in the same order, down to what it costs: both
//! count instructions and bytes alike, so that neither renders what the other would not.

use callout_core::json::Json;

use super::{
    budget::{Fuel, Meter, Output},
    eval::{Eval, Run, Scope},
    fault::{Fail, Outcome},
    ops::{LONG_NAME, MEMBERS_PER_VISIT},
    parse::{Program, Site},
    statements::{For, Set, Stmt, Targets},
    value::Val,
};

/// Instructions of minijinja's that a statement stands for.
pub(super) const PRINT: u64 = 3;
const TEST: u64 = 4;
const SET: u64 = 3;
pub(super) const LOOP: u64 = 3;
pub(super) const TURN: u64 = 3;
const TURN_OF_TEST: u64 = 6;

/// Why a render stopped.
pub(super) enum Stop {
    /// Something failed, on that line of the template if it is known.
    Failed(Option<u32>, Fail),
    /// The output takes no more.
    Full,
}

/// Where to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// The variables of a template, and the loops that it is in.
#[derive(Debug, Default)]
pub(super) struct Locals<'p> {
    variables: Vec<(&'p str, Val)>,
    scopes: Vec<Within>,
}

/// One loop that is being gone through.
#[derive(Clone, Copy, Debug)]
struct Within {
    /// Where its variables begin.
    base: usize,
    /// Which element it is at, of how many; `None` while elements are being chosen.
    turn: Option<(usize, usize)>,
}

impl<'p> Locals<'p> {
    /// The variable of that name, the innermost if there are several.
    pub(super) fn get(&self, name: &str, meter: &Meter) -> Outcome<Option<&Val>> {
        pay_search(name, self.variables.len(), meter)?;
        Ok(self.variables.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value))
    }

    /// `loop.field`
    pub(super) fn of_loop(&self, field: &str) -> Option<Val> {
        let (at, len) = self.scopes.iter().rev().find_map(|scope| scope.turn)?;
        let number = |number: usize| Some(Val::from(number as u64));
        match field {
            "index" => number(at + 1),
            "index0" => number(at),
            "length" => number(len),
            "revindex" => number(len.saturating_sub(at)),
            "revindex0" => number(len.saturating_sub(at).saturating_sub(1)),
            "first" => Some((at == 0).into()),
            "last" => Some((at + 1 >= len).into()),
            _ => None,
        }
    }

    fn set(&mut self, name: &'p str, value: Val, meter: &Meter) -> Outcome<()> {
        let base = self.scopes.last().map_or(0, |scope| scope.base);
        let own = self.variables.get_mut(base..).unwrap_or_default();
        pay_search(name, own.len(), meter)?;
        match own.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before = value,
            None => self.variables.push((name, value)),
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.scopes.push(Within { base: self.variables.len(), turn: None });
    }

    /// The next element's turn: what was set in the last one is gone.
    fn next(&mut self, turn: Option<(usize, usize)>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.turn = turn;
            self.variables.truncate(scope.base);
        }
    }

    fn end(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.variables.truncate(scope.base);
        }
    }
}

/// Accounts for looking for a name among so many variables, which are gone through as members are. To look among few is
/// part of what an expression or a statement costs.
fn pay_search(name: &str, among: usize, meter: &Meter) -> Outcome<()> {
    if name.len() > LONG_NAME {
        meter.read(name.len().saturating_mul(among))?;
    }
    if among < MEMBERS_PER_VISIT { Ok(()) } else { meter.visit(among / MEMBERS_PER_VISIT) }
}

/// Runs a template's statements.
pub(super) fn run(
    statements: &[Stmt],
    program: &Program,
    run: &Run,
    fuel: Fuel,
    output: &mut Output,
) -> Result<(), Stop> {
    Exec { program, run, fuel, output, locals: Locals::default() }.block(statements).map(drop)
}

struct Exec<'a> {
    program: &'a Program,
    run: &'a Run,
    fuel: Fuel,
    output: &'a mut Output,
    locals: Locals<'a>,
}

/// What a loop goes through.
enum Elements {
    /// A list's elements, a mapping's keys.
    All(Val),
    Chosen(Vec<Val>),
}

impl Elements {
    fn len(&self) -> usize {
        match self {
            Self::All(value) => super::value::len(&value.json).unwrap_or(0),
            Self::Chosen(values) => values.len(),
        }
    }

    fn get(&self, at: usize) -> Option<Val> {
        match self {
            Self::All(value) => value.element(at),
            Self::Chosen(values) => values.get(at).cloned(),
        }
    }
}

impl<'a> Exec<'a> {
    fn block(&mut self, statements: &'a [Stmt]) -> Result<Flow, Stop> {
        for statement in statements {
            let flow = match statement {
                Stmt::Text(text) => {
                    self.spend(1, text.len(), None)?;
                    self.write(text)?;
                    Flow::Next
                }
                Stmt::Print(site) => self.print(*site)?,
                Stmt::If(branches) => {
                    let mut flow = Flow::Next;
                    for branch in branches {
                        if branch.test.map_or(Ok(true), |test| self.test(test))? {
                            flow = self.block(&branch.body)?;
                            break;
                        }
                    }
                    flow
                }
                Stmt::For(each) => self.each(each)?,
                Stmt::Set(set) => self.set(set)?,
                Stmt::Break => Flow::Break,
                Stmt::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                self.spend(1, 0, None)?;
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Evaluates the expression that stands at a site.
    fn eval<T>(&self, site: usize, work: impl FnOnce(Eval<'_, '_, '_>, &Site) -> Outcome<T>) -> Result<T, Stop> {
        let missing = || Stop::Failed(None, Fail::new("an expression of the template is missing"));
        let site = self.program.sites.get(site).ok_or_else(missing)?;
        let eval = Eval { program: self.program, run: self.run, scope: Scope::Own(&self.locals) };
        work(eval, site).map_err(|fail| Stop::Failed(Some(site.line), fail))
    }

    fn line(&self, site: usize) -> Option<u32> {
        self.program.sites.get(site).map(|site| site.line)
    }

    fn print(&mut self, site: usize) -> Result<Flow, Stop> {
        let before = self.output.len();
        let missing = || Stop::Failed(None, Fail::new("an expression of the template is missing"));
        let found = self.program.sites.get(site).ok_or_else(missing)?;
        let eval = Eval { program: self.program, run: self.run, scope: Scope::Own(&self.locals) };
        let more = eval.print(&found.expr, self.output);
        let more = more.map_err(|fail| Stop::Failed(Some(found.line), fail))?;
        let bytes = self.output.len().saturating_sub(before);
        // Once for the text, once for writing it.
        self.spend(PRINT, bytes.saturating_mul(2), Some(site))?;
        if more { Ok(Flow::Next) } else { Err(Stop::Full) }
    }

    fn test(&mut self, site: usize) -> Result<bool, Stop> {
        self.spend(TEST, 0, Some(site))?;
        self.eval(site, |eval, site| eval.truth(&site.expr))
    }

    fn set(&mut self, set: &'a Set) -> Result<Flow, Stop> {
        self.spend(SET, 0, Some(set.value))?;
        let value = self.eval(set.value, |eval, site| eval.value(&site.expr))?;
        self.assign(&set.targets, value, set.line)?;
        Ok(Flow::Next)
    }

    fn each(&mut self, each: &'a For) -> Result<Flow, Stop> {
        self.spend(LOOP, 0, Some(each.elements))?;
        let all = self.eval(each.elements, |eval, site| eval.elements(&site.expr)).map(Elements::All)?;
        let elements = match each.test {
            Some(test) => Elements::Chosen(self.chosen(each, &all, test)?),
            None => all,
        };
        let len = elements.len();
        let mut at = 0;
        self.locals.begin();
        while let Some(element) = elements.get(at) {
            self.spend(TURN, 0, Some(each.elements))?;
            if each.test.is_none() {
                self.pay_element(each.line)?;
            }
            self.locals.next(Some((at, len)));
            self.assign(&each.targets, element, each.line)?;
            if self.block(&each.body)? == Flow::Break {
                break;
            }
            at += 1;
        }
        self.locals.end();
        // As in Jinja, a loop that breaks off within its first turn has not gone through anything.
        if at == 0 { self.block(&each.other) } else { Ok(Flow::Next) }
    }

    /// The elements for which the loop's test holds. They are known before the first turn, so that `loop`
    /// in the test is the one outside.
    fn chosen(&mut self, each: &'a For, all: &Elements, test: usize) -> Result<Vec<Val>, Stop> {
        let mut chosen = Vec::new();
        let mut at = 0;
        self.locals.begin();
        while let Some(element) = all.get(at) {
            self.spend(TURN_OF_TEST, 0, Some(test))?;
            self.pay_element(each.line)?;
            self.locals.next(None);
            self.assign(&each.targets, element.clone(), each.line)?;
            if self.test(test)? {
                chosen.push(element);
            }
            at += 1;
        }
        self.locals.end();
        Ok(chosen)
    }

    fn pay_element(&self, line: u32) -> Result<(), Stop> {
        self.run.meter.make(1).map_err(|fail| Stop::Failed(Some(line), fail))
    }

    fn assign(&mut self, targets: &'a Targets, value: Val, line: u32) -> Result<(), Stop> {
        let names = match targets {
            Targets::One(name) => {
                return self.locals.set(name, value, &self.run.meter).map_err(|fail| Stop::Failed(Some(line), fail));
            }
            Targets::Each(names) => names,
        };
        let fail = |message: String| Stop::Failed(Some(line), Fail::new(message));
        if !matches!(value.json, Json::Array(_) | Json::Object(_)) {
            return Err(fail("value is not iterable".to_owned()));
        }
        let elements = Elements::All(value);
        let (expected, got) = (names.len(), elements.len());
        self.run.meter.make(got).map_err(|fail| Stop::Failed(Some(line), fail))?;
        if got != expected {
            return Err(fail(format!("sequence of wrong length (expected {expected}, got {got})")));
        }
        for (at, name) in names.iter().enumerate() {
            if let Some(element) = elements.get(at) {
                let set = self.locals.set(name, element, &self.run.meter);
                set.map_err(|fail| Stop::Failed(Some(line), fail))?;
            }
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<(), Stop> {
        if self.output.put(text) { Ok(()) } else { Err(Stop::Full) }
    }

    fn spend(&mut self, instructions: u64, bytes: usize, site: Option<usize>) -> Result<(), Stop> {
        if self.fuel.spend(instructions, bytes) {
            return Ok(());
        }
        let meter = &self.run.meter;
        let fail = meter.check_time().err().unwrap_or_else(|| meter.exhausted());
        Err(Stop::Failed(site.and_then(|site| self.line(site)), fail))
    }
}
