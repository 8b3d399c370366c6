//! A lab: what there is, what feeds and connects it, and the figures of its parts.
//!
//! Owns: the inventory file. Never: reading files; texts come in and go out.

pub mod model;

pub use model::Lab;
