//! Reads config objects field by field, so that every fault is found and none hides another.

use super::rules;
use crate::{
    fault::{FaultCode, Faults, excerpt},
    json::{Json, Object},
};

/// What becomes of a field that does not exist in a config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// It is a fault everywhere: for files that people write, where a slip must not pass silently.
    Refuse,
    /// It is a fault only in `auth`, as the HTTP contract has it.
    RefuseInAuth,
}

/// One object being read; remembers which fields were asked for.
pub(super) struct Fields<'a> {
    object: &'a Object,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// `None`, with a fault, if the value is no object.
    pub(super) fn open(value: &'a Json, faults: &mut Faults) -> Option<Self> {
        let object = expect(value, "an object", Json::as_object, faults)?;
        Some(Self { object, known: Vec::new() })
    }

    /// A field that may be absent but not null.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(&'a Json, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        self.known.push(name);
        let value = self.object.get(name)?;
        faults.field(name, |faults| read(value, faults))
    }

    /// A field that may be absent or null, which mean the same.
    pub(super) fn nullable<T>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(&'a Json, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        self.optional(name, faults, |value, faults| if value.is_null() { None } else { read(value, faults) })
    }

    /// A field that must be there.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(&'a Json, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        if !self.object.contains(name) {
            faults.field(name, |faults| faults.report(FaultCode::Missing, "is required"));
        }
        self.optional(name, faults, read)
    }

    /// As [`Fields::close`], without the names: where a colon is missing, a name holds the secret.
    pub(super) fn close_unnamed(self, faults: &mut Faults) {
        if self.object.keys().any(|name| !self.known.contains(&name)) {
            let known = self.known.join("`, `");
            faults.report(FaultCode::UnknownField, format!("there is a field that it does not have: it has `{known}`"));
        }
    }

    /// Reports the fields that nobody asked for, each with the name that was probably meant.
    pub(super) fn close(self, faults: &mut Faults) {
        for name in self.object.keys().filter(|name| !self.known.contains(name)) {
            if faults.is_full() {
                return;
            }
            let nearest = self.known.iter().map(|known| (strsim::jaro_winkler(known, name), known));
            let meant =
                nearest.max_by(|left, right| left.0.total_cmp(&right.0)).filter(|(nearness, _)| *nearness > 0.85);
            let message = match meant {
                Some((_, known)) => format!("there is no such field, did you mean {known:?}?"),
                None => "there is no such field".to_owned(),
            };
            faults.field(name, |faults| faults.report(FaultCode::UnknownField, message));
        }
    }
}

fn expect<'a, T>(
    value: &'a Json,
    what: &str,
    take: impl FnOnce(&'a Json) -> Option<T>,
    faults: &mut Faults,
) -> Option<T> {
    let taken = take(value);
    if taken.is_none() {
        faults.report(FaultCode::WrongType, format!("must be {what}, not {}", value.type_name()));
    }
    taken
}

pub(super) fn text(value: &Json, faults: &mut Faults) -> Option<String> {
    expect(value, "a string", Json::as_str, faults).map(str::to_owned)
}

pub(super) fn flag(value: &Json, faults: &mut Faults) -> Option<bool> {
    expect(value, "true or false", Json::as_bool, faults)
}

pub(super) fn integer(value: &Json, faults: &mut Faults) -> Option<i64> {
    let number = expect(value, "an integer", Json::as_number, faults)?;
    let integer = number.as_whole();
    if integer.is_none() {
        faults.report(FaultCode::WrongType, format!("must be an integer, not {}", excerpt(value, 80)));
    }
    integer
}

/// An integer that is not negative.
pub(super) fn count(value: &Json, faults: &mut Faults) -> Option<u64> {
    let integer = integer(value, faults)?;
    let count = u64::try_from(integer).ok();
    if count.is_none() {
        faults.report(FaultCode::OutOfRange, format!("must not be negative, not {integer}"));
    }
    count
}

/// One of a closed set, by its word.
pub(super) fn word<T: Copy>(
    all: &'static [T],
    word_of: fn(T) -> &'static str,
) -> impl Fn(&Json, &mut Faults) -> Option<T> {
    move |value, faults| {
        let text = expect(value, "a string", Json::as_str, faults)?;
        let found = all.iter().copied().find(|one| word_of(*one) == text);
        if found.is_none() {
            let all: Vec<_> = all.iter().map(|one| word_of(*one)).collect();
            faults
                .report(FaultCode::NotOneOf, format!("must be one of {}, not {}", all.join(", "), excerpt(value, 80)));
        }
        found
    }
}

/// No list or map of a config is as long as this; what is longer is refused before its elements are
/// looked at. The fields' own bounds are lower, and are checked with the other rules.
const MAX_ELEMENTS: usize = 1000;

/// As [`list_of`], for lists that have no bound of their own.
pub(super) fn list<T>(read: impl Fn(&Json, &mut Faults) -> Option<T>) -> impl Fn(&Json, &mut Faults) -> Option<Vec<T>> {
    list_of(MAX_ELEMENTS, "elements", read)
}

/// An array of so many elements at most, each read by `read`; elements with faults are left out.
pub(super) fn list_of<T>(
    max: usize,
    what: &str,
    read: impl Fn(&Json, &mut Faults) -> Option<T>,
) -> impl Fn(&Json, &mut Faults) -> Option<Vec<T>> {
    move |value, faults| {
        let elements = expect(value, "an array", Json::as_array, faults)?;
        if elements.len() > max {
            rules::at_most(elements.len(), max, what, faults);
            return None;
        }
        let read = elements.iter().enumerate().map(|(at, element)| faults.index(at, |faults| read(element, faults)));
        Some(read.collect::<Vec<_>>().into_iter().flatten().collect())
    }
}

/// An object whose values are strings, in order.
pub(super) fn string_map(value: &Json, faults: &mut Faults) -> Option<Vec<(String, String)>> {
    let members = expect(value, "an object of strings", Json::as_object, faults)?;
    if members.len() > MAX_ELEMENTS {
        rules::at_most(members.len(), MAX_ELEMENTS, "fields", faults);
        return None;
    }
    let mut entries = Vec::with_capacity(members.len());
    for (name, value) in members.iter() {
        if let Some(value) = faults.field(name, |faults| text(value, faults)) {
            entries.push((name.to_owned(), value));
        }
    }
    Some(entries)
}
