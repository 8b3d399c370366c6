//! Reading a pack from front to back, stepping over what is damaged.

use super::Pack;
use super::record::{RECORD_HEADER_BYTES, RECORD_MAGIC, Record};
use crate::{BlockError, MAX_BLOCK_BYTES};

/// Bytes read ahead where records are small.
const WINDOW: usize = 256 * 1024;

/// What stands in a pack, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record.
    Record {
        /// Where its header begins.
        offset: u64,
        /// What its header says.
        record: Record,
        /// Whether its data holds; always where data was not looked at.
        whole: bool,
    },
    /// Bytes that are no record.
    Gap {
        /// First byte.
        from: u64,
        /// One past the last.
        to: u64,
        /// Whether they are no more than what a write that never completed leaves at the end of a file.
        torn: bool,
    },
}

/// Iterates over a pack.
pub(crate) struct Scan<'a> {
    pack: &'a Pack,
    at: u64,
    end: u64,
    /// Data is compared with its checksum from here on.
    verify_from: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl<'a> Scan<'a> {
    /// From `from` to `end`, comparing data with its checksum from `verify_from` on.
    pub fn new(pack: &'a Pack, from: u64, end: u64, verify_from: u64) -> Self {
        Self {
            pack,
            at: from,
            end,
            verify_from,
            window: Vec::new(),
            window_at: from,
        }
    }

    /// At least `len` bytes from `at`, or as many as there are before the end.
    fn bytes(&mut self, at: u64, len: usize) -> Result<&[u8], BlockError> {
        let len = len.min((self.end - at) as usize);
        let have = at >= self.window_at && at + len as u64 <= self.window_at + self.window.len() as u64;
        if !have {
            self.window.clear();
            self.window_at = at;
            let want = (self.end - at).min(len.max(WINDOW) as u64) as usize;
            self.pack.read_into(&mut self.window, at, want)?;
        }
        let from = (at - self.window_at) as usize;
        Ok(&self.window[from..(from + len).min(self.window.len())])
    }

    /// What the window holds from `at` on: at least a header's bytes, fewer only before the end.
    fn ahead(&mut self, at: u64) -> Result<&[u8], BlockError> {
        self.bytes(at, RECORD_HEADER_BYTES)?;
        Ok(&self.window[(at - self.window_at) as usize..])
    }

    fn step(&mut self) -> Result<Option<Found>, BlockError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let (at, header) = (self.at, self.pack.header);
        if let Ok(record) = Record::parse(&header, at, self.bytes(at, RECORD_HEADER_BYTES)?) {
            if at + record.bytes() > self.end {
                return Ok(Some(self.gap(self.end, true)));
            }
            let whole = at < self.verify_from
                || Record::parse_whole(&header, at, self.bytes(at, record.bytes() as usize)?).is_ok();
            self.at = at + record.bytes();
            return Ok(Some(Found::Record {
                offset: at,
                record,
                whole,
            }));
        }
        let (to, zeros) = self.resync()?;
        let torn = to == self.end && (zeros || to - at < RECORD_HEADER_BYTES as u64);
        Ok(Some(self.gap(to, torn)))
    }

    fn gap(&mut self, to: u64, torn: bool) -> Found {
        let from = std::mem::replace(&mut self.at, to);
        Found::Gap { from, to, torn }
    }

    /// Where the next valid header begins (or the end), and whether all before it is zeros.
    fn resync(&mut self) -> Result<(u64, bool), BlockError> {
        let (header, end) = (self.pack.header, self.end);
        let mut zeros = self.bytes(self.at, 1)?.first() == Some(&0);
        let mut at = self.at + 1;
        while at < end {
            let chunk = self.ahead(at)?;
            let Some(first) = chunk.first() else { break };
            zeros &= *first == 0;
            if chunk.starts_with(RECORD_MAGIC) && Record::parse(&header, at, chunk).is_ok() {
                return Ok((at, zeros));
            }
            // The next place where a magic number may begin.
            let skip = chunk[1..]
                .iter()
                .position(|b| *b == RECORD_MAGIC[0])
                .map_or(chunk.len(), |n| n + 1);
            zeros &= chunk[..skip].iter().all(|b| *b == 0);
            at += skip as u64;
        }
        Ok((end, zeros))
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Found, BlockError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

// A window must be able to hold any record whole.
const _: () = assert!(MAX_BLOCK_BYTES + RECORD_HEADER_BYTES < u32::MAX as usize);
