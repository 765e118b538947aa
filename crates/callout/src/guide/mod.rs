//! How Callout behaves, how integrations are written, and recipes.

#[doc = include_str!("behaviour.md")]
pub mod behaviour {}

#[doc = include_str!("config.md")]
pub mod config {}

#[doc = include_str!("recipes.md")]
pub mod recipes {}

#[doc = include_str!("runtime.md")]
pub mod runtime {}
