//! The local store: packs in a directory or several, an index over them.
//!
//! Who holds what, in the order of taking: the stripes of the keys that are changed (so that one key is
//! changed by one thread at a time), a lane (several packs are appended to at once: small blocks from the log's
//! thread never wait behind large ones, and each disk has its own), the pins, the index. No lock but a stripe and a lane is held over a
//! write, and none over a read.

mod append;
mod collect;
mod directories;
mod dirs;
mod files;
mod give_up;
mod open;
mod pin;
mod pool;
mod read;
mod rebuild;
mod register;
mod relocate;
mod scrub;
mod sync;
mod writer;

pub use collect::{CollectOptions, CollectReport};
pub use directories::Emptied;
pub use dirs::{Directory, DirectoryState};
pub use pin::Pin;
pub use scrub::{Damage, ScrubOptions, ScrubProgress, ScrubReport};
pub use writer::{BlockWriter, Written};

use crate::index::{Covered, Index};
use crate::key::Key;
use crate::pack::Pack;
use crate::{Block, BlockError, Durability, Elsewhere, Stat, Store};
use append::{Lane, Size, Stripes};
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use pin::Pins;
use pool::Pool;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};
use stead_event::Cid;
use stead_runtime::{Clock, Rng, Space, Tasks, blocking};
use sync::Syncer;

/// How a [`LocalStore`] is set up.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// More directories for packs, one on each further disk: large blocks go to all in the measure of their free
    /// room, small ones stay in the store's own (none).
    pub more: Vec<PathBuf>,
    /// A pack is closed at this many bytes (1 GiB; at most 2 GiB).
    pub pack_bytes: u64,
    /// Page cache of the index, in bytes (8 MiB).
    pub cache_bytes: usize,
    /// Gives records their time, which the collector's grace is measured against.
    pub clock: Clock,
    /// Gives packs their salt.
    pub rng: Rng,
    /// Where background work (writing the index) is listed.
    pub tasks: Tasks,
    /// Nothing on the disk is changed, and nothing there need be writable: what the index lacks is kept in
    /// memory, and what is to be stored is refused (false).
    pub read_only: bool,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self {
            more: Vec::new(),
            pack_bytes: 1 << 30,
            cache_bytes: 8 << 20,
            clock: Clock::system(),
            rng: Rng::system(),
            tasks: Tasks::new(),
            read_only: false,
        }
    }
}

/// Packs in a directory and an index over them; cheap to clone. At most one may be open on a directory.
/// Dropping it loses nothing that was durable, but only [`Self::close`] leaves nothing to scan at the next
/// start.
#[derive(Clone)]
pub struct LocalStore(Arc<Inner>);

pub(crate) struct Inner {
    dirs: dirs::Dirs,
    index_path: PathBuf,
    options: LocalOptions,
    space: Space,
    packs: RwLock<HashMap<u32, Arc<Pack>>>,
    /// The lane of small blocks, and one of large ones for each directory.
    lanes: Vec<Mutex<Lane>>,
    supply: Mutex<Vec<files::Supply>>,
    stripes: Stripes,
    index: Index,
    pins: Arc<Pins>,
    syncer: Syncer,
    /// Counts directories that failed: what was written before may be lost with one.
    losses: AtomicU64,
    /// What the index covers of packs that are away.
    away_covered: Mutex<BTreeMap<u32, Covered>>,
    /// Held by whoever writes the index to disk or rebuilds it.
    flushing: Mutex<()>,
    /// Whether a thread is on its way to do so.
    flush_asked: AtomicBool,
    /// Bytes appended since the index was last written.
    unindexed: AtomicU64,
    pool: Arc<Pool>,
    /// One collection at a time.
    collecting: Mutex<()>,
    /// Copies on other nodes, where there are others.
    elsewhere: OnceLock<Arc<dyn Elsewhere>>,
}

impl std::fmt::Debug for LocalStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LocalStore").field(&self.0.dirs.all).finish()
    }
}

impl LocalStore {
    /// Opens the packs in `packs` with the index `blocks.redb` in `state`; both directories are made where
    /// missing. A damaged or missing index is rebuilt from the packs. With [`LocalOptions::read_only`] nothing is
    /// made or changed.
    pub fn open(packs: &Path, state: &Path, options: LocalOptions, space: Space) -> Result<Self, BlockError> {
        Ok(Self(Arc::new(open::open(packs, state, options, space)?)))
    }

    /// Stores blocks without waiting for the disk; durable only after [`Self::sync`] or
    /// [`Self::checkpoint`]. For the thread that applies the log, whose write-ahead log has the blocks
    /// until then. The pin must live until what refers to the blocks is visible to the collector's caller.
    pub fn append_unsynced(&self, blocks: &[(Cid, Bytes)]) -> Result<Pin, BlockError> {
        let pin = self.pin(&blocks.iter().map(|(cid, _)| *cid).collect::<Vec<_>>());
        self.0.append(
            Size::Small,
            blocks.iter().map(|(cid, bytes)| (cid, bytes.as_ref())),
        )?;
        self.0.ask_flush();
        Ok(pin)
    }

    /// Says where copies are that other nodes have; called once, when this node gets others beside it.
    pub fn set_elsewhere(&self, elsewhere: Arc<dyn Elsewhere>) {
        let _ = self.0.elsewhere.set(elsewhere);
    }

    /// A block's bytes, CRC checked. Blocks the thread for one read; where the block is missing or damaged here
    /// and other nodes may have it, until one has answered. What came from elsewhere is kept if it belongs here.
    pub fn read(&self, cid: &Cid) -> Result<Bytes, BlockError> {
        let read = self.read_here(cid);
        let Err(BlockError::NotFound(_) | BlockError::Damaged { .. } | BlockError::Io { .. }) = &read else {
            return read;
        };
        let Some(fetched) = self.0.elsewhere.get().and_then(|elsewhere| elsewhere.fetch(cid)) else {
            return read;
        };
        let bytes = fetched.bytes;
        if !fetched.keep {
            return Ok(bytes);
        }
        let kept = self.append_unsynced(&[(*cid, bytes.clone())]);
        match kept {
            Ok(_) => tracing::info!(%cid, "a block was missing or damaged here and came from another node"),
            Err(error) => tracing::warn!(%cid, %error, "a block from another node could not be kept"),
        }
        Ok(bytes)
    }

    /// As [`Self::read`], of what is on this node alone.
    pub fn read_here(&self, cid: &Cid) -> Result<Bytes, BlockError> {
        let read = self.0.read(cid);
        if matches!(read, Err(BlockError::IndexRebuilding)) {
            self.0.ask_rebuild();
        }
        read
    }

    /// Whether the block is stored and not known to be damaged. Only a pin taken before makes the answer
    /// last.
    pub fn contains(&self, cid: &Cid) -> bool {
        self.size_of(cid).is_some()
    }

    /// A stored block's size in bytes, from the index alone; `None` where it is not stored or known to be
    /// damaged.
    pub fn size_of(&self, cid: &Cid) -> Option<u64> {
        let loc = self.0.index.lookup(&Key::of(cid).ok()?).ok()??;
        self.0.is_there(&loc).then_some(loc.len.into())
    }

    /// Makes everything stored so far durable; callers at the same time share one flush. Blocks.
    pub fn sync(&self) -> Result<(), BlockError> {
        self.0.sync()
    }

    /// [`Self::sync`]; and where much is new, lets the index catch up in the background, so that the next
    /// start has little to scan. Blocks.
    pub fn checkpoint(&self) -> Result<(), BlockError> {
        self.0.ask_flush();
        self.0.sync()
    }

    /// As [`Self::checkpoint`], with the whole index on disk when it returns: for a clean stop. Blocks.
    pub fn close(&self) -> Result<(), BlockError> {
        self.0.flush()
    }

    /// A writer for one large object. Where other nodes keep copies, they have them when it is finished.
    pub fn writer(&self) -> BlockWriter {
        self.writer_of(Durability::default())
    }

    /// As [`Self::writer`], for blocks of bytes that are to be kept so. Stripes are made of them also where there are no
    /// other nodes.
    pub fn writer_of(&self, durability: Durability) -> BlockWriter {
        BlockWriter::new(self.clone(), self.0.elsewhere.get().cloned(), durability)
    }

    /// A writer whose blocks stay on this node: they are copies themselves.
    pub fn writer_here(&self) -> BlockWriter {
        BlockWriter::new(self.clone(), None, Durability::default())
    }

    /// Keeps blocks, stored or about to be, from the collector while the pin lives (and, where a
    /// collection runs when it ends, until that is over). CIDs that cannot be stored are passed over.
    pub fn pin(&self, cids: &[Cid]) -> Pin {
        self.0.pins.pin(cids.iter().filter_map(|cid| Key::of(cid).ok()))
    }

    /// How much is stored.
    pub fn stat(&self) -> Stat {
        let totals = self.0.index.totals();
        let packs: Vec<Arc<Pack>> = self.0.packs.read().values().cloned().collect();
        let disk_bytes = packs.iter().filter_map(|pack| pack.len().ok()).sum();
        Stat {
            blocks: totals.blocks,
            bytes: totals.bytes,
            disk_bytes,
            packs: packs.len() as u64,
        }
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn put(&self, blocks: Vec<Block>) -> Result<(), BlockError> {
        let mut writer = self.writer();
        for block in blocks {
            writer.write(block).await?;
        }
        writer.finish().await.map(drop)
    }

    async fn get(&self, cid: &Cid, range: Option<Range<u64>>) -> Result<Bytes, BlockError> {
        let (store, cid) = (self.clone(), *cid);
        blocking(move || {
            let bytes = store.read(&cid)?;
            let Some(range) = range else { return Ok(bytes) };
            let len = bytes.len() as u64;
            if range.start > range.end || range.end > len {
                return Err(BlockError::Range {
                    cid: Box::new(cid),
                    start: range.start,
                    end: range.end,
                    len,
                });
            }
            Ok(bytes.slice(range.start as usize..range.end as usize))
        })
        .await
    }

    async fn has(&self, cid: &Cid) -> Result<bool, BlockError> {
        let (store, cid) = (self.clone(), *cid);
        blocking(move || {
            Ok(store
                .0
                .index
                .lookup(&Key::of(&cid)?)?
                .is_some_and(|loc| store.0.is_there(&loc)))
        })
        .await
    }

    async fn delete(&self, cid: &Cid) -> Result<bool, BlockError> {
        let (store, cid) = (self.clone(), *cid);
        blocking(move || store.0.delete(&Key::of(&cid)?)).await
    }

    async fn list(&self, after: Option<Cid>, max: usize) -> Result<Vec<Cid>, BlockError> {
        let store = self.clone();
        blocking(move || {
            let after = after.map(|cid| Key::of(&cid)).transpose()?;
            Ok(store.0.index.list(after, max)?.iter().map(Key::cid).collect())
        })
        .await
    }

    async fn stat(&self) -> Result<Stat, BlockError> {
        let store = self.clone();
        Ok(blocking(move || LocalStore::stat(&store)).await)
    }
}
