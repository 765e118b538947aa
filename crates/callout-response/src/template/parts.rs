//! Values from parts and parts of values: elements, items, slices, ranges, mappings.

use std::borrow::Cow;

use callout_core::json::{Json, Object, ObjectBuilder, SmolStr};

use super::{
    budget::Meter,
    fault::{Fail, Outcome},
    ops::{self, Num, member},
    value::{Val, kind},
};

/// The elements that a loop or a filter goes through: of a list its elements, of a mapping its
/// keys, of a string its characters.
pub(super) fn elements(json: &Json, meter: &Meter) -> Outcome<Vec<Json>> {
    match json {
        Json::Array(elements) => {
            meter.make(elements.len())?;
            Ok(elements.to_vec())
        }
        Json::Object(members) => {
            meter.make(members.len())?;
            Ok(members.keys().map(Json::from).collect())
        }
        Json::String(text) => {
            meter.make(text.len())?;
            Ok(text.chars().map(|found| Json::String(SmolStr::from_iter([found]))).collect())
        }
        _ => Err(Fail::new(format!("{} has no elements to go through", kind(json)))),
    }
}

/// The members of a mapping as pairs of a key and a value.
pub(super) fn pairs(members: &Object, meter: &Meter) -> Outcome<Json> {
    meter.make(members.len().saturating_mul(3))?;
    Ok(members.iter().map(|(name, value)| Json::from_iter([Json::from(name), value.clone()])).collect())
}

/// `value.name`; `None` if there is no such member. The pairs that `groupby` makes are known by names too.
pub(super) fn attribute<'v>(value: &'v Json, name: &str, meter: &Meter) -> Outcome<Option<&'v Json>> {
    Ok(match (value, name) {
        (Json::Object(members), _) => member(members, name, meter)?,
        (Json::Array(pair), "grouper") if pair.len() == 2 => pair.first(),
        (Json::Array(pair), "list") if pair.len() == 2 => pair.last(),
        _ => None,
    })
}

/// `value[key]`; `None` if there is no such element or member.
pub(super) fn item<'v>(value: &'v Json, key: &Json, meter: &Meter) -> Outcome<Option<Cow<'v, Json>>> {
    match (value, key) {
        (Json::Object(members), _) => match ops::key(key) {
            Some(name) => Ok(member(members, name, meter)?.map(Cow::Borrowed)),
            None => Ok(None),
        },
        (Json::Array(elements), Json::Number(_)) => {
            let at = position(key, elements.len(), meter)?;
            Ok(at.and_then(|at| elements.get(at)).map(Cow::Borrowed))
        }
        (Json::String(text), Json::Number(_)) => {
            meter.read(text.len().saturating_mul(2))?;
            let at = position(key, text.chars().count(), meter)?;
            let found = at.and_then(|at| text.chars().nth(at));
            Ok(found.map(|found| Cow::Owned(Json::String(SmolStr::from_iter([found])))))
        }
        _ => Ok(None),
    }
}

/// An index counted from the end where it is negative; `None` if it lies outside.
fn position(key: &Json, len: usize, meter: &Meter) -> Outcome<Option<usize>> {
    let Some(Num::Int(at)) = Num::of(key, meter)? else { return Ok(None) };
    let at = if at < 0 { at.saturating_add(len as i128) } else { at };
    Ok(usize::try_from(at).ok().filter(|at| *at < len))
}

/// `value[start:stop:step]`
pub(super) fn slice(value: &Val, bounds: [Option<Json>; 3], meter: &Meter) -> Outcome<Val> {
    let total = match &value.json {
        Json::Array(elements) => elements.len(),
        Json::String(text) => {
            meter.read(text.len())?;
            text.chars().count()
        }
        other => return Err(Fail::new(format!("{} cannot be sliced", kind(other)))),
    };
    let [first, end, step] = bounds;
    let number = |bound: Option<Json>| match bound {
        None | Some(Json::Null) => Ok(None),
        Some(bound) => match Num::of(&bound, meter)? {
            Some(Num::Int(at)) => Ok(Some(at.clamp(-(1 << 62), 1 << 62))),
            _ => Err(Fail::new(format!("a slice is bounded by whole numbers, not {}", kind(&bound)))),
        },
    };
    let step = number(step)?.unwrap_or(1);
    let positions = positions(number(first)?, number(end)?, step, total)?;
    Ok(match &value.json {
        Json::Array(elements) => {
            meter.make(positions.len())?;
            Val::new(positions.iter().filter_map(|at| elements.get(at)).cloned().collect(), value.depth)
        }
        Json::String(text) => {
            meter.write(text.len().min(positions.len().saturating_mul(4)))?;
            if step == 1 {
                text.chars().skip(positions.first).take(positions.len()).collect::<String>().into()
            } else {
                meter.make(total)?;
                let chars: Vec<char> = text.chars().collect();
                positions.iter().filter_map(|at| chars.get(at)).collect::<String>().into()
            }
        }
        _ => Val::default(),
    })
}

/// Evenly spaced positions.
struct Positions {
    first: usize,
    step: i128,
    count: usize,
}

impl Positions {
    fn len(&self) -> usize {
        self.count
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.count).filter_map(|nth| usize::try_from(self.first as i128 + nth as i128 * self.step).ok())
    }
}

/// Python's rules: bounds count from the end where they are negative and are clamped.
fn positions(start: Option<i128>, end: Option<i128>, step: i128, total: usize) -> Outcome<Positions> {
    if step == 0 {
        return Err(Fail::new("the step of a slice cannot be zero"));
    }
    let total = total as i128;
    let (low, high) = if step > 0 { (0, total) } else { (-1, total - 1) };
    let bound = |bound: Option<i128>, default: i128| match bound {
        None => default,
        Some(at) if at < 0 => (at + total).clamp(low, high),
        Some(at) => at.clamp(low, high),
    };
    let (first, end) =
        if step > 0 { (bound(start, low), bound(end, high)) } else { (bound(start, high), bound(end, low)) };
    let count = usize::try_from(steps(first, end, step)).unwrap_or(0);
    Ok(Positions { first: usize::try_from(first).unwrap_or(0), step, count })
}

/// How many steps, of a width that is not zero, begin before the end.
fn steps(start: i128, end: i128, step: i128) -> i128 {
    let span = if step > 0 { end - start } else { start - end };
    let width = step.abs();
    if span > 0 { (span + width - 1) / width } else { 0 }
}

/// A mapping from keys and values; keys that are no strings become such.
pub(super) fn mapping(members: Vec<(Val, Val)>, meter: &Meter) -> Outcome<Val> {
    // Its members, and an index of their names while it is made.
    meter.make(members.len().saturating_mul(2))?;
    let depth = 1 + members.iter().map(|(_, value)| value.depth).max().unwrap_or(0);
    let mut object = ObjectBuilder::with_capacity(members.len());
    for (key, value) in members {
        let name = match key.json {
            Json::String(name) => {
                meter.read(name.len())?;
                name
            }
            other => {
                let name = ops::key(&other);
                let name = name.ok_or_else(|| Fail::new(format!("a key must be a string, not {}", kind(&other))))?;
                meter.write(name.len())?;
                SmolStr::new(name)
            }
        };
        object.insert(name, value.json);
    }
    Ok(Val::new(object.into(), depth))
}

/// `range(stop)`, `range(start, stop)`, `range(start, stop, step)`
pub(super) fn range(args: &[Val], meter: &Meter) -> Outcome<Val> {
    let numbers = args.iter().map(|arg| match Num::of(&arg.json, meter)? {
        Some(Num::Int(number)) => Ok(number.clamp(-(1 << 62), 1 << 62)),
        _ => Err(Fail::new(format!("`range` takes whole numbers, not {}", kind(&arg.json)))),
    });
    let numbers = numbers.collect::<Outcome<Vec<_>>>()?;
    let (start, end, step) = match numbers[..] {
        [end] => (0, end, 1),
        [start, end] => (start, end, 1),
        [start, end, step] if step != 0 => (start, end, step),
        _ => return Err(Fail::new("the step of `range` cannot be zero")),
    };
    let count = steps(start, end, step);
    meter.make(usize::try_from(count).unwrap_or(usize::MAX))?;
    Ok(Val::new((0..count).map(|nth| Json::from(start + nth * step)).collect(), 1))
}

/// How deep a value nests.
pub(super) fn depth(json: &Json, meter: &Meter) -> Outcome<usize> {
    meter.visit(1)?;
    let deeper = |deepest: usize, inner: &Json| Ok(depth(inner, meter)?.max(deepest));
    match json {
        Json::Array(elements) => elements.iter().try_fold(0, deeper).map(|deepest| deepest + 1),
        Json::Object(members) => members.values().try_fold(0, deeper).map(|deepest| deepest + 1),
        _ => Ok(0),
    }
}
