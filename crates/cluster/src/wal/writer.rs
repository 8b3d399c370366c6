//! The thread that writes and syncs: whatever waits when it is free becomes one write and one `fdatasync`.

use super::prepare::Preparer;
use super::record::{self, Header, Kind};
use super::recover::Tail;
use super::segment::{self, Segment};
use super::state::State;
use super::vote::VoteFile;
use super::{Done, Metrics, WalOptions};
use crate::ClusterError;
use crate::types::{LogId, Vote, log_id, term};
use bytes::Bytes;
use parking_lot::Mutex;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use stead_runtime::Clock;

/// A group takes up no more than about this many bytes.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
/// How long to wait before trying again on a full disk.
const FULL_RETRY: Duration = Duration::from_millis(100);
/// A buffer larger than this is given back after the group.
const KEPT_BUFFER: usize = 1024 * 1024;

/// An entry to write.
pub struct Pending {
    pub sequence: u64,
    pub kind: Kind,
    pub term: u64,
    pub index: u64,
    pub body: Bytes,
}

/// What the thread is told, in order.
pub enum Command {
    Append(Vec<Pending>, Done),
    Truncate(Option<LogId>, Done),
    Vote(Vote, Done),
    Skip(LogId, Done),
    Stop,
}

impl Command {
    /// Answers that it will not be done.
    pub fn fail(self, error: io::Error) {
        match self {
            Self::Append(_, done) | Self::Truncate(_, done) | Self::Vote(_, done) | Self::Skip(_, done) => {
                done(Err(error));
            }
            Self::Stop => {}
        }
    }
}

struct Placed {
    index: u64,
    sequence: u64,
    segment: u64,
    offset: u32,
}

#[derive(Default)]
struct Group {
    records: Vec<Pending>,
    bytes: usize,
    done: Vec<Done>,
}

impl Group {
    fn add(&mut self, records: Vec<Pending>, done: Done) {
        self.bytes += records
            .iter()
            .map(|record| record::span(record.body.len()))
            .sum::<usize>();
        self.records.extend(records);
        self.done.push(done);
    }
}

/// The state of the thread.
pub struct Writer {
    dir: PathBuf,
    segment_bytes: u64,
    state: Arc<Mutex<State>>,
    metrics: Arc<Metrics>,
    stopping: Arc<AtomicBool>,
    clock: Clock,
    preparer: Preparer,
    spare: Option<Segment>,
    vote_file: VoteFile,
    active: Segment,
    /// Where `buffer` goes.
    offset: u64,
    buffer: Vec<u8>,
    last: Option<LogId>,
    failed: Option<String>,
}

impl Writer {
    pub fn new(
        options: &WalOptions,
        tail: Tail,
        vote_file: VoteFile,
        state: Arc<Mutex<State>>,
        metrics: Arc<Metrics>,
        stopping: Arc<AtomicBool>,
    ) -> Result<Self, ClusterError> {
        let preparer = Preparer::start(options.dir.clone(), &options.tasks).map_err(ClusterError::io(
            "cannot start the thread that prepares the write-ahead log",
        ))?;
        Ok(Self {
            dir: options.dir.clone(),
            segment_bytes: options.segment_bytes,
            state,
            metrics,
            stopping,
            clock: options.clock.clone(),
            preparer,
            spare: tail.spare,
            vote_file,
            active: tail.active,
            offset: tail.offset,
            buffer: Vec::new(),
            last: tail.last,
            failed: None,
        })
    }

    /// Works until told to stop or until nobody can tell it anything.
    pub fn run(mut self, inbox: &Receiver<Command>) {
        self.ask_for_next();
        while let Ok(first) = inbox.recv() {
            let mut group = Group::default();
            let mut next = Some(first);
            while let Some(command) = next {
                match command {
                    Command::Append(records, done) => group.add(records, done),
                    Command::Truncate(last, done) => group.add(vec![truncation(last)], done),
                    Command::Vote(vote, done) => {
                        self.commit(std::mem::take(&mut group));
                        done(self.save_vote(&vote));
                    }
                    Command::Skip(upto, done) => {
                        self.commit(std::mem::take(&mut group));
                        done(self.skip_to(upto));
                    }
                    Command::Stop => {
                        self.commit(group);
                        return;
                    }
                }
                next = if group.bytes < GROUP_BYTES {
                    inbox.try_recv().ok()
                } else {
                    None
                };
            }
            self.commit(group);
        }
    }

    fn ask_for_next(&mut self) {
        if self.spare.is_none() {
            self.preparer.ask(self.active.number + 1, self.segment_bytes);
        }
    }

    fn check(&self) -> io::Result<()> {
        self.failed
            .as_ref()
            .map_or(Ok(()), |why| Err(io::Error::other(why.clone())))
    }

    fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.check()?;
        self.vote_file
            .save(vote)
            .inspect_err(|error| self.failed = Some(error.to_string()))
    }

    /// Writes and syncs a group, then tells everybody in it.
    fn commit(&mut self, group: Group) {
        if group.done.is_empty() {
            return;
        }
        let result = self.check().and_then(|()| self.write_group(group.records));
        if let Err(error) = &result {
            // After a failed sync nobody knows what is on the disk: only a restart reads it again.
            tracing::error!(%error, "the write-ahead log cannot be written");
            self.failed.get_or_insert_with(|| error.to_string());
        }
        for done in group.done {
            done(
                result
                    .as_ref()
                    .copied()
                    .map_err(|error| io::Error::new(error.kind(), error.to_string())),
            );
        }
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
    }

    fn write_group(&mut self, records: Vec<Pending>) -> io::Result<()> {
        let committed = self.state.lock().committed.map_or(0, |id| id.index + 1);
        let mut placed = Vec::with_capacity(records.len());
        let (mut entries, mut bytes) = (0, 0);
        for record in records {
            let offset = self.place(&record, committed)?;
            bytes += record::span(record.body.len()) as u64;
            if record.kind.is_entry() {
                entries += 1;
                self.last = Some(log_id(record.term, record.index));
                let (index, sequence, segment) = (record.index, record.sequence, self.active.number);
                placed.push(Placed {
                    index,
                    sequence,
                    segment,
                    offset,
                });
            } else {
                self.last = record
                    .index
                    .checked_sub(1)
                    .map(|index| log_id(record.term, index));
            }
        }
        self.flush()?;
        self.metrics.entries.fetch_add(entries, Ordering::Relaxed);
        self.metrics.bytes.fetch_add(bytes, Ordering::Relaxed);
        let mut state = self.state.lock();
        for Placed {
            index,
            sequence,
            segment,
            offset,
        } in placed
        {
            state.wrote(index, sequence, segment, offset);
            if let Some(segment) = state
                .segments
                .iter_mut()
                .rev()
                .find(|held| held.number == segment)
            {
                segment.last_index = Some(segment.last_index.map_or(index, |last| last.max(index)));
            }
        }
        Ok(())
    }

    /// Puts a record into the buffer, going to the next segment where this one has no room for it.
    fn place(&mut self, record: &Pending, committed: u64) -> io::Result<u32> {
        let span = record::span(record.body.len()) as u64;
        let used = self.offset + self.buffer.len() as u64;
        if used.max(record::HEADER as u64) + span > self.active.size {
            self.flush()?;
            self.rotate(self.segment_bytes.max(span + record::HEADER as u64))?;
        }
        if self.offset == 0 && self.buffer.is_empty() {
            self.start_segment(committed);
        }
        let offset = (self.offset + self.buffer.len() as u64) as u32;
        let header = Header {
            kind: record.kind,
            segment: self.active.number,
            term: record.term,
            index: record.index,
            committed,
            synced: self.offset as u32,
            length: record.body.len() as u32,
        };
        record::write(&header, &record.body, &mut self.buffer);
        Ok(offset)
    }

    fn start_segment(&mut self, committed: u64) {
        let header = Header {
            kind: Kind::Start,
            segment: self.active.number,
            term: self.last.as_ref().map_or(0, term),
            index: self.last.map_or(0, |id| id.index + 1),
            committed,
            synced: 0,
            length: 0,
        };
        record::write(&header, &[], &mut self.buffer);
    }

    /// Goes to the next segment. Everything in this one must be flushed.
    fn rotate(&mut self, size: u64) -> io::Result<()> {
        let number = self.active.number + 1;
        let spare = self
            .spare
            .take()
            .filter(|spare| spare.number == number && spare.size >= size);
        let mut next = match spare {
            Some(spare) => spare,
            None => self.when_room(|this| this.preparer.take(number, this.segment_bytes))?,
        };
        if next.size < size {
            let dir = self.dir.clone();
            next = self.when_room(|_| segment::create(&dir, number, size))?;
        }
        {
            let mut state = self.state.lock();
            // What this group put into the old file is told only at its end; a purge must know it now.
            if let (Some(old), Some(last)) = (state.segments.back_mut(), self.last) {
                old.last_index = old.last_index.max(Some(last.index));
            }
            state.segments.push_back(next.clone());
        }
        self.active = next;
        self.offset = 0;
        self.ask_for_next();
        Ok(())
    }

    /// Writes the buffer and syncs it.
    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let begun = self.clock.instant();
        // On a full disk the whole is done again: what a failed sync has dropped from the cache is rewritten.
        self.when_room(|this| {
            this.active.file.write_all_at(&this.buffer, this.offset)?;
            this.active.file.sync_data()
        })?;
        let micros = begun.elapsed().as_micros() as u64;
        self.metrics.syncs.fetch_add(1, Ordering::Relaxed);
        self.metrics.sync_micros.fetch_add(micros, Ordering::Relaxed);
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Does `work`, again and again while the disk is full, until there is room or the node stops.
    fn when_room<T>(&mut self, mut work: impl FnMut(&mut Self) -> io::Result<T>) -> io::Result<T> {
        let mut told = false;
        loop {
            let result = work(self);
            let full = result.as_ref().is_err_and(segment::is_full);
            if !full || self.stopping.load(Ordering::SeqCst) {
                self.metrics.stalled.store(false, Ordering::SeqCst);
                return result;
            }
            if !told {
                tracing::warn!("the disk is full: the write-ahead log waits for room");
                told = true;
            }
            self.metrics.stalled.store(true, Ordering::SeqCst);
            std::thread::sleep(FULL_RETRY);
        }
    }

    /// Goes on behind `upto`, which is beyond the last entry: only the beginning of a file can say that.
    fn skip_to(&mut self, upto: LogId) -> io::Result<()> {
        self.check()?;
        self.last = Some(upto);
        if self.offset > 0 {
            self.rotate(self.segment_bytes)?;
        }
        self.start_segment(upto.index + 1);
        self.flush()
    }
}

fn truncation(last: Option<LogId>) -> Pending {
    Pending {
        sequence: 0,
        kind: Kind::Truncate,
        term: last.as_ref().map_or(0, term),
        index: last.map_or(0, |id| id.index + 1),
        body: Bytes::new(),
    }
}
