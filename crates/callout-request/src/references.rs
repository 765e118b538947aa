//! References within a schema, and what becomes of them where its root is changed: what they mean stays.

use callout_core::json::{Json, Object, pointer_of, unescaped_step};

/// Where schemas stand to be referred to; `definitions` up to draft 7, and where generators still write it.
pub const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// What a definition made of a root has not of it: its own definitions stay where they are, and ids are the root's.
const NOT_IN_A_DEFINITION: [&str; 5] = ["$defs", "definitions", "$schema", "$id", "id"];

/// The keyword and the name of the definition that a reference goes to: `#/$defs/name`, `#/definitions/name`.
pub fn definition(reference: &str) -> Option<(&'static str, String)> {
    let pointer = pointer_of(reference)?;
    let (keyword, name) = pointer.strip_prefix('/')?.split_once('/')?;
    let keyword = DEFINITIONS.into_iter().find(|known| *known == keyword)?;
    Some((keyword, unescaped_step(name).into_owned()))
}

/// A schema whose root is not what it was in `whole`, which it was made of: what refers to the root, or to a place of
/// it that is no definition, leads to the whole, which becomes a definition. The same schema if nothing does.
///
/// ```
/// use callout_core::json::Json;
/// use callout_request::references::rerooted;
///
/// // A tree of labels, and the same with an id at its root.
/// let whole = Json::parse(r##"{"properties": {"label": {}, "kids": {"items": {"$ref": "#"}}}}"##)?;
/// let changed = Json::parse(r##"{"properties": {"label": {}, "kids": {"items": {"$ref": "#"}}, "id": {}}}"##)?;
/// let kids = rerooted(&changed, &whole);
/// assert_eq!(kids.pointer("/properties/kids/items/$ref"), Some(&Json::from("#/$defs/params")));
/// assert_eq!(kids.pointer("/$defs/params/properties/id"), None);
/// # Ok::<(), callout_core::json::ReadError>(())
/// ```
pub fn rerooted(schema: &Json, whole: &Json) -> Json {
    let definitions = schema.get("$defs").and_then(Json::as_object);
    let mut name = "params".to_owned();
    while definitions.is_some_and(|all| all.contains(&name)) {
        name.push('_');
    }
    let mut is_referred_to = false;
    let schema = repointed(schema, &name, &mut is_referred_to);
    let (Some(root), Some(whole)) = (schema.as_object(), whole.as_object()) else { return schema };
    if !is_referred_to {
        return schema;
    }
    let kept = whole.iter().filter(|(keyword, _)| !NOT_IN_A_DEFINITION.contains(keyword));
    let whole: Json = kept.map(|(keyword, value)| (keyword, value.clone())).collect();
    let own = (name.as_str(), repointed(&whole, &name, &mut is_referred_to));
    let definitions = root.get("$defs").and_then(Json::as_object).into_iter().flat_map(Object::iter);
    let definitions: Json = definitions.map(|(name, schema)| (name, schema.clone())).chain([own]).collect();
    let members = root.iter().map(|(keyword, value)| (keyword, value.clone()));
    members.chain([("$defs", definitions)]).collect()
}

/// With each reference to the root going to that definition.
fn repointed(value: &Json, definition_name: &str, is_referred_to: &mut bool) -> Json {
    match value {
        Json::Object(members) => {
            let members = members.iter().map(|(keyword, member)| {
                let place =
                    member.as_str().filter(|_| matches!(keyword, "$ref" | "$recursiveRef")).and_then(place_of_root);
                let changed: Json = match place {
                    Some(place) => {
                        *is_referred_to = true;
                        format!("#/$defs/{definition_name}{place}").into()
                    }
                    None => repointed(member, definition_name, is_referred_to),
                };
                (keyword, changed)
            });
            members.collect()
        }
        Json::Array(elements) => {
            elements.iter().map(|element| repointed(element, definition_name, is_referred_to)).collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}

/// What stands behind the `#` of a reference to the root, or to a place of it that is no definition.
fn place_of_root(reference: &str) -> Option<&str> {
    let place = reference.strip_prefix('#')?;
    let is_of_root = place.is_empty() || (place.starts_with('/') && definition(reference).is_none());
    is_of_root.then_some(place)
}
