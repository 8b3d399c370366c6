//! Opening: the packs, the index, and what the index does not have yet.

use super::append::{Lane, Stripes};
use super::dirs::Dirs;
use super::files::Supply;
use super::pin::Pins;
use super::rebuild::rebuild;
use super::{Inner, LocalOptions};
use crate::index::{Covered, Db, Index, Loc, open_db, open_db_on};
use crate::key::Key;
use crate::pack::Pack;
use crate::pack::file::{remove_retired, sync_dir};
use crate::pack::record::{PACK_HEADER_BYTES, RECORD_HEADER_BYTES, Record};
use crate::pack::scan::{Found, Scan};
use crate::{BlockError, CheckedFile, Overlay};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use stead_runtime::Space;

/// The name of the index in the state directory.
const INDEX: &str = "blocks.redb";
/// How many packs with room are appended to again in each directory.
const SPARES: usize = 2;
const PACK_BYTES_MAX: u64 = 2 << 30;

pub(super) fn open(
    packs_dir: &Path,
    state_dir: &Path,
    mut options: LocalOptions,
    space: Space,
) -> Result<Inner, BlockError> {
    let made = if options.read_only {
        [].as_slice()
    } else {
        &[packs_dir, state_dir]
    };
    for dir in made {
        let made = std::fs::create_dir_all(dir);
        made.map_err(|e| BlockError::io(format!("creating {}", dir.display()), e))?;
    }
    // The packs' directory is to survive a power cut as they do; what is in the other can be made again.
    let parent = packs_dir.parent().filter(|parent| parent.is_dir());
    if let (false, Some(parent)) = (options.read_only, parent) {
        sync_dir(parent)?;
    }
    options.pack_bytes = options.pack_bytes.min(PACK_BYTES_MAX);
    let dirs = Dirs::open(packs_dir, &options.more, options.read_only, &options.rng)?;
    let packs = open_packs(&dirs, options.read_only)?;
    let index_path = state_dir.join(INDEX);
    let (index, covered) = open_index(&dirs, &index_path, &packs, &options)?;
    let supplies = supplies(&dirs)?;
    let away = covered
        .iter()
        .filter(|(number, _)| !packs.contains_key(number) && dirs.is_away(**number));
    let away_covered = away.map(|(number, end)| (*number, *end)).collect();
    let inner = Inner {
        lanes: (0..=dirs.all.len())
            .map(|_| Mutex::new(Lane::default()))
            .collect(),
        dirs,
        index_path,
        options,
        space,
        packs: RwLock::new(
            packs
                .iter()
                .map(|(number, pack)| (*number, pack.clone()))
                .collect(),
        ),
        supply: Mutex::new(supplies),
        stripes: Stripes::default(),
        index,
        pins: Arc::new(Pins::default()),
        syncer: Default::default(),
        losses: Default::default(),
        away_covered: Mutex::new(away_covered),
        flushing: Mutex::new(()),
        flush_asked: Default::default(),
        unindexed: Default::default(),
        pool: Default::default(),
        collecting: Mutex::new(()),
        elsewhere: OnceLock::new(),
    };
    inner.catch_up(&packs, &covered)?;
    Ok(inner)
}

/// The number of each directory's next new pack.
fn supplies(dirs: &Dirs) -> Result<Vec<Supply>, BlockError> {
    let mut used = Vec::new();
    for extension in ["pack", "gone", "dead"] {
        used.extend(dirs.numbers(extension)?.into_iter().map(|(number, _)| number));
    }
    let next = (0..dirs.all.len()).map(|at| Supply {
        spare: Vec::new(),
        next: dirs.first_number(at, &used),
    });
    Ok(next.collect())
}

fn open_packs(dirs: &Dirs, read_only: bool) -> Result<BTreeMap<u32, Arc<Pack>>, BlockError> {
    let mut packs = BTreeMap::new();
    for (number, dir) in dirs.numbers("pack")? {
        if packs.contains_key(&number) {
            tracing::error!(pack = number, dir = %dir.display(), "a second pack of that number is left alone");
            continue;
        }
        if let Some((pack, bad_copies)) = Pack::open(dir, number, read_only)? {
            if bad_copies > 0 {
                tracing::warn!(
                    pack = number,
                    bad_copies,
                    "copies of the pack's header are damaged"
                );
            }
            packs.insert(number, Arc::new(pack));
        }
    }
    Ok(packs)
}

/// The index as it is on disk, or a new one where that cannot be used.
fn open_index(
    dirs: &Dirs,
    path: &Path,
    packs: &BTreeMap<u32, Arc<Pack>>,
    options: &LocalOptions,
) -> Result<(Index, BTreeMap<u32, Covered>), BlockError> {
    let fresh = !path.exists();
    let opened = if options.read_only {
        let overlay = Overlay::over(path).map_err(redb::Error::from);
        overlay.and_then(|overlay| open_db_on(overlay, options.cache_bytes))
    } else {
        open_db(path, options.cache_bytes)
    };
    match opened {
        Ok((db, totals, covered)) => {
            let there = [dirs.numbers("pack")?, dirs.numbers("gone")?].concat();
            let there: HashSet<u32> = there.into_iter().map(|(number, _)| number).collect();
            let lacks = |number: &&u32| !there.contains(number) && !dirs.is_away(**number);
            let missing: Vec<&u32> = covered.keys().filter(lacks).collect();
            if missing.is_empty() && (!fresh || packs.is_empty()) {
                return Ok((Index::new(db, totals), covered));
            }
            if !missing.is_empty() {
                tracing::error!(
                    ?missing,
                    "packs are missing; the blocks in them are lost to this node"
                );
            }
        }
        Err(redb::Error::Io(e)) if e.kind() == std::io::ErrorKind::StorageFull => {
            return Err(BlockError::Full);
        }
        Err(e) => tracing::warn!(error = %e, "the block index is damaged; it is rebuilt from the packs"),
    }
    let ends = packs.iter().map(|(number, pack)| {
        Ok((
            *number,
            Covered {
                pack: pack.len()?,
                dead: pack.dead_len()?,
            },
        ))
    });
    let ends = ends.collect::<Result<BTreeMap<_, _>, BlockError>>()?;
    let path = (!options.read_only).then_some(path);
    let (db, totals) = rebuild(path, packs, &ends, options.cache_bytes, true)?;
    Ok((Index::new(db, totals), ends))
}

impl Inner {
    /// Files what the packs have behind what the index covers, and chooses where to append.
    fn catch_up(
        &self,
        packs: &BTreeMap<u32, Arc<Pack>>,
        covered: &BTreeMap<u32, Covered>,
    ) -> Result<(), BlockError> {
        let mut ends = Vec::new();
        for (number, pack) in packs {
            let covered = covered.get(number).copied().unwrap_or_default();
            let dead = self.apply_dead(pack, covered.dead)?;
            let from = covered.pack.max(PACK_HEADER_BYTES);
            let end = self.file_new(pack, from, &dead)?;
            if end >= from {
                ends.push((pack.clone(), end));
            } else {
                // What was cut off is named by its blocks' errors; nothing may come to stand in its place.
                tracing::error!(pack = number, end, from, "the pack is shorter than it was");
            }
        }
        let retired = self.dirs.numbers("gone")?;
        if !retired.is_empty() && !self.options.read_only {
            // All that lived in them was copied, durably, before they were retired; the index on disk must
            // say so too before they go.
            self.flush()?;
            retired
                .into_iter()
                .try_for_each(|(number, dir)| remove_retired(dir, number))?;
        }
        let with_room = ends.into_iter().filter(|(_, end)| *end < self.options.pack_bytes);
        for (pack, end) in with_room {
            let at = self.further_directory(&pack).unwrap_or(0);
            let spare = &mut self.supply.lock()[at].spare;
            spare.push((pack, end));
            spare.drain(..spare.len().saturating_sub(SPARES));
        }
        Ok(())
    }

    /// Deletes what the dead list names behind `from`. Answers the entries.
    fn apply_dead(&self, pack: &Pack, from: u64) -> Result<HashMap<u32, u64>, BlockError> {
        let (entries, _) = pack.read_dead(from)?;
        let mut unnamed = Vec::new();
        for (offset, prefix) in &entries {
            let mut header = Vec::new();
            pack.read_into(&mut header, (*offset).into(), RECORD_HEADER_BYTES)?;
            let record = Record::parse(&pack.header, (*offset).into(), &header);
            match record.ok().and_then(|record| Key::of(&record.cid).ok()) {
                Some(key) => self.forget(pack, &key, *offset)?,
                None => unnamed.push((*offset, *prefix)),
            }
        }
        // Records that do not say any more which block they were: the index does.
        let mut keys = Vec::new();
        if !unnamed.is_empty() {
            self.index.walk(None, &mut |key, loc| {
                if loc.pack == pack.number() && unnamed.contains(&(loc.offset, key.prefix())) {
                    keys.push((key, loc.offset));
                }
                true
            })?;
        }
        keys.iter()
            .try_for_each(|(key, offset)| self.forget(pack, key, *offset))?;
        Ok(entries.into_iter().collect())
    }

    /// Deletes a block from the index if it is at that place.
    fn forget(&self, pack: &Pack, key: &Key, offset: u32) -> Result<(), BlockError> {
        let found = self.index.lookup(key)?;
        if found.is_some_and(|loc| (loc.pack, loc.offset) == (pack.number(), offset)) {
            self.index.set(*key, found, None);
        }
        Ok(())
    }

    /// Files records behind `from`, each checked whole. Answers where the pack ends: what a write that never
    /// completed left at the end is cut.
    fn file_new(&self, pack: &Pack, from: u64, dead: &HashMap<u32, u64>) -> Result<u64, BlockError> {
        let mut end = pack.len()?;
        if end > from {
            pack.set_dirty();
        }
        let mut copies: Vec<(Key, Loc)> = Vec::new();
        for found in Scan::new(pack, from, end, from) {
            match found? {
                Found::Record {
                    offset,
                    record,
                    whole,
                } => {
                    let Ok(key) = Key::of(&record.cid) else { continue };
                    let (offset, len, seconds) = (offset as u32, record.len, record.seconds);
                    if dead.get(&offset) != Some(&key.prefix()) {
                        let new = Loc {
                            pack: pack.number(),
                            offset,
                            len,
                            seconds,
                            bad: !whole,
                        };
                        copies.extend(self.file_record(&key, new)?.map(|old| (key, old)));
                    }
                }
                Found::Gap { from, to, torn: true } => {
                    tracing::info!(pack = pack.number(), from, to, "an unfinished write is cut");
                    if !self.options.read_only {
                        pack.truncate(from)?;
                    }
                    end = from;
                }
                Found::Gap { from, to, .. } => {
                    tracing::warn!(
                        pack = pack.number(),
                        from,
                        to,
                        "bytes that are no record are stepped over"
                    );
                }
            }
        }
        if !copies.is_empty() && !self.options.read_only {
            // The copy that lives on must be on disk before the other one is given up.
            pack.sync()?;
            for (key, old) in copies {
                self.mark_dead(old.pack, &[(old.offset, key.cid())])?;
            }
        }
        Ok(end)
    }

    /// Files one record; answers the place of an older copy that it replaces: a compaction did not complete,
    /// or a put healed a damaged block.
    fn file_record(&self, key: &Key, new: Loc) -> Result<Option<Loc>, BlockError> {
        let old = self.index.lookup(key)?;
        match old {
            None => self.index.set(*key, None, Some(new)),
            Some(old) if old.is_at(&new) || new.bad => return Ok(None),
            Some(_) => self.index.set(*key, old, Some(new)),
        }
        Ok(old)
    }
}

/// Deletes an index file that is of no use.
pub(super) fn remove_index(path: &Path) -> Result<(), BlockError> {
    CheckedFile::remove(path).map_err(|e| BlockError::io(format!("removing {}", path.display()), e))
}

/// An empty index: at a path, or in memory.
pub(super) fn empty_index(path: Option<&Path>, cache_bytes: usize) -> Result<Db, BlockError> {
    let failed = |e: redb::Error| match e {
        redb::Error::Io(e) => BlockError::io("creating an index", e),
        e => BlockError::io("creating an index", std::io::Error::other(e.to_string())),
    };
    let opened = match path {
        Some(path) => {
            remove_index(path)?;
            open_db(path, cache_bytes)
        }
        None => open_db_on(Overlay::empty(), cache_bytes),
    };
    let (db, _, _) = opened.map_err(failed)?;
    Ok(db)
}
