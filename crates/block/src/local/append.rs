//! Appending blocks to packs, and taking them out again.

use super::Inner;
use crate::index::Loc;
use crate::key::Key;
use crate::pack::Pack;
use crate::pack::record::{RECORD_HEADER_BYTES, Record};
use crate::{BlockError, MAX_BLOCK_BYTES};
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stead_event::Cid;

/// How blocks come, and so where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Blocks that travel through the log: they stay beside it.
    Small,
    /// Those of large objects, and what the collector moves: over all directories.
    Large,
}

/// The lane of small blocks; the lane of large ones of directory N is N behind [`FIRST_LARGE`].
const SMALL: usize = 0;
const FIRST_LARGE: usize = 1;

const STRIPES: usize = 64;
/// Blocks and bytes that one write call takes at most.
const WRITE_BLOCKS: usize = 256;
const WRITE_BYTES: usize = 1024 * 1024;

/// A pack that is appended to, and where it ends.
#[derive(Default)]
pub(crate) struct Lane {
    pub active: Option<(Arc<Pack>, u64)>,
    /// Up to where the kernel was told to begin to write the active pack to disk.
    begun: u64,
}

/// Locks over keys: who changes where a key is holds its stripe.
pub(crate) struct Stripes([Mutex<()>; STRIPES]);

impl Default for Stripes {
    fn default() -> Self {
        Self([const { Mutex::new(()) }; STRIPES])
    }
}

impl Stripes {
    pub fn lock(&self, key: &Key) -> MutexGuard<'_, ()> {
        self.0[key.bucket(STRIPES)].lock()
    }

    /// All stripes of `keys`, each once and always in the same order, so that two callers never wait for
    /// each other.
    fn lock_all<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> Vec<MutexGuard<'_, ()>> {
        let mut wanted = [false; STRIPES];
        keys.for_each(|key| wanted[key.bucket(STRIPES)] = true);
        wanted
            .iter()
            .zip(&self.0)
            .filter(|(wanted, _)| **wanted)
            .map(|(_, stripe)| stripe.lock())
            .collect()
    }
}

/// A block on its way into a pack.
pub(super) struct Incoming<'a> {
    pub key: Key,
    pub bytes: &'a [u8],
    pub data_crc: u32,
    pub seconds: u32,
    /// Where it is now, if it is somewhere.
    pub old: Option<Loc>,
}

impl Inner {
    pub(super) fn now_seconds(&self) -> u32 {
        (self.options.clock.now_micros() / 1_000_000).clamp(0, u32::MAX.into()) as u32
    }

    /// Appends blocks that are not there yet.
    pub(super) fn append<'a>(
        &self,
        size: Size,
        blocks: impl Iterator<Item = (&'a Cid, &'a [u8])>,
    ) -> Result<(), BlockError> {
        if self.options.read_only {
            let why = std::io::ErrorKind::ReadOnlyFilesystem.into();
            return Err(BlockError::io(
                "storing blocks in a directory that is only read",
                why,
            ));
        }
        self.syncer.check()?;
        let seconds = self.now_seconds();
        let mut seen = HashSet::new();
        let mut incoming = Vec::new();
        for (cid, bytes) in blocks {
            if bytes.len() > MAX_BLOCK_BYTES {
                return Err(BlockError::TooLarge(bytes.len() as u64));
            }
            let key = Key::of(cid)?;
            if seen.insert(key) {
                let data_crc = crc32c::crc32c(bytes);
                incoming.push(Incoming {
                    key,
                    bytes,
                    data_crc,
                    seconds,
                    old: None,
                });
            }
        }
        let _claims = self.stripes.lock_all(seen.iter());
        incoming.retain_mut(|block| match self.index.lookup(&block.key) {
            Ok(Some(loc)) if self.is_there(&loc) => false,
            Ok(old) => {
                block.old = old;
                true
            }
            // The index cannot tell: a second copy does no harm.
            Err(_) => true,
        });
        self.append_claimed(size, &incoming)
    }

    /// Appends blocks whose stripes the caller holds.
    pub(super) fn append_claimed(&self, size: Size, blocks: &[Incoming<'_>]) -> Result<(), BlockError> {
        let mut rest = blocks;
        while !rest.is_empty() {
            let mut bytes = 0;
            let mut count = 0;
            for block in rest.iter().take(WRITE_BLOCKS) {
                if count > 0 && bytes + block.bytes.len() > WRITE_BYTES {
                    break;
                }
                bytes += RECORD_HEADER_BYTES + block.bytes.len();
                count += 1;
            }
            let (now, later) = rest.split_at(count);
            self.write_somewhere(size, now, bytes as u64)?;
            rest = later;
        }
        Ok(())
    }

    /// Writes a batch to the directory that it belongs into, or, where its disk fails, to another one.
    fn write_somewhere(&self, size: Size, blocks: &[Incoming<'_>], bytes: u64) -> Result<(), BlockError> {
        let [first, ..] = blocks else { return Ok(()) };
        if size == Size::Small {
            return self.write_batch(SMALL, 0, blocks, bytes);
        }
        loop {
            let at = self.dirs.choose(&first.key, &self.space);
            match self.write_batch(FIRST_LARGE + at, at, blocks, bytes) {
                // The own directory has the log, too: without it nothing goes on.
                Err(error @ BlockError::Io { .. }) if at != 0 => self.lose_directory(at, &error),
                done => return done,
            }
        }
    }

    fn write_batch(
        &self,
        lane: usize,
        at: usize,
        blocks: &[Incoming<'_>],
        bytes: u64,
    ) -> Result<(), BlockError> {
        let lane = &mut *self.lanes[lane].lock();
        if lane
            .active
            .as_ref()
            .is_none_or(|(_, end)| end + bytes > self.options.pack_bytes)
        {
            lane.active = None;
            lane.active = Some(self.next_pack(at, bytes)?);
            lane.begun = lane.active.as_ref().map_or(0, |(_, end)| *end);
        }
        let (pack, end) = lane.active.as_mut().expect("it was set just now");
        let mut headers = Vec::with_capacity(blocks.len());
        let mut locs = Vec::with_capacity(blocks.len());
        let mut offset = *end;
        for block in blocks {
            let cid = block.key.cid();
            let len = block.bytes.len() as u32;
            let record = Record {
                cid,
                len,
                seconds: block.seconds,
                data_crc: block.data_crc,
            };
            headers.push(
                record
                    .encode(&pack.header, offset)
                    .ok_or(BlockError::Unsupported(cid))?,
            );
            let place = u32::try_from(offset).expect("a pack is at most 2 GiB");
            locs.push(Loc {
                pack: pack.number(),
                offset: place,
                len,
                seconds: block.seconds,
                bad: false,
            });
            offset += record.bytes();
        }
        let parts: Vec<&[u8]> = headers
            .iter()
            .zip(blocks)
            .flat_map(|(h, b)| [h.as_slice(), b.bytes])
            .collect();
        pack.write(*end, &parts)?;
        *end = offset;
        for (block, loc) in blocks.iter().zip(locs) {
            self.index.set(block.key, block.old, Some(loc));
        }
        self.unindexed.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Lets the kernel begin to write to disk what was appended to the lanes of large objects.
    pub(super) fn begin_writeback(&self) {
        for lane in &self.lanes[FIRST_LARGE..] {
            let (pack, from, to) = {
                let mut lane = lane.lock();
                let Some((pack, end)) = &lane.active else { continue };
                let (pack, end) = (pack.clone(), *end);
                (pack, std::mem::replace(&mut lane.begun, end), end)
            };
            pack.begin_writeback(from, to.saturating_sub(from));
        }
    }

    /// Forgets a block, durably; answers whether it was there.
    pub(super) fn delete(&self, key: &Key) -> Result<bool, BlockError> {
        let _claim = self.stripes.lock(key);
        let Some(loc) = self.index.lookup(key)? else {
            return Ok(false);
        };
        // A dead entry may only name a record that is durable itself.
        self.sync()?;
        self.index.set(*key, Some(loc), None);
        self.mark_dead(loc.pack, &[(loc.offset, key.cid())])?;
        self.sync()?;
        Ok(true)
    }

    /// Notes on disk that records are dead; nothing to note where the pack is gone.
    pub(super) fn mark_dead(&self, pack: u32, records: &[(u32, Cid)]) -> Result<(), BlockError> {
        if self.options.read_only {
            return Ok(());
        }
        self.pack(pack).map_or(Ok(()), |pack| pack.mark_dead(records))
    }

    /// Notes that a block's record cannot be read, so that the next put stores it anew.
    pub(super) fn mark_bad(&self, key: &Key, seen: Loc) {
        let _claim = self.stripes.lock(key);
        if let Ok(Some(loc)) = self.index.lookup(key)
            && loc == seen
        {
            self.index.set(*key, Some(loc), Some(Loc { bad: true, ..loc }));
        }
    }
}
