//! The request body: which of its media types can be sent, and what its members are.

use std::collections::HashSet;

use callout_core::{
    config::BodyFormat,
    json::{Json, Object, ObjectBuilder},
};

use crate::{
    document::{Document, Found},
    flat::{self, Pair, Style},
    object::{self, Members, all_of},
    operation::Operation,
    report::Findings,
    schema::{Converter, Values, may_fit_several, read_only},
    shape::Shape,
    steps::Steps,
};

/// Whether a media type is of a rank.
type IsOfRank = fn(&str) -> bool;

/// Media types that can be sent, the best first.
const RANKS: [(IsOfRank, BodyFormat); 5] = [
    (|media| media == "application/json", BodyFormat::Json),
    // Of the ways to write a change the one in which an object says what it becomes (RFC 7396).
    (|media| media == "application/merge-patch+json", BodyFormat::Json),
    (is_json_object, BodyFormat::Json),
    (is_wildcard, BodyFormat::Json),
    (|media| media == "application/x-www-form-urlencoded", BodyFormat::Form),
];

/// A media type of JSON; a JSON Patch (RFC 6902) is an array, whatever its schema says.
fn is_json_object(media: &str) -> bool {
    let is_json = media.ends_with("+json") || media.ends_with("/json");
    is_json && !is_wildcard(media) && media != "application/json-patch+json"
}

/// Whether JSON is one of several media types.
fn is_wildcard(media: &str) -> bool {
    matches!(media, "*/*" | "application/*" | "application/*+json")
}

/// A body that can be sent.
#[derive(Clone, Debug)]
pub(crate) struct Body<'d> {
    pub(crate) format: BodyFormat,
    /// A media type other than the format's own.
    pub(crate) content_type: Option<String>,
    /// `None` for any object.
    pub(crate) schema: Option<Found<'d>>,
    encoding: Option<Found<'d>>,
    required: bool,
}

impl<'d> Body<'d> {
    /// How a form's `encoding` has a field written, if it says so.
    fn style_of(&self, name: &str) -> Option<Style<'d>> {
        let encodings = self.encoding.as_ref().filter(|_| self.format == BodyFormat::Form)?;
        let encoding = encodings.get(name)?;
        let is_styled = encoding.get("style").is_some() || encoding.get("explode").is_some();
        is_styled.then(|| Style::of(&encoding))
    }
}

/// What a body is made of.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) properties: Vec<Pair>,
    /// Further keywords of the object.
    pub(crate) rest: Vec<(String, Json)>,
    /// Whether params that are no part of the body may stand in the same schema.
    pub(crate) takes_params: bool,
    /// Names that are required and described in alternatives only.
    pub(crate) also_required: Vec<String>,
    /// Names of properties in alternatives.
    pub(crate) other_names: Vec<String>,
}

/// The body of an operation; `None` if there is none, or one that need not be sent.
///
/// # Errors
///
/// A reason, where the operation cannot do without one that cannot be sent.
pub(crate) fn choose<'d>(
    document: &'d Document,
    operation: &Operation<'d>,
    has_body: bool,
    steps: &Steps,
    findings: &mut Findings,
) -> Result<Option<Body<'d>>, (Found<'d>, String)> {
    let Some(written) = operation.node.get("requestBody") else { return Ok(None) };
    let fail = |why: String| Err((written.clone(), why));
    let found = match document.follow(written.node, &written.place) {
        Ok(found) => found,
        Err(why) => return fail(format!("its body cannot be read: {why}")),
    };
    let required = found.flag("required").unwrap_or(false);
    let unsendable = |why: String, findings: &mut Findings| {
        if required {
            return Err((written.clone(), why));
        }
        findings.loss(&written.place, format!("{why}; it is called without"));
        Ok(None)
    };
    let Some(content) = found.get("content") else { return Ok(None) };
    if !has_body {
        if content.members().all(|(_, media)| has_no_members(document, &media)) {
            findings.note(&written.place, "an empty body is not sent");
            return Ok(None);
        }
        return unsendable(format!("a body cannot be sent with {}", operation.method.to_uppercase()), findings);
    }
    let chosen = RANKS.into_iter().find_map(|(is_of_rank, format)| {
        let found = content.members().find(|(media, _)| is_of_rank(essence(media).as_str()));
        Some((found?, format))
    });
    let Some(((media, node), format)) = chosen else {
        let all: Vec<&str> = content.members().map(|(media, _)| media).take(5).collect();
        return match all.as_slice() {
            [] => Ok(None),
            _ => unsendable(format!("a body of {:.200} cannot be sent", all.join(", ")), findings),
        };
    };
    let node = match document.follow(node.node, &node.place) {
        Ok(node) => node,
        Err(why) => return unsendable(format!("its body cannot be read: {why}"), findings),
    };
    let schema = node.get("schema");
    if let Some(schema) = &schema
        && !Shape::of(document, steps, schema).object
    {
        return unsendable("its body is no object, and only objects can be sent".to_owned(), findings);
    }
    let essence = essence(media);
    let is_plain = essence == "application/json" || is_wildcard(&essence) || format == BodyFormat::Form;
    let content_type = (!is_plain).then(|| media.to_owned());
    Ok(Some(Body { format, content_type, schema, encoding: node.get("encoding"), required }))
}

/// Whether a body can have nothing in it.
fn has_no_members(document: &Document, media: &Found<'_>) -> bool {
    let Some(schema) = media.get("schema") else { return false };
    let Ok(schema) = document.follow(schema.node, &schema.place) else { return false };
    let closed = schema.flag("additionalProperties") == Some(false);
    let empty = schema.node.get("properties").and_then(Json::as_object).is_some_and(Object::is_empty);
    empty && closed && ["allOf", "anyOf", "oneOf"].iter().all(|name| schema.node.get(name).is_none())
}

/// A media type without its parameters, in lower case.
pub(crate) fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The members of a body.
pub(crate) fn fields<'d>(converter: &mut Converter<'d>, body: &Body<'d>, findings: &mut Findings) -> Fields {
    let document = converter.document();
    let Some(schema) = &body.schema else { return Fields { takes_params: true, ..Fields::default() } };
    let shape = Shape::of(document, converter.steps(), schema);
    if shape.is_anything() {
        findings.note(&schema.place, "the body may be anything: an object is sent");
    }
    let members = Members::of(document, converter.steps(), schema, findings);
    let mut fields = Fields { takes_params: true, ..Fields::default() };
    for (name, schemas) in members.sent(converter) {
        let required = members.requires(name);
        let place = schemas.first().map(|first| first.place.clone()).unwrap_or_default();
        if body.format == BodyFormat::Form {
            fields.properties.extend(form_field(converter, body, name, &schemas, required, findings));
        } else {
            let schema = all_of(converter, &schemas, findings);
            fields.properties.push(Pair { key: name.to_owned(), schema, required, place });
        }
    }
    // Names that are required and not described.
    for name in &members.required {
        let is_described = members.properties.iter().any(|(other, _)| other == name);
        let in_alternatives = !members.alternatives.is_empty();
        if !is_described && in_alternatives {
            fields.also_required.push((*name).to_owned());
        } else if !is_described {
            let schema = Json::empty_object();
            let place = schema_place(body);
            fields.properties.push(Pair { key: (*name).to_owned(), schema, required: true, place });
        }
    }
    if !body.required && fields.properties.iter().any(|pair| pair.required) {
        findings.note(&schema.place, "the body need not be sent, but always is");
    }
    write_rest(converter, body, &members, &mut fields, findings);
    fields
}

fn schema_place(body: &Body<'_>) -> crate::pointer::Pointer {
    body.schema.as_ref().map(|schema| schema.place.clone()).unwrap_or_default()
}

fn form_field<'d>(
    converter: &mut Converter<'d>,
    body: &Body<'d>,
    name: &str,
    schemas: &[Found<'d>],
    required: bool,
    findings: &mut Findings,
) -> Vec<Pair> {
    if let Some(style) = body.style_of(name) {
        return flat::pairs(converter, name, schemas, style, required, findings);
    }
    let schema = all_of(converter, schemas, findings);
    let place = schemas.first().map(|first| first.place.clone()).unwrap_or_default();
    vec![Pair { key: name.to_owned(), schema, required, place }]
}

/// Reports a field of an alternative that is written otherwise than its encoding says: there it is no pair.
fn report_style<'d>(
    converter: &Converter<'d>,
    body: &Body<'d>,
    name: &str,
    schemas: &[Found<'d>],
    findings: &mut Findings,
) {
    let (Some(style), Some(first)) = (body.style_of(name), schemas.first()) else { return };
    let shape = Shape::of(converter.document(), converter.steps(), first);
    let is_joined = shape.array && (!style.explode || style.name == "deepObject");
    if !shape.is_anything() && (shape.object || is_joined) {
        findings.loss(&first.place, format!("{name:.100?} stands in an alternative: its `encoding` is not followed"));
    }
}

/// What is said of the object as a whole.
fn write_rest<'d>(
    converter: &mut Converter<'d>,
    body: &Body<'d>,
    members: &Members<'d>,
    fields: &mut Fields,
    findings: &mut Findings,
) {
    let document = converter.document();
    if let Some(additional) = &members.additional {
        let written = match additional.node {
            Json::Bool(is) => (*is).into(),
            _ => converter.convert(additional, findings),
        };
        if written.as_bool() != Some(true) {
            fields.rest.push(("additionalProperties".to_owned(), written));
        }
    }
    let is_only_read = |all: &[Found<'d>]| all.iter().any(|schema| read_only(converter, schema.node));
    let only_read = members.properties.iter().filter(|(_, all)| is_only_read(all)).map(|(name, _)| *name);
    let only_read: HashSet<&str> = only_read.collect();
    let around = Values::objects(members.required.iter().copied().filter(|name| !only_read.contains(name)));
    let mut all: Vec<Json> = Vec::new();
    for (name, parts) in &members.alternatives {
        let mut written: Vec<Json> = Vec::new();
        for part in parts {
            let inner = Members::of(document, converter.steps(), part, &mut Findings::default());
            fields.other_names.extend(inner.properties.iter().map(|(name, _)| (*name).to_owned()));
            for (name, schemas) in inner.sent(converter) {
                report_style(converter, body, name, &schemas, findings);
            }
            fields.takes_params &= !object::is_closed_behind(document, converter.steps(), part);
            // Written here and now, so that it can be opened for params of the path.
            let found = document.follow(part.node, &part.place).unwrap_or_else(|_| part.clone());
            written.push(converter.convert(&found, findings));
        }
        let place = parts.first().map(|part| part.place.clone()).unwrap_or_default();
        let gives_way = *name == "oneOf" && may_fit_several(converter, parts, &around, &place, findings);
        all.push(ObjectBuilder::new().with(if gives_way { "anyOf" } else { *name }, written).into());
    }
    match all.as_slice() {
        [] => {}
        [one] => fields.rest.extend(
            one.as_object().into_iter().flat_map(Object::iter).map(|(name, value)| (name.to_owned(), value.clone())),
        ),
        _ => fields.rest.push(("allOf".to_owned(), all.into())),
    }
    let others = members.write_others(converter, findings);
    let whole = |name: &str| matches!(name, "not" | "if" | "patternProperties" | "propertyNames" | "dependentSchemas");
    fields.takes_params &= !others.iter().any(|(name, _)| whole(name));
    fields.rest.extend(others);
}
