//! The one type for the three grammars.

use std::{borrow::Cow, fmt, sync::Arc};

use callout_core::{
    fault::{FaultCode, Faults},
    json::{Json, SmolStr},
    limits::Limits,
};

use crate::{
    budget::{TooMuch, Visits},
    dotted::Dotted,
    error::PathError,
    jsonpath::{Account, Query},
    mask::Mask,
    pointer::Pointer,
    route::Route,
    step::{Step, go_down},
};

/// A compiled path, shared between clones.
///
/// Dotted paths are divided at `.` only, so that names may hold anything else. A part of ASCII
/// digits is the index of an element where it meets an array, and a name where it meets an object.
/// A name that meets an array goes into each of its elements, together with the rest of the path,
/// and yields an array: `items.tags.0` is the first tag of each item. Where arrays nest, the result
/// nests as they do; an element in which the rest of the path is absent gives null.
#[derive(Clone)]
pub struct Path {
    text: SmolStr,
    compiled: Arc<Compiled>,
}

enum Compiled {
    Dotted(Dotted),
    Pointer(Pointer),
    /// A singular query.
    One(Box<[Step]>),
    Many(Query),
}

/// In which way a path is written, known by its first character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grammar {
    /// `data.items.0.id`
    Dotted,
    /// `/data/items/0/id` (RFC 6901)
    Pointer,
    /// `$.data.items[0].id` (RFC 9535)
    JsonPath,
}

impl Path {
    /// Compiles a path, within [`Limits::max_path_bytes`] and [`Limits::max_path_nesting`].
    ///
    /// # Errors
    ///
    /// When the text is empty, longer or deeper than allowed, or does not follow the grammar that
    /// its first character stands for. Patterns in a `JSONPath` that are no I-Regexp (RFC 9485) are
    /// errors as well, where the standard lets them match nothing.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, PathError> {
        Self::paid(text, limits, &mut Account::None)
    }

    /// Compiles a path of a config and reports what is wrong with it at the place stood at. Patterns in it
    /// count against [`Limits::max_pattern_bytes`] of the whole config. `None` if there is a fault.
    pub fn compile(text: &str, limits: &Limits, faults: &mut Faults) -> Option<Self> {
        let parsed = Self::paid(text, limits, &mut Account::Config(faults, limits));
        parsed.map_err(|error| faults.report(FaultCode::Path, error.to_string())).ok()
    }

    fn paid(text: &str, limits: &Limits, account: &mut Account<'_>) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::at(text, 0, "a path is missing; `$` means the whole value"));
        }
        if text.len() > limits.max_path_bytes {
            let message = format!("a path has at most {} bytes, shorten it", limits.max_path_bytes);
            return Err(PathError::at(text, limits.max_path_bytes, message));
        }
        let compiled = if text.starts_with('$') {
            let query = Query::parse(text, limits, account)?;
            query.steps().map_or(Compiled::Many(query), |steps| Compiled::One(steps.into()))
        } else if text.starts_with('/') {
            Compiled::Pointer(Pointer::parse(text)?)
        } else if text.trim_start().starts_with(['$', '/']) {
            return Err(PathError::at(text, 0, "a path that goes on with `$` or `/` has no blank space before it"));
        } else {
            Compiled::Dotted(Dotted::parse(text)?)
        };
        Ok(Self { text: text.into(), compiled: Arc::new(compiled) })
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// In which way it is written.
    pub fn grammar(&self) -> Grammar {
        match *self.compiled {
            Compiled::Dotted(_) => Grammar::Dotted,
            Compiled::Pointer(_) => Grammar::Pointer,
            Compiled::One(_) | Compiled::Many(_) => Grammar::JsonPath,
        }
    }

    /// Whether it leads to one value at most: all paths do but for a `JSONPath` that is no singular
    /// query (RFC 9535 section 2.3.5.1). It is told by the text, not by what it meets.
    pub fn is_single(&self) -> bool {
        match *self.compiled {
            Compiled::Dotted(_) | Compiled::Pointer(_) | Compiled::One(_) => true,
            Compiled::Many(_) => false,
        }
    }

    /// Whether it is a dotted path whose first part is an index.
    pub fn begins_with_index(&self) -> bool {
        match &*self.compiled {
            Compiled::Dotted(path) => path.begins_with_index(),
            Compiled::Pointer(_) | Compiled::One(_) | Compiled::Many(_) => false,
        }
    }

    /// Where in a document it can lead: a part of it that holds the route is as good as the whole.
    pub fn route(&self) -> Route {
        match &*self.compiled {
            Compiled::Dotted(path) => path.route(),
            Compiled::Pointer(path) => path.route(),
            Compiled::One(steps) => steps.iter().map(|step| vec![step.hop()]).collect(),
            Compiled::Many(query) => query.route(),
        }
    }

    /// What stands at the path: `None` when it is absent. A path that is not single gives the array
    /// of all that it matches, each as often as it does, in the order of RFC 9535.
    ///
    /// # Errors
    ///
    /// When it visits more than [`Limits::max_path_matches`] nodes.
    pub fn value<'a>(&self, root: &'a Json, limits: &Limits) -> Result<Option<Cow<'a, Json>>, TooMuch> {
        self.value_within(root, &mut Visits::new(limits))
    }

    /// As [`Path::value`], for one of several paths that share what they may visit.
    ///
    /// # Errors
    ///
    /// When it visits more nodes than one path may, or than are left of those for all, or when the deadline of
    /// `visits` passes.
    pub fn value_within<'a>(&self, root: &'a Json, visits: &mut Visits<'_>) -> Result<Option<Cow<'a, Json>>, TooMuch> {
        visits.path(|budget| match &*self.compiled {
            Compiled::Dotted(path) => path.value(root, budget),
            Compiled::Pointer(path) => Ok(path.find(root, &mut Vec::new()).map(Cow::Borrowed)),
            Compiled::One(steps) => Ok(follow(steps, root, &mut Vec::new()).map(Cow::Borrowed)),
            Compiled::Many(query) => {
                let nodes = query.nodes(root, budget)?;
                Ok(Some(Cow::Owned(nodes.into_iter().cloned().collect())))
            }
        })
    }

    /// Where a path that is single comes to on its way: the last value that is there, and the way to it as the path
    /// is written, empty at `root`. A dotted path goes no further here than to an array that a name meets, nor does a
    /// path that is not single go beyond `root`.
    ///
    /// It takes a step for each part of the path at most: it is for saying what is there where a value is absent.
    pub fn reached<'a>(&self, root: &'a Json) -> (String, &'a Json) {
        match &*self.compiled {
            Compiled::Dotted(path) => {
                let (parts, node) = path.reached(root);
                (self.first_parts(".", parts), node)
            }
            Compiled::Pointer(path) => {
                let (tokens, node) = path.reached(root);
                // What stands before the first slash is none of its tokens.
                (self.first_parts("/", tokens + 1), node)
            }
            Compiled::One(steps) => {
                let (taken, node) = go_down(steps, root, Step::find);
                let steps: Vec<String> = steps.iter().take(taken).map(Step::written).collect();
                (if steps.is_empty() { String::new() } else { format!("${}", steps.concat()) }, node)
            }
            Compiled::Many(_) => (String::new(), root),
        }
    }

    fn first_parts(&self, divider: &str, count: usize) -> String {
        let parts: Vec<&str> = self.text.split(divider).take(count).collect();
        parts.join(divider)
    }

    /// Adds all that the path matches to `mask`, which must hold matches in this `root` only. A
    /// dotted path matches in each element of an array that a name meets, where it is not absent.
    ///
    /// An empty array is added too where the path goes into it: where a name of a dotted path meets it, or a wildcard, a
    /// slice or a condition of a `JSONPath`, or where a descent (`..`) begins.
    ///
    /// # Errors
    ///
    /// When it visits more than [`Limits::max_path_matches`] nodes; the mask is of no use then.
    pub fn select(&self, root: &Json, mask: &mut Mask, limits: &Limits) -> Result<(), TooMuch> {
        self.select_within(root, mask, &mut Visits::new(limits))
    }

    /// As [`Path::select`], for one of several paths that share what they may visit.
    ///
    /// # Errors
    ///
    /// When it visits more nodes than one path may, or than are left of those for all, or when the deadline of
    /// `visits` passes; the mask is of no use then.
    pub fn select_within(&self, root: &Json, mask: &mut Mask, visits: &mut Visits<'_>) -> Result<(), TooMuch> {
        visits.path(|budget| {
            let mut trail = Vec::new();
            let found = match &*self.compiled {
                Compiled::Dotted(path) => return path.select(root, mask, budget),
                Compiled::Many(query) => return query.select(root, mask, budget),
                Compiled::Pointer(path) => path.find(root, &mut trail),
                Compiled::One(steps) => follow(steps, root, &mut trail),
            };
            if found.is_some() {
                mask.mark(root, &trail);
            }
            Ok(())
        })
    }
}

/// The node at the end of the steps; their positions are added to `trail`.
fn follow<'a>(steps: &[Step], root: &'a Json, trail: &mut Vec<usize>) -> Option<&'a Json> {
    steps.iter().try_fold(root, |node, step| {
        let (position, child) = step.find(node)?;
        trail.push(position);
        Some(child)
    })
}

/// The path as it was written.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The grammar and the text, without what it was compiled to.
impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.grammar(), self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text, &Limits::default()).unwrap()
    }

    #[test]
    fn the_first_character_tells_the_grammar() {
        let table = [
            ("a.b", Grammar::Dotted),
            ("0", Grammar::Dotted),
            ("@.a", Grammar::Dotted),
            ("a/b$", Grammar::Dotted),
            ("/a.b", Grammar::Pointer),
            ("/", Grammar::Pointer),
            ("$", Grammar::JsonPath),
            ("$.a", Grammar::JsonPath),
        ];
        for (text, grammar) in table {
            assert_eq!(path(text).grammar(), grammar, "{text}");
        }
        for text in [" $.a", "\n/a", "\u{a0}$"] {
            assert!(Path::parse(text, &Limits::default()).is_err(), "{text:?}");
        }
        assert_eq!(path(" a").as_str(), " a");
    }

    #[test]
    fn only_dotted_paths_begin_with_an_index() {
        for (text, expected) in
            [("0", true), ("01.a", true), ("a.0", false), ("0a", false), ("-1", false), ("/0", false), ("$[0]", false)]
        {
            assert_eq!(path(text).begins_with_index(), expected, "{text}");
        }
    }

    #[test]
    fn a_value_is_borrowed_where_there_is_one() {
        let document = Json::parse(r#"{"a":{"b":[{"c":1}]}}"#).unwrap();
        for text in ["a.b", "/a/b/0", "$.a['b'][0].c", "$"] {
            let value = path(text).value(&document, &Limits::default()).unwrap();
            assert!(path(text).is_single() && matches!(value, Some(Cow::Borrowed(_))), "{text}");
        }
        for (text, expected) in
            [("$.x", None), ("/x", None), ("x", None), ("$.x[*]", Some("[]")), ("$..c", Some("[1]"))]
        {
            let value = path(text).value(&document, &Limits::default()).unwrap();
            assert_eq!(value.map(|value| value.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_way_is_gone_as_far_as_there_is_something() {
        let document = Json::parse(r#"{"a":{"b":[{"c":1}],"":2},"x.y":{"z":3},"it's":{"k\n":{}}}"#).unwrap();
        let whole = document.to_string();
        let table = [
            ("x", "", &*whole),
            ("a.b.0.d.e", "a.b.0", r#"{"c":1}"#),
            ("a.b.0.c.d", "a.b.0.c", "1"),
            ("a.b.7.c", "a.b", r#"[{"c":1}]"#),
            ("a.b.0.c", "a.b.0.c", "1"),
            // A name goes into the elements from here.
            ("a.b.c", "a.b", r#"[{"c":1}]"#),
            ("/x", "", &*whole),
            ("/a/b/1", "/a/b", r#"[{"c":1}]"#),
            ("/a//k", "/a/", "2"),
            ("/x.y/no/z", "/x.y", r#"{"z":3}"#),
            ("$.x.y", "", &*whole),
            ("$ ['a'] .b[0].d", "$.a.b[0]", r#"{"c":1}"#),
            ("$['x.y'].no", "$[\"x.y\"]", r#"{"z":3}"#),
            ("$['it\\'s']['k\\n'].z", "$[\"it's\"][\"k\\n\"]", "{}"),
            ("$..c", "", &*whole),
        ];
        for (text, way, expected) in table {
            let (found, node) = path(text).reached(&document);
            assert_eq!((found.as_str(), node.to_string().as_str()), (way, expected), "{text}");
        }
    }

    #[test]
    fn several_paths_share_a_mask() {
        let document = Json::parse(r#"{"a":{"x":1,"y":2},"b":[{"c":1,"d":2},{"c":3}],"e":5}"#).unwrap();
        let table: [(&[&str], &str); 6] = [
            (&["a.x", "/b/1"], r#"{"a":{"x":1},"b":[{"c":3}]}"#),
            (&["$..c", "b.d"], r#"{"b":[{"c":1,"d":2},{"c":3}]}"#),
            (&["a.x", "a"], r#"{"a":{"x":1,"y":2}}"#),
            (&["$.a", "$.a.x"], r#"{"a":{"x":1,"y":2}}"#),
            (&["e", "/x", "$.y[*]"], r#"{"e":5}"#),
            (&["x", "/x", "$..x.y"], "null"),
        ];
        for (texts, expected) in table {
            let mut mask = Mask::new();
            for text in texts {
                path(text).select(&document, &mut mask, &Limits::default()).unwrap();
            }
            assert_eq!(mask.apply(&document).to_string(), expected, "{texts:?}");
        }
    }

    #[test]
    fn routes() {
        let table = [
            ("$", "[]"),
            ("a.0", r#"[[Through("a")], [Member("0"), Element(0)]]"#),
            ("/a/0/-", r#"[[Member("a")], [Member("0"), Element(0)], [Member("-")]]"#),
            ("$.a[1][-1]", r#"[[Member("a")], [Element(1)], [Elements]]"#),
            ("$[*]['a','b'][1:3]", r#"[[Members, Elements], [Member("a"), Member("b")], [Elements]]"#),
            // What a descent or a condition looks at can be anything below.
            ("$.a..b", r#"[[Member("a")]]"#),
            ("$..a", "[]"),
            ("$.a[?@.b > 1].c", r#"[[Member("a")]]"#),
            ("$.a['b', ?@.c].d", r#"[[Member("a")]]"#),
            // A condition on the root needs all.
            ("$.a[?@.b == $.c].d", "[]"),
            ("$.a[*][?!(count($..x) > 1 || @.b)]", "[]"),
            ("$.a[?@[?value($.b) == 1]]", "[]"),
            ("$.a[?match(@.b, $.c)]", "[]"),
        ];
        for (text, expected) in table {
            assert_eq!(format!("{:?}", path(text).route()), expected, "{text}");
        }
    }

    #[test]
    fn a_path_shows_as_it_was_written() {
        fn shared<T: Send + Sync + Clone>(_: &T) {}
        let path = path("$ ['a']");
        assert_eq!((path.to_string(), format!("{path:?}")), ("$ ['a']".into(), r#"JsonPath("$ ['a']")"#.into()));
        shared(&path);
    }
}
