//! Counters for Prometheus. Labels have few values: route patterns, never paths, names or ids.

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use callout::{Error, TokenCache};
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::Registry,
};

use crate::{App, access::Asker, error::ApiError};

/// Seconds; a call takes as long as its upstream does.
const BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram>,
    in_flight: Gauge,
    calls: Family<CallLabels, Counter>,
    call_seconds: Histogram,
    connection_tests: Family<ConnectionLabels, Counter>,
    abandoned: Family<RouteLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: Arc<str>,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    outcome: &'static str,
}

/// The engine counts its tokens itself; its counters are read when the metrics are.
#[derive(Debug)]
struct Tokens(TokenCache);

impl Collector for Tokens {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        for (name, help, value) in [
            ("token_cache_hits", "Calls that found their token in the cache", stats.hits),
            ("token_fetches", "Tokens asked for at a token endpoint", stats.fetches),
            ("token_failures", "Token requests that failed", stats.failures),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

/// A request being answered; it is counted until this is dropped.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    pub(crate) fn new(tokens: TokenCache) -> Self {
        let mut registry = Registry::with_prefix("callout");
        registry.register_collector(Box::new(Tokens(tokens)));
        let requests = Family::default();
        registry.register("http_requests", "Requests answered, by route and status", requests.clone());
        let request_seconds: Family<RouteLabels, Histogram> = Family::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register("http_request_seconds", "How long requests took", request_seconds.clone());
        let in_flight = Gauge::default();
        registry.register("http_requests_in_flight", "Requests being answered", in_flight.clone());
        let calls = Family::default();
        registry.register("calls", "Calls of endpoints, by outcome: ok or the error's code", calls.clone());
        let call_seconds = Histogram::new(BUCKETS);
        registry.register("call_seconds", "How long calls of endpoints took", call_seconds.clone());
        let connection_tests = Family::default();
        let help = "Tests of integrations' connections, by what was found";
        registry.register("connection_tests", help, connection_tests.clone());
        let abandoned = Family::default();
        registry.register("http_requests_abandoned", "Requests whose client went away", abandoned.clone());
        Self { registry, requests, request_seconds, in_flight, calls, call_seconds, connection_tests, abandoned }
    }

    pub(crate) fn in_flight(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(crate) fn answered(&self, method: &Method, route: &Arc<str>, status: u16, duration: Duration) {
        let labels = RequestLabels { method: label(method), route: Arc::clone(route), status };
        self.requests.get_or_create(&labels).inc();
        let labels = RouteLabels { route: Arc::clone(route) };
        self.request_seconds.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    pub(crate) fn abandoned(&self, route: &Arc<str>) {
        self.abandoned.get_or_create(&RouteLabels { route: Arc::clone(route) }).inc();
    }

    pub(crate) fn called(&self, kind: &'static str, error: Option<&Error>, duration: Duration) {
        let outcome = error.map_or("ok", |error| error.kind().code());
        self.calls.get_or_create(&CallLabels { kind, outcome }).inc();
        self.call_seconds.observe(duration.as_secs_f64());
    }

    pub(crate) fn connection_tested(&self, outcome: &'static str) {
        self.connection_tests.get_or_create(&ConnectionLabels { outcome }).inc();
    }
}

/// A method of the client's own making is no label.
fn label(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// `GET /metrics`, for the operator.
pub(crate) async fn show(State(app): State<App>, asker: Asker) -> Result<Response, ApiError> {
    asker.operator()?;
    let mut text = String::new();
    let failed =
        |_| ApiError::new(http::StatusCode::INTERNAL_SERVER_ERROR, "internal", "the metrics could not be written");
    encode(&mut text, &app.metrics().registry).map_err(failed)?;
    let mut response = text.into_response();
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
