//! The seam to where blocks live.

use crate::BlockError;
use async_trait::async_trait;
use bytes::Bytes;
use std::ops::Range;
use stead_event::Cid;

/// The largest block that is stored or accepted: what IPFS peers exchange (2 MiB). Stead itself writes
/// leaves of 1 MiB and inner nodes well below.
pub const MAX_BLOCK_BYTES: usize = 2 * 1024 * 1024;

/// Bytes and their name. That the bytes hash to the name is the maker's word; a store that takes blocks
/// from elsewhere checks it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The name.
    pub cid: Cid,
    /// The bytes.
    pub bytes: Bytes,
}

impl Block {
    /// A raw block: hashes the bytes.
    pub fn raw(bytes: Bytes) -> Self {
        Self {
            cid: stead_event::cids::raw(&bytes),
            bytes,
        }
    }

    /// A dag-pb block: hashes the bytes.
    pub fn dag_pb(bytes: Bytes) -> Self {
        Self {
            cid: stead_event::cids::dag_pb(&bytes),
            bytes,
        }
    }
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Blocks that can be read.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes on disk, with what is dead but not compacted yet.
    pub disk_bytes: u64,
    /// Pack files.
    pub packs: u64,
}

/// Where blocks live. Every implementation passes [`crate::store_conformance`].
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores blocks; durable when it returns. A block that is there already is not stored again.
    async fn put(&self, blocks: Vec<Block>) -> Result<(), BlockError>;

    /// A block's bytes, or a range of them.
    async fn get(&self, cid: &Cid, range: Option<Range<u64>>) -> Result<Bytes, BlockError>;

    /// Whether the block is stored.
    async fn has(&self, cid: &Cid) -> Result<bool, BlockError>;

    /// Forgets a block; answers whether it was there. Durable when it returns.
    async fn delete(&self, cid: &Cid) -> Result<bool, BlockError>;

    /// Up to `max` names in a fixed order of the store's own, those after `after`.
    async fn list(&self, after: Option<Cid>, max: usize) -> Result<Vec<Cid>, BlockError>;

    /// How much is stored.
    async fn stat(&self) -> Result<Stat, BlockError>;
}
