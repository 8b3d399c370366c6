//! The write-ahead log: segment files of checksummed records, synced in groups.
//!
//! Owns: the segment files and the vote file of the Raft directory, the thread that writes and syncs them.
//! Promises: a callback is called after its entries are on the disk; what is read back is what was written
//! or an error that names the place; one sync serves all that was waiting.
//! Never: decides what is committed, or what may be purged.

mod prepare;
mod record;
mod recover;
mod segment;
mod state;
#[cfg(test)]
mod tests;
mod vote;
mod writer;

pub(crate) use segment::sync_dir;

use crate::ClusterError;
use crate::members::Members;
use crate::types::{Entry, LogId, Payload, Vote, log_id};
use crate::{batch::Batch, types};
use bytes::Bytes;
use parking_lot::Mutex;
use record::{HEADER, Header, Kind, Parsed};
use state::{Location, State};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use stead_runtime::{Clock, TaskKind, Tasks};
use writer::{Command, Pending, Writer};

/// A record of the write-ahead log that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: the record at byte {offset}{} is damaged: {why}. {advice}", file.display(), entry(index))]
pub struct Damage {
    /// Which file.
    pub file: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// Which Raft entry it should have held, where that is known.
    pub index: Option<u64>,
    /// What is wrong.
    pub why: String,
    /// What a person can do.
    pub advice: String,
}

fn entry(index: &Option<u64>) -> String {
    index.map_or_else(String::new, |index| format!(" (Raft entry {index})"))
}

/// Called when what was appended is on the disk, or will never be.
pub(crate) type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

/// Settings of the write-ahead log.
#[derive(Clone, Debug)]
pub(crate) struct WalOptions {
    pub dir: PathBuf,
    /// Bytes of a segment file.
    pub segment_bytes: u64,
    /// About this many bytes of recent entries stay in memory.
    pub recent_bytes: usize,
    /// What the machine holds durably: damage up to there costs nothing.
    pub durable: Option<LogId>,
    pub tasks: Tasks,
    pub clock: Clock,
}

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub syncs: AtomicU64,
    pub sync_micros: AtomicU64,
    pub entries: AtomicU64,
    pub bytes: AtomicU64,
    /// The disk is full and the writer waits for room.
    pub stalled: AtomicBool,
}

/// The write-ahead log; cheap to clone. Its thread ends when the last clone is gone, or at [`Wal::stop`].
#[derive(Clone)]
pub(crate) struct Wal {
    dir: PathBuf,
    state: Arc<Mutex<State>>,
    commands: mpsc::Sender<Command>,
    pub metrics: Arc<Metrics>,
    stopping: Arc<AtomicBool>,
    ended: tokio::sync::watch::Receiver<bool>,
}

fn gone() -> io::Error {
    io::Error::other("the write-ahead log has stopped")
}

impl Wal {
    /// Opens or makes the log in `options.dir`. Blocking.
    pub fn open(options: WalOptions) -> Result<Self, ClusterError> {
        let recovered = recover::recover(&options)?;
        let metrics = Arc::<Metrics>::default();
        let stopping = Arc::<AtomicBool>::default();
        let (commands, inbox) = mpsc::channel();
        let (ending, ended) = tokio::sync::watch::channel(false);
        let state = Arc::new(Mutex::new(recovered.state));
        let writer = Writer::new(
            &options,
            recovered.tail,
            recovered.vote_file,
            state.clone(),
            metrics.clone(),
            stopping.clone(),
        )?;
        options
            .tasks
            .thread(TaskKind::Core, "wal", move || {
                writer.run(&inbox);
                ending.send_replace(true);
            })
            .map_err(ClusterError::io("cannot start the write-ahead log's thread"))?;
        Ok(Self {
            dir: options.dir,
            state,
            commands,
            metrics,
            stopping,
            ended,
        })
    }

    /// The last purged entry and the last entry.
    pub fn bounds(&self) -> (Option<LogId>, Option<LogId>) {
        let state = self.state.lock();
        (state.purged, state.last())
    }

    /// The vote that was saved last.
    pub fn vote(&self) -> Option<Vote> {
        self.state.lock().vote
    }

    /// Saves a vote; `done` is called when it is durable.
    pub fn save_vote(&self, vote: Vote, done: Done) {
        self.state.lock().vote = Some(vote);
        self.send(Command::Vote(vote, done));
    }

    /// The last entry known committed.
    pub fn committed(&self) -> Option<LogId> {
        self.state.lock().committed
    }

    /// Notes the last committed entry; it is stored with the next record.
    pub fn set_committed(&self, committed: Option<LogId>) {
        self.state.lock().committed = committed;
    }

    /// Bytes of all segment files.
    pub fn file_bytes(&self) -> u64 {
        self.state
            .lock()
            .segments
            .iter()
            .map(|segment| segment.size)
            .sum()
    }

    /// Appends entries: readable at once, durable when `done` is called.
    pub fn append(&self, entries: impl IntoIterator<Item = Entry>, done: Done) -> io::Result<()> {
        let mut pending = Vec::new();
        {
            let mut state = self.state.lock();
            for entry in entries {
                let (kind, body) = to_record(&entry)?;
                let (term, index) = (types::term(&entry.log_id), entry.log_id.index);
                let sequence = state.push(entry, term, body.len()).ok_or_else(|| {
                    io::Error::other(format!(
                        "entry {index} does not follow the last, {:?}",
                        state.last()
                    ))
                })?;
                pending.push(Pending {
                    sequence,
                    kind,
                    term,
                    index,
                    body,
                });
            }
        }
        self.send(Command::Append(pending, done));
        Ok(())
    }

    /// Forgets entries after `last`.
    pub fn truncate_after(&self, last: Option<LogId>, done: Done) {
        self.state.lock().truncate(last.map_or(0, |id| id.index + 1));
        self.send(Command::Truncate(last, done));
    }

    /// Forgets entries up to `upto` and removes the files that hold nothing else. Blocking. Not done by the
    /// writer, which may be waiting for the very room that this makes.
    pub fn purge(&self, upto: LogId) -> io::Result<()> {
        let mut removed = Vec::new();
        {
            let mut state = self.state.lock();
            state.purge(upto);
            while state.segments.len() > 1
                && state
                    .segments
                    .front()
                    .is_some_and(|old| old.last_index.is_none_or(|last| last <= upto.index))
            {
                removed.extend(state.segments.pop_front());
            }
        }
        for segment in &removed {
            std::fs::remove_file(&segment.path)?;
        }
        if removed.is_empty() {
            Ok(())
        } else {
            segment::sync_dir(&self.dir)
        }
    }

    /// Whether the log ends before `upto`, so that it must go on behind a gap.
    pub fn ends_before(&self, upto: LogId) -> bool {
        self.state
            .lock()
            .last()
            .is_none_or(|last| last.index < upto.index)
    }

    /// Lets the log go on behind `upto`, which is beyond its end.
    pub fn skip_to(&self, upto: LogId, done: Done) {
        self.state.lock().purge(upto);
        self.send(Command::Skip(upto, done));
    }

    fn send(&self, command: Command) {
        if let Err(mpsc::SendError(command)) = self.commands.send(command) {
            command.fail(gone());
        }
    }

    /// Entries from `start` to before `end`, stopping after about `limit` bytes but never before the first.
    /// Fewer where the log does not hold them. Blocking where they are not recent.
    pub fn read(&self, start: u64, end: u64, limit: usize) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut taken = 0;
        let (start, end) = {
            let state = self.state.lock();
            (start.max(state.first()), end.min(state.end()))
        };
        for index in start..end {
            if taken > 0 && taken >= limit {
                break;
            }
            let (at, file) = {
                let state = self.state.lock();
                if let Some(entry) = state.recent(index) {
                    taken += 64 + state.location(index).map_or(0, |at| at.length as usize);
                    entries.push(entry.clone());
                    continue;
                }
                let Some(at) = state.location(index) else { break };
                let file = state.segments.iter().find(|segment| segment.number == at.segment);
                (
                    at,
                    file.map(|segment| (segment.file.clone(), segment.path.clone())),
                )
            };
            let (file, path) = file.ok_or_else(|| missing(index))?;
            taken += HEADER + at.length as usize;
            entries.push(read_one(&file, at, index).map_err(|why| {
                io::Error::other(Damage {
                    file: path,
                    offset: at.offset.into(),
                    index: Some(index),
                    why,
                    advice: "The disk may be failing: check it, then restart this node.".into(),
                })
            })?);
        }
        Ok(entries)
    }

    /// Whether all of the range is in memory, so that reading it does not block.
    pub fn is_recent(&self, start: u64, end: u64) -> bool {
        let state = self.state.lock();
        let start = start.max(state.first());
        start >= end.min(state.end()) || state.recent(start).is_some()
    }

    /// No longer waits for room on a full disk.
    pub fn give_up_waiting(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Ends the thread after what was given to it before; returns when it has.
    pub async fn stop(&self) {
        self.give_up_waiting();
        self.send(Command::Stop);
        // An error means that the thread is gone as well.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

fn missing(index: u64) -> io::Error {
    io::Error::other(format!("entry {index} has no segment file"))
}

fn read_one(file: &std::fs::File, at: Location, index: u64) -> Result<Entry, String> {
    let mut bytes = vec![0; record::span(at.length as usize)];
    file.read_exact_at(&mut bytes, at.offset.into())
        .map_err(|error| error.to_string())?;
    let header = match record::read(&bytes, at.segment) {
        Parsed::Record(header) => header,
        Parsed::Newer(version) => return Err(format!("it has format {version}")),
        Parsed::Bad(why) => {
            match record::mend(&mut bytes, at.segment).map(|_| record::read(&bytes, at.segment)) {
                Some(Parsed::Record(header)) => {
                    tracing::warn!(
                        index,
                        offset = at.offset,
                        "mended one flipped bit in a write-ahead log record"
                    );
                    header
                }
                _ => return Err(why.to_string()),
            }
        }
    };
    if (header.index, header.term) != (index, at.term) {
        return Err(format!("it holds entry {} of term {}", header.index, header.term));
    }
    let body = Bytes::from(bytes).slice(HEADER..HEADER + header.length as usize);
    from_record(&header, body)
}

/// An entry's kind as a number and its body, as they are stored, for another node.
pub(crate) fn entry_to_wire(entry: &Entry) -> io::Result<(u8, Bytes)> {
    let (kind, body) = to_record(entry)?;
    Ok((kind as u8, body))
}

/// The entry that another node sent.
pub(crate) fn entry_from_wire((term, index): (u64, u64), kind: u8, body: Bytes) -> Result<Entry, String> {
    let kind =
        Kind::from_number(kind.into()).ok_or_else(|| format!("an entry of kind {kind} is not known"))?;
    let payload = payload(kind, body)?;
    Ok(Entry {
        log_id: log_id(term, index),
        payload,
    })
}

fn to_record(entry: &Entry) -> io::Result<(Kind, Bytes)> {
    Ok(match &entry.payload {
        Payload::Blank => (Kind::Blank, Bytes::new()),
        Payload::Normal(batch) => (Kind::Batch, batch.cbor().clone()),
        Payload::Membership(membership) => {
            let body = serde_ipld_dagcbor::to_vec(&Members::of(membership)).map_err(io::Error::other)?;
            (Kind::Membership, body.into())
        }
    })
}

fn from_record(header: &Header, body: Bytes) -> Result<Entry, String> {
    Ok(Entry {
        log_id: log_id(header.term, header.index),
        payload: payload(header.kind, body)?,
    })
}

fn payload(kind: Kind, body: Bytes) -> Result<Payload, String> {
    Ok(match kind {
        Kind::Blank => Payload::Blank,
        Kind::Batch => Payload::Normal(Batch::from_cbor(body)),
        Kind::Membership => {
            let members: Members =
                serde_ipld_dagcbor::from_slice(&body).map_err(|error| error.to_string())?;
            Payload::Membership(members.membership()?)
        }
        Kind::Start | Kind::Truncate => return Err("it is not an entry".into()),
    })
}
