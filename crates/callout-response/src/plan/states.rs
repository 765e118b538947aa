//! Routes merged into one machine: each state says what is wanted of a container that several routes
//! may have led to. `data[0].x` beside `data[*].y` wants `x` and `y` of the first element.

use std::{cell::Cell, collections::HashMap};

use callout_core::json::{SmolStr, Want, Wanted};
use callout_path::Hop;

use super::{End, Reach};

/// More states than this are not made: the whole is wanted then.
const MAX_STATES: usize = 1_024;
/// Nor more work than this done to make them, in places looked at.
const MAX_WORK: usize = 1 << 17;
/// Up to this many names are compared one by one.
const ONE_BY_ONE: usize = 8;

/// How far a route has been followed: which one, and how many of its hops.
type Position = (usize, usize);

type Target = Want<usize>;

#[derive(Debug)]
pub(super) struct States(Vec<State>);

/// What is wanted of a container.
#[derive(Debug)]
struct State {
    /// Sorted by name.
    members: Vec<(SmolStr, Target)>,
    /// A bit for the length of each name, so that most of the others are not compared.
    lengths: u64,
    other_members: Target,
    /// Sorted by index.
    elements: Vec<(usize, Target)>,
    other_elements: Target,
    /// Behind this one no element is wanted, if `other_elements` is not.
    last_element: Option<usize>,
}

impl States {
    /// `None` if the whole is wanted, or if it would take too much to tell.
    pub(super) fn compile(reaches: &[Reach]) -> Option<Self> {
        let mut compiler = Compiler { reaches, known: HashMap::new(), queue: Vec::new(), work: 0 };
        let start = (0..reaches.len()).map(|route| (route, 0)).collect();
        match compiler.target(start)? {
            Want::All => return None,
            Want::Part(_) => {}
            // Nothing of the body is looked at.
            Want::Place | Want::Nothing => compiler.queue.push(Vec::new()),
        }
        let mut states = Vec::new();
        while let Some(positions) = compiler.queue.get(states.len()).cloned() {
            states.push(compiler.state(&positions)?);
        }
        Some(Self(states))
    }
}

struct Compiler<'r> {
    reaches: &'r [Reach],
    known: HashMap<Vec<Position>, usize>,
    /// The positions of each state, in its order.
    queue: Vec<Vec<Position>>,
    work: usize,
}

impl Compiler<'_> {
    /// What is wanted of a value that these positions have led to.
    fn target(&mut self, mut positions: Vec<Position>) -> Option<Target> {
        positions.sort_unstable();
        positions.dedup();
        self.work += positions.len() + 1;
        if self.work > MAX_WORK {
            return None;
        }
        if positions.is_empty() {
            return Some(Want::Nothing);
        }
        let ended = |(route, hops): &Position| self.reaches.get(*route).filter(|reach| reach.route.len() == *hops);
        if positions.iter().filter_map(ended).any(|reach| reach.end == End::Whole) {
            return Some(Want::All);
        }
        positions.retain(|position| ended(position).is_none());
        if positions.is_empty() {
            return Some(Want::Place);
        }
        if let Some(&state) = self.known.get(&positions) {
            return Some(Want::Part(state));
        }
        let state = self.queue.len();
        if state == MAX_STATES {
            return None;
        }
        self.known.insert(positions.clone(), state);
        self.queue.push(positions);
        Some(Want::Part(state))
    }

    fn state(&mut self, positions: &[Position]) -> Option<State> {
        let mut every_member = Vec::new();
        let mut every_element = Vec::new();
        let mut by_name: Vec<(&SmolStr, Position)> = Vec::new();
        let mut by_index: Vec<(usize, Position)> = Vec::new();
        for &(route, hops) in positions {
            let next = (route, hops + 1);
            for hop in self.reaches.get(route).and_then(|reach| reach.route.get(hops)).into_iter().flatten() {
                match hop {
                    Hop::Member(name) => by_name.push((name, next)),
                    Hop::Members => every_member.push(next),
                    Hop::Element(index) => by_index.push((*index, next)),
                    Hop::Elements => every_element.push(next),
                    Hop::Through(name) => {
                        by_name.push((name, next));
                        every_element.push((route, hops));
                    }
                }
            }
        }
        let mut members = Vec::new();
        by_name.sort_unstable();
        for same in by_name.chunk_by(|one, other| one.0 == other.0) {
            let positions = every_member.iter().copied().chain(same.iter().map(|(_, next)| *next)).collect();
            if let Some((name, _)) = same.first() {
                members.push(((*name).clone(), self.target(positions)?));
            }
        }
        let mut elements = Vec::new();
        by_index.sort_unstable();
        for same in by_index.chunk_by(|one, other| one.0 == other.0) {
            let positions = every_element.iter().copied().chain(same.iter().map(|(_, next)| *next)).collect();
            if let Some((index, _)) = same.first() {
                elements.push((*index, self.target(positions)?));
            }
        }
        Some(State {
            lengths: members.iter().fold(0, |lengths, (name, _)| lengths | length_bit(name)),
            members,
            other_members: self.target(every_member)?,
            last_element: elements.last().map(|(index, _)| *index),
            elements,
            other_elements: self.target(every_element)?,
        })
    }
}

impl State {
    fn member(&self, name: &str) -> Target {
        if self.lengths & length_bit(name) == 0 {
            return self.other_members;
        }
        let found = if self.members.len() <= ONE_BY_ONE {
            self.members.iter().find(|(known, _)| known == name)
        } else {
            let at = self.members.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok();
            at.and_then(|at| self.members.get(at))
        };
        found.map_or(self.other_members, |(_, target)| *target)
    }

    fn element(&self, index: usize) -> Target {
        match self.elements.binary_search_by_key(&index, |(known, _)| *known) {
            Ok(at) => self.elements.get(at).map_or(Want::Nothing, |(_, target)| *target),
            // It keeps its place, for those behind it.
            Err(_) if self.other_elements == Want::Nothing && self.last_element.is_some_and(|last| index < last) => {
                Want::Place
            }
            Err(_) => self.other_elements,
        }
    }
}

fn length_bit(name: &str) -> u64 {
    1 << name.len().min(63)
}

/// A state met while a body is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'p> {
    states: &'p States,
    state: usize,
    widest: &'p Cell<usize>,
}

impl<'p> At<'p> {
    /// At the body itself. `widest` becomes the number of members of the largest object that was not
    /// wanted as a whole.
    pub(super) fn start(states: &'p States, widest: &'p Cell<usize>) -> Self {
        Self { states, state: 0, widest }
    }

    fn want(self, of: impl FnOnce(&State) -> Target) -> Want<Self> {
        match self.states.0.get(self.state).map_or(Want::All, of) {
            Want::All => Want::All,
            Want::Part(state) => Want::Part(Self { state, ..self }),
            Want::Place => Want::Place,
            Want::Nothing => Want::Nothing,
        }
    }
}

impl Wanted for At<'_> {
    fn member(self, name: &str) -> Want<Self> {
        self.want(|state| state.member(name))
    }

    fn element(self, index: usize) -> Want<Self> {
        self.want(|state| state.element(index))
    }

    fn members_ended(self, members: usize) {
        self.widest.set(self.widest.get().max(members));
    }
}

#[cfg(test)]
mod tests {
    use callout_core::{json::ReadOptions, limits::Limits};
    use callout_path::Path;

    use super::*;

    fn compile(paths: &[&str]) -> Option<States> {
        let route = |path: &&str| Reach::whole(Path::parse(path, &Limits::default()).unwrap().route());
        States::compile(&paths.iter().map(route).collect::<Vec<_>>())
    }

    fn read(paths: &[&str], body: &str) -> String {
        let Some(states) = compile(paths) else { return "all".to_owned() };
        let widest = Cell::new(0);
        ReadOptions::default().read_wanted(body.as_bytes(), At::start(&states, &widest), None).unwrap().to_string()
    }

    #[test]
    fn what_several_paths_want_is_read_once() {
        let body =
            r#"{"data":[{"x":1,"y":2,"z":3},{"x":4,"y":5},[{"x":6,"y":7}],8],"more":{"0":[9,10],"a":{"b":{},"c":0}}}"#;
        let table: [(&[&str], &str); 14] = [
            (&["$.data[0].x", "$.data[*].y"], r#"{"data":[{"x":1,"y":2},{"y":5},[],8]}"#),
            (&["data.x"], r#"{"data":[{"x":1},{"x":4},[{"x":6}],8]}"#),
            (&["data.2.y", "more.0.1"], r#"{"data":[null,null,[{"y":7}]],"more":{"0":[null,10]}}"#),
            (&["/data/1", "/data/1/x"], r#"{"data":[null,{"x":4,"y":5}]}"#),
            (&["$.data[-1]"], r#"{"data":[{"x":1,"y":2,"z":3},{"x":4,"y":5},[{"x":6,"y":7}],8]}"#),
            (&["$.more.*.b"], r#"{"more":{"0":[],"a":{"b":{}}}}"#),
            (&["$.more['0','a'].c", "more.0.0"], r#"{"more":{"0":[9],"a":{"c":0}}}"#),
            (&["more.a.b.c.d"], r#"{"more":{"a":{"b":{}}}}"#),
            (&["more.x", "y"], r#"{"more":{}}"#),
            (&["data.x.y"], r#"{"data":[{"x":1},{"x":4},[{"x":6}],8]}"#),
            (&["$.data[1:].x"], r#"{"data":[{"x":1},{"x":4},[],8]}"#),
            (&["$", "a"], "all"),
            (&["$..x", "a"], "all"),
            (&["$.more..c"], r#"{"more":{"0":[9,10],"a":{"b":{},"c":0}}}"#),
        ];
        for (paths, expected) in table {
            assert_eq!(read(paths, body), expected, "{paths:?}");
        }
    }

    #[test]
    fn many_names_are_found_as_few_are() {
        let names: Vec<String> = (0..40).map(|at| format!("k{at}")).collect();
        let paths: Vec<&str> = names.iter().map(String::as_str).collect();
        let body: String = (0..50).map(|at| format!(r#","k{at}":{at}"#)).collect();
        let expected: Vec<_> = (0..40).map(|at| format!(r#""k{at}":{at}"#)).collect();
        assert_eq!(read(&paths, &format!("{{{}}}", &body[1..])), format!("{{{}}}", expected.join(",")));
    }

    #[test]
    fn a_config_cannot_make_a_machine_of_any_size() {
        // Subsets of these are as many as two to their number.
        let mut paths: Vec<String> = (0..200).map(|at| format!("$[*]{}[{at}].x", "[*]".repeat(at % 40))).collect();
        paths.extend((0..56).map(|at| format!("{}x{at}", "a.".repeat(400))));
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        if let Some(states) = compile(&paths) {
            assert!(states.0.len() <= MAX_STATES);
        }
    }
}
