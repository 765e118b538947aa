//! Any path template with any params: the host, the port and the number of segments stay, and no
//! query key is added but the params' own.
#![no_main]

use callout_core::{
    config::{EndpointConfig, Method},
    fault::Faults,
    json::Json,
    limits::Limits,
};
use callout_request::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some((path, params)) = text.split_once('\n') else { return };
    let Ok(Json::Object(params)) = Json::parse(params) else { return };
    let mut endpoint = EndpointConfig::new("fuzz", "Fuzz", path);
    endpoint.method = Method::Get;
    let compiled =
        Request::compile("https://api.example.com:8443/v1", &endpoint, None, &Limits::default(), &mut Faults::new());
    let Some(request) = compiled else { return };
    let Ok(built) = request.build(&params, &[]) else { return };
    assert_eq!(built.url.origin().ascii_serialization(), "https://api.example.com:8443");
    assert!(built.url.path().starts_with("/v1"), "{}", built.url);
    let written = path.split('?').next().unwrap_or_default().split('{').next().unwrap_or_default();
    assert!(written.matches('/').count() <= built.url.path().matches('/').count(), "{}", built.url);
});
