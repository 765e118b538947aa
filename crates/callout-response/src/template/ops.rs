//! Operators: arithmetic, comparison, containment, joining.

use std::cmp::Ordering;

use callout_core::json::{Json, Number, Object, SmolStr};

use super::{
    budget::Meter,
    fault::{Fail, Outcome},
    value::{Val, kind, text},
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

/// So many digits of a whole number are read as fast as one that is calculated with for a float.
const WHOLE_DIGITS: usize = 16;

/// A number to calculate with: whole numbers exactly within 128 bits, all others as floats.
#[derive(Clone, Copy, Debug)]
pub(super) enum Num {
    Int(i128),
    Float(f64),
}

impl Num {
    /// Booleans count as 0 and 1, as in Python. `None` if it is no number.
    pub(super) fn of(json: &Json, meter: &Meter) -> Outcome<Option<Self>> {
        Ok(match json {
            Json::Bool(truth) => Some(Self::Int(i128::from(*truth))),
            Json::Number(number) => {
                let whole = number.as_i128();
                let digits = Number::slow_digits(number.as_str());
                if digits > 0 {
                    meter.calculate(if whole.is_some() { digits / WHOLE_DIGITS } else { digits })?;
                }
                Some(whole.map_or_else(|| Self::Float(number.as_f64()), Self::Int))
            }
            _ => None,
        })
    }

    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// How many digits are calculated with to write it with so many places and without an exponent.
    pub(super) fn digits_to_write(self, places: usize) -> usize {
        /// What a float cannot tell apart has up to 309 digits before the point. Each is made of all those behind it, and
        /// read again by who rounds.
        const LONG: usize = 1_000;
        match self {
            Self::Float(float) if float.abs() >= 1e17 || places > 40 => LONG,
            Self::Float(_) | Self::Int(_) => 0,
        }
    }

    pub(super) fn into_json(self) -> Outcome<Json> {
        match self {
            Self::Int(value) => Ok(value.into()),
            Self::Float(value) => match Number::from_f64(value) {
                Some(number) => Ok(number.into()),
                None => Err(Fail::new("the result is no number that JSON has")),
            },
        }
    }
}

/// `left operator right`
pub(super) fn arith(operator: Arith, left: &Val, right: &Val, meter: &Meter) -> Outcome<Val> {
    match (operator, &left.json, &right.json) {
        (Arith::Add, Json::String(one), Json::String(two)) => {
            meter.write(one.len() + two.len())?;
            return Ok(joined(one, two).into());
        }
        (Arith::Add, Json::Array(one), Json::Array(two)) => {
            meter.make(one.len() + two.len())?;
            let all = one.iter().chain(two).cloned().collect();
            return Ok(Val::new(all, left.depth.max(right.depth)));
        }
        (Arith::Mul, Json::String(repeated), count) | (Arith::Mul, count, Json::String(repeated)) => {
            let count = count_of(count, meter)?;
            meter.write(repeated.len().saturating_mul(count))?;
            return Ok(repeated.repeat(count).into());
        }
        (Arith::Mul, Json::Array(repeated), count) | (Arith::Mul, count, Json::Array(repeated)) => {
            let count = count_of(count, meter)?;
            meter.make(repeated.len().saturating_mul(count))?;
            // An empty list stays empty however often it is taken.
            let times = if repeated.is_empty() { 0 } else { count };
            let all = (0..times).flat_map(|_| repeated.iter().cloned()).collect();
            return Ok(Val::new(all, left.depth.max(right.depth)));
        }
        _ => {}
    }
    let (Some(one), Some(two)) = (Num::of(&left.json, meter)?, Num::of(&right.json, meter)?) else {
        return Err(Fail::new(impossible(operator, &left.json, &right.json)));
    };
    numbers(operator, one, two)?.into_json().map(Val::from)
}

fn impossible(operator: Arith, left: &Json, right: &Json) -> String {
    let (left, right) = (kind(left), kind(right));
    match operator {
        Arith::Add => format!("cannot add {left} and {right}; `~` joins any two values as text"),
        Arith::Sub => format!("cannot subtract {right} from {left}"),
        Arith::Mul => format!("cannot multiply {left} by {right}"),
        Arith::Rem if left == "a string" => {
            "a string cannot be divided; the filter `format` fills in values".to_owned()
        }
        Arith::Div | Arith::FloorDiv | Arith::Rem => format!("cannot divide {left} by {right}"),
        Arith::Pow => format!("cannot raise {left} to {right}"),
    }
}

fn joined(one: &str, two: &str) -> SmolStr {
    let mut all = String::with_capacity(one.len() + two.len());
    all.push_str(one);
    all.push_str(two);
    all.into()
}

fn count_of(json: &Json, meter: &Meter) -> Outcome<usize> {
    match Num::of(json, meter)? {
        Some(Num::Int(count)) => Ok(usize::try_from(count.max(0)).unwrap_or(usize::MAX)),
        _ => Err(Fail::new(format!("only a whole number says how often to repeat, not {}", kind(json)))),
    }
}

pub(super) fn numbers(operator: Arith, left: Num, right: Num) -> Outcome<Num> {
    let too_large = || Fail::new("the result is too large for a whole number");
    let by_zero = || Fail::new("division by zero");
    if let (Num::Int(one), Num::Int(two)) = (left, right) {
        let exact = match operator {
            Arith::Add => one.checked_add(two),
            Arith::Sub => one.checked_sub(two),
            Arith::Mul => one.checked_mul(two),
            Arith::FloorDiv | Arith::Rem if two == 0 => return Err(by_zero()),
            Arith::FloorDiv => one.checked_div_euclid(two).map(|quotient| floor_fix(one, two, quotient)),
            Arith::Rem => {
                one.checked_rem(two).map(|rest| if rest != 0 && (rest < 0) != (two < 0) { rest + two } else { rest })
            }
            Arith::Pow if two >= 0 => u32::try_from(two).ok().and_then(|two| one.checked_pow(two)),
            Arith::Div | Arith::Pow => return floats(operator, left.as_f64(), right.as_f64()),
        };
        return exact.map(Num::Int).ok_or_else(too_large);
    }
    floats(operator, left.as_f64(), right.as_f64())
}

/// From the quotient whose rest is never negative to the one rounded down.
fn floor_fix(one: i128, two: i128, quotient: i128) -> i128 {
    if two < 0 && one.checked_rem_euclid(two).is_some_and(|rest| rest != 0) { quotient - 1 } else { quotient }
}

fn floats(operator: Arith, one: f64, two: f64) -> Outcome<Num> {
    if two == 0.0 && matches!(operator, Arith::Div | Arith::FloorDiv | Arith::Rem) {
        return Err(Fail::new("division by zero"));
    }
    Ok(Num::Float(match operator {
        Arith::Add => one + two,
        Arith::Sub => one - two,
        Arith::Mul => one * two,
        Arith::Div => one / two,
        Arith::FloorDiv => floor_divided(one, two).0,
        Arith::Rem => floor_divided(one, two).1,
        Arith::Pow => one.powf(two),
    }))
}

/// The whole quotient and the rest of floats, as Python has them: the rest is exact before the divisor's sign is given
/// to it, and the quotient goes with it, which the rounded `one / two` does not.
fn floor_divided(one: f64, two: f64) -> (f64, f64) {
    let rest = one % two;
    let quotient = (one - rest) / two;
    let (quotient, rest) = if rest == 0.0 {
        (quotient, 0.0_f64.copysign(two))
    } else if (rest < 0.0) == (two < 0.0) {
        (quotient, rest)
    } else {
        (quotient - 1.0, rest + two)
    };
    if quotient == 0.0 {
        return (0.0_f64.copysign(one / two), rest);
    }
    // It is whole but for rounding.
    let below = quotient.floor();
    (if quotient - below > 0.5 { below + 1.0 } else { below }, rest)
}

/// `-value`
pub(super) fn negate(value: &Json, meter: &Meter) -> Outcome<Json> {
    match Num::of(value, meter)? {
        Some(Num::Int(integer)) => {
            integer.checked_neg().map(Json::from).ok_or_else(|| Fail::new("the result is too large for a whole number"))
        }
        Some(Num::Float(float)) => Num::Float(-float).into_json(),
        None => Err(Fail::new(format!("cannot negate {}", kind(value)))),
    }
}

/// The parts as one text.
pub(super) fn concat(parts: &[Val], meter: &Meter) -> Outcome<Json> {
    let texts = parts.iter().map(|part| text(&part.json, meter)).collect::<Outcome<Vec<_>>>()?;
    let bytes = texts.iter().fold(0_usize, |sum, text| sum.saturating_add(text.len()));
    meter.write(bytes)?;
    let mut all = String::with_capacity(bytes);
    all.extend(texts.iter().map(SmolStr::as_str));
    Ok(all.into())
}

/// `left operator right`
pub(super) fn compare(operator: Compare, left: &Json, right: &Json, meter: &Meter) -> Outcome<bool> {
    Ok(match operator {
        Compare::Eq => equal(left, right, meter)?,
        Compare::Ne => !equal(left, right, meter)?,
        Compare::Lt => ordered(left, right, meter)?.is_lt(),
        Compare::Le => ordered(left, right, meter)?.is_le(),
        Compare::Gt => ordered(left, right, meter)?.is_gt(),
        Compare::Ge => ordered(left, right, meter)?.is_ge(),
        Compare::In => contains(right, left, meter)?,
        Compare::NotIn => !contains(right, left, meter)?,
    })
}

/// Whether two values are the same: numbers by value, members in any order.
pub(super) fn equal(left: &Json, right: &Json, meter: &Meter) -> Outcome<bool> {
    meter.visit(1)?;
    Ok(match (left, right) {
        (Json::Null, Json::Null) => true,
        (Json::String(one), Json::String(two)) => {
            one.len() == two.len() && {
                meter.read(one.len())?;
                one == two
            }
        }
        (Json::Array(one), Json::Array(two)) => {
            if one.len() != two.len() {
                return Ok(false);
            }
            for (one, two) in one.iter().zip(two) {
                if !equal(one, two, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        (Json::Object(one), Json::Object(two)) => {
            if one.len() != two.len() {
                return Ok(false);
            }
            for (at, (name, one)) in one.iter().enumerate() {
                // Most often their order is the same.
                let two = match two.entry(at) {
                    Some((same, value)) if same == name => Some(value),
                    _ => member(two, name, meter)?,
                };
                meter.read(name.len())?;
                match two {
                    Some(two) if equal(one, two, meter)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => match (Num::of(left, meter)?, Num::of(right, meter)?) {
            (Some(one), Some(two)) => compare_numbers(one, two) == Ordering::Equal,
            _ => false,
        },
    })
}

pub(super) fn compare_numbers(one: Num, two: Num) -> Ordering {
    match (one, two) {
        (Num::Int(one), Num::Int(two)) => one.cmp(&two),
        // JSON has no number that is none.
        _ => one.as_f64().partial_cmp(&two.as_f64()).unwrap_or(Ordering::Equal),
    }
}

/// The order of two values of which there is one: numbers, strings, and lists of such.
fn ordered(left: &Json, right: &Json, meter: &Meter) -> Outcome<Ordering> {
    let comparable = match (left, right) {
        (Json::String(_), Json::String(_)) | (Json::Array(_), Json::Array(_)) => true,
        _ => Num::of(left, meter)?.is_some() && Num::of(right, meter)?.is_some(),
    };
    if comparable {
        order(left, right, meter)
    } else {
        Err(Fail::new(format!("cannot compare {} with {}", kind(left), kind(right))))
    }
}

/// An order of all values, for sorting: none, numbers, strings, lists, mappings.
pub(super) fn order(left: &Json, right: &Json, meter: &Meter) -> Outcome<Ordering> {
    meter.visit(1)?;
    if let (Some(one), Some(two)) = (Num::of(left, meter)?, Num::of(right, meter)?) {
        return Ok(compare_numbers(one, two));
    }
    match (left, right) {
        (Json::String(one), Json::String(two)) => {
            meter.read(one.len().min(two.len()))?;
            Ok(one.cmp(two))
        }
        (Json::Array(one), Json::Array(two)) => {
            for (one, two) in one.iter().zip(two) {
                let order = order(one, two, meter)?;
                if order.is_ne() {
                    return Ok(order);
                }
            }
            Ok(one.len().cmp(&two.len()))
        }
        _ => Ok(rank(left).cmp(&rank(right))),
    }
}

fn rank(json: &Json) -> u8 {
    match json {
        Json::Null => 0,
        Json::Bool(_) | Json::Number(_) => 1,
        Json::String(_) => 2,
        Json::Array(_) => 3,
        Json::Object(_) => 4,
    }
}

/// The positions 0 to `len` in a stable order that may fail to be told. The standard library's
/// sort panics on an order that is none, and values here need not have one.
pub(super) fn sorted(len: usize, mut order: impl FnMut(usize, usize) -> Outcome<Ordering>) -> Outcome<Vec<usize>> {
    let mut sorted: Vec<usize> = (0..len).collect();
    let mut width = 1;
    while width < len {
        let mut merged = Vec::with_capacity(len);
        for pair in sorted.chunks(width * 2) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let (Some((&one, left_rest)), Some((&two, right_rest))) = (left.split_first(), right.split_first()) {
                if order(one, two)?.is_gt() {
                    merged.push(two);
                    right = right_rest;
                } else {
                    merged.push(one);
                    left = left_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        sorted = merged;
        width *= 2;
    }
    Ok(sorted)
}

/// Whether `whole` has `part` in it: an element, a key, a piece of text.
pub(super) fn contains(whole: &Json, part: &Json, meter: &Meter) -> Outcome<bool> {
    match (whole, part) {
        (Json::String(text), Json::String(piece)) => {
            meter.read(text.len() + piece.len())?;
            Ok(text.contains(piece.as_str()))
        }
        (Json::Array(elements), _) => {
            for element in elements {
                if equal(element, part, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Json::Object(members), _) => match key(part) {
            Some(name) => Ok(member(members, name, meter)?.is_some()),
            None => Ok(false),
        },
        (Json::String(_), _) => Err(Fail::new(format!("a string cannot contain {}", kind(part)))),
        _ => Err(Fail::new(format!("{} contains nothing; `in` needs a list, mapping or string", kind(whole)))),
    }
}

/// The name of the member that a value is the key of: keys are strings, as which numbers, truth values and none stand as
/// they are printed. `None` of lists and mappings, which are no keys.
pub(super) fn key(value: &Json) -> Option<&str> {
    match value {
        Json::Null => Some("None"),
        Json::Bool(true) => Some("True"),
        Json::Bool(false) => Some("False"),
        Json::Number(number) => Some(number.as_str()),
        Json::String(name) => Some(name.as_str()),
        Json::Array(_) | Json::Object(_) => None,
    }
}

/// Members of an object for which looking for one costs as much again.
pub(crate) const MEMBERS_PER_VISIT: usize = 32;
/// Names of more bytes cost by them too.
pub(super) const LONG_NAME: usize = 64;

/// The member of that name. An object's own index would have to be made, and kept, for each large
/// object that a template looks into; here its members are gone through, and paid for.
pub(super) fn member<'v>(members: &'v Object, name: &str, meter: &Meter) -> Outcome<Option<&'v Json>> {
    meter.visit(1 + members.len() / MEMBERS_PER_VISIT)?;
    if name.len() > LONG_NAME {
        meter.read(name.len().saturating_mul(members.len()))?;
    }
    Ok(members.iter().find(|(found, _)| *found == name).map(|(_, value)| value))
}
