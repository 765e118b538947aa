//! What a call returns.

use std::{fmt, time::Duration};

use bytes::Bytes;
use callout_core::{
    Error,
    config::Delivery,
    http::HttpRequest,
    json::{Json, Number, ObjectBuilder, compact},
    redact::{MASK, Redactor},
    time::milliseconds,
};
use callout_response::{Text, Truncation};
use http::{HeaderName, HeaderValue};

use crate::lenient::Conversion;

/// The result of a call that succeeded.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub(crate) status: u16,
    pub(crate) text: Text,
    pub(crate) delivery: Delivery,
    pub(crate) retries: u32,
    pub(crate) duration: Duration,
    pub(crate) conversions: Vec<Conversion>,
}

impl Outcome {
    /// The text for the model.
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// The text for the model.
    pub fn into_text(self) -> String {
        self.text.text
    }

    /// The HTTP status, 200 to 299.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// When the endpoint wants the result handed over.
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// How many attempts were made after the first; a resend after a 401, or for a connection that had been closed, is
    /// not counted.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// From the call to the text; the time that an approval policy held it counts.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// How much was cut, if the text was longer than the endpoint allows.
    pub fn truncation(&self) -> Option<&Truncation> {
        self.text.truncation.as_ref()
    }

    /// The params that were converted to fit the input schema; none unless that was asked for
    /// ([`crate::EngineBuilder::with_lenient_params`]).
    pub fn conversions(&self) -> &[Conversion] {
        &self.conversions
    }
}

/// A request as it was sent, or would be ([`crate::Engine::render`]), secrets masked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentRequest {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Names and values, auth last.
    pub headers: Vec<(String, String)>,
    /// The body, if the method has one.
    pub body: Option<String>,
}

impl SentRequest {
    pub(crate) fn masked(request: &HttpRequest, auth: Option<(HeaderName, HeaderValue)>, redactor: &Redactor) -> Self {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let configured = request.headers.iter().filter(|(name, _)| auth.as_ref().is_none_or(|(auth, _)| auth != *name));
        let configured = configured.map(|(name, value)| (name.to_string(), redactor.text(&text(value)).into_owned()));
        let auth = auth.as_ref().map(|(name, value)| {
            // Masked whole, however short the secret is.
            let shown =
                if value.as_bytes().starts_with(b"Bearer ") { format!("Bearer {MASK}") } else { MASK.to_owned() };
            (name.to_string(), shown)
        });
        let body = String::from_utf8_lossy(&request.body);
        Self {
            method: request.method.to_string(),
            url: redactor.text(request.url.as_str()).into_owned(),
            headers: configured.chain(auth).collect(),
            body: (!body.is_empty()).then(|| redactor.text(&body).into_owned()),
        }
    }
}

/// A body that came as it is written, which [`Trace::to_json_text`] copies.
#[derive(Clone)]
pub(crate) struct RawText {
    pub(crate) value: Json,
    pub(crate) text: Bytes,
}

/// The body is shown where it can be taken away.
impl fmt::Debug for RawText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawText").finish_non_exhaustive()
    }
}

/// A call with everything that happened on its way, also when it failed.
///
/// What was not reached is `None`. No secret stands in any part. The answer's body is kept until this is dropped,
/// whatever is taken out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Trace {
    /// The request, once one was made.
    pub request: Option<SentRequest>,
    /// The last status that the endpoint answered with; none where no token could be had to ask it.
    pub status: Option<u16>,
    /// Attempts after the first.
    pub retries: u32,
    /// From the call to its end.
    pub duration: Duration,
    /// The body as received and masked, before the first stage.
    pub raw_response: Option<Json>,
    pub(crate) raw_text: Option<RawText>,
    /// The value after `response_filter`.
    pub after_filter: Option<Json>,
    /// The value after `response_mapping`.
    pub after_mapping: Option<Json>,
    /// The value after `result_key`.
    pub after_result_key: Option<Json>,
    /// The text for the model.
    pub text: Option<Text>,
    /// The params that were converted to fit the input schema.
    pub conversions: Vec<Conversion>,
    /// When the endpoint wants the result handed over; `None` if there is no such endpoint.
    pub delivery: Option<Delivery>,
    /// Why the call failed, if it did.
    pub error: Option<Error>,
}

impl Trace {
    pub(crate) fn new(delivery: Option<Delivery>) -> Self {
        Self {
            request: None,
            status: None,
            retries: 0,
            duration: Duration::ZERO,
            raw_response: None,
            raw_text: None,
            after_filter: None,
            after_mapping: None,
            after_result_key: None,
            text: None,
            conversions: Vec::new(),
            delivery,
            error: None,
        }
    }

    /// The trace of a call that could not begin, as when its integration does not load.
    pub fn failed(error: Error) -> Self {
        Self { error: Some(error), ..Self::new(None) }
    }

    /// The object that the HTTP API's test endpoint answers with: `status_code`, `duration_ms`,
    /// `retries`, `raw_response`, `after_filter`, `after_mapping`, `final_result`, `error`.
    pub fn to_json(&self) -> Json {
        ObjectBuilder::new()
            .with("status_code", self.status)
            .with("duration_ms", Number::from_f64(milliseconds(self.duration)))
            .with("retries", self.retries)
            .with("raw_response", self.raw_response.clone())
            .with("after_filter", self.after_filter.clone())
            .with("after_mapping", self.after_mapping.clone())
            .with("final_result", self.text.as_ref().map(|text| text.text.as_str()))
            .with("error", self.error.as_ref().map(ToString::to_string))
            .into()
    }

    /// [`Trace::to_json`] as compact JSON. The body is copied where it is known to have come so, which is faster than to
    /// write it anew.
    pub fn to_json_text(&self) -> String {
        let known = self.raw_text.as_ref();
        let known = known.and_then(|RawText { value, text }| Some((value, std::str::from_utf8(text).ok()?)));
        compact(&self.to_json(), known)
    }
}
