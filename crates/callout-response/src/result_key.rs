//! `result_key`: the value at one path.

use callout_core::{Error, ErrorKind, fault::Faults, json::Json, limits::Limits};
use callout_path::{Path, Visits};

use crate::plan::Reach;

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
    /// [`ErrorKind::ResultKeyMissing`] if nothing stands there; the message lists the keys that there
    /// are. [`ErrorKind::LimitExceeded`] if the path visits more nodes than one may, or than are left
    /// for all of the endpoint.
    pub fn apply(&self, value: &Json, visits: &mut Visits) -> Result<Json, Error> {
        let found = self
            .path
            .value_within(value, visits)
            .map_err(|error| Error::new(ErrorKind::LimitExceeded, format!("result_key: {error}")))?;
        found.map(std::borrow::Cow::into_owned).ok_or_else(|| {
            let message = format!("result_key: there is nothing at `{}`; {}", self.path, described(value));
            Error::new(ErrorKind::ResultKeyMissing, message)
        })
    }
}

/// What there is instead, within bounds.
fn described(value: &Json) -> String {
    match value {
        Json::Object(members) if members.is_empty() => "the value is an empty object".to_owned(),
        Json::Object(members) => {
            let shown = |name: &str| match name.char_indices().nth(SHOWN_CHARS) {
                Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
                None => name.to_owned(),
            };
            let mut names: Vec<String> = members.keys().take(SHOWN_NAMES).map(shown).collect();
            if members.len() > SHOWN_NAMES {
                names.push(format!("and {} more", members.len() - SHOWN_NAMES));
            }
            format!("the keys are {}", names.join(", "))
        }
        Json::Array(elements) => format!("the value is an array of {} elements", elements.len()),
        Json::Null => "the value is null".to_owned(),
        other => format!("the value is a {}", other.type_name()),
    }
}
