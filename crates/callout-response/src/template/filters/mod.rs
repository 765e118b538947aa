//! Filters: what may stand behind `|`. Each accounts for what it goes through and what it makes.

mod entities;
mod lists;
mod texts;

use std::sync::LazyLock;

use callout_core::json::{Json, Number, SmolStr};

use super::{
    budget::Meter,
    fault::{Fail, Outcome, clipped},
    ops::Num,
    parts,
    value::{self, JsonText, Layout, Val, kind, text},
};

/// One filter.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: &'static str,
    /// Its arguments in order; each can also be given by name.
    pub(super) named: &'static [&'static str],
    /// How many of them cannot be left out.
    pub(super) required: usize,
    /// Whether what is given without a name goes to the filter as a list.
    pub(super) takes_rest: bool,
    /// Whether it applies another one to each element, as `map` does.
    pub(super) maps: bool,
    /// Whether it can be applied to what is not there, as `default` can, which is done where chains are followed.
    pub(super) takes_undefined: bool,
    /// How many levels deeper than its input its result can nest.
    pub(super) nests: usize,
    pub(super) run: fn(&mut Call<'_>) -> Outcome<Json>,
}

impl Filter {
    const fn new(name: &'static str, named: &'static [&'static str], run: fn(&mut Call<'_>) -> Outcome<Json>) -> Self {
        Self { name, named, required: 0, takes_rest: false, maps: false, takes_undefined: false, nests: 0, run }
    }

    const fn requires(self, required: usize) -> Self {
        Self { required, ..self }
    }

    const fn rest(self) -> Self {
        Self { takes_rest: true, ..self }
    }

    const fn maps(self) -> Self {
        Self { maps: true, ..self.rest() }
    }

    const fn nests(self, nests: usize) -> Self {
        Self { nests, ..self }
    }
}

/// One use of a filter: its input and its arguments.
pub(super) struct Call<'m> {
    pub(super) filter: &'m Filter,
    pub(super) input: Val,
    /// The filter that is to be applied to each element, with these arguments.
    pub(super) mapped: Option<&'static Filter>,
    /// The arguments are lent: `map` gives the same to each element.
    pub(super) named: &'m [Option<Val>],
    pub(super) rest: &'m [Val],
    pub(super) meter: &'m Meter,
}

impl Call<'_> {
    fn json(&self) -> &Json {
        &self.input.json
    }

    fn text(&self) -> Outcome<SmolStr> {
        let made = text(self.json(), self.meter)?;
        self.meter.scan(made.len())?;
        Ok(made)
    }

    fn elements(&self) -> Outcome<Vec<Json>> {
        parts::elements(self.json(), self.meter)
    }

    /// An argument that was given, and not as none.
    fn arg(&self, place: usize) -> Option<&Json> {
        self.named.get(place)?.as_ref().map(|value| &value.json).filter(|json| !json.is_null())
    }

    fn wrong(&self, place: usize, wanted: &str, got: &Json) -> Fail {
        let name = self.filter.named.get(place).copied().unwrap_or("argument");
        Fail::new(format!("`{name}` must be {wanted}, not {}", kind(got)))
    }

    fn string(&self, place: usize) -> Outcome<Option<SmolStr>> {
        self.arg(place).map(|json| text(json, self.meter)).transpose()
    }

    fn flag(&self, place: usize) -> bool {
        self.arg(place).is_some_and(value::is_true)
    }

    fn whole(&self, place: usize) -> Outcome<Option<i64>> {
        let Some(json) = self.arg(place) else { return Ok(None) };
        match Num::of(json, self.meter)? {
            Some(Num::Int(number)) => {
                Ok(Some(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })))
            }
            _ => Err(self.wrong(place, "a whole number", json)),
        }
    }

    fn count(&self, place: usize) -> Outcome<Option<usize>> {
        Ok(self.whole(place)?.map(|number| usize::try_from(number.max(0)).unwrap_or(usize::MAX)))
    }

    /// Accounts for a text before it is returned, where its size could not be told before.
    fn made(&self, text: String) -> Outcome<Json> {
        self.meter.write(text.len())?;
        Ok(text.into())
    }
}

static OF_VALUES: [Filter; 16] = [
    Filter { takes_undefined: true, ..Filter::new("default", &["default_value", "boolean"], default) },
    Filter { takes_undefined: true, ..Filter::new("d", &["default_value", "boolean"], default) },
    Filter::new("abs", &[], abs),
    Filter::new("round", &["precision", "method"], round),
    Filter::new("int", &["default"], int),
    Filter::new("float", &["default"], float),
    Filter::new("string", &[], |call| call.text().map(Json::String)),
    Filter::new("bool", &[], |call| Ok(value::is_true(call.json()).into())),
    Filter::new("length", &[], length),
    Filter::new("count", &[], length),
    Filter::new("attr", &["name"], attr).requires(1),
    Filter::new("tojson", &["indent"], |call| to_json(call, None)),
    Filter::new("pprint", &[], |call| to_json(call, Some(2))),
    Filter::new("safe", &[], |call| Ok(call.json().clone())),
    Filter::new("format", &[], format).rest(),
    Filter::new("items", &[], lists::items).nests(1),
];

static ALL: LazyLock<Vec<&'static Filter>> =
    LazyLock::new(|| OF_VALUES.iter().chain(&texts::FILTERS).chain(&lists::FILTERS).collect());

pub(super) fn find(name: &str) -> Option<&'static Filter> {
    ALL.iter().copied().find(|filter| filter.name == name)
}

/// The one of that name that can be applied to each element of a list, or why there is none.
pub(super) fn find_mapped(name: &str) -> Result<&'static Filter, String> {
    const NOT: [&str; 5] = ["map", "select", "reject", "selectattr", "rejectattr"];
    match find(name) {
        Some(filter) if NOT.contains(&filter.name) => Err(format!("`{}` cannot be mapped", filter.name)),
        Some(filter) => Ok(filter),
        None => Err(format!("there is no filter {:?}", clipped(name, 40))),
    }
}

/// All that there are.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|filter| filter.name)
}

/// As `map` applies it, to what is there.
#[expect(clippy::unnecessary_wraps, reason = "all filters are called alike")]
fn default(call: &mut Call<'_>) -> Outcome<Json> {
    if !call.flag(1) || value::is_true(call.json()) {
        return Ok(call.json().clone());
    }
    Ok(call.named.first().cloned().flatten().map_or_else(|| "".into(), |value| value.json))
}

/// What is meant by a value as a number: itself, or what a string says.
fn number(json: &Json, meter: &Meter) -> Outcome<Option<Num>> {
    match json {
        Json::String(text) => {
            meter.calculate(text.len().max(Number::slow_digits(text)))?;
            let text = text.trim();
            let integer = text.parse().ok().map(Num::Int);
            Ok(integer.or_else(|| text.parse().ok().filter(|float: &f64| float.is_finite()).map(Num::Float)))
        }
        other => Num::of(other, meter),
    }
}

fn needs_number(json: &Json) -> Fail {
    Fail::new(format!("needs a number, not {}", kind(json)))
}

fn abs(call: &mut Call<'_>) -> Outcome<Json> {
    match Num::of(call.json(), call.meter)? {
        Some(Num::Int(number)) => Ok(number.checked_abs().unwrap_or(i128::MAX).into()),
        Some(Num::Float(number)) => Num::Float(number.abs()).into_json(),
        None => Err(needs_number(call.json())),
    }
}

fn round(call: &mut Call<'_>) -> Outcome<Json> {
    let places = call.whole(0)?.unwrap_or(0).clamp(-300, 300) as i32;
    let method = call.string(1)?;
    let number = Num::of(call.json(), call.meter)?.ok_or_else(|| needs_number(call.json()))?;
    let how: Rounding = match method.as_deref() {
        // Halves go to the even neighbour, as in Python and minijinja.
        None | Some("common") => f64::round_ties_even,
        Some("ceil") => f64::ceil,
        Some("floor") => f64::floor,
        Some(_) => return Err(Fail::new("`method` must be common, ceil or floor")),
    };
    let scale = 10_f64.powi(places.abs());
    let float = match (number, places) {
        (Num::Int(_), 0..) => return number.into_json(),
        (Num::Int(whole), _) => {
            let rounded = how(whole as f64 / scale) * scale;
            // Beyond 2^53 a float no longer tells neighbours apart, but rounding by tens is coarser.
            return Num::Int(if rounded.abs() < 1e38 { rounded as i128 } else { whole }).into_json();
        }
        (Num::Float(float), 0..) if matches!(method.as_deref(), None | Some("common")) => {
            // By decimal digits: scaling would make 2.675 * 100 = 267.49999999999994.
            let width = usize::try_from(places).unwrap_or(0);
            call.meter.write(400)?;
            call.meter.calculate(number.digits_to_write(width))?;
            format!("{float:.width$}").parse().unwrap_or(float)
        }
        (Num::Float(float), 0..) => how(float * scale) / scale,
        (Num::Float(float), _) => how(float / scale) * scale,
    };
    // Digits that a float does not have cannot be rounded away.
    Num::Float(if float.is_finite() { float } else { number.as_f64() }).into_json()
}

/// A way to round to a whole number.
type Rounding = fn(f64) -> f64;

fn int(call: &mut Call<'_>) -> Outcome<Json> {
    let found = number(call.json(), call.meter)?;
    match found {
        Some(Num::Int(whole)) => return Ok(whole.into()),
        Some(Num::Float(float)) if float.abs() < i128::MAX as f64 => return Ok((float.trunc() as i128).into()),
        _ => {}
    }
    // What has more than 128 bits is not calculated with, but has its digits all the same.
    if let Some(whole) = whole_as_written(call.json(), call.meter)? {
        return Ok(whole.into());
    }
    if let Some(number @ Num::Float(float)) = found.filter(|number| number.as_f64().is_finite()) {
        call.meter.write(400)?;
        call.meter.calculate(number.digits_to_write(0))?;
        return Ok(Number::from_text(&format!("{:.0}", float.trunc())).map_or(Json::Null, Json::from));
    }
    Ok(call.arg(0).cloned().unwrap_or_else(|| 0.into()))
}

/// A whole number, or a string that is one, with the digits that it has.
fn whole_as_written(json: &Json, meter: &Meter) -> Outcome<Option<Number>> {
    let number = match json {
        Json::Number(number) => {
            meter.read(number.as_str().len())?;
            Some(number.clone())
        }
        Json::String(text) => {
            meter.write(text.len())?;
            Number::from_text(text.trim())
        }
        _ => None,
    };
    Ok(number.filter(Number::is_integer))
}

fn float(call: &mut Call<'_>) -> Outcome<Json> {
    match number(call.json(), call.meter)? {
        Some(number) => Num::Float(number.as_f64()).into_json(),
        None => call.arg(0).cloned().map_or_else(|| Num::Float(0.0).into_json(), Ok),
    }
}

fn length(call: &mut Call<'_>) -> Outcome<Json> {
    if let Json::String(text) = call.json() {
        call.meter.read(text.len())?;
    }
    match value::len(call.json()) {
        Some(len) => Ok(len.into()),
        None => Err(Fail::new(format!("{} has no length", kind(call.json())))),
    }
}

fn attr(call: &mut Call<'_>) -> Outcome<Json> {
    let name = call.string(0)?.unwrap_or_default();
    match parts::attribute(call.json(), &name, call.meter)? {
        Some(value) => Ok(value.clone()),
        None => Err(Fail::Undefined(format!("there is no member {:?}", clipped(&name, 40)))),
    }
}

fn to_json(call: &mut Call<'_>, indent: Option<usize>) -> Outcome<Json> {
    let indent = match call.arg(0) {
        Some(Json::Bool(false)) => None,
        Some(Json::Bool(true)) => Some(2),
        Some(_) => call.count(0)?.map(|width| width.min(16)),
        None => indent,
    };
    let layout = indent.map_or(Layout::Compact, Layout::Indented);
    let mut out = JsonText::new(call.meter, layout);
    out.value(call.json(), 0)?;
    Ok(out.text.into())
}

fn format(call: &mut Call<'_>) -> Outcome<Json> {
    let pattern = call.text()?;
    super::format::printf(&pattern, call.rest, call.meter)
}

/// The value at `a.b.0` in an element, as `attribute=` names it.
fn attribute(json: &Json, path: &str, meter: &Meter) -> Outcome<Option<Json>> {
    meter.read(path.len())?;
    let mut here = json.clone();
    for name in path.split('.') {
        meter.visit(1)?;
        let found = match &here {
            Json::Array(elements) if name.starts_with(|first: char| first.is_ascii_digit()) && name.len() < 20 => {
                name.parse().ok().and_then(|at: usize| elements.get(at)).cloned()
            }
            _ => parts::attribute(&here, name, meter)?.cloned(),
        };
        match found {
            Some(found) => here = found,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once() {
        let mut names: Vec<&str> = ALL.iter().map(|filter| filter.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
