//! Evaluating expressions over the values of one render.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use callout_core::json::{Json, Object, SmolStr};
use minijinja::{
    State,
    value::{Object as Context, Value},
};

use super::{
    budget::{Meter, Output},
    exec::Locals,
    expr::{Args, Chain, Expr, Root, Step, StepKind},
    fault::{Fail, Outcome, clipped, listed},
    filters::{Call, Filter},
    ops,
    parse::{Program, Site, Use},
    parts,
    value::{Ref, Val, elements_of, from_value, is_true, kind, text, to_value},
};

/// The name under which a template finds its render.
pub(super) const RUN: &str = "__run";

/// What one render has: its values, its bounds, and why it stopped.
pub(super) struct Run {
    pub(super) result: Val,
    pub(super) response: Val,
    pub(super) params: Val,
    pub(super) status: u16,
    pub(super) meter: Meter,
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
    fn lookup(&self, name: &str) -> Outcome<Option<Ref<'_>>> {
        Ok(match name {
            "result" => Some(Ref::of(&self.result)),
            "response" => Some(Ref::of(&self.response)),
            "params" => Some(Ref::of(&self.params)),
            "status" => Some(Ref::Owned(self.status.into())),
            _ => match self.members() {
                Some(members) => ops::member(members, name, &self.meter)?
                    .map(|member| Ref::Borrowed(member, self.result.depth.saturating_sub(1))),
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
    let eval = Eval { program, scope: Scope::Machine(state), run };
    eval.site(site, run).map_err(|fail| {
        run.fail(site.line, fail);
        stop()
    })
}

/// Where a chain has come to.
enum Current<'v> {
    Here(Ref<'v>),
    /// A namespace, of which only members can be used.
    Namespace(Value),
    /// Nothing is there, up to this end of the source. The chain is the one that leads there, which the chain at hand
    /// may have fallen back to.
    Undefined {
        chain: &'v Chain,
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
    /// By a filter, which says so.
    Filter(String),
}

impl From<Val> for Current<'_> {
    fn from(value: Val) -> Self {
        Self::Here(Ref::Owned(value))
    }
}

/// Where the template's own variables are.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a, 't, 'e> {
    Machine(&'a State<'t, 'e>),
    Own(&'a Locals<'a>),
}

/// Evaluates expressions.
#[derive(Clone, Copy)]
pub(super) struct Eval<'a, 't, 'e> {
    pub(super) program: &'a Program,
    pub(super) scope: Scope<'a, 't, 'e>,
    pub(super) run: &'a Run,
}

impl<'a> Eval<'a, '_, '_> {
    fn meter(&self) -> &'a Meter {
        &self.run.meter
    }

    /// What minijinja gets for an expression.
    fn site(&self, site: &Site, run: &Arc<Run>) -> Outcome<Value> {
        let to_value = |value| to_value(value, run);
        match site.usage {
            Use::Assign => self.value(&site.expr).map(to_value),
            Use::Test => self.truth(&site.expr).map(Value::from),
            Use::Print => {
                let value = self.operand(&site.expr)?;
                text(value.json(), self.meter()).map(|text| to_value(text.into()))
            }
            Use::Iterate => self.elements(&site.expr).map(to_value),
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

    /// Writes a value as it is printed, and says whether more is to come.
    pub(super) fn print(&self, expr: &Expr, output: &mut Output) -> Outcome<bool> {
        let value = self.operand(expr)?;
        Ok(match value.json() {
            Json::String(text) => output.put(text),
            Json::Number(number) => {
                self.meter().write(number.as_str().len())?;
                output.put(number.as_str())
            }
            other => output.put(&text(other, self.meter())?),
        })
    }

    /// What a loop goes through: a list, or a mapping by its keys.
    pub(super) fn elements(&self, expr: &Expr) -> Outcome<Val> {
        elements_of(self.value(expr)?, self.meter())
    }

    pub(super) fn truth(&self, expr: &Expr) -> Outcome<bool> {
        self.operand(expr).map(|value| is_true(value.json()))
    }

    pub(super) fn value(&self, expr: &Expr) -> Outcome<Val> {
        self.operand(expr).map(Ref::into_val)
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

    fn operand<'v>(&'v self, expr: &'v Expr) -> Outcome<Ref<'v>> {
        self.meter().visit(1)?;
        match expr {
            Expr::Const(json) => Ok(Ref::Borrowed(json, 1)),
            Expr::Chain(chain) => self.chain(chain),
            _ => self.made(expr).map(Ref::Owned),
        }
    }

    /// The value of an expression that makes one.
    fn made(&self, expr: &Expr) -> Outcome<Val> {
        match expr {
            Expr::Const(json) => Ok(Val::new(json.clone(), 1)),
            Expr::Chain(chain) => self.chain(chain).map(Ref::into_val),
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
            Expr::Negate(operand) => ops::negate(self.operand(operand)?.json(), self.meter()).map(Val::from),
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
        let mut left = self.operand(first)?;
        for (operator, right) in rest {
            let right = self.operand(right)?;
            if !ops::compare(*operator, left.json(), right.json(), self.meter())? {
                return Ok(false.into());
            }
            left = right;
        }
        Ok(true.into())
    }

    fn chain<'v>(&'v self, chain: &'v Chain) -> Outcome<Ref<'v>> {
        match self.followed(chain)? {
            Current::Here(value) => Ok(value),
            other => Err(self.unusable(chain, other)),
        }
    }

    /// Where a chain leads, if to anything.
    fn followed<'v>(&'v self, chain: &'v Chain) -> Outcome<Current<'v>> {
        let (mut current, walked) = self.walk(chain)?;
        for step in chain.steps.get(walked..).unwrap_or_default() {
            self.meter().visit(1)?;
            current = self.step(chain, step, current)?;
        }
        Ok(current)
    }

    /// Goes from the root along names of members, which is all that most chains are, and tells how many
    /// steps it has gone.
    fn walk<'v>(&'v self, chain: &'v Chain) -> Outcome<(Current<'v>, usize)> {
        let root = self.root(chain)?;
        let Current::Here(Ref::Borrowed(mut json, mut depth)) = root else { return Ok((root, 0)) };
        let mut walked = 0;
        for step in &chain.steps {
            let StepKind::Attr(name) = &step.kind else { break };
            self.meter().visit(1)?;
            walked += 1;
            let Some(found) = parts::attribute(json, name, self.meter())? else {
                let from = Missing::In(Val::new(json.clone(), depth));
                return Ok((Current::Undefined { chain, end: step.end, from }, walked));
            };
            (json, depth) = (found, depth.saturating_sub(1));
        }
        Ok((Current::Here(Ref::Borrowed(json, depth)), walked))
    }

    /// The chain up to there, as it stands in the source.
    fn source(&self, chain: &Chain, end: usize) -> String {
        let text = self.program.source.get(chain.start..end).unwrap_or_default();
        format!("`{}`", clipped(&text.split_whitespace().collect::<Vec<_>>().join(" "), 60))
    }

    fn unusable(&self, chain: &Chain, current: Current<'_>) -> Fail {
        match current {
            Current::Undefined { chain, end, from } => {
                let instead = match from {
                    Missing::Names => self.known_names(),
                    Missing::Loop => ", it is only there inside a `for`".to_owned(),
                    Missing::Namespace => ", the namespace has no such member".to_owned(),
                    Missing::In(value) => parts_of(&value.json),
                    Missing::Filter(message) => return Fail::new(message).within(self.source(chain, end)),
                };
                Fail::new(format!("{} is undefined{instead}", self.source(chain, end)))
            }
            _ => Fail::new(format!(
                "{} is a namespace, which is no value; use its members",
                self.source(chain, chain.end)
            )),
        }
    }

    fn root<'v>(&'v self, chain: &'v Chain) -> Outcome<Current<'v>> {
        let nothing = |from| Current::Undefined { chain, end: chain.end, from };
        Ok(match &chain.root {
            Root::Value(expr) => Current::Here(self.operand(expr)?),
            Root::Range(args) => parts::range(&self.values(args)?, self.meter())?.into(),
            Root::Name(name) => self.name(name)?.unwrap_or_else(|| nothing(Missing::Names)),
            Root::Loop(field) => self.of_loop(field).map_or_else(|| nothing(Missing::Loop), Current::from),
            Root::Cycle(items) => {
                let index = self.of_loop("index0").and_then(|value| value.json.as_number()?.as_u64());
                let at = index.and_then(|index| usize::try_from(index).ok()?.checked_rem(items.len()));
                match at.and_then(|at| items.get(at)) {
                    Some(item) => Current::Here(self.operand(item)?),
                    None => nothing(Missing::Loop),
                }
            }
        })
    }

    fn of_loop(&self, field: &str) -> Option<Val> {
        match self.scope {
            Scope::Machine(state) => from_value(&state.lookup("loop")?.get_attr(field).ok()?),
            Scope::Own(locals) => locals.of_loop(field),
        }
    }

    fn name(&self, name: &SmolStr) -> Outcome<Option<Current<'a>>> {
        let local = match self.scope {
            Scope::Own(locals) => locals.get(name, self.meter())?.map(|value| Current::Here(Ref::of(value))),
            Scope::Machine(state) => {
                state.lookup(name).filter(|value| !value.is_undefined()).map(|value| match from_value(&value) {
                    Some(value) => value.into(),
                    None => Current::Namespace(value),
                })
            }
        };
        if local.is_some() {
            return Ok(local);
        }
        Ok(self.run.lookup(name)?.map(Current::Here))
    }

    fn known_names(&self) -> String {
        let members = self.run.members().map(|members| listed(members.keys())).filter(|names| !names.is_empty());
        let members = members.map_or_else(String::new, |names| format!(", {names}"));
        format!("; there are result, response, params, status{members}")
    }

    fn step<'v>(&'v self, chain: &'v Chain, step: &'v Step, current: Current<'v>) -> Outcome<Current<'v>> {
        let here = |fail: Fail| fail.within(self.source(chain, step.end));
        match (&step.kind, current) {
            (StepKind::Filter(filter, args), current @ (Current::Here(_) | Current::Undefined { .. }))
                if filter.takes_undefined =>
            {
                self.or_default(args, current).map_err(here)
            }
            (StepKind::Filter(filter, args), Current::Here(value)) => {
                match self.filter(filter, args, value.into_val()) {
                    Ok(made) => Ok(made.into()),
                    Err(Fail::Undefined(message)) => {
                        Ok(Current::Undefined { chain, end: step.end, from: Missing::Filter(message) })
                    }
                    Err(fail) => Err(here(fail)),
                }
            }
            (StepKind::Test { test, args, negated }, Current::Here(value)) => {
                let args = self.values(args)?;
                let truth = (test.run)(Some(value.json()), &args, self.meter()).map_err(here)?;
                Ok(Val::from(truth != *negated).into())
            }
            (StepKind::Test { test, negated, .. }, Current::Undefined { .. }) if test.takes_undefined => {
                let truth = (test.run)(None, &[], self.meter()).map_err(here)?;
                Ok(Val::from(truth != *negated).into())
            }
            (StepKind::Attr(name), Current::Namespace(space)) => {
                Ok(match space.get_attr(name).ok().as_ref().and_then(from_value) {
                    Some(value) => value.into(),
                    None => Current::Undefined { chain, end: step.end, from: Missing::Namespace },
                })
            }
            (StepKind::Attr(name), Current::Here(value)) => {
                within(
                    value,
                    chain,
                    step.end,
                    |json| Ok(parts::attribute(json, name, self.meter())?.map(Cow::Borrowed)),
                )
            }
            (StepKind::Item(key), Current::Here(value)) => {
                let key = self.operand(key)?;
                within(value, chain, step.end, |json| parts::item(json, key.json(), self.meter()))
            }
            (StepKind::Slice(bounds), Current::Here(value)) => {
                let mut parts = [const { None }; 3];
                for (part, bound) in parts.iter_mut().zip(bounds.iter()) {
                    *part = bound.as_ref().map(|bound| self.value(bound)).transpose()?.map(|bound| bound.json);
                }
                parts::slice(&value.into_val(), parts, self.meter()).map(Current::from).map_err(here)
            }
            (StepKind::Method(name, args), Current::Here(value)) => {
                let args = self.values(args)?;
                // Pairs of a mapping nest deeper than it, and parts of a string are a list.
                let depth = args.iter().map(|arg| arg.depth).fold(value.depth(), usize::max) + 1;
                let made = super::methods::call(name, value.json(), &args, self.meter()).map_err(here)?;
                self.bounded(Val::new(made, depth)).map(Current::from)
            }
            (_, other) => Err(self.unusable(chain, other)),
        }
    }

    /// What `default` makes of what is there or not. Its arguments are evaluated only if they are needed; and where
    /// the fallback leads to nothing either, that is for the next step to meet.
    fn or_default<'v>(&'v self, args: &'v Args, current: Current<'v>) -> Outcome<Current<'v>> {
        let arg = |place: usize| args.named.get(place).and_then(Option::as_ref);
        if let Current::Here(value) = &current {
            // none is there; with `boolean` whatever is not true is replaced too.
            let stays = is_true(value.json()) || !arg(1).map_or(Ok(false), |boolean| self.truth(boolean))?;
            if stays {
                return Ok(current);
            }
        }
        match arg(0) {
            None => Ok(Val::from("").into()),
            Some(Expr::Chain(chain)) => {
                self.meter().visit(1)?;
                match self.followed(chain)? {
                    space @ Current::Namespace(_) => Err(self.unusable(chain, space)),
                    found => Ok(found),
                }
            }
            Some(other) => self.operand(other).map(Current::Here),
        }
    }

    fn filter(&self, filter: &Filter, args: &Args, input: Val) -> Outcome<Val> {
        let mut named = Vec::with_capacity(args.named.len());
        for arg in &args.named {
            named.push(arg.as_ref().map(|arg| self.value(arg)).transpose()?);
        }
        let rest = self.values(&args.rest)?;
        let inputs = std::iter::once(&input).chain(named.iter().flatten()).chain(&rest);
        let depth = inputs.map(|value| value.depth).max().unwrap_or(0) + filter.nests;
        let mapped = args.mapped;
        let mut call = Call { filter, input, mapped, named: &named, rest: &rest, meter: self.meter() };
        self.bounded(Val::new((filter.run)(&mut call)?, depth))
    }
}

/// What is found in a value, if it is: borrowed where the value is.
fn within<'v>(
    value: Ref<'v>,
    chain: &'v Chain,
    end: usize,
    find: impl for<'f> Fn(&'f Json) -> Outcome<Option<Cow<'f, Json>>>,
) -> Outcome<Current<'v>> {
    let depth = value.depth().saturating_sub(1);
    let found = match &value {
        Ref::Borrowed(json, _) => find(json)?.map(|found| match found {
            Cow::Borrowed(found) => Ref::Borrowed(found, depth),
            Cow::Owned(found) => Ref::Owned(Val::new(found, depth)),
        }),
        Ref::Owned(owned) => find(&owned.json)?.map(|found| Ref::Owned(Val::new(found.into_owned(), depth))),
    };
    Ok(match found {
        Some(found) => Current::Here(found),
        None => Current::Undefined { chain, end, from: Missing::In(value.into_val()) },
    })
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
