//! How large and how deep a value is, found out without doing more work than the bound.

use std::fmt::{self, Write};

use callout_core::{
    Error, ErrorKind,
    json::{Json, Object, write_compact},
    limits::Limits,
};

/// Refuses params that are larger or deeper than the limits.
///
/// # Errors
///
/// `limit_exceeded`, with the limit's name.
pub(crate) fn check_params(params: &Object, limits: &Limits) -> Result<(), Error> {
    let params = Json::Object(params.clone());
    let Limits { max_json_depth, max_params_bytes, .. } = limits;
    if !depth_within(&params, *max_json_depth) {
        let message = format!("the params nest deeper than {max_json_depth} levels (`max_json_depth`)");
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    if compact_bytes(&params, *max_params_bytes).is_none() {
        let message = format!("the params have more than {max_params_bytes} bytes as JSON (`max_params_bytes`)");
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    Ok(())
}

/// Whether at most that many arrays and objects are open at once. Looks no deeper.
pub(crate) fn depth_within(value: &Json, levels: usize) -> bool {
    match value {
        Json::Array(elements) => levels > 0 && elements.iter().all(|element| depth_within(element, levels - 1)),
        Json::Object(members) => levels > 0 && members.values().all(|member| depth_within(member, levels - 1)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => true,
    }
}

/// The bytes of the value as compact JSON, if they are at most `max`. Its depth must be bounded.
pub(crate) fn compact_bytes(value: &Json, max: usize) -> Option<usize> {
    let mut counter = Counter { left: max };
    write_compact(value, &mut counter).ok()?;
    Some(max - counter.left)
}

struct Counter {
    left: usize,
}

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// What is shown of a text: its first `max` characters, then `…` if there are more.
pub(crate) fn cut(text: impl fmt::Display, max: usize) -> String {
    struct Cut {
        text: String,
        room: usize,
    }
    impl Write for Cut {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for found in text.chars() {
                self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
                self.text.push(found);
            }
            Ok(())
        }
    }
    let mut out = Cut { text: String::new(), room: max };
    if write!(out, "{text}").is_err() {
        out.text.push('…');
    }
    out.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_depths_at_their_bounds() {
        let value = Json::parse(r#"{"a":[1,"é"]}"#).unwrap();
        assert_eq!(compact_bytes(&value, 14), Some(14));
        assert_eq!(compact_bytes(&value, 13), None);
        assert!(depth_within(&value, 2));
        assert!(!depth_within(&value, 1));
        assert!(depth_within(&Json::Null, 0));
        assert!(!depth_within(&Json::empty_object(), 0));
    }

    #[test]
    fn a_host_can_hand_in_params_of_any_depth() {
        let mut value = Json::Null;
        for _ in 0..1_000 {
            value = Json::from(vec![value]);
        }
        assert!(!depth_within(&value, 128));
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(cut("é".repeat(5), 5), "ééééé");
        assert_eq!(cut("é".repeat(6), 5), "ééééé…");
    }
}
