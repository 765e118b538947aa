//! Tests: what may stand behind `is`.

use callout_core::json::Json;

use super::{
    budget::Meter,
    chars,
    fault::{Fail, Outcome},
    ops::{self, Arith, Compare, Num},
    value::{self, Val, kind},
};

/// One test.
#[derive(Debug)]
pub(super) struct Test {
    name: &'static str,
    /// How many arguments it takes.
    pub(super) takes: usize,
    /// Whether it can be asked of what is not there.
    pub(super) takes_undefined: bool,
    pub(super) run: fn(Option<&Json>, &[Val], &Meter) -> Outcome<bool>,
}

type Asked = fn(&Json, &Meter) -> Outcome<bool>;

macro_rules! about {
    ($($name:literal => $asked:expr),* $(,)?) => {
        [$(Test {
            name: $name,
            takes: 0,
            takes_undefined: false,
            run: |value, _, meter| {
                let asked: Asked = $asked;
                value.map_or(Ok(false), |value| asked(value, meter))
            },
        }),*]
    };
}

macro_rules! compared {
    ($($name:literal => $compare:expr),* $(,)?) => {
        [$(Test {
            name: $name,
            takes: 1,
            takes_undefined: false,
            run: |value, args, meter| against($compare, value, args, meter),
        }),*]
    };
}

static ABOUT: [Test; 19] = about![
    "none" => |value, _| Ok(value.is_null()),
    "boolean" => |value, _| Ok(value.as_bool().is_some()),
    "true" => |value, _| Ok(value.as_bool() == Some(true)),
    "false" => |value, _| Ok(value.as_bool() == Some(false)),
    "number" => |value, _| Ok(value.as_number().is_some()),
    "integer" => |value, meter| is_integer(value, meter).map(|is| is == Some(true)),
    "float" => |value, meter| is_integer(value, meter).map(|is| is == Some(false)),
    "string" => |value, _| Ok(value.as_str().is_some()),
    "mapping" => |value, _| Ok(value.as_object().is_some()),
    "sequence" => |value, _| Ok(value.as_array().is_some()),
    "iterable" => |value, _| Ok(matches!(value, Json::Array(_) | Json::Object(_) | Json::String(_))),
    "odd" => |value, meter| leaves(value, Num::Int(2), Num::Int(1), meter),
    "even" => |value, meter| leaves(value, Num::Int(2), Num::Int(0), meter),
    "lower" => |value, meter| cased(value, meter, chars::is_lower),
    "upper" => |value, meter| cased(value, meter, chars::is_upper),
    "empty" => |value, _| Ok(is_empty(value)),
    "callable" => |_, _| Ok(false),
    "escaped" => |_, _| Ok(false),
    "safe" => |_, _| Ok(false),
];

static COMPARED: [Test; 17] = compared![
    "eq" => Compare::Eq,
    "equalto" => Compare::Eq,
    "==" => Compare::Eq,
    "ne" => Compare::Ne,
    "!=" => Compare::Ne,
    "lt" => Compare::Lt,
    "lessthan" => Compare::Lt,
    "<" => Compare::Lt,
    "le" => Compare::Le,
    "<=" => Compare::Le,
    "gt" => Compare::Gt,
    "greaterthan" => Compare::Gt,
    ">" => Compare::Gt,
    "ge" => Compare::Ge,
    ">=" => Compare::Ge,
    "in" => Compare::In,
    "notin" => Compare::NotIn,
];

static OTHERS: [Test; 7] = [
    Test { name: "defined", takes: 0, takes_undefined: true, run: |value, _, _| Ok(value.is_some()) },
    Test { name: "undefined", takes: 0, takes_undefined: true, run: |value, _, _| Ok(value.is_none()) },
    Test { name: "sameas", takes: 1, takes_undefined: false, run: same },
    Test { name: "divisibleby", takes: 1, takes_undefined: false, run: divisible },
    Test {
        name: "startingwith",
        takes: 1,
        takes_undefined: false,
        run: |value, args, meter| affix(value, args, meter, |text, part| text.starts_with(part)),
    },
    Test {
        name: "endingwith",
        takes: 1,
        takes_undefined: false,
        run: |value, args, meter| affix(value, args, meter, |text, part| text.ends_with(part)),
    },
    Test {
        name: "containing",
        takes: 1,
        takes_undefined: false,
        run: |value, args, meter| match (value, args) {
            (Some(value), [part]) => ops::contains(value, &part.json, meter),
            _ => Ok(false),
        },
    },
];

pub(super) fn find(name: &str) -> Option<&'static Test> {
    ABOUT.iter().chain(&COMPARED).chain(&OTHERS).find(|test| test.name == name)
}

/// All that there are.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ABOUT.iter().chain(&COMPARED).chain(&OTHERS).map(|test| test.name)
}

fn against(compare: Compare, value: Option<&Json>, args: &[Val], meter: &Meter) -> Outcome<bool> {
    match (value, args) {
        (Some(value), [other]) => ops::compare(compare, value, &other.json, meter),
        _ => Ok(false),
    }
}

/// Values are not one object here or there: those are that are equal and of one kind, as 1, 1.0 and true are not.
fn same(value: Option<&Json>, args: &[Val], meter: &Meter) -> Outcome<bool> {
    let (Some(value), [Val { json: other, .. }]) = (value, args) else { return Ok(false) };
    Ok(kind(value) == kind(other)
        && is_integer(value, meter)? == is_integer(other, meter)?
        && ops::equal(value, other, meter)?)
}

/// `None` of what is no number.
fn is_integer(value: &Json, meter: &Meter) -> Outcome<Option<bool>> {
    let Some(number) = value.as_number() else { return Ok(None) };
    meter.read(number.as_str().len())?;
    Ok(Some(number.is_integer()))
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        // Its characters need not be counted.
        Json::String(text) => text.is_empty(),
        other => value::len(other) == Some(0),
    }
}

fn cased(value: &Json, meter: &Meter, asked: fn(&str) -> bool) -> Outcome<bool> {
    let Some(text) = value.as_str() else { return Ok(false) };
    meter.scan(text.len())?;
    Ok(asked(text))
}

fn affix(value: Option<&Json>, args: &[Val], meter: &Meter, asked: fn(&str, &str) -> bool) -> Outcome<bool> {
    match (value, args) {
        (Some(Json::String(text)), [Val { json: Json::String(part), .. }]) => {
            meter.read(part.len())?;
            Ok(asked(text, part))
        }
        _ => Ok(false),
    }
}

fn number(value: &Json, meter: &Meter) -> Outcome<Num> {
    Num::of(value, meter)?.ok_or_else(|| Fail::new(format!("needs a number, not {}", kind(value))))
}

/// Whether that is the rest of a division.
fn leaves(value: &Json, by: Num, rest: Num, meter: &Meter) -> Outcome<bool> {
    let left = ops::numbers(Arith::Rem, number(value, meter)?, by)?;
    Ok(ops::compare_numbers(left, rest).is_eq())
}

fn divisible(value: Option<&Json>, args: &[Val], meter: &Meter) -> Outcome<bool> {
    match (value, args) {
        (Some(value), [by]) => leaves(value, number(&by.json, meter)?, Num::Int(0), meter),
        _ => Ok(false),
    }
}
