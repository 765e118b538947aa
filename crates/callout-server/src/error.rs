//! Answers that refuse: one envelope for all of them.
//!
//! Handlers return an [`ApiError`]; what it becomes on the wire is written by
//! [`crate::envelope`], which alone knows the request's id.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use callout::{
    Error, ErrorKind, Fault, FaultCode, Faults, Json,
    fault::Step,
    json::{Number, ObjectBuilder},
};
use callout_store::StoreError;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::envelope::RequestId;

/// Why a request is refused.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// Stable `snake_case` word for programs.
    pub(crate) code: &'static str,
    pub(crate) detail: Detail,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// What the log is told and the answer is not.
    cause: Option<Arc<StoreError>>,
}

/// What an answer's `detail` holds.
#[derive(Clone, Debug)]
pub(crate) enum Detail {
    /// A sentence.
    Text(String),
    /// Every fault of an invalid request, `[{loc, msg, type}]`.
    Faults(Json),
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: Detail::Text(detail.into()), headers: Vec::new(), cause: None }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn unauthorized() -> Self {
        let detail = "a valid API key is required: `Authorization: Bearer callout_…`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .with_header(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// The same words for a workspace that is another's and for one that does not exist, so that
    /// nothing is learnt from the difference.
    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "this key does not permit that in this workspace")
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 409 for a name that another has, `among` saying where.
    pub(crate) fn name_taken(name: &str, among: &str) -> Self {
        Self::conflict("name_taken", format!("the name {name:?} is taken{among}"))
    }

    /// 500 for work that ended without a result: it was cut off, or a defect ended it.
    pub(crate) fn given_up() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the work was given up")
    }

    pub(crate) fn store_unavailable() -> Self {
        let message = "the database or the secret store cannot be reached now; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", message)
            .with_header(http::header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 422 with every fault; `whence` is the first step of each `loc`: `body`, `query`, `path`.
    pub(crate) fn invalid(whence: &str, faults: &Faults) -> Self {
        Self::invalid_at(&[whence], faults.iter())
    }

    /// As [`ApiError::invalid`], for faults that stand below more than one step.
    pub(crate) fn invalid_at<'a>(whence: &[&str], faults: impl IntoIterator<Item = &'a Fault>) -> Self {
        Self::of_faults(faults.into_iter().map(|fault| fault_json(whence, fault)).collect())
    }

    /// 422 with one fault at `whence`.
    pub(crate) fn invalid_value(whence: &[&str], kind: &str, message: &str) -> Self {
        let loc: Json = whence.iter().map(|step| Json::from(*step)).collect();
        let fault = ObjectBuilder::new().with("loc", loc).with("msg", message).with("type", kind);
        Self::of_faults(Json::from_iter([Json::from(fault)]))
    }

    fn of_faults(faults: Json) -> Self {
        let (status, detail) = (StatusCode::UNPROCESSABLE_ENTITY, Detail::Faults(faults));
        Self { status, code: "invalid_request", detail, headers: Vec::new(), cause: None }
    }

    fn with_cause(mut self, cause: StoreError) -> Self {
        self.cause = Some(Arc::new(cause));
        self
    }

    /// Tells the log what the answer does not say, with the request that it is the answer to: by whoever gives that,
    /// for one failure of the store may be the answer to many.
    pub(crate) fn tell(&self, request_id: Option<&RequestId>) {
        let Some(error) = self.cause.as_deref() else { return };
        let request_id = request_id.map(RequestId::as_str);
        if let StoreError::Unavailable { .. } = error {
            tracing::warn!(request_id, %error, source = source(error), "the store cannot be reached");
        } else {
            tracing::error!(request_id, %error, source = source(error), "the store failed");
        }
    }

    /// The body, with the id of the request that it answers. A 422 lists its faults and nothing else,
    /// as the contract has it.
    pub(crate) fn to_json(&self, request_id: &str) -> Json {
        match &self.detail {
            Detail::Faults(faults) => ObjectBuilder::new().with("detail", faults.clone()).into(),
            Detail::Text(text) => ObjectBuilder::new()
                .with("detail", text.as_str())
                .with("error_code", self.code)
                .with("request_id", request_id)
                .into(),
        }
    }
}

fn fault_json(whence: &[&str], fault: &Fault) -> Json {
    let steps = fault.place.steps().iter().map(|step| match step {
        Step::Field(name) => Json::String(name.clone()),
        Step::Index(index) => Json::Number(Number::from(*index)),
    });
    let loc: Json = whence.iter().map(|step| Json::from(*step)).chain(steps).collect();
    ObjectBuilder::new().with("loc", loc).with("msg", fault.message.as_str()).with("type", fault.code.as_str()).into()
}

/// Carries the error to the envelope, which writes the body.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.headers_mut().extend(self.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::not_found(what),
            // Of an integration; a workspace is in none (see `workspaces::create`).
            StoreError::NameTaken(name) => Self::name_taken(&name, " in this workspace"),
            StoreError::Builtin => {
                Self::conflict("builtin", "this integration is built in: it cannot be changed or deleted here")
            }
            StoreError::Changed => Self::conflict(
                "changed",
                "it was changed by somebody else at the same time; get it again and repeat the change",
            ),
            StoreError::ReadOnlySecrets(reason) => Self::conflict("read_only_secrets", reason),
            StoreError::Unavailable { .. } => Self::store_unavailable().with_cause(error),
            error => {
                let detail = "what is stored cannot be used; the server's log says more";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store_failed", detail).with_cause(error)
            }
        }
    }
}

fn source(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

/// A failed call as an object for programs: `code`, `message`, `retryable`, `retry_after_ms`, `body`.
pub(crate) fn call_error(error: &Error) -> Json {
    ObjectBuilder::new()
        .with("code", error.kind().code())
        .with("message", error.to_string())
        .with("retryable", error.is_retryable())
        .with("retry_after_ms", error.retry_after_ms())
        .with("body", error.body().cloned())
        .into()
}

/// Failures of a call that are the caller's mistake in this API, before anything is sent.
pub(crate) fn refused_call(error: &Error) -> Option<ApiError> {
    match error.kind() {
        ErrorKind::UnknownEndpoint => Some(ApiError::not_found("endpoint")),
        ErrorKind::IntegrationDisabled => Some(ApiError::conflict("integration_disabled", error.to_string())),
        ErrorKind::UnsupportedProtocol => Some(ApiError::conflict("unsupported_protocol", error.to_string())),
        ErrorKind::InvalidParams | ErrorKind::MissingAuthParam => Some(if error.faults().is_empty() {
            ApiError::invalid_value(&["body", "params"], FaultCode::Value.as_str(), error.message())
        } else {
            ApiError::invalid_at(&["body", "params"], error.faults())
        }),
        _ => None,
    }
}
