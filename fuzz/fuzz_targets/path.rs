//! Any path over any value, both parted by a line end: bounded, and a single path gives no list of
//! matches.
#![no_main]

use callout_core::{json::Json, limits::Limits};
use callout_path::{Mask, Path};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some((path, value)) = text.split_once('\n') else { return };
    let limits = Limits::default();
    let (Ok(path), Ok(value)) = (Path::parse(path, &limits), Json::parse(value)) else { return };
    let found = path.value(&value, &limits);
    let mut mask = Mask::new();
    if path.select(&value, &mut mask, &limits).is_ok() && found.is_ok() {
        let kept = mask.apply(&value);
        assert!(kept.to_string().len() <= value.to_string().len() + 4, "a mask adds nothing");
    }
});
