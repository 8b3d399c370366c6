//! What the write-ahead log holds, in memory: where each entry lies, the recent entries themselves, and the
//! few facts beside them. Shared by the writer thread and the readers under one short lock.

use super::segment::Segment;
use crate::types::{Entry, LogId, Vote, log_id};
use std::collections::VecDeque;

/// Where one entry lies.
#[derive(Clone, Copy, Debug)]
pub struct Location {
    /// Its term.
    pub term: u64,
    /// Counts appends of this process; tells an entry from another that took its index.
    pub sequence: u64,
    /// The segment's number; zero while it is not written.
    pub segment: u64,
    /// Where its record begins, in bytes.
    pub offset: u32,
    /// Bytes of its body.
    pub length: u32,
}

struct Recent {
    entry: Entry,
    bytes: usize,
}

/// The log's state.
#[derive(Default)]
pub struct State {
    /// Oldest first; the last one is written to.
    pub segments: VecDeque<Segment>,
    first: u64,
    locations: VecDeque<Location>,
    recent: VecDeque<Recent>,
    recent_bytes: usize,
    recent_limit: usize,
    sequence: u64,
    written: u64,
    /// The last entry that is not here any more.
    pub purged: Option<LogId>,
    /// The last entry known committed.
    pub committed: Option<LogId>,
    /// The vote.
    pub vote: Option<Vote>,
}

impl State {
    /// An empty log that keeps about `recent_limit` bytes of entries in memory.
    pub fn new(recent_limit: usize) -> Self {
        Self {
            recent_limit,
            ..Self::default()
        }
    }

    /// The last entry, or what was purged last.
    pub fn last(&self) -> Option<LogId> {
        let last = self.locations.back().map(|at| log_id(at.term, self.end() - 1));
        last.or(self.purged)
    }

    /// The index after the last entry held.
    pub fn end(&self) -> u64 {
        self.first + self.locations.len() as u64
    }

    /// The index of the first entry held.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Where entry `index` lies.
    pub fn location(&self, index: u64) -> Option<Location> {
        self.locations
            .get(usize::try_from(index.checked_sub(self.first)?).ok()?)
            .copied()
    }

    /// The term of an entry, where it is held or the last purged.
    pub fn term_of(&self, index: u64) -> Option<u64> {
        match self.location(index) {
            Some(at) => Some(at.term),
            None => self
                .purged
                .filter(|id| id.index == index)
                .map(|id| crate::types::term(&id)),
        }
    }

    /// Takes up an entry that is stored already. Its index must follow the last.
    pub fn restore(&mut self, index: u64, at: Location) {
        if self.locations.is_empty() {
            self.first = index;
        }
        debug_assert_eq!(index, self.end());
        self.locations.push_back(at);
    }

    /// Takes up a new entry; answers its sequence number. `None` where it leaves a gap.
    pub fn push(&mut self, entry: Entry, term: u64, length: usize) -> Option<u64> {
        let index = entry.log_id.index;
        if self.locations.is_empty() && self.purged.is_none_or(|id| id.index < index) {
            self.first = index;
        } else if index != self.end() {
            return None;
        }
        self.sequence += 1;
        let sequence = self.sequence;
        self.locations.push_back(Location {
            term,
            sequence,
            segment: 0,
            offset: 0,
            length: length as u32,
        });
        let bytes = length + std::mem::size_of::<Recent>();
        self.recent.push_back(Recent { entry, bytes });
        self.recent_bytes += bytes;
        Some(sequence)
    }

    /// Notes where the entry of `sequence` was written.
    pub fn wrote(&mut self, index: u64, sequence: u64, segment: u64, offset: u32) {
        self.written = self.written.max(sequence);
        let at = index
            .checked_sub(self.first)
            .and_then(|at| self.locations.get_mut(at as usize));
        if let Some(at) = at.filter(|at| at.sequence == sequence) {
            at.segment = segment;
            at.offset = offset;
        }
        self.evict();
    }

    fn evict(&mut self) {
        while self.recent_bytes > self.recent_limit && !self.recent.is_empty() {
            let index = self.end() - self.recent.len() as u64;
            if self.location(index).is_some_and(|at| at.segment == 0) {
                break; // not written yet: here is the only copy
            }
            self.drop_oldest_recent();
        }
    }

    fn drop_oldest_recent(&mut self) {
        if let Some(gone) = self.recent.pop_front() {
            self.recent_bytes -= gone.bytes;
        }
    }

    /// The entry, where it is still in memory.
    pub fn recent(&self, index: u64) -> Option<&Entry> {
        let first = self.end() - self.recent.len() as u64;
        let at = usize::try_from(index.checked_sub(first)?).ok()?;
        self.recent.get(at).map(|recent| &recent.entry)
    }

    /// Forgets the entries from index `end` on.
    pub fn truncate(&mut self, end: u64) {
        while self.end() > end && self.locations.pop_back().is_some() {
            if let Some(gone) = self.recent.pop_back() {
                self.recent_bytes -= gone.bytes;
            }
        }
    }

    /// Forgets the entries up to `upto`.
    pub fn purge(&mut self, upto: LogId) {
        while self.first <= upto.index && !self.locations.is_empty() {
            if self.recent.len() == self.locations.len() {
                self.drop_oldest_recent();
            }
            self.locations.pop_front();
            self.first += 1;
        }
        if self.purged.is_none_or(|purged| purged < upto) {
            self.purged = Some(upto);
        }
    }
}
