//! The params that a token depends on (`exchange_param_headers`).

use std::{fmt, sync::Arc};

use callout_core::{
    Error, ErrorKind,
    config::{AuthConfig, rules},
    fault::{FaultCode, Faults},
    json::{Json, Object},
};
use http::{HeaderName, HeaderValue};

use crate::{
    key::{Key, KeySeed},
    token::sensitive,
};

/// The auth params of one call, checked.
///
/// Cloning is cheap. `Debug` shows names, never a value.
#[derive(Clone)]
pub struct AuthParams {
    /// `None` if there are none.
    mappings: Option<Arc<[Mapping]>>,
    pub(crate) given: Given,
}

/// For each mapping the value that a call gives, if it does; `None` if there are no mappings. It tells the token
/// among those of one integration, as the key of the cache does among all, and without a digest.
#[derive(Clone)]
pub(crate) struct Given(Option<Arc<[Option<Json>]>>);

impl Given {
    /// Of those calls that give something.
    #[cfg(test)]
    pub(crate) fn of(values: impl IntoIterator<Item = Option<Json>>) -> Self {
        Self(Some(values.into_iter().collect()))
    }

    fn values(&self) -> &[Option<Json>] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Bytes of the texts in it.
    pub(crate) fn bytes(&self) -> usize {
        self.texts().map(str::len).sum()
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.values().iter().map(|value| value.as_ref().and_then(|value| header_text(value).ok()).unwrap_or_default())
    }

    /// A number that differs for most of what differs: made of lengths, first and last bytes. Where it does
    /// not, one is held in the other's place, and found by its key.
    pub(crate) fn spread(&self) -> u64 {
        if self.0.is_none() {
            return 0;
        }
        self.texts().map(str::as_bytes).fold(0, |sum: u64, text| {
            let part = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
            let short = || text.iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte));
            let ends = text
                .first_chunk()
                .map_or_else(short, |first| part(Some(first)) ^ part(text.last_chunk()).rotate_left(29));
            // 2^64 by the golden ratio (Knuth, The Art of Computer Programming, volume 3, section 6.4).
            (sum.rotate_left(23) ^ ends ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        }) >> 32
    }
}

impl PartialEq for Given {
    fn eq(&self, other: &Self) -> bool {
        self.values() == other.values()
    }
}

impl AuthParams {
    /// The headers of the exchange. They are made when a token is fetched: most calls need none.
    pub(crate) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mappings = self.mappings.as_deref().unwrap_or_default();
        let given = mappings.iter().zip(self.given.values());
        given
            .filter_map(|(mapping, value)| {
                Some((mapping.header.clone(), sensitive(header_text(value.as_ref()?).ok()?)?))
            })
            .collect()
    }
}

impl fmt::Debug for AuthParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mappings, given: _ } = self; // values of params
        f.debug_struct("AuthParams").field("mappings", mappings).finish_non_exhaustive()
    }
}

/// One entry of `exchange_param_headers`.
#[derive(Debug)]
struct Mapping {
    header: HeaderName,
    /// As the config writes it.
    shown: String,
    param: String,
    required: bool,
}

impl Mapping {
    fn value<'p>(&self, params: &'p Object) -> Option<&'p Json> {
        params.get(&self.param).filter(|value| !value.is_null())
    }
}

/// `exchange_param_headers`, compiled.
#[derive(Debug)]
pub(crate) struct ParamHeaders {
    seed: KeySeed,
    /// The same for every call; `None` if there are none.
    mappings: Option<Arc<[Mapping]>>,
    /// The key then.
    key_of_none: Key,
}

impl ParamHeaders {
    /// `None` if a header's name is none, which the config's check has reported.
    pub(crate) fn compile(config: &AuthConfig, seed: KeySeed) -> Option<Self> {
        let mappings = config.exchange_param_headers.iter().map(|mapping| {
            Some(Mapping {
                header: mapping.header_name.parse().ok()?,
                shown: mapping.header_name.clone(),
                param: mapping.param_name.clone(),
                required: mapping.required,
            })
        });
        let mappings: Arc<[Mapping]> = mappings.collect::<Option<_>>()?;
        let key_of_none = seed.key(mappings.iter().map(|_| None));
        Some(Self { seed, mappings: (!mappings.is_empty()).then_some(mappings), key_of_none })
    }

    /// The key of the token that these ask for.
    pub(crate) fn key(&self, params: &AuthParams) -> Key {
        match &params.given {
            Given(None) => self.key_of_none,
            given => self.seed.key(given.values().iter().map(Option::as_ref)),
        }
    }

    /// See [`crate::Auth::take_params`].
    pub(crate) fn take(&self, params: &Object) -> Result<AuthParams, Error> {
        let Some(mappings) = &self.mappings else { return Ok(AuthParams { mappings: None, given: Given(None) }) };
        let fits = |mapping: &Mapping| match mapping.value(params) {
            None => !mapping.required,
            Some(value) => header_text(value).is_ok(),
        };
        if !mappings.iter().all(fits) {
            return Err(refusal(mappings, params));
        }
        // One allocation is all that a hit in the cache costs.
        let values: Arc<[Option<Json>]> = mappings.iter().map(|mapping| mapping.value(params).cloned()).collect();
        Ok(AuthParams { mappings: Some(Arc::clone(mappings)), given: Given(Some(values)) })
    }
}

/// Everything that is wrong with the auth params.
fn refusal(mappings: &[Mapping], params: &Object) -> Error {
    let mut faults = Faults::new();
    let mut missing = false;
    for mapping in mappings {
        let sent = format!("the token exchange sends it as header {}", mapping.shown);
        faults.field(mapping.param.as_str(), |faults| match mapping.value(params).map(header_text) {
            None if mapping.required => {
                missing = true;
                faults.report(FaultCode::Missing, format!("is required: {sent}"));
            }
            Some(Err((code, what))) => faults.report(code, format!("{what}: {sent}")),
            None | Some(Ok(_)) => {}
        });
    }
    Error::from_faults(if missing { ErrorKind::MissingAuthParam } else { ErrorKind::InvalidParams }, faults)
}

/// Strings as they are, numbers and booleans as JSON writes them.
fn header_text(value: &Json) -> Result<&str, (FaultCode, &'static str)> {
    let text = match value {
        Json::String(text) => text.as_str(),
        Json::Number(number) => number.as_str(),
        Json::Bool(true) => "true",
        Json::Bool(false) => "false",
        Json::Null | Json::Array(_) | Json::Object(_) => {
            return Err((FaultCode::WrongType, "must be a string, a number or a boolean"));
        }
    };
    if rules::is_header_value(text) {
        Ok(text)
    } else {
        Err((FaultCode::Pattern, "must not hold line breaks or other control characters"))
    }
}
