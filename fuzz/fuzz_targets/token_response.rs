//! See `callout_oracles::token_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callout_oracles::token_response(bytes));
