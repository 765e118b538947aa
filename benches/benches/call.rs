//! A whole call over loopback beside bare reqwest reading the same body.
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use callout::{EgressPolicy, EndpointConfig, Engine, IntegrationConfig, Json, Method, Secrets};
use callout_benches::{github, upstream};
use criterion::{Criterion, criterion_group, criterion_main};

fn call(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("call");
    let bodies = [
        ("label, 220 B", github("issues/get-label")),
        ("issue, 6 kB", github("issues/get-parent")),
        ("commits, 3 kB", github("repos/list-commits")),
    ];
    for (name, body) in bodies {
        let address = runtime.block_on(upstream(body)).expect("loopback");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let url = format!("http://{address}/thing?id=1");
        group.bench_function(format!("{name}/bare reqwest"), |bencher| {
            bencher.to_async(&runtime).iter(|| async { client.get(&url).send().await?.bytes().await.map(drop) });
        });

        let egress = EgressPolicy::public().allow(&address.to_string()).expect("an address");
        let engine = Engine::builder().with_egress(egress).build().expect("the defaults are good");
        let mut endpoint = EndpointConfig::new("thing", "A thing", "/thing");
        endpoint.method = Method::Get;
        let config = IntegrationConfig::new("bench", format!("http://{address}")).with_endpoint(endpoint.clone());
        let plain = engine.load(config, &Secrets::new()).expect("the config is good");
        group.bench_function(format!("{name}/callout, body as it is"), |bencher| {
            bencher.to_async(&runtime).iter(|| async { engine.call(&plain, "thing", params()).await.map(drop) });
        });

        endpoint.response_mapping = Some(vec![("name".into(), "name".into()), ("by".into(), "user.login".into())]);
        endpoint.result_template = Some("{{ result | length }}".into());
        let config = IntegrationConfig::new("bench", format!("http://{address}")).with_endpoint(endpoint);
        let shaped = engine.load(config, &Secrets::new()).expect("the config is good");
        group.bench_function(format!("{name}/callout, mapped and rendered"), |bencher| {
            bencher.to_async(&runtime).iter(|| async { engine.call(&shaped, "thing", params()).await.map(drop) });
        });
    }
    group.finish();
}

fn params() -> Json {
    [("id", Json::from(1))].into_iter().collect()
}

criterion_group!(benches, call);
criterion_main!(benches);
