//! A span for each attempt, named as OpenTelemetry's semantic conventions for HTTP clients name it.
//!
//! `url.full` is left out: the path is made of params and the query of whatever the model passed.
//! `url.template` says which endpoint it was.

use std::fmt::{self, Display};

use callout_core::http::{HttpRequest, HttpResponse};
use tracing::{Span, field::Empty};

use crate::{fault::Fault, target::Target};

/// `{method} {template}`, or the method alone.
struct Name<'a>(&'a str, &'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(method, template) = self;
        if template.is_empty() { f.write_str(method) } else { write!(f, "{method} {template}") }
    }
}

/// The span of one attempt; nothing is made of it unless somebody listens.
pub(crate) fn attempt(request: &HttpRequest, target: &Target, template: &str, number: u32) -> Span {
    let method = request.method.as_str();
    tracing::info_span!(
        "HTTP",
        otel.name = %Name(method, template),
        otel.kind = "client",
        http.request.method = method,
        http.request.resend_count = (number > 0).then_some(number),
        server.address = %target.host(),
        server.port = target.port(),
        url.scheme = target.scheme(),
        url.template = template,
        http.response.status_code = Empty,
        "error.type" = Empty,
    )
}

/// Adds how the attempt ended.
pub(crate) fn ended(span: &Span, result: &Result<HttpResponse, Fault>) {
    if span.is_disabled() {
        return;
    }
    match result {
        Ok(response) => {
            span.record("http.response.status_code", response.status);
            if response.status >= 400 {
                span.record("error.type", tracing::field::display(response.status));
            }
        }
        Err(fault) => {
            span.record("error.type", fault.error.kind().code());
        }
    }
}
