//! Names and places of segment files, and what can be wrong with them. The format is described in the
//! crate's documentation.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use stead_event::{ChainError, ChainHead, EventError, Position, Tenant};

/// Rotation at this many bytes unless told otherwise (64 MiB).
pub const ROTATE_BYTES: u64 = 64 << 20;

/// A place at the end of a line: the chain's head there, and where in which segment its line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPoint {
    /// Position and CID of the line that ends here.
    pub head: ChainHead,
    /// First position of the segment; 1 at the start.
    pub segment: Position,
    /// Bytes of that segment up to here.
    pub offset: u64,
}

impl Default for LogPoint {
    fn default() -> Self {
        Self {
            head: ChainHead::default(),
            segment: 1,
            offset: 0,
        }
    }
}

/// How segments are cut.
#[derive(Clone, Copy, Debug)]
pub struct SegmentOptions {
    /// A segment with at least this many bytes gets no further line.
    pub rotate_bytes: u64,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self {
            rotate_bytes: ROTATE_BYTES,
        }
    }
}

/// What is wrong with a line, and where it stands.
#[derive(Debug, thiserror::Error)]
#[error("{}, line {line}: {source}", segment.display())]
pub struct Damage {
    /// The file.
    pub segment: PathBuf,
    /// The line's number in it, from 1.
    pub line: u64,
    /// The position that should stand there.
    pub position: Position,
    /// What is wrong.
    pub source: DamageKind,
}

/// What is wrong with a line or a segment.
#[derive(Debug, thiserror::Error)]
pub enum DamageKind {
    /// The line breaks the chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The line is an event and its successor is intact, but that names another line: this one was changed.
    #[error("position {0}: the line was changed; what follows names another line here")]
    Changed(Position),
    /// The last line of a segment has no line feed, or the segment ends where lines should follow.
    #[error("position {0} is missing: the segment is cut off here")]
    Truncated(Position),
    /// The line is longer than any line may be.
    #[error("position {0}: no line feed within the longest legal line")]
    TooLong(Position),
    /// A compressed segment does not decompress to what its index says.
    #[error("position {at}: the compressed segment is damaged: {why}")]
    Frame {
        /// The first position that cannot be read.
        at: Position,
        /// The decoder's words.
        why: String,
    },
}

/// Why segments cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The system refused.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was being done: `write`, `open`, …
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Stored lines are not what was written.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The event cannot be written as a line.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The log does not reach the place that was named.
    #[error("tenant {tenant}: segment {segment} has no byte {offset}; the log ends before")]
    NoSuchPoint {
        /// Whose log.
        tenant: Tenant,
        /// First position of the segment.
        segment: Position,
        /// The byte asked for.
        offset: u64,
    },
    /// An earlier fdatasync failed; what is durable is not known, so the writer must be opened again.
    #[error("{}: an earlier sync failed; open the log again from its durable point", path.display())]
    SyncFailed {
        /// The tenant's directory.
        path: PathBuf,
    },
}

impl SegmentError {
    /// Whether the disk (or a quota) is full: the same call may be made again when there is room.
    pub fn is_full(&self) -> bool {
        let Self::Io { source, .. } = self else {
            return false;
        };
        matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }

    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

/// A segment file in a tenant's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentFile {
    pub(crate) first: Position,
    pub(crate) path: PathBuf,
    pub(crate) sealed: bool,
}

/// No line is longer than this (16 MiB): an object of 10,000 parts needs 2 MiB.
pub(crate) const MAX_LINE: usize = 16 << 20;

impl SegmentFile {
    /// Opens it in the form that it has by now, which is the sealed one where it was sealed since it was
    /// listed.
    pub(crate) fn open(&self) -> Result<(Self, File), SegmentError> {
        let failed = match File::open(&self.path) {
            Ok(handle) => return Ok((self.clone(), handle)),
            Err(e) => e,
        };
        if failed.kind() == io::ErrorKind::NotFound && !self.sealed {
            let sealed = Self {
                path: self.path.with_added_extension("zst"),
                sealed: true,
                ..self.clone()
            };
            if let Ok(handle) = File::open(&sealed.path) {
                return Ok((sealed, handle));
            }
        }
        Err(SegmentError::io("open", &self.path)(failed))
    }
}

/// `<dir>/<tenant>`
pub(crate) fn tenant_dir(dir: &Path, tenant: &Tenant) -> PathBuf {
    dir.join(tenant.as_str())
}

/// `<first, 20 digits>.jsonl`
pub(crate) fn open_path(dir: &Path, first: Position) -> PathBuf {
    dir.join(format!("{first:020}.jsonl"))
}

/// The file of a sealed segment of a tenant's log, below `<data>/log`.
pub fn sealed_file(dir: &Path, tenant: &Tenant, first: Position) -> PathBuf {
    sealed_path(&tenant_dir(dir, tenant), first)
}

/// `<first, 20 digits>.jsonl.zst`
pub(crate) fn sealed_path(dir: &Path, first: Position) -> PathBuf {
    dir.join(format!("{first:020}.jsonl.zst"))
}

fn parse_name(name: &str) -> Option<(Position, bool)> {
    let (digits, sealed) = match name.strip_suffix(".jsonl.zst") {
        Some(digits) => (digits, true),
        None => (name.strip_suffix(".jsonl")?, false),
    };
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
    Some((digits.parse().ok()?, sealed))
}

/// The segments in a tenant's own directory, by first position. Where a crash left both forms of one, the
/// uncompressed is named. No directory is an empty log.
pub(crate) fn list(dir: &Path) -> Result<Vec<SegmentFile>, SegmentError> {
    let entries = match std::fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(SegmentError::io("list", dir))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(SegmentError::io("list", dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some((first, sealed)) = name.and_then(parse_name) {
            files.push(SegmentFile { first, path, sealed });
        }
    }
    files.sort_by_key(|file| (file.first, file.sealed));
    files.dedup_by_key(|file| file.first);
    Ok(files)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), SegmentError> {
    let handle = std::fs::File::open(dir).map_err(SegmentError::io("open", dir))?;
    handle.sync_all().map_err(SegmentError::io("sync", dir))
}

/// Removes a file that may be gone already.
pub(crate) fn remove(path: &Path) -> Result<(), SegmentError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(SegmentError::io("remove", path)(e)),
        _ => Ok(()),
    }
}
