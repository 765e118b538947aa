//! Dropping what nests deeper than a stack is.

use super::Json;

/// Takes apart what stands in these values and is held by nobody else, level by level: what is left of
/// them is dropped without recursion.
pub(super) fn unnest<'a>(values: impl IntoIterator<Item = &'a mut Json>) {
    let mut open = Vec::new();
    take(values, &mut open);
    while let Some(value) = open.pop() {
        match value {
            Json::Array(mut array) => take(&mut array.take_unshared(), &mut open),
            Json::Object(mut object) => take(object.take_unshared().iter_mut().map(|(_, value)| value), &mut open),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
}

/// Moves out of their places the arrays and objects that hold others; what holds none is dropped where
/// it is, one level down.
fn take<'a>(values: impl IntoIterator<Item = &'a mut Json>, open: &mut Vec<Json>) {
    let nested = values.into_iter().filter(|value| match value {
        Json::Array(elements) => elements.iter().any(is_container),
        Json::Object(members) => members.values().any(is_container),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    });
    open.extend(nested.map(std::mem::take));
}

fn is_container(value: &Json) -> bool {
    matches!(value, Json::Array(_) | Json::Object(_))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::ObjectBuilder;
    use super::*;

    fn nested(levels: usize) -> Json {
        let mut value = Json::from(1);
        for level in 0..levels {
            value = match level % 3 {
                0 => vec![value].into(),
                1 => ObjectBuilder::new().with("a", value).with("b", "text").into(),
                _ => vec![Json::Null, value.clone(), value].into(),
            };
        }
        value
    }

    #[test]
    fn a_million_levels_are_dropped_on_a_small_stack() {
        let drops = || {
            let value = nested(1_000_000);
            let shared = value.clone();
            drop(value);
            assert!(shared.as_array().is_some());
            let other = thread::Builder::new().stack_size(64 << 10).spawn(move || drop(shared)).unwrap();
            other.join().unwrap();
        };
        thread::Builder::new().stack_size(64 << 10).spawn(drops).unwrap().join().unwrap();
    }

    #[test]
    fn what_is_shared_stays_whole() {
        let inner = nested(5);
        let written = inner.to_string();
        let outer: Json = vec![inner.clone(), Json::from(vec![inner.clone()])].into();
        drop(outer);
        assert_eq!(inner.to_string(), written);
    }
}
