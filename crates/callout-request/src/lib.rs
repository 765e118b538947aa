//! From params to an HTTP request: schema check, path, query, headers, body.
//!
//! [`Request`] is one endpoint's request, compiled when its integration is loaded: the path template
//! joined to the base URL, the JSON Schema of the params, the headers, the shape of the body. At a call
//! it checks params ([`Request::validate`]) and makes the request ([`Request::build`]), with no I/O and
//! the same bytes for the same params every time.
//!
//! It is not authentication: the auth header is set by whoever sends the request, for each attempt.
//! It is not the transport either; what it makes has been sent nowhere.
//!
//! Whatever the params are, the request goes to the configured scheme, host, port and path prefix, with
//! as many segments and with the query keys that the path has; params add query keys and body fields of
//! their own names only and never override one that the config sets.
//!
//! ```
//! use callout_core::{config::{EndpointConfig, Method}, fault::Faults, json::Json, limits::Limits};
//! use callout_request::Request;
//!
//! let mut endpoint = EndpointConfig::new("issues", "Issues of a repository", "/repos/{owner}/{repo}/issues");
//! endpoint.method = Method::Get;
//! let mut faults = Faults::new();
//! let request = Request::compile("https://api.github.com", &endpoint, None, &Limits::default(), &mut faults)
//!     .ok_or("the endpoint has faults")?;
//!
//! let params = Json::parse(r#"{"owner": "a/b", "repo": "c", "labels": ["bug", "p 1"], "page": 2}"#)?;
//! let params = params.as_object().ok_or("params are an object")?;
//! request.validate(params)?;
//! let http = request.build(params)?;
//! assert_eq!(http.url.as_str(), "https://api.github.com/repos/a%2Fb/c/issues?labels=bug&labels=p%201&page=2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod bounds;
mod headers;
mod names;
mod query;
pub mod references;
mod schema;
mod template;
mod tool;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use callout_core::{
    Error, ErrorKind,
    config::{AuthConfig, AuthType, EndpointConfig, ExchangeHeaderMapping, Method},
    fault::{FaultCode, Faults},
    http::HttpRequest,
    json::{Json, Object, SmolStr},
    limits::Limits,
};
use http::HeaderMap;

use body::BodyPlan;
use names::Names;
use schema::{Effort, InputSchema, Unchecked};
use template::Template;

/// One endpoint's request, compiled. Cheap to clone.
///
/// `Debug` shows the method and the path template.
#[derive(Clone)]
pub struct Request(Arc<Compiled>);

struct Compiled {
    method: Method,
    template: Template,
    schema: InputSchema,
    /// Params that the path or the auth takes and the schema does not speak of.
    set_aside: Names,
    /// Params that the auth keeps from the endpoint; the path may take them all the same.
    consumed: Names,
    /// Params that the auth cannot do without.
    required_by_auth: Vec<SmolStr>,
    headers: HeaderMap,
    body: Option<BodyPlan>,
    tool_schema: Json,
    limits: Limits,
}

impl Request {
    /// Compiles the request of one endpoint. The caller stands at the endpoint (`endpoints[2]`); faults
    /// go to `path` and `input_schema` below it.
    ///
    /// `base_url` and `path` are joined with exactly one slash, whether or not either has one; an
    /// empty path is the base URL as it is. If `base_url` is empty, the path is a whole URL. `auth`
    /// says which params a token exchange takes: they need not stand in the input schema.
    ///
    /// `None` if there are faults, or if the config's own check has some that leave nothing to compile.
    pub fn compile(
        base_url: &str,
        endpoint: &EndpointConfig,
        auth: Option<&AuthConfig>,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let mappings = auth.filter(|auth| auth.kind == AuthType::BearerTokenExchange);
        let mappings = mappings.map_or(&[][..], |auth| auth.exchange_param_headers.as_slice());
        let template = Template::compile(base_url, &endpoint.path, faults);
        let of_path = template.iter().flat_map(|path| path.required().into_iter().chain(path.optional()).cloned());
        let taken: Vec<SmolStr> = of_path.chain(mappings.iter().map(auth_param)).collect();
        let schema = InputSchema::compile(&endpoint.input_schema, &taken, limits, faults);
        let body = BodyPlan::compile(endpoint);
        let headers = headers::compile(endpoint, body.as_ref().map(BodyPlan::content_type));
        let (template, schema) = (template?, schema?);
        let consumed: Names = mappings.iter().filter(|mapping| mapping.consume).map(auth_param).collect();
        if body.is_none() {
            refuse_unpassable(endpoint, &template, &consumed, faults)?;
        }
        let (set_aside, tool_schema) = {
            let declared = schema.declared();
            let set_aside: Names = taken.into_iter().filter(|name| !declared.contains(name)).collect();
            (set_aside, tool::schema(&endpoint.input_schema, &template, mappings, |name| declared.has_property(name)))
        };
        Some(Self(Arc::new(Compiled {
            method: endpoint.method,
            template,
            schema,
            set_aside,
            consumed,
            required_by_auth: mappings.iter().filter(|mapping| mapping.required).map(auth_param).collect(),
            headers: headers?,
            body,
            tool_schema,
            limits: limits.clone(),
        })))
    }

    /// Checks params before anything is done with them: their size and depth, the input schema, and
    /// that the params in the path are there and fit. Path and auth params that the schema does not
    /// speak of are set aside for it, so that a closed schema need not name them.
    ///
    /// What auth misses comes before what the path does: where a required auth param is missing and the
    /// schema has nothing to say, neither has this check, as whoever takes the auth params refuses them.
    ///
    /// `format` in a schema is an annotation and checks nothing. At most 50 violations are listed.
    ///
    /// # Errors
    ///
    /// `invalid_params` with every violation at its place in the params (`filter.ids[2]`);
    /// `limit_exceeded` for params that are too large, too deep, or too much work to check.
    pub fn validate(&self, params: &Object) -> Result<(), Error> {
        bounds::check_params(params, &self.0.limits)?;
        match self.check(params, Effort::Full) {
            Ok(checked) => checked,
            Err(Unchecked::Never(error)) => Err(error),
            Err(Unchecked::Later) => {
                Err(Error::new(ErrorKind::LimitExceeded, "checking the params takes longer than it may"))
            }
        }
    }

    /// [`Request::validate`] for params that are checked in about a millisecond at most, which is told
    /// before it is done. `None` if they are large or the schema makes much of them: their check
    /// belongs where it holds up nobody.
    pub fn validate_at_once(&self, params: &Object) -> Option<Result<(), Error>> {
        if !bounds::is_small(params, &self.0.limits) {
            return None;
        }
        match self.check(params, Effort::Little) {
            Ok(checked) => Some(checked),
            Err(Unchecked::Never(error)) => Some(Err(error)),
            Err(Unchecked::Later) => None,
        }
    }

    /// Whether params are no larger and no deeper than they may be, which [`Request::validate`] finds first:
    /// for whoever does something with them before that.
    pub fn is_within_bounds(&self, params: &Object) -> bool {
        bounds::check_params(params, &self.0.limits).is_ok()
    }

    fn check(&self, params: &Object, effort: Effort) -> Result<Result<(), Error>, Unchecked> {
        let Compiled { template, schema, set_aside, consumed, required_by_auth, .. } = &*self.0;
        let mut faults = Faults::new();
        schema.check(params, |name| set_aside.contains(name), effort, &mut faults)?;
        let is_missing = |name: &SmolStr| params.get(name).is_none_or(Json::is_null);
        if faults.is_empty() && required_by_auth.iter().any(is_missing) {
            return Ok(Ok(()));
        }
        template.check(params, &mut faults);
        if self.0.body.is_none() {
            let rest = params.keys().filter(|name| !template.takes(name) && !consumed.contains(name));
            template.check_query_keys(rest, &mut faults);
        }
        Ok(if faults.is_empty() { Ok(()) } else { Err(Error::from_faults(ErrorKind::InvalidParams, faults)) })
    }

    /// Makes the request: everything but the auth header.
    ///
    /// What neither the path nor the auth takes for itself (`consume`) goes, in the order of the params, to the query (GET, DELETE) or to
    /// the body (POST, PUT, PATCH). In a query and a form scalars are text, arrays repeat the key,
    /// nulls are left out (within arrays too), and objects and inner arrays are compact JSON.
    ///
    /// # Errors
    ///
    /// `invalid_params` for params that the path cannot take, or that would set a query key of the
    /// path anew; `limit_exceeded` for a URL of more than 65,534 bytes. Nothing else: whether the
    /// params fit the schema is [`Request::validate`]'s affair.
    pub fn build(&self, params: &Object) -> Result<HttpRequest, Error> {
        let Compiled { method, template, consumed, headers, body, .. } = &*self.0;
        let rest = remaining(params, |name| template.takes(name) || consumed.contains(name));
        let (url, body) = match body {
            Some(plan) => (template.expand(params, &Object::default())?, plan.write(rest)?),
            None => (template.expand(params, &rest)?, Bytes::new()),
        };
        Ok(HttpRequest { method: http_method(*method), url, headers: headers.clone(), body })
    }

    /// The endpoint's method.
    pub fn method(&self) -> Method {
        self.0.method
    }

    /// The schema of the params for function calling, an object schema in the order of the config: the
    /// endpoint's input schema, with the path and auth params added that it does not speak of.
    pub fn tool_schema(&self) -> Json {
        self.0.tool_schema.clone()
    }

    /// Whether the input schema is `{}`, which says nothing of the params.
    pub fn takes_anything(&self) -> bool {
        self.0.schema.takes_anything()
    }

    /// The path as it is configured, for messages: it holds no param.
    pub fn path_template(&self) -> &str {
        self.0.template.source()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.0.method)
            .field("path", &self.0.template.source())
            .finish_non_exhaustive()
    }
}

/// The params without some of them, in their order.
fn remaining(params: &Object, taken: impl Fn(&str) -> bool) -> Object {
    if !params.keys().any(&taken) {
        return params.clone();
    }
    let entries = (0..params.len()).filter_map(|position| params.entry(position));
    entries.filter(|(name, _)| !taken(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Reports properties that could never be passed: they would go into the query under a key that the
/// path sets.
fn refuse_unpassable(
    endpoint: &EndpointConfig,
    template: &Template,
    consumed: &Names,
    faults: &mut Faults,
) -> Option<()> {
    let before = faults.len();
    let properties = endpoint.input_schema.get("properties").and_then(Json::as_object);
    for name in properties.into_iter().flat_map(Object::keys) {
        let passed = !template.takes(name) && !consumed.contains(name);
        if passed && template.sets_query_key(name) {
            faults.field("path", |faults| {
                faults.report(
                    FaultCode::Conflict,
                    format!(
                        "sets the query key {name:?}, which `input_schema` has as a property too: leave it out of \
                         the schema, or write `{name}={{{name}}}` or `{{?{name}}}` in the path",
                    ),
                );
            });
        }
    }
    (faults.len() == before).then_some(())
}

fn auth_param(mapping: &ExchangeHeaderMapping) -> SmolStr {
    mapping.param_name.as_str().into()
}

const fn http_method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}
