//! Values between minijinja's variables and our JSON.
//!
//! Everything a template computes with is [`Json`]. minijinja holds it while it stands in a
//! variable: scalars as its own values, which cost nothing, the rest as a [`Node`], which shares
//! the JSON. A node offers minijinja nothing but its elements to loop over.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use callout_core::json::{Json, Number, SmolStr};
use minijinja::{
    ErrorKind,
    value::{Enumerator, Object, ObjectRepr, Value, ValueKind},
};

use super::{budget::Meter, eval::Run, fault::Outcome};

/// A value and a bound of how deep it nests: walking and dropping it recurse that deep.
#[derive(Clone, Debug, Default)]
pub(super) struct Val {
    pub(super) json: Json,
    pub(super) depth: usize,
}

impl Val {
    /// A value that nests `depth` deep at most; a scalar does not nest, whatever it came from.
    pub(super) fn new(json: Json, depth: usize) -> Self {
        let depth = if matches!(json, Json::Array(_) | Json::Object(_)) { depth } else { 0 };
        Self { json, depth }
    }

    /// The element of a list, or the key of a mapping, at that place.
    pub(super) fn element(&self, at: usize) -> Option<Self> {
        match &self.json {
            Json::Array(elements) => Some(Self::new(elements.get(at)?.clone(), self.depth.saturating_sub(1))),
            Json::Object(members) => Some(Json::String(members.entry(at)?.0.clone()).into()),
            _ => None,
        }
    }
}

impl<T: Into<Json>> From<T> for Val {
    fn from(scalar: T) -> Self {
        Self::new(scalar.into(), 1)
    }
}

/// A value where it is, or one that was made.
pub(super) enum Ref<'v> {
    /// With the bound of how deep it nests.
    Borrowed(&'v Json, usize),
    Owned(Val),
}

impl<'v> Ref<'v> {
    pub(super) fn of(value: &'v Val) -> Self {
        Self::Borrowed(&value.json, value.depth)
    }

    pub(super) fn json(&self) -> &Json {
        match self {
            Self::Borrowed(json, _) => json,
            Self::Owned(value) => &value.json,
        }
    }

    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Borrowed(Json::Array(_) | Json::Object(_), depth) => *depth,
            Self::Borrowed(..) => 0,
            Self::Owned(value) => value.depth,
        }
    }

    /// The value itself, which is shared and not copied.
    pub(super) fn into_val(self) -> Val {
        match self {
            Self::Borrowed(json, depth) => Val::new(json.clone(), depth),
            Self::Owned(value) => value,
        }
    }
}

/// JSON in a variable of minijinja.
pub(super) struct Node {
    value: Val,
    run: Arc<Run>,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only its kind: what it holds can be large.
        f.debug_struct("Node").field("kind", &self.value.json.type_name()).finish_non_exhaustive()
    }
}

impl Object for Node {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.value.json {
            Json::Array(_) | Json::Object(_) => Enumerator::Iter(Box::new(Elements { node: self.clone(), next: 0 })),
            _ => Enumerator::NonEnumerable,
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        is_true(&self.value.json)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.value.json.type_name())
    }
}

/// Goes through a list's elements or a mapping's keys, and accounts for each.
struct Elements {
    node: Arc<Node>,
    next: usize,
}

impl Elements {
    fn len(&self) -> usize {
        len(&self.node.value.json).unwrap_or(0)
    }
}

impl Iterator for Elements {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let Node { value, run } = &*self.node;
        let found = value.element(self.next)?;
        self.next += 1;
        if run.meter.make(1).is_err() {
            self.next = usize::MAX;
            return Some(Value::from(minijinja::Error::from(ErrorKind::OutOfFuel)));
        }
        Some(to_value(found, run))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

/// Puts a value where minijinja can hold it.
pub(super) fn to_value(value: Val, run: &Arc<Run>) -> Value {
    match &value.json {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::String(text) if text.is_heap_allocated() => Value::from(Arc::<str>::from(text.clone())),
        Json::String(text) => Value::from(text.as_str()),
        Json::Number(number) => {
            match Some(number).filter(|number| number.as_str().len() <= 20).and_then(Number::as_i64) {
                Some(integer) if number.as_str() != "-0" => Value::from(integer),
                _ => Value::from_object(Node { value, run: run.clone() }),
            }
        }
        Json::Array(_) | Json::Object(_) => Value::from_object(Node { value, run: run.clone() }),
    }
}

/// Takes a value back; `None` if it is none of ours: undefined, or a namespace.
pub(super) fn from_value(value: &Value) -> Option<Val> {
    match value.kind() {
        ValueKind::None => Some(Json::Null.into()),
        ValueKind::Bool => Some(value.is_true().into()),
        ValueKind::Number => {
            let integer = i128::try_from(value.clone()).ok().map(Number::from);
            let number = integer.or_else(|| f64::try_from(value.clone()).ok().and_then(Number::from_f64));
            number.map(Val::from)
        }
        ValueKind::String => {
            let text = value.as_str()?;
            // A long text is shared, not copied.
            let text = if text.len() <= 23 { SmolStr::new(text) } else { SmolStr::from(value.to_str()?) };
            Some(text.into())
        }
        _ => value.downcast_object_ref::<Node>().map(|node| node.value.clone()),
    }
}

/// How many elements, members or characters it has.
pub(super) fn len(json: &Json) -> Option<usize> {
    match json {
        Json::Array(elements) => Some(elements.len()),
        Json::Object(members) => Some(members.len()),
        Json::String(text) => Some(text.chars().count()),
        _ => None,
    }
}

/// Python's idea of truth: empty, zero, false and none are not true.
pub(super) fn is_true(json: &Json) -> bool {
    match json {
        Json::Null => false,
        Json::Bool(truth) => *truth,
        Json::Number(number) => is_nonzero(number),
        Json::String(text) => !text.is_empty(),
        Json::Array(elements) => !elements.is_empty(),
        Json::Object(members) => !members.is_empty(),
    }
}

/// Whether a digit other than zero stands before the exponent, and near: what begins with hundreds
/// of zeros is less than any float but zero.
fn is_nonzero(number: &Number) -> bool {
    let digits = number.as_str().bytes().take(400).take_while(|byte| !matches!(byte, b'e' | b'E'));
    digits.into_iter().any(|byte| matches!(byte, b'1'..=b'9'))
}

/// What a value is called in a message.
pub(super) fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "none",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "a mapping",
    }
}

/// The value as a template prints it: a string as it is, a number with its digits, `None`, `True`
/// and `False`; lists and mappings as Python shows them, `[1, 'x', None]`.
pub(super) fn text(json: &Json, meter: &Meter) -> Outcome<SmolStr> {
    Ok(match json {
        Json::Null => SmolStr::new_static("None"),
        Json::Bool(true) => SmolStr::new_static("True"),
        Json::Bool(false) => SmolStr::new_static("False"),
        Json::Number(number) => {
            meter.write(number.as_str().len())?;
            SmolStr::new(number.as_str())
        }
        Json::String(text) => text.clone(),
        Json::Array(_) | Json::Object(_) => {
            let mut out = JsonText::new(meter, Layout::Python);
            out.value(json, 0)?;
            out.text.into()
        }
    })
}

/// A string as Python's `repr` shows it: in single quotes, unless it holds those and no double ones.
fn write_python_string(text: &str, out: &mut String) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for found in text.chars() {
        match found {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            found if found == quote => out.extend(['\\', found]),
            found if found.is_control() => write!(out, "\\x{:02x}", u32::from(found))?,
            found => out.push(found),
        }
    }
    out.push(quote);
    Ok(())
}

/// How JSON is laid out.
#[derive(Clone, Copy)]
pub(super) enum Layout {
    /// `{"a":[1,2]}`
    Compact,
    /// `{'a': [1, None]}`
    Python,
    /// One member or element a line, indented by so many spaces a level.
    Indented(usize),
}

/// Writes JSON and accounts for each value before it is written.
pub(super) struct JsonText<'m> {
    pub(super) text: String,
    meter: &'m Meter,
    layout: Layout,
}

impl<'m> JsonText<'m> {
    pub(super) fn new(meter: &'m Meter, layout: Layout) -> Self {
        Self { text: String::new(), meter, layout }
    }

    pub(super) fn value(&mut self, json: &Json, level: usize) -> Outcome<()> {
        self.meter.visit(1)?;
        match json {
            Json::Null => self.put(if self.is_python() { "None" } else { "null" }),
            Json::Bool(true) => self.put(if self.is_python() { "True" } else { "true" }),
            Json::Bool(false) => self.put(if self.is_python() { "False" } else { "false" }),
            Json::Number(number) => self.put(number.as_str()),
            Json::String(text) => self.string(text),
            Json::Array(elements) => {
                self.put("[")?;
                for (at, element) in elements.iter().enumerate() {
                    self.separate(at, level)?;
                    self.value(element, level + 1)?;
                }
                self.close(elements.is_empty(), level)?;
                self.put("]")
            }
            Json::Object(members) => {
                self.put("{")?;
                for (at, (name, member)) in members.iter().enumerate() {
                    self.separate(at, level)?;
                    self.string(name)?;
                    self.put(if matches!(self.layout, Layout::Compact) { ":" } else { ": " })?;
                    self.value(member, level + 1)?;
                }
                self.close(members.is_empty(), level)?;
                self.put("}")
            }
        }
    }

    const fn is_python(&self) -> bool {
        matches!(self.layout, Layout::Python)
    }

    fn put(&mut self, text: &str) -> Outcome<()> {
        self.meter.write(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    fn string(&mut self, text: &str) -> Outcome<()> {
        // An escape takes six bytes at most.
        self.meter.write(text.len())?;
        let before = self.text.len();
        // Writing to a string cannot fail.
        let _ = if self.is_python() {
            write_python_string(text, &mut self.text)
        } else {
            callout_core::json::write_string(text, &mut self.text)
        };
        self.meter.write((self.text.len() - before).saturating_sub(text.len()))
    }

    fn separate(&mut self, at: usize, level: usize) -> Outcome<()> {
        match self.layout {
            Layout::Compact if at > 0 => self.put(","),
            Layout::Python if at > 0 => self.put(", "),
            Layout::Compact | Layout::Python => Ok(()),
            Layout::Indented(_) => {
                if at > 0 {
                    self.put(",")?;
                }
                self.line(level + 1)
            }
        }
    }

    fn close(&mut self, empty: bool, level: usize) -> Outcome<()> {
        if matches!(self.layout, Layout::Indented(_)) && !empty { self.line(level) } else { Ok(()) }
    }

    fn line(&mut self, level: usize) -> Outcome<()> {
        let Layout::Indented(width) = self.layout else { return Ok(()) };
        let spaces = width.saturating_mul(level);
        self.meter.write(spaces + 1)?;
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', spaces));
        Ok(())
    }
}

/// The value as a loop goes through it: a list, a mapping by its keys, a string by its characters.
pub(super) fn elements_of(value: Val, meter: &Meter) -> Outcome<Val> {
    match value.json {
        Json::Array(_) | Json::Object(_) => Ok(value),
        other => super::parts::elements(&other, meter).map(Val::from),
    }
}
