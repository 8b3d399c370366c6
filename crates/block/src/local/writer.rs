//! Streaming writes: the blocks of one large object.

use super::append::LARGE;
use super::{LocalStore, Pin};
use crate::key::Key;
use crate::{Block, BlockError, Elsewhere};
use std::sync::Arc;
use stead_event::Cid;
use stead_runtime::blocking;

/// After so many bytes the kernel is told to begin to write them to disk.
const WRITEBACK_BYTES: u64 = 4 * 1024 * 1024;

/// Writes the blocks of one large object as they come, beginning to write them to disk early. Dropping it
/// leaves its blocks to the collector.
pub struct BlockWriter {
    store: LocalStore,
    pin: Pin,
    /// Bytes since writeback was last begun.
    quiet: u64,
    /// Who makes copies, and the names of what it is to copy.
    copies: Option<(Arc<dyn Elsewhere>, Vec<Cid>)>,
}

impl BlockWriter {
    pub(super) fn new(store: LocalStore, elsewhere: Option<Arc<dyn Elsewhere>>) -> Self {
        let pin = store.pin(&[]);
        Self {
            store,
            pin,
            quiet: 0,
            copies: elsewhere.map(|elsewhere| (elsewhere, Vec::new())),
        }
    }

    /// Stores a block. The bytes are taken to hash to the name.
    pub async fn write(&mut self, block: Block) -> Result<(), BlockError> {
        self.admit(&block)?;
        let store = self.store.clone();
        let writeback = self.writeback(&block);
        blocking(move || put(&store, &block, writeback)).await
    }

    /// As [`Self::write`], on the calling thread.
    pub fn write_blocking(&mut self, block: &Block) -> Result<(), BlockError> {
        self.admit(block)?;
        let writeback = self.writeback(block);
        put(&self.store, block, writeback)
    }

    /// Waits until all blocks are durable, here and on enough other nodes where there are any. The pin must
    /// live until the event that names them is appended.
    pub async fn finish(self) -> Result<Pin, BlockError> {
        blocking(move || self.finish_blocking()).await
    }

    /// As [`Self::finish`], on the calling thread.
    pub fn finish_blocking(self) -> Result<Pin, BlockError> {
        self.store.sync()?;
        self.store.0.ask_flush();
        if let Some((elsewhere, names)) = &self.copies {
            elsewhere.replicate(&self.store, names)?;
        }
        Ok(self.pin)
    }

    fn admit(&mut self, block: &Block) -> Result<(), BlockError> {
        let key = Key::of(&block.cid)?;
        if !self.store.0.space.admits(block.bytes.len() as u64) {
            return Err(BlockError::Full);
        }
        self.pin.extend(std::iter::once(key));
        if let Some((_, names)) = &mut self.copies {
            names.push(block.cid);
        }
        Ok(())
    }

    fn writeback(&mut self, block: &Block) -> bool {
        self.quiet += block.bytes.len() as u64;
        let now = self.quiet >= WRITEBACK_BYTES;
        if now {
            self.quiet = 0;
        }
        now
    }
}

fn put(store: &LocalStore, block: &Block, writeback: bool) -> Result<(), BlockError> {
    store
        .0
        .append(LARGE, std::iter::once((&block.cid, block.bytes.as_ref())))?;
    if writeback {
        store.0.begin_writeback();
    }
    Ok(())
}

impl std::fmt::Debug for BlockWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockWriter")
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}
