//! The collector: mark what the roots reach, delete the rest, compact packs that are mostly dead.
//!
//! Safe against puts at the same time: before it asks for the roots it begins to note every pin that ends.
//! Whatever is stored, or found to be stored already, is pinned by whoever means to refer to it, from before
//! the look until the reference can be seen. So at the moment a block is deleted (in one step with looking
//! for pins), either its reference was in the roots, or it is pinned, or its pin ended since and was noted.
//! What a pinned node reaches is kept with it. Whoever copies a tree pins only its root, and sees that what the
//! tree is taken from is still there afterwards: then either the roots have it, or the pin came before them.
//!
//! Safe against a crash at any moment: deletions are noted in dead lists that name one record in its place;
//! a pack is retired (renamed) only when the copies of all that lives in it are durable, and removed only
//! when the index on disk no longer names it. At the next start a retired pack is removed, and of two copies
//! of a block the older is marked dead.

use super::sync::FLUSH_CHANGES;
use super::{Inner, LocalStore};
use crate::index::Loc;
use crate::key::Key;
use crate::pack::file::remove_retired;
use crate::pack::record::{PACK_HEADER_BYTES, RECORD_HEADER_BYTES};
use crate::{BlockError, ipld};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;
use stead_event::{Cid, cids};

/// Blocks deleted at a time.
const SWEEP_BLOCKS: usize = 16 * 1024;
/// After so many bytes of retired packs the index is written, so that they can be removed.
const RETIRED_BYTES: u64 = 4 << 30;

/// What the collector may take.
#[derive(Clone, Debug)]
pub struct CollectOptions {
    /// Blocks stored less than this long ago are kept.
    pub grace: Duration,
    /// Only count.
    pub dry_run: bool,
    /// Nodes that are named but were never stored: a DAG from elsewhere may be kept in part.
    pub absent: HashSet<Cid>,
    /// Packs of which more than this share (in percent) is dead are compacted.
    pub compact_percent: u8,
}

impl Default for CollectOptions {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(3600),
            dry_run: false,
            absent: HashSet::new(),
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
    /// Bytes that the disk got back, less what the copies take. In a dry run: what compacting would free.
    pub freed_bytes: u64,
    /// Inner nodes that could not be read; where there are any, nothing is deleted.
    pub unreadable: u64,
}

/// What the roots reach. 64 bits of a digest stand for a block: where two share them, garbage is kept. Inner
/// nodes, where a wrong "seen already" would lose data, are held by their whole digest.
#[derive(Default)]
struct Marked {
    blocks: HashSet<u64>,
    nodes: HashSet<Key>,
}

impl LocalStore {
    /// Deletes what no root reaches and frees the room. `roots` is called once, after the collection has
    /// begun to protect whatever is stored or pinned from then on, and must name every root that can be seen
    /// by then; the first error among them ends the collection with nothing deleted. Blocks for as long as
    /// it takes; one at a time.
    pub fn collect<R, I>(&self, roots: R, options: CollectOptions) -> Result<CollectReport, BlockError>
    where
        R: FnOnce() -> I,
        I: IntoIterator<Item = Result<Cid, BlockError>>,
    {
        let inner = &self.0;
        let _one = inner.collecting.lock();
        inner.pins.watch();
        let collected = Collection::run(inner, roots, &options);
        inner.pins.unwatch();
        collected
    }
}

struct Collection<'a> {
    inner: &'a Inner,
    options: &'a CollectOptions,
    report: CollectReport,
    /// Bytes of records that live on, by pack.
    live: HashMap<u32, u64>,
    /// Packs that nothing lives in any more, and their bytes.
    retired: Vec<(PathBuf, u32)>,
    retired_bytes: u64,
}

impl<'a> Collection<'a> {
    fn run<R, I>(inner: &'a Inner, roots: R, options: &'a CollectOptions) -> Result<CollectReport, BlockError>
    where
        R: FnOnce() -> I,
        I: IntoIterator<Item = Result<Cid, BlockError>>,
    {
        let mut this = Self {
            inner,
            options,
            report: CollectReport::default(),
            live: HashMap::new(),
            retired: Vec::new(),
            retired_bytes: 0,
        };
        let marked = this.mark(roots())?;
        if this.report.unreadable > 0 && !options.dry_run {
            return Ok(this.report);
        }
        // From here on the index on disk has all that was stored before, and the packs are durable.
        inner.flush()?;
        let ends: BTreeMap<u32, u64> = inner
            .covered()?
            .into_iter()
            .map(|(number, covered)| (number, covered.pack))
            .collect();
        this.sweep(&marked)?;
        drop(marked);
        this.compact(&ends)?;
        this.remove_retired()?;
        Ok(this.report)
    }

    fn mark(
        &mut self,
        roots: impl IntoIterator<Item = Result<Cid, BlockError>>,
    ) -> Result<Marked, BlockError> {
        let mut marked = Marked::default();
        for root in roots {
            self.mark_tree(&mut marked, root?)?;
        }
        // Only now: a pin that is not among these came after the roots were asked for.
        for key in self.inner.pins.protected() {
            let cid = key.cid();
            // The block may be on its way still; it is itself protected, and so is all that it will name.
            if cid.codec() == cids::DAG_PB && self.inner.index.locate(&key)?.is_some() {
                self.mark_tree(&mut marked, cid)?;
            }
        }
        Ok(marked)
    }

    fn mark_tree(&mut self, marked: &mut Marked, root: Cid) -> Result<(), BlockError> {
        let mut nodes = vec![root];
        while let Some(cid) = nodes.pop() {
            // A block that is in its name is stored nowhere, but may name others.
            if let Some(bytes) = ipld::inline(&cid) {
                nodes.extend(ipld::links(&cid, &bytes).unwrap_or_default());
                continue;
            }
            let Ok(key) = Key::of(&cid) else {
                // What cannot be stored was not: a DAG from elsewhere that is kept in part may name it.
                continue;
            };
            marked.blocks.insert(key.prefix());
            if cid.codec() == cids::RAW || !marked.nodes.insert(key) {
                continue;
            }
            let links = self.node(&cid).and_then(|bytes| ipld::links(&cid, &bytes));
            match links {
                Ok(links) => nodes.extend(links),
                Err(BlockError::NotFound(_)) if self.options.absent.contains(&cid) => {}
                Err(e @ (BlockError::Io { .. } | BlockError::IndexRebuilding)) => return Err(e),
                Err(e) => {
                    tracing::error!(%cid, error = %e, "an inner node cannot be read; nothing is collected");
                    self.report.unreadable += 1;
                }
            }
        }
        Ok(())
    }

    /// A block that names others: from another node where it is not on this one, as on a witness, or damaged.
    fn node(&self, cid: &Cid) -> Result<Bytes, BlockError> {
        let read = self.inner.read(cid);
        match (&read, self.inner.elsewhere.get()) {
            (Err(BlockError::NotFound(_) | BlockError::Damaged { .. }), Some(elsewhere)) => {
                elsewhere.fetch(cid).map_or(read, |fetched| Ok(fetched.bytes))
            }
            _ => read,
        }
    }

    /// Deletes what is unreachable and old enough, some at a time.
    fn sweep(&mut self, marked: &Marked) -> Result<(), BlockError> {
        let now = u64::from(self.inner.now_seconds());
        let grace = self.options.grace.as_secs();
        let mut after = None;
        loop {
            let mut dead = Vec::new();
            let (report, live) = (&mut self.report, &mut self.live);
            self.inner.index.walk(after, &mut |key, loc| {
                let reached = marked.blocks.contains(&key.prefix());
                let young = grace > 0 && now < u64::from(loc.seconds) + grace;
                if !reached && !young {
                    dead.push((key, loc));
                } else {
                    *live.entry(loc.pack).or_default() += record_bytes(loc);
                    report.reachable += u64::from(reached);
                    report.protected += u64::from(!reached);
                }
                dead.len() < SWEEP_BLOCKS
            })?;
            let Some((last, _)) = dead.last() else {
                return self.inner.sync();
            };
            after = Some(*last);
            self.delete(dead)?;
            if self.inner.index.pending() > FLUSH_CHANGES {
                self.inner.flush()?;
            }
        }
    }

    fn delete(&mut self, dead: Vec<(Key, Loc)>) -> Result<(), BlockError> {
        let mut by_pack: BTreeMap<u32, Vec<(u32, Cid)>> = BTreeMap::new();
        for (key, loc) in dead {
            if self.options.dry_run || self.delete_one(&key, loc)? {
                self.report.deleted += 1;
                self.report.deleted_bytes += u64::from(loc.len);
                by_pack.entry(loc.pack).or_default().push((loc.offset, key.cid()));
            } else {
                *self.live.entry(loc.pack).or_default() += record_bytes(loc);
                self.report.protected += 1;
            }
        }
        if self.options.dry_run {
            return Ok(());
        }
        by_pack
            .into_iter()
            .try_for_each(|(pack, records)| self.inner.mark_dead(pack, &records))
    }

    /// Deletes from the index unless something protects the block.
    fn delete_one(&self, key: &Key, loc: Loc) -> Result<bool, BlockError> {
        let _claim = self.inner.stripes.lock(key);
        let deleted = self.inner.pins.unless_pinned(key, || {
            let unchanged = self.inner.index.lookup(key)? == Some(loc);
            if unchanged {
                self.inner.index.set(*key, Some(loc), None);
            }
            Ok(unchanged)
        });
        deleted.unwrap_or(Ok(false))
    }

    fn compact(&mut self, ends: &BTreeMap<u32, u64>) -> Result<(), BlockError> {
        for (number, end) in ends {
            let body = end.saturating_sub(PACK_HEADER_BYTES);
            let live = self.live.get(number).copied().unwrap_or(0);
            let dead = body.saturating_sub(live);
            if dead * 100 <= body * u64::from(self.options.compact_percent) || dead == 0 {
                continue;
            }
            if self.options.dry_run {
                self.report.freed_bytes += dead;
            } else if self.inner.space.has(live + (16 << 20)) {
                self.compact_pack(*number)?;
            } else {
                tracing::warn!(pack = number, "there is no room to compact the pack");
            }
        }
        Ok(())
    }

    fn compact_pack(&mut self, number: u32) -> Result<(), BlockError> {
        let Some(moved) = self.inner.move_pack(number)? else {
            return Ok(());
        };
        self.retired.push((moved.dir, number));
        self.retired_bytes += moved.size;
        self.report.packs_removed += 1;
        self.report.freed_bytes += moved.size.saturating_sub(moved.copied);
        if self.retired_bytes >= RETIRED_BYTES {
            self.remove_retired()?;
        }
        Ok(())
    }

    /// Removes retired packs, once the index on disk does not name them any more.
    fn remove_retired(&mut self) -> Result<(), BlockError> {
        if self.retired.is_empty() {
            return Ok(());
        }
        self.inner.flush()?;
        self.retired_bytes = 0;
        self.retired
            .drain(..)
            .try_for_each(|(dir, number)| remove_retired(&dir, number))
    }
}

fn record_bytes(loc: Loc) -> u64 {
    RECORD_HEADER_BYTES as u64 + u64::from(loc.len)
}
