//! Making things durable: one flush for all who wait, and the index behind it.

use super::Inner;
use crate::BlockError;
use crate::index::Covered;
use crate::pack::Pack;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stead_runtime::TaskKind;

/// The index is written to disk when so many changes are pending,
pub(super) const FLUSH_CHANGES: usize = 64 * 1024;
/// or so many bytes were appended: what a start after a crash has to read and check.
const FLUSH_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes of disk that writing the index may take besides its changes.
const FLUSH_ROOM: u64 = 4 * 1024 * 1024;
/// At this many pending changes, appending waits for the index.
const WAIT_CHANGES: usize = 4 * FLUSH_CHANGES;

#[derive(Default)]
pub(crate) struct Syncer {
    rounds: Mutex<Rounds>,
    wake: Condvar,
}

#[derive(Default)]
struct Rounds {
    begun: u64,
    done: u64,
    running: bool,
    /// After a flush failed nobody knows what the disk has, and the kernel may have forgotten what it could
    /// not write; only a restart, which reads the packs again, finds out.
    failed: bool,
}

impl Syncer {
    fn failure() -> BlockError {
        let why = "an earlier flush to disk failed; restart to read back what the disk has";
        BlockError::io("syncing packs", io::Error::other(why))
    }

    /// An error where a flush has failed before.
    pub fn check(&self) -> Result<(), BlockError> {
        if self.rounds.lock().failed {
            Err(Self::failure())
        } else {
            Ok(())
        }
    }

    /// Returns when a round of `work` that began after this call has ended.
    fn run(&self, work: impl Fn() -> Result<(), BlockError>) -> Result<(), BlockError> {
        let mut rounds = self.rounds.lock();
        let ticket = rounds.begun + 1;
        loop {
            if rounds.failed {
                return Err(Self::failure());
            }
            if rounds.done >= ticket {
                return Ok(());
            }
            if rounds.running {
                self.wake.wait(&mut rounds);
                continue;
            }
            rounds.running = true;
            rounds.begun += 1;
            let round = rounds.begun;
            drop(rounds);
            let result = work();
            rounds = self.rounds.lock();
            rounds.running = false;
            match result {
                Ok(()) => rounds.done = round,
                Err(_) => rounds.failed = true,
            }
            self.wake.notify_all();
            result?;
        }
    }
}

impl Inner {
    /// Makes all that was appended or marked dead before this call durable.
    pub(super) fn sync(&self) -> Result<(), BlockError> {
        if self.options.read_only {
            return Ok(());
        }
        self.syncer.run(|| {
            let packs: Vec<Arc<Pack>> = self.packs.read().values().cloned().collect();
            for pack in packs {
                match (pack.sync(), self.further_directory(&pack)) {
                    // Whoever wrote there before hears of it by the count of losses; all others go on.
                    (Err(error @ BlockError::Io { .. }), Some(at)) => self.lose_directory(at, &error),
                    (synced, _) => synced?,
                }
            }
            Ok(())
        })
    }

    /// Up to where each pack reaches, with nothing appended meanwhile while `act` runs.
    fn covering<T>(&self, act: impl FnOnce(BTreeMap<u32, Covered>) -> T) -> Result<T, BlockError> {
        let lanes: Vec<_> = self.lanes.iter().map(|lane| lane.lock()).collect();
        let mut covered = BTreeMap::new();
        for pack in self.packs.read().values() {
            let active = lanes.iter().filter_map(|lane| lane.active.as_ref());
            let end = active
                .into_iter()
                .find(|(active, _)| active.number() == pack.number());
            let end = end.map_or_else(|| pack.len(), |(_, end)| Ok(*end))?;
            covered.insert(
                pack.number(),
                Covered {
                    pack: end,
                    dead: pack.dead_len()?,
                },
            );
        }
        Ok(act(covered))
    }

    /// What is in the packs now.
    pub(super) fn covered(&self) -> Result<BTreeMap<u32, Covered>, BlockError> {
        self.covering(|covered| covered)
    }

    /// Syncs, and writes all that is pending into the index on disk.
    pub(super) fn flush(&self) -> Result<(), BlockError> {
        let _one = self.flushing.lock();
        if self.index.take_damaged() || self.index.is_rebuilding() {
            self.rebuild_running()?;
        }
        // redb is of no use any more after it met a full disk; so it is not let near one. A page for each
        // change is the most that a commit writes, but for what a small one writes anyway.
        if !self.options.read_only && !self.space.has(self.index.pending() as u64 * 4096 + FLUSH_ROOM) {
            return Err(BlockError::Full);
        }
        self.unindexed.store(0, Ordering::Relaxed);
        let frozen = self.covering(|mut covered| {
            covered.extend(
                self.away_covered
                    .lock()
                    .iter()
                    .map(|(number, end)| (*number, *end)),
            );
            self.index.freeze(covered)
        })?;
        // The index may say that a record is there only when it surely is.
        let synced = self.sync();
        match frozen {
            Some(frozen) if synced.is_ok() => self.index.write(frozen),
            Some(frozen) => {
                self.index.unfreeze(frozen.changes);
                synced
            }
            None => synced,
        }
    }

    /// Begins to write the index in the background where much is pending; waits where too much is.
    pub(super) fn ask_flush(self: &Arc<Self>) {
        let pending = self.index.pending();
        if pending >= WAIT_CHANGES {
            self.report(self.flush());
        } else if self.index.wants_rebuild()
            || self.index.is_rebuilding()
            || pending >= FLUSH_CHANGES
            || self.unindexed.load(Ordering::Relaxed) >= FLUSH_BYTES
        {
            self.flush_behind();
        }
    }

    /// Begins to rebuild a damaged index in the background.
    pub(super) fn ask_rebuild(self: &Arc<Self>) {
        if self.index.wants_rebuild() {
            self.flush_behind();
        }
    }

    fn flush_behind(self: &Arc<Self>) {
        if self.flush_asked.swap(true, Ordering::AcqRel) {
            return;
        }
        let inner = self.clone();
        let started = self
            .options
            .tasks
            .thread(TaskKind::Background, "block index", move || {
                inner.report(inner.flush());
                inner.flush_asked.store(false, Ordering::Release);
            });
        if let Err(e) = started {
            self.flush_asked.store(false, Ordering::Release);
            tracing::warn!(error = %e, "no thread to write the block index; it will be tried again");
        }
    }

    fn report(&self, result: Result<(), BlockError>) {
        if let Err(e) = result {
            tracing::warn!(error = %e, "the block index was not written; it will be tried again");
        }
    }
}
