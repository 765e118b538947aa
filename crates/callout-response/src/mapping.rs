//! `response_mapping`: a new object, each of its members the value at a path.

use std::borrow::Cow;

use callout_core::{
    Error, ErrorKind,
    fault::{FaultCode, Faults, Place},
    json::{Json, ObjectBuilder, SmolStr},
    limits::Limits,
    redact::Redactor,
};
use callout_path::{Grammar, Path, Visits};

use crate::{
    Watch,
    plan::{MappedRows, Reach, TextRoom},
    template::Lines,
    watch::ended,
};

/// How many members the objects of one mapped array may have together, for each node that a path
/// may visit (`max_path_matches`).
const MEMBERS_PER_NODE: usize = 4;

/// A compiled `response_mapping`.
#[derive(Clone, Debug)]
pub struct Mapping {
    members: Vec<(SmolStr, Path)>,
    /// All names, one after the other.
    names: String,
    /// [`bytes_around`] the values of one object.
    around: usize,
}

/// What a member is made of, for all elements of an array.
enum Column<'a> {
    /// Each element has its own.
    Each(Cow<'a, Json>),
    /// All have the same.
    Same(Json),
}

impl Mapping {
    /// Compiles a mapping. A path that does not parse is reported at its name; `None` if there is one.
    pub fn compile(members: &[(String, String)], limits: &Limits, faults: &mut Faults) -> Option<Self> {
        let max = limits.max_paths;
        if members.len() > max {
            let found = members.len();
            faults.report(FaultCode::TooLong, format!("must have at most {max} members (`max_paths`), not {found}"));
            return None;
        }
        let parsed = members.iter().map(|(name, path)| {
            faults.field(name, |faults| Path::compile(path, limits, faults).map(|path| (SmolStr::new(name), path)))
        });
        // All are parsed before the first that failed decides, so that every fault is reported.
        let parsed: Vec<Option<_>> = parsed.collect();
        let names = members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("\n");
        let around = bytes_around(members.iter().map(|(name, _)| name.as_str()));
        Some(Self { members: parsed.into_iter().collect::<Option<_>>()?, names, around })
    }

    /// What it gave, with the secrets masked that its author wrote into names. Values have been masked
    /// with the body.
    pub(crate) fn masked(&self, mapped: Json, redactor: &Redactor) -> Json {
        if self.may_mask_names(redactor) { redactor.json(&mapped) } else { mapped }
    }

    /// Whether secrets may stand in names, which are then shorter than they were written.
    pub(crate) fn may_mask_names(&self, redactor: &Redactor) -> bool {
        redactor.may_match(self.names.as_bytes())
    }

    /// Where in a value it can look. A relative path goes through arrays by itself.
    pub(crate) fn reaches(&self) -> Vec<Reach> {
        self.members.iter().map(|(_, path)| Reach::whole(path.route())).collect()
    }

    /// The same in one reading, where that can be; of an array no more elements are of use than there is room
    /// for.
    pub(crate) fn rows(&self, room: Option<TextRoom>, lines: Option<Lines>, limits: &Limits) -> Option<MappedRows> {
        MappedRows::compile(self.members.iter().map(|(name, path)| (name, path)), room, lines, limits)
    }

    pub(crate) fn member_names(&self) -> Vec<&str> {
        self.members.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// What elements of a mapped array take of so many characters when they are written as JSON: names with
    /// what stands around them, and values.
    pub(crate) fn room(&self, chars: usize) -> TextRoom {
        let each = self.members.iter().map(|(name, _)| name.chars().count() + r#""":,"#.len()).sum();
        TextRoom { chars, each, values: self.members.iter().map(|(name, _)| name.clone()).collect() }
    }

    /// How many bytes at most are written for `mapped`, which it made of a value that is written with `given` bytes;
    /// neither is looked through. `None` if that cannot be told: a path with several matches may give the same
    /// value many times.
    pub(crate) fn most_bytes(&self, mapped: &Json, given: usize, visits: &Visits<'_>) -> Option<usize> {
        /// An element in which a path is absent becomes `null`, and may be as short as a digit.
        const LONGER: usize = NULL.len() - 1;
        if !self.members.iter().all(|(_, path)| path.is_single()) {
            return None;
        }
        // What is absent as a whole is `null` too.
        let given = given.max(NULL.len());
        let value = given.saturating_add(given.min(visits.each()).saturating_mul(LONGER));
        let rows = mapped.as_array().map_or(1, |rows| rows.len());
        // What a relative path gives is shared out among the elements; any other value stands in each of them.
        let relative = self.members.iter().filter(|(_, path)| is_relative(path)).count();
        let values = (self.members.len() - relative).checked_mul(rows)?.checked_add(relative)?;
        rows.checked_mul(self.around)?.checked_add(values.checked_mul(value)?)?.checked_add("[]".len())
    }

    /// Makes the new object. A path that leads to one value gives it, `null` where it is absent; a
    /// path with several matches gives an array.
    ///
    /// On an array, a dotted path that does not begin with an index applies to each element, which
    /// gives an array of objects; in them, `$`, `/` and index paths have the value that they have in
    /// the whole array. Where all paths are such, the result is one object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`] if a path visits more nodes than one may, or than are left for all of
    /// the endpoint, or the objects of an array have more than four times as many members as one path may
    /// visit nodes; [`ErrorKind::Timeout`] if the deadline passes.
    pub fn apply(&self, value: &Json, visits: &mut Visits<'_>, watch: &Watch<'_>) -> Result<Json, Error> {
        match value.as_array() {
            Some(elements) if self.members.iter().any(|(_, path)| is_relative(path)) => {
                self.each(value, elements.len(), visits, watch)
            }
            _ => self.one(value, visits, watch),
        }
    }

    fn one(&self, value: &Json, visits: &mut Visits<'_>, watch: &Watch<'_>) -> Result<Json, Error> {
        let mut object = ObjectBuilder::with_capacity(self.members.len());
        for (name, path) in &self.members {
            object.insert(name.clone(), looked_up(name, path, value, visits, watch)?.into_owned());
        }
        Ok(object.into())
    }

    /// A relative path meets the array itself: it goes into each element and gives one array of what
    /// it has found there, within one bound.
    fn each(&self, array: &Json, elements: usize, visits: &mut Visits<'_>, watch: &Watch<'_>) -> Result<Json, Error> {
        let max = visits.each().saturating_mul(MEMBERS_PER_NODE);
        if elements.saturating_mul(self.members.len()) > max {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "response_mapping: {elements} elements with {} members each are more than {max} members \
                     (4 × `max_path_matches`)",
                    self.members.len()
                ),
            ));
        }
        let mut columns = Vec::with_capacity(self.members.len());
        for (name, path) in &self.members {
            let found = looked_up(name, path, array, visits, watch)?;
            let column = if is_relative(path) { Column::Each(found) } else { Column::Same(found.into_owned()) };
            columns.push((name, column));
        }
        let object = |at: usize| {
            let mut object = ObjectBuilder::with_capacity(columns.len());
            for (name, column) in &columns {
                let value = match column {
                    Column::Each(all) => all.as_array().and_then(|all| all.get(at)).cloned().unwrap_or_default(),
                    Column::Same(value) => value.clone(),
                };
                object.insert((*name).clone(), value);
            }
            Json::from(object)
        };
        Ok((0..elements).map(object).collect())
    }
}

/// The value of one member; null where it is absent.
fn looked_up<'v>(
    name: &str,
    path: &Path,
    value: &'v Json,
    visits: &mut Visits<'_>,
    watch: &Watch<'_>,
) -> Result<Cow<'v, Json>, Error> {
    watch.check("response_mapping")?;
    let found = path
        .value_within(value, visits)
        .map_err(|error| ended(Place::root().field("response_mapping").field(name), error))?;
    Ok(found.unwrap_or(Cow::Owned(Json::Null)))
}

/// How an absent value is written.
pub(crate) const NULL: &str = "null";

/// Bytes that are written around the values of an object with members of these names, and of the comma behind it.
pub(crate) fn bytes_around<'n>(names: impl Iterator<Item = &'n str>) -> usize {
    let written = |name: &str| Json::from(name).to_string().len() + ":,".len();
    names.map(written).fold("{},".len(), usize::saturating_add)
}

/// Whether it applies to each element of an array.
fn is_relative(path: &Path) -> bool {
    path.grammar() == Grammar::Dotted && !path.begins_with_index()
}
