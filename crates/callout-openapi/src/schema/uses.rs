//! How often a schema is referred to, within one operation.

use std::collections::HashMap;

use callout_core::json::Json;

use crate::{
    document::{Document, Found},
    pointer::Pointer,
};

/// References that are counted for one operation.
const MAX_STEPS: usize = 50_000;

/// How often each schema is referred to.
#[derive(Debug, Default)]
pub(crate) struct Uses(HashMap<Pointer, u32>);

impl Uses {
    /// Counts the references that lie below some schemas, each target once looked into.
    pub(crate) fn of<'d>(document: &'d Document, roots: &[Found<'d>]) -> Self {
        let mut uses = Self::default();
        let mut open: Vec<&'d Json> = roots.iter().map(|root| root.node).collect();
        let mut steps = 0;
        while let Some(node) = open.pop() {
            steps += 1;
            if steps > MAX_STEPS {
                break;
            }
            match node {
                Json::Array(elements) => open.extend(elements.iter()),
                Json::Object(members) => {
                    if members.get("$ref").and_then(Json::as_str).is_some()
                        && let Ok(found) = document.follow(node, &Pointer::root())
                    {
                        let count = uses.0.entry(found.place).or_insert(0);
                        *count += 1;
                        if *count == 1 {
                            open.push(found.node);
                        }
                    }
                    let holds_schemas =
                        |name: &str| !matches!(name, "example" | "examples" | "default" | "enum" | "const");
                    open.extend(members.iter().filter(|(name, _)| holds_schemas(name)).map(|(_, value)| value));
                }
                _ => {}
            }
        }
        uses
    }

    /// Whether a schema is referred to more than once; one that refers to itself is.
    pub(crate) fn is_shared(&self, place: &Pointer) -> bool {
        // What was not counted for want of room is taken as shared: it may refer to itself.
        self.0.get(place).is_none_or(|count| *count > 1)
    }
}

/// Whether a schema is small and refers to nothing.
pub(super) fn is_small(node: &Json, bytes: usize) -> bool {
    fn size(node: &Json, left: &mut usize) -> bool {
        let cost = match node {
            Json::String(text) => 2 + text.len(),
            Json::Object(members) if members.contains("$ref") => return false,
            _ => 4,
        };
        match left.checked_sub(cost) {
            Some(rest) => *left = rest,
            None => return false,
        }
        match node {
            Json::Array(elements) => elements.iter().all(|element| size(element, left)),
            Json::Object(members) => members.iter().all(|(name, value)| {
                let cost = if matches!(name, "description" | "example" | "title") { 0 } else { name.len() + 4 };
                let fits = left.checked_sub(cost).is_some_and(|rest| {
                    *left = rest;
                    true
                });
                fits && size(value, left)
            }),
            _ => true,
        }
    }
    size(node, &mut { bytes })
}
