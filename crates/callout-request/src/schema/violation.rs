//! Violations as a model can read them: the place in the params, what is wanted, what was given.

use std::borrow::Cow;

use callout_core::fault::{Fault, FaultCode, Faults, Place, Step, excerpt};
use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
    paths::LocationSegment,
};
use serde_json::{Map, Value};

/// Characters of a whole message.
const MAX_MESSAGE: usize = 200;
/// Characters of a value within a message.
const MAX_VALUE: usize = 40;
/// Characters of a name within a place: names come from the params too.
const MAX_NAME: usize = 64;
/// Alternatives of which a message says why they do not fit.
const MAX_ALTERNATIVES: usize = 4;

/// Reports violations of `params`, the first `max` of them, at their places below the one stood at.
pub(super) fn report<'e>(
    errors: impl Iterator<Item = ValidationError<'e>>,
    params: &Value,
    max: usize,
    faults: &mut Faults,
) {
    let (mut listed, mut more) = (0, 0);
    for error in errors {
        for Fault { place, code, message } in faults_of(&error, params) {
            if listed == max {
                more += 1;
                continue;
            }
            listed += 1;
            faults.report_at(below(faults.here(), place.steps()), code, message);
        }
    }
    if more > 0 {
        faults.report(FaultCode::SchemaViolation, format!("and {more} more violations"));
    }
}

fn below(place: Place, steps: &[Step]) -> Place {
    steps.iter().fold(place, |place, step| match step {
        Step::Field(name) => place.field(name.clone()),
        Step::Index(index) => place.index(*index),
    })
}

/// The place of an error below `from`.
pub(super) fn place(from: Place, error: &ValidationError<'_>) -> Place {
    error.instance_path().segments().fold(from, |place, segment| match segment {
        LocationSegment::Property(name) => place.field(excerpt(name, MAX_NAME)),
        LocationSegment::Index(index) => place.index(index),
    })
}

/// What is wrong with a schema that does not compile.
pub(super) fn of_schema(error: &ValidationError<'_>) -> String {
    let message = excerpt(error, MAX_MESSAGE);
    match error.kind() {
        ValidationErrorKind::Format { format } if format == "regex" => {
            let pattern = excerpt(error.instance(), MAX_VALUE);
            format!(
                "{pattern} is no usable pattern: too large when compiled, or not of linear time (no look-around, no back-references)"
            )
        }
        _ => message,
    }
}

/// The faults that one error stands for.
fn faults_of(error: &ValidationError<'_>, params: &Value) -> Vec<Fault> {
    let here = place(Place::root(), error);
    let unknown = |name: &str| Fault {
        place: here.clone().field(excerpt(name, MAX_NAME)),
        code: FaultCode::UnknownField,
        message: "is not among the params that the input schema allows here".to_owned(),
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let place = here.field(excerpt(text_of(property), MAX_NAME));
            vec![Fault { place, code: FaultCode::Missing, message: "is required".to_owned() }]
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| unknown(name)).collect()
        }
        kind => match closed(kind, error, params) {
            Some(members) => members.keys().map(|name| unknown(name)).collect(),
            None => vec![Fault { place: here, code: FaultCode::SchemaViolation, message: message_of(error, params) }],
        },
    }
}

/// The object that may have no members at all (`additionalProperties: false`, and no properties), if that is what is
/// wrong: the validator tells of its first member only, at the object's place. An object is no member of its own, so
/// that this differs from a `false` that stands for the object itself.
fn closed<'p>(
    kind: &ValidationErrorKind,
    error: &ValidationError<'_>,
    params: &'p Value,
) -> Option<&'p Map<String, Value>> {
    let found = match kind {
        ValidationErrorKind::FalseSchema => params.pointer(error.instance_path().as_str())?,
        _ => return None,
    };
    found.as_object().filter(|_| found != &**error.instance())
}

fn message_of(error: &ValidationError<'_>, params: &Value) -> String {
    let given = || excerpt(error.instance(), MAX_VALUE);
    let message = match error.kind() {
        ValidationErrorKind::Type { kind } => {
            let types = match kind {
                TypeKind::Single(single) => with_article(&single.to_string()),
                TypeKind::Multiple(set) => set.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("must be {types}, not {}", given())
        }
        ValidationErrorKind::Enum { options } => {
            format!("must be one of {}, not {}", excerpt(listed(options), MAX_MESSAGE / 2), given())
        }
        ValidationErrorKind::Constant { expected_value } => {
            format!("must be {}, not {}", excerpt(expected_value, MAX_MESSAGE / 2), given())
        }
        ValidationErrorKind::FalseSchema => "is not allowed here".to_owned(),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            return none_fits(context, error, params);
        }
        _ => return excerpt(error.masked_with("the value"), MAX_MESSAGE),
    };
    excerpt(message, MAX_MESSAGE)
}

/// Why the first alternatives do not fit, each with its first violation.
fn none_fits(context: &[Vec<ValidationError<'static>>], error: &ValidationError<'_>, params: &Value) -> String {
    let depth = place(Place::root(), error).steps().len();
    let reason = |errors: &Vec<ValidationError<'static>>| {
        let fault = faults_of(errors.first()?, params).into_iter().next()?;
        // The place within the value whose alternatives these are.
        let steps = fault.place.steps().get(depth..).unwrap_or_default();
        let place = below(Place::root(), steps);
        Some(excerpt(Fault { place, ..fault }, MAX_MESSAGE / 2))
    };
    let reasons: Vec<_> = context.iter().take(MAX_ALTERNATIVES).filter_map(reason).collect();
    let more = if context.len() > MAX_ALTERNATIVES { "; …" } else { "" };
    format!("fits none of {} alternatives ({}{more})", context.len(), reasons.join("; "))
}

fn with_article(name: &str) -> String {
    match name.chars().next() {
        _ if name == "null" => name.to_owned(),
        Some('a' | 'i' | 'o') => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

fn listed(options: &Value) -> Cow<'_, str> {
    match options.as_array() {
        // The brackets would only be in the way.
        Some(values) => values.iter().take(50).map(ToString::to_string).collect::<Vec<_>>().join(", ").into(),
        None => options.to_string().into(),
    }
}

fn text_of(name: &Value) -> Cow<'_, str> {
    name.as_str().map_or_else(|| name.to_string().into(), Cow::Borrowed)
}
