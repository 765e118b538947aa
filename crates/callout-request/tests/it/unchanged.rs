//! Properties: whatever the params are, the request goes where the config says and carries each param
//! as itself.

use std::borrow::Cow;

use callout_core::{
    ErrorKind,
    config::{BodyFormat, Method, RequestTransform},
    json::{Json, Number, Object},
};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use crate::{compile, endpoint};

/// Texts of any characters, and more of those that mean something in URLs, headers and bodies.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        r#"[./%2eE5\\?#&=;:@+ \[\]{}"'<>|^`,!$()*~a-c\r\n\t\x00-]{0,12}"#,
        Just("..".to_owned()),
        Just("%2e%2e/".to_owned()),
        Just("//evil.example".to_owned()),
        Just("https://evil.example/".to_owned()),
        Just("x&api_version=9".to_owned()),
        Just("x#y".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i128>().prop_map(Json::from),
        any::<f64>().prop_filter_map("finite", |value| Number::from_f64(value).map(Json::Number)),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((text(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn params() -> impl Strategy<Value = Object> {
    prop::collection::vec((text(), value()), 0..6).prop_map(|members| members.into_iter().collect())
}

fn with(params: &Object, more: &[(&str, Json)]) -> Object {
    let own = params.iter().map(|(name, value)| (name.to_owned(), value.clone()));
    own.chain(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))).collect()
}

/// What a server reads from a query or a form, by a decoder that is not the code's own.
fn pairs(text: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(text).unwrap()
}

/// What a flat encoding of the params says, written down anew.
fn flat(params: &Object) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut pairs = Vec::new();
    for (name, value) in params.iter() {
        let values = value.as_array().map_or_else(|| vec![value.clone()], |array| array.to_vec());
        pairs.extend(values.iter().filter(|value| !value.is_null()).map(|value| (name.to_owned(), text(value))));
    }
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_path_param_is_one_segment(id in text(), file in text(), value in text()) {
        let request = compile("https://api.example.com:8443/v1", &endpoint(Method::Get, "/u/{id}/f-{file}.json/end?k={value}&z=1"));
        let params = with(&Object::default(), &[("id", id.as_str().into()), ("file", file.as_str().into()), ("value", value.as_str().into())]);
        match request.build(&params) {
            Ok(made) => {
                prop_assert_eq!(made.url.scheme(), "https");
                prop_assert_eq!(made.url.host_str(), Some("api.example.com"));
                prop_assert_eq!(made.url.port(), Some(8443));
                prop_assert_eq!((made.url.username(), made.url.password(), made.url.fragment()), ("", None, None));
                let segments: Vec<Cow<'_, str>> = made.url.path_segments().unwrap()
                    .map(|segment| percent_decode_str(segment).decode_utf8().unwrap()).collect();
                let file = format!("f-{file}.json");
                prop_assert_eq!(segments, ["v1", "u", id.as_str(), file.as_str(), "end"]);
                prop_assert_eq!(pairs(made.url.query().unwrap()), [("k".to_owned(), value), ("z".to_owned(), "1".to_owned())]);
                prop_assert!(made.body.is_empty());
                prop_assert!(request.validate(&params).is_ok());
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidParams);
                prop_assert!(request.validate(&params).is_err());
                let climbs = |text: &str| text.replace("%25", "%").replace("%25", "%").chars().all(|found| ".%2eE56".contains(found));
                let why = id.is_empty() || file.is_empty() || climbs(&id)
                    || id.chars().chain(file.chars()).any(char::is_control);
                prop_assert!(why, "{}", error);
            }
        }
    }

    #[test]
    fn a_query_has_the_keys_of_the_path_and_of_the_params(params in params(), method in prop_oneof![Just(Method::Get), Just(Method::Delete)]) {
        let request = compile("https://api.example.com", &endpoint(method, "/x?api_version=2"));
        let made = request.build(&params);
        if params.contains("api_version") {
            prop_assert!(made.is_err());
            return Ok(());
        }
        let made = made.unwrap();
        prop_assert_eq!(&made.url[..url::Position::AfterPath], "https://api.example.com/x");
        let mut expected = vec![("api_version".to_owned(), "2".to_owned())];
        expected.extend(flat(&params));
        prop_assert_eq!(pairs(made.url.query().unwrap()), expected);
        prop_assert!(made.body.is_empty());
    }

    #[test]
    fn a_body_has_the_fields_of_the_params(params in params(), id in "[a-z]{1,4}") {
        let mut post = endpoint(Method::Post, "/x/{id}");
        let all = with(&params, &[("id", id.as_str().into())]);
        let rest: Object = params.iter().filter(|(name, _)| *name != "id").map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let json = compile("https://api.example.com", &post).build(&all).unwrap();
        prop_assert_eq!(Json::parse(std::str::from_utf8(&json.body).unwrap()).unwrap(), Json::Object(rest.clone()));
        prop_assert_eq!(json.url.as_str(), format!("https://api.example.com/x/{id}"));
        post.body_format = BodyFormat::Form;
        let form = compile("https://api.example.com", &post).build(&all).unwrap();
        prop_assert_eq!(pairs(std::str::from_utf8(&form.body).unwrap()), flat(&rest));
        prop_assert_eq!(form.headers.len(), 3);
    }

    #[test]
    fn an_injected_field_is_never_overridden(params in params(), mine in value()) {
        let mut post = endpoint(Method::Post, "/x");
        post.request_transform = Some(RequestTransform { inject: vec![("token".to_owned(), "T".to_owned())], wrap_params_key: None });
        let all = with(&params, &[("token", mine)]);
        let made = compile("https://api.example.com", &post).build(&all).unwrap();
        let body = Json::parse(std::str::from_utf8(&made.body).unwrap()).unwrap();
        prop_assert_eq!(body.get("token").and_then(Json::as_str), Some("T"));
        prop_assert_eq!(body.as_object().unwrap().len(), all.len());
        post.body_format = BodyFormat::Form;
        let made = compile("https://api.example.com", &post).build(&all).unwrap();
        let tokens: Vec<_> = pairs(std::str::from_utf8(&made.body).unwrap()).into_iter().filter(|(key, _)| key == "token").collect();
        prop_assert_eq!(tokens, [("token".to_owned(), "T".to_owned())]);
    }

    #[test]
    fn any_path_and_any_params_are_handled(path in "[/a-c{}?&=,%2e.#\\\\ :é\0-]{0,16}", base in prop_oneof![Just(""), Just("https://a.example/b/"), Just("https://a.example")], params in params()) {
        let mut faults = callout_core::fault::Faults::new();
        let limits = callout_core::limits::Limits::default();
        let path = if base.is_empty() { format!("https://a.example/{path}") } else { path };
        let compiled = callout_request::Request::compile(base, &endpoint(Method::Get, &path), None, &limits, &mut faults);
        prop_assert_eq!(compiled.is_some(), faults.is_empty(), "{:?}", faults);
        if let Some(request) = compiled {
            let _ = request.validate(&params);
            if let Ok(made) = request.build(&params) {
                prop_assert_eq!(made.url.host_str(), Some("a.example"));
                prop_assert!(http::Uri::try_from(made.url.as_str()).is_ok());
            }
        }
    }
}
