//! Moving what lives in a pack into others, for the collector and where a directory is emptied.

use super::Inner;
use super::append::{Incoming, Size};
use crate::BlockError;
use crate::index::Loc;
use crate::key::Key;
use crate::pack::Pack;
use crate::pack::record::{PACK_HEADER_BYTES, RECORD_HEADER_BYTES};
use crate::pack::scan::{Found, Scan};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A pack that was retired after what lived in it was copied.
pub(super) struct Moved {
    /// Where its file is until it is removed.
    pub dir: PathBuf,
    /// Bytes that it took.
    pub size: u64,
    /// Bytes of the copies.
    pub copied: u64,
}

impl Inner {
    /// Copies what lives in a pack into others and retires it. `None` where there is no such pack, or something in it
    /// cannot be read, so that it must stay.
    pub(super) fn move_pack(&self, number: u32) -> Result<Option<Moved>, BlockError> {
        let Some(pack) = self.pack(number) else {
            return Ok(None);
        };
        self.close_pack(number);
        let Some(copied) = self.copy_live(&pack)? else {
            return Ok(None);
        };
        let size = pack.len()?;
        pack.retire()?;
        self.packs.write().remove(&number);
        let dir = pack.dir().to_owned();
        Ok(Some(Moved { dir, size, copied }))
    }

    /// Copies what lives in a pack into others, durably, keeping each block's time. Answers the bytes of the
    /// copies, or `None` where something in the pack cannot be read, so that it must stay.
    fn copy_live(&self, pack: &Arc<Pack>) -> Result<Option<u64>, BlockError> {
        let (mut copied, mut gaps) = (0, false);
        let losses = self.losses.load(Ordering::Acquire);
        for found in Scan::new(pack, PACK_HEADER_BYTES, pack.len()?, u64::MAX) {
            let Found::Record { offset, record, .. } = found? else {
                gaps = true;
                continue;
            };
            let Ok(key) = Key::of(&record.cid) else { continue };
            let _claim = self.stripes.lock(&key);
            let lives = |loc: &Loc| (loc.pack, u64::from(loc.offset)) == (pack.number(), offset);
            let Some(loc) = self.index.lookup(&key)?.filter(lives) else {
                continue;
            };
            let (buffer, whole) = pack.read_record(Vec::new(), offset, record.len)?;
            if whole.is_err() {
                tracing::error!(cid = %record.cid, pack = pack.number(), offset, "a damaged block keeps its pack");
                return Ok(None);
            }
            let (bytes, seconds) = (&buffer[RECORD_HEADER_BYTES..], loc.seconds);
            let incoming = Incoming {
                key,
                bytes,
                data_crc: record.data_crc,
                seconds,
                old: Some(loc),
            };
            self.append_claimed(Size::Large, &[incoming])?;
            copied += record.bytes();
        }
        self.sync()?;
        self.unless_lost_since(losses)?;
        if gaps {
            // A record whose header is damaged was not seen by the scan, but the index may know of it.
            self.flush()?;
            let mut left = false;
            self.index.walk(None, &mut |_, loc| {
                left = loc.pack == pack.number();
                !left
            })?;
            if left {
                tracing::error!(pack = pack.number(), "a damaged block keeps its pack");
                return Ok(None);
            }
        }
        Ok(Some(copied))
    }
}
