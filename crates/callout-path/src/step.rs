//! Going down by one level, known by name or by number.

use callout_core::json::{Json, Object, SmolStr};

use crate::{
    budget::{Budget, TooMuch},
    route::Hop,
};

/// Up to this many members a name is looked for one by one: the index that larger objects make at
/// their first look-up pays off only when many names are looked up.
const ONE_BY_ONE: usize = 256;

/// A step to one child of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member of that name.
    Name(SmolStr),
    /// The element of that index; a negative one counts from the end.
    Index(i64),
}

impl Step {
    pub(crate) fn hop(&self) -> Hop {
        match self {
            Self::Name(name) => Hop::Member(name.clone()),
            // From the end is any, as long as the end is not known.
            Self::Index(index) => usize::try_from(*index).map_or(Hop::Elements, Hop::Element),
        }
    }

    /// As a `JSONPath` writes it, for a message: what nobody could read in a name is escaped as in Rust.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Name(name) if is_shorthand(name) => format!(".{name}"),
            Self::Name(name) => format!("[{:?}]", name.as_str()),
            Self::Index(index) => format!("[{index}]"),
        }
    }

    /// As [`Step::find`], for who may look into the same node again and again: pays for a search that takes longer
    /// than a node's visit.
    pub(crate) fn find_within<'a>(
        &self,
        node: &'a Json,
        budget: &mut Budget<'_>,
    ) -> Result<Option<(usize, &'a Json)>, TooMuch> {
        if let (Self::Name(name), Json::Object(_)) = (self, node) {
            budget.look_for(name)?;
        }
        Ok(self.find(node))
    }

    /// The child and its position.
    pub(crate) fn find<'a>(&self, node: &'a Json) -> Option<(usize, &'a Json)> {
        match (self, node) {
            (Self::Name(name), Json::Object(members)) => member(members, name),
            (Self::Index(index), Json::Array(elements)) => {
                let position = usize::try_from(*index).ok().or_else(|| {
                    let back = usize::try_from(index.unsigned_abs()).ok()?;
                    elements.len().checked_sub(back)
                })?;
                elements.get(position).map(|element| (position, element))
            }
            _ => None,
        }
    }
}

/// How many of the steps lead to something, and the node that the last of those leads to.
pub(crate) fn go_down<'a, S>(
    steps: &[S],
    root: &'a Json,
    find: impl Fn(&S, &'a Json) -> Option<(usize, &'a Json)>,
) -> (usize, &'a Json) {
    let mut node = root;
    for (taken, step) in steps.iter().enumerate() {
        match find(step, node) {
            Some((_, child)) => node = child,
            None => return (taken, node),
        }
    }
    (steps.len(), node)
}

/// Whether a `JSONPath` can name a member so without quotes.
fn is_shorthand(name: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(first) && name.bytes().all(|byte| first(byte) || byte.is_ascii_digit())
}

/// The member of that name and its position.
pub(crate) fn member<'a>(members: &'a Object, name: &str) -> Option<(usize, &'a Json)> {
    if members.len() <= ONE_BY_ONE {
        return members.iter().enumerate().find(|(_, (key, _))| *key == name).map(|(at, (_, value))| (at, value));
    }
    let position = members.position(name)?;
    members.entry(position).map(|(_, value)| (position, value))
}

/// The child at that position: an element, or the value of a member.
pub(crate) fn child(node: &Json, position: usize) -> Option<&Json> {
    match node {
        Json::Array(elements) => elements.get(position),
        Json::Object(members) => members.entry(position).map(|(_, value)| value),
        _ => None,
    }
}

/// How many children a node has.
pub(crate) fn children(node: &Json) -> usize {
    match node {
        Json::Array(elements) => elements.len(),
        Json::Object(members) => members.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_count_from_either_end() {
        let array = Json::parse("[10,11,12]").unwrap();
        let find = |index| Step::Index(index).find(&array).map(|(at, value)| (at, value.to_string()));
        for (index, expected) in [(0, Some(0)), (2, Some(2)), (3, None), (-1, Some(2)), (-3, Some(0)), (-4, None)] {
            assert_eq!(find(index).map(|found| found.0), expected, "{index}");
        }
        assert_eq!(find(i64::MIN), None);
        assert_eq!(Step::Name("0".into()).find(&array), None);
    }

    #[test]
    fn names_are_found_in_small_and_large_objects() {
        for size in [1, ONE_BY_ONE, ONE_BY_ONE + 1, 3 * ONE_BY_ONE] {
            let object: Json = (0..size).map(|at| (format!("k{at}"), Json::from(at))).collect();
            for at in [0, size / 2, size - 1] {
                assert_eq!(Step::Name(format!("k{at}").into()).find(&object), Some((at, &Json::from(at))));
                assert_eq!(child(&object, at), Some(&Json::from(at)));
            }
            assert_eq!(Step::Name("absent".into()).find(&object), None);
            assert_eq!((children(&object), child(&object, size)), (size, None));
        }
    }
}
