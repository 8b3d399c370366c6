//! The local store.

use crate::{Block, BlockError, Stat, Store};
use async_trait::async_trait;
use bytes::Bytes;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use stead_event::Cid;
use stead_runtime::{Clock, Space, Tasks};

/// How a [`LocalStore`] is set up.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// A pack is closed at this many bytes (1 GiB; at most 2 GiB).
    pub pack_bytes: u64,
    /// Page cache of the index, in bytes (8 MiB).
    pub cache_bytes: usize,
    /// Gives records their time, which the collector's grace is measured against.
    pub clock: Clock,
    /// Where background work (writing the index) is listed.
    pub tasks: Tasks,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self {
            pack_bytes: 1 << 30,
            cache_bytes: 8 << 20,
            clock: Clock::system(),
            tasks: Tasks::new(),
        }
    }
}

/// Packs in a directory and an index over them; cheap to clone.
#[derive(Clone)]
pub struct LocalStore(Arc<()>);

impl LocalStore {
    /// Opens the packs in `packs` with the index `blocks.redb` in `state`; both directories are made where
    /// missing. A damaged or missing index is rebuilt from the packs.
    pub fn open(packs: &Path, state: &Path, options: LocalOptions, space: Space) -> Result<Self, BlockError> {
        todo!()
    }

    /// Stores blocks without waiting for the disk; durable only after [`Self::sync`] or
    /// [`Self::checkpoint`]. For the thread that applies the log, whose write-ahead log has the blocks
    /// until then. The pin must live until what refers to the blocks is visible to the collector's caller.
    pub fn append_unsynced(&self, blocks: &[(Cid, Bytes)]) -> Result<Pin, BlockError> {
        todo!()
    }

    /// A block's bytes, CRC checked. Blocks the thread for one read.
    pub fn read(&self, cid: &Cid) -> Result<Bytes, BlockError> {
        todo!()
    }

    /// Whether the block is stored. Only a pin taken before makes the answer last.
    pub fn contains(&self, cid: &Cid) -> bool {
        todo!()
    }

    /// A stored block's size in bytes, from the index alone.
    pub fn size_of(&self, cid: &Cid) -> Option<u64> {
        todo!()
    }

    /// Makes everything stored so far durable; callers at the same time share one flush. Blocks.
    pub fn sync(&self) -> Result<(), BlockError> {
        todo!()
    }

    /// [`Self::sync`], and lets the index catch up so that the next start has little to scan. Blocks.
    pub fn checkpoint(&self) -> Result<(), BlockError> {
        todo!()
    }

    /// As [`Self::checkpoint`], with the whole index on disk when it returns: for a clean stop. Blocks.
    pub fn close(&self) -> Result<(), BlockError> {
        todo!()
    }

    /// A writer for one large object.
    pub fn writer(&self) -> BlockWriter {
        todo!()
    }

    /// Keeps blocks, stored or about to be, from the collector while the pin lives (and, where a
    /// collection runs when it ends, until that is over).
    pub fn pin(&self, cids: &[Cid]) -> Pin {
        todo!()
    }

    /// How much is stored.
    pub fn stat(&self) -> Stat {
        todo!()
    }

    /// Reads every block and compares its sha2-256 with its name.
    pub async fn scrub(
        &self,
        options: ScrubOptions,
        progress: impl FnMut(ScrubProgress) + Send + 'static,
    ) -> Result<ScrubReport, BlockError> {
        todo!()
    }

    /// Deletes what no root reaches and frees the room. `roots` is called once, after the collection has
    /// begun to protect whatever is stored or pinned from then on, and must name (by then) every root.
    /// Blocks for as long as it takes; one at a time.
    pub fn collect<R, I>(&self, roots: R, options: CollectOptions) -> Result<CollectReport, BlockError>
    where
        R: FnOnce() -> I,
        I: IntoIterator<Item = Result<Cid, BlockError>>,
    {
        todo!()
    }
}

/// Keeps blocks from the collector while it lives.
#[derive(Debug, Default)]
#[must_use = "the blocks are protected only while the pin lives"]
pub struct Pin(());

/// Writes the blocks of one large object as they come, beginning to write them to disk early.
pub struct BlockWriter(());

impl BlockWriter {
    /// Stores a block. The bytes are taken to hash to the name.
    pub async fn write(&mut self, block: Block) -> Result<(), BlockError> {
        todo!()
    }

    /// As [`Self::write`], on the calling thread.
    pub fn write_blocking(&mut self, block: &Block) -> Result<(), BlockError> {
        todo!()
    }

    /// Waits until all blocks are durable. The pin must live until the event that names them is appended.
    pub async fn finish(self) -> Result<Pin, BlockError> {
        todo!()
    }
}

/// How fast to scrub, and when to stop.
#[derive(Clone, Debug, Default)]
pub struct ScrubOptions {
    /// At most so many bytes a second; no limit where `None`.
    pub bytes_per_second: Option<u64>,
    /// Ends the scrub early, between blocks.
    pub shutdown: Option<stead_runtime::Shutdown>,
}

/// How far a scrub is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrubProgress {
    /// Blocks read.
    pub blocks: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes in all, as far as known.
    pub total_bytes: u64,
}

/// Something that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The block, where its name could still be read.
    pub cid: Option<Cid>,
    /// The pack's number.
    pub pack: u32,
    /// Where the damage begins.
    pub offset: u64,
    /// What does not hold.
    pub why: &'static str,
}

/// What a scrub found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Blocks read.
    pub blocks: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is damaged.
    pub damaged: Vec<Damage>,
    /// Whether it read everything (it was not stopped early).
    pub complete: bool,
}

/// What the collector may take.
#[derive(Clone, Debug)]
pub struct CollectOptions {
    /// Blocks stored less than this long ago are kept.
    pub grace: Duration,
    /// Only count.
    pub dry_run: bool,
    /// Packs of which more than this share (in percent) is dead are compacted.
    pub compact_percent: u8,
}

impl Default for CollectOptions {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(3600),
            dry_run: false,
            compact_percent: 50,
        }
    }
}

/// What a collection did (or, in a dry run, would do).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CollectReport {
    /// Blocks that roots reach.
    pub reachable: u64,
    /// Blocks that nothing reaches but that are too young or pinned.
    pub protected: u64,
    /// Blocks deleted.
    pub deleted: u64,
    /// Their bytes.
    pub deleted_bytes: u64,
    /// Packs removed after what lived in them was copied.
    pub packs_removed: u64,
    /// Bytes that the disk got back.
    pub freed_bytes: u64,
    /// Roots or inner nodes that could not be read; where there are any, nothing is deleted.
    pub unreadable: u64,
}

#[async_trait]
impl Store for LocalStore {
    async fn put(&self, blocks: Vec<Block>) -> Result<(), BlockError> {
        todo!()
    }

    async fn get(&self, cid: &Cid, range: Option<Range<u64>>) -> Result<Bytes, BlockError> {
        todo!()
    }

    async fn has(&self, cid: &Cid) -> Result<bool, BlockError> {
        todo!()
    }

    async fn delete(&self, cid: &Cid) -> Result<bool, BlockError> {
        todo!()
    }

    async fn list(&self, after: Option<Cid>, max: usize) -> Result<Vec<Cid>, BlockError> {
        todo!()
    }

    async fn stat(&self) -> Result<Stat, BlockError> {
        todo!()
    }
}
