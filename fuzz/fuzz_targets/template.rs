//! See `callout_oracles::template`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callout_oracles::template(bytes));
