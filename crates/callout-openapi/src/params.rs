//! Parameters: which can be sent, and as what.

use callout_core::{
    config::rules,
    fault::Faults,
    json::{Json, ObjectBuilder},
};

use crate::{
    document::{Document, Found},
    endpoint::Given,
    flat::{self, Pair, Style},
    pointer::Pointer,
    report::Findings,
    schema::Converter,
    shape::Shape,
    text,
};

/// Characters of a param's description.
const DESCRIPTION: usize = 300;

/// A param of the path.
#[derive(Clone, Debug)]
pub(crate) struct PathParam {
    /// As the document's path has it.
    pub(crate) name: String,
    pub(crate) schema: Json,
    /// What stands before the value (`;id=`, `.`).
    pub(crate) before: String,
    pub(crate) place: Pointer,
}

/// What the parameters of an operation become.
#[derive(Debug, Default)]
pub(crate) struct Params {
    pub(crate) path: Vec<PathParam>,
    pub(crate) query: Vec<Pair>,
    /// Constant headers.
    pub(crate) headers: Vec<(String, String)>,
}

/// Sorts the parameters of an operation.
pub(crate) fn collect<'d>(
    converter: &mut Converter<'d>,
    parameters: &[Found<'d>],
    given: Given<'_>,
    findings: &mut Findings,
) -> Params {
    let mut params = Params { headers: given.headers.to_vec(), ..Params::default() };
    for parameter in parameters {
        let name = parameter.text("name").unwrap_or_default();
        match parameter.text("in").unwrap_or_default() {
            "path" => params.path.push(in_path(converter, name, parameter, findings)),
            "query" => {
                for pair in in_query(converter, name, parameter, findings) {
                    if params.query.iter().any(|other| other.key == pair.key) {
                        findings.loss(&pair.place, format!("the query key {:.100?} is taken already", pair.key));
                    } else {
                        params.query.push(pair);
                    }
                }
            }
            // Every call has it already.
            "header" if given.auth.is_some_and(|header| name.eq_ignore_ascii_case(header)) => {}
            "header" => {
                let header = in_header(converter, name, parameter, &params.headers, given.auth, findings);
                params.headers.extend(header);
            }
            "cookie" => findings.loss(&parameter.place, format!("the cookie {name:.100?} is not sent")),
            other => findings.loss(
                &parameter.place,
                format!("the parameter {name:.100?} stands in {other:.30?}, which is no place here"),
            ),
        }
    }
    params
}

fn in_path<'d>(converter: &mut Converter<'d>, name: &str, parameter: &Found<'d>, findings: &mut Findings) -> PathParam {
    let document = converter.document();
    let schema = schema_of(document, parameter);
    let shape = schema.as_ref().map(|schema| Shape::of(document, converter.steps(), schema));
    let mut written = schema.map_or_else(text_schema, |schema| converter.convert(&schema, findings));
    if let Some(shape) = shape
        && !shape.is_anything()
        && (shape.array || shape.object)
    {
        if shape.scalar {
            findings.loss(&parameter.place, "only single values can stand in the path, no arrays and objects");
        } else {
            findings
                .loss(&parameter.place, "an array or object in the path becomes text with commas between its parts");
            written = flat::as_text(&written, "Several values are written with a comma between them.");
        }
    }
    let before = match parameter.text("style").unwrap_or("simple") {
        "label" => ".".to_owned(),
        "matrix" => format!(";{name}="),
        _ => String::new(),
    };
    let schema = described(written, parameter);
    PathParam { name: name.to_owned(), schema, before, place: parameter.place.clone() }
}

fn in_query<'d>(
    converter: &mut Converter<'d>,
    name: &str,
    parameter: &Found<'d>,
    findings: &mut Findings,
) -> Vec<Pair> {
    let required = parameter.flag("required").unwrap_or(false);
    let Some(schema) = schema_of(converter.document(), parameter) else {
        let schema = described(text_schema(), parameter);
        return vec![Pair { key: name.to_owned(), schema, required, place: parameter.place.clone() }];
    };
    if parameter.get("schema").is_none() {
        // `content`: the value is a text of that media type.
        let shape = Shape::of(converter.document(), converter.steps(), &schema);
        let mut written = converter.convert(&schema, findings);
        if shape.scalar || shape.array {
            findings.loss(&parameter.place, "a value of a media type of its own becomes its text");
            written = flat::as_text(&written, "Written as JSON text.");
        }
        let schema = described(written, parameter);
        return vec![Pair { key: name.to_owned(), schema, required, place: parameter.place.clone() }];
    }
    let mut pairs = flat::pairs(converter, name, &[schema], Style::of(parameter), required, findings);
    for pair in &mut pairs {
        if pair.key == name {
            pair.schema = described(std::mem::take(&mut pair.schema), parameter);
        }
    }
    pairs
}

/// A header that can be sent all the same: one that has a single value.
fn in_header<'d>(
    converter: &Converter<'d>,
    name: &str,
    parameter: &Found<'d>,
    known: &[(String, String)],
    auth: Option<&str>,
    findings: &mut Findings,
) -> Option<(String, String)> {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    // The specification has these ignored.
    if ["accept", "content-type"].into_iter().any(is) || known.iter().any(|(other, _)| is(other)) {
        return None;
    }
    let required = parameter.flag("required").unwrap_or(false);
    // This one too, for a security scheme describes it: here none does.
    if is("authorization") {
        let is_needed = if required { "is required and not sent" } else { "is not sent" };
        let why = match auth {
            None => "`--auth bearer_token` sends a token in it".to_owned(),
            Some(other) => format!("the secret is sent in {other:.100?}"),
        };
        findings.loss(&parameter.place, format!("the header {name:.100?} {is_needed}: {why}"));
        return None;
    }
    let schema = schema_of(converter.document(), parameter)
        .and_then(|schema| converter.document().follow(schema.node, &schema.place).ok())
        .map(|found| found.node);
    let single = schema.and_then(|schema| {
        let constants = schema.get("enum").and_then(Json::as_array);
        schema.get("const").or_else(|| constants.filter(|constants| constants.len() == 1)?.first())
    });
    let default = schema.and_then(|schema| schema.get("default"));
    let value = match (single, default) {
        (Some(value), _) => Some(value),
        (None, Some(value)) if required => {
            findings.loss(&parameter.place, format!("the header {name:.100?} is sent with its default, always"));
            Some(value)
        }
        _ => None,
    };
    let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let mut faults = Faults::new();
    rules::header_name(name, &mut faults);
    rules::header_value(text.as_deref().unwrap_or_default(), &mut faults);
    match text {
        Some(text) if faults.is_empty() => Some((name.to_owned(), text)),
        _ if required => {
            findings.loss(
                &parameter.place,
                format!("the header {name:.100?} is required and not sent: give it its value (`--header`)"),
            );
            None
        }
        _ => {
            findings.loss(&parameter.place, format!("the header {name:.100?} is not sent"));
            None
        }
    }
}

/// The schema of a parameter: its own, or of its media type.
pub(crate) fn schema_of<'d>(document: &'d Document, parameter: &Found<'d>) -> Option<Found<'d>> {
    if let Some(schema) = parameter.get("schema") {
        return Some(schema);
    }
    let (_, media) = parameter.get("content")?.members().next()?;
    match document.follow(media.node, &media.place) {
        Ok(media) => media.get("schema"),
        // Taken for the schema, it is reported as one that cannot be read.
        Err(_) => Some(media),
    }
}

/// The schema of any text.
pub(crate) fn text_schema() -> Json {
    ObjectBuilder::new().with("type", "string").into()
}

/// With the parameter's own description, which says more than its schema's.
fn described(schema: Json, parameter: &Found<'_>) -> Json {
    let description = parameter.text("description").map(|text| text::brief(text, DESCRIPTION));
    let description = description.filter(|text| !text.is_empty());
    let deprecated = parameter.flag("deprecated") == Some(true);
    let Json::Object(members) = &schema else { return schema };
    if description.is_none() && !deprecated {
        return schema;
    }
    let mut written = ObjectBuilder::new();
    for (name, value) in members.iter() {
        written.insert(name, value.clone());
    }
    if let Some(text) = description {
        written.insert("description", text);
    }
    if deprecated {
        written.insert("deprecated", true);
    }
    written.into()
}
