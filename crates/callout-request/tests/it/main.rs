//! What a request looks like, what is refused, and what no params can do.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

mod refusals;
mod requests;
mod schemas;
mod tools;
mod unchanged;

use callout_core::{
    Error,
    config::{AuthConfig, AuthType, EndpointConfig, ExchangeHeaderMapping, Method},
    fault::Faults,
    http::HttpRequest,
    json::{Json, Object},
    limits::Limits,
};
use callout_request::Request;

fn json(text: &str) -> Json {
    Json::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn object(text: &str) -> Object {
    json(text).as_object().cloned().expect("an object")
}

fn endpoint(method: Method, path: &str) -> EndpointConfig {
    let mut endpoint = EndpointConfig::new("e", "An endpoint", path);
    endpoint.method = method;
    endpoint
}

fn compile_with(base_url: &str, endpoint: &EndpointConfig, auth: Option<&AuthConfig>) -> Result<Request, Vec<String>> {
    let mut faults = Faults::new();
    let request = faults.field("endpoints", |faults| {
        faults.index(0, |faults| Request::compile(base_url, endpoint, auth, &Limits::default(), faults))
    });
    assert_eq!(request.is_some(), faults.is_empty(), "{faults:?}");
    request.ok_or_else(|| faults.iter().map(ToString::to_string).collect())
}

fn compile(base_url: &str, endpoint: &EndpointConfig) -> Request {
    compile_with(base_url, endpoint, None).unwrap_or_else(|faults| panic!("{}: {faults:?}", endpoint.path))
}

fn faults_of(base_url: &str, endpoint: &EndpointConfig) -> Vec<String> {
    compile_with(base_url, endpoint, None).err().unwrap_or_default()
}

fn with_schema(schema: &str) -> EndpointConfig {
    let mut endpoint = endpoint(Method::Post, "/x");
    endpoint.input_schema = object(schema);
    endpoint
}

fn violations(request: &Request, params: &str) -> Vec<String> {
    violations_of(request.validate(&object(params)))
}

fn violations_of(checked: Result<(), Error>) -> Vec<String> {
    checked.err().map(|error| error.faults().iter().map(ToString::to_string).collect()).unwrap_or_default()
}

fn exchange(params: &[(&str, bool, bool)]) -> AuthConfig {
    let mut auth = AuthConfig::new(AuthType::BearerTokenExchange);
    for &(name, consume, required) in params {
        auth.exchange_param_headers.push(ExchangeHeaderMapping {
            header_name: format!("X-{name}"),
            param_name: name.to_owned(),
            consume,
            required,
        });
    }
    auth
}

fn body(request: &HttpRequest) -> &str {
    std::str::from_utf8(&request.body).expect("bodies are text")
}
