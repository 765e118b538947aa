//! Filters of lists and mappings.

use std::cmp::Ordering;

use callout_core::json::Json;

use super::{Call, Filter, attribute, find_mapped};
use crate::template::{
    fault::{Fail, Outcome, clipped},
    ops::{self, Arith},
    parts, predicates,
    value::{Val, is_true, kind, text},
};

pub(super) static FILTERS: [Filter; 20] = [
    Filter::new("first", &[], |call| end(call, true)),
    Filter::new("last", &[], |call| end(call, false)),
    Filter::new("list", &[], |call| Ok(call.elements()?.into())).nests(1),
    Filter::new("reverse", &[], reverse),
    Filter::new("join", &["d", "attribute"], join),
    Filter::new("sort", &["reverse", "case_sensitive", "attribute"], sort),
    Filter::new("dictsort", &["case_sensitive", "by", "reverse"], dictsort).nests(1),
    Filter::new("unique", &["case_sensitive", "attribute"], unique),
    Filter::new("min", &["case_sensitive", "attribute"], |call| extreme(call, Ordering::Less)),
    Filter::new("max", &["case_sensitive", "attribute"], |call| extreme(call, Ordering::Greater)),
    Filter::new("sum", &["attribute", "start"], sum),
    Filter::new("batch", &["linecount", "fill_with"], batch).requires(1).nests(1),
    Filter::new("slice", &["slices", "fill_with"], slices).requires(1).nests(1),
    Filter::new("groupby", &["attribute", "default", "case_sensitive"], groupby).requires(1).nests(2),
    Filter::new("map", &["attribute", "default"], map).maps().nests(2),
    Filter::new("select", &[], |call| select(call, true, false)).rest(),
    Filter::new("reject", &[], |call| select(call, false, false)).rest(),
    Filter::new("selectattr", &[], |call| select(call, true, true)).rest(),
    Filter::new("rejectattr", &[], |call| select(call, false, true)).rest(),
    Filter::new("zip", &[], zip).rest().nests(1),
];

fn end(call: &mut Call<'_>, first: bool) -> Outcome<Json> {
    let found = match call.json() {
        Json::Array(elements) if first => elements.first().cloned(),
        Json::Array(elements) => elements.last().cloned(),
        Json::String(text) => {
            let mut chars = text.chars();
            if first { chars.next() } else { chars.next_back() }.map(|found| found.to_string().into())
        }
        _ => {
            let mut elements = call.elements()?;
            if first { elements.into_iter().next() } else { elements.pop() }
        }
    };
    found.ok_or_else(|| is_empty(call))
}

/// There is none of what was looked for.
fn is_empty(call: &Call<'_>) -> Fail {
    Fail::Undefined(format!("{} is empty", kind(call.json())))
}

fn reverse(call: &mut Call<'_>) -> Outcome<Json> {
    if let Json::String(text) = call.json() {
        call.meter.write(text.len())?;
        return Ok(text.chars().rev().collect::<String>().into());
    }
    let mut elements = call.elements()?;
    elements.reverse();
    Ok(elements.into())
}

/// What an element is sorted, grouped or joined by.
fn key(call: &Call<'_>, element: &Json, place: usize) -> Outcome<Json> {
    match call.string(place)? {
        None => Ok(element.clone()),
        Some(path) => at(call, element, &path, None),
    }
}

/// What is at a path in an element; where there is nothing, there must be something to take instead.
fn at(call: &Call<'_>, element: &Json, path: &str, default: Option<&Json>) -> Outcome<Json> {
    let found = attribute(element, path, call.meter)?.or_else(|| default.cloned());
    found.ok_or_else(|| Fail::new(format!("an element has no {:?}", clipped(path, 40))))
}

/// What an argument gives, if it is there.
fn given<'a>(call: &Call<'a>, place: usize) -> Option<&'a Json> {
    call.named.get(place)?.as_ref().map(|value| &value.json)
}

/// The same without regard to case, where it is a string and case does not count.
fn folded(call: &Call<'_>, key: Json, case_sensitive: usize) -> Outcome<Json> {
    match key {
        Json::String(text) if !call.flag(case_sensitive) => {
            call.meter.write(text.len())?;
            Ok(text.to_lowercase().into())
        }
        other => Ok(other),
    }
}

fn keys(call: &Call<'_>, elements: &[Json], place: usize, case_sensitive: usize) -> Outcome<Vec<Json>> {
    call.meter.make(elements.len())?;
    elements.iter().map(|element| folded(call, key(call, element, place)?, case_sensitive)).collect()
}

fn in_order(elements: &[Json], keys: &[Json], reverse: bool, call: &Call<'_>) -> Outcome<Json> {
    let order = |one: usize, two: usize| match (keys.get(one), keys.get(two)) {
        (Some(one), Some(two)) if reverse => ops::order(two, one, call.meter),
        (Some(one), Some(two)) => ops::order(one, two, call.meter),
        _ => Ok(Ordering::Equal),
    };
    let sorted = ops::sorted(elements.len(), order)?;
    Ok(sorted.into_iter().filter_map(|at| elements.get(at)).cloned().collect())
}

fn join(call: &mut Call<'_>) -> Outcome<Json> {
    let between = call.string(0)?.unwrap_or_default();
    let mut joined = String::new();
    for (at, element) in call.elements()?.iter().enumerate() {
        let part = text(&key(call, element, 1)?, call.meter)?;
        call.meter.write(part.len() + between.len())?;
        if at > 0 {
            joined.push_str(&between);
        }
        joined.push_str(&part);
    }
    Ok(joined.into())
}

fn sort(call: &mut Call<'_>) -> Outcome<Json> {
    let elements = call.elements()?;
    let keys = match call.string(2)? {
        Some(paths) if paths.contains(',') => lists_of_keys(call, &elements, &paths)?,
        _ => keys(call, &elements, 2, 1)?,
    };
    in_order(&elements, &keys, call.flag(0), call)
}

/// What to sort by if that is several paths with commas between them: first by the first, and so on.
fn lists_of_keys(call: &Call<'_>, elements: &[Json], paths: &str) -> Outcome<Vec<Json>> {
    call.meter.scan(paths.len())?;
    let paths: Vec<&str> = paths.split(',').map(str::trim).collect();
    call.meter.make(elements.len().saturating_mul(paths.len() + 1))?;
    let keys = |element: &Json| -> Outcome<Json> {
        paths.iter().map(|path| folded(call, at(call, element, path, None)?, 1)).collect()
    };
    elements.iter().map(keys).collect()
}

/// The pairs of a mapping.
pub(super) fn items(call: &mut Call<'_>) -> Outcome<Json> {
    let Json::Object(members) = call.json() else {
        return Err(Fail::new(format!("needs a mapping, not {}", kind(call.json()))));
    };
    parts::pairs(members, call.meter)
}

fn dictsort(call: &mut Call<'_>) -> Outcome<Json> {
    let by = match call.string(1)?.as_deref() {
        None | Some("key") => 0,
        Some("value") => 1,
        Some(_) => return Err(Fail::new("`by` must be key or value")),
    };
    let pairs = items(call)?;
    let pairs = pairs.as_array().map(|pairs| &**pairs).unwrap_or_default();
    call.meter.make(pairs.len())?;
    let key = |pair: &Json| pair.as_array().and_then(|pair| pair.get(by)).cloned().unwrap_or_default();
    let keys = pairs.iter().map(|pair| folded(call, key(pair), 0)).collect::<Outcome<Vec<_>>>()?;
    in_order(pairs, &keys, call.flag(2), call)
}

/// The first element of each run of the sorted keys: those whose key was not there before.
fn unique(call: &mut Call<'_>) -> Outcome<Json> {
    let elements = call.elements()?;
    let keys = keys(call, &elements, 1, 0)?;
    let firsts = runs(&keys, call)?.into_iter().filter_map(|run| run.first().copied());
    let mut firsts: Vec<usize> = firsts.collect();
    firsts.sort_unstable();
    Ok(firsts.into_iter().filter_map(|at| elements.get(at)).cloned().collect())
}

/// The positions of equal keys together, in the order of the keys.
fn runs(keys: &[Json], call: &Call<'_>) -> Outcome<Vec<Vec<usize>>> {
    let key = |at: usize| keys.get(at).unwrap_or(&Json::Null);
    let order = |one: usize, two: usize| ops::order(key(one), key(two), call.meter);
    let mut runs: Vec<Vec<usize>> = Vec::new();
    // Mappings have no order among each other: where the order ends, keys are compared one by one
    // with the runs from here on.
    let mut from = 0;
    for at in ops::sorted(keys.len(), order)? {
        if let Some(&first) = runs.get(from).and_then(|run| run.first())
            && order(first, at)?.is_ne()
        {
            from = runs.len();
        }
        let mut same = None;
        for run in from..runs.len() {
            let first = runs.get(run).and_then(|run| run.first()).copied().unwrap_or(at);
            if ops::equal(key(first), key(at), call.meter)? {
                same = Some(run);
                break;
            }
        }
        match same.and_then(|run| runs.get_mut(run)) {
            Some(run) => run.push(at),
            None => runs.push(vec![at]),
        }
    }
    Ok(runs)
}

fn extreme(call: &mut Call<'_>, wanted: Ordering) -> Outcome<Json> {
    let elements = call.elements()?;
    let keys = keys(call, &elements, 1, 0)?;
    let mut found = 0;
    for at in 1..keys.len() {
        if let (Some(one), Some(two)) = (keys.get(at), keys.get(found))
            && ops::order(one, two, call.meter)? == wanted
        {
            found = at;
        }
    }
    elements.get(found).cloned().ok_or_else(|| is_empty(call))
}

fn sum(call: &mut Call<'_>) -> Outcome<Json> {
    let mut total = call.named.get(1).cloned().flatten().unwrap_or_else(|| 0.into());
    for element in call.elements()? {
        let part = key(call, &element, 0)?;
        total = ops::arith(Arith::Add, &total, &Val::new(part, 0), call.meter)?;
    }
    Ok(total.json)
}

fn batch(call: &mut Call<'_>) -> Outcome<Json> {
    let elements = call.elements()?;
    let count = call.count(0)?.unwrap_or(0);
    if count == 0 {
        return Err(Fail::new("`linecount` must be 1 or more"));
    }
    let mut lines: Vec<Vec<Json>> = elements.chunks(count).map(<[Json]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (call.arg(1), lines.last_mut()) {
        call.meter.make(count - last.len())?;
        last.resize(count, fill.clone());
    }
    call.meter.make(lines.len())?;
    Ok(lines.into())
}

fn slices(call: &mut Call<'_>) -> Outcome<Json> {
    let elements = call.elements()?;
    let count = call.count(0)?.unwrap_or(0);
    if count == 0 {
        return Err(Fail::new("`slices` must be 1 or more"));
    }
    call.meter.make(count)?;
    let (each, longer) = (elements.len() / count, elements.len() % count);
    let mut rest = elements.as_slice();
    let mut columns = Vec::with_capacity(count);
    for at in 0..count {
        let (column, behind) = rest.split_at((each + usize::from(at < longer)).min(rest.len()));
        rest = behind;
        let mut column = column.to_vec();
        if let (Some(fill), true) = (call.arg(1), longer > 0 && at >= longer) {
            column.push(fill.clone());
        }
        columns.push(column);
    }
    Ok(columns.into())
}

/// Pairs of a key and the elements that have it; `grouper` and `list` are names for the two. Keys that are alike but for
/// case are one, and it is the first element's.
fn groupby(call: &mut Call<'_>) -> Outcome<Json> {
    let path = call.string(0)?.unwrap_or_default();
    let elements = call.elements()?;
    call.meter.make(elements.len().saturating_mul(3))?;
    let default = given(call, 1);
    let keys = elements.iter().map(|element| at(call, element, &path, default)).collect::<Outcome<Vec<_>>>()?;
    let alike = keys.iter().map(|key| folded(call, key.clone(), 2)).collect::<Outcome<Vec<_>>>()?;
    let groups = runs(&alike, call)?;
    call.meter.make(groups.len().saturating_mul(3))?;
    let group = |run: &Vec<usize>| {
        let grouper = run.first().and_then(|first| keys.get(*first)).cloned().unwrap_or_default();
        let list: Json = run.iter().filter_map(|at| elements.get(*at)).cloned().collect();
        Json::from_iter([grouper, list])
    };
    Ok(groups.iter().map(group).collect())
}

fn map(call: &mut Call<'_>) -> Outcome<Json> {
    let elements = call.elements()?;
    if let Some(filter) = call.mapped {
        return mapped(call, elements, filter, call.named, call.rest);
    }
    if let Some(path) = call.string(0)? {
        let default = given(call, 1);
        return elements.iter().map(|element| at(call, element, &path, default)).collect();
    }
    let Some((name, args)) = call.rest.split_first() else {
        return Err(Fail::new("needs a filter's name or `attribute`"));
    };
    let filter = find_mapped(name.json.as_str().unwrap_or_default()).map_err(Fail::new)?;
    let (named, rest) = if filter.takes_rest {
        (vec![None; filter.named.len()], args)
    } else {
        let mut named: Vec<_> = args.iter().cloned().map(Some).collect();
        if named.len() > filter.named.len() || named.len() < filter.required {
            return Err(Fail::new(format!("`{}` takes {} arguments", filter.name, filter.named.len())));
        }
        named.resize(filter.named.len(), None);
        (named, <&[Val]>::default())
    };
    mapped(call, elements, filter, &named, rest)
}

/// What a filter makes of each element.
fn mapped(call: &Call<'_>, elements: Vec<Json>, filter: &Filter, named: &[Option<Val>], rest: &[Val]) -> Outcome<Json> {
    let depth = call.input.depth.saturating_sub(1);
    let mapped = elements.into_iter().map(|element| {
        call.meter.visit(1)?;
        let input = Val::new(element, depth);
        let made = (filter.run)(&mut Call { filter, input, mapped: None, named, rest, meter: call.meter });
        // What is not there is no element of a list.
        made.map_err(|fail| match fail {
            Fail::Undefined(message) => Fail::Template(message),
            other => other,
        })
    });
    mapped.collect()
}

fn select(call: &mut Call<'_>, wanted: bool, by_attribute: bool) -> Outcome<Json> {
    let mut args = call.rest;
    let path = if by_attribute {
        let Some((first, rest)) = args.split_first() else { return Err(Fail::new("needs an attribute's name")) };
        args = rest;
        Some(text(&first.json, call.meter)?)
    } else {
        None
    };
    let test = match args.split_first() {
        None => None,
        Some((name, rest)) => {
            args = rest;
            let name = name.json.as_str().unwrap_or_default();
            let test = predicates::find(name);
            Some(test.ok_or_else(|| Fail::new(format!("there is no test {:?}", clipped(name, 40))))?)
        }
    };
    if test.is_some_and(|test| test.takes != args.len()) {
        return Err(Fail::new("the test got too few or too many arguments"));
    }
    let mut kept = Vec::new();
    for element in call.elements()? {
        call.meter.visit(1)?;
        let asked = match &path {
            Some(path) => attribute(&element, path, call.meter)?,
            None => Some(element.clone()),
        };
        // What an element lacks is not true, and only `defined` and `undefined` can be asked of it.
        let truth = match test {
            Some(test) if asked.is_some() || test.takes_undefined => (test.run)(asked.as_ref(), args, call.meter)?,
            Some(_) => false,
            None => asked.as_ref().is_some_and(is_true),
        };
        if truth == wanted {
            kept.push(element);
        }
    }
    Ok(kept.into())
}

fn zip(call: &mut Call<'_>) -> Outcome<Json> {
    let mut columns = vec![call.elements()?];
    for other in call.rest {
        columns.push(parts::elements(&other.json, call.meter)?);
    }
    let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
    call.meter.make(rows.saturating_mul(columns.len() + 1))?;
    let row = |at: usize| columns.iter().filter_map(|column| column.get(at)).cloned().collect::<Json>();
    Ok((0..rows).map(row).collect())
}
