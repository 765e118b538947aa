//! Why a call did not give a result, or a config could not be loaded.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use crate::{
    config::Method,
    fault::{Fault, Faults},
    json::Json,
};

/// What kind of failure it is. Each has a stable code, used in the HTTP API and in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The config has faults; [`Error::faults`] lists them all.
    InvalidConfig,
    /// The integration has no endpoint of that name.
    UnknownEndpoint,
    /// The integration is switched off.
    IntegrationDisabled,
    /// The integration is not called over HTTP (`desktop`).
    UnsupportedProtocol,
    /// The params are not what the endpoint takes; [`Error::faults`] lists every violation.
    InvalidParams,
    /// The host, or a person that it asked, refused the call. Nothing was sent.
    ApprovalRefused,
    /// A param that the token exchange needs is missing. Nothing was sent.
    MissingAuthParam,
    /// A secret that the auth type needs was not given.
    MissingSecret,
    /// No token could be had, or the token endpoint's answer was no token.
    AuthFailed,
    /// The address is not one that the egress policy allows. Nothing was sent to it.
    EgressDenied,
    /// No connection could be made: name look-up, TCP or TLS. Nothing was sent.
    Connect,
    /// The attempt or the whole call ran out of time.
    Timeout,
    /// The connection broke after the request may have reached the server, or the server says over HTTP/2
    /// that it has not processed the request.
    Interrupted,
    /// The upstream redirected to where a call does not follow.
    RedirectRefused,
    /// The answer is larger than allowed.
    ResponseTooLarge,
    /// The upstream answered with a status outside 200 to 299; see [`Error::status`] and [`Error::body`].
    UpstreamStatus,
    /// `result_key` names nothing in the answer.
    ResultKeyMissing,
    /// The result template failed.
    Template,
    /// Another limit was reached; the message names it.
    LimitExceeded,
    /// The call was given up before it had a result: by the host, or with the runtime that ran it.
    Cancelled,
}

impl ErrorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 20] = [
        Self::InvalidConfig,
        Self::UnknownEndpoint,
        Self::IntegrationDisabled,
        Self::UnsupportedProtocol,
        Self::InvalidParams,
        Self::ApprovalRefused,
        Self::MissingAuthParam,
        Self::MissingSecret,
        Self::AuthFailed,
        Self::EgressDenied,
        Self::Connect,
        Self::Timeout,
        Self::Interrupted,
        Self::RedirectRefused,
        Self::ResponseTooLarge,
        Self::UpstreamStatus,
        Self::ResultKeyMissing,
        Self::Template,
        Self::LimitExceeded,
        Self::Cancelled,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidConfig => "invalid_config",
            Self::UnknownEndpoint => "unknown_endpoint",
            Self::IntegrationDisabled => "integration_disabled",
            Self::UnsupportedProtocol => "unsupported_protocol",
            Self::InvalidParams => "invalid_params",
            Self::ApprovalRefused => "approval_refused",
            Self::MissingAuthParam => "missing_auth_param",
            Self::MissingSecret => "missing_secret",
            Self::AuthFailed => "auth_failed",
            Self::EgressDenied => "egress_denied",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::RedirectRefused => "redirect_refused",
            Self::ResponseTooLarge => "response_too_large",
            Self::UpstreamStatus => "upstream_status",
            Self::ResultKeyMissing => "result_key_missing",
            Self::Template => "template",
            Self::LimitExceeded => "limit_exceeded",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A failed call or a refused config.
///
/// `Display` says which integration and endpoint, what went wrong and what to do; it does not
/// repeat its [`source`](std::error::Error::source). No secret stands in any part of it. Cloning
/// is cheap, so that the waiters of one shared token fetch can each have its failure.
#[derive(Clone)]
pub struct Error(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    kind: ErrorKind,
    message: String,
    integration: Option<String>,
    endpoint: Option<String>,
    method: Option<Method>,
    retryable: bool,
    retry_after: Option<Duration>,
    status: Option<u16>,
    body: Option<Json>,
    retries: u32,
    faults: Vec<Fault>,
    advice: Option<&'static str>,
    may_be_carried_out: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of that kind. The message is lower case, without a full stop, and holds no secret.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Parts {
            kind,
            message: message.into(),
            integration: None,
            endpoint: None,
            method: None,
            advice: None,
            may_be_carried_out: false,
            retryable: false,
            retry_after: None,
            status: None,
            body: None,
            retries: 0,
            faults: Vec::new(),
            source: None,
        }))
    }

    /// An error made of faults: [`ErrorKind::InvalidConfig`] or [`ErrorKind::InvalidParams`].
    pub fn from_faults(kind: ErrorKind, faults: Faults) -> Self {
        let faults = faults.into_vec();
        let mut message = String::new();
        for (at, fault) in faults.iter().enumerate() {
            if at > 0 {
                message.push_str("; ");
            }
            message.push_str(&fault.to_string());
        }
        let mut error = Self::new(kind, message);
        error.parts().faults = faults;
        error
    }

    fn parts(&mut self) -> &mut Parts {
        Arc::make_mut(&mut self.0)
    }

    /// Says which integration it was, unless that is known already.
    #[must_use]
    pub fn with_integration(mut self, name: &str) -> Self {
        self.parts().integration.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Says which endpoint it was, unless that is known already.
    #[must_use]
    pub fn with_endpoint(mut self, name: &str) -> Self {
        self.parts().endpoint.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Says by which method the endpoint is called.
    #[must_use]
    pub fn with_method(mut self, method: Method) -> Self {
        self.parts().method = Some(method);
        self
    }

    /// Says what can be done about it, where that does not follow from the rest; see [`Error::advice`].
    #[must_use]
    pub fn with_advice(mut self, advice: &'static str) -> Self {
        self.parts().advice = Some(advice);
        self
    }

    /// Says that the call may have been carried out all the same, where that does not follow from the rest.
    #[must_use]
    pub fn with_may_be_carried_out(mut self) -> Self {
        self.parts().may_be_carried_out = true;
        self
    }

    /// Says whether the same call may succeed later.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.parts().retryable = retryable;
        self
    }

    /// Says after how long the upstream asked to be called again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.parts().retry_after = after;
        self
    }

    /// Adds the HTTP status that was received.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.parts().status = Some(status);
        self
    }

    /// Leaves a status out: that of an answer which was not the endpoint's.
    #[must_use]
    pub fn without_status(mut self) -> Self {
        if self.0.status.is_some() {
            self.parts().status = None;
        }
        self
    }

    /// Adds the body that was received, secrets already masked.
    #[must_use]
    pub fn with_body(mut self, body: Json) -> Self {
        self.parts().body = Some(body);
        self
    }

    /// Says how many attempts were made after the first.
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.parts().retries = retries;
        self
    }

    /// Adds the cause. Its text must hold no secret and no URL query.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.parts().source = Some(Arc::new(source));
        self
    }

    /// The same error with its message changed: how remote text in it is masked.
    #[must_use]
    pub fn map_message(mut self, change: impl FnOnce(&str) -> String) -> Self {
        let message = change(&self.0.message);
        self.parts().message = message;
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, without the names of integration and endpoint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The integration, once the engine has said so.
    pub fn integration(&self) -> Option<&str> {
        self.0.integration.as_deref()
    }

    /// The endpoint, if one was being called.
    pub fn endpoint(&self) -> Option<&str> {
        self.0.endpoint.as_deref()
    }

    /// The endpoint's method, once the engine has said so.
    pub fn method(&self) -> Option<Method> {
        self.0.method
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// After how long the upstream asked to be called again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The same in milliseconds, as programs are told it.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after().map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    }

    /// The HTTP status that the endpoint answered with, if it did. What a token endpoint answered stands in
    /// the message.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The body of an [`ErrorKind::UpstreamStatus`], secrets masked.
    pub fn body(&self) -> Option<&Json> {
        self.0.body.as_ref()
    }

    /// How many attempts were made after the first.
    pub fn retries(&self) -> u32 {
        self.0.retries
    }

    /// Every fault of a config, or every violation of the input schema.
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// Whether the call was carried out all the same, and may have changed something: the endpoint, whose method is
    /// not GET, answered with a status of 200 to 299, and only its answer could not be used.
    pub fn is_carried_out(&self) -> bool {
        self.may_change_something() && self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// What a model can do about it: whole sentences, to be told behind the text of the error.
    pub fn advice(&self) -> Cow<'static, str> {
        if let Some(advice) = self.0.advice {
            return advice.into();
        }
        if self.is_retryable() {
            return match self.retry_after() {
                Some(wait) => {
                    let seconds = wait.as_secs_f64().ceil();
                    format!("The same call may succeed later: try again after {seconds:.0} s.").into()
                }
                None => "The same call may succeed later.".into(),
            };
        }
        if self.is_carried_out() {
            return "The API has carried it out; only its answer could not be used. Do not call it again for that."
                .into();
        }
        if self.0.may_be_carried_out {
            return MAY_BE_CARRIED_OUT.into();
        }
        let advice = match self.kind() {
            ErrorKind::InvalidParams | ErrorKind::MissingAuthParam => {
                "Nothing was sent. Correct the params and call again."
            }
            ErrorKind::UpstreamStatus => match self.status() {
                Some(401 | 403) => "The API does not let this account do that; other params may not help.",
                Some(400 | 404 | 409 | 410 | 412 | 422) => {
                    "The API does not take these params: correct them, or try others."
                }
                _ => "The same call will fail again.",
            },
            // Not retryable, so it is working on its answer that took too long.
            ErrorKind::Timeout if self.method() == Some(Method::Get) => {
                "The same call will fail again; other params may help."
            }
            ErrorKind::Timeout | ErrorKind::Interrupted | ErrorKind::Cancelled => MAY_BE_CARRIED_OUT,
            ErrorKind::RedirectRefused | ErrorKind::ResponseTooLarge if self.may_change_something() => {
                MAY_BE_CARRIED_OUT
            }
            ErrorKind::ApprovalRefused => "Nothing was sent. Do not call it again unless you are asked to.",
            ErrorKind::InvalidConfig
            | ErrorKind::UnknownEndpoint
            | ErrorKind::IntegrationDisabled
            | ErrorKind::UnsupportedProtocol
            | ErrorKind::MissingSecret
            | ErrorKind::AuthFailed
            | ErrorKind::EgressDenied
            // Neither retryable nor behind a redirect, so it is TLS.
            | ErrorKind::Connect
            | ErrorKind::RedirectRefused => "This is for whoever set the tool up; calling it again will not help.",
            ErrorKind::ResponseTooLarge
            | ErrorKind::ResultKeyMissing
            | ErrorKind::Template
            | ErrorKind::LimitExceeded => "The same call will fail again; other params may help.",
        };
        advice.into()
    }

    fn may_change_something(&self) -> bool {
        self.method().is_some_and(|method| method != Method::Get)
    }
}

/// Of a call that was sent, and of whose end nothing is known.
const MAY_BE_CARRIED_OUT: &str = "It may have been carried out all the same: find out before you call again.";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.integration, &self.0.endpoint) {
            (Some(integration), Some(endpoint)) => write!(f, "{integration}.{endpoint}: ")?,
            (Some(name), None) | (None, Some(name)) => write!(f, "{name}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            kind,
            message,
            integration,
            endpoint,
            method,
            retryable,
            retry_after,
            status,
            body: _,
            retries,
            faults,
            advice: _,
            may_be_carried_out: _,
            source,
        } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("message", message)
            .field("integration", integration)
            .field("endpoint", endpoint)
            .field("method", method)
            .field("retryable", retryable)
            .field("retry_after", retry_after)
            .field("status", status)
            .field("retries", retries)
            .field("faults", faults)
            .field("source", source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultCode;

    #[test]
    fn the_text_names_the_call_and_every_fault() {
        let mut faults = Faults::new();
        faults.field("page", |faults| faults.report(FaultCode::SchemaViolation, "must be an integer"));
        faults.field("q", |faults| faults.report(FaultCode::Missing, "is required"));
        let error =
            Error::from_faults(ErrorKind::InvalidParams, faults).with_integration("github").with_endpoint("list");
        assert_eq!(error.to_string(), "github.list: page: must be an integer; q: is required");
        assert_eq!(error.faults().len(), 2);
    }

    #[test]
    fn advice_follows_from_what_is_known() {
        let error = |kind| Error::new(kind, "it went wrong");
        let made = |kind, method, status| error(kind).with_method(method).with_status(status);
        let done = "The API has carried it out; only its answer could not be used. Do not call it again for that.";
        let other_params = "The same call will fail again; other params may help.";
        let set_up = "This is for whoever set the tool up; calling it again will not help.";
        for (error, expected) in [
            (error(ErrorKind::InvalidParams), "Nothing was sent. Correct the params and call again."),
            (error(ErrorKind::Connect).with_retryable(true), "The same call may succeed later."),
            (
                made(ErrorKind::UpstreamStatus, Method::Get, 429)
                    .with_retryable(true)
                    .with_retry_after(Some(Duration::from_millis(1200))),
                "The same call may succeed later: try again after 2 s.",
            ),
            (
                made(ErrorKind::UpstreamStatus, Method::Post, 404),
                "The API does not take these params: correct them, or try others.",
            ),
            (error(ErrorKind::Interrupted), MAY_BE_CARRIED_OUT),
            (error(ErrorKind::Cancelled), MAY_BE_CARRIED_OUT),
            (error(ErrorKind::EgressDenied), set_up),
            (error(ErrorKind::InvalidParams).with_advice("Ask."), "Ask."),
            (error(ErrorKind::Connect), set_up),
            (made(ErrorKind::ResultKeyMissing, Method::Post, 200), done),
            (made(ErrorKind::Template, Method::Delete, 204), done),
            (made(ErrorKind::ResponseTooLarge, Method::Patch, 201), done),
            (made(ErrorKind::Timeout, Method::Post, 200), done),
            (made(ErrorKind::Interrupted, Method::Put, 200).with_retryable(true), "The same call may succeed later."),
            (made(ErrorKind::ResultKeyMissing, Method::Get, 200), other_params),
            (made(ErrorKind::Timeout, Method::Get, 200), other_params),
            (made(ErrorKind::UpstreamStatus, Method::Post, 404).with_may_be_carried_out(), MAY_BE_CARRIED_OUT),
            (error(ErrorKind::Connect).with_may_be_carried_out(), MAY_BE_CARRIED_OUT),
            (made(ErrorKind::Interrupted, Method::Post, 201).with_may_be_carried_out(), done),
            (error(ErrorKind::LimitExceeded).with_method(Method::Post), other_params),
            (made(ErrorKind::RedirectRefused, Method::Post, 302), MAY_BE_CARRIED_OUT),
            (made(ErrorKind::RedirectRefused, Method::Get, 302), set_up),
            // Of headers that are too large the status is not known.
            (error(ErrorKind::ResponseTooLarge).with_method(Method::Post), MAY_BE_CARRIED_OUT),
        ] {
            assert_eq!(error.advice(), expected, "{error:?}");
            assert_eq!(error.is_carried_out() && !error.is_retryable(), expected == done, "{error:?}");
        }
    }

    #[test]
    fn codes_are_distinct() {
        let codes: std::collections::HashSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }
}
