//! What values a schema lets through, as far as it matters for where they are written.

use callout_core::json::Json;

use crate::{
    document::{Document, Found},
    steps::Steps,
};

/// Combinations within each other that are looked into.
const MAX_DEPTH: u32 = 12;
/// Constants that are looked at in one step.
const CONSTANTS_A_STEP: usize = 64;

/// Which kinds of values may occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) scalar: bool,
    pub(crate) array: bool,
    pub(crate) object: bool,
}

impl Shape {
    const NOTHING: Self = Self { scalar: false, array: false, object: false };
    const ANYTHING: Self = Self { scalar: true, array: true, object: true };

    fn or(self, other: Self) -> Self {
        Self {
            scalar: self.scalar || other.scalar,
            array: self.array || other.array,
            object: self.object || other.object,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            scalar: self.scalar && other.scalar,
            array: self.array && other.array,
            object: self.object && other.object,
        }
    }

    /// Whether a schema says nothing of the kind.
    pub(crate) fn is_anything(self) -> bool {
        self == Self::ANYTHING
    }

    /// Of a schema; null is no value here. What is too deep, or beyond the steps, may be anything.
    pub(crate) fn of(document: &Document, steps: &Steps, schema: &Found<'_>) -> Self {
        Self::look(document, steps, schema, 0)
    }

    /// Of a value of which all of these are said.
    pub(crate) fn of_all(document: &Document, steps: &Steps, schemas: &[Found<'_>]) -> Self {
        schemas.iter().fold(Self::ANYTHING, |shape, schema| shape.and(Self::of(document, steps, schema)))
    }

    fn look(document: &Document, steps: &Steps, schema: &Found<'_>, depth: u32) -> Self {
        if depth > MAX_DEPTH || !steps.take(1) {
            return Self::ANYTHING;
        }
        let Ok(schema) = document.follow(schema.node, &schema.place) else { return Self::ANYTHING };
        let mut shape = match schema.node.get("type") {
            Some(Json::String(kind)) => Self::of_kind(kind),
            Some(Json::Array(kinds)) => {
                kinds.iter().filter_map(Json::as_str).map(Self::of_kind).fold(Self::NOTHING, Self::or)
            }
            _ if schema.node.get("properties").is_some() => Self { object: true, ..Self::NOTHING },
            _ if schema.node.get("items").is_some() => Self { array: true, ..Self::NOTHING },
            _ => Self::ANYTHING,
        };
        if let Some(constants) = schema.node.get("enum").and_then(Json::as_array)
            && steps.take(constants.len() / CONSTANTS_A_STEP)
            && constants.iter().all(|value| value.as_array().is_none() && value.as_object().is_none())
        {
            shape = shape.and(Self { scalar: true, ..Self::NOTHING });
        }
        for (name, all) in [("allOf", true), ("anyOf", false), ("oneOf", false)] {
            let Some(list) = schema.get(name).filter(|list| list.node.as_array().is_some_and(|list| !list.is_empty()))
            else {
                continue;
            };
            let mut parts = list.elements().map(|part| Self::look(document, steps, &part, depth + 1));
            let combined = if all {
                parts.fold(Self::ANYTHING, Self::and)
            } else {
                let first = parts.next().unwrap_or(Self::ANYTHING);
                parts.fold(first, Self::or)
            };
            shape = shape.and(combined);
        }
        shape
    }

    fn of_kind(kind: &str) -> Self {
        match kind {
            "array" => Self { array: true, ..Self::NOTHING },
            "object" => Self { object: true, ..Self::NOTHING },
            "null" => Self::NOTHING,
            "string" | "number" | "integer" | "boolean" => Self { scalar: true, ..Self::NOTHING },
            _ => Self::ANYTHING,
        }
    }
}

/// The shape of an array's elements.
pub(crate) fn of_elements(document: &Document, steps: &Steps, schema: &Found<'_>) -> Shape {
    let Ok(schema) = document.follow(schema.node, &schema.place) else { return Shape::ANYTHING };
    if let Some(items) = schema.get("items") {
        return Shape::of(document, steps, &items);
    }
    // Of alternatives, the arrays.
    let alternatives =
        ["anyOf", "oneOf"].into_iter().filter_map(|name| schema.get(name)).flat_map(|list| list.elements());
    let arrays = alternatives.filter(|part| Shape::of(document, steps, part).array);
    arrays
        .filter_map(|part| {
            let part = document.follow(part.node, &part.place).ok()?;
            Some(Shape::of(document, steps, &part.get("items")?))
        })
        .reduce(Shape::or)
        .unwrap_or(Shape { scalar: true, ..Shape::NOTHING })
}
