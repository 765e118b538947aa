//! What the parser is handed in place of a query: a skeleton without names, strings, numbers and
//! blank space, in ASCII.
//!
//! Each name and literal stands there as `'0'`, `'1'`, …, its place in a list. A query that is a
//! function's argument becomes a skeleton of its own, for which `@['1']` stands in the outer one:
//! the parser goes back to try a call's arguments again, several times, which would multiply from
//! call to call.

use std::mem;

use callout_core::json::Json;

/// A query in the form that the parser takes.
#[derive(Debug)]
pub(super) struct Skeletons {
    /// The query, and behind it the queries that are arguments in it.
    pub(super) all: Vec<Skeleton>,
    /// The names and literals.
    pub(super) literals: Vec<Json>,
    /// Where each call begins, in bytes of the text, in order.
    pub(super) calls: Vec<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Skeleton {
    pub(super) text: String,
    /// Where each word begins: in bytes of the skeleton, and of the text.
    words: Vec<(usize, usize)>,
    /// Where the query ends in the text.
    end: usize,
}

impl Skeleton {
    /// Where in the text the word stands that is at that byte of the skeleton.
    pub(super) fn place(&self, at: usize) -> usize {
        if at >= self.text.len() {
            return self.end;
        }
        let behind = self.words.partition_point(|(start, _)| *start <= at);
        behind.checked_sub(1).and_then(|word| self.words.get(word)).map_or(self.end, |(_, place)| *place)
    }
}

/// Writes skeletons; every `place` is in bytes of the text.
pub(super) struct Writer {
    current: Skeleton,
    /// The skeletons around the current one.
    outer: Vec<Outer>,
    done: Skeletons,
}

struct Outer {
    skeleton: Skeleton,
    /// How many brackets were open where the argument began.
    brackets: usize,
    /// The argument's place in the list.
    argument: usize,
}

impl Writer {
    pub(super) fn new() -> Self {
        let done = Skeletons { all: vec![Skeleton::default()], literals: Vec::new(), calls: Vec::new() };
        Self { current: Skeleton::default(), outer: Vec::new(), done }
    }

    pub(super) fn word(&mut self, word: &str, place: usize) {
        self.current.words.push((self.current.text.len(), place));
        self.current.text.push_str(word);
    }

    /// A name or a literal.
    pub(super) fn literal(&mut self, value: Json, place: usize) {
        let word = format!("'{}'", self.done.literals.len());
        self.done.literals.push(value);
        self.word(&word, place);
    }

    /// A function's name follows.
    pub(super) fn call(&mut self, place: usize) {
        self.done.calls.push(place);
    }

    /// What follows is a query that is an argument, from `$` or `@` on.
    pub(super) fn begin_argument(&mut self, root: char, place: usize, brackets: usize) {
        let argument = self.done.all.len();
        self.done.all.push(Skeleton::default());
        self.word(&format!("{root}['{argument}']"), place);
        self.outer.push(Outer { skeleton: mem::take(&mut self.current), brackets, argument });
    }

    /// Ends the argument that began with as many brackets open, if one did.
    pub(super) fn end_argument(&mut self, place: usize, brackets: usize) {
        if let Some(outer) = self.outer.pop_if(|outer| outer.brackets == brackets) {
            let inner = mem::replace(&mut self.current, outer.skeleton);
            self.done.put(outer.argument, inner, place);
        }
    }

    pub(super) fn finish(mut self, place: usize) -> Skeletons {
        self.done.put(0, self.current, place);
        self.done
    }
}

impl Skeletons {
    fn put(&mut self, at: usize, skeleton: Skeleton, end: usize) {
        if let Some(slot) = self.all.get_mut(at) {
            *slot = Skeleton { end, ..skeleton };
        }
    }
}

#[cfg(test)]
mod tests {
    use callout_core::limits::Limits;

    use crate::jsonpath::scan::scan;

    fn skeletons(text: &str) -> Vec<String> {
        scan(text, &Limits::default()).unwrap().all.into_iter().map(|skeleton| skeleton.text).collect()
    }

    #[test]
    fn names_literals_and_arguments_are_taken_out() {
        let table: [(&str, &[&str]); 5] = [
            ("$ .a [ 'b' , 0 ] ..c.*", &["$['0']['1',0]..['2'].*"]),
            ("$[ ?@.a == 1.50 && ! (true == \"x\") ]", &["$[?@['0']=='1'&&!(true=='2')]"]),
            ("$[1:2:-3]", &["$[1:2:-3]"]),
            ("$[?count(@.a[*]) > 1]", &["$[?count(@['1'])>'1']", "$['0'][*]"]),
            (
                "$[?match(value($..a[?length(@.b) == 1]), @.c)]",
                &["$[?match(value($['1']),@['3'])]", "$..['0'][?length(@['2'])=='2']", "$['1']", "$['3']"],
            ),
        ];
        for (text, expected) in table {
            assert_eq!(skeletons(text), expected, "{text}");
        }
    }

    #[test]
    fn words_know_where_they_stood() {
        let scanned = scan("$ .ab [?count( @ .c) > 10]", &Limits::default()).unwrap();
        let (outer, inner) = (&scanned.all[0], &scanned.all[1]);
        assert_eq!((outer.text.as_str(), inner.text.as_str()), ("$['0'][?count(@['1'])>'2']", "$['1']"));
        for (at, place) in [(0, 0), (2, 3), (3, 3), (6, 6), (8, 8), (14, 15), (20, 19), (21, 21), (22, 23), (99, 26)] {
            assert_eq!(outer.place(at), place, "{at}");
        }
        assert_eq!((inner.place(0), inner.place(2), inner.place(6)), (15, 18, 19));
        assert_eq!(scanned.calls, [8]);
    }
}
