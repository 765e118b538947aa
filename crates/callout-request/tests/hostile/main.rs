//! Schemas and params that are made to hurt: none may end the process, reach beyond it, or take more than
//! its bound of CPU and memory. They run in processes of their own with bounded memory, on a thread with a
//! stack of 2 MB, which is what a worker of an async runtime has.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod params;
mod schemas;

use std::{net::TcpListener, time::Duration};

use callout_core::{
    Error, ErrorKind,
    config::{BodyFormat, EndpointConfig, Method, RequestTransform},
    fault::Faults,
    json::{Json, Object},
    limits::Limits,
};
use callout_hostile::{Suite, case};
use callout_request::Request;

/// What must come of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// A fault when the schema is compiled.
    Fault,
    /// A refusal of the params that names what is wrong with them.
    Invalid,
    /// A refusal that names a limit.
    Limit,
    /// A request.
    Request,
}

/// One attack: an endpoint's schema and the params of a call.
struct Attack {
    name: String,
    schema: Object,
    params: Object,
    /// How the endpoint takes them.
    way: Way,
    ends: Ends,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Json,
    Form,
    Query,
    /// `a` as a segment of the path.
    Path,
    /// Wrapped, beside an injected field.
    Wrapped,
}

impl Way {
    fn endpoint(self) -> EndpointConfig {
        let (method, path) = match self {
            Self::Json | Self::Form | Self::Wrapped => (Method::Post, "/x{?q}"),
            Self::Query => (Method::Get, "/x?k=1{?q}"),
            Self::Path => (Method::Delete, "/x/{a}/y"),
        };
        let mut endpoint = EndpointConfig::new("e", "An endpoint", path);
        endpoint.method = method;
        match self {
            Self::Form => endpoint.body_format = BodyFormat::Form,
            Self::Wrapped => {
                endpoint.request_transform = Some(RequestTransform {
                    wrap_params_key: Some("data".to_owned()),
                    inject: vec![("k".to_owned(), "x".to_owned())],
                });
            }
            Self::Json | Self::Query | Self::Path => {}
        }
        endpoint
    }
}

fn object(text: &str) -> Object {
    Json::parse(text).unwrap_or_else(|error| panic!("{error}: {text:.80}")).as_object().cloned().unwrap()
}

fn attacks() -> Vec<Attack> {
    schemas::attacks().into_iter().chain(params::attacks()).collect()
}

/// Compiles, checks and builds as a call does.
fn attempt(attack: &Attack) -> (Ends, String) {
    let mut endpoint = attack.way.endpoint();
    endpoint.input_schema = attack.schema.clone();
    let mut faults = Faults::new();
    let Some(request) = Request::compile("https://api.example.com", &endpoint, None, &Limits::default(), &mut faults)
    else {
        return (Ends::Fault, faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    };
    let refused = |error: Error| match error.kind() {
        ErrorKind::InvalidParams => (Ends::Invalid, error.to_string()),
        ErrorKind::LimitExceeded => (Ends::Limit, error.to_string()),
        other => panic!("{other}: {error}"),
    };
    let checked = request.validate_at_once(&attack.params).unwrap_or_else(|| request.validate(&attack.params));
    if let Err(error) = checked {
        return refused(error);
    }
    match request.build(&attack.params) {
        Ok(http) => {
            assert_eq!(http.url.host_str(), Some("api.example.com"));
            (Ends::Request, format!("{} bytes", http.body.len()))
        }
        Err(error) => refused(error),
    }
}

/// What a child process does.
#[test]
fn child() {
    callout_hostile::child(|batch| {
        let all = attacks();
        for at in batch {
            let attack = &all[at];
            case(at, &attack.name, || {
                let (ends, told) = attempt(attack);
                assert!(told.len() < 100_000, "{}: a message of {} bytes", attack.name, told.len());
                format!("{ends:?}: {told:.80}")
            });
        }
    });
}

/// A check takes half a second to one and a half at the very worst, by the machine, and copies what it explains;
/// without its bounds the worst take minutes.
#[test]
fn no_schema_and_no_params_end_the_process_or_take_too_much() {
    let suite =
        Suite { stack_bytes: 2 << 20, longest: Duration::from_secs(3), most_bytes: 64 << 20, ..Suite::default() };
    let all = attacks();
    assert!(all.len() >= 100, "{} attacks", all.len());
    let seen = suite.run(&[0..all.len() / 2, all.len() / 2..all.len()]);
    let wrong = all.iter().zip(&seen).filter(|(attack, seen)| !seen.told.starts_with(&format!("{:?}: ", attack.ends)));
    let wrong: Vec<_> = wrong.map(|(attack, seen)| (attack.ends, &seen.told)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Somebody listens where the schemas point, and a file stands there: neither is met.
#[test]
fn no_schema_reaches_a_listener_or_a_file() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let canary = env!("CARGO_PKG_DESCRIPTION");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for target in [format!("http://127.0.0.1:{port}/s.json"), format!("file://{file}"), file.to_owned()] {
        for schema in [
            r#"{"$ref":"@"}"#,
            r#"{"$dynamicRef":"@#x"}"#,
            r#"{"$schema":"@"}"#,
            r#"{"$id":"@","$ref":"other"}"#,
            r#"{"$id":"@","properties":{"a":{"$ref":"?x"}}}"#,
            r#"{"properties":{"a":{"allOf":[{"$ref":"@#/a"}]}}}"#,
            r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"@"}}}"##,
        ] {
            let attack = Attack {
                name: schema.to_owned(),
                schema: object(&schema.replace('@', &target)),
                params: Object::default(),
                way: Way::Json,
                ends: Ends::Fault,
            };
            let (ends, told) = attempt(&attack);
            assert_eq!(ends, Ends::Fault, "{schema}: {told}");
            assert!(!told.contains(canary), "{told}");
        }
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
