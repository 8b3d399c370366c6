//! Names and places of segment files, and what can be wrong with them.

use serde::{Deserialize, Serialize};
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
    /// The line decodes, but its bytes are not the ones that its event is written as.
    #[error("position {0}: the line is not canonical")]
    NotCanonical(Position),
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
    /// The chain ends elsewhere than expected, or another line stands at the end.
    #[error("the log ends at position {found}, another end than the expected one at {expected}")]
    Head {
        /// Where it should end.
        expected: Position,
        /// Where it ends.
        found: Position,
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
