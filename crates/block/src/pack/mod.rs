//! Packs: append-only files of self-describing records.
//!
//! Owns the format ([`record`]), a pack's file with its list of dead records ([`file`]) and scanning
//! ([`scan`]). A pack can be read without any index: records name themselves, and a bad one is stepped over
//! to the next good one.

pub(crate) mod file;
pub mod record;
pub(crate) mod scan;

pub(crate) use file::{Pack, numbers};
