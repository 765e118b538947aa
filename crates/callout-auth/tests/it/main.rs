//! The crate from outside, with a network, a clock and dice that the tests hold.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod bounds;
mod canary;
mod private_keys;
mod renewal;
mod single_flight;
mod support;
mod wire;
