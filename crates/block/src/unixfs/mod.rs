//! UnixFS v1 files: how a sequence of leaves becomes one tree with one CID, and how it is read.
//!
//! The layout is profile `unixfs-v1-2025` of IPIP-0499 (<https://specs.ipfs.tech/ipips/ipip-0499/>): raw leaves
//! of 1 MiB, balanced, 1,024 links a node, sha2-256, CIDv1. A file of one leaf is that leaf; an empty file is
//! the empty raw block.
//! Never: stores or reads leaves. It sees their names and sizes only.

mod build;
pub mod directory;
pub mod hamt;
mod murmur3;
pub mod node;
pub mod pb;
pub mod pb_message;
mod read;

pub use build::{DagBuilder, Finished};
pub use read::{Leaf, Leaves, file_size, links};

/// Bytes of a leaf in profile `unixfs-v1-2025` (1 MiB).
pub const LEAF_BYTES: usize = 1024 * 1024;
/// Links of an inner node in profile `unixfs-v1-2025`.
pub const NODE_LINKS: usize = 1024;
