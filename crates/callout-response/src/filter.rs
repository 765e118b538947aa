//! `response_filter`: keeps what any of its paths matches, in place.

use callout_core::{
    Error,
    fault::{FaultCode, Faults},
    json::Json,
    limits::Limits,
};
use callout_path::{Mask, Path, Visits};

use crate::{Watch, plan::Reach, watch::ended};

/// A compiled `response_filter`.
#[derive(Clone, Debug)]
pub struct Filter {
    paths: Vec<Path>,
}

impl Filter {
    /// Compiles a filter. A path that does not parse is reported at its index; `None` if there is one.
    pub fn compile(paths: &[String], limits: &Limits, faults: &mut Faults) -> Option<Self> {
        let max = limits.max_paths;
        if paths.len() > max {
            let found = paths.len();
            faults.report(FaultCode::TooLong, format!("must have at most {max} paths (`max_paths`), not {found}"));
            return None;
        }
        let parsed =
            paths.iter().enumerate().map(|(at, path)| faults.index(at, |faults| Path::compile(path, limits, faults)));
        // All are parsed before the first that failed decides, so that every fault is reported.
        let parsed: Vec<Option<Path>> = parsed.collect();
        Some(Self { paths: parsed.into_iter().collect::<Option<_>>()? })
    }

    /// Where in a value it can look.
    pub(crate) fn reaches(&self) -> Vec<Reach> {
        self.paths.iter().map(|path| Reach::whole(path.route())).collect()
    }

    /// Cuts a value down to what the paths match: same nesting, arrays closed up, order kept; `null`
    /// if they match nothing. An empty array that a path goes into ([`Path::select`]) stays in its place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`](callout_core::ErrorKind) if a path visits more nodes than one may, or than are left
    /// for all of the endpoint; [`ErrorKind::Timeout`](callout_core::ErrorKind) if the deadline passes.
    pub fn apply(&self, value: &Json, visits: &mut Visits<'_>, watch: &Watch<'_>) -> Result<Json, Error> {
        let mut mask = Mask::new();
        for (at, path) in self.paths.iter().enumerate() {
            watch.check("response_filter")?;
            path.select_within(value, &mut mask, visits)
                .map_err(|error| ended(format_args!("response_filter[{at}]"), error))?;
        }
        Ok(mask.apply(value))
    }
}
