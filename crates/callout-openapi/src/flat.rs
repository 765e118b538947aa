//! Values as pairs of key and text, as queries and forms carry them: which of OpenAPI's styles can be
//! written so, and by which params.

use callout_core::json::{Json, ObjectBuilder};

use crate::{
    document::Found,
    object::{Members, all_of},
    pointer::Pointer,
    report::Findings,
    schema::Converter,
    shape::{self, Shape},
};

/// Objects within each other that become keys.
const MAX_DEPTH: u32 = 4;

/// A param that becomes pairs under one key.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) schema: Json,
    pub(crate) required: bool,
    pub(crate) place: Pointer,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style<'d> {
    pub(crate) name: &'d str,
    pub(crate) explode: bool,
}

impl<'d> Style<'d> {
    /// Of a parameter or an encoding.
    pub(crate) fn of(holder: &Found<'d>) -> Self {
        let name = holder.text("style").unwrap_or("form");
        Self { name, explode: holder.flag("explode").unwrap_or(name == "form") }
    }
}

/// The params for a value: one under its key, or one for each member of an object.
pub(crate) fn pairs<'d>(
    converter: &mut Converter<'d>,
    key: &str,
    schemas: &[Found<'d>],
    style: Style<'d>,
    required: bool,
    findings: &mut Findings,
) -> Vec<Pair> {
    let document = converter.document();
    let Some(first) = schemas.first() else { return Vec::new() };
    let shape = Shape::of(document, converter.steps(), first);
    let place = &first.place;
    let mut found = Vec::new();
    let is_delimited = matches!(style.name, "form" | "spaceDelimited" | "pipeDelimited");
    if !is_delimited && style.name != "deepObject" {
        findings.loss(place, format!("the style {:.30?} is not known and is written as `form`", style.name));
    }
    let splits = (style.name == "deepObject" || style.explode) && !shape.is_anything();
    if shape.object && splits {
        let members = Members::of(document, converter.steps(), first, &mut Findings::default());
        let prefix = (style.name == "deepObject").then_some(key);
        split(converter, prefix, first, &members, required && !shape.scalar && !shape.array, 1, findings, &mut found);
    } else if shape.object && !shape.is_anything() {
        findings.loss(place, "an object in one value is written as JSON text, not with commas");
    }
    if shape.object && splits && !shape.scalar && !shape.array {
        return found;
    }
    let mut schema = all_of(converter, schemas, findings);
    if shape.array && !shape.is_anything() {
        if style.name == "deepObject" {
            let own = Shape { object: false, ..shape };
            let key = list_key(key, own, place, findings);
            list_elements(converter, first, findings);
            found.push(Pair { key, schema, required, place: place.clone() });
            return found;
        }
        if !style.explode {
            let mark = match style.name {
                "spaceDelimited" => "a space",
                "pipeDelimited" => "`|`",
                _ => "a comma",
            };
            findings.loss(place, format!("an array in one value becomes text with {mark} between the elements"));
            schema = as_text(&schema, &format!("Several values are written with {mark} between them."));
        }
        list_elements(converter, first, findings);
    }
    found.push(Pair { key: key.to_owned(), schema, required, place: place.clone() });
    found
}

/// One param for each member of an object: `member`, or `prefix[member]`.
#[expect(clippy::too_many_arguments, reason = "it calls itself with all of them")]
fn split<'d>(
    converter: &mut Converter<'d>,
    prefix: Option<&str>,
    schema: &Found<'d>,
    members: &Members<'d>,
    required: bool,
    depth: u32,
    findings: &mut Findings,
    found: &mut Vec<Pair>,
) {
    let document = converter.document();
    let alternatives = members.alternatives.iter().flat_map(|(_, all)| all);
    let parts: Vec<Members<'d>> =
        alternatives.map(|part| Members::of(document, converter.steps(), part, findings)).collect();
    let all: Vec<_> =
        members.sent(converter).into_iter().chain(parts.iter().flat_map(|part| part.sent(converter))).collect();
    let is_open = members.additional.as_ref().is_none_or(|value| value.node.as_bool() != Some(false));
    if all.is_empty() && is_open {
        findings.loss(&schema.place, "members that are not named cannot be passed");
        return;
    }
    if members.additional.as_ref().is_some_and(|value| value.node.as_bool() != Some(false)) {
        findings.loss(&schema.place, "members beyond those that are named cannot be passed");
    }
    for (name, schemas) in all {
        let key = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}[{name}]"));
        let required = required && members.requires(name);
        let Some(first) = schemas.first() else { continue };
        let shape = Shape::of(document, converter.steps(), first);
        if shape.object && !shape.is_anything() && prefix.is_some() {
            if depth >= MAX_DEPTH {
                findings.loss(&first.place, "nests too deep to be written as keys and is left out");
                continue;
            }
            findings.note(&first.place, format!("its members are written as `{key}[…]`"));
            let inner = Members::of(document, converter.steps(), first, &mut Findings::default());
            split(converter, Some(&key), first, &inner, required && !shape.scalar, depth + 1, findings, found);
            if !shape.scalar {
                continue;
            }
        } else if shape.object && !shape.is_anything() {
            findings.loss(&first.place, "an object within an object is written as JSON text");
        }
        let key = if shape.array && !shape.is_anything() && prefix.is_some() {
            list_elements(converter, first, findings);
            list_key(&key, shape, &first.place, findings)
        } else {
            key
        };
        if found.iter().any(|other| other.key == key) {
            continue;
        }
        let schema = all_of(converter, &schemas, findings);
        found.push(Pair { key, schema, required, place: first.place.clone() });
    }
}

/// The key of an array in brackets. OpenAPI does not say how such a one is written; those who read brackets
/// take `key[]`.
fn list_key(key: &str, shape: Shape, place: &Pointer, findings: &mut Findings) -> String {
    if shape.scalar {
        findings.loss(place, format!("either an array or a single value: only the array is sent, as `{key}[]`"));
    } else {
        findings.note(place, format!("the document does not say how an array is written here: `{key}[]` is repeated"));
    }
    format!("{key}[]")
}

fn list_elements<'d>(converter: &Converter<'d>, schema: &Found<'d>, findings: &mut Findings) {
    let elements = shape::of_elements(converter.document(), converter.steps(), schema);
    if (elements.object || elements.array) && !elements.is_anything() {
        findings.loss(&schema.place, "elements that are no scalars are written as JSON text");
    }
}

/// A schema of text with what was said of the other.
pub(crate) fn as_text(schema: &Json, how: &str) -> Json {
    let described = schema.get("description").and_then(Json::as_str);
    let text = described.map_or_else(|| how.to_owned(), |text| format!("{text} {how}"));
    ObjectBuilder::new().with("type", "string").with("description", text).into()
}
