//! What is wrong with a config or with params: every fault at once, each with its place.

use std::fmt::{self, Write};

use http::Extensions;
use smol_str::SmolStr;

use crate::limits::Limits;

/// One step from a document's root towards a fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A member of an object.
    Field(SmolStr),
    /// An element of an array.
    Index(usize),
}

/// Where a fault stands, from the root of the document: `endpoints[2].response_mapping.total`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place(Vec<Step>);

impl Place {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The place of a member below this one.
    #[must_use]
    pub fn field(mut self, name: impl Into<SmolStr>) -> Self {
        self.0.push(Step::Field(name.into()));
        self
    }

    /// The place of an element below this one.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether `self` is `other` or stands below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

/// Dots between names, brackets around indexes and around names that are no plain word.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-$@".contains(&byte))
        };
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Field(name) if plain(name) => {
                    if at > 0 {
                        f.write_char('.')?;
                    }
                    f.write_str(name)?;
                }
                Step::Field(name) => {
                    f.write_char('[')?;
                    crate::json::write_string(name, f)?;
                    f.write_char(']')?;
                }
            }
        }
        Ok(())
    }
}

/// What kind of fault it is: stable words for programs, the `type` of the HTTP API's 422 answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultCode {
    /// A required field is absent.
    Missing,
    /// A field that does not exist here.
    UnknownField,
    /// A value of another JSON type.
    WrongType,
    /// A value that is none of those listed.
    NotOneOf,
    /// Shorter, or fewer, than allowed.
    TooShort,
    /// Longer, or more, than allowed.
    TooLong,
    /// A number outside its range.
    OutOfRange,
    /// A text that does not follow its pattern.
    Pattern,
    /// A name that stands twice.
    Duplicate,
    /// A URL that cannot be used here.
    Url,
    /// A path or query that does not parse: URL path, dotted path, JSON Pointer, `JSONPath`.
    Path,
    /// A template that does not compile.
    Template,
    /// A JSON Schema that does not compile.
    Schema,
    /// A param that its JSON Schema refuses.
    SchemaViolation,
    /// A key that does not parse or does not fit.
    Key,
    /// Fields that do not go together.
    Conflict,
    /// A value that its field does not allow for another reason.
    Value,
}

impl FaultCode {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::UnknownField => "extra_forbidden",
            Self::WrongType => "type_error",
            Self::NotOneOf => "enum",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::OutOfRange => "out_of_range",
            Self::Pattern => "string_pattern_mismatch",
            Self::Duplicate => "duplicate",
            Self::Url => "url",
            Self::Path => "path",
            Self::Template => "template",
            Self::Schema => "schema",
            Self::SchemaViolation => "schema_violation",
            Self::Key => "key",
            Self::Conflict => "conflict",
            Self::Value => "value_error",
        }
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What kind.
    pub code: FaultCode,
    /// For people: what is wrong and what is allowed. Never holds a secret.
    pub message: String,
}

/// The place (where it is not the whole document), a colon, the message.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.steps().is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

/// How many faults are kept: whoever mends these has seen enough, and a document of millions of them
/// costs no more than it must.
const MAX_FAULTS: usize = 1000;

/// Collects faults while a document is read, checked and compiled, so that all are reported at once.
/// Of more than 1,000 the first are kept, and one more says so.
///
/// The collector knows where the reader stands ([`Faults::field`], [`Faults::index`]), so that a
/// rule need not. It also keeps account of what compiling the document costs as a whole
/// ([`Faults::afford_pattern`]), and what its parts share ([`Faults::shared`]).
#[derive(Clone, Debug, Default)]
pub struct Faults {
    found: Vec<Fault>,
    here: Vec<Step>,
    pattern_bytes: usize,
    shared: Extensions,
}

impl Faults {
    /// None yet, standing at the root.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does `work` while standing at that member.
    pub fn field<T>(&mut self, name: impl Into<SmolStr>, work: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Field(name.into()), work)
    }

    /// Does `work` while standing at that element.
    pub fn index<T>(&mut self, index: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Index(index), work)
    }

    fn step<T>(&mut self, step: Step, work: impl FnOnce(&mut Self) -> T) -> T {
        self.here.push(step);
        let done = work(self);
        self.here.pop();
        done
    }

    /// Reports a fault at the place stood at. A place that already has the same fault keeps one.
    pub fn report(&mut self, code: FaultCode, message: impl Into<String>) {
        self.report_at(Place(self.here.clone()), code, message);
    }

    /// Reports a fault at that place, counted from the root.
    pub fn report_at(&mut self, place: Place, code: FaultCode, message: impl Into<String>) {
        self.keep(Fault { place, code, message: message.into() });
    }

    fn keep(&mut self, fault: Fault) {
        if self.is_full() || self.found.contains(&fault) {
            return;
        }
        self.found.push(if self.found.len() < MAX_FAULTS {
            fault
        } else {
            let message = format!("there are more than the {MAX_FAULTS} faults that are listed");
            Fault { place: Place::root(), code: FaultCode::TooLong, message }
        });
    }

    /// Whether no further fault will be kept, so that looking for more is in vain.
    pub fn is_full(&self) -> bool {
        self.found.len() > MAX_FAULTS
    }

    /// Accounts for compiling a pattern to that many bytes, before it is done. `false` if that is more
    /// than [`Limits::max_pattern_bytes`] with all before it, which are not compiled then.
    #[must_use]
    pub fn afford_pattern(&mut self, bytes: usize, limits: &Limits) -> bool {
        self.pattern_bytes = self.pattern_bytes.saturating_add(bytes);
        self.pattern_bytes <= limits.max_pattern_bytes
    }

    /// What the parts of the document share while they are compiled, so that it is made once. There is one of each
    /// type; at first it is the default.
    pub fn shared<T: Clone + Default + Send + Sync + 'static>(&mut self) -> &mut T {
        self.shared.get_or_insert_default()
    }

    /// The place stood at.
    pub fn here(&self) -> Place {
        Place(self.here.clone())
    }

    /// Takes over what a later check found, but for places that have a fault already, or stand
    /// below one: what could not be read need not be told wrong a second time.
    pub fn absorb(&mut self, later: Self) {
        self.pattern_bytes = self.pattern_bytes.saturating_add(later.pattern_bytes);
        let known: Vec<_> = self.found.iter().map(|fault| fault.place.clone()).collect();
        for fault in later.found {
            if !known.iter().any(|place| fault.place.is_within(place)) {
                self.keep(fault);
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The faults in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.found.iter()
    }

    /// The faults in the order in which they were found.
    pub fn into_vec(self) -> Vec<Fault> {
        self.found
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What is shown of a value in a message: its first `max` characters, then `…` if there are more. Of JSON it is compact.
pub fn excerpt(value: impl fmt::Display, max: usize) -> String {
    struct Bounded {
        text: String,
        room: usize,
    }
    impl Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for found in text.chars() {
                self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
                self.text.push(found);
            }
            Ok(())
        }
    }
    let mut out = Bounded { text: String::new(), room: max };
    if write!(out, "{value}").is_err() {
        out.text.push('…');
    }
    out.text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    #[test]
    fn places_read_like_the_document() {
        let place = Place::root().field("endpoints").index(2).field("response_mapping").field("total");
        assert_eq!(place.to_string(), "endpoints[2].response_mapping.total");
        assert_eq!(Place::root().field("a b").field("c").to_string(), "[\"a b\"].c");
        assert_eq!(Place::root().to_string(), "");
    }

    #[test]
    fn the_collector_knows_where_it_stands() {
        let mut faults = Faults::new();
        faults.field("endpoints", |faults| {
            faults.index(1, |faults| faults.report(FaultCode::Missing, "required"));
        });
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), ["endpoints[1]: required"]);
    }

    #[test]
    fn what_could_not_be_read_is_not_told_wrong_again() {
        let mut faults = Faults::new();
        faults.report_at(Place::root().field("a").index(0), FaultCode::WrongType, "must be an object");
        let mut later = Faults::new();
        later.report_at(Place::root().field("a").index(0).field("name"), FaultCode::TooShort, "too short");
        later.report_at(Place::root().field("a").index(1), FaultCode::TooShort, "too short");
        faults.absorb(later);
        assert_eq!(
            faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["a[0]: must be an object", "a[1]: too short"]
        );
    }

    #[test]
    fn patterns_are_paid_for_once_all_together() {
        let limits = Limits { max_pattern_bytes: 10, ..Limits::default() };
        let (mut faults, mut later) = (Faults::new(), Faults::new());
        assert!(faults.afford_pattern(4, &limits) && later.afford_pattern(5, &limits));
        faults.absorb(later);
        assert!(faults.afford_pattern(1, &limits));
        assert!(!faults.afford_pattern(1, &limits));
        assert!(!faults.afford_pattern(0, &limits), "what was refused is no way to go on with smaller ones");
    }

    #[test]
    fn what_is_shared_is_there_for_each_part() {
        let mut faults = Faults::new();
        faults.field("endpoints", |faults| faults.index(0, |faults| faults.shared::<Vec<u8>>().push(1)));
        faults.field("endpoints", |faults| faults.index(1, |faults| faults.shared::<Vec<u8>>().push(2)));
        assert_eq!(faults.shared::<Vec<u8>>(), &[1, 2]);
    }

    #[test]
    fn excerpts_are_bounded() {
        let long = Json::from("é".repeat(1000));
        assert_eq!(excerpt(&long, 80).chars().count(), 81);
        assert_eq!(excerpt(Json::parse("[1, \"a\"]").unwrap(), 7), "[1,\"a\"]");
        assert_eq!(excerpt("é".repeat(5), 5), "ééééé");
        assert_eq!(excerpt("é".repeat(6), 5), "ééééé…");
    }

    #[test]
    fn of_millions_of_faults_a_thousand_are_kept() {
        let mut faults = Faults::new();
        for at in 0..3_000_000 {
            faults.index(at, |faults| faults.report(FaultCode::WrongType, "must be an object"));
        }
        assert_eq!(faults.len(), MAX_FAULTS + 1);
        assert!(faults.iter().last().is_some_and(|fault| fault.message.contains("more than")));
    }

    #[test]
    fn of_a_thousand_faults_and_those_of_a_later_check_a_thousand_are_kept() {
        let of = |name: &'static str, count: usize| {
            let mut faults = Faults::new();
            faults.field(name, |faults| {
                for at in 0..count {
                    faults.index(at, |faults| faults.report(FaultCode::WrongType, "must be an object"));
                }
            });
            faults
        };
        for (found, later, kept) in [(600, 400, MAX_FAULTS), (600, 401, MAX_FAULTS + 1), (0, 5000, MAX_FAULTS + 1)] {
            let mut faults = of("a", found);
            faults.absorb(of("b", later));
            assert_eq!(faults.len(), kept, "{found} and {later}");
            let says_so = faults.iter().last().is_some_and(|fault| fault.message.contains("more than"));
            assert_eq!(says_so, kept > MAX_FAULTS, "{found} and {later}");
        }
    }
}
