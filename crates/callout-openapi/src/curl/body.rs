//! The body of a line: its fields as params.

use callout_core::{
    config::{BodyFormat, Method},
    json::{Json, ObjectBuilder},
};
use url::form_urlencoded;

use super::{
    CurlError, Made, expansions,
    line::Line,
    scalar,
    secrets::{is_secret_field, is_secret_text},
};
use crate::{body::essence, params::text_schema};

/// Values within each other that are described.
const MAX_DEPTH: u32 = 12;

/// What an endpoint sends a JSON body as.
const JSON: &str = "application/json";
/// And what a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// What became of a body.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) is_there: bool,
    pub(super) format: BodyFormat,
    /// The names of its fields.
    pub(super) names: Vec<String>,
    /// Pairs that go to the query (`-G`).
    pub(super) query: Vec<(String, String)>,
}

pub(super) fn of(
    line: &Line,
    method: Method,
    headers: &mut Vec<(String, String)>,
    made: &mut Made,
) -> Result<Body, CurlError> {
    let text = joined(line);
    let mut body = Body::default();
    if method.has_body() && (line.as_query || line.data.is_empty()) {
        // A form without fields is empty, as what curl sends.
        if headers.iter().any(|(name, value)| is_content_type(name) && essence(value) == FORM) {
            body.format = BodyFormat::Form;
            without_default(headers, FORM);
        } else {
            made.losses.push("curl sends no body, and the endpoint an empty JSON object".to_owned());
            without_default(headers, JSON);
        }
    }
    if line.as_query {
        made.decoded("the query", &text);
        body.query = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        return Ok(body);
    }
    if line.data.is_empty() {
        return Ok(body);
    }
    body.is_there = method.has_body();
    if !method.has_body() {
        made.losses.push(format!("a body cannot be sent with {}: it is left out", method.as_str()));
        headers.retain(|(name, _)| !is_content_type(name));
        return Ok(body);
    }
    let content_type = headers.iter().find(|(name, _)| is_content_type(name)).map(|(_, value)| essence(value));
    let is_json = match content_type.as_deref() {
        Some(media) if media.ends_with("json") => true,
        // People forget the header, which curl sets to a form's then, and servers forgive it.
        None | Some(FORM) => line.is_json || Json::parse(&text).is_ok_and(|value| value.as_object().is_some()),
        Some(media) => return Err(CurlError::new(format!("a body of {media:.100} cannot be sent by an endpoint"))),
    };
    let unread = |why: String| match expansions::named(&text) {
        Some(named) => CurlError::new(format!(
            "the body cannot be read, for a shell puts something in place of {named} in it: write what that is"
        )),
        None => CurlError::new(why),
    };
    without_default(headers, if is_json { JSON } else { FORM });
    let fields: Vec<Field> = if is_json {
        let value = Json::parse(&text).map_err(|error| unread(format!("the body is no JSON: {error}")))?;
        let Json::Object(members) = &value else {
            return Err(CurlError::new("the body is no JSON object, and only objects can be sent"));
        };
        let field = |(name, value): (&str, &Json)| Field {
            name: name.to_owned(),
            value: value.clone(),
            is_secret: is_secret_field(name, value),
        };
        members.iter().map(field).collect()
    } else {
        if content_type.is_none() && is_no_form(&text) {
            let why = "a body of text cannot be sent by an endpoint: it is neither a JSON object nor a form";
            return Err(unread(why.to_owned()));
        }
        body.format = BodyFormat::Form;
        made.decoded("the body", &text);
        form_fields(&text)
    };
    for Field { name, value, is_secret } in fields {
        let name = made.written("the name of a field", &name);
        if is_secret {
            made.notes
                .push(format!("the field {name:.50?} may hold a secret: its value is taken out, a call gives it"));
            made.param_to_be_given(&name, schema_of(&expansions::plain_value(value), 0), true);
        } else if let Some(variable) = value.as_str().and_then(expansions::variable) {
            made.notes.push(format!("the field {name:.50?} is the variable ${variable:.50}: a call gives it"));
            made.param_to_be_given(&name, text_schema(), true);
        } else {
            let value = made.written_value(&format!("the field {name:.50?}"), value);
            made.param(&name, schema_of(&value, 0), value, true);
        }
        body.names.push(name);
    }
    Ok(body)
}

fn is_content_type(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-type")
}

/// Takes out a media type that is sent without being configured.
fn without_default(headers: &mut Vec<(String, String)>, default: &str) {
    headers.retain(|(name, value)| !is_content_type(name) || !value.trim().eq_ignore_ascii_case(default));
}

/// The data as curl puts it together.
fn joined(line: &Line) -> String {
    let pieces = line.data.iter().map(|data| {
        if !data.encode {
            return data.text.clone();
        }
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        match data.text.split_once('=') {
            Some(("", value)) => encode(value),
            Some((name, value)) => format!("{name}={}", encode(value)),
            None => encode(&data.text),
        }
    });
    pieces.collect::<Vec<_>>().join(if line.is_json { "" } else { "&" })
}

/// Whether a text that nothing calls a form is none: one without a single `=`, XML, or JSON with a mistake, whose
/// first name would be a quoted text. What is called a form may have names alone, and so may a part of one.
fn is_no_form(text: &str) -> bool {
    let Some((before, _)) = text.split_once('=') else { return !text.trim_matches('&').is_empty() };
    let start = before.trim_start();
    start.starts_with('<') || (start.starts_with(['{', '[']) && start.contains('"'))
}

/// A field of a body.
struct Field {
    name: String,
    value: Json,
    is_secret: bool,
}

fn form_fields(text: &str) -> Vec<Field> {
    let mut fields: Vec<(String, Vec<Json>, bool)> = Vec::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let is_secret = is_secret_text(&name, &value);
        match fields.iter_mut().find(|(other, ..)| *other == *name) {
            Some((_, values, holds_secret)) => {
                values.push(scalar(&value));
                *holds_secret |= is_secret;
            }
            None => fields.push((name.into_owned(), vec![scalar(&value)], is_secret)),
        }
    }
    let one = |mut values: Vec<Json>| if values.len() == 1 { values.remove(0) } else { values.into() };
    fields.into_iter().map(|(name, values, is_secret)| Field { name, value: one(values), is_secret }).collect()
}

/// The schema of values like this one.
pub(super) fn schema_of(value: &Json, depth: u32) -> Json {
    let of = |kind: &str| ObjectBuilder::new().with("type", kind);
    match value {
        Json::Null => Json::empty_object(),
        Json::Bool(_) => of("boolean").into(),
        Json::Number(number) => of(if number.is_integer() { "integer" } else { "number" }).into(),
        Json::String(_) => of("string").into(),
        Json::Array(elements) => {
            let mut items: Vec<Json> = elements.iter().map(|element| schema_of(element, depth + 1)).collect();
            items.dedup();
            match items.as_slice() {
                [one] if depth < MAX_DEPTH => of("array").with("items", one.clone()).into(),
                _ => of("array").into(),
            }
        }
        Json::Object(members) if depth < MAX_DEPTH && !members.is_empty() => {
            let properties: Json = members.iter().map(|(name, value)| (name, schema_of(value, depth + 1))).collect();
            of("object").with("properties", properties).into()
        }
        Json::Object(_) => of("object").into(),
    }
}
