//! See `callout_oracles::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callout_oracles::config(bytes));
