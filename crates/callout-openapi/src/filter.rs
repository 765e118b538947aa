//! Which fields of a large answer are worth keeping.

use crate::{
    document::{Document, Found},
    object::Members,
    operation::Operation,
    report::Findings,
    shape::Shape,
    steps::Steps,
};

/// An answer that has more fields than this is large.
const LARGE: usize = 40;
/// Fields that are proposed.
const MAX_PROPOSED: usize = 14;
/// Schemas that are looked into to count fields.
const MAX_STEPS: usize = 3_000;

/// Names that tell most, first.
const TELLING: [&str; 20] = [
    "id",
    "number",
    "key",
    "name",
    "full_name",
    "title",
    "summary",
    "status",
    "state",
    "type",
    "description",
    "email",
    "login",
    "total_count",
    "total",
    "count",
    "html_url",
    "url",
    "created_at",
    "updated_at",
];

/// A `response_filter` for the operation's answer, if that is large.
pub(crate) fn propose(document: &Document, operation: &Operation<'_>) -> Option<Vec<String>> {
    let schema = answer(document, operation)?;
    if fields(document, &schema, 0, &mut { MAX_STEPS }) <= LARGE {
        return None;
    }
    let steps = &Steps::default();
    let (is_list, element) = element(document, steps, &schema)?;
    let mut proposed = telling(document, steps, &element, "");
    if !is_list {
        // A page of things: what is around them, and what tells of each.
        let members = Members::of(document, steps, &element, &mut Findings::default());
        for (name, schemas) in &members.properties {
            let is_array = |schema: &&Found<'_>| Shape::of(document, steps, schema).array;
            let Some(list) = schemas.first().filter(is_array) else { continue };
            if let Some((_, inner)) = self::element(document, steps, list).filter(|_| is_plain(name)) {
                proposed.extend(telling(document, steps, &inner, &format!("{name}.")));
                break;
            }
        }
    }
    proposed.truncate(MAX_PROPOSED);
    (!proposed.is_empty()).then_some(proposed)
}

/// The JSON schema of the first good answer.
fn answer<'d>(document: &'d Document, operation: &Operation<'d>) -> Option<Found<'d>> {
    let responses = operation.node.get("responses")?;
    let good = responses.members().find(|(status, _)| status.starts_with('2'))?.1;
    let good = document.follow(good.node, &good.place).ok()?;
    let (_, media) = good.get("content")?.members().find(|(media, _)| media.contains("json"))?;
    document.follow(media.node, &media.place).ok()?.get("schema")
}

/// The object that an answer is, or the one that its array is made of, and whether it is one of an array.
fn element<'d>(document: &'d Document, steps: &Steps, schema: &Found<'d>) -> Option<(bool, Found<'d>)> {
    let schema = document.follow(schema.node, &schema.place).ok()?;
    let shape = Shape::of(document, steps, &schema);
    if shape.array && !shape.object {
        let items = schema.get("items")?;
        return Shape::of(document, steps, &items).object.then_some((true, items));
    }
    shape.object.then_some((false, schema))
}

/// The telling scalars of an object.
fn telling(document: &Document, steps: &Steps, schema: &Found<'_>, prefix: &str) -> Vec<String> {
    let members = Members::of(document, steps, schema, &mut Findings::default());
    let is_scalar = |schemas: &[Found<'_>]| {
        schemas.first().is_some_and(|first| {
            let shape = Shape::of(document, steps, first);
            shape.scalar && !shape.object && !shape.array
        })
    };
    let names: Vec<&str> = members
        .properties
        .iter()
        .filter(|(name, all)| is_plain(name) && is_scalar(all))
        .map(|(name, _)| *name)
        .collect();
    let first = TELLING.iter().filter(|name| names.contains(name)).copied();
    let others = names.iter().filter(|name| !TELLING.contains(name) && !name.ends_with("_url") && **name != "node_id");
    first.chain(others.copied()).take(MAX_PROPOSED / 2 + 2).map(|name| format!("{prefix}{name}")).collect()
}

/// Whether a name can be a step of a dotted path.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        && !name.bytes().all(|byte| byte.is_ascii_digit())
}

/// How many fields an answer has, arrays counted once.
fn fields(document: &Document, schema: &Found<'_>, depth: u32, steps: &mut usize) -> usize {
    if depth > 6 || *steps == 0 {
        return 1;
    }
    *steps -= 1;
    let Ok(schema) = document.follow(schema.node, &schema.place) else { return 1 };
    let own = schema.get("properties").into_iter().flat_map(|all| all.members().map(|(_, member)| member));
    let items = schema.get("items").into_iter();
    let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|name| schema.get(name));
    let below = own.chain(items).chain(parts.flat_map(|list| list.elements()));
    let count: usize = below.map(|part| fields(document, &part, depth + 1, steps)).sum();
    count.max(1)
}
