//! The way of one call, in its fixed order:
//! refuse, validate, auth params, path, remaining params, approval, auth header, body or query, send,
//! shape. The attempts stand in [`crate::sending`], what becomes of the answer in [`crate::answer`].

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use callout_auth::{Auth, AuthParams, TokenInfo};
use callout_core::{
    Error, ErrorKind,
    config::{self, AuthType, RetryConfig},
    http::{HttpRequest, HttpResponse, OWN_USER_AGENT, Replay},
    json::{Json, Object},
    limits::Timeouts,
    time::Deadline,
};
use http::{HeaderMap, HeaderValue, Method};
use tracing::Instrument as _;
use url::Url;

use crate::{
    Integration, Outcome, Trace,
    answer::{Sent, Traced, masked, offload},
    approval::HeldCall,
    engine::Parts,
    idempotency,
    integration::Endpoint,
    lenient::{self, Conversion, Several},
    observer::{CallId, CallInfo, Watched},
    outcome::{RawText, SentRequest},
    sending::{Requests, Sending},
};

/// What one call asks for beyond its endpoint and params.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    pub(crate) host_id: Option<Arc<str>>,
    timeouts: Option<Timeouts>,
    lenient_params: Option<bool>,
    tool_names: bool,
}

impl CallOptions {
    /// What the host calls it, such as the id that a model has given the tool call. It stands beside the engine's own
    /// id wherever the call is told of ([`CallInfo`], [`HeldCall`], [`Delivered`](crate::Delivered)), so that a host
    /// knows whose call that is, and in the call's span as `gen_ai.tool.call.id`. Nothing is sent of it. Default: none.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.host_id = Some(id.into());
        self
    }

    /// How long it may take: `attempt` and `call` of these, both in place of the engine's: who changes one begins with
    /// [`Engine::timeouts`](crate::Engine::timeouts). `connect` is the engine's for every call, since a connection is
    /// made for all that may use it. Default: the engine's.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Whether params that are strings are converted to the numbers and booleans that the input schema asks for,
    /// and numbers such as `5.0` to integers; see [`crate::EngineBuilder::with_lenient_params`]. Default: the
    /// engine's.
    #[must_use]
    pub fn with_lenient_params(mut self, lenient: bool) -> Self {
        self.lenient_params = Some(lenient);
        self
    }

    /// Whether the params are a model's: under the names that the endpoint's tool shows, where these are not the
    /// params' own. Errors name them so too. [`Tool::params`](crate::Tool::params) need not be called then, but may
    /// be. Default: false.
    #[must_use]
    pub fn with_tool_names(mut self, tool_names: bool) -> Self {
        self.tool_names = tool_names;
        self
    }
}

/// One call: who, what, where.
pub(crate) struct Call<'a> {
    pub(crate) engine: &'a Arc<Parts>,
    pub(crate) integration: &'a Integration,
    pub(crate) endpoint: &'a str,
    pub(crate) options: &'a CallOptions,
}

impl<'a> Call<'a> {
    /// Begins to watch it.
    fn watch(&self, id: CallId) -> Watched<'a> {
        let Self { engine, integration, endpoint, options } = *self;
        let info = CallInfo {
            id,
            host_id: options.host_id.as_deref(),
            workspace: &integration.owner().workspace,
            integration: integration.name(),
            endpoint,
        };
        let found = integration.endpoint(endpoint).map(Arc::as_ref);
        Watched::start(info, found, engine.observer.as_ref(), &engine.clock)
    }

    fn timeouts(&self) -> Timeouts {
        self.options.timeouts.unwrap_or(self.engine.timeouts)
    }

    fn is_lenient(&self) -> bool {
        self.options.lenient_params.unwrap_or(self.engine.lenient_params)
    }

    fn named(&self, error: Error) -> Error {
        let error = match self.integration.endpoint(self.endpoint) {
            Some(endpoint) => {
                let error = if self.options.tool_names { endpoint.param_names.told(error) } else { error };
                error.with_method(endpoint.request.method())
            }
            None => error,
        };
        error.with_integration(self.integration.name()).with_endpoint(self.endpoint)
    }
}

/// Whether a disabled integration is called all the same: a trace does, for the one who sets it up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disabled {
    Refused,
    Called,
}

pub(crate) async fn run(call: &Call<'_>, id: CallId, params: Json) -> Result<Outcome, Error> {
    let watch = call.watch(id);
    let shaped = async {
        let sent = send(call, &watch, params, Disabled::Refused, None).await?;
        let text = sent.shaped_text().await?;
        Ok((text, sent))
    };
    let shaped = shaped.instrument(watch.span()).await.map_err(|error| call.named(error));
    let result = shaped.map(|(text, sent)| Outcome {
        status: sent.response.status,
        text,
        delivery: sent.endpoint.delivery,
        retries: sent.response.retries,
        duration: elapsed(call, watch.began()),
        conversions: sent.conversions.clone(),
    });
    watch.finish(&result);
    result
}

/// Tells of a call that was cancelled before anything of it was done: that it began, and that it is over.
pub(crate) fn tell_cancelled(call: &Call<'_>, id: CallId) {
    drop(call.watch(id));
}

/// The request that a call would send, the auth header masked; nothing is asked for and nothing sent.
pub(crate) fn render(call: &Call<'_>, params: Json) -> Result<SentRequest, Error> {
    let prepared = || {
        let (endpoint, params) = open(call, params, Disabled::Called)?;
        let Checked { params, conversions, result } = check(endpoint, params, call.is_lenient());
        result?;
        prepare(call, (endpoint, params, conversions))
    };
    Ok(prepared().map_err(|error| call.named(error))?.shown(call))
}

/// What of these params a call would convert, whether or not they fit then.
pub(crate) fn conversions(call: &Call<'_>, params: Json) -> Vec<Conversion> {
    let opened = open(call, params, Disabled::Called);
    opened.map_or_else(|_| Vec::new(), |(endpoint, params)| check(endpoint, params, call.is_lenient()).conversions)
}

/// Gets the token that a call with these params would carry.
pub(crate) async fn token(engine: &Parts, integration: &Integration, params: &Object) -> Result<TokenInfo, Error> {
    let auth = integration.auth().ok_or_else(|| {
        Error::new(ErrorKind::AuthFailed, "the integration has no `auth`, so there is no token to get")
    })?;
    let now = engine.clock.now();
    let context = engine.auth_context(now, Deadline::from_moment(now, engine.timeouts.call));
    let token = auth.token(&auth.take_params(params)?, &context).await;
    token.map_err(|error| masked(error, integration.redactor()))
}

/// What came of trying the API without calling an endpoint.
pub(crate) struct Head {
    pub(crate) answer: Result<HttpResponse, Error>,
    /// Whether there was something to authenticate with, or nothing was needed.
    pub(crate) auth_resolved: bool,
}

/// Sends `HEAD` to that URL, with auth and without retries.
pub(crate) async fn head(call: &Call<'_>, url: Url, params: &Object) -> Head {
    let auth = match call.integration.auth() {
        Some(auth) => match auth.take_params(params) {
            Ok(params) => Some((auth, params)),
            Err(error) => return Head { answer: Err(error), auth_resolved: false },
        },
        None => None,
    };
    let mut headers = HeaderMap::new();
    headers.insert(http::header::USER_AGENT, HeaderValue::from_static(OWN_USER_AGENT));
    let timeouts = call.timeouts();
    let sending = Sending {
        call,
        watch: None,
        path_template: "",
        auth: auth.as_ref().map(|(auth, params)| (*auth, params)),
        requests: Requests::Fixed(Box::new(HttpRequest { method: Method::HEAD, url, headers, body: Bytes::new() })),
        replay: Replay::Safe,
        deadline: Deadline::after(&call.engine.clock, timeouts.call),
        attempt_timeout: timeouts.attempt,
        carried: Mutex::default(),
    };
    let answer = sending.send_with_fresh_token(&RetryConfig { max_retries: 0, retry_on_status: Vec::new() }).await;
    let redactor = sending.redactor();
    let auth_resolved = sending.is_authenticated();
    Head { answer: answer.map_err(|error| masked(error, &redactor)), auth_resolved }
}

pub(crate) async fn trace(call: &Call<'_>, id: CallId, params: Json) -> Trace {
    let watch = call.watch(id);
    let mut trace = Trace::new(call.integration.delivery(call.endpoint));
    let sending = send(call, &watch, params, Disabled::Called, Some(&mut trace));
    let sent = sending.instrument(watch.span()).await;
    let error = match sent {
        Err(error) => Some(error),
        Ok(sent) => match sent.shape(Sent::stages, Traced::is_late).await {
            Err(error) | Ok(Err(error)) => Some(error),
            Ok(Ok(Traced { body, stages })) => {
                trace.status = Some(sent.response.status);
                trace.retries = sent.response.retries;
                trace.raw_text = body.text.map(|text| RawText { value: body.value.clone(), text });
                trace.raw_response = Some(body.value);
                trace.after_filter = stages.after_filter;
                trace.after_mapping = stages.after_mapping;
                trace.after_result_key = stages.after_result_key;
                trace.text = stages.text;
                stages.error.map(|error| sent.failed(error))
            }
        },
    };
    if let Some(error) = error {
        trace.status = trace.status.or(error.status());
        trace.retries = error.retries();
        trace.raw_response = trace.raw_response.or_else(|| error.body().cloned());
        trace.error = Some(call.named(error));
    }
    trace.duration = elapsed(call, watch.began());
    watch.finish_trace(&trace);
    trace
}

fn elapsed(call: &Call<'_>, started: Instant) -> Duration {
    call.engine.clock.now().saturating_duration_since(started)
}

/// A call that was checked and whose request was made. Nothing has been sent.
struct Prepared<'a> {
    endpoint: &'a Arc<Endpoint>,
    params: Object,
    conversions: Vec<Conversion>,
    auth: Option<(&'a Auth, AuthParams)>,
    request: HttpRequest,
    idempotency_key: Option<HeaderValue>,
}

impl Prepared<'_> {
    /// The request with the auth header in its place, masked.
    fn shown(&self, call: &Call<'_>) -> SentRequest {
        let auth = self.auth.as_ref().map(|(auth, _)| {
            let value = if auth.kind() == AuthType::ApiKeyHeader { "" } else { "Bearer " };
            (auth.header_name().clone(), HeaderValue::from_static(value))
        });
        SentRequest::masked(&self.request, auth, call.integration.redactor())
    }

    fn held(&self, call: &Call<'_>, id: CallId) -> HeldCall {
        HeldCall {
            id,
            host_id: call.options.host_id.clone(),
            owner: call.integration.owner().clone(),
            integration: call.integration.name().to_owned(),
            endpoint: self.endpoint.name.clone(),
            description: self.endpoint.description.clone(),
            method: self.endpoint.request.method(),
            params: call.integration.redactor().json(&Json::Object(self.params.clone())),
            request: self.shown(call),
        }
    }
}

/// What comes before the params are checked.
fn open<'a>(call: &Call<'a>, params: Json, disabled: Disabled) -> Result<(&'a Arc<Endpoint>, Object), Error> {
    let endpoint = refuse(call, disabled)?;
    let Json::Object(params) = params else {
        return Err(Error::new(
            ErrorKind::InvalidParams,
            format!("params must be a JSON object, not {}", params.type_name()),
        ));
    };
    let params = if call.options.tool_names { endpoint.param_names.own(params) } else { params };
    Ok((endpoint, params))
}

/// Params after their check, and which of them were converted to fit.
struct Checked {
    params: Object,
    conversions: Vec<Conversion>,
    result: Result<(), Error>,
}

/// Checks params, and once more with what can be converted to fit, if that is wanted.
///
/// What fits as it was given is what the caller means: of several schemas for one value each may ask for
/// another type. What is refused for its size or its depth is not looked into any further.
fn check(endpoint: &Endpoint, params: Object, is_lenient: bool) -> Checked {
    let request = &endpoint.request;
    let given = request.validate(&params);
    if !(is_lenient && may_convert(&params, &given)) {
        return Checked { params, conversions: Vec::new(), result: given };
    }
    let faults = given.as_ref().err().map_or(&[][..], Error::faults);
    let wrong: Vec<_> = faults.iter().map(|fault| fault.place.clone()).collect();
    let ways: &[Several] = if given.is_ok() { &[Several::All] } else { &[Several::All, Several::AnyThatConverts] };
    let mut tried = Vec::new();
    for &several in ways {
        let (converted, conversions) = lenient::convert(&request.tool_schema(), &params, &wrong, several);
        if conversions.is_empty() {
            continue;
        }
        let result = request.validate(&converted);
        if result.is_ok() {
            return Checked { params: converted, conversions, result };
        }
        if tried.is_empty() && given.is_err() {
            tried = conversions;
        }
    }
    // What is told is what is wrong with the params that the caller knows.
    Checked { params, conversions: tried, result: given }
}

/// Whether there may be something to convert in params of which a check said that.
fn may_convert(params: &Object, given: &Result<(), Error>) -> bool {
    match given {
        Ok(()) => lenient::has_whole(params),
        Err(refusal) => refusal.kind() == ErrorKind::InvalidParams,
    }
}

/// An endpoint, the params for it, and which of them were converted to fit.
type Opened<'a> = (&'a Arc<Endpoint>, Object, Vec<Conversion>);

/// The request for params that have been checked.
fn prepare<'a>(call: &Call<'a>, opened: Opened<'a>) -> Result<Prepared<'a>, Error> {
    let (endpoint, params, conversions) = opened;
    let auth = match call.integration.auth() {
        Some(auth) => Some((auth, auth.take_params(&params)?)),
        None => None,
    };
    let mut request = endpoint.request.build(&params)?;
    let wants_key = call.engine.idempotency_keys && endpoint.request.method() != config::Method::Get;
    let key = if wants_key { idempotency::add_key(&mut request.headers, &call.engine.rng) } else { None };
    Ok(Prepared { endpoint, params, conversions, auth, request, idempotency_key: key })
}

/// Waits, if the host's policy holds the call, until somebody has approved it. Says whether it was held.
async fn approve(call: &Call<'_>, watch: &Watched<'_>, prepared: &Prepared<'_>) -> Result<bool, Error> {
    let Some(approval) = &call.engine.approval else { return Ok(false) };
    let method = prepared.endpoint.request.method();
    let Some(held) = approval.holds(method, || prepared.held(call, watch.id())) else { return Ok(false) };
    watch.held();
    let since = call.engine.clock.now();
    let decided = approval.decide(&held).await;
    watch.decided(decided.is_ok(), elapsed(call, since));
    decided.map(|()| true)
}

/// Everything up to where something is sent, and until when the call may go on. What was converted goes into
/// the trace, if one is wanted, also where that did not help.
async fn approved<'a>(
    call: &Call<'a>,
    watch: &Watched<'a>,
    params: Json,
    disabled: Disabled,
    trace: Option<&mut Trace>,
) -> Result<(Prepared<'a>, Deadline), Error> {
    let (endpoint, params) = open(call, params, disabled)?;
    let mut deadline = Deadline::after(&call.engine.clock, call.timeouts().call);
    let is_lenient = call.is_lenient();
    // What may be converted takes longer than the check that was made of it.
    let at_once = endpoint.request.validate_at_once(&params);
    let at_once = at_once.filter(|given| !(is_lenient && may_convert(&params, given)));
    let Checked { params, conversions, result } = if let Some(result) = at_once {
        Checked { params, conversions: Vec::new(), result }
    } else {
        let shared = Arc::clone(endpoint);
        let work = move || check(&shared, params, is_lenient);
        offload(call.engine, call.integration, deadline).run(work).await?
    };
    if let Some(trace) = trace {
        trace.conversions.clone_from(&conversions);
    }
    result?;
    let prepared = prepare(call, (endpoint, params, conversions))?;
    if approve(call, watch, &prepared).await? {
        // The time that a person took is not the call's.
        deadline = Deadline::after(&call.engine.clock, call.timeouts().call);
    }
    Ok((prepared, deadline))
}

/// Everything up to the answer. The request, masked, and what was converted go into the trace, if one is wanted.
async fn send<'a>(
    call: &Call<'a>,
    watch: &Watched<'a>,
    params: Json,
    disabled: Disabled,
    mut trace: Option<&mut Trace>,
) -> Result<Arc<Sent>, Error> {
    // Apart, and taken apart at once: a call in flight has no room for it as a whole.
    let (Prepared { endpoint, params, conversions, auth, request, idempotency_key }, deadline) =
        Box::pin(approved(call, watch, params, disabled, trace.as_deref_mut())).await?;
    let first = Mutex::new(Some(Box::new(request)));
    let sending = Sending {
        call,
        watch: Some(watch),
        path_template: without_query(endpoint.request.path_template()),
        auth: auth.as_ref().map(|(auth, params)| (*auth, params)),
        requests: Requests::Made { first, endpoint, params: &params, idempotency_key },
        replay: if endpoint.request.method().is_idempotent() { Replay::Safe } else { Replay::OnlyUnsent },
        deadline,
        attempt_timeout: call.timeouts().attempt,
        carried: Mutex::default(),
    };
    let answer = sending.send_with_fresh_token(&endpoint.retry).await;
    let redactor = sending.redactor();
    if let Some(trace) = trace {
        trace.request = sending.shown(&redactor);
    }
    drop(sending);
    let response = answer.map_err(|error| masked(error, &redactor))?;
    Ok(Arc::new(Sent {
        engine: call.engine.clone(),
        integration: call.integration.clone(),
        endpoint: endpoint.clone(),
        params,
        response,
        redactor,
        deadline,
        conversions,
    }))
}

fn refuse<'a>(call: &Call<'a>, disabled: Disabled) -> Result<&'a Arc<Endpoint>, Error> {
    let integration = call.integration;
    if integration.delivery(call.endpoint).is_none() {
        let names: Vec<_> = integration.endpoint_names().take(20).collect();
        let known = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        return Err(Error::new(ErrorKind::UnknownEndpoint, format!("there is no such endpoint; {known}")));
    }
    if disabled == Disabled::Refused && !integration.is_enabled() {
        return Err(Error::new(
            ErrorKind::IntegrationDisabled,
            "the integration is disabled; set `enabled` to call it",
        ));
    }
    integration.endpoint(call.endpoint).ok_or_else(|| {
        Error::new(
            ErrorKind::UnsupportedProtocol,
            format!("integrations of protocol `{}` are not called over HTTP", integration.protocol().as_str()),
        )
    })
}

/// A path template without `?a={a}` and `{?a}`.
fn without_query(template: &str) -> &str {
    template.split('?').next().unwrap_or_default().trim_end_matches('{')
}
