//! From the parser's tree to a compiled query, with the checks that the grammar leaves over: the
//! types of functions and their arguments (RFC 9535 section 2.4.3).

use callout_core::{
    json::{Json, SmolStr},
    limits::Limits,
};
use jsonpath_rust::parser::{
    errors::JsonPathError,
    model::{self, Comparable, Comparison, FilterAtom, FnArg, Literal, SingularQuerySegment, Test, TestFunction},
    parse_json_path,
};

use super::{
    pattern::{Account, Extent, Pattern},
    query::{Filter, Operand, Operator, PatternOperand, Query, Segment, Selector, Slice, Start},
    scan::scan,
    skeleton::{Skeleton, Skeletons},
};
use crate::{error::PathError, step::Step};

type Compiled<T> = Result<T, PathError>;

pub(super) fn compile(text: &str, limits: &Limits, account: &mut Account<'_>) -> Compiled<Query> {
    let scanned = scan(text, limits)?;
    let mut calls = scanned.calls.iter().copied();
    Compiler { text, scanned: &scanned, calls: &mut calls, account }.skeleton(0)
}

/// The words are right, their order is not: names the word that the parser stopped at.
fn misplaced(text: &str, skeleton: &Skeleton, error: &JsonPathError) -> PathError {
    let stop = match error {
        JsonPathError::PestError(error) => column(&error.to_string()),
        _ => None,
    };
    let place = skeleton.place(stop.unwrap_or(0));
    let rest = text.get(place..).unwrap_or_default();
    let begins = |words: &[&str]| words.iter().any(|word| rest.starts_with(word));
    let before = stop.and_then(|stop| skeleton.text.get(..stop)).unwrap_or_default();
    let behind_literal = ["'", "true", "false", "null"].iter().any(|end| before.ends_with(end));
    PathError::at(
        text,
        place,
        if rest.is_empty() {
            "the path ends too early".to_owned()
        } else if begins(&["==", "!=", "<", ">"]) {
            "what stands before this comparison cannot be compared: literals, paths that lead to one value (without \
             `*`, `..`, slices and filters) and the functions length, count and value can"
                .to_owned()
        } else if behind_literal && begins(&["]", ")", "&&", "||"]) {
            "a literal is no condition by itself, compare it with something".to_owned()
        } else {
            let word: String =
                rest.chars().take(12).map(|found| if found.is_control() { ' ' } else { found }).collect();
            format!("`{word}` is not expected here, see RFC 9535 for the syntax of a JSONPath")
        },
    )
}

/// The byte at which the parser stopped: its message is the one place that tells, ` --> line:column`
/// before the one line there is, which is ASCII.
fn column(message: &str) -> Option<usize> {
    let (_, place) = message.split_once("--> 1:")?;
    let digits = place.split(|found: char| !found.is_ascii_digit()).next()?;
    digits.parse::<usize>().ok()?.checked_sub(1)
}

struct Compiler<'t, 'f> {
    text: &'t str,
    scanned: &'t Skeletons,
    /// Where the calls begin that have not been come by yet.
    calls: &'t mut dyn Iterator<Item = usize>,
    account: &'t mut Account<'f>,
}

impl Compiler<'_, '_> {
    /// The query whose skeleton stands at that place of the list.
    fn skeleton(&mut self, place: usize) -> Compiled<Query> {
        let skeleton = self.scanned.all.get(place).ok_or_else(|| self.unexpected())?;
        let tree = parse_json_path(&skeleton.text).map_err(|error| misplaced(self.text, skeleton, &error))?;
        self.query(&tree.segments)
    }

    fn query(&mut self, segments: &[model::Segment]) -> Compiled<Query> {
        let segments = segments.iter().map(|segment| self.segment(segment)).collect::<Compiled<_>>()?;
        Ok(Query { segments })
    }

    fn segment(&mut self, segment: &model::Segment) -> Compiled<Segment> {
        Ok(match segment {
            model::Segment::Descendant(inner) => Segment { descendants: true, ..self.segment(inner)? },
            model::Segment::Selector(selector) => {
                Segment { descendants: false, selectors: [self.selector(selector)?].into() }
            }
            model::Segment::Selectors(selectors) => {
                let selectors = selectors.iter().map(|selector| self.selector(selector)).collect::<Compiled<_>>()?;
                Segment { descendants: false, selectors }
            }
        })
    }

    fn selector(&mut self, selector: &model::Selector) -> Compiled<Selector> {
        Ok(match selector {
            model::Selector::Name(place) => Selector::Step(Step::Name(self.name(place)?)),
            model::Selector::Index(index) => Selector::Step(Step::Index(*index)),
            model::Selector::Wildcard => Selector::Wildcard,
            model::Selector::Slice(start, end, step) => {
                Selector::Slice(Slice { start: *start, end: *end, step: step.unwrap_or(1) })
            }
            model::Selector::Filter(filter) => Selector::Filter(self.filter(filter)?),
        })
    }

    fn filter(&mut self, filter: &model::Filter) -> Compiled<Filter> {
        let each = |this: &mut Self, filters: &[model::Filter]| {
            filters.iter().map(|filter| this.filter(filter)).collect::<Compiled<Box<[_]>>>()
        };
        Ok(match filter {
            model::Filter::Or(filters) => Filter::Any(each(self, filters)?),
            model::Filter::And(filters) => Filter::All(each(self, filters)?),
            model::Filter::Atom(FilterAtom::Filter { expr, not }) => negated(self.filter(expr)?, *not),
            model::Filter::Atom(FilterAtom::Test { expr, not }) => negated(self.test(expr)?, *not),
            model::Filter::Atom(FilterAtom::Comparison(comparison)) => self.comparison(comparison)?,
        })
    }

    fn test(&mut self, tested: &Test) -> Compiled<Filter> {
        match tested {
            Test::RelQuery(segments) => Ok(exists(Start::Current, self.query(segments)?)),
            Test::AbsQuery(query) => Ok(exists(Start::Root, self.query(&query.segments)?)),
            Test::Function(function) => match &**function {
                TestFunction::Match(of, pattern) => self.matches(of, pattern, Extent::Whole),
                TestFunction::Search(of, pattern) => self.matches(of, pattern, Extent::Part),
                TestFunction::Length(_)
                | TestFunction::Count(_)
                | TestFunction::Value(_)
                | TestFunction::Custom(..) => {
                    let place = self.call();
                    Err(self.error(place, "what this function gives is no condition, compare it: `… > 0`"))
                }
            },
        }
    }

    fn matches(&mut self, text: &FnArg, pattern: &FnArg, extent: Extent) -> Compiled<Filter> {
        let place = self.call();
        let text = self.argument(place, text)?;
        let pattern = match self.argument(place, pattern)? {
            Operand::Literal(Json::String(pattern)) => PatternOperand::Known(
                Pattern::compile(&pattern, extent, self.account)
                    .map_err(|refusal| self.error(place, format!("the pattern of this function: {refusal}")))?,
            ),
            other => PatternOperand::Found(other),
        };
        Ok(Filter::Matches { text, pattern, extent })
    }

    fn comparison(&mut self, comparison: &Comparison) -> Compiled<Filter> {
        let (left, operator, right) = match comparison {
            Comparison::Eq(left, right) => (left, Operator::Equal, right),
            Comparison::Ne(left, right) => (left, Operator::NotEqual, right),
            Comparison::Lt(left, right) => (left, Operator::Less, right),
            Comparison::Lte(left, right) => (left, Operator::LessOrEqual, right),
            Comparison::Gt(left, right) => (left, Operator::Greater, right),
            Comparison::Gte(left, right) => (left, Operator::GreaterOrEqual, right),
        };
        Ok(Filter::Compare(self.comparable(left)?, operator, self.comparable(right)?))
    }

    fn comparable(&mut self, comparable: &Comparable) -> Compiled<Operand> {
        match comparable {
            Comparable::Literal(literal) => self.literal(literal).map(Operand::Literal),
            Comparable::Function(function) => self.function(function),
            Comparable::SingularQuery(query) => {
                let (start, segments) = match query {
                    model::SingularQuery::Root(segments) => (Start::Root, segments),
                    model::SingularQuery::Current(segments) => (Start::Current, segments),
                };
                let steps = segments.iter().map(|segment| match segment {
                    SingularQuerySegment::Index(index) => Ok(Step::Index(*index)),
                    SingularQuerySegment::Name(place) => self.name(place).map(Step::Name),
                });
                Ok(Operand::Node(start, steps.collect::<Compiled<_>>()?))
            }
        }
    }

    /// A function whose result is a value.
    fn function(&mut self, function: &TestFunction) -> Compiled<Operand> {
        let place = self.call();
        match function {
            TestFunction::Length(of) => Ok(Operand::Length(Box::new(self.argument(place, of)?))),
            TestFunction::Count(of) => self.nodes(place, of).map(|(start, query)| Operand::Count(start, query)),
            TestFunction::Value(of) => self.nodes(place, of).map(|(start, query)| Operand::Value(start, query)),
            TestFunction::Match(..) | TestFunction::Search(..) | TestFunction::Custom(..) => {
                Err(self.error(place, "this function is a condition by itself, its result is no value"))
            }
        }
    }

    /// An argument that is a value.
    fn argument(&mut self, place: usize, argument: &FnArg) -> Compiled<Operand> {
        match argument {
            FnArg::Literal(literal) => self.literal(literal).map(Operand::Literal),
            FnArg::Test(tested) => {
                if let Test::Function(function) = &**tested {
                    return self.function(function);
                }
                let (start, query) = self.argument_query(tested)?;
                let steps = query.steps().ok_or_else(|| {
                    self.error(
                        place,
                        "this function takes a path that leads to one value (without `*`, `..`, slices and filters); \
                         `value(…)` makes one of another path",
                    )
                })?;
                Ok(Operand::Node(start, steps.into()))
            }
            FnArg::Filter(_) => Err(self.error(place, "this function takes values, no conditions")),
        }
    }

    /// An argument that is all nodes of a query.
    fn nodes(&mut self, place: usize, argument: &FnArg) -> Compiled<(Start, Query)> {
        match argument {
            FnArg::Test(tested) if !matches!(**tested, Test::Function(_)) => self.argument_query(tested),
            _ => Err(self.error(place, "this function takes a path, such as `@.items[*]`")),
        }
    }

    /// A query that is an argument: the place of its skeleton stands for it.
    fn argument_query(&mut self, tested: &Test) -> Compiled<(Start, Query)> {
        let (start, segments) = match tested {
            Test::RelQuery(segments) => (Start::Current, segments),
            Test::AbsQuery(query) => (Start::Root, &query.segments),
            Test::Function(_) => return Err(self.unexpected()),
        };
        match &**segments {
            [model::Segment::Selector(model::Selector::Name(place))] => {
                let place = place.parse().map_err(|_| self.unexpected())?;
                Ok((start, self.skeleton(place)?))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn literal(&self, literal: &Literal) -> Compiled<Json> {
        match literal {
            Literal::String(place) => self.taken_out(place).cloned(),
            Literal::Bool(value) => Ok(Json::Bool(*value)),
            Literal::Null => Ok(Json::Null),
            Literal::Int(value) => Ok(Json::from(*value)),
            Literal::Float(_) => Err(self.unexpected()),
        }
    }

    fn name(&self, place: &str) -> Compiled<SmolStr> {
        match self.taken_out(place)? {
            Json::String(name) => Ok(name.clone()),
            _ => Err(self.unexpected()),
        }
    }

    /// The literal that stands in the skeleton by its place in the list.
    fn taken_out(&self, place: &str) -> Compiled<&Json> {
        place.parse::<usize>().ok().and_then(|place| self.scanned.literals.get(place)).ok_or_else(|| self.unexpected())
    }

    /// Where the next call begins: the tree holds them in the order of the text.
    fn call(&mut self) -> usize {
        self.calls.next().unwrap_or(0)
    }

    fn error(&self, place: usize, message: impl Into<String>) -> PathError {
        PathError::at(self.text, place, message)
    }

    /// For what the scanner does not let through.
    fn unexpected(&self) -> PathError {
        self.error(0, "this is no JSONPath, see RFC 9535 for the syntax")
    }
}

fn exists(start: Start, query: Query) -> Filter {
    query.steps().map_or(Filter::Exists(start, query), |steps| Filter::Present(start, steps.into()))
}

fn negated(filter: Filter, not: bool) -> Filter {
    if not { Filter::Not(Box::new(filter)) } else { filter }
}
