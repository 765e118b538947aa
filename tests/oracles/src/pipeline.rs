use std::time::Duration;

use callout_core::{
    ErrorKind,
    config::EndpointConfig,
    fault::Faults,
    json::{Json, Number, Object},
    limits::Limits,
    redact::Redactor,
    time::Deadline,
};
use callout_response::{Input, Length, Pipeline, Text, read_body};

use crate::{line, world};

/// A secret of the integration, which may stand in bodies and params and in no text.
const SECRET: &str = "k3y-of-the-shop";

/// The response fields of an endpoint on a line, with `params` and `status` if they matter; a content type on
/// a line; then a body. With a trace and without, of the whole body and of what is wanted of it the text is
/// the same; it keeps its limit and stays JSON; no secret is in it; stages fail in the ways that stages fail.
///
/// # Panics
///
/// Where that does not hold.
pub fn pipeline(bytes: &[u8]) {
    let Some((endpoint, rest)) = line(bytes) else { return };
    let Some((content_type, body)) = line(rest) else { return };
    let Ok(members) = Json::parse(endpoint) else { return };
    let Some(config) = world::integration(&members) else { return };
    let Some(endpoint) = config.endpoints.first() else { return };
    let limits = Limits::default();
    let mut faults = Faults::new();
    let Some(pipeline) = Pipeline::compile(endpoint, &limits, &mut faults) else {
        assert!(!faults.is_empty(), "refused without a fault");
        return;
    };
    let status = members.get("status").and_then(Json::as_number).and_then(Number::as_u64);
    let status = status.and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let bytes = body;
    let body = match read_body(status, Some(content_type), body, &limits) {
        Ok(body) => body,
        Err(error) => return assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}"),
    };
    let redactor = Redactor::new([SECRET]);
    let body = redactor.json(&body);
    let nothing = Object::default();
    let params = members.get("params").and_then(Json::as_object).unwrap_or(&nothing);
    let clock = world::clock();
    let deadline = Deadline::after(&clock, Duration::from_mins(1));
    let input = Input { body: &body, params, status, redactor: &redactor, clock: &clock, deadline };
    let (run, traced) = (pipeline.run(&input), pipeline.trace(&input));
    if let Some(wanted) = pipeline.run_wanted(bytes, &limits, &Input { body: &Json::Null, ..input }) {
        let Ok(run) = &run else { panic!("only a part of the body gives a text: {wanted:?}") };
        assert_eq!(wanted.text, run.text, "of what is wanted of the body, and of all of it");
        assert_eq!(wanted.truncation.map(|cut| cut.kept), run.truncation.map(|cut| cut.kept));
    }
    match (&run, &traced.text, &traced.error) {
        (Ok(run), Some(text_traced), None) => {
            assert_eq!(run.text, text_traced.text, "with a trace and without");
            lengths(endpoint, run, text_traced);
            text(endpoint, made_of(endpoint, traced.after_result_key.as_ref()), run);
        }
        (Err(run), None, Some(error)) => {
            assert_eq!((run.kind(), run.to_string()), (error.kind(), error.to_string()), "with a trace and without");
            let known = [ErrorKind::LimitExceeded, ErrorKind::ResultKeyMissing, ErrorKind::Template];
            assert!(known.contains(&run.kind()), "{run}");
            assert!(!run.to_string().contains(SECRET), "{run}");
            assert!(run.to_string().len() < 8_192, "{run}");
        }
        other => panic!("without a trace and with: {other:?}"),
    }
}

/// The value that the text is made of, where no template makes it.
fn made_of<'a>(endpoint: &EndpointConfig, value: Option<&'a Json>) -> Option<&'a Json> {
    value.filter(|_| endpoint.result_template.as_deref().unwrap_or_default().is_empty())
}

/// Both tell of the same cut, the trace exactly: but for a template that fails behind its limit.
fn lengths(endpoint: &EndpointConfig, run: &Text, traced: &Text) {
    let (Some(run), Some(traced)) = (run.truncation, traced.truncation) else {
        return assert_eq!(run.truncation, traced.truncation, "both cut or neither");
    };
    assert_eq!(run.kept, traced.kept);
    match (run.from, traced.from) {
        (Length::Exactly(length), Length::Exactly(from)) => assert_eq!(length, from),
        (Length::AtLeast(length), Length::Exactly(from)) => assert!(length <= from, "at least {length} of {from}"),
        (Length::AtLeast(length), Length::AtLeast(from)) => {
            assert!(endpoint.result_template.is_some(), "without a template a trace tells lengths exactly");
            assert!(length <= from, "at least {length}, and of a trace {from}");
        }
        (Length::Exactly(length), Length::AtLeast(from)) => panic!("{length} exactly, and of a trace at least {from}"),
    }
}

/// What holds of every text.
fn text(endpoint: &EndpointConfig, value: Option<&Json>, text: &Text) {
    let characters = text.text.chars().count();
    let most = endpoint.max_result_length;
    assert!(
        most == 0 || u64::try_from(characters).is_ok_and(|characters| characters <= most),
        "{characters} of {most}"
    );
    assert!(!text.text.contains(SECRET), "{}", text.text);
    if let Some(cut) = text.truncation {
        assert_eq!(cut.kept, characters);
    }
    match value {
        // A template's text is any text, and a string stands as it is.
        None | Some(Json::String(_)) => {}
        Some(Json::Null) => assert_eq!(text.text, ""),
        Some(value) if text.truncation.is_none() => assert_eq!(text.text, value.to_string()),
        Some(_) => assert!(text.text.is_empty() || Json::parse(&text.text).is_ok(), "{}", text.text),
    }
}
