//! See `callout_oracles::path`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callout_oracles::path(bytes));
