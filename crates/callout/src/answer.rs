//! An answer: its body, read and masked, and what its endpoint makes of it.

use std::sync::Arc;

use bytes::Bytes;
use callout_core::{
    Error, ErrorKind,
    http::HttpResponse,
    json::{Json, Object, ReadErrorKind},
    redact::Redactor,
    time::Deadline,
};
use callout_response::{Input, Read, Stages, Text, read_clean};

use crate::{
    Integration,
    engine::Parts,
    integration::Endpoint,
    lenient::Conversion,
    offload::{AT_ONCE_BYTES, LINES_AT_ONCE_BYTES, Offload},
    upstream_error::upstream_message,
};

/// An answer with what its shaping needs.
pub(crate) struct Sent {
    pub(crate) engine: Arc<Parts>,
    pub(crate) integration: Integration,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) params: Object,
    pub(crate) response: HttpResponse,
    pub(crate) redactor: Redactor,
    pub(crate) deadline: Deadline,
    pub(crate) conversions: Vec<Conversion>,
}

/// What a trace shows of an answer.
pub(crate) struct Traced {
    pub(crate) body: Body,
    pub(crate) stages: Stages,
}

/// The body of an answer, secrets masked.
pub(crate) struct Body {
    pub(crate) value: Json,
    /// As it came, if that is known to be how the value is written, and it is not soon written anew.
    pub(crate) text: Option<Bytes>,
}

impl Traced {
    pub(crate) fn is_late(traced: &Result<Self, Error>) -> bool {
        match traced {
            Err(error) => is_late(error),
            Ok(traced) => traced.stages.error.as_ref().is_some_and(is_late),
        }
    }
}

pub(crate) fn is_late(error: &Error) -> bool {
    error.kind() == ErrorKind::Timeout
}

pub(crate) fn offload<'a>(engine: &'a Parts, integration: &'a Integration, deadline: Deadline) -> Offload<'a> {
    Offload { workers: &engine.workers, clock: &engine.clock, workspace: &integration.owner().workspace, deadline }
}

impl Sent {
    /// Works on the answer where that holds up nobody.
    pub(crate) async fn shape<T: Send + 'static>(
        self: &Arc<Self>,
        work: fn(&Self, Deadline) -> T,
        is_late: impl Fn(&T) -> bool,
    ) -> Result<T, Error> {
        let is_large = self.response.body.len() > AT_ONCE_BYTES;
        let sent = self.clone();
        let offload = offload(&self.engine, &self.integration, self.deadline);
        let done = offload.run_answer(&self.endpoint.habit, is_large, move |deadline| work(&sent, deadline), is_late);
        // The call has been sent: whether it may be sent again depends on what it does there.
        done.await.map_err(|error| {
            let retryable = error.is_retryable() && self.endpoint.request.method().is_idempotent();
            self.failed(error.with_retryable(retryable))
        })
    }

    /// The text, made where that holds up nobody.
    pub(crate) async fn shaped_text(self: &Arc<Self>) -> Result<Text, Error> {
        match self.lines() {
            Some(text) => Ok(text),
            None => self.shape(Self::text, |text| text.as_ref().is_err_and(is_late)).await?,
        }
    }

    /// That of a large answer, if it is made of lines.
    fn lines(&self) -> Option<Text> {
        let HttpResponse { status, body, .. } = &self.response;
        let is_large = (AT_ONCE_BYTES + 1..=LINES_AT_ONCE_BYTES).contains(&body.len());
        if !is_large || !is_success(*status) {
            return None;
        }
        let Parts { clock, limits, .. } = &*self.engine;
        let input = self.input(&Json::Null, self.deadline);
        self.endpoint.habit.at_once(clock, || self.endpoint.pipeline.run_lines(body, limits, &input))
    }

    /// An error if there is nothing to shape.
    pub(crate) fn stages(&self, deadline: Deadline) -> Result<Traced, Error> {
        let body = self.body()?;
        let stages = self.endpoint.pipeline.trace(&self.input(&body.value, deadline));
        Ok(Traced { body, stages })
    }

    /// The text, if possible from what the pipeline wants of the body and else from all of it: what
    /// goes wrong is told by the whole.
    pub(crate) fn text(&self, deadline: Deadline) -> Result<Text, Error> {
        let HttpResponse { status, body, .. } = &self.response;
        let pipeline = &self.endpoint.pipeline;
        if is_success(*status)
            && let Some(text) = pipeline.run_wanted(body, &self.engine.limits, &self.input(&Json::Null, deadline))
        {
            return Ok(text);
        }
        let body = self.body()?;
        pipeline.run(&self.input(&body.value, deadline)).map_err(|error| self.failed(error))
    }

    /// The masked body; an error if the status is outside 200 to 299.
    fn body(&self) -> Result<Body, Error> {
        let HttpResponse { status, headers, body, retry_after, carried_out, is_open_ended, .. } = &self.response;
        let content_type = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let read = read_clean(*status, content_type, body, &self.engine.limits, &self.redactor);
        let Read { body: value, is_clean, is_compact } = read.map_err(|error| self.failed(error))?;
        let may_be_half = *is_open_ended && is_success(*status);
        if may_be_half && value.as_str().is_some_and(|text| is_half_json(text, content_type)) {
            let error = Error::new(ErrorKind::Interrupted, "the answer ended in the middle of its JSON");
            return Err(self.failed(error.with_retryable(self.endpoint.request.method().is_idempotent())));
        }
        let value = if is_clean { value } else { self.redactor.json(&value) };
        if is_success(*status) {
            let is_container = matches!(value, Json::Array(_) | Json::Object(_));
            let text = (is_clean && is_compact && is_container).then(|| body.clone());
            return Ok(Body { value, text });
        }
        let error = Error::new(ErrorKind::UpstreamStatus, upstream_message(*status, content_type, &value));
        let is_retryable = self.response.may_pass() && !carried_out;
        let error = error.with_body(value).with_retryable(is_retryable).with_retry_after(*retry_after);
        Err(self.failed(error))
    }

    fn input<'s>(&'s self, body: &'s Json, deadline: Deadline) -> Input<'s> {
        Input {
            body,
            params: &self.params,
            status: self.response.status,
            redactor: &self.redactor,
            clock: &self.engine.clock,
            deadline,
        }
    }

    pub(crate) fn failed(&self, error: Error) -> Error {
        let HttpResponse { status, retries, carried_out, .. } = self.response;
        let error = masked(error, &self.redactor).with_status(status).with_retries(retries);
        if carried_out { error.with_may_be_carried_out() } else { error }
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// Whether a text was meant to be JSON and lacks its end.
fn is_half_json(text: &str, content_type: Option<&str>) -> bool {
    content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("json"))
        && Json::parse(text).is_err_and(|error| *error.kind() == ReadErrorKind::UnexpectedEnd)
}

/// The error without the secrets that it may quote.
pub(crate) fn masked(error: Error, redactor: &Redactor) -> Error {
    if redactor.is_empty() { error } else { error.map_message(|message| redactor.text(message).into_owned()) }
}
