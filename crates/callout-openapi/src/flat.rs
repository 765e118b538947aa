//! Values as pairs of key and text, as queries and forms carry them: which of OpenAPI's styles can be
//! written so, and by which params.

use callout_core::json::{Json, ObjectBuilder};

use crate::{
    document::Found,
    object::{Members, all_of},
    pointer::Pointer,
    report::Findings,
    schema::{Converter, Values, lost, may_fit_several},
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
    let shape = Shape::of_all(document, converter.steps(), schemas);
    let place = &first.place;
    let mut found = Vec::new();
    let is_delimited = matches!(style.name, "form" | "spaceDelimited" | "pipeDelimited");
    if !is_delimited && style.name != "deepObject" {
        findings.loss(place, format!("the style {:.30?} is not known and is written as `form`", style.name));
    }
    let splits = (style.name == "deepObject" || style.explode) && !shape.is_anything();
    if shape.object && splits {
        let prefix = (style.name == "deepObject").then_some(key);
        found = split(converter, prefix, schemas, required && !shape.scalar && !shape.array, 1, findings);
    } else if shape.object && !shape.is_anything() {
        findings.loss(place, "an object in one value is written as JSON text, not with commas");
    }
    if shape.object && splits && !shape.scalar && !shape.array {
        return found;
    }
    let required = required && !may_be_members(!found.is_empty(), place, findings);
    if shape.is_anything() && style.name == "deepObject" {
        findings.loss(place, format!("it may be anything: an object is written as JSON text, not as `{key}[…]`"));
    }
    let mut schema = if shape.object && splits {
        without_objects(converter, schemas, findings)
    } else {
        all_of(converter, schemas, findings)
    };
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
fn split<'d>(
    converter: &mut Converter<'d>,
    prefix: Option<&str>,
    schemas: &[Found<'d>],
    required: bool,
    depth: u32,
    findings: &mut Findings,
) -> Vec<Pair> {
    let document = converter.document();
    let Some(first) = schemas.first() else { return Vec::new() };
    let members = Members::of_all(document, converter.steps(), schemas, &mut Findings::default());
    let parts = members.alternatives.iter().flat_map(|(_, all)| all);
    let parts: Vec<Members<'d>> = parts.map(|part| Members::of(document, converter.steps(), part, findings)).collect();
    let own = members.sent(converter);
    let others: Vec<_> = parts.iter().map(|part| part.sent(converter)).collect();
    let is_open = members.additional.as_ref().is_none_or(|value| value.node.as_bool() != Some(false));
    if own.is_empty() && others.iter().all(Vec::is_empty) && is_open {
        findings.loss(&first.place, "members that are not named cannot be passed");
        return Vec::new();
    }
    if members.additional.as_ref().is_some_and(|value| value.node.as_bool() != Some(false)) {
        findings.loss(&first.place, "members beyond those that are named cannot be passed");
    }
    let mut found = Vec::new();
    for (name, schemas) in own {
        let required = required && members.requires(name);
        for pair in member(converter, prefix, name, &schemas, required, depth, findings) {
            add(&mut found, pair);
        }
    }
    let mut alternatives: Vec<Pair> = Vec::new();
    for (at, others) in others.into_iter().enumerate() {
        let mut of_one = Vec::new();
        for (name, schemas) in others {
            let required = required && members.requires(name);
            for pair in member(converter, prefix, name, &schemas, required, depth, findings) {
                add(&mut of_one, pair);
            }
        }
        // A key is required if it is in each of them.
        for known in &mut alternatives {
            known.required &= of_one.iter().any(|pair| pair.key == known.key && pair.required);
        }
        for pair in of_one {
            let required = pair.required && at == 0;
            add(&mut alternatives, Pair { required, ..pair });
        }
    }
    // What the object itself says of a key holds with each of them.
    alternatives.retain(|pair| !found.iter().any(|own| own.key == pair.key));
    found.extend(alternatives);
    found
}

/// The params for a member of an object: one, or one for each of its own members, or both.
fn member<'d>(
    converter: &mut Converter<'d>,
    prefix: Option<&str>,
    name: &str,
    schemas: &[Found<'d>],
    required: bool,
    depth: u32,
    findings: &mut Findings,
) -> Vec<Pair> {
    let Some(first) = schemas.first() else { return Vec::new() };
    let key = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}[{name}]"));
    let shape = Shape::of_all(converter.document(), converter.steps(), schemas);
    let splits = shape.object && !shape.is_anything() && prefix.is_some();
    let mut found = Vec::new();
    if splits {
        if depth >= MAX_DEPTH {
            findings.loss(&first.place, "nests too deep to be written as keys and is left out");
            return found;
        }
        findings.note(&first.place, format!("its members are written as `{key}[…]`"));
        let is_object = !shape.scalar && !shape.array;
        found = split(converter, Some(&key), schemas, required && is_object, depth + 1, findings);
        if is_object {
            return found;
        }
    } else if shape.object && !shape.is_anything() {
        findings.loss(&first.place, "an object within an object is written as JSON text");
    }
    let required = required && !may_be_members(!found.is_empty(), &first.place, findings);
    let key = if shape.array && !shape.is_anything() && prefix.is_some() {
        list_elements(converter, first, findings);
        list_key(&key, shape, &first.place, findings)
    } else {
        key
    };
    let schema =
        if splits { without_objects(converter, schemas, findings) } else { all_of(converter, schemas, findings) };
    found.push(Pair { key, schema, required, place: first.place.clone() });
    found
}

/// Adds a pair, or what it says to the one of another alternative.
fn add(found: &mut Vec<Pair>, pair: Pair) {
    match found.iter_mut().find(|other| other.key == pair.key) {
        Some(other) => other.schema = either(&other.schema, pair.schema),
        None => found.push(pair),
    }
}

/// Whether a value that is required may as well be given by its members, as keys beside it: then no key is required.
fn may_be_members(are_keys: bool, place: &Pointer, findings: &mut Findings) -> bool {
    if are_keys {
        findings.loss(place, "it is required, itself or by its members: that is not checked");
    }
    are_keys
}

/// One schema of what two alternatives say of a key.
fn either(one: &Json, other: Json) -> Json {
    let members = one.as_object().filter(|members| members.len() == 1);
    let alternatives = members.and_then(|members| members.get("anyOf")).and_then(Json::as_array);
    let mut all = alternatives.map_or_else(|| vec![one.clone()], |all| all.to_vec());
    if *one == other || all.contains(&other) {
        return one.clone();
    }
    all.push(other);
    ObjectBuilder::new().with("anyOf", all).into()
}

/// One schema of all that is said of a value whose objects have become keys of their own: without them.
fn without_objects<'d>(converter: &mut Converter<'d>, schemas: &[Found<'d>], findings: &mut Findings) -> Json {
    if let [schema] = schemas
        && let Some(separated) = separated(converter, schema, findings)
    {
        return separated;
    }
    let written = all_of(converter, schemas, findings);
    let an_object = ObjectBuilder::new().with("type", "object");
    if let Json::Object(members) = &written
        && !members.contains("not")
    {
        let own = members.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        return own.chain([("not".to_owned(), an_object.into())]).collect();
    }
    let no_object = ObjectBuilder::new().with("not", an_object);
    ObjectBuilder::new().with("allOf", vec![written, no_object.into()]).into()
}

/// A schema without its alternatives that are objects; `None` if others may be objects too.
fn separated<'d>(converter: &mut Converter<'d>, schema: &Found<'d>, findings: &mut Findings) -> Option<Json> {
    let document = converter.document();
    let found = document.follow(schema.node, &schema.place).ok()?;
    let says_more = schema.text("$ref").is_some() && schema.node.as_object().is_some_and(|all| all.len() > 1);
    if says_more || found.flag("nullable") == Some(true) {
        return None;
    }
    let is_list = |name: &str| found.node.get(name).and_then(Json::as_array).is_some_and(|list| !list.is_empty());
    let mut no_objects = is_list("type");
    let mut kept: Vec<(&str, Vec<Found<'d>>)> = Vec::new();
    for name in ["anyOf", "oneOf"].into_iter().filter(|name| is_list(name)) {
        let mut parts = Vec::new();
        let mut may_be_objects = false;
        for part in found.get(name).into_iter().flat_map(|list| list.elements()) {
            let shape = Shape::of(document, converter.steps(), &part);
            if !shape.object || shape.scalar || shape.array {
                may_be_objects |= shape.object;
                parts.push(part);
            }
        }
        no_objects |= !may_be_objects;
        kept.push((name, parts));
    }
    if !no_objects || kept.iter().any(|(_, parts)| parts.is_empty()) {
        return None;
    }
    let own = converter.convert_members(&found, |name| !matches!(name, "anyOf" | "oneOf"), findings);
    if own.is_empty()
        && let [(_, parts)] = kept.as_slice()
        && let [part] = parts.as_slice()
    {
        return Some(converter.convert(part, findings));
    }
    let mut written = ObjectBuilder::new();
    for (name, value) in own.iter() {
        let value: Json = match value.as_array() {
            Some(kinds) if name == "type" => {
                kinds.iter().filter(|kind| kind.as_str() != Some("object")).cloned().collect()
            }
            _ => value.clone(),
        };
        written.insert(name, value);
    }
    for (name, parts) in &kept {
        if *name == "oneOf" && may_fit_several(converter, parts, &Values::ANY, &found.place, findings) {
            written.insert(lost::SEVERAL, true);
        }
        let parts: Vec<Json> = parts.iter().map(|part| converter.convert(part, findings)).collect();
        written.insert(*name, parts);
    }
    Some(written.into())
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
