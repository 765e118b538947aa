//! What the reader accepts it writes back, and reads again as the same value.
#![no_main]

use callout_core::json::{Json, ReadOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = ReadOptions::default().read(bytes) {
        let written = value.to_string();
        assert_eq!(Json::parse(&written).as_ref(), Ok(&value), "{written}");
    }
});
