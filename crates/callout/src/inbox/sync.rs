//! The lock of the [`Lanes`](super::lanes::Lanes), in a module of its own: the model check in
//! `tests/inbox_model.rs` compiles the lanes with a scheduler's lock in its place.

pub(crate) use std::sync::Mutex;
