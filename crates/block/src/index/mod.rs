//! Where each block is: a table in memory of what is new, over a redb table of the rest.
//!
//! Derived: everything in it can be read from the packs. The redb file says, pack by pack, up to where it
//! covers them, so that a start reads only what is behind that.
//! Promises: an answer is never wrong. Where the redb file turns out to be damaged, what memory cannot answer
//! gives an error until the index has been rebuilt.

mod cache;
mod db;

pub(crate) use db::{Covered, Db, open_db, open_db_on};

use crate::BlockError;
use crate::key::Key;
use cache::Cache;
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes of a stored [`Loc`].
const LOC_BYTES: usize = 16;
/// In the length: the data is known to be damaged.
const BAD: u32 = 1 << 31;

/// Where a block's record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loc {
    pub pack: u32,
    pub offset: u32,
    pub len: u32,
    /// When it was stored, in seconds since 1970.
    pub seconds: u32,
    /// Known to be damaged: it is not read, and the next put replaces it.
    pub bad: bool,
}

impl Loc {
    fn encode(self) -> [u8; LOC_BYTES] {
        let mut bytes = [0; LOC_BYTES];
        let len = self.len | if self.bad { BAD } else { 0 };
        for (chunk, word) in bytes
            .chunks_exact_mut(4)
            .zip([self.pack, self.offset, len, self.seconds])
        {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Whether both are the same record.
    pub fn is_at(&self, other: &Self) -> bool {
        (self.pack, self.offset) == (other.pack, other.offset)
    }

    fn decode(bytes: &[u8; LOC_BYTES]) -> Self {
        let word = |n: usize| u32::from_le_bytes([bytes[n], bytes[n + 1], bytes[n + 2], bytes[n + 3]]);
        Self {
            pack: word(0),
            offset: word(4),
            len: word(8) & !BAD,
            seconds: word(12),
            bad: word(8) & BAD != 0,
        }
    }
}

/// What is new: a place, or that the block is gone.
pub(crate) type Changes = HashMap<Key, Option<Loc>>;

/// How many blocks there are, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub blocks: u64,
    pub bytes: u64,
}

impl Totals {
    pub fn change(&mut self, old: Option<Loc>, new: Option<Loc>) {
        if let Some(old) = old {
            self.blocks = self.blocks.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(old.len.into());
        }
        if let Some(new) = new {
            self.blocks += 1;
            self.bytes += u64::from(new.len);
        }
    }
}

#[derive(Default)]
struct Memory {
    active: Changes,
    /// On its way into redb.
    frozen: Option<Arc<Changes>>,
    totals: Totals,
}

/// A consistent set of changes to be written, and what it means.
pub(crate) struct Frozen {
    pub changes: Arc<Changes>,
    pub totals: Totals,
    pub covered: BTreeMap<u32, Covered>,
}

pub(crate) struct Index {
    memory: RwLock<Memory>,
    /// `None` while it is being rebuilt.
    db: RwLock<Option<Arc<Db>>>,
    cache: Cache,
    /// Counts moves and deletions, so that no stale place gets into the cache.
    epoch: AtomicU64,
    damaged: AtomicBool,
}

impl Index {
    pub fn new(db: Db, totals: Totals) -> Self {
        Self {
            memory: RwLock::new(Memory {
                totals,
                ..Memory::default()
            }),
            db: RwLock::new(Some(Arc::new(db))),
            cache: Cache::default(),
            epoch: AtomicU64::new(0),
            damaged: AtomicBool::new(false),
        }
    }

    /// Where a block is, for reading it: may be out of date by the time it is used.
    pub fn locate(&self, key: &Key) -> Result<Option<Loc>, BlockError> {
        if let Some(loc) = self.cache.get(key) {
            return Ok(Some(loc));
        }
        let epoch = self.epoch.load(Ordering::Acquire);
        let loc = self.lookup(key)?;
        if let Some(loc) = loc
            && self.epoch.load(Ordering::Acquire) == epoch
        {
            self.cache.put(*key, loc);
        }
        Ok(loc)
    }

    /// Where a block is, past the cache.
    pub fn lookup(&self, key: &Key) -> Result<Option<Loc>, BlockError> {
        {
            let memory = self.memory.read();
            if let Some(change) = memory.active.get(key) {
                return Ok(*change);
            }
            if let Some(change) = memory.frozen.as_ref().and_then(|frozen| frozen.get(key)) {
                return Ok(*change);
            }
        }
        self.on_db(|db| db.get(key))
    }

    fn on_db<T>(&self, ask: impl FnOnce(&Db) -> Result<T, redb::Error>) -> Result<T, BlockError> {
        let db = self.db.read().clone().ok_or(BlockError::IndexRebuilding)?;
        ask(&db).map_err(|e| {
            if !self.damaged.swap(true, Ordering::AcqRel) {
                tracing::error!(error = %e, "the block index is damaged; it will be rebuilt from the packs");
            }
            BlockError::IndexRebuilding
        })
    }

    /// Files a new place (`Some`) or a deletion (`None`) over `old`, the answer of [`Self::lookup`]. Who calls
    /// sees to it that nobody else changes the same key meanwhile.
    pub fn set(&self, key: Key, old: Option<Loc>, new: Option<Loc>) {
        {
            let mut memory = self.memory.write();
            memory.totals.change(old, new);
            memory.active.insert(key, new);
        }
        if old.is_some() {
            self.epoch.fetch_add(1, Ordering::AcqRel);
            self.cache.remove(&key);
        }
    }

    pub fn totals(&self) -> Totals {
        self.memory.read().totals
    }

    /// Changes that are not in redb and not on their way there.
    pub fn pending(&self) -> usize {
        self.memory.read().active.len()
    }

    /// Whether redb was found damaged and nobody rebuilds it yet; the one who is told so does.
    pub fn take_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire) && self.db.write().take().is_some()
    }

    /// Whether there is no redb file to write to.
    pub fn is_rebuilding(&self) -> bool {
        self.db.read().is_none()
    }

    /// Sets aside what is pending. The caller holds whatever keeps `covered` true. `None` where an earlier
    /// set is not written yet.
    pub fn freeze(&self, covered: BTreeMap<u32, Covered>) -> Option<Frozen> {
        let mut memory = self.memory.write();
        if memory.frozen.is_some() {
            return None;
        }
        let changes = Arc::new(std::mem::take(&mut memory.active));
        memory.frozen = Some(changes.clone());
        Some(Frozen {
            changes,
            totals: memory.totals,
            covered,
        })
    }

    /// Writes a frozen set, durably, and lets go of it. After an error it is taken back.
    pub fn write(&self, frozen: Frozen) -> Result<(), BlockError> {
        let Frozen {
            changes,
            totals,
            covered,
        } = frozen;
        let written = self.on_db(|db| db.write(&changes, totals, &covered));
        match written {
            Ok(()) => self.memory.write().frozen = None,
            Err(_) => self.unfreeze(changes),
        }
        written
    }

    /// Takes a frozen set back.
    pub fn unfreeze(&self, changes: Arc<Changes>) {
        let mut memory = self.memory.write();
        memory.frozen = None;
        for (key, change) in changes.iter() {
            memory.active.entry(*key).or_insert(*change);
        }
    }

    /// Whether redb was found damaged and is still in place.
    pub fn wants_rebuild(&self) -> bool {
        self.damaged.load(Ordering::Acquire) && self.db.read().is_some()
    }

    /// Puts a rebuilt redb file in place; its totals are without what is pending. Answers the places that what
    /// is pending replaces: copies that were made while nobody could tell that there was one.
    pub fn install(&self, db: Db, mut totals: Totals) -> Result<Vec<(Key, Loc)>, BlockError> {
        let mut replaced = Vec::new();
        let mut memory = self.memory.write();
        for (key, change) in &memory.active {
            let old = db.get(key).map_err(|_| BlockError::IndexRebuilding)?;
            totals.change(old, *change);
            replaced.extend(
                old.filter(|old| change.is_some_and(|new| !new.is_at(old)))
                    .map(|old| (*key, old)),
            );
        }
        memory.totals = totals;
        *self.db.write() = Some(Arc::new(db));
        self.damaged.store(false, Ordering::Release);
        Ok(replaced)
    }

    /// Up to `max` keys behind `after`, in order.
    pub fn list(&self, after: Option<Key>, max: usize) -> Result<Vec<Key>, BlockError> {
        let is_after = |key: &Key| after.is_none_or(|after| *key > after);
        let mut overlay: BTreeMap<Key, bool> = BTreeMap::new();
        let db = {
            let memory = self.memory.read();
            let frozen = memory.frozen.iter().flat_map(|frozen| frozen.iter());
            for (key, change) in frozen
                .chain(memory.active.iter())
                .filter(|(key, _)| is_after(key))
            {
                overlay.insert(*key, change.is_some());
            }
            self.db.read().clone().ok_or(BlockError::IndexRebuilding)?
        };
        let mut listed = Vec::with_capacity(max.min(1024));
        let mut overlay = overlay.into_iter().peekable();
        let walked = db.walk(after, &mut |key, _| {
            while let Some((new, there)) = overlay.next_if(|(new, _)| *new < key) {
                listed.extend(there.then_some(new));
            }
            match overlay.next_if(|(new, _)| *new == key) {
                Some((_, there)) => listed.extend(there.then_some(key)),
                None => listed.push(key),
            }
            listed.len() < max
        });
        walked.or_else(|e| self.on_db(|_| Err(e)))?;
        listed.extend(overlay.filter(|(_, there)| *there).map(|(key, _)| key));
        listed.truncate(max);
        Ok(listed)
    }

    /// Every block behind `after` that redb has, as of now; [`Self::freeze`] and [`Self::write`] first for all of
    /// them. Ends early where `each` answers `false`.
    pub fn walk(&self, after: Option<Key>, each: &mut dyn FnMut(Key, Loc) -> bool) -> Result<(), BlockError> {
        self.on_db(|db| db.walk(after, each))
    }
}
