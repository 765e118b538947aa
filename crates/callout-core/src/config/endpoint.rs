//! The endpoints of an integration, as the contract writes them.

use super::{
    reader::{Fields, UnknownFields, count, list, string_map, text, word},
    rules,
};
use crate::{
    fault::{FaultCode, Faults},
    json::{Json, Object, ObjectBuilder},
    limits::Limits,
};

/// The HTTP method of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`, the default
    #[default]
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether the remaining params go into a body; else they go into the query.
    pub const fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }

    /// Whether sending twice has the effect of sending once (RFC 9110 section 9.2.2).
    pub const fn is_idempotent(self) -> bool {
        matches!(self, Self::Get | Self::Put | Self::Delete)
    }
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BodyFormat {
    /// A JSON object, the default.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
}

impl BodyFormat {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 2] = [Self::Json, Self::Form];

    /// The contract's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form => "form",
        }
    }
}

/// When a result is handed to the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// The moment it lands. The default.
    #[default]
    Interrupt,
    /// When the agent's turn has ended.
    Queue,
}

impl Delivery {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 2] = [Self::Interrupt, Self::Queue];

    /// The contract's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interrupt => "interrupt",
            Self::Queue => "queue",
        }
    }
}

/// How often an endpoint is tried again, and on which statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryConfig {
    /// Attempts after the first, 0 to 10. Default 2.
    pub max_retries: u32,
    /// Statuses on which to try again. Default 429, 502, 503, 504.
    pub retry_on_status: Vec<u16>,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { max_retries: 2, retry_on_status: vec![429, 502, 503, 504] }
    }
}

/// What is added around the params in a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestTransform {
    /// Constant fields of the outermost object, at most 20; they win over params of that name.
    pub inject: Vec<(String, String)>,
    /// The key under which the params stand. An empty one is none: forms send it so.
    pub wrap_params_key: Option<String>,
}

impl RequestTransform {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.inject.is_empty() && self.wrap_key().is_none()
    }

    /// The key under which the params stand, if they are wrapped.
    pub fn wrap_key(&self) -> Option<&str> {
        self.wrap_params_key.as_deref().filter(|key| !key.is_empty())
    }
}

/// One endpoint as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// Its name, unique within the integration.
    pub name: String,
    /// What it does, for the model that chooses it.
    pub description: String,
    /// Default POST.
    pub method: Method,
    /// The path, or the whole URL where the integration has no `base_url`.
    pub path: String,
    /// JSON Schema of the params. Default `{}`, which takes anything.
    pub input_schema: Object,
    /// New object: name to path of the value.
    pub response_mapping: Option<Vec<(String, String)>>,
    /// Paths of what is kept.
    pub response_filter: Option<Vec<String>>,
    /// Jinja template of the text.
    pub result_template: Option<String>,
    /// Path of the value that is the result.
    pub result_key: Option<String>,
    /// The longest text in characters; 0 is no limit. Default 0.
    pub max_result_length: u64,
    /// When to try again.
    pub retry_config: RetryConfig,
    /// When the result is handed over. Default `interrupt`.
    pub result_delivery: Delivery,
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
    /// How the body is written. Default `json`.
    pub body_format: BodyFormat,
    /// What is added around the params.
    pub request_transform: Option<RequestTransform>,
}

impl EndpointConfig {
    /// An endpoint with every optional field at its default.
    pub fn new(name: impl Into<String>, description: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            method: Method::default(),
            path: path.into(),
            input_schema: Object::default(),
            response_mapping: None,
            response_filter: None,
            result_template: None,
            result_key: None,
            max_result_length: 0,
            retry_config: RetryConfig::default(),
            result_delivery: Delivery::default(),
            headers: Vec::new(),
            body_format: BodyFormat::default(),
            request_transform: None,
        }
    }

    /// What has faults is at its default; `None` only if the value is no object.
    pub(super) fn read(value: &Json, unknown: UnknownFields, faults: &mut Faults) -> Option<Self> {
        let mut fields = Fields::open(value, faults)?;
        let name = fields.required("name", faults, text);
        let description = fields.required("description", faults, text);
        let method = fields.optional("method", faults, word(&Method::ALL, Method::as_str)).unwrap_or_default();
        let path = fields.required("path", faults, text);
        let input_schema = fields.optional("input_schema", faults, |value, faults| {
            let object = value.as_object().cloned();
            if object.is_none() {
                faults.report(FaultCode::WrongType, format!("must be an object, not {}", value.type_name()));
            }
            object
        });
        let response_mapping = fields.nullable("response_mapping", faults, string_map);
        let response_filter = fields.nullable("response_filter", faults, list(text));
        let result_template = fields.nullable("result_template", faults, text);
        let result_key = fields.nullable("result_key", faults, text);
        let max_result_length = fields.optional("max_result_length", faults, count).unwrap_or(0);
        let retry_config = fields.optional("retry_config", faults, |value, faults| read_retry(value, unknown, faults));
        let delivery = word(&Delivery::ALL, Delivery::as_str);
        let result_delivery = fields.optional("result_delivery", faults, delivery).unwrap_or_default();
        let headers = fields.optional("headers", faults, string_map).unwrap_or_default();
        let format = word(&BodyFormat::ALL, BodyFormat::as_str);
        let body_format = fields.optional("body_format", faults, format).unwrap_or_default();
        let request_transform =
            fields.nullable("request_transform", faults, |value, faults| read_transform(value, unknown, faults));
        if unknown == UnknownFields::Refuse {
            fields.close(faults);
        }
        Some(Self {
            name: name.unwrap_or_default(),
            description: description.unwrap_or_default(),
            method,
            path: path.unwrap_or_default(),
            input_schema: input_schema.unwrap_or_default(),
            response_mapping,
            response_filter,
            result_template,
            result_key,
            max_result_length,
            retry_config: retry_config.unwrap_or_default(),
            result_delivery,
            headers,
            body_format,
            request_transform,
        })
    }

    /// Checks every rule that needs no parser of paths, schemas or templates.
    pub(super) fn check(&self, limits: &Limits, faults: &mut Faults) {
        faults.field("name", |faults| rules::endpoint_name(&self.name, faults));
        faults.field("retry_config", |faults| self.check_retry(faults));
        faults.field("headers", |faults| self.check_headers(limits, faults));
        if let Some(transform) = &self.request_transform {
            faults.field("request_transform", |faults| self.check_transform(transform, faults));
        }
    }

    fn check_retry(&self, faults: &mut Faults) {
        let RetryConfig { max_retries, retry_on_status } = &self.retry_config;
        if *max_retries > 10 {
            faults.field("max_retries", |faults| {
                faults.report(FaultCode::OutOfRange, format!("must be 0 to 10, not {max_retries}"));
            });
        }
        faults.field("retry_on_status", |faults| {
            for (at, status) in retry_on_status.iter().enumerate() {
                if !(100..=599).contains(status) {
                    faults.index(at, |faults| {
                        faults
                            .report(FaultCode::OutOfRange, format!("must be an HTTP status, 100 to 599, not {status}"));
                    });
                }
            }
        });
    }

    fn check_headers(&self, limits: &Limits, faults: &mut Faults) {
        rules::at_most(self.headers.len(), limits.max_headers, "headers", faults);
        for (at, (name, value)) in self.headers.iter().take(limits.max_headers).enumerate() {
            faults.field(name, |faults| {
                rules::header_name(name, faults);
                rules::header_value(value, faults);
                if self.headers[..at].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                    faults.report(FaultCode::Duplicate, "stands twice, header names have no case");
                }
            });
        }
    }

    fn check_transform(&self, transform: &RequestTransform, faults: &mut Faults) {
        if !self.method.has_body() && !transform.is_empty() {
            faults.report(
                FaultCode::Conflict,
                format!("cannot be used with {}, which has no body", self.method.as_str()),
            );
        }
        faults.field("inject", |faults| rules::at_most(transform.inject.len(), 20, "fields", faults));
        if let Some(key) = transform.wrap_key() {
            faults.field("wrap_params_key", |faults| rules::length(key, 1, 128, faults));
            if transform.inject.iter().any(|(name, _)| name == key) {
                faults.field("inject", |faults| {
                    faults.field(key, |faults| {
                        faults
                            .report(FaultCode::Conflict, "is the key under which the params stand (`wrap_params_key`)");
                    });
                });
            }
        }
    }

    /// The object as the contract writes it.
    pub fn to_json(&self) -> Json {
        let Self {
            name,
            description,
            method,
            path,
            input_schema,
            response_mapping,
            response_filter,
            result_template,
            result_key,
            max_result_length,
            retry_config,
            result_delivery,
            headers,
            body_format,
            request_transform,
        } = self;
        let retry = ObjectBuilder::new()
            .with("max_retries", retry_config.max_retries)
            .with("retry_on_status", retry_config.retry_on_status.clone());
        let transform = request_transform.as_ref().map(|transform| {
            let RequestTransform { inject, wrap_params_key } = transform;
            Json::from(
                ObjectBuilder::new()
                    .with("inject", strings_to_json(inject))
                    .with("wrap_params_key", wrap_params_key.clone()),
            )
        });
        ObjectBuilder::new()
            .with("name", name.clone())
            .with("description", description.clone())
            .with("method", method.as_str())
            .with("path", path.clone())
            .with("input_schema", input_schema.clone())
            .with("response_mapping", response_mapping.as_deref().map(strings_to_json))
            .with("response_filter", response_filter.clone())
            .with("result_template", result_template.clone())
            .with("result_key", result_key.clone())
            .with("max_result_length", *max_result_length)
            .with("retry_config", retry)
            .with("result_delivery", result_delivery.as_str())
            .with("headers", strings_to_json(headers))
            .with("body_format", body_format.as_str())
            .with("request_transform", transform)
            .into()
    }
}

fn strings_to_json(entries: &[(String, String)]) -> Json {
    entries.iter().map(|(name, value)| (name.as_str(), Json::from(value.as_str()))).collect()
}

fn read_retry(value: &Json, unknown: UnknownFields, faults: &mut Faults) -> Option<RetryConfig> {
    let mut fields = Fields::open(value, faults)?;
    let mut retry = RetryConfig::default();
    if let Some(max_retries) = fields.optional("max_retries", faults, count) {
        retry.max_retries = u32::try_from(max_retries).unwrap_or(u32::MAX);
    }
    let status = |value: &Json, faults: &mut Faults| count(value, faults).map(|n| u16::try_from(n).unwrap_or(u16::MAX));
    if let Some(statuses) = fields.optional("retry_on_status", faults, list(status)) {
        retry.retry_on_status = statuses;
    }
    if unknown == UnknownFields::Refuse {
        fields.close(faults);
    }
    Some(retry)
}

fn read_transform(value: &Json, unknown: UnknownFields, faults: &mut Faults) -> Option<RequestTransform> {
    let mut fields = Fields::open(value, faults)?;
    let inject = fields.optional("inject", faults, string_map).unwrap_or_default();
    let wrap_params_key = fields.nullable("wrap_params_key", faults, text);
    if unknown == UnknownFields::Refuse {
        fields.close(faults);
    }
    Some(RequestTransform { inject, wrap_params_key })
}
