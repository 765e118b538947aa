//! `result_key`: the value at one path.

use callout_core::{
    Error, ErrorKind,
    fault::{FaultCode, Faults},
    json::Json,
    limits::Limits,
};
use callout_path::Path;

use crate::plan::Reach;

/// Names that the message about an absent key lists, and characters of each.
const SHOWN_NAMES: usize = 20;
const SHOWN_CHARS: usize = 40;

/// A compiled `result_key`.
#[derive(Clone, Debug)]
pub struct ResultKey {
    path: Path,
    limits: Limits,
}

impl ResultKey {
    /// Compiles a key. `None` if the path does not parse, which is reported.
    pub fn compile(path: &str, limits: &Limits, faults: &mut Faults) -> Option<Self> {
        match Path::parse(path, limits) {
            Ok(path) => Some(Self { path, limits: limits.clone() }),
            Err(error) => {
                faults.report(FaultCode::Path, error.to_string());
                None
            }
        }
    }

    /// Where in a value it can look.
    pub(crate) fn reaches(&self) -> Vec<Reach> {
        vec![Reach::whole(self.path.route())]
    }

    /// The value at the path. A path with several matches gives an array, empty if there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ResultKeyMissing`] if nothing stands there; the message lists the keys that there
    /// are. [`ErrorKind::LimitExceeded`] if the path visits more than `max_path_matches` nodes.
    pub fn apply(&self, value: &Json) -> Result<Json, Error> {
        let found = self.path.value(value, &self.limits).map_err(|error| {
            Error::new(ErrorKind::LimitExceeded, format!("result_key: {error} (`max_path_matches`)"))
        })?;
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
