//! Evaluating expressions over the values of one render.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use callout_core::json::{Json, Object, SmolStr};
use minijinja::{
    State,
    value::{Object as Context, Value},
};

use super::{
    budget::Meter,
    expr::{Args, Chain, Expr, Root, Step, StepKind},
    fault::{Fail, Outcome, clipped, listed},
    filters::{Call, Filter},
    ops,
    parse::{Program, Site, Use},
    parts,
    value::{Val, elements_of, from_value, is_true, kind, text, to_value},
};

/// The name under which a template finds its render.
pub(super) const RUN: &str = "__run";

/// What one render has: its values, its bounds, and why it stopped.
pub(super) struct Run {
    pub(super) result: Val,
    pub(super) response: Val,
    pub(super) params: Val,
    pub(super) status: u16,
    pub(super) meter: Arc<Meter>,
    /// How deep a value made by the template may nest.
    pub(super) max_depth: usize,
    /// The first failure, and the line of the source where it happened.
    pub(super) failed: Mutex<Option<(u32, Fail)>>,
}

/// Without its values: the params can hold what is nobody's business.
impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { result: _, response: _, params: _, status, meter, max_depth, failed: _ } = self;
        f.debug_struct("Run")
            .field("status", status)
            .field("meter", meter)
            .field("max_depth", max_depth)
            .finish_non_exhaustive()
    }
}

impl Run {
    fn members(&self) -> Option<&Object> {
        self.result.json.as_object()
    }

    /// One of the four names, or a member of the result.
    fn lookup(&self, name: &str) -> Outcome<Option<Val>> {
        Ok(match name {
            "result" => Some(self.result.clone()),
            "response" => Some(self.response.clone()),
            "params" => Some(self.params.clone()),
            "status" => Some(self.status.into()),
            _ => match self.members() {
                Some(members) => ops::member(members, name, &self.meter)?
                    .map(|member| Val::new(member.clone(), self.result.depth.saturating_sub(1))),
                None => None,
            },
        })
    }

    fn fail(&self, line: u32, fail: Fail) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert((line, fail));
    }
}

/// The outermost scope of a render: minijinja knows the template's own variables, and the render.
#[derive(Debug)]
pub(super) struct Names(pub(super) Arc<Run>);

impl Context for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        (name == RUN).then(|| Value::from_dyn_object(self.clone()))
    }
}

/// What the compiled template calls wherever an expression stood.
pub(super) fn call(program: &Program, state: &State<'_, '_>, site: usize) -> Result<Value, minijinja::Error> {
    let stop = || minijinja::Error::from(minijinja::ErrorKind::InvalidOperation);
    let names = state.lookup(RUN).ok_or_else(stop)?;
    let run = &names.downcast_object_ref::<Names>().ok_or_else(stop)?.0;
    let site = program.sites.get(site).ok_or_else(stop)?;
    let eval = Eval { program, state, run };
    eval.site(site).map_err(|fail| {
        run.fail(site.line, fail);
        stop()
    })
}

/// Where a chain has come to.
enum Current {
    Here(Val),
    /// A namespace, of which only members can be used.
    Namespace(Value),
    /// Nothing is there, up to this end of the source.
    Undefined {
        end: usize,
        from: Missing,
    },
}

/// Where something was looked for; what there is instead is only told if it comes to that.
enum Missing {
    Names,
    Loop,
    Namespace,
    In(Val),
}

#[derive(Clone, Copy)]
struct Eval<'a, 't, 'e> {
    program: &'a Program,
    state: &'a State<'t, 'e>,
    run: &'a Run,
}

impl Eval<'_, '_, '_> {
    fn meter(&self) -> &Meter {
        &self.run.meter
    }

    fn site(&self, site: &Site) -> Outcome<Value> {
        let to_value = |value| to_value(value, &self.run.meter);
        match site.usage {
            Use::Assign => self.value(&site.expr).map(to_value),
            Use::Test => self.truth(&site.expr).map(Value::from),
            Use::Print => {
                let value = self.value(&site.expr)?;
                text(&value.json, self.meter()).map(|text| to_value(text.into()))
            }
            Use::Iterate => {
                let value = self.value(&site.expr)?;
                elements_of(value, self.meter()).map(to_value)
            }
            Use::Namespace => {
                let members = self.value(&site.expr)?;
                let depth = members.depth.saturating_sub(1);
                let pairs = members.json.as_object().into_iter().flat_map(Object::iter);
                Ok(Value::from_pairs(
                    pairs.map(|(name, value)| (name.to_owned(), to_value(Val::new(value.clone(), depth)))),
                ))
            }
        }
    }

    fn truth(&self, expr: &Expr) -> Outcome<bool> {
        self.value(expr).map(|value| is_true(&value.json))
    }

    fn values(&self, exprs: &[Expr]) -> Outcome<Vec<Val>> {
        exprs.iter().map(|expr| self.value(expr)).collect()
    }

    /// A value that does not nest too deep. The bound that it came with can be far from how deep it
    /// is; where the bound is too much, the value is measured.
    fn bounded(&self, mut value: Val) -> Outcome<Val> {
        let max = self.run.max_depth;
        if value.depth > max {
            value.depth = parts::depth(&value.json, self.meter())?;
        }
        if value.depth <= max {
            return Ok(value);
        }
        Err(Fail::Limit(format!("a list or mapping nests deeper than {max} levels (`max_json_depth`)")))
    }

    fn value(&self, expr: &Expr) -> Outcome<Val> {
        self.meter().visit(1)?;
        match expr {
            Expr::Const(json) => Ok(Val::new(json.clone(), 1)),
            Expr::List(items) => {
                self.meter().make(items.len())?;
                let items = self.values(items)?;
                let depth = 1 + items.iter().map(|item| item.depth).max().unwrap_or(0);
                self.bounded(Val::new(items.into_iter().map(|item| item.json).collect(), depth))
            }
            Expr::Map(members) => {
                let members = members.iter().map(|(key, value)| Ok((self.value(key)?, self.value(value)?)));
                self.bounded(parts::mapping(members.collect::<Outcome<_>>()?, self.meter())?)
            }
            Expr::And(all) => self.first(all, false),
            Expr::Or(any) => self.first(any, true),
            Expr::Not(inverse) => Ok((!self.truth(inverse)?).into()),
            Expr::Negate(operand) => ops::negate(&self.value(operand)?.json, self.meter()).map(Val::from),
            Expr::Compare(first, rest) => self.compare(first, rest),
            Expr::Arith(first, rest) => {
                let mut value = self.value(first)?;
                for (operator, operand) in rest {
                    value = ops::arith(*operator, &value, &self.value(operand)?, self.meter())?;
                }
                Ok(value)
            }
            Expr::Concat(parts) => ops::concat(&self.values(parts)?, self.meter()).map(Val::from),
            Expr::If(branches) => {
                if self.truth(&branches.test)? {
                    self.value(&branches.then)
                } else {
                    // As in Jinja, what has no `else` prints nothing.
                    branches.other.as_ref().map_or_else(|| Ok("".into()), |other| self.value(other))
                }
            }
            Expr::Chain(chain) => self.chain(chain),
        }
    }

    /// The first operand whose truth is `wanted`, else the last.
    fn first(&self, operands: &[Expr], wanted: bool) -> Outcome<Val> {
        let mut value = Val::default();
        for operand in operands {
            value = self.value(operand)?;
            if is_true(&value.json) == wanted {
                break;
            }
        }
        Ok(value)
    }

    fn compare(&self, first: &Expr, rest: &[(ops::Compare, Expr)]) -> Outcome<Val> {
        let mut left = self.value(first)?;
        for (operator, right) in rest {
            let right = self.value(right)?;
            if !ops::compare(*operator, &left.json, &right.json, self.meter())? {
                return Ok(false.into());
            }
            left = right;
        }
        Ok(true.into())
    }

    fn chain(&self, chain: &Chain) -> Outcome<Val> {
        let mut current = self.root(chain)?;
        for step in &chain.steps {
            self.meter().visit(1)?;
            current = self.step(chain, step, current)?;
        }
        match current {
            Current::Here(value) => Ok(value),
            other => Err(self.unusable(chain, other)),
        }
    }

    /// The chain up to there, as it stands in the source.
    fn source(&self, chain: &Chain, end: usize) -> String {
        let text = self.program.source.get(chain.start..end).unwrap_or_default();
        format!("`{}`", clipped(&text.split_whitespace().collect::<Vec<_>>().join(" "), 60))
    }

    fn unusable(&self, chain: &Chain, current: Current) -> Fail {
        match current {
            Current::Undefined { end, from } => {
                let instead = match from {
                    Missing::Names => self.known_names(),
                    Missing::Loop => ", it is only there inside a `for`".to_owned(),
                    Missing::Namespace => ", the namespace has no such member".to_owned(),
                    Missing::In(value) => parts_of(&value.json),
                };
                Fail::new(format!("{} is undefined{instead}", self.source(chain, end)))
            }
            _ => Fail::new(format!(
                "{} is a namespace, which is no value; use its members",
                self.source(chain, chain.end)
            )),
        }
    }

    fn root(&self, chain: &Chain) -> Outcome<Current> {
        let end = chain.end;
        Ok(match &chain.root {
            Root::Value(expr) => Current::Here(self.value(expr)?),
            Root::Range(args) => Current::Here(parts::range(&self.values(args)?, self.meter())?),
            Root::Name(name) => self.name(name, end)?,
            Root::Loop(field) => match self.of_loop(field) {
                Some(value) => Current::Here(value),
                None => Current::Undefined { end, from: Missing::Loop },
            },
            Root::Cycle(items) => {
                let index = self.of_loop("index0").and_then(|value| value.json.as_number()?.as_u64());
                let at = index.and_then(|index| usize::try_from(index).ok()?.checked_rem(items.len()));
                match at.and_then(|at| items.get(at)) {
                    Some(item) => Current::Here(self.value(item)?),
                    None => Current::Undefined { end, from: Missing::Loop },
                }
            }
        })
    }

    fn of_loop(&self, field: &str) -> Option<Val> {
        from_value(&self.state.lookup("loop")?.get_attr(field).ok()?)
    }

    fn name(&self, name: &SmolStr, end: usize) -> Outcome<Current> {
        Ok(match self.state.lookup(name) {
            Some(value) if !value.is_undefined() => match from_value(&value) {
                Some(value) => Current::Here(value),
                None => Current::Namespace(value),
            },
            _ => match self.run.lookup(name)? {
                Some(value) => Current::Here(value),
                None => Current::Undefined { end, from: Missing::Names },
            },
        })
    }

    fn known_names(&self) -> String {
        let members = self.run.members().map(|members| listed(members.keys())).filter(|names| !names.is_empty());
        let members = members.map_or_else(String::new, |names| format!(", {names}"));
        format!("; there are result, response, params, status{members}")
    }

    fn step(&self, chain: &Chain, step: &Step, current: Current) -> Outcome<Current> {
        let here = |fail: Fail| fail.within(self.source(chain, step.end));
        match (&step.kind, current) {
            (StepKind::Filter(filter, args), Current::Here(value)) => {
                self.filter(filter, args, Some(value)).map(Current::Here).map_err(here)
            }
            (StepKind::Filter(filter, args), Current::Undefined { .. }) if filter.takes_undefined => {
                self.filter(filter, args, None).map(Current::Here).map_err(here)
            }
            (StepKind::Test { test, args, negated }, Current::Here(value)) => {
                let args = self.values(args)?;
                let truth = (test.run)(Some(&value.json), &args, self.meter()).map_err(here)?;
                Ok(Current::Here((truth != *negated).into()))
            }
            (StepKind::Test { test, negated, .. }, Current::Undefined { .. }) if test.takes_undefined => {
                let truth = (test.run)(None, &[], self.meter()).map_err(here)?;
                Ok(Current::Here((truth != *negated).into()))
            }
            (StepKind::Attr(name), Current::Namespace(space)) => {
                Ok(match space.get_attr(name).ok().as_ref().and_then(from_value) {
                    Some(value) => Current::Here(value),
                    None => Current::Undefined { end: step.end, from: Missing::Namespace },
                })
            }
            (StepKind::Attr(name), Current::Here(value)) => {
                let found = parts::attribute(&value.json, name, self.meter())?;
                Ok(within(value, found, step.end))
            }
            (StepKind::Item(key), Current::Here(value)) => {
                let key = self.value(key)?;
                let found = parts::item(&value.json, &key.json, self.meter())?;
                Ok(within(value, found, step.end))
            }
            (StepKind::Slice(bounds), Current::Here(value)) => {
                let mut parts = [const { None }; 3];
                for (part, bound) in parts.iter_mut().zip(bounds.iter()) {
                    *part = bound.as_ref().map(|bound| self.value(bound)).transpose()?.map(|bound| bound.json);
                }
                parts::slice(&value, parts, self.meter()).map(Current::Here).map_err(here)
            }
            (StepKind::Method(name, args), Current::Here(value)) => {
                let args = self.values(args)?;
                // Pairs of a mapping nest deeper than it, and parts of a string are a list.
                let depth = args.iter().map(|arg| arg.depth).fold(value.depth, usize::max) + 1;
                let made = super::methods::call(name, &value.json, &args, self.meter()).map_err(here)?;
                self.bounded(Val::new(made, depth)).map(Current::Here)
            }
            (_, other) => Err(self.unusable(chain, other)),
        }
    }

    fn filter(&self, filter: &Filter, args: &Args, input: Option<Val>) -> Outcome<Val> {
        let mut named = Vec::with_capacity(args.named.len());
        for arg in &args.named {
            named.push(arg.as_ref().map(|arg| self.value(arg)).transpose()?);
        }
        let rest = self.values(&args.rest)?;
        let inputs = input.iter().chain(named.iter().flatten()).chain(&rest);
        let depth = inputs.map(|value| value.depth).max().unwrap_or(0) + filter.nests;
        let mut call = Call { filter, input, named, rest, meter: self.meter() };
        self.bounded(Val::new((filter.run)(&mut call)?, depth))
    }
}

/// What was found in a value, if it was.
fn within(value: Val, found: Option<Json>, end: usize) -> Current {
    match found {
        Some(found) => Current::Here(Val::new(found, value.depth.saturating_sub(1))),
        None => Current::Undefined { end, from: Missing::In(value) },
    }
}

/// What there is in a value, behind "is undefined".
fn parts_of(json: &Json) -> String {
    match json {
        Json::Object(members) if members.is_empty() => ", the mapping is empty".to_owned(),
        Json::Object(members) => format!("; there are {}", listed(members.keys())),
        Json::Array(elements) => format!(", the list has {} elements", elements.len()),
        other => format!(", what it is looked up in is {}", kind(other)),
    }
}
