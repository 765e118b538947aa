//! Conditions (RFC 9535 section 2.3.5) and functions (section 2.4).

use std::cmp::Ordering;

use callout_core::json::{Json, Number, SmolStr};

use super::{
    eval::Eval,
    pattern::{Extent, Pattern},
    query::{Filter, Operand, Operator, PatternOperand, Query, Start},
    sink::{Count, Exists, Only, Sink},
};
use crate::{
    budget::{Budget, TooMuch},
    step::Step,
};

type Decided<T> = Result<T, TooMuch>;

/// What an operand stands for.
enum Value<'a> {
    /// There is no value (section 2.4.1): equal to itself only.
    Nothing,
    Node(&'a Json),
    /// What `length` and `count` give.
    Number(Number),
}

impl Value<'_> {
    const fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Nothing => None,
            Self::Node(node) => node.as_number(),
            Self::Number(number) => Some(number),
        }
    }

    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Node(node) => node.as_str(),
            Self::Nothing | Self::Number(_) => None,
        }
    }
}

impl<'a> Eval<'a, '_> {
    /// Whether the condition holds for `node`.
    pub(super) fn holds(&mut self, filter: &'a Filter, node: &'a Json) -> Decided<bool> {
        match filter {
            Filter::Any(filters) => {
                for filter in filters {
                    if self.holds(filter, node)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Filter::All(filters) => {
                for filter in filters {
                    if !self.holds(filter, node)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Not(filter) => Ok(!self.holds(filter, node)?),
            Filter::Exists(start, query) => {
                let mut exists = Exists::default();
                self.nodes(*start, query, node, &mut exists)?;
                Ok(exists.yes)
            }
            Filter::Present(start, steps) => Ok(self.follow(*start, steps, node)?.is_some()),
            Filter::Compare(left, operator, right) => {
                self.written(&[left, right])?;
                let (left, right) = (self.value(left, node)?, self.value(right, node)?);
                compare(&left, *operator, &right, &mut self.budget)
            }
            Filter::Matches { text, pattern, extent } => {
                match pattern {
                    PatternOperand::Known(_) => self.written(&[text])?,
                    PatternOperand::Found(pattern) => self.written(&[text, pattern])?,
                }
                let text = self.value(text, node)?;
                let Some(text) = text.as_str() else { return Ok(false) };
                match pattern {
                    PatternOperand::Known(pattern) => pattern.matches(text, &mut self.budget),
                    PatternOperand::Found(operand) => {
                        let pattern = self.value(operand, node)?;
                        let Some(pattern) = pattern.as_str() else { return Ok(false) };
                        let found = self.patterns.get(pattern, *extent, &mut self.budget)?;
                        found.map_or(Ok(false), |pattern| pattern.matches(text, &mut self.budget))
                    }
                }
            }
        }
    }

    /// Pays for a condition that looks at nothing but what the path's author wrote, as often as it is asked.
    fn written(&mut self, operands: &[&Operand]) -> Decided<()> {
        if operands.iter().all(|operand| operand.is_written()) { self.budget.take(1) } else { Ok(()) }
    }

    /// Hands the nodes of a query in a condition to `sink`. Asking costs one, though it finds nothing:
    /// a condition may ask often.
    fn nodes(&mut self, start: Start, query: &'a Query, node: &'a Json, sink: &mut impl Sink<'a>) -> Decided<()> {
        self.budget.take(1)?;
        self.all(&query.segments, self.start(start, node), sink)
    }

    /// The node of a singular query in a condition. Each step costs one, the one that fails too, and `@` and `$` alone
    /// do: what is found is compared or measured, which is free if it is quick.
    fn follow(&mut self, start: Start, steps: &'a [Step], node: &'a Json) -> Decided<Option<&'a Json>> {
        let mut node = self.start(start, node);
        if steps.is_empty() {
            self.budget.take(1)?;
        }
        for step in steps {
            self.budget.take(1)?;
            let Some((_, child)) = step.find_within(node, &mut self.budget)? else { return Ok(None) };
            node = child;
        }
        Ok(Some(node))
    }

    const fn start(&self, start: Start, node: &'a Json) -> &'a Json {
        match start {
            Start::Root => self.root,
            Start::Current => node,
        }
    }

    fn value(&mut self, operand: &'a Operand, node: &'a Json) -> Decided<Value<'a>> {
        Ok(match operand {
            Operand::Literal(value) => Value::Node(value),
            Operand::Node(start, steps) => self.follow(*start, steps, node)?.map_or(Value::Nothing, Value::Node),
            Operand::Length(operand) => match self.value(operand, node)? {
                Value::Node(Json::String(text)) => {
                    self.budget.read(text.len())?;
                    Value::Number(text.chars().count().into())
                }
                Value::Node(Json::Array(elements)) => Value::Number(elements.len().into()),
                Value::Node(Json::Object(members)) => Value::Number(members.len().into()),
                Value::Node(_) | Value::Nothing | Value::Number(_) => Value::Nothing,
            },
            Operand::Count(start, query) => {
                let mut count = Count::default();
                self.nodes(*start, query, node, &mut count)?;
                Value::Number(count.nodes.into())
            }
            Operand::Value(start, query) => {
                let mut only = Only::default();
                self.nodes(*start, query, node, &mut only)?;
                only.into_node().map_or(Value::Nothing, Value::Node)
            }
        })
    }
}

/// Section 2.3.5.2.2.
fn compare(left: &Value<'_>, operator: Operator, right: &Value<'_>, budget: &mut Budget<'_>) -> Decided<bool> {
    Ok(match operator {
        Operator::Equal => equal(left, right, budget)?,
        Operator::NotEqual => !equal(left, right, budget)?,
        Operator::Less => order(left, right, budget)? == Some(Ordering::Less),
        Operator::Greater => order(left, right, budget)? == Some(Ordering::Greater),
        Operator::LessOrEqual => match order(left, right, budget)? {
            Some(order) => order.is_le(),
            None => equal(left, right, budget)?,
        },
        Operator::GreaterOrEqual => match order(left, right, budget)? {
            Some(order) => order.is_ge(),
            None => equal(left, right, budget)?,
        },
    })
}

/// The order of two numbers or two strings; other values have none.
fn order(left: &Value<'_>, right: &Value<'_>, budget: &mut Budget<'_>) -> Decided<Option<Ordering>> {
    if let (Some(left), Some(right)) = (left.as_number(), right.as_number()) {
        return numbers(left, right, budget).map(Some);
    }
    let (Some(left), Some(right)) = (left.as_str(), right.as_str()) else { return Ok(None) };
    budget.read(left.len().min(right.len()))?;
    // UTF-8 sorts like the characters that it stands for.
    Ok(Some(left.cmp(right)))
}

fn numbers(left: &Number, right: &Number, budget: &mut Budget<'_>) -> Decided<Ordering> {
    if left == right {
        budget.read(left.as_str().len())?;
        return Ok(Ordering::Equal);
    }
    budget.calculate(left)?;
    budget.calculate(right)?;
    Ok(left.compare(right))
}

fn equal(left: &Value<'_>, right: &Value<'_>, budget: &mut Budget<'_>) -> Decided<bool> {
    match (left, right) {
        (Value::Nothing, Value::Nothing) => Ok(true),
        (Value::Nothing, _) | (_, Value::Nothing) => Ok(false),
        (Value::Node(left), Value::Node(right)) => equal_nodes(left, right, budget),
        _ => match (left.as_number(), right.as_number()) {
            (Some(left), Some(right)) => Ok(numbers(left, right, budget)?.is_eq()),
            _ => Ok(false),
        },
    }
}

/// Whether two values are equal: numbers by what they mean, objects whatever their members' order.
/// Each pair of nodes that is compared below the first counts as visited.
fn equal_nodes(left: &Json, right: &Json, budget: &mut Budget<'_>) -> Decided<bool> {
    if !shallow(left, right, budget)? {
        return Ok(false);
    }
    if !matches!(left, Json::Array(_) | Json::Object(_)) {
        return Ok(true);
    }
    // Values may nest deeper than the stack.
    let mut open = vec![(left, right)];
    while let Some((left, right)) = open.pop() {
        let mut pair = |left, right, budget: &mut Budget<'_>| -> Decided<bool> {
            budget.take(1)?;
            let alike = shallow(left, right, budget)?;
            if alike && matches!(left, Json::Array(_) | Json::Object(_)) {
                open.push((left, right));
            }
            Ok(alike)
        };
        match (left, right) {
            (Json::Array(left), Json::Array(right)) => {
                for (left, right) in left.iter().zip(right) {
                    if !pair(left, right, budget)? {
                        return Ok(false);
                    }
                }
            }
            (Json::Object(left), Json::Object(right)) => {
                for (name, left) in left.iter() {
                    budget.read(name.len())?;
                    let Some(right) = right.get(name) else { return Ok(false) };
                    if !pair(left, right, budget)? {
                        return Ok(false);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(true)
}

/// Whether two values are equal but for what stands in them.
fn shallow(left: &Json, right: &Json, budget: &mut Budget<'_>) -> Decided<bool> {
    Ok(match (left, right) {
        (Json::Null, Json::Null) => true,
        (Json::Bool(left), Json::Bool(right)) => left == right,
        (Json::Number(left), Json::Number(right)) => numbers(left, right, budget)?.is_eq(),
        (Json::String(left), Json::String(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            budget.read(left.len())?;
            left == right
        }
        (Json::Array(left), Json::Array(right)) => left.len() == right.len(),
        (Json::Object(left), Json::Object(right)) => left.len() == right.len(),
        _ => false,
    })
}

/// The patterns that stand in the document, as far as they were used last.
#[derive(Debug)]
pub(super) struct Patterns {
    known: Vec<(SmolStr, Extent, Option<Pattern>)>,
    oldest: usize,
}

/// Patterns kept: a document has one for all nodes, or a few.
const KEPT: usize = 4;

impl Patterns {
    pub(super) const fn new() -> Self {
        Self { known: Vec::new(), oldest: 0 }
    }

    /// The pattern of that text; `None` if it is none.
    fn get(&mut self, text: &str, extent: Extent, budget: &mut Budget<'_>) -> Decided<Option<&Pattern>> {
        budget.read(text.len())?;
        let known = self.known.iter().position(|(known, of, _)| *of == extent && known.as_str() == text);
        let at = if let Some(at) = known {
            at
        } else {
            budget.take(Pattern::cost(text))?;
            self.keep((SmolStr::new(text), extent, Pattern::compile_once(text, extent).ok()))
        };
        Ok(self.known.get(at).and_then(|(_, _, pattern)| pattern.as_ref()))
    }

    /// Keeps an entry in the place of the oldest one, and says where.
    fn keep(&mut self, entry: (SmolStr, Extent, Option<Pattern>)) -> usize {
        let at = self.oldest;
        match self.known.get_mut(at) {
            Some(oldest) => *oldest = entry,
            None => self.known.push(entry),
        }
        self.oldest = (at + 1) % KEPT;
        at
    }
}
