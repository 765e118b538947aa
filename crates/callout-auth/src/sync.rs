//! The lock of a [`Slot`](crate::slot::Slot), in a module of its own: the model check in
//! `tests/slot_model.rs` compiles the slot with a scheduler's lock in its place.

pub(crate) use std::sync::Mutex;
