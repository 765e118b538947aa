//! See `callout_oracles::request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callout_oracles::request(bytes));
