//! See `callout_oracles::pipeline`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callout_oracles::pipeline(bytes));
