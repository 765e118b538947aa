//! `result_key`: the value at one path.

use callout_core::{
    Error, ErrorKind,
    fault::Faults,
    json::{Json, Object},
    limits::Limits,
};
use callout_path::{Grammar, Path, Visits};

use crate::{plan::Reach, watch::ended};

/// Names that the message about an absent key lists, and characters of each.
const SHOWN_NAMES: usize = 20;
const SHOWN_CHARS: usize = 40;

/// A compiled `result_key`.
#[derive(Clone, Debug)]
pub struct ResultKey {
    path: Path,
}

impl ResultKey {
    /// Compiles a key. `None` if the path does not parse, which is reported.
    pub fn compile(path: &str, limits: &Limits, faults: &mut Faults) -> Option<Self> {
        Path::compile(path, limits, faults).map(|path| Self { path })
    }

    /// Where in a value it can look.
    pub(crate) fn reaches(&self) -> Vec<Reach> {
        vec![Reach::whole(self.path.route())]
    }

    /// Whether what it gives may hold the same value many times.
    pub(crate) fn may_repeat(&self) -> bool {
        !self.path.is_single()
    }

    /// The value at the path. A path with several matches gives an array, empty if there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ResultKeyMissing`] if nothing stands there, or the value is a list and the first name of a dotted
    /// path stands in none of its elements; the message lists the keys that there are where the path comes to, as far as
    /// there is something. [`ErrorKind::LimitExceeded`] if the path visits more nodes than one may, or than are left for
    /// all of the endpoint; [`ErrorKind::Timeout`] if the deadline of `visits` passes meanwhile.
    pub fn apply(&self, value: &Json, visits: &mut Visits<'_>) -> Result<Json, Error> {
        let found = self.path.value_within(value, visits).map_err(|error| ended("result_key", error))?;
        let found = found.filter(|found| !self.is_of_no_element(value, found));
        found.map(std::borrow::Cow::into_owned).ok_or_else(|| {
            let (way, last) = self.path.reached(value);
            let message = format!("result_key: there is nothing at `{}`; {}", self.path, described(&way, last));
            Error::new(ErrorKind::ResultKeyMissing, message)
        })
    }

    /// Whether the value is a list, and the first name of the path stands in none of its elements: what was found is
    /// one null for each. Below that name an element may lack what others have.
    fn is_of_no_element(&self, value: &Json, found: &Json) -> bool {
        let (Some(elements), Some(found)) = (value.as_array(), found.as_array()) else { return false };
        let goes_into_each = self.path.grammar() == Grammar::Dotted && !self.path.begins_with_index();
        if !goes_into_each || elements.is_empty() || !found.iter().all(Json::is_null) {
            return false;
        }
        let name = self.path.as_str().split('.').next().unwrap_or_default();
        !elements.iter().any(|element| element.get(name).is_some())
    }
}

/// What there is instead where the path comes to, within bounds.
fn described(way: &str, last: &Json) -> String {
    let found = match last {
        Json::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Json::Object(members) => {
            let names = names(members);
            return if way.is_empty() {
                format!("the keys are {names}")
            } else {
                format!("the keys at `{way}` are {names}")
            };
        }
        Json::Array(elements) => {
            let first = elements.first().and_then(Json::as_object).filter(|first| !first.is_empty());
            let first = first.map_or_else(String::new, |first| format!("; the keys of the first are {}", names(first)));
            format!("an array of {} elements{first}", elements.len())
        }
        Json::Null => "null".to_owned(),
        other => format!("a {}", other.type_name()),
    };
    if way.is_empty() { format!("the value is {found}") } else { format!("the value at `{way}` is {found}") }
}

/// The names of an object's members, as many as are shown.
fn names(members: &Object) -> String {
    let mut names: Vec<String> = members.keys().take(SHOWN_NAMES).map(shown).collect();
    if members.len() > SHOWN_NAMES {
        names.push(format!("and {} more", members.len() - SHOWN_NAMES));
    }
    names.join(", ")
}

/// A name as a list can hold it: in quotes if it is empty or could be taken for something else.
fn shown(name: &str) -> String {
    let (kept, cut) = match name.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => (name.get(..end).unwrap_or_default(), "…"),
        None => (name, ""),
    };
    let is_plain = |found: char| found.is_alphanumeric() || "_-.:/$@".contains(found);
    if !kept.is_empty() && kept.chars().all(is_plain) { format!("{kept}{cut}") } else { format!("{kept:?}{cut}") }
}
