//! How much a schema may hold in OpenAI's strict mode.
//!
//! The bounds are those of OpenAI's guide "Structured Outputs", section "Supported schemas"
//! (<https://platform.openai.com/docs/guides/structured-outputs>), as of February 2026. For one schema beyond them the
//! whole list of tools is refused.

use callout_core::json::{Json, Object};

/// Properties of all objects.
const MAX_PROPERTIES: usize = 5_000;

/// Values of all enums.
const MAX_VALUES: usize = 1_000;

/// Characters of all names of properties and definitions, and of all values of `enum` and `const`.
const MAX_CHARACTERS: usize = 120_000;

/// How many values an enum may have whatever their length.
const FEW_VALUES: usize = 250;

/// Characters of the values of an enum that has more.
const MAX_CHARACTERS_OF_MANY: usize = 15_000;

/// Whether a schema that is said in strict mode's subset is within its bounds.
pub(super) fn is_within_bounds(schema: &Json) -> bool {
    let mut size = Size::default();
    let has_fitting_enums = size.add(schema);
    let Size { properties, values, characters } = size;
    has_fitting_enums && properties <= MAX_PROPERTIES && values <= MAX_VALUES && characters <= MAX_CHARACTERS
}

#[derive(Default)]
struct Size {
    properties: usize,
    values: usize,
    characters: usize,
}

impl Size {
    /// Counts what a schema holds; false, and no more is counted, if one of its enums is too large by itself.
    fn add(&mut self, schema: &Json) -> bool {
        let mut keywords = schema.as_object().into_iter().flat_map(Object::iter);
        keywords.all(|(keyword, value)| match (keyword, value) {
            ("properties", Json::Object(properties)) => {
                self.properties += properties.len();
                self.add_named(properties)
            }
            ("$defs" | "definitions", Json::Object(definitions)) => self.add_named(definitions),
            ("anyOf", Json::Array(parts)) => parts.iter().all(|part| self.add(part)),
            ("items", items) => self.add(items),
            ("enum", Json::Array(values)) => self.add_enum(values),
            ("const", value) => {
                self.characters += characters(value);
                true
            }
            _ => true,
        })
    }

    fn add_named(&mut self, schemas: &Object) -> bool {
        schemas.iter().all(|(name, schema)| {
            self.characters += name.chars().count();
            self.add(schema)
        })
    }

    fn add_enum(&mut self, values: &[Json]) -> bool {
        let characters: usize = values.iter().map(characters).sum();
        self.values += values.len();
        self.characters += characters;
        values.len() <= FEW_VALUES || characters <= MAX_CHARACTERS_OF_MANY
    }
}

fn characters(value: &Json) -> usize {
    value.as_str().map_or_else(|| value.to_string().len(), |text| text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Properties, of which each takes so many texts of that length.
    fn enums(properties: usize, values: usize, length: usize) -> Json {
        let values: Json = (0..values).map(|at| Json::from(format!("{at:0length$}"))).collect();
        let property: Json = [("enum", values)].into_iter().collect();
        let properties: Json = (0..properties).map(|at| (format!("p{at}"), property.clone())).collect();
        [("properties", properties)].into_iter().collect()
    }

    /// So many properties, each with a name of that length.
    fn named(properties: usize, length: usize) -> Json {
        let properties: Json = (0..properties).map(|at| (format!("{at:0length$}"), Json::empty_object())).collect();
        [("properties", properties)].into_iter().collect()
    }

    #[test]
    fn each_bound_holds_for_a_schema_as_a_whole() {
        for (schema, fits) in [
            (enums(2, 500, 4), true),
            (enums(2, 501, 4), false),
            (enums(1, 250, 100), true),
            (enums(1, 251, 59), true),
            (enums(1, 251, 60), false),
            (named(5_000, 4), true),
            (named(5_001, 4), false),
            (named(100, 1_200), true),
            (named(100, 1_201), false),
        ] {
            let shown = schema.to_string().chars().take(100).collect::<String>();
            assert_eq!(is_within_bounds(&schema), fits, "{shown}");
            // Wherever it stands.
            let within: Json = [("items", schema.clone())].into_iter().collect();
            let defined: Json = [("d", within)].into_iter().collect();
            let root: Json = [("$defs", defined)].into_iter().collect();
            // Its own name is one character more.
            assert!(is_within_bounds(&root) == fits || schema == named(100, 1_200), "{shown}");
            let alternatives: Json = [schema].into_iter().collect();
            let root: Json = [("anyOf", alternatives)].into_iter().collect();
            assert_eq!(is_within_bounds(&root), fits, "{shown}");
        }
    }
}
