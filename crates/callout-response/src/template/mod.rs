//! `result_template`: Jinja over the values of one call, within fixed bounds.
//!
//! # What a template may use
//!
//! - Statements: `for … in … [if …]` with `else`, `break` and `continue`; `if`, `elif`, `else`; `set` of
//!   names, of a namespace's members and of blocks; `with`; `filter`; `raw`; comments; white space control.
//! - Operators: `+ - * / // % **`, `~`, `== != < <= > >=` (also in chains), `in`, `not in`, `and`, `or`,
//!   `not`, `x if y else z`, `.`, `[…]`, slices, `|`, `is`; literals of strings, numbers, lists, tuples
//!   (which are lists) and mappings.
//! - Functions: `range`, `dict`; `namespace` as `{% set name = namespace(…) %}`; `loop.cycle(…)`, and `loop`'s
//!   `index`, `index0`, `revindex`, `revindex0`, `first`, `last`, `length`.
//! - Filters: `abs attr batch bool capitalize center count d default dictsort e endswith escape first
//!   float forceescape format groupby indent int items join last length lines list lower map max min
//!   pprint reject rejectattr replace reverse round safe select selectattr slice sort split startswith
//!   string striptags sum title tojson trim truncate unique upper urlencode wordcount wordwrap zip`.
//! - Tests: `boolean callable containing defined divisibleby empty endingwith eq equalto escaped even
//!   false float ge gt greaterthan in integer iterable le lessthan lower lt mapping ne none notin
//!   number odd safe sameas sequence startingwith string true undefined upper`.
//! - Methods, as Python has them: of strings (`capitalize casefold center count endswith find format
//!   index isalnum isalpha isascii isdecimal isdigit islower isnumeric isspace isupper join ljust lower
//!   lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split
//!   splitlines startswith strip swapcase title upper zfill`), of mappings (`copy get items keys values`),
//!   of lists (`copy count index`), of numbers (`is_integer`).
//!
//! There is no `include`, `import`, `extends`, `block`, `macro`, `call`, `do`, `autoescape`, `recursive`,
//! no `*args`, and no way to the host. Lists and mappings do not change; `xs + [x]` is a new list.
//!
//! Names: `result`, `response`, `params`, `status`, and the members of `result` where it is an object; the
//! four win over members. A member whose name begins with two underscores is `result["__name"]`.
//!
//! # Values
//!
//! Values are those of JSON, in their order and with their digits: `{{ price }}` prints `1.10` and
//! `12345678901234567890123` as the upstream wrote them. Calculating is exact for whole numbers within
//! 128 bits and in floats for all others; `/` always gives a float. `{{ none }}` prints `None`, truth
//! values `True` and `False`; lists and mappings print as Python shows them, `[1, 'x', None]`, and `tojson`
//! writes compact JSON. Keys of mappings are strings: others stand for what they print, 1 for `'1'`.
//!
//! Undefined is strict: whatever is not there fails, and says what is there, unless `default`, `is defined` or
//! `is undefined` follows. So it is with what `first`, `last`, `min` and `max` find in an empty list, and `attr` in a
//! mapping. What `default` falls back to is evaluated only if it is needed, and need not be there either if one of the
//! three follows that: `nick|default(name)|default('?')`. What a name is `set` to has to be there, and so has what
//! `map` makes of each element. `x if y` without `else` is empty.
//!
//! # Bounds, and why they hold
//!
//! A template is lexed and parsed once by this module, and its expressions are evaluated here. If its
//! statements are text, printing, `for`, `if` and `set` of names, they run here too, on values where
//! they are. All others are run by minijinja, with the same bounds: what it compiles is written anew,
//! with the call of one function in place of each expression. So minijinja never sees an operator,
//! filter, method or literal of the template's author, and none of its own can be reached.
//!
//! - Stack at compile time: minijinja's parser and code generator recurse with nested blocks and with
//!   `elif` branches only, of which 100 may be open at once. Our parser recurses with brackets,
//!   signs and inline conditions, 20 deep; chains of any operator, filters, dots and calls are flat.
//! - Stack at render time: running statements recurses with nested blocks, 32 deep; minijinja's
//!   machine does not recurse without macros, blocks and recursive loops. Evaluating recurses as deep
//!   as an expression nests, and walking, comparing, printing and dropping values as deep as they do:
//!   every value carries a bound of that, and a template can make none that nests more than 32 levels
//!   deeper than `max_json_depth`.
//! - Time and memory: minijinja's fuel, `template_fuel` but 100,000 at most, counts its instructions
//!   and the text it captures; what runs here is counted alike. Everything else is counted by a meter
//!   of 40 units per fuel before it is done: each value that is looked at, each entry of a list or
//!   mapping that is made, each byte that is read or written. Values are shared, never copied, on
//!   their way in and out. Loops go through our values only and pay for each element.
//! - Output: `max_template_output_bytes`. The call's deadline is looked at while the meter runs.
//!
//! The same input gives the same output: there is no clock, no chance, and no order but that of the data.

mod budget;
mod chars;
mod eval;
mod exec;
mod expr;
mod fault;
mod filters;
mod format;
mod grammar;
mod lex;
mod lines;
mod methods;
mod ops;
mod parse;
mod parts;
mod predicates;
mod statements;
#[cfg(test)]
mod tests;
mod uses;
mod value;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use callout_core::{
    Error, ErrorKind,
    json::{Json, Object},
    limits::Limits,
};
use minijinja::{AutoEscape, Environment, State, UndefinedBehavior, Value};

use crate::{
    Watch,
    plan::{Reach, TextRoom},
};

pub(crate) use self::{budget::Enough, lines::Lines, ops::MEMBERS_PER_VISIT};
use self::{
    budget::{Fuel, Meter, Output},
    eval::{Names, Run},
    exec::Stop,
    fault::Fail,
    parse::{Parts, Program},
    statements::{For, Stmt, Targets},
    uses::Uses,
    value::Val,
};

/// Values made by a template may nest this much deeper than a body.
const DEEPER: usize = 32;
/// The one template of an environment.
const NAME: &str = "result_template";

/// What a template is filled with.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// `result`, the value so far; its members are names of their own.
    pub result: &'a Json,
    /// `response`, the parsed body.
    pub response: &'a Json,
    /// `params`
    pub params: &'a Object,
    /// `status`
    pub status: u16,
}

/// What a render has written.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    /// Whether there would be no more.
    pub(crate) is_whole: bool,
    /// What went wrong when there was enough already.
    pub(crate) failed: Option<Error>,
}

/// A compiled `result_template`. What it may use, and its bounds, stand in [the module](self).
///
/// ```
/// use callout_core::{json::Json, limits::Limits};
/// use callout_response::template::Template;
///
/// assert!(Template::compile("{{ result.total }} orders", &Limits::default()).is_ok());
/// let fault = Template::compile("{{ total|uper }}", &Limits::default()).unwrap_err();
/// assert_eq!(fault, "line 1: there is no filter `uper`");
/// ```
pub struct Template {
    program: Arc<Program>,
    way: Way,
    uses: Uses,
    limits: Limits,
}

/// Who runs the statements.
enum Way {
    /// We do.
    Own(Vec<Stmt>),
    /// minijinja does.
    Machine {
        environment: Box<Environment<'static>>,
        /// For each line of what it has compiled, the line of the template.
        lines: Vec<u32>,
    },
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment's own output is as long as the template.
        f.debug_struct("Template").finish_non_exhaustive()
    }
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    ///
    /// What is wrong with it and on which line, for people.
    pub fn compile(source: &str, limits: &Limits) -> Result<Self, String> {
        if source.len() > limits.max_template_bytes {
            let (max, len) = (limits.max_template_bytes, source.len());
            return Err(format!("must be {max} bytes long at most (`max_template_bytes`), not {len}"));
        }
        let mut parts = parse::parse(source).map_err(|error| format!("line {}: {}", error.line, error.message))?;
        let own = parts.statements.take();
        Self::of(parts, own, limits)
    }

    /// From what was read: with these statements, or else through minijinja.
    fn of(parts: Parts, own: Option<Vec<Stmt>>, limits: &Limits) -> Result<Self, String> {
        let uses = Uses::of(&parts.program);
        let program = Arc::new(parts.program);
        let way = match own {
            Some(statements) => Way::Own(statements),
            None => machine(&program, parts.written, parts.lines, limits)?,
        };
        Ok(Self { program, way, uses, limits: limits.clone() })
    }

    /// Where in the body it can look, by `response` and, if that is the body, by `result` and its
    /// members. `None` if that may be anywhere.
    pub(crate) fn reaches(&self, result_is_body: bool) -> Option<Vec<Reach>> {
        self.uses.reaches(result_is_body)
    }

    /// What the elements of `result` take of so many characters in a render that ends when it has written
    /// them. `None` if it may look at any: because it does so outside of one outermost loop, or a turn of that
    /// can write nothing.
    pub(crate) fn room(&self, chars: usize) -> Option<TextRoom> {
        let Way::Own(statements) = &self.way else { return None };
        if !self.uses.is_one_loop_through_result() {
            return None;
        }
        statements.iter().find_map(|statement| match statement {
            Stmt::For(each) if each.test.is_none() && self.goes_through_result(each) => {
                let least = each.least()?;
                let printed = |site: usize| {
                    let Targets::One(variable) = &each.targets else { return None };
                    Uses::member_of(&self.program.sites.get(site)?.expr, variable)
                };
                let values: Vec<_> = least.printed.into_iter().filter_map(printed).collect();
                (least.chars > 0 || !values.is_empty()).then_some(TextRoom { chars, each: least.chars, values })
            }
            _ => None,
        })
    }

    /// What it writes for each element of `result`, whose members have these names, if it does nothing else.
    pub(crate) fn lines(&self, names: &[&str]) -> Option<Lines> {
        match &self.way {
            Way::Own(statements) => Lines::of(statements, &self.program, names),
            Way::Machine { .. } => None,
        }
    }

    fn goes_through_result(&self, each: &For) -> bool {
        let site = self.program.sites.get(each.elements);
        site.is_some_and(|site| Uses::is_name(&site.expr, "result"))
    }

    /// Renders the template, which takes bounded time and memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`] where the template and the values do not go together, naming the line;
    /// [`ErrorKind::LimitExceeded`] where a bound is reached; [`ErrorKind::Timeout`] where the deadline
    /// passes. Messages can hold parts of the params.
    pub fn render(&self, values: &Values<'_>, watch: &Watch<'_>) -> Result<String, Error> {
        let rendered = self.render_within(values, watch, 1, Enough::ALL)?;
        rendered.failed.map_or(Ok(rendered.text), Err)
    }

    /// Renders with one in so many of the work that a render may take. What fails behind enough of
    /// the text fails for nobody who needs no more.
    pub(crate) fn render_within(
        &self,
        values: &Values<'_>,
        watch: &Watch<'_>,
        share: u64,
        enough: Enough,
    ) -> Result<Rendered, Error> {
        let depth = self.limits.max_json_depth.saturating_add(2);
        let run = Run {
            result: Val::new(values.result.clone(), depth),
            response: Val::new(values.response.clone(), depth),
            params: Val::new(values.params.clone().into(), depth),
            status: values.status,
            meter: Meter::new(&self.limits, watch, share),
            max_depth: depth.saturating_add(DEEPER),
            failed: Mutex::new(None),
        };
        let mut output = Output::new(self.limits.max_template_output_bytes, enough);
        let ended = match &self.way {
            Way::Own(statements) => {
                let fuel = Fuel::new(&self.limits);
                exec::run(statements, &self.program, &run, fuel, &mut output).map_err(|stop| match stop {
                    Stop::Failed(line, fail) => (line, fail),
                    Stop::Full => (None, self.overflow()),
                })
            }
            Way::Machine { environment, lines } => {
                let run = Arc::new(run);
                let context = Value::from_object(Names(run.clone()));
                let template = environment.get_template(NAME);
                let rendered = template.and_then(|template| template.render_captured_to(context, &mut output));
                rendered.map(drop).map_err(|error| {
                    let failed = run.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let (at, fail) = failed.unzip();
                    let overflow = || output.overflowed().then(|| self.overflow());
                    let fail = fail.or_else(overflow).unwrap_or_else(|| fail_of(&run, &error));
                    (at.or_else(|| line(lines, &error)), fail)
                })
            }
        };
        match ended {
            Ok(()) => Ok(Rendered { text: output.into_text(), is_whole: true, failed: None }),
            Err(_) if enough.ends && output.is_enough() => {
                Ok(Rendered { text: output.into_text(), is_whole: false, failed: None })
            }
            Err((line, fail)) => {
                let failed = failure(line, fail);
                if !output.is_enough() {
                    return Err(failed);
                }
                Ok(Rendered { text: output.into_text(), is_whole: false, failed: Some(failed) })
            }
        }
    }

    fn overflow(&self) -> Fail {
        let max = self.limits.max_template_output_bytes;
        Fail::Limit(format!("the text is longer than {max} bytes (`max_template_output_bytes`)"))
    }
}

fn machine(program: &Arc<Program>, written: String, lines: Vec<u32>, limits: &Limits) -> Result<Way, String> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(budget::fuel(limits)));
    environment.add_function(parse::NAMESPACE, minijinja::functions::namespace);
    let program = program.clone();
    environment.add_function(
        parse::CALL,
        move |state: &State<'_, '_>, site: usize| -> Result<Value, minijinja::Error> {
            eval::call(&program, state, site)
        },
    );
    match environment.add_template_owned(NAME, written) {
        Ok(()) => Ok(Way::Machine { environment: Box::new(environment), lines }),
        Err(error) => Err(format!("line {}: {}", line(&lines, &error).unwrap_or(1), told(&error))),
    }
}

fn failure(line: Option<u32>, fail: Fail) -> Error {
    let at = |message| match line {
        Some(line) => format!("result_template, line {line}: {message}"),
        None => format!("result_template: {message}"),
    };
    match fail {
        Fail::Template(message) | Fail::Undefined(message) => Error::new(ErrorKind::Template, at(message)),
        Fail::Limit(message) => Error::new(ErrorKind::LimitExceeded, at(message)),
        Fail::Time => Error::new(ErrorKind::Timeout, at("the call's time was over during the render".to_owned())),
    }
}

/// What stopped minijinja, where it was neither one of our expressions nor the output.
fn fail_of(run: &Run, error: &minijinja::Error) -> Fail {
    match error.kind() {
        minijinja::ErrorKind::OutOfFuel => run.meter.check_time().err().unwrap_or_else(|| run.meter.exhausted()),
        _ => Fail::new(told(error)),
    }
}

/// The template's line of an error, if it is known.
fn line(lines: &[u32], error: &minijinja::Error) -> Option<u32> {
    error.line().and_then(|line| lines.get(line)).copied().filter(|line| *line > 0)
}

fn told(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => fault::clipped(detail, 200),
        None => error.kind().to_string(),
    }
}
