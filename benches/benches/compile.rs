//! What loading an integration costs: paths, schema, template and URL are compiled once, then.
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use callout::{EndpointConfig, Engine, IntegrationConfig, Method, Secrets};
use callout_core::json::Json;
use criterion::{Criterion, criterion_group, criterion_main};

fn config(endpoints: usize) -> IntegrationConfig {
    (0..endpoints).fold(IntegrationConfig::new("github", "https://api.github.com"), |config, at| {
        let path = "/repos/{owner}/{repo}/issues{?state,page}";
        let mut endpoint = EndpointConfig::new(format!("issues-{at}"), "Lists issues", path);
        endpoint.method = Method::Get;
        let schema = r#"{"type":"object","properties":{"state":{"enum":["open","closed"]},"page":{"type":"integer"}}}"#;
        if let Ok(Json::Object(schema)) = Json::parse(schema) {
            endpoint.input_schema = schema;
        }
        endpoint.response_filter = Some(vec!["title".into(), "$[*].user.login".into(), "labels.name".into()]);
        endpoint.response_mapping = Some(vec![("title".into(), "title".into()), ("by".into(), "user.login".into())]);
        endpoint.result_template = Some("{% for i in result %}{{ i.title }}: {{ i.by }}\n{% endfor %}".into());
        config.with_endpoint(endpoint)
    })
}

fn compile(criterion: &mut Criterion) {
    let engine = Engine::builder().build().expect("the defaults are good");
    let mut group = criterion.benchmark_group("compile");
    for endpoints in [1, 50] {
        group.bench_function(format!("{endpoints} endpoints"), |bencher| {
            bencher.iter(|| engine.load(config(endpoints), &Secrets::new()).map(drop));
        });
    }
    group.finish();
}

criterion_group!(benches, compile);
criterion_main!(benches);
