//! Dotted paths: `data.items.0.id`.

use std::borrow::Cow;

use callout_core::json::{Json, SmolStr};

use crate::{
    budget::{Budget, TooMuch},
    error::PathError,
    mask::Mask,
    route::{Hop, Route},
    step::{go_down, member},
};

/// A dotted path.
#[derive(Clone, Debug)]
pub(crate) struct Dotted {
    parts: Box<[Part]>,
}

#[derive(Clone, Debug)]
enum Part {
    /// A member's name; an array passes it on to each of its elements.
    Name(SmolStr),
    /// ASCII digits: an element's index, or a member's name. No index if it is beyond any array's.
    Digits(SmolStr, Option<usize>),
}

impl Part {
    /// The child and its position, where there is one way.
    fn find<'a>(&self, node: &'a Json) -> Option<(usize, &'a Json)> {
        match (self, node) {
            (Self::Digits(_, index), Json::Array(elements)) => {
                index.and_then(|index| elements.get(index).map(|element| (index, element)))
            }
            (Self::Name(name) | Self::Digits(name, _), Json::Object(members)) => member(members, name),
            _ => None,
        }
    }
}

impl Dotted {
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let mut parts = Vec::new();
        let mut start = 0;
        for part in text.split('.') {
            if part.is_empty() {
                return Err(PathError::at(
                    text,
                    start,
                    "a name is missing between the dots; names that are empty or hold a `.` are reached by a JSON \
                     Pointer such as `/a.b/c`",
                ));
            }
            start += part.len() + 1;
            parts.push(if part.bytes().all(|byte| byte.is_ascii_digit()) {
                Part::Digits(part.into(), part.parse().ok())
            } else {
                Part::Name(part.into())
            });
        }
        Ok(Self { parts: parts.into() })
    }

    pub(crate) fn begins_with_index(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Digits(..)))
    }

    pub(crate) fn route(&self) -> Route {
        let hops = |part: &Part| match part {
            Part::Name(name) => vec![Hop::Through(name.clone())],
            Part::Digits(name, index) => {
                let mut hops = vec![Hop::Member(name.clone())];
                hops.extend(index.map(Hop::Element));
                hops
            }
        };
        self.parts.iter().map(hops).collect()
    }

    pub(crate) fn value<'a>(&self, root: &'a Json, budget: &mut Budget<'_>) -> Result<Option<Cow<'a, Json>>, TooMuch> {
        let mut value = Value { open: Vec::new(), found: None };
        self.walk(root, budget, &mut value)?;
        Ok(value.found)
    }

    /// See [`crate::Path::reached`]: how many parts lead straight down to something, and the last of that.
    pub(crate) fn reached<'a>(&self, root: &'a Json) -> (usize, &'a Json) {
        go_down(&self.parts, root, Part::find)
    }

    pub(crate) fn select(&self, root: &Json, mask: &mut Mask, budget: &mut Budget<'_>) -> Result<(), TooMuch> {
        self.walk(root, budget, &mut Select { root, mask })
    }

    /// Follows the path into every element that it leads to, in document order.
    ///
    /// The arrays that it has spread over stand in a list, not on the stack: what names are looked
    /// for in may nest deeper than the stack.
    fn walk<'a>(&self, root: &'a Json, budget: &mut Budget<'_>, visitor: &mut impl Visitor<'a>) -> Result<(), TooMuch> {
        let mut trail = Vec::new();
        let mut spread: Vec<Spread<'_, 'a>> = Vec::new();
        let (mut node, mut rest) = (root, &*self.parts);
        loop {
            match descend(node, rest, &mut trail, budget)? {
                End::At(found) => visitor.leaf(found, &trail),
                End::Spread(elements, rest) => {
                    visitor.open(elements, &trail);
                    spread.push(Spread { elements, next: 0, rest, depth: trail.len() });
                }
            }
            loop {
                let Some(array) = spread.last_mut() else { return Ok(()) };
                trail.truncate(array.depth);
                if let Some(element) = array.elements.get(array.next) {
                    budget.take(1)?;
                    trail.push(array.next);
                    array.next += 1;
                    (node, rest) = (element, array.rest);
                    break;
                }
                spread.pop();
                visitor.close();
            }
        }
    }
}

/// An array that a name has met, and what is still to be looked for in its elements.
struct Spread<'p, 'a> {
    elements: &'a [Json],
    next: usize,
    rest: &'p [Part],
    /// How many positions lead to the array.
    depth: usize,
}

enum End<'p, 'a> {
    At(Option<&'a Json>),
    /// A name has met this array; the parts from that name on.
    Spread(&'a [Json], &'p [Part]),
}

/// Goes down as long as there is one way.
fn descend<'p, 'a>(
    mut node: &'a Json,
    mut parts: &'p [Part],
    trail: &mut Vec<usize>,
    budget: &mut Budget<'_>,
) -> Result<End<'p, 'a>, TooMuch> {
    while let Some((part, rest)) = parts.split_first() {
        if let (Part::Name(_), Json::Array(elements)) = (part, node) {
            return Ok(End::Spread(elements, parts));
        }
        let Some((position, child)) = part.find(node) else { return Ok(End::At(None)) };
        budget.take(1)?;
        trail.push(position);
        (node, parts) = (child, rest);
    }
    Ok(End::At(Some(node)))
}

/// What is done with what a walk comes by.
trait Visitor<'a> {
    /// The walk goes into the elements of an array, to which these positions lead.
    fn open(&mut self, elements: &'a [Json], trail: &[usize]);
    /// The end of the path, which may be absent there, and the positions that lead to it.
    fn leaf(&mut self, found: Option<&'a Json>, trail: &[usize]);
    /// The array that was opened last has no more elements.
    fn close(&mut self);
}

/// Collects the value: one array for each array that a name has met.
struct Value<'a> {
    open: Vec<Vec<Json>>,
    found: Option<Cow<'a, Json>>,
}

impl<'a> Visitor<'a> for Value<'a> {
    fn open(&mut self, _: &'a [Json], _: &[usize]) {
        self.open.push(Vec::new());
    }

    fn leaf(&mut self, found: Option<&'a Json>, _: &[usize]) {
        match self.open.last_mut() {
            Some(array) => array.push(found.cloned().unwrap_or_default()),
            None => self.found = found.map(Cow::Borrowed),
        }
    }

    fn close(&mut self) {
        let Some(array) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(outer) => outer.push(array.into()),
            None => self.found = Some(Cow::Owned(array.into())),
        }
    }
}

struct Select<'a, 'm> {
    root: &'a Json,
    mask: &'m mut Mask,
}

impl<'a> Visitor<'a> for Select<'a, '_> {
    /// An empty list stays one: that there is none of something is told by it.
    fn open(&mut self, elements: &'a [Json], trail: &[usize]) {
        if elements.is_empty() {
            self.mask.mark(self.root, trail);
        }
    }

    fn leaf(&mut self, found: Option<&'a Json>, trail: &[usize]) {
        if found.is_some() {
            self.mask.mark(self.root, trail);
        }
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use callout_core::limits::Limits;

    use super::*;

    fn budget() -> Budget<'static> {
        Budget::new(&Limits::default())
    }

    fn value(path: &str, document: &str) -> Option<String> {
        let document = Json::parse(document).unwrap();
        let value = Dotted::parse(path).unwrap().value(&document, &mut budget()).unwrap();
        value.map(|value| value.to_string())
    }

    fn selected(path: &str, document: &str) -> String {
        let document = Json::parse(document).unwrap();
        let mut mask = Mask::new();
        Dotted::parse(path).unwrap().select(&document, &mut mask, &mut budget()).unwrap();
        mask.apply(&document).to_string()
    }

    #[test]
    fn names_go_into_elements_and_digits_index_arrays() {
        let table = [
            // Straight down.
            ("a", r#"{"a":1}"#, Some("1")),
            ("a", r#"{"a":null}"#, Some("null")),
            ("a", r#"{"b":1}"#, None),
            ("a.b.c", r#"{"a":{"b":{"c":[1,2]}}}"#, Some("[1,2]")),
            ("a.b", r#"{"a":1}"#, None),
            ("a.b", r#"{"a":null}"#, None),
            ("a", "3", None),
            ("a", "null", None),
            // Only `.` divides.
            ("first name", r#"{"first name":1}"#, Some("1")),
            ("a[0]", r#"{"a[0]":1,"a":[2]}"#, Some("1")),
            ("a/b", r#"{"a/b":1}"#, Some("1")),
            ("@odata-x.é", r#"{"@odata-x":{"é":1}}"#, Some("1")),
            ("-1", r#"{"-1":1}"#, Some("1")),
            ("-1", "[1,2]", Some("[null,null]")),
            // Digits.
            ("0", "[1,2]", Some("1")),
            ("a.1", r#"{"a":[1,2]}"#, Some("2")),
            ("a.2", r#"{"a":[1,2]}"#, None),
            ("a.01", r#"{"a":[1,2]}"#, Some("2")),
            ("a.01", r#"{"a":{"1":3,"01":4}}"#, Some("4")),
            ("0", r#"{"0":7}"#, Some("7")),
            ("0", r#""text""#, None),
            ("99999999999999999999999999", "[1]", None),
            ("99999999999999999999999999", r#"{"99999999999999999999999999":1}"#, Some("1")),
            ("a.0.b", r#"{"a":[{"b":1},{"b":2}]}"#, Some("1")),
            ("٣", r#"{"٣":1}"#, Some("1")),
            // A name goes into each element.
            ("a.b", r#"{"a":[{"b":1},{"b":2}]}"#, Some("[1,2]")),
            ("b", r#"[{"b":1},{"b":2}]"#, Some("[1,2]")),
            ("a.b", r#"{"a":[{"b":1},{"c":2},{"b":null}]}"#, Some("[1,null,null]")),
            ("a.b", r#"{"a":[{"b":1},7,null,"b"]}"#, Some("[1,null,null,null]")),
            ("a.b", r#"{"a":[]}"#, Some("[]")),
            ("a.b", r#"{"a":[[{"b":1}],[],[{"b":2},{}]]}"#, Some("[[1],[],[2,null]]")),
            ("a.b.c", r#"{"a":[{"b":[{"c":1},{"c":2}]},{"b":[]},{"b":{"c":3}},{}]}"#, Some("[[1,2],[],3,null]")),
            ("a.b.c", r#"{"a":[{"b":{"c":1}},{"b":2}]}"#, Some("[1,null]")),
            // Digits behind such a name belong to each element too.
            ("a.b.0", r#"{"a":[{"b":[1,2]},{"b":[3]},{"b":[]},{"b":{"0":4}}]}"#, Some("[1,3,null,4]")),
            ("a.b.0.c", r#"{"a":[{"b":[{"c":1}]},{"b":[]}]}"#, Some("[1,null]")),
        ];
        for (path, document, expected) in table {
            assert_eq!(value(path, document).as_deref(), expected, "{path} on {document}");
        }
    }

    #[test]
    fn what_is_there_is_borrowed() {
        let document = Json::parse(r#"{"a":{"b":[1]}}"#).unwrap();
        let path = Dotted::parse("a.b").unwrap();
        assert!(matches!(path.value(&document, &mut budget()).unwrap(), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn selections() {
        let table = [
            ("a", r#"{"b":1,"a":{"c":2}}"#, r#"{"a":{"c":2}}"#),
            ("a.b", r#"{"a":[{"b":1,"x":0},{"x":0},{"b":null},7]}"#, r#"{"a":[{"b":1},{"b":null}]}"#),
            ("a.b", r#"{"a":[[{"b":1}],[],[{"x":1}]]}"#, r#"{"a":[[{"b":1}],[]]}"#),
            ("a.1", r#"{"a":[1,2,3]}"#, r#"{"a":[2]}"#),
            ("a.b.0", r#"{"a":[{"b":[1,2]},{"b":[]}]}"#, r#"{"a":[{"b":[1]}]}"#),
            ("x", r#"{"a":1}"#, "null"),
            // An empty list that it goes into stays. One in which nothing matches does not, nor does what is no list.
            ("b", "[]", "[]"),
            ("a.b", r#"{"a":[],"c":[]}"#, r#"{"a":[]}"#),
            ("a.b.c", r#"{"a":[{"b":[]},{"b":[{"c":1}]},{}]}"#, r#"{"a":[{"b":[]},{"b":[{"c":1}]}]}"#),
            ("a.b.c", r#"{"a":[{"b":[]}]}"#, r#"{"a":[{"b":[]}]}"#),
            ("a.b", r#"{"a":[{},7]}"#, "null"),
            ("a.b", r#"{"a":{}}"#, "null"),
            ("a.b", r#"{"a":""}"#, "null"),
            ("a.0", r#"{"a":[]}"#, "null"),
        ];
        for (path, document, expected) in table {
            assert_eq!(selected(path, document), expected, "{path} on {document}");
        }
    }

    #[test]
    fn empty_names_are_refused() {
        for (path, position) in [("a..b", 3), (".a", 1), ("a.", 3), (".", 1), ("é..b", 3)] {
            let error = Dotted::parse(path).unwrap_err();
            assert_eq!(error.position(), position, "{path}");
            assert!(error.message().contains("JSON Pointer"), "{error}");
        }
    }

    #[test]
    fn elements_gone_through_count() {
        let document = Json::parse(r#"{"a":[{"b":1},{},3]}"#).unwrap();
        let mut limits = Limits::default();
        for (limit, fits) in [(4, false), (5, true)] {
            limits.max_path_matches = limit;
            let outcome = Dotted::parse("a.b").unwrap().value(&document, &mut Budget::new(&limits));
            assert_eq!(outcome.is_ok(), fits, "{limit}");
        }
    }
}
