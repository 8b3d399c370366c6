//! Reading one block: one look into the index, one read, one checksum.

use super::Inner;
use crate::BlockError;
use crate::index::Loc;
use crate::key::Key;
use crate::pack::Pack;
use crate::pack::file::data_of;
use crate::pack::record::{RECORD_HEADER_BYTES, RecordError};
use bytes::Bytes;
use std::sync::Arc;
use stead_event::Cid;

/// Data from this size on is read into buffers that are used again.
const POOLED_FROM: u32 = 64 * 1024;

impl Inner {
    /// Whether a block can be expected to be readable: not known to be damaged, its pack open and long enough.
    /// The data itself is not looked at.
    pub(super) fn is_there(&self, loc: &Loc) -> bool {
        let end = u64::from(loc.offset) + RECORD_HEADER_BYTES as u64 + u64::from(loc.len);
        let reaches = |pack: Arc<Pack>| pack.len().is_ok_and(|len| end <= len);
        !loc.bad && self.pack(loc.pack).is_some_and(reaches)
    }

    pub(super) fn read(&self, cid: &Cid) -> Result<Bytes, BlockError> {
        let key = Key::of(cid)?;
        let loc = self.index.locate(&key)?.ok_or(BlockError::NotFound(*cid))?;
        match self.read_at(cid, &key, loc) {
            Err(BlockError::Damaged { .. } | BlockError::Io { .. }) => {}
            done => return done,
        }
        // The place may have been out of date: the block moved, or was stored anew, meanwhile.
        let now = self.index.lookup(&key)?.ok_or(BlockError::NotFound(*cid))?;
        let again = self.read_at(cid, &key, now);
        // A sector that cannot be read is as good as damaged: the next put, or a copy from elsewhere, takes its place.
        let lost = matches!(again, Err(BlockError::Damaged { .. } | BlockError::Io { .. }));
        if lost && !now.bad && self.pack(now.pack).is_some() {
            tracing::error!(%cid, pack = now.pack, offset = now.offset, "a stored block is damaged or cannot be read");
            self.mark_bad(&key, now);
        }
        again
    }

    pub(super) fn read_at(&self, cid: &Cid, key: &Key, loc: Loc) -> Result<Bytes, BlockError> {
        let damaged = |why| BlockError::Damaged {
            cid: Box::new(*cid),
            pack: loc.pack,
            offset: loc.offset.into(),
            why,
        };
        if loc.bad {
            return Err(damaged("its checksum did not hold"));
        }
        let pack = self
            .pack(loc.pack)
            .ok_or_else(|| damaged("the pack is missing or not readable"))?;
        let pooled = loc.len >= POOLED_FROM;
        let buffer = if pooled { self.pool.take() } else { Vec::new() };
        let (buffer, record) = pack.read_record(buffer, loc.offset.into(), loc.len)?;
        match record {
            Ok(record) if Key::of(&record.cid).is_ok_and(|found| found == *key) => Ok(match pooled {
                true => self.pool.wrap(buffer).slice(RECORD_HEADER_BYTES..),
                false => data_of(buffer),
            }),
            Ok(_) => Err(damaged("another block's record stands there")),
            Err(RecordError::Data) => Err(damaged("the data's checksum does not hold")),
            Err(RecordError::Short) => Err(damaged("the pack ends too early")),
            Err(RecordError::Header) => Err(damaged("the record's header is damaged")),
            Err(RecordError::TooNew) => Err(damaged("the record is of a newer format")),
        }
    }
}
