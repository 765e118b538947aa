//! How large and how deep a value is, found out without doing more work than the bound.

use callout_core::{
    Error, ErrorKind,
    json::{Json, Object, is_written_within},
    limits::Limits,
};

/// Which bound a value is beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    Depth,
    Size,
}

/// Refuses params that are larger or deeper than the limits.
///
/// # Errors
///
/// `limit_exceeded`, with the limit's name.
pub(crate) fn check_params(params: &Object, limits: &Limits) -> Result<(), Error> {
    let Limits { max_json_depth, max_params_bytes, .. } = limits;
    within(&Json::Object(params.clone()), *max_json_depth, *max_params_bytes).map_err(|excess| {
        let message = match excess {
            Excess::Depth => format!("the params nest deeper than {max_json_depth} levels (`max_json_depth`)"),
            Excess::Size => format!("the params have more than {max_params_bytes} bytes as JSON (`max_params_bytes`)"),
        };
        Error::new(ErrorKind::LimitExceeded, message)
    })
}

/// Bytes of params that are looked through in some microseconds.
const SMALL_PARAMS: usize = 16 << 10;

/// Whether params are well within the limits.
pub(crate) fn is_small(params: &Object, limits: &Limits) -> bool {
    let bytes = limits.max_params_bytes.min(SMALL_PARAMS);
    within(&Json::Object(params.clone()), limits.max_json_depth, bytes).is_ok()
}

/// Whether at most that many arrays and objects are open at once, and the value has at most that many
/// bytes as compact JSON.
///
/// # Errors
///
/// Which of the two does not hold. A value whose parts are shared may be small in memory and endless
/// when written: it is walked no further than its size allows.
pub(crate) fn within(value: &Json, levels: usize, bytes: usize) -> Result<(), Excess> {
    walk(value, levels, &mut { bytes })?;
    if is_written_within(value, bytes, || true) { Ok(()) } else { Err(Excess::Size) }
}

/// Each value takes one byte at least.
fn walk(value: &Json, levels: usize, left: &mut usize) -> Result<(), Excess> {
    *left = left.checked_sub(1).ok_or(Excess::Size)?;
    let below = levels.checked_sub(1).ok_or(Excess::Depth);
    match value {
        Json::Array(elements) => below.and_then(|below| elements.iter().try_for_each(|value| walk(value, below, left))),
        Json::Object(members) => {
            below.and_then(|below| members.values().try_for_each(|value| walk(value, below, left)))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_depths_at_their_bounds() {
        let value = Json::parse(r#"{"a":[1,"é"]}"#).unwrap();
        assert_eq!(within(&value, 2, 14), Ok(()));
        assert_eq!(within(&value, 2, 13), Err(Excess::Size));
        assert_eq!(within(&value, 1, 14), Err(Excess::Depth));
        assert_eq!(within(&Json::Null, 0, 4), Ok(()));
        assert_eq!(within(&Json::empty_object(), 0, 4), Err(Excess::Depth));
    }

    #[test]
    fn a_host_can_hand_in_params_of_any_depth_and_of_endless_size() {
        let (mut deep, mut wide) = (Json::Null, Json::from("x"));
        for _ in 0..100_000 {
            deep = vec![deep].into();
        }
        for _ in 0..100 {
            wide = vec![wide.clone(), wide].into();
        }
        assert_eq!(within(&deep, 128, 1 << 20), Err(Excess::Depth));
        assert_eq!(within(&wide, 128, 1 << 20), Err(Excess::Size));
    }
}
