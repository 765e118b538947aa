//! What it costs to turn params into a request, with and without a schema.
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use callout_core::{
    config::{EndpointConfig, Method},
    fault::Faults,
    json::{Json, Object},
    limits::Limits,
};
use callout_request::Request;
use criterion::{Criterion, criterion_group, criterion_main};

fn object(text: &str) -> Object {
    match Json::parse(text) {
        Ok(Json::Object(object)) => object,
        _ => Object::default(),
    }
}

fn request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    let schema = r#"{"type":"object","properties":{"state":{"enum":["open","closed"]},"page":{"type":"integer"}}}"#;
    let cases = [
        ("get", Method::Get, "/repos/{owner}/{repo}/issues{?state}", ""),
        ("get with schema", Method::Get, "/repos/{owner}/{repo}/issues{?state}", schema),
        ("post json", Method::Post, "/repos/{owner}/{repo}/issues", ""),
    ];
    for (name, method, path, schema) in cases {
        let mut endpoint = EndpointConfig::new("bench", "Benchmark", path);
        endpoint.method = method;
        endpoint.input_schema = object(schema);
        let mut faults = Faults::new();
        let request = Request::compile("https://api.github.com", &endpoint, None, &Limits::default(), &mut faults);
        let request = request.expect("the config is good");
        let params = object(r#"{"owner":"rust-lang","repo":"log","state":"open","page":2}"#);
        group.bench_function(name, |bencher| {
            bencher.iter(|| request.validate(&params).and_then(|()| request.build(&params)).map(drop));
        });
    }
    group.finish();
}

criterion_group!(benches, request);
criterion_main!(benches);
