//! Settings in layers: what all nodes share, and each node's own over it.
//!
//! Owns: which settings may be shared and which of them count at once ([`known`]), whether a document may be set
//! ([`document`]), what the layers come to ([`layers`]), and the settings of a running node, which change while it runs
//! ([`live`]).
//! Promises: a document that is refused changes nothing; a node whose copy of the document is not readable starts with
//! its own file.

mod document;
mod known;
mod layers;
mod live;

pub use document::{DOCUMENT_BYTES, check};
pub use layers::at_start;
pub(crate) use live::changes;
pub use live::{Live, follow};
