//! Reads query strings: each param once, every fault at once.

use callout::{FaultCode, Faults};

use crate::error::ApiError;

/// The query of one request, decoded (`+` is a space).
#[derive(Clone, Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The value of a param; a fault if it stands twice.
    pub(crate) fn text(&self, name: &'static str, faults: &mut Faults) -> Option<&str> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next()?;
        if values.next().is_some() {
            faults.field(name, |faults| faults.report(FaultCode::Duplicate, "stands twice"));
        }
        Some(value)
    }

    /// An integer within bounds.
    pub(crate) fn integer(&self, name: &'static str, min: i64, max: i64, faults: &mut Faults) -> Option<i64> {
        let text = self.text(name, faults)?;
        faults.field(name, |faults| {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let Some(value) = text.parse::<i64>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
            else {
                faults.report(FaultCode::WrongType, "must be an integer");
                return None;
            };
            if !(min..=max).contains(&value) {
                let range = if max == i64::MAX { format!("at least {min}") } else { format!("{min} to {max}") };
                faults.report(FaultCode::OutOfRange, format!("must be {range}, not {value}"));
                return None;
            }
            Some(value)
        })
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &'static str, faults: &mut Faults) -> Option<bool> {
        match self.text(name, faults)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                faults.field(name, |faults| faults.report(FaultCode::WrongType, "must be true or false"));
                None
            }
        }
    }
}

/// 422 if the query has faults.
pub(crate) fn refuse(faults: &Faults) -> Result<(), ApiError> {
    if faults.is_empty() { Ok(()) } else { Err(ApiError::invalid("query", faults)) }
}
