//! A lab: what there is, what feeds and connects it, and the figures of its parts.
//!
//! Owns: the inventory file, the catalogue of parts, and what follows from both. Never: reading files; texts come in
//! and go out.

pub mod catalogue;
mod cluster_map;
mod error;
mod fields;
pub mod model;
mod nearest;
pub mod netbox;
mod read;
pub mod resolve;

pub use catalogue::Catalogue;
pub use error::{LabError, LabErrorKind, Place};
pub use model::Lab;
pub use nearest::nearest;
pub use read::{MAX_BYTES, locate};
pub use resolve::{DiskThing, Figure, Figures, Link, Resolved, Thing, ThingId, ThingKind};
