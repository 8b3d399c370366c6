//! UnixFS v1 files: how a sequence of leaves becomes one tree with one CID, and how it is read.

use crate::{Block, BlockError};
use bytes::Bytes;
use std::ops::Range;
use stead_event::Cid;

/// Bytes of a leaf in profile `unixfs-v1-2025` (1 MiB).
pub const LEAF_BYTES: usize = 1024 * 1024;
/// Links of an inner node in profile `unixfs-v1-2025`.
pub const NODE_LINKS: usize = 1024;

/// Builds the balanced tree over leaves that are stored by somebody else. Inner nodes come out as soon as
/// they are full, so memory does not grow with the file.
#[derive(Debug)]
pub struct DagBuilder(());

impl DagBuilder {
    /// Profile `unixfs-v1-2025`.
    pub fn new() -> Self {
        Self::with_links(NODE_LINKS)
    }

    /// Another width, at least 2.
    pub fn with_links(links: usize) -> Self {
        todo!()
    }

    /// The next leaf and its size in bytes. Answers the inner nodes that are full now.
    pub fn push(&mut self, leaf: Cid, size: u64) -> Vec<Block> {
        todo!()
    }

    /// The root, and the blocks that are still to be stored: inner nodes, or the empty raw block.
    pub fn finish(self) -> Finished {
        todo!()
    }
}

impl Default for DagBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// A finished tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Names the whole file.
    pub root: Cid,
    /// Bytes of the file.
    pub size: u64,
    /// The blocks that are still to be stored.
    pub blocks: Vec<Block>,
}

/// A leaf, or the part of it that a range takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The leaf.
    pub cid: Cid,
    /// Its whole size in bytes.
    pub size: u64,
    /// Where it begins in the file.
    pub offset: u64,
    /// The bytes of it that lie in the range.
    pub slice: Range<u64>,
}

/// Walks a file's leaves in order, reading inner nodes as it comes to them; leaves themselves are not
/// read. `read` is called for inner nodes (and never for a raw root).
pub struct Leaves<R>(R);

impl<R: FnMut(&Cid) -> Result<Bytes, BlockError>> Leaves<R> {
    /// The leaves that `range` touches; the whole file where `None`. `size` is the file's size.
    pub fn new(read: R, root: Cid, size: u64, range: Option<Range<u64>>) -> Self {
        todo!()
    }
}

impl<R: FnMut(&Cid) -> Result<Bytes, BlockError>> Iterator for Leaves<R> {
    type Item = Result<Leaf, BlockError>;

    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}

/// The CIDs that a block names: none for a raw block, the links of a dag-pb node.
pub fn links(cid: &Cid, bytes: &[u8]) -> Result<Vec<Cid>, BlockError> {
    todo!()
}
