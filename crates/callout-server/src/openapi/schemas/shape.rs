//! Turns what the derive writes into the form that the contract has: nullable values as
//! `anyOf [.., null]`, a title on each property, integers without a format.

use callout::{Json, json::ObjectBuilder};

use super::{members, with, without};

/// Titles that do not follow from the name.
const TITLES: [(&str, &str, &str); 5] = [
    ("ValidationError", "loc", "Location"),
    ("ValidationError", "msg", "Message"),
    ("ValidationError", "type", "Error Type"),
    ("ValidationError", "ctx", "Context"),
    ("ValidationError", "input", "Input"),
];

/// What says something about a property rather than about its values: it stands outside of `anyOf`.
const OUTSIDE: [&str; 5] = ["title", "description", "default", "examples", "deprecated"];

/// A schema of its own, with its title.
pub(super) fn schema(name: &str, raw: &Json) -> Json {
    if raw.get("properties").is_none() && raw.get("type").and_then(Json::as_str) == Some("string") {
        return plain(raw);
    }
    let mut properties = ObjectBuilder::new();
    let mut optional = Vec::new();
    for (field, property) in members(raw, "properties") {
        let property = nulls(&plain(&property));
        if property.get("default").is_some() {
            optional.push(field.clone());
        }
        let own = TITLES.iter().find(|(schema, own, _)| (*schema, *own) == (name, &*field)).map(|(_, _, title)| *title);
        let title = own.map_or_else(|| title(&field), str::to_owned);
        properties = properties.with(field, titled(&property, &title));
    }
    let required: Vec<Json> = super::elements(raw, "required")
        .filter(|field| !optional.iter().any(|optional| field.as_str() == Some(optional)))
        .collect();
    let rest = plain(&without(raw, &["properties", "required"]));
    let mut schema = ObjectBuilder::new().with("title", schema_title(name));
    for (key, value) in rest.as_object().cloned().unwrap_or_default().iter() {
        schema = schema.with(key, value.clone());
    }
    schema = schema.with("properties", properties);
    if !required.is_empty() {
        schema = schema.with("required", required.into_iter().collect::<Json>());
    }
    schema.into()
}

/// `anyOf` of a value and null; what speaks of the property stays outside.
pub(super) fn nullable(property: &Json) -> Json {
    let inside = without(property, &OUTSIDE);
    let null = ObjectBuilder::new().with("type", "null");
    let variants: Json = [inside, null.into()].into_iter().collect();
    let mut outside = ObjectBuilder::new().with("anyOf", variants);
    for name in OUTSIDE {
        if let Some(value) = property.get(name) {
            outside = outside.with(name, value.clone());
        }
    }
    outside.into()
}

/// `header_name` as "Header Name".
pub(crate) fn title(name: &str) -> String {
    let words = name.split(['_', '-']).map(|word| {
        let mut chars = word.chars();
        chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `Page_Item_` as "Page[Item]".
fn schema_title(name: &str) -> String {
    match name.strip_suffix('_').and_then(|name| name.split_once('_')) {
        Some((outer, inner)) => format!("{outer}[{inner}]"),
        None => name.to_owned(),
    }
}

/// A property gets its title unless it is another schema, which has its own.
fn titled(property: &Json, title: &str) -> Json {
    let first = property.get("anyOf").and_then(Json::as_array).and_then(|variants| variants.iter().next());
    if property.get("$ref").is_some() || first.is_some_and(|first| first.get("$ref").is_some()) {
        return property.clone();
    }
    with(property, "title", Json::from(title))
}

/// `type: [X, "null"]` as `anyOf`; what is said of another schema that may be null, outside of both.
fn nulls(property: &Json) -> Json {
    if let Some([inner, _]) = property.get("anyOf").and_then(Json::as_array).map(|variants| &variants[..])
        && inner.get("$ref").is_some()
    {
        return nullable(inner);
    }
    let Some(types) = property.get("type").and_then(Json::as_array) else { return property.clone() };
    let kind = types.iter().find(|kind| kind.as_str() != Some("null")).cloned().unwrap_or_default();
    nullable(&with(property, "type", kind))
}

/// What the derive says too much, or says otherwise, at any depth.
fn plain(raw: &Json) -> Json {
    match raw {
        Json::Array(elements) => elements.iter().map(plain).collect(),
        Json::Object(members) => {
            if let Some(inlined) = inlined(raw) {
                return plain(&inlined);
            }
            let mut object = ObjectBuilder::new();
            for (name, value) in members.iter() {
                object = match (name, value) {
                    ("propertyNames", _) => object,
                    ("format", format) if is_number_format(format) => object,
                    ("enum", Json::Array(words)) if words.iter().any(Json::is_null) => {
                        object.with(name, words.iter().filter(|word| !word.is_null()).cloned().collect::<Json>())
                    }
                    ("enum", Json::Array(words)) if words.iter().count() == 1 => {
                        object.with("const", words.iter().next().cloned().unwrap_or_default())
                    }
                    ("additionalProperties", value) if value.as_object().is_some_and(|any| any.iter().count() == 0) => {
                        object.with(name, true)
                    }
                    // Null last.
                    ("oneOf", Json::Array(variants)) => {
                        let mut variants: Vec<Json> = variants.iter().map(plain).collect();
                        variants.sort_by_key(|variant| variant.get("type").and_then(Json::as_str) == Some("null"));
                        object.with("anyOf", variants.into_iter().collect::<Json>())
                    }
                    // The lines of a comment are one paragraph.
                    ("description", Json::String(text)) => {
                        let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
                        object.with(name, paragraphs.collect::<Vec<_>>().join("\n\n"))
                    }
                    ("default" | "examples", value) => object.with(name, value.clone()),
                    (_, value) => object.with(name, plain(value)),
                };
            }
            object.into()
        }
        other => other.clone(),
    }
}

/// `allOf` of an inlined type and of what its field says besides, as one schema.
fn inlined(raw: &Json) -> Option<Json> {
    let [kind, says] = &raw.get("allOf")?.as_array()?[..] else { return None };
    let says = without(says, &["type"]);
    let kind = without(kind, &["description"]);
    let (kind, says) = (kind.as_object()?, says.as_object()?);
    Some(kind.iter().chain(says.iter()).map(|(name, value)| (name.to_owned(), value.clone())).collect())
}

fn is_number_format(format: &Json) -> bool {
    matches!(format.as_str(), Some("int32" | "int64" | "float" | "double"))
}
