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
/// A part of one that has no more than these is small.
const SMALL: usize = 8;
/// Paths that are proposed.
const MAX_PROPOSED: usize = 14;
/// Scalars of one object that are proposed.
const MAX_SCALARS: usize = 9;
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

/// A `response_filter` for the operation's answer, if that is large. None is proposed that might leave out what the answer
/// is about.
pub(crate) fn propose(document: &Document, operation: &Operation<'_>) -> Option<Vec<String>> {
    let schema = answer(document, operation)?;
    if fields(document, &schema, 0, &mut { MAX_STEPS }) <= LARGE {
        return None;
    }
    let proposed = Look { document, steps: &Steps::default() }.paths(&schema, "", MAX_PROPOSED)?;
    (!proposed.is_empty()).then_some(proposed)
}

struct Look<'d, 's> {
    document: &'d Document,
    steps: &'s Steps,
}

impl<'d> Look<'d, '_> {
    /// What tells of a value, or of each element of a list, in so many paths at most.
    fn paths(&self, schema: &Found<'d>, prefix: &str, room: usize) -> Option<Vec<String>> {
        let (is_list, element) = element(self.document, self.steps, schema)?;
        let members = Members::of(self.document, self.steps, &element, &mut Findings::default());
        // Of alternatives nobody knows which it will be.
        if !members.alternatives.is_empty() || room == 0 {
            return None;
        }
        if is_list { self.of_thing(&members, prefix, room) } else { self.of_one(&members, prefix, room) }
    }

    /// The scalars of one of many things, if they tell of it.
    fn of_thing(&self, members: &Members<'d>, prefix: &str, room: usize) -> Option<Vec<String>> {
        let names = self.scalars(members);
        let tells = names.iter().any(|name| TELLING.contains(name));
        tells.then(|| names.iter().take(room.min(MAX_SCALARS)).map(|name| format!("{prefix}{name}")).collect())
    }

    /// Of an object that there is one of, its scalars, what is small as a whole, and what tells of the one member that
    /// is large. Of several that are it takes a person to choose.
    fn of_one(&self, members: &Members<'d>, prefix: &str, room: usize) -> Option<Vec<String>> {
        let mut small = Vec::new();
        let mut large = None;
        for (name, schemas) in members.properties.iter().filter(|(_, all)| !self.is_scalar(all)) {
            let schema = schemas.first().filter(|_| is_plain(name))?;
            if fields(self.document, schema, 0, &mut { MAX_STEPS }) <= SMALL {
                small.push(format!("{prefix}{name}"));
            } else if large.replace((*name, schema)).is_some() {
                return None;
            }
        }
        if small.len() > room / 4 {
            return None;
        }
        let inner = match large {
            Some((name, schema)) => self.paths(schema, &format!("{prefix}{name}."), room / 2)?,
            None => Vec::new(),
        };
        let left = room.saturating_sub(small.len() + inner.len()).min(MAX_SCALARS);
        let own = self.scalars(members).into_iter().take(left).map(|name| format!("{prefix}{name}"));
        Some(own.chain(small).chain(inner).collect())
    }

    /// The names of an object's scalars, those that tell most first.
    fn scalars(&self, members: &Members<'d>) -> Vec<&'d str> {
        let scalars = members.properties.iter().filter(|(name, all)| is_plain(name) && self.is_scalar(all));
        let names: Vec<&str> = scalars.map(|(name, _)| *name).collect();
        let first = TELLING.iter().filter(|name| names.contains(name)).copied();
        let others =
            names.iter().filter(|name| !TELLING.contains(name) && !name.ends_with("_url") && **name != "node_id");
        first.chain(others.copied()).collect()
    }

    fn is_scalar(&self, schemas: &[Found<'d>]) -> bool {
        schemas.first().is_some_and(|first| {
            let shape = Shape::of(self.document, self.steps, first);
            shape.scalar && !shape.object && !shape.array
        })
    }
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
