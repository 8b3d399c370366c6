//! Streaming writes: the blocks of one large object.

use super::append::LARGE;
use super::{LocalStore, Pin};
use crate::key::Key;
use crate::{Block, BlockError, Copying, Elsewhere};
use std::collections::VecDeque;
use std::sync::Arc;
use stead_event::Cid;
use stead_runtime::blocking;

/// After so many bytes copies on other nodes are begun, while more is written here.
const COPY_BYTES: u64 = 8 * 1024 * 1024;
/// So many such lots may be on their way at once.
const COPY_LOTS: usize = 2;
/// After so many bytes the kernel is told to begin to write them to disk.
const WRITEBACK_BYTES: u64 = 4 * 1024 * 1024;

/// Writes the blocks of one large object as they come, beginning to write them to disk early. Dropping it
/// leaves its blocks to the collector.
pub struct BlockWriter {
    store: LocalStore,
    pin: Pin,
    /// Bytes since writeback was last begun.
    quiet: u64,
    copies: Option<Copies>,
}

/// Copies of what is written, made beside the writing.
struct Copies {
    elsewhere: Arc<dyn Elsewhere>,
    /// How many there are to be in all; as many as is usual where that is not said.
    copies: Option<u8>,
    /// What was written since the last lot was begun.
    names: Vec<Cid>,
    bytes: u64,
    lots: VecDeque<Copying>,
}

impl Copies {
    /// Takes a block in that was written just now.
    fn add(&mut self, store: &LocalStore, block: &Block) {
        self.names.push(block.cid);
        self.bytes += block.bytes.len() as u64;
        if self.bytes >= COPY_BYTES {
            self.begin(store);
        }
    }

    fn begin(&mut self, store: &LocalStore) {
        self.bytes = 0;
        let names = std::mem::take(&mut self.names);
        if !names.is_empty() {
            self.lots
                .push_back(self.elsewhere.replicate(store, names, self.copies));
        }
    }

    /// Waits until no more than so many lots are on their way.
    async fn wait(&mut self, most: usize) -> Result<(), BlockError> {
        while self.lots.len() > most {
            if let Some(oldest) = self.lots.pop_front() {
                oldest.await.unwrap_or_else(|_| Err(never()))?;
            }
        }
        Ok(())
    }
}

fn never() -> BlockError {
    BlockError::Elsewhere("this node is stopping".into())
}

impl BlockWriter {
    pub(super) fn new(store: LocalStore, elsewhere: Option<Arc<dyn Elsewhere>>, copies: Option<u8>) -> Self {
        let pin = store.pin(&[]);
        Self {
            store,
            pin,
            quiet: 0,
            copies: elsewhere.map(|elsewhere| Copies {
                elsewhere,
                copies,
                names: Vec::new(),
                bytes: 0,
                lots: VecDeque::new(),
            }),
        }
    }

    /// Stores a block. The bytes are taken to hash to the name.
    pub async fn write(&mut self, block: Block) -> Result<(), BlockError> {
        self.admit(&block)?;
        let store = self.store.clone();
        let writeback = self.writeback(&block);
        let mut copies = self.copies.take();
        let (copies, written) = blocking(move || {
            let written = put(&store, &block, writeback, copies.as_mut());
            (copies, written)
        })
        .await;
        self.copies = copies;
        written?;
        self.keep_pace().await
    }

    /// Waits, where copies on other nodes fall behind what is written here. For who writes by
    /// [`Self::write_blocking`] from async code: a thread that waited for other nodes could be one that they need.
    pub async fn keep_pace(&mut self) -> Result<(), BlockError> {
        match &mut self.copies {
            Some(copies) => copies.wait(COPY_LOTS).await,
            None => Ok(()),
        }
    }

    /// As [`Self::write`], on the calling thread.
    pub fn write_blocking(&mut self, block: &Block) -> Result<(), BlockError> {
        self.admit(block)?;
        let writeback = self.writeback(block);
        put(&self.store, block, writeback, self.copies.as_mut())
    }

    /// Waits until all blocks are durable, here and on enough other nodes where there are any. The pin must
    /// live until the event that names them is appended.
    pub async fn finish(mut self) -> Result<Pin, BlockError> {
        let store = self.store.clone();
        // The last lot is on its way while this node syncs.
        if let Some(copies) = &mut self.copies {
            copies.begin(&store);
        }
        blocking(move || {
            store.sync()?;
            store.0.ask_flush();
            Ok::<_, BlockError>(())
        })
        .await?;
        if let Some(copies) = &mut self.copies {
            copies.wait(0).await?;
        }
        Ok(self.pin)
    }

    /// As [`Self::finish`], on the calling thread, which must not be one that async tasks run on.
    pub fn finish_blocking(mut self) -> Result<Pin, BlockError> {
        if let Some(copies) = &mut self.copies {
            copies.begin(&self.store);
        }
        self.store.sync()?;
        self.store.0.ask_flush();
        for lot in self.copies.into_iter().flat_map(|copies| copies.lots) {
            lot.blocking_recv().unwrap_or_else(|_| Err(never()))?;
        }
        Ok(self.pin)
    }

    fn admit(&mut self, block: &Block) -> Result<(), BlockError> {
        let key = Key::of(&block.cid)?;
        if !self.store.0.space.admits(block.bytes.len() as u64) {
            return Err(BlockError::Full);
        }
        self.pin.extend(std::iter::once(key));
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

fn put(
    store: &LocalStore,
    block: &Block,
    writeback: bool,
    copies: Option<&mut Copies>,
) -> Result<(), BlockError> {
    store
        .0
        .append(LARGE, std::iter::once((&block.cid, block.bytes.as_ref())))?;
    if writeback {
        store.0.begin_writeback();
    }
    if let Some(copies) = copies {
        copies.add(store, block);
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
