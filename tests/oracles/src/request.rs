use std::collections::BTreeSet;

use callout_core::{
    ErrorKind,
    config::{BodyFormat, EndpointConfig, Method},
    fault::Faults,
    http::HttpRequest,
    json::{Json, Object, ObjectBuilder},
    limits::Limits,
    secret::Secrets,
};
use callout_request::Request;
use url::{Url, form_urlencoded};

use crate::{line, world};

/// The request fields of an endpoint and a `base_url` on a line, then params. Whatever the params are: host,
/// port and the number of segments stay, and there is no header, query key or body field but the config's
/// and those of the params' own names; what the config sets stays as it is.
///
/// # Panics
///
/// Where that does not hold.
pub fn request(bytes: &[u8]) {
    let Some((endpoint, params)) = line(bytes) else { return };
    let (Ok(members), Ok(Json::Object(params))) = (Json::parse(endpoint), ours(params)) else { return };
    let Some(config) = world::integration(&members) else { return };
    let Some(endpoint) = config.endpoints.first() else { return };
    let limits = Limits::default();
    let mut faults = Faults::new();
    // Rules that a request relies on.
    config.check(&Secrets::new(), &limits, &mut faults);
    let Some(request) = Request::compile(&config.base_url, endpoint, None, &limits, &mut faults) else {
        assert!(!faults.is_empty(), "refused without a fault");
        return;
    };
    if !faults.is_empty() {
        return;
    }
    let valid = request.validate(&params);
    if let Err(error) = &valid {
        assert!(matches!(error.kind(), ErrorKind::InvalidParams | ErrorKind::LimitExceeded), "{error}");
        assert_eq!(request.validate(&params).map_err(|error| error.to_string()), Err(error.to_string()));
    }
    let built = match request.build(&params) {
        Ok(built) => built,
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::InvalidParams | ErrorKind::LimitExceeded), "{error}");
            let too_long = error.kind() == ErrorKind::LimitExceeded;
            assert!(valid.is_err() || too_long, "params that are valid make a request: {error}");
            return;
        }
    };
    let Ok(sample) = request.build(&sample(&endpoint.path)) else {
        panic!("a request of plain words cannot be made: {}", endpoint.path);
    };
    same_place(&config.base_url, &built.url, &sample.url);
    same_keys(endpoint, &params, &built, &sample);
    assert_eq!(built.headers, sample.headers, "no param adds a header or changes one");
    match endpoint.method {
        Method::Get | Method::Delete => assert!(built.body.is_empty(), "no body"),
        Method::Post | Method::Put | Method::Patch => fields(endpoint, &params, &built),
    }
    let again = request.build(&params).map(|again| (again.url, again.body));
    assert_eq!(again.ok(), Some((built.url, built.body)), "the same each time");
}

fn ours(params: &[u8]) -> Result<Json, ()> {
    std::str::from_utf8(params).map_err(drop).and_then(|text| Json::parse(text).map_err(drop))
}

/// A plain word for each param that the path requires.
fn sample(path: &str) -> Object {
    let mut params = ObjectBuilder::new();
    for opened in path.split('{').skip(1) {
        let name = opened.split('}').next().unwrap_or_default();
        if !name.starts_with('?') {
            params.insert(name, "word");
        }
    }
    params.build()
}

fn same_place(base: &str, built: &Url, sample: &Url) {
    assert_eq!(built.origin(), sample.origin(), "{built}");
    if let Ok(base) = Url::parse(base) {
        assert_eq!(built.origin(), base.origin(), "{built}");
        let prefix = base.path().trim_end_matches('/');
        assert!(built.path().starts_with(prefix), "{built} lies below {base}");
    }
    let segments = |url: &Url| url.path().matches('/').count();
    assert_eq!(segments(built), segments(sample), "{built} has as many segments as {sample}");
    assert!(built.username().is_empty() && built.password().is_none() && built.fragment().is_none(), "{built}");
    for segment in built.path().split('/') {
        let plain = segment.to_ascii_lowercase().replace("%25", "%").replace("%2e", ".");
        assert!(!matches!(plain.as_str(), "." | ".."), "{built} climbs");
    }
}

/// The query's keys: the path's own in their places, then those of params.
fn same_keys(endpoint: &EndpointConfig, params: &Object, built: &HttpRequest, sample: &HttpRequest) {
    let keys = |url: &Url| -> Vec<String> {
        form_urlencoded::parse(url.query().unwrap_or_default().as_bytes()).map(|(key, _)| key.into_owned()).collect()
    };
    let (found, own) = (keys(&built.url), keys(&sample.url));
    assert!(found.starts_with(&own), "{} begins with the keys of {}", built.url, sample.url);
    let optional: BTreeSet<&str> = match endpoint.path.split_once("{?") {
        Some((_, names)) => names.trim_end_matches('}').split(',').collect(),
        None => BTreeSet::new(),
    };
    for key in &found[own.len()..] {
        assert!(params.contains(key) && !own.contains(key), "{key:?} is no param's own: {}", built.url);
        let goes_there = matches!(endpoint.method, Method::Get | Method::Delete) || optional.contains(key.as_str());
        assert!(goes_there, "{key:?} is the body's: {}", built.url);
    }
}

/// The body's fields: the params' own, wrapped or not, and what is injected, which wins.
fn fields(endpoint: &EndpointConfig, params: &Object, built: &HttpRequest) {
    let transform = endpoint.request_transform.clone().unwrap_or_default();
    let injected = |key: &str| transform.inject.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let is_own = |key: &str| match transform.wrap_key() {
        Some(wrap) => key == wrap,
        None => params.contains(key),
    };
    match endpoint.body_format {
        BodyFormat::Json => {
            let body = Json::parse(&String::from_utf8_lossy(&built.body)).unwrap_or_default();
            let Json::Object(body) = body else { panic!("the body is an object: {:?}", built.body) };
            for (key, value) in body.iter() {
                match injected(key) {
                    Some(constant) => assert_eq!(value.as_str(), Some(constant.as_str()), "{key:?} is injected"),
                    None => assert!(is_own(key), "{key:?} is no param's own"),
                }
            }
            for (name, _) in &transform.inject {
                assert!(body.contains(name), "{name:?} is injected");
            }
            if let Some(wrapped) = transform.wrap_key().and_then(|wrap| body.get(wrap)) {
                let wrapped = wrapped.as_object().unwrap_or_else(|| panic!("params are an object: {wrapped}"));
                assert!(wrapped.keys().all(|key| params.contains(key)), "{wrapped:?}");
            }
        }
        BodyFormat::Form => {
            for (key, value) in form_urlencoded::parse(&built.body) {
                match injected(&key) {
                    Some(constant) => assert_eq!(value, constant.as_str(), "{key:?} is injected"),
                    None => assert!(is_own(&key), "{key:?} is no param's own"),
                }
            }
        }
    }
}
