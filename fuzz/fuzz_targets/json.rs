//! See `callout_oracles::json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callout_oracles::json(bytes));
