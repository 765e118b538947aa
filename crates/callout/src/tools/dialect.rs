//! Schemas as models see them: in JSON Schema 2020-12, whatever draft they are written in.
//!
//! Anthropic refuses the whole list of tools for one whose schema is none of 2020-12, and OpenAI for an array that has
//! no `items`. What is written here takes whatever the schema takes that the engine checks.

use callout_core::json::{Json, Number, Object, ObjectBuilder, pointer_of};

/// The drafts that the engine takes, in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Draft {
    Four,
    Six,
    Seven,
    Of2019,
    Of2020,
}

impl Draft {
    /// That of a schema, which its `$schema` names.
    fn of(root: &Json) -> Self {
        let named = root.get("$schema").and_then(Json::as_str).unwrap_or_default();
        let known = [
            ("draft-04", Self::Four),
            ("draft-06", Self::Six),
            ("draft-07", Self::Seven),
            ("draft/2019-09", Self::Of2019),
        ];
        known.into_iter().find(|(name, _)| named.contains(name)).map_or(Self::Of2020, |(_, draft)| draft)
    }

    /// The one that brought a keyword, before which it says nothing.
    fn that_brought(keyword: &str) -> Self {
        match keyword {
            "const" | "contains" | "propertyNames" | "examples" => Self::Six,
            "if" | "then" | "else" | "$comment" | "readOnly" | "writeOnly" | "contentMediaType" | "contentEncoding" => {
                Self::Seven
            }
            "prefixItems" | "$dynamicRef" | "$dynamicAnchor" => Self::Of2020,
            keyword if BROUGHT_BY_2019.contains(&keyword) => Self::Of2019,
            _ => Self::Four,
        }
    }
}

const BROUGHT_BY_2019: [&str; 10] = [
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
    "minContains",
    "maxContains",
    "$recursiveRef",
    "$anchor",
    "deprecated",
    "contentSchema",
];

/// What counts beside a reference up to draft 7: it checks nothing there, or is there to be referred to.
const BESIDE_A_REFERENCE: [&str; 11] = [
    "$ref",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "$comment",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// The schema in 2020-12, without a `$schema` that names another draft, and with `items` in each array.
pub(super) fn current(root: &Json) -> Json {
    let Some(object) = root.as_object() else { return root.clone() };
    Translation { root, draft: Draft::of(root) }.of_object(object, true)
}

/// What holds one schema.
const HOLDING_ONE: [&str; 10] = [
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "contentSchema",
];

struct Translation<'s> {
    root: &'s Json,
    draft: Draft,
}

impl Translation<'_> {
    fn of(&self, schema: &Json) -> Json {
        schema.as_object().map_or_else(|| schema.clone(), |object| self.of_object(object, false))
    }

    /// What params the path adds to the root, beside a reference too, counts there.
    fn of_object(&self, schema: &Object, is_root: bool) -> Json {
        let is_alone = !is_root && self.draft <= Draft::Seven && schema.contains("$ref");
        let mut written = ObjectBuilder::with_capacity(schema.len() + 1);
        for (keyword, value) in schema.iter() {
            let is_nothing = Draft::that_brought(keyword) > self.draft;
            if is_nothing || (is_alone && !BESIDE_A_REFERENCE.contains(&keyword)) {
                continue;
            }
            if let Some((keyword, value)) = self.of_keyword(schema, keyword, value) {
                written.insert(keyword, value);
            }
        }
        if !is_alone {
            self.fill_items(schema, &mut written);
        }
        written.into()
    }

    /// What a keyword becomes; `None` for nothing. What is said of elements has its place only, for
    /// [`Translation::fill_items`].
    fn of_keyword<'k>(&self, schema: &Object, keyword: &'k str, value: &Json) -> Option<(&'k str, Json)> {
        let is_older = self.draft < Draft::Of2020;
        let translated = match (keyword, value) {
            // An empty list says nothing, and is none in 2020-12.
            ("prefixItems", Json::Array(positions)) if positions.is_empty() => return None,
            ("items", Json::Array(positions)) if !positions.is_empty() => return Some(("prefixItems", Json::Null)),
            ("items" | "prefixItems", _) => Json::Null,
            ("$schema" | "additionalItems" | "$recursiveAnchor", _) if is_older => return None,
            ("id", _) if self.draft == Draft::Four => return anchor(value),
            ("$id", _) if self.draft <= Draft::Seven => return anchor(value),
            ("$ref", Json::String(reference)) if is_older => self.moved(reference),
            // It leads where `$ref` does, for there is one resource. Beside that it is one check less.
            ("$recursiveRef", _) if is_older => return (!schema.contains("$ref")).then(|| ("$ref", value.clone())),
            ("exclusiveMinimum" | "exclusiveMaximum", Json::Bool(_)) => return None,
            ("minimum", _) if is_true(schema, "exclusiveMinimum") => return Some(("exclusiveMinimum", value.clone())),
            ("maximum", _) if is_true(schema, "exclusiveMaximum") => return Some(("exclusiveMaximum", value.clone())),
            (
                "properties" | "patternProperties" | "dependentSchemas" | "dependencies" | "$defs" | "definitions",
                Json::Object(schemas),
            ) => schemas.iter().map(|(name, schema)| (name, self.of(schema))).collect(),
            ("allOf" | "anyOf" | "oneOf", Json::Array(schemas)) => self.of_list(schemas),
            (keyword, _) if HOLDING_ONE.contains(&keyword) => self.of(value),
            _ => value.clone(),
        };
        Some((keyword, translated))
    }

    fn of_list(&self, schemas: &[Json]) -> Json {
        schemas.iter().map(|schema| self.of(schema)).collect()
    }

    /// Writes what is said of elements: in older drafts a list of `items` is `prefixItems`, and `additionalItems` speaks
    /// of those after them. `items` is always an object, and one that says nothing where nothing is said.
    fn fill_items(&self, schema: &Object, written: &mut ObjectBuilder) {
        let (positions, others) = match schema.get("items") {
            Some(Json::Array(positions)) => (Some(positions), schema.get("additionalItems")),
            others if self.draft == Draft::Of2020 => (schema.get("prefixItems").and_then(Json::as_array), others),
            others => (None, others),
        };
        if let Some(positions) = positions.filter(|positions| !positions.is_empty()) {
            written.insert("prefixItems", self.of_list(positions));
        }
        match others {
            Some(Json::Bool(false)) => {
                // No element may follow.
                let most = positions.map_or(0, |positions| positions.len());
                let given = schema.get("maxItems").and_then(Json::as_number).and_then(Number::as_whole);
                let given = given.and_then(|given| usize::try_from(given).ok());
                written.insert("maxItems", given.map_or(most, |given| given.min(most)));
                written.insert("items", Json::empty_object());
            }
            Some(others) if others.as_object().is_some() => drop(written.insert("items", self.of(others))),
            _ if positions.is_some() || others.is_some() || is_array(schema) => {
                written.insert("items", Json::empty_object());
            }
            _ => {}
        }
    }

    /// A reference, to where its target stands now.
    fn moved(&self, reference: &str) -> Json {
        let Some(pointer) = pointer_of(reference) else { return reference.into() };
        let (mut moved, mut here, mut has_moved) = (String::from("#"), Some(self.root), false);
        for step in pointer.split('/').skip(1) {
            let is_list = here.and_then(|here| here.get("items")).is_some_and(|items| items.as_array().is_some());
            let now = match step {
                "items" if is_list => "prefixItems",
                "additionalItems" if is_list => "items",
                other => other,
            };
            has_moved |= now != step;
            moved.push('/');
            moved.push_str(now);
            here = here.and_then(|here| here.pointer(&format!("/{step}")));
        }
        if has_moved { moved.into() } else { reference.into() }
    }
}

/// What drafts 4 to 7 write as an id that begins with `#`; another id is the whole schema's.
fn anchor(id: &Json) -> Option<(&'static str, Json)> {
    let name = id.as_str()?.strip_prefix('#')?;
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let begins = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    (begins && name.bytes().all(is_taken)).then(|| ("$anchor", name.into()))
}

fn is_true(schema: &Object, keyword: &str) -> bool {
    schema.get(keyword).and_then(Json::as_bool) == Some(true)
}

/// Whether arrays are among what it takes by its `type`.
fn is_array(schema: &Object) -> bool {
    match schema.get("type") {
        Some(Json::String(only)) => only == "array",
        Some(Json::Array(several)) => several.iter().any(|one| one.as_str() == Some("array")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(schema: &str) -> String {
        current(&Json::parse(schema).unwrap()).to_string()
    }

    #[test]
    fn older_drafts_are_said_in_the_current_one() {
        for (schema, expected) in [
            (
                r##"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{
                    "at":{"type":"array","items":[{"type":"number"},{"$ref":"#/properties/at/items/0","minimum":3}],
                        "additionalItems":false,"maxItems":5},
                    "more":{"items":[{}],"additionalItems":{"$ref":"#/properties/more/additionalItems/x"}},
                    "only":{"additionalItems":false,"prefixItems":[{}],"unevaluatedProperties":false}}}"##,
                r##"{"properties":{"at":{"type":"array","prefixItems":[{"type":"number"},{"$ref":"#/properties/at/prefixItems/0"}],"maxItems":2,"items":{}},"more":{"prefixItems":[{}],"items":{"$ref":"#/properties/more/items/x"}},"only":{}}}"##,
            ),
            (
                r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"type":"array","items":[]},
                    "b":{"items":[],"additionalItems":{"type":"string"}},"c":{"additionalItems":false,"items":[]}}}"#,
                r#"{"properties":{"a":{"type":"array","items":{}},"b":{"items":{"type":"string"}},"c":{"items":{},"maxItems":0}}}"#,
            ),
            // Beside a reference nothing is checked, but at the root, where params are added that the path takes.
            (
                r##"{"$schema":"http://json-schema.org/draft-06/schema","$id":"https://x.example/s",
                    "$ref":"#/definitions/p","properties":{"id":{"type":"string"}},"definitions":{
                    "p":{"properties":{"q":{"$ref":"#q","description":"Q","type":"string"}}},"q":{"$id":"#q","if":{}}}}"##,
                r##"{"$ref":"#/definitions/p","properties":{"id":{"type":"string"}},"definitions":{"p":{"properties":{"q":{"$ref":"#q","description":"Q"}}},"q":{"$anchor":"q"}}}"##,
            ),
            (
                r##"{"$schema":"http://json-schema.org/draft-04/schema#","id":"https://x.example/s","properties":{
                    "n":{"minimum":0,"exclusiveMinimum":true,"maximum":9,"exclusiveMaximum":false},
                    "c":{"const":1,"examples":{}},"id":{"id":"#n","type":"integer"},"r":{"$ref":"#n"}}}"##,
                r##"{"properties":{"n":{"exclusiveMinimum":0,"maximum":9},"c":{},"id":{"$anchor":"n","type":"integer"},"r":{"$ref":"#n"}}}"##,
            ),
            (
                r##"{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"properties":{
                    "k":{"type":"array","items":{"$recursiveRef":"#"}},"x":{"$ref":"#/$defs/x","minimum":1}},
                    "$defs":{"x":{"items":false,"minContains":1}}}"##,
                r##"{"properties":{"k":{"type":"array","items":{"$ref":"#"}},"x":{"$ref":"#/$defs/x","minimum":1}},"$defs":{"x":{"items":{},"minContains":1,"maxItems":0}}}"##,
            ),
        ] {
            assert_eq!(translated(schema), expected);
        }
    }

    #[test]
    fn each_array_says_something_of_its_elements() {
        for (schema, expected) in [
            (r#"{"type":"array"}"#, r#"{"type":"array","items":{}}"#),
            (
                r#"{"type":["array","null"],"description":"A"}"#,
                r#"{"type":["array","null"],"description":"A","items":{}}"#,
            ),
            (r#"{"prefixItems":[{"type":"array"}]}"#, r#"{"prefixItems":[{"type":"array","items":{}}],"items":{}}"#),
            (
                r#"{"prefixItems":[{},{}],"maxItems":1,"items":false}"#,
                r#"{"prefixItems":[{},{}],"maxItems":1,"items":{}}"#,
            ),
            (r#"{"prefixItems":[]}"#, r#"{"items":{}}"#),
            (r#"{"items":true,"type":"array"}"#, r#"{"items":{},"type":"array"}"#),
            (r#"{"items":{"type":"array"}}"#, r#"{"items":{"type":"array","items":{}}}"#),
            (r#"{"anyOf":[{"type":"array"},true]}"#, r#"{"anyOf":[{"type":"array","items":{}},true]}"#),
            (
                r#"{"additionalProperties":{"properties":{"type":{"type":"array"}}}}"#,
                r#"{"additionalProperties":{"properties":{"type":{"type":"array","items":{}}}}}"#,
            ),
            // Data is no schema.
            (r#"{"enum":[{"type":"array"}]}"#, r#"{"enum":[{"type":"array"}]}"#),
        ] {
            for place in [r#"{"properties":{"a":@}}"#, r#"{"$defs":{"a":@}}"#] {
                assert_eq!(translated(&place.replace('@', schema)), place.replace('@', expected));
            }
        }
        let named = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[{}],"items":{}}"#;
        assert_eq!(translated(named), named);
    }
}
