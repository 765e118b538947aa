//! What a set of paths has matched in one document, and the document cut down to it.

use std::mem;

use callout_core::json::{Json, ObjectBuilder};

use crate::step::{child, children};

/// What several paths have matched in one document.
///
/// A mask belongs to the document that its paths were selected on: it knows matches by their
/// position. A node that is matched as a whole stays whole, whatever parts of it are matched too.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    root: Mark,
    /// For each node of which parts are marked, the marks of its children.
    parts: Vec<Box<[Mark]>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mark {
    #[default]
    Nothing,
    /// What stands in `Mask::parts` at this place.
    Parts(usize),
    Whole,
}

impl Mask {
    /// A mask that has matched nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing was matched.
    pub fn is_empty(&self) -> bool {
        self.root == Mark::Nothing
    }

    /// Marks the node that is reached from `document` by these positions; it must be there.
    pub(crate) fn mark(&mut self, document: &Json, trail: &[usize]) {
        let (mut node, mut place) = (document, None);
        for &position in trail {
            let Some(next) = child(node, position) else { return };
            let part = match self.at(place) {
                Mark::Whole => return,
                Mark::Parts(part) => part,
                Mark::Nothing => {
                    let part = self.parts.len();
                    self.parts.push(vec![Mark::Nothing; children(node)].into());
                    self.set(place, Mark::Parts(part));
                    part
                }
            };
            (node, place) = (next, Some((part, position)));
        }
        self.set(place, Mark::Whole);
    }

    /// The mark at that position of that part; of the document itself if there is no place.
    fn at(&self, place: Option<(usize, usize)>) -> Mark {
        place.map_or(self.root, |(part, position)| {
            self.parts.get(part).and_then(|marks| marks.get(position)).copied().unwrap_or_default()
        })
    }

    fn set(&mut self, place: Option<(usize, usize)>, mark: Mark) {
        let found = match place {
            None => Some(&mut self.root),
            Some((part, position)) => self.parts.get_mut(part).and_then(|marks| marks.get_mut(position)),
        };
        if let Some(found) = found {
            *found = mark;
        }
    }

    /// The document cut down to what was matched, in place: same nesting, members and elements in
    /// their order, arrays closed up. `null` if nothing was matched.
    pub fn apply(&self, document: &Json) -> Json {
        let first = match self.root {
            Mark::Nothing => return Json::Null,
            Mark::Whole => return document.clone(),
            Mark::Parts(part) => part,
        };
        // The containers on the way down, outermost first: documents may nest deeper than the stack.
        let mut above = Vec::new();
        let mut here = Cut::new(document, first);
        loop {
            match here.next(self) {
                Some((position, node, Mark::Parts(part))) => {
                    let inner = Cut::new(node, part);
                    above.push((mem::replace(&mut here, inner), position));
                }
                Some((position, node, _)) => here.keep(position, node.clone()),
                None => {
                    let value = here.kept.into();
                    let Some((outer, position)) = above.pop() else { return value };
                    here = outer;
                    here.keep(position, value);
                }
            }
        }
    }
}

/// A container of which parts are kept.
struct Cut<'a> {
    node: &'a Json,
    part: usize,
    next: usize,
    kept: Kept,
}

enum Kept {
    Elements(Vec<Json>),
    Members(ObjectBuilder),
}

impl<'a> Cut<'a> {
    fn new(node: &'a Json, part: usize) -> Self {
        let kept = match node {
            Json::Object(_) => Kept::Members(ObjectBuilder::new()),
            _ => Kept::Elements(Vec::new()),
        };
        Self { node, part, next: 0, kept }
    }

    /// The next child that has a mark, and where it stands.
    fn next(&mut self, mask: &Mask) -> Option<(usize, &'a Json, Mark)> {
        let marks = mask.parts.get(self.part)?;
        let ahead = marks.get(self.next..)?.iter().position(|mark| *mark != Mark::Nothing)?;
        let position = self.next + ahead;
        self.next = position + 1;
        Some((position, child(self.node, position)?, *marks.get(position)?))
    }

    fn keep(&mut self, position: usize, value: Json) {
        match &mut self.kept {
            Kept::Elements(elements) => elements.push(value),
            Kept::Members(members) => {
                let name = self.node.as_object().and_then(|object| object.entry(position));
                if let Some((name, _)) = name {
                    members.insert(name.clone(), value);
                }
            }
        }
    }
}

impl From<Kept> for Json {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Elements(elements) => elements.into(),
            Kept::Members(members) => members.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(document: &str, trails: &[&[usize]]) -> String {
        let document = Json::parse(document).unwrap();
        let mut mask = Mask::new();
        for trail in trails {
            mask.mark(&document, trail);
        }
        mask.apply(&document).to_string()
    }

    #[test]
    fn what_is_marked_stays_in_its_place() {
        let document = r#"{"a":[{"x":1,"y":2},{"x":3,"y":[4,5,6]}],"b":7,"c":{"d":{"e":8}}}"#;
        let table: [(&[&[usize]], &str); 8] = [
            (&[], "null"),
            (&[&[]], document),
            (&[&[1]], r#"{"b":7}"#),
            (&[&[2, 0, 0], &[1]], r#"{"b":7,"c":{"d":{"e":8}}}"#),
            (&[&[0, 1, 1, 2], &[0, 1, 1, 0]], r#"{"a":[{"y":[4,6]}]}"#),
            (&[&[0, 0], &[0, 0, 1]], r#"{"a":[{"x":1,"y":2}]}"#),
            (&[&[0, 0, 1], &[0, 0]], r#"{"a":[{"x":1,"y":2}]}"#),
            (&[&[0, 0, 1], &[0, 1, 0], &[0, 0, 0]], r#"{"a":[{"x":1,"y":2},{"x":3}]}"#),
        ];
        for (trails, expected) in table {
            assert_eq!(cut(document, trails), expected, "{trails:?}");
        }
    }

    #[test]
    fn a_mask_is_empty_until_something_is_marked() {
        let document = Json::parse("[null]").unwrap();
        let mut mask = Mask::new();
        assert!(mask.is_empty());
        mask.mark(&document, &[0]);
        assert!(!mask.is_empty());
        assert_eq!(mask.apply(&document).to_string(), "[null]");
    }

    #[test]
    fn on_another_document_a_mask_keeps_what_is_there() {
        let (long, short) = (Json::parse("[[1,2],[3,4]]").unwrap(), Json::parse("[[1]]").unwrap());
        let mut mask = Mask::new();
        mask.mark(&long, &[0, 0]);
        mask.mark(&long, &[1, 1]);
        assert_eq!(mask.apply(&short).to_string(), "[[1]]");
        assert_eq!(mask.apply(&Json::Null).to_string(), "[]");
    }
}
