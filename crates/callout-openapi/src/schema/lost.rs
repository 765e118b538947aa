//! What a schema has lost, and what has to go with it.
//!
//! What is left out of a schema is to make it accept more, and never less. But `not` and `oneOf` turn that round, and so
//! does what looks at the names that stand beside it. What loses something is marked, and what stands around a mark gives
//! way once the schema is whole.

use std::collections::BTreeMap;

use callout_core::json::{Json, Object, ObjectBuilder};

/// Marks a schema that accepts more than it was written to.
pub(crate) const LOST: &str = "$lost";
/// Marks one that does not name all members or elements any more that it was written to name, either.
pub(crate) const UNNAMED: &str = "$unnamed";
/// Marks one with a `oneOf` that [refuses what it was not meant to](super::exclusive).
pub(crate) const SEVERAL: &str = "$several";

/// How often definitions are gone through that refer to each other. What is not settled then counts as lost.
const MAX_ROUNDS: usize = 8;

/// What a keyword has for its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Schema,
    /// Schemas in a list.
    List,
    /// Schemas by name.
    Map,
    /// Something else.
    Nothing,
}

impl Holds {
    pub(crate) fn of(keyword: &str) -> Self {
        match keyword {
            "items"
            | "contains"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "propertyNames"
            | "not"
            | "if"
            | "then"
            | "else" => Self::Schema,
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => Self::List,
            "properties" | "patternProperties" | "dependentSchemas" | "$defs" => Self::Map,
            _ => Self::Nothing,
        }
    }
}

pub(crate) fn is_mark(keyword: &str) -> bool {
    matches!(keyword, LOST | UNNAMED | SEVERAL)
}

/// What stands in place of a schema that was lost as a whole.
pub(crate) fn anything() -> Json {
    ObjectBuilder::new().with(LOST, true).with(UNNAMED, true).into()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Loss {
    /// Whether more is accepted.
    any: bool,
    /// Whether fewer members or elements are named in place.
    names: bool,
}

impl Loss {
    const ALL: Self = Self { any: true, names: true };

    fn and(self, other: Self) -> Self {
        Self { any: self.any || other.any, names: self.names || other.names }
    }

    /// Of a part that speaks of another value.
    fn below(self) -> Self {
        Self { names: false, ..self }
    }
}

/// What each definition has lost.
type Known<'s> = BTreeMap<&'s str, Loss>;

/// A whole schema without marks, and without what would refuse more than it was written to for what is marked.
pub(crate) fn settled(schema: &Object) -> Object {
    let definitions = schema.get("$defs").and_then(Json::as_object);
    let mut known = Known::new();
    let mut is_settled = false;
    for _ in 0..MAX_ROUNDS {
        let before = known.clone();
        for (name, definition) in definitions.into_iter().flat_map(Object::iter) {
            let (_, loss) = part(definition, &known);
            known.insert(name, loss);
        }
        is_settled = known == before;
        if is_settled {
            break;
        }
    }
    if !is_settled {
        for loss in known.values_mut() {
            *loss = Loss::ALL;
        }
    }
    whole(schema, &known).0
}

fn part(schema: &Json, known: &Known<'_>) -> (Json, Loss) {
    match schema {
        Json::Object(members) => {
            let (written, loss) = whole(members, known);
            (written.into(), loss)
        }
        other => (other.clone(), Loss::default()),
    }
}

fn whole(members: &Object, known: &Known<'_>) -> (Object, Loss) {
    let is_unnamed = members.contains(UNNAMED);
    let mut loss = Loss { any: is_unnamed || members.contains(LOST), names: is_unnamed };
    let mut parts: Vec<(&str, Json, Loss)> = Vec::with_capacity(members.len());
    for (name, value) in members.iter().filter(|(name, _)| !is_mark(name)) {
        let (value, mut of_part) = keyword(name, value, known);
        of_part.any |= name == "oneOf" && members.contains(SEVERAL);
        loss = loss.and(match name {
            "allOf" | "anyOf" | "oneOf" | "then" | "else" | "dependentSchemas" | "$ref" => of_part,
            // It goes, and what it would have named with it.
            "if" if of_part.any => Loss::ALL,
            "$defs" => Loss::default(),
            _ => of_part.below(),
        });
        parts.push((name, value, of_part));
    }
    let has_lost = |keyword: &str| parts.iter().any(|(name, _, of_part)| *name == keyword && of_part.any);
    let (no_condition, no_count) = (has_lost("if"), has_lost("contains"));
    let mut written: Vec<(&str, Json)> = Vec::with_capacity(parts.len());
    let mut beside = None;
    for (name, value, of_part) in parts {
        let goes = match name {
            "not" => of_part.any,
            "if" | "then" | "else" => no_condition,
            "maxContains" => no_count,
            "additionalProperties" => is_unnamed,
            "unevaluatedProperties" | "unevaluatedItems" => loss.names,
            _ => false,
        };
        if goes {
            continue;
        }
        if name != "oneOf" || !of_part.any {
            written.push((name, value));
        } else if members.contains("anyOf") {
            beside = Some(Json::from(ObjectBuilder::new().with("anyOf", value)));
        } else {
            written.push(("anyOf", value));
        }
    }
    if let Some(beside) = beside {
        match written.iter_mut().find(|(name, _)| *name == "allOf") {
            Some((_, all)) => *all = all.as_array().into_iter().flatten().cloned().chain([beside]).collect(),
            None => written.push(("allOf", vec![beside].into())),
        }
    }
    (written.into_iter().collect(), loss)
}

fn keyword(name: &str, value: &Json, known: &Known<'_>) -> (Json, Loss) {
    let mut loss = Loss::default();
    let mut seen = |(written, of_part): (Json, Loss)| {
        loss = loss.and(of_part);
        written
    };
    let written = match (Holds::of(name), value) {
        (Holds::Schema, schema) => seen(part(schema, known)),
        (Holds::List, Json::Array(list)) => list.iter().map(|schema| seen(part(schema, known))).collect(),
        (Holds::Map, Json::Object(map)) => map.iter().map(|(name, schema)| (name, seen(part(schema, known)))).collect(),
        (Holds::List | Holds::Map | Holds::Nothing, _) => value.clone(),
    };
    if name == "$ref" {
        let definition = value.as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
        loss = definition.and_then(|name| known.get(name)).copied().unwrap_or_default();
    }
    (written, loss)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_a_loss_gives_way_where_it_would_refuse_more() {
        for (schema, expected) in [
            (r#"{"type":"string","$lost":true}"#, r#"{"type":"string"}"#),
            (r#"{"oneOf":[{"$lost":true},{"type":"null"}]}"#, r#"{"anyOf":[{},{"type":"null"}]}"#),
            (r#"{"oneOf":[{"minimum":1},{"type":"null"}]}"#, r#"{"oneOf":[{"minimum":1},{"type":"null"}]}"#),
            (
                r#"{"oneOf":[{"minimum":1},{"maximum":9}],"$several":true}"#,
                r#"{"anyOf":[{"minimum":1},{"maximum":9}]}"#,
            ),
            (r#"{"not":{"oneOf":[{"minimum":1},{"maximum":9}],"$several":true}}"#, "{}"),
            (
                r#"{"oneOf":[{"properties":{"a":{"items":{"$lost":true}}}}],"anyOf":[true]}"#,
                r#"{"anyOf":[true],"allOf":[{"anyOf":[{"properties":{"a":{"items":{}}}}]}]}"#,
            ),
            (
                r#"{"allOf":[{}],"oneOf":[{"$lost":true}],"anyOf":[true]}"#,
                r#"{"allOf":[{},{"anyOf":[{}]}],"anyOf":[true]}"#,
            ),
            (r#"{"type":"string","not":{"$lost":true}}"#, r#"{"type":"string"}"#),
            // What goes is a loss itself.
            (r#"{"not":{"not":{"$lost":true}}}"#, "{}"),
            (r#"{"if":{"$lost":true},"then":{"minimum":1},"else":false,"type":"number"}"#, r#"{"type":"number"}"#),
            (r#"{"if":{"minimum":1},"then":{"$lost":true}}"#, r#"{"if":{"minimum":1},"then":{}}"#),
            (r#"{"contains":{"$lost":true},"maxContains":1}"#, r#"{"contains":{}}"#),
            (r#"{"type":"object","$unnamed":true,"additionalProperties":false}"#, r#"{"type":"object"}"#),
            (
                r#"{"properties":{"a":{"$lost":true,"$unnamed":true}},"additionalProperties":false,"unevaluatedProperties":false}"#,
                r#"{"properties":{"a":{}},"additionalProperties":false,"unevaluatedProperties":false}"#,
            ),
            (r#"{"allOf":[{"$unnamed":true}],"unevaluatedProperties":false}"#, r#"{"allOf":[{}]}"#),
            (
                r#"{"allOf":[{"$lost":true}],"unevaluatedProperties":false}"#,
                r#"{"allOf":[{}],"unevaluatedProperties":false}"#,
            ),
            (r#"{"if":{"$lost":true},"then":{},"unevaluatedProperties":false}"#, "{}"),
            // A property may have the name of a mark, or of a keyword.
            (r#"{"properties":{"$lost":{},"not":{"$lost":true}}}"#, r#"{"properties":{"$lost":{},"not":{}}}"#),
            (r#"{"const":{"$lost":true}}"#, r#"{"const":{"$lost":true}}"#),
            (
                r##"{"oneOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/c"}],"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$lost":true},"c":{"not":{"$ref":"#/$defs/c"}}}}"##,
                r##"{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/c"}],"$defs":{"a":{"$ref":"#/$defs/b"},"b":{},"c":{"not":{"$ref":"#/$defs/c"}}}}"##,
            ),
        ] {
            let written = Json::parse(schema).unwrap();
            assert_eq!(Json::Object(settled(written.as_object().unwrap())).to_string(), expected, "{schema}");
        }
    }

    #[test]
    fn definitions_that_refer_to_each_other_for_long_count_as_lost() {
        let definitions: Vec<String> =
            (0..40).map(|at| format!(r##""d{at:02}":{{"not":{{"$ref":"#/$defs/d{:02}"}}}}"##, at + 1)).collect();
        let schema = format!(r#"{{"$defs":{{{},"d40":{{"$lost":true}}}}}}"#, definitions.join(","));
        let written = settled(Json::parse(&schema).unwrap().as_object().unwrap());
        let left = Json::Object(written).to_string();
        assert!(!left.contains("not"), "{left}");
    }
}
