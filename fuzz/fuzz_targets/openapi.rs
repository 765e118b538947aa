//! See `callout_oracles::openapi`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callout_oracles::openapi(bytes));
