//! What a text reads as, and which numbers are integers.

use callout_core::json::{Json, Number};

/// The type of a listed value. Schemas tell integers from other numbers.
pub(super) fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Number(number) if is_whole(number) => "integer",
        _ => value.type_name(),
    }
}

/// What a text reads as, of the types that are asked for, unless it is one of them itself.
pub(super) fn scalar(types: &[&str], text: &str) -> Option<(&'static str, Json)> {
    if types.contains(&"string") {
        return None;
    }
    let text = text.trim();
    if let Some(number) = Number::from_text(text) {
        let takes_any = types.contains(&"number");
        if types.contains(&"integer")
            && let Some(whole) = whole(&number).filter(|_| number.is_integer() || !takes_any)
        {
            return Some(("integer", whole.into()));
        }
        return takes_any.then(|| ("number", number.into()));
    }
    match text {
        "true" | "false" if types.contains(&"boolean") => Some(("boolean", Json::Bool(text == "true"))),
        _ => None,
    }
}

/// The number as an integer is written, if it is one; `5.0` is.
pub(super) fn whole(number: &Number) -> Option<Number> {
    if number.is_integer() {
        return Some(number.clone());
    }
    // The zero of integers has no sign.
    let digits = digits_of_whole(number)?;
    Number::from_text(if digits == "-0" { "0" } else { digits })
}

/// Whether it is an integer, however it is written.
pub(super) fn is_whole(number: &Number) -> bool {
    number.is_integer() || digits_of_whole(number).is_some()
}

/// What stands before the point of a number that has nothing but zeros behind it.
fn digits_of_whole(number: &Number) -> Option<&str> {
    let (digits, fraction) = number.as_str().split_once('.')?;
    fraction.bytes().all(|byte| byte == b'0').then_some(digits)
}
