//! Lifecycle: what is deleted in time, and when.
//!
//! Owns: the rules of a bucket ([`rules`]), their XML ([`document`]), when something is due ([`due`]), what is
//! due of a listing ([`plan`]), and the run that carries it out ([`run`]).
//! Promises: what is due follows from rules, states and the time alone; a locked version is never asked for.
//! Never: decides what a deletion does to versions; that is the object layer's.

pub(crate) mod document;
pub(crate) mod due;
mod plan;
pub(crate) mod rules;
mod run;
#[cfg(test)]
mod tests;

pub use due::Day;
pub use run::{Lifecycle, Report};
