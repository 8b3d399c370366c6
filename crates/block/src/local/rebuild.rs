//! The index made anew from the packs.

use super::Inner;
use super::open::{empty_index, remove_index};
use crate::index::{Changes, Covered, Db, Loc, Totals};
use crate::key::Key;
use crate::pack::Pack;
use crate::pack::record::PACK_HEADER_BYTES;
use crate::pack::scan::{Found, Scan};
use crate::{BlockError, CheckedFile};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Entries gathered before they are written; in key order they share pages.
const BATCH: usize = 256 * 1024;
/// In the last packs so many bytes at the end are checked whole: a crash may have left records there whose
/// data never reached the disk.
const CHECKED_TAIL: u64 = 256 * 1024 * 1024;
const CHECKED_PACKS: usize = 2;

struct Build<'a> {
    db: Db,
    packs: &'a BTreeMap<u32, Arc<Pack>>,
    batch: Changes,
    totals: Totals,
    /// Whether the older of two copies is marked dead.
    mark_copies: bool,
}

fn failed(e: redb::Error) -> BlockError {
    match e {
        redb::Error::Io(e) => BlockError::io("rebuilding the block index", e),
        e => BlockError::io("rebuilding the block index", io::Error::other(e.to_string())),
    }
}

/// Reads all packs up to `ends` and puts a new index in the place of whatever is at `path`; without one the index
/// is in memory, and nothing on the disk is changed.
pub(super) fn rebuild(
    path: Option<&Path>,
    packs: &BTreeMap<u32, Arc<Pack>>,
    ends: &BTreeMap<u32, Covered>,
    cache_bytes: usize,
    mark_copies: bool,
) -> Result<(Db, Totals), BlockError> {
    let fresh = path.map(|path| path.with_extension("redb.new"));
    let db = empty_index(fresh.as_deref(), cache_bytes)?;
    let mut build = Build {
        db,
        packs,
        batch: Changes::new(),
        totals: Totals::default(),
        mark_copies: mark_copies && path.is_some(),
    };
    for (nth_last, (number, pack)) in packs.iter().enumerate().map(|(n, p)| (packs.len() - n, p)) {
        let end = ends.get(number).copied().unwrap_or_default();
        let tail = if nth_last <= CHECKED_PACKS {
            CHECKED_TAIL
        } else {
            0
        };
        build.add_pack(pack, end, end.pack.saturating_sub(tail))?;
    }
    let Build {
        db, batch, totals, ..
    } = build;
    for pack in packs.values().filter(|_| path.is_some()) {
        pack.set_dirty();
        pack.sync()?;
    }
    db.write(&batch, totals, ends).map_err(failed)?;
    if let (Some(path), Some(fresh)) = (path, fresh) {
        remove_index(path)?;
        CheckedFile::rename(&fresh, path).map_err(|e| BlockError::io("replacing the block index", e))?;
    }
    tracing::info!(blocks = totals.blocks, "the block index was rebuilt");
    Ok((db, totals))
}

impl Build<'_> {
    fn add_pack(&mut self, pack: &Pack, end: Covered, checked_from: u64) -> Result<(), BlockError> {
        let dead: HashMap<u32, u64> = pack.read_dead(0)?.0.into_iter().collect();
        for found in Scan::new(pack, PACK_HEADER_BYTES, end.pack, checked_from) {
            let (offset, record, whole) = match found? {
                Found::Record {
                    offset,
                    record,
                    whole,
                } => (offset as u32, record, whole),
                Found::Gap { from, to, .. } => {
                    tracing::warn!(
                        pack = pack.number(),
                        from,
                        to,
                        "bytes that are no record are stepped over"
                    );
                    continue;
                }
            };
            let Ok(key) = Key::of(&record.cid) else { continue };
            if dead.get(&offset) == Some(&key.prefix()) {
                continue;
            }
            let (len, seconds) = (record.len, record.seconds);
            self.add(
                key,
                Loc {
                    pack: pack.number(),
                    offset,
                    len,
                    seconds,
                    bad: !whole,
                },
            )?;
            if self.batch.len() >= BATCH {
                let batch = std::mem::take(&mut self.batch);
                self.db
                    .write(&batch, self.totals, &BTreeMap::new())
                    .map_err(failed)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, key: Key, new: Loc) -> Result<(), BlockError> {
        let old = match self.batch.get(&key) {
            Some(known) => *known,
            None => self.db.get(&key).map_err(failed)?,
        };
        let Some(old) = old else {
            self.batch.insert(key, Some(new));
            self.totals.change(None, Some(new));
            return Ok(());
        };
        // Two copies: one lives on, the other is marked dead, so that a later deletion means both.
        let (kept, lost) = if self.is_whole(&key, new)? || !self.is_whole(&key, old)? {
            (new, old)
        } else {
            (old, new)
        };
        self.batch.insert(key, Some(kept));
        match self.packs.get(&lost.pack) {
            Some(pack) if self.mark_copies => pack.mark_dead(&[(lost.offset, key.cid())]),
            _ => Ok(()),
        }
    }

    fn is_whole(&self, key: &Key, loc: Loc) -> Result<bool, BlockError> {
        let Some(pack) = self.packs.get(&loc.pack) else {
            return Ok(false);
        };
        let (_, record) = pack.read_record(Vec::new(), loc.offset.into(), loc.len)?;
        Ok(record.is_ok_and(|record| Key::of(&record.cid).is_ok_and(|found| found == *key)))
    }
}

impl Inner {
    /// Rebuilds the index while the store is in use. The caller holds `flushing`; what is stored and deleted
    /// meanwhile is kept in memory and laid over the result.
    pub(super) fn rebuild_running(&self) -> Result<(), BlockError> {
        let ends = self.covered()?;
        let packs = self
            .packs
            .read()
            .iter()
            .map(|(number, pack)| (*number, pack.clone()))
            .collect();
        let path = (!self.options.read_only).then_some(self.index_path.as_path());
        let (db, totals) = rebuild(path, &packs, &ends, self.options.cache_bytes, false)?;
        // The new index knows nothing of packs that are away.
        self.away_covered.lock().clear();
        for (key, loc) in self.index.install(db, totals)? {
            self.mark_dead(loc.pack, &[(loc.offset, key.cid())])?;
        }
        Ok(())
    }
}
