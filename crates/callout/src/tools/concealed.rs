//! Errors without what they say of the params that the host supplies: models neither see nor set those.

use callout_core::{
    Error, ErrorKind,
    fault::{FaultCode, Faults, Place, Step},
    json::Json,
};

/// What is told where one of the host's params is wrong.
const OF_HOST: &str =
    "a param that the host supplies is missing or does not fit this endpoint, and no other params will help";

/// And what can be done about it.
const ADVICE: &str = "Nothing was sent. This is for whoever set the tool up; calling it again will not help.";

/// How a message begins that says of alternatives where each does not fit.
const ALTERNATIVES: &str = "fits none of ";

/// The error without what it says of the params of these names.
pub(super) fn without(error: Error, names: &[String]) -> Error {
    let is_of_params = matches!(error.kind(), ErrorKind::InvalidParams | ErrorKind::MissingAuthParam);
    if !is_of_params || names.is_empty() {
        return error;
    }
    let mut faults = Faults::new();
    let wrong = hosts(&error, names);
    if let Some((param, code)) = wrong {
        let (integration, endpoint) = (error.integration(), error.endpoint());
        tracing::warn!(
            integration,
            endpoint,
            param,
            code = code.as_str(),
            "a param that the host supplies does not fit"
        );
        faults.report(code, OF_HOST);
    } else if error.faults().iter().any(|fault| speaks_of(&fault.place, &fault.message, names)) {
        for fault in error.faults() {
            let is_told = !speaks_of(&fault.place, &fault.message, names);
            let message = if is_told { fault.message.clone() } else { without_reasons(&fault.message) };
            faults.report_at(fault.place.clone(), fault.code, message);
        }
    } else {
        return error;
    }
    let mut told = Error::from_faults(error.kind(), faults);
    if wrong.is_some() {
        told = told.with_advice(ADVICE);
    }
    if let Some(name) = error.integration() {
        told = told.with_integration(name);
    }
    if let Some(name) = error.endpoint() {
        told = told.with_endpoint(name);
    }
    told
}

/// The first of the host's params that is wrong, and how.
fn hosts<'e>(error: &'e Error, names: &[String]) -> Option<(&'e str, FaultCode)> {
    error.faults().iter().find_map(|fault| match fault.place.steps().first()? {
        Step::Field(name) => {
            names.iter().any(|host| host.as_str() == name.as_str()).then(|| (name.as_str(), fault.code))
        }
        Step::Index(_) => None,
    })
}

/// Whether a message about the params as a whole has one of these names, as the place of what is wrong with an
/// alternative or as a member of the params.
fn speaks_of(place: &Place, message: &str, names: &[String]) -> bool {
    place.steps().is_empty()
        && names.iter().any(|name| {
            let at = Place::root().field(name.as_str()).to_string();
            let is_placed =
                |rest: &str| rest.strip_prefix(at.as_str()).is_some_and(|rest| rest.starts_with([':', '.', '[']));
            let is_place = ["(", "; "].into_iter().any(|before| message.split(before).skip(1).any(is_placed));
            is_place || message.contains(&Json::from(name.as_str()).to_string())
        })
}

fn without_reasons(message: &str) -> String {
    let alternatives = message.split_once(" (").map(|(what, _)| what).filter(|what| what.starts_with(ALTERNATIVES));
    let what = alternatives.unwrap_or("do not fit the endpoint's input schema");
    format!("{what}, for which a param that the host supplies may be the reason")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of these faults.
    fn told(kind: ErrorKind, faults: &[(Place, &str)]) -> String {
        let mut all = Faults::new();
        for (place, message) in faults {
            all.report_at(place.clone(), FaultCode::SchemaViolation, *message);
        }
        let error = Error::from_faults(kind, all).with_integration("shop").with_endpoint("find");
        let told = without(error, &["user".to_owned(), "a b".to_owned()]);
        assert_eq!(told.kind(), kind);
        assert_eq!(told.advice() == ADVICE, told.message() == OF_HOST);
        told.to_string()
    }

    #[test]
    fn of_the_hosts_params_nothing_is_told() {
        let at = |name: &'static str| Place::root().field(name);
        let of_host = format!("shop.find: {OF_HOST}");
        let of_host = of_host.as_str();
        for kind in [ErrorKind::InvalidParams, ErrorKind::MissingAuthParam] {
            for (faults, expected) in [
                (vec![(at("user"), "must be an integer, not \"42\"")], of_host),
                (vec![(at("q"), "is required"), (at("user").field("id"), "is required")], of_host),
                (vec![(at("a b"), "is required")], of_host),
                (
                    vec![(at("q"), "is required"), (at("users"), "is wrong")],
                    "shop.find: q: is required; users: is wrong",
                ),
                (vec![(at("q").field("user"), "must be 1, not 2")], "shop.find: q.user: must be 1, not 2"),
            ] {
                assert_eq!(told(kind, &faults), expected);
            }
        }
        let maybe = "for which a param that the host supplies may be the reason";
        for (message, expected) in [
            ("fits none of 2 alternatives (q: is required; user: must be 1, not 42)", "fits none of 2 alternatives, @"),
            ("fits none of 2 alternatives ([\"a b\"].c: is required)", "fits none of 2 alternatives, @"),
            ("must be an array, not {\"user\":42}", "do not fit the endpoint's input schema, @"),
            ("fits none of 2 alternatives (q: is required)", "fits none of 2 alternatives (q: is required)"),
            ("fits none of 2 alternatives (users: must be 1)", "fits none of 2 alternatives (users: must be 1)"),
        ] {
            let expected = format!("shop.find: {}", expected.replace('@', maybe));
            assert_eq!(told(ErrorKind::InvalidParams, &[(Place::root(), message)]), expected);
        }
        // What is wrong with something else is told.
        let other = told(ErrorKind::InvalidConfig, &[(at("user"), "is wrong")]);
        assert_eq!(other, "shop.find: user: is wrong");
    }
}
