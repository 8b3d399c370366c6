//! Scrub: every block read, its sha2-256 compared with its name.

use super::{Inner, LocalStore};
use crate::BlockError;
use crate::index::Loc;
use crate::key::Key;
use crate::pack::Pack;
use crate::pack::record::{PACK_HEADER_BYTES, PackHeader};
use crate::pack::scan::{Found, Scan};
use std::sync::Arc;
use std::time::Duration;
use stead_event::{Cid, cids};
use stead_runtime::{Shutdown, blocking};

/// How fast to scrub, and when to stop.
#[derive(Clone, Debug, Default)]
pub struct ScrubOptions {
    /// At most so many bytes a second; no limit where `None`.
    pub bytes_per_second: Option<u64>,
    /// Ends the scrub early, between blocks.
    pub shutdown: Option<Shutdown>,
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
    /// The block, where its name is known.
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

impl LocalStore {
    /// Reads every block and compares its sha2-256 with its name. Damage does not end it; a damaged block is
    /// not served any more, and stored anew by the next put of it.
    pub async fn scrub(
        &self,
        options: ScrubOptions,
        progress: impl FnMut(ScrubProgress) + Send + 'static,
    ) -> Result<ScrubReport, BlockError> {
        let store = self.clone();
        blocking(move || store.scrub_blocking(options, progress)).await
    }

    /// As [`Self::scrub`], on the calling thread.
    pub fn scrub_blocking(
        &self,
        options: ScrubOptions,
        progress: impl FnMut(ScrubProgress),
    ) -> Result<ScrubReport, BlockError> {
        let mut scrubber = Scrubber {
            inner: &self.0,
            total_bytes: self.0.index.totals().bytes,
            began: self.0.options.clock.instant(),
            options,
            progress,
            report: ScrubReport::default(),
        };
        let mut packs: Vec<Arc<Pack>> = self.0.packs.read().values().cloned().collect();
        packs.sort_unstable_by_key(|pack| pack.number());
        for pack in packs {
            if !scrubber.pack(&pack)? {
                return Ok(scrubber.report);
            }
        }
        scrubber.report.complete = true;
        Ok(scrubber.report)
    }
}

struct Scrubber<'a, P> {
    inner: &'a Inner,
    total_bytes: u64,
    began: std::time::Instant,
    options: ScrubOptions,
    progress: P,
    report: ScrubReport,
}

impl<P: FnMut(ScrubProgress)> Scrubber<'_, P> {
    /// Answers `false` where it was told to stop.
    fn pack(&mut self, pack: &Pack) -> Result<bool, BlockError> {
        let end = self
            .inner
            .covered()?
            .get(&pack.number())
            .map_or(0, |covered| covered.pack);
        let mut head = Vec::new();
        pack.read_into(&mut head, 0, PACK_HEADER_BYTES as usize)?;
        if !matches!(PackHeader::parse(&head), Ok((_, 0))) {
            self.damage(None, pack, 0, "a copy of the pack's header is damaged");
        }
        let mut gaps = Vec::new();
        let mut at = PACK_HEADER_BYTES;
        for found in Scan::new(pack, PACK_HEADER_BYTES, end, u64::MAX) {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    tracing::error!(pack = pack.number(), at, %error, "a pack cannot be read");
                    gaps.push((at, end));
                    break;
                }
            };
            match found {
                Found::Gap { from, to, .. } => gaps.push((from, to)),
                Found::Record { offset, record, .. } => {
                    at = offset + record.bytes();
                    let Ok(key) = Key::of(&record.cid) else { continue };
                    let lives = |loc: &Loc| (loc.pack, u64::from(loc.offset)) == (pack.number(), offset);
                    if let Some(loc) = self.inner.index.lookup(&key)?.filter(lives) {
                        self.block(pack, &key, loc)?;
                    }
                }
            }
            if self.options.shutdown.as_ref().is_some_and(Shutdown::is_set) {
                return Ok(false);
            }
        }
        self.gaps(pack, gaps)?;
        Ok(true)
    }

    fn damage(&mut self, cid: Option<Cid>, pack: &Pack, offset: u64, why: &'static str) {
        tracing::error!(?cid, pack = pack.number(), offset, why, "damage found");
        self.report.damaged.push(Damage {
            cid,
            pack: pack.number(),
            offset,
            why,
        });
    }

    fn block(&mut self, pack: &Pack, key: &Key, loc: Loc) -> Result<(), BlockError> {
        let cid = key.cid();
        // A block that is known to be bad is read all the same: it may have been the cable.
        let why = match self.inner.read_at(&cid, key, Loc { bad: false, ..loc }) {
            Ok(bytes) if cids::verify(&cid, &bytes) => None,
            Ok(_) => Some("the bytes do not hash to the block's name"),
            // Moved or removed meanwhile; where it is now, it is or was read.
            Err(BlockError::Damaged { .. }) if self.inner.index.lookup(key)? != Some(loc) => return Ok(()),
            Err(BlockError::Damaged { why, .. }) => Some(why),
            Err(BlockError::Io { .. }) => Some("the disk does not give it back"),
            Err(e) => return Err(e),
        };
        if let Some(why) = why {
            self.inner.mark_bad(key, loc);
            self.damage(Some(cid), pack, loc.offset.into(), why);
        }
        self.report.blocks += 1;
        self.report.bytes += u64::from(loc.len);
        let ScrubReport { blocks, bytes, .. } = self.report;
        (self.progress)(ScrubProgress {
            blocks,
            bytes,
            total_bytes: self.total_bytes,
        });
        self.hold_back();
        Ok(())
    }

    /// Sleeps where more was read than the limit allows by now.
    fn hold_back(&self) {
        if let Some(rate) = self.options.bytes_per_second {
            let due = Duration::from_secs_f64(self.report.bytes as f64 / rate.max(1) as f64);
            let taken = self.inner.options.clock.instant().duration_since(self.began);
            std::thread::sleep(due.saturating_sub(taken).min(Duration::from_secs(1)));
        }
    }

    /// Names the blocks whose records are so damaged that only the index knows of them.
    fn gaps(&mut self, pack: &Pack, gaps: Vec<(u64, u64)>) -> Result<(), BlockError> {
        if gaps.is_empty() {
            return Ok(());
        }
        self.inner.flush()?;
        let within = |offset: u32| {
            gaps.iter()
                .find(|(from, to)| (*from..*to).contains(&u64::from(offset)))
                .copied()
        };
        let mut lost = Vec::new();
        self.inner.index.walk(None, &mut |key, loc| {
            if loc.pack == pack.number() {
                lost.extend(within(loc.offset).map(|gap| (gap, key, loc)));
            }
            true
        })?;
        for gap in &gaps {
            let mut known = lost.iter().filter(|(of, _, _)| of == gap).peekable();
            if known.peek().is_none() {
                self.damage(
                    None,
                    pack,
                    gap.0,
                    "bytes that are no record; no block is known to be there",
                );
            }
            for (_, key, loc) in known {
                self.inner.mark_bad(key, *loc);
                self.damage(
                    Some(key.cid()),
                    pack,
                    loc.offset.into(),
                    "the record's header is damaged",
                );
            }
        }
        Ok(())
    }
}
