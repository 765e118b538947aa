//! Tests of the template's parts together; those of the whole are in the crate's `tests`.

mod lists_for_people;
mod own_beside_minijinja;
