//! Streaming writes: the blocks of one large object, with the stripes over them where it is kept so.

use super::append::Size;
use super::{LocalStore, Pin};
use crate::elsewhere::Lot;
use crate::key::Key;
use crate::stripe::{self, Durability, Keep, Scheme, Stripe};
use crate::{Block, BlockError, Copying, Elsewhere};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stead_event::{Cid, cids};
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
    /// The store's count of lost directories when this began.
    losses: u64,
    /// Bytes since writeback was last begun.
    quiet: u64,
    copies: Option<Copies>,
    stripes: Option<Striping>,
}

/// Blocks that were written, durable here and on enough other nodes.
#[derive(Debug)]
pub struct Written {
    /// Keeps them from the collector; to be held until the event that names them is appended.
    pub pin: Pin,
    /// The list of their stripes, where there are any.
    pub stripes: Option<Cid>,
}

/// Stripes over what is written.
struct Striping {
    scheme: Scheme,
    /// Data of the next one.
    gathered: Vec<Block>,
    /// Those that are made.
    made: Vec<Cid>,
}

/// Copies of what is written, made beside the writing.
struct Copies {
    elsewhere: Arc<dyn Elsewhere>,
    /// What was written since the last lot was begun.
    lot: Lot,
    bytes: u64,
    lots: VecDeque<Copying>,
}

impl Copies {
    /// Takes a block in that was written just now.
    fn add(&mut self, store: &LocalStore, block: &Block) {
        self.lot.names.push(block.cid);
        self.grown(store, block.bytes.len() as u64);
    }

    /// Takes a stripe in whose blocks were written just now.
    fn add_stripe(&mut self, store: &LocalStore, cid: Cid, stripe: Stripe) {
        let bytes = stripe.bytes * stripe.pieces().count() as u64;
        self.lot.stripes.push((cid, stripe));
        self.grown(store, bytes);
    }

    fn grown(&mut self, store: &LocalStore, bytes: u64) {
        self.bytes += bytes;
        if self.bytes >= COPY_BYTES {
            self.begin(store);
        }
    }

    fn begin(&mut self, store: &LocalStore) {
        self.bytes = 0;
        let next = Lot {
            copies: self.lot.copies,
            quorum: self.lot.quorum,
            ..Lot::default()
        };
        let lot = std::mem::replace(&mut self.lot, next);
        if !lot.is_empty() {
            self.lots.push_back(self.elsewhere.replicate(store, lot));
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
    pub(super) fn new(
        store: LocalStore,
        elsewhere: Option<Arc<dyn Elsewhere>>,
        durability: Durability,
    ) -> Self {
        let Durability { keep, quorum } = durability;
        let pin = store.pin(&[]);
        let losses = store.0.losses.load(Ordering::Acquire);
        Self {
            store,
            pin,
            losses,
            quiet: 0,
            copies: elsewhere.map(|elsewhere| Copies {
                elsewhere,
                lot: Lot {
                    copies: keep.map(Keep::copies),
                    quorum,
                    ..Lot::default()
                },
                bytes: 0,
                lots: VecDeque::new(),
            }),
            stripes: match keep {
                Some(Keep::Stripes(scheme)) => Some(Striping {
                    scheme,
                    gathered: Vec::new(),
                    made: Vec::new(),
                }),
                _ => None,
            },
        }
    }

    /// Stores a block. The bytes are taken to hash to the name.
    pub async fn write(&mut self, block: Block) -> Result<(), BlockError> {
        // A writer that is given away and comes back; in between this one has nothing to write with.
        let empty = Self::new(self.store.clone(), None, Durability::default());
        let mut writer = std::mem::replace(self, empty);
        let (writer, written) = blocking(move || {
            let written = writer.write_blocking(&block);
            (writer, written)
        })
        .await;
        *self = writer;
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
        self.put(block)?;
        match &mut self.stripes {
            Some(stripes) if block.cid.codec() == cids::RAW => {
                stripes.gathered.push(block.clone());
                match stripes.gathered.len() >= stripes.scheme.k.into() {
                    true => self.stripe(),
                    false => Ok(()),
                }
            }
            _ => {
                self.copy(block);
                Ok(())
            }
        }
    }

    /// Makes a stripe of what is gathered. One block alone is in none, and kept as copies.
    fn stripe(&mut self) -> Result<(), BlockError> {
        let Some(stripes) = &mut self.stripes else {
            return Ok(());
        };
        let mut gathered = std::mem::take(&mut stripes.gathered);
        // Blocks that are the same are one block, and one piece.
        let mut seen = std::collections::HashSet::new();
        gathered.retain(|block| seen.insert(block.cid));
        let [_, _, ..] = gathered.as_slice() else {
            gathered.iter().for_each(|block| self.copy(block));
            return Ok(());
        };
        let (stripe, parity) = Stripe::code(stripes.scheme, &gathered)?;
        let described = stripe.block()?;
        stripes.made.push(described.cid);
        for block in parity.iter().chain([&described]) {
            self.put(block)?;
        }
        self.copy(&described);
        if let Some(copies) = &mut self.copies {
            copies.add_stripe(&self.store, described.cid, stripe);
        }
        Ok(())
    }

    /// The last stripe, and the list of all of them; answers its root.
    fn stripes(&mut self) -> Result<Option<Cid>, BlockError> {
        self.stripe()?;
        let Some(stripes) = self.stripes.take() else {
            return Ok(None);
        };
        let blocks = stripe::list(stripes.scheme, stripes.made)?;
        for block in &blocks {
            self.put(block)?;
            self.copy(block);
        }
        Ok(blocks.last().map(|root| root.cid))
    }

    fn put(&mut self, block: &Block) -> Result<(), BlockError> {
        self.admit(block)?;
        let writeback = self.writeback(block);
        self.store
            .0
            .append(Size::Large, std::iter::once((&block.cid, block.bytes.as_ref())))?;
        if writeback {
            self.store.0.begin_writeback();
        }
        Ok(())
    }

    /// Has copies made of a block that was written just now.
    fn copy(&mut self, block: &Block) {
        if let Some(copies) = &mut self.copies {
            copies.add(&self.store, block);
        }
    }

    /// Waits until all blocks are durable, here and on enough other nodes where there are any. The pin must
    /// live until the event that names them is appended.
    pub async fn finish(self) -> Result<Written, BlockError> {
        let mut writer = self;
        let stripes = if writer.stripes.is_some() {
            let (back, stripes) = blocking(move || {
                let stripes = writer.stripes();
                (writer, stripes)
            })
            .await;
            writer = back;
            stripes?
        } else {
            None
        };
        let pin = writer.finish_plain().await?;
        Ok(Written { pin, stripes })
    }

    async fn finish_plain(mut self) -> Result<Pin, BlockError> {
        let store = self.store.clone();
        // The last lot is on its way while this node syncs.
        if let Some(copies) = &mut self.copies {
            copies.begin(&store);
        }
        blocking(move || {
            store.sync()?;
            store.0.unless_lost_since(self.losses)?;
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
    pub fn finish_blocking(mut self) -> Result<Written, BlockError> {
        let stripes = self.stripes()?;
        if let Some(copies) = &mut self.copies {
            copies.begin(&self.store);
        }
        self.store.sync()?;
        self.store.0.unless_lost_since(self.losses)?;
        self.store.0.ask_flush();
        for lot in self.copies.into_iter().flat_map(|copies| copies.lots) {
            lot.blocking_recv().unwrap_or_else(|_| Err(never()))?;
        }
        Ok(Written {
            pin: self.pin,
            stripes,
        })
    }

    fn admit(&mut self, block: &Block) -> Result<(), BlockError> {
        let key = Key::of(&block.cid)?;
        let inner = &self.store.0;
        if !inner.dirs.admits(block.bytes.len() as u64, &inner.space) {
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

impl std::fmt::Debug for BlockWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockWriter")
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}
