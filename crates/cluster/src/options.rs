//! What a node's consensus is started with, what it reports, and why it may refuse to start.

use crate::copies::LevelOptions;
use crate::join::Door;
use crate::placement::Wants;
use crate::types::{FOUNDER, Facts, Member};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use stead_block::LocalStore;
use stead_event::NodeId;
use stead_log::Tail;
use stead_runtime::Adjustable;
use stead_runtime::{Clock, Rng, Space, Tasks};

/// Settings and capabilities of this node's consensus.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Where the write-ahead log and the vote live (`<data>/raft`); made if absent.
    pub dir: PathBuf,
    /// This node's name.
    pub node: NodeId,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
    /// Where threads and tasks come from.
    pub tasks: Tasks,
    /// Asked before a client's append is accepted.
    pub space: Space,
    /// A checkpoint is made this long after the last one, if something new was applied (30 s).
    pub checkpoint_every: Duration,
    /// A checkpoint is made after this many bytes of write-ahead log (64 MiB).
    pub checkpoint_bytes: u64,
    /// This node's number among the members.
    pub number: u64,
    /// What is needed to be one of several; without it a node stays alone.
    pub together: Option<Together>,
}

/// What a node that may have others beside it is given.
#[derive(Clone)]
pub struct Together {
    /// The node's secret key: its identity in the mesh.
    pub secret: [u8; 32],
    /// Where datagrams are listened for, once there is a mesh. Port zero takes a free one.
    pub listen: SocketAddr,
    /// Whether the mesh is opened at the start: this node has others beside it.
    pub member: bool,
    /// The log's read side.
    pub tail: Tail,
    /// The blocks that are here.
    pub store: LocalStore,
    /// What people call this node.
    pub label: String,
    /// What can fail with it, and how much it holds.
    pub facts: Facts,
    /// How its copies are levelled.
    pub level: Adjustable<LevelOptions>,
    /// Which blocks want another number of copies than is usual.
    pub wants: Option<Arc<dyn Wants>>,
    /// Members that were named when this node was let in, and where they were: the log says later who is one.
    pub known: Vec<(NodeId, Vec<SocketAddr>)>,
    /// The mesh through which this node was let in just now.
    pub door: Option<Door>,
}

impl fmt::Debug for Together {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together")
            .field("listen", &self.listen)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl ClusterOptions {
    /// The usual checkpoint policy: every 30 s or 64 MiB.
    pub fn new(dir: PathBuf, node: NodeId, clock: Clock, rng: Rng, tasks: Tasks, space: Space) -> Self {
        Self {
            dir,
            node,
            clock,
            rng,
            tasks,
            space,
            checkpoint_every: Duration::from_secs(30),
            checkpoint_bytes: 64 * 1024 * 1024,
            number: FOUNDER,
            together: None,
        }
    }

    /// This node as a member that nobody has to reach.
    pub(crate) fn member(&self) -> Member {
        let together = self.together.as_ref();
        let said = together.map(|together| (together.label.clone(), together.facts.clone()));
        let (label, facts) = said.unwrap_or_default();
        Member {
            name: self.node.to_string(),
            label,
            facts,
            ..Member::default()
        }
    }
}

/// How consensus stands, for the operator. Indexes count Raft entries, not events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The Raft term.
    pub term: u64,
    /// The leader's Raft number, where one is known.
    pub leader: Option<u64>,
    /// The voters' Raft numbers.
    pub voters: Vec<u64>,
    /// Index of the last entry in the write-ahead log.
    pub last_log: Option<u64>,
    /// Index of the last applied entry.
    pub applied: Option<u64>,
    /// Index of the last entry whose effects are durable outside the write-ahead log.
    pub durable: Option<u64>,
    /// Index of the last entry that the write-ahead log no longer holds.
    pub purged: Option<u64>,
    /// Bytes of write-ahead log files, including room set aside.
    pub wal_bytes: u64,
    /// How often the write-ahead log was synced since the start.
    pub wal_syncs: u64,
    /// Microseconds spent writing and syncing it since the start.
    pub wal_sync_micros: u64,
    /// Raft entries written since the start.
    pub wal_entries: u64,
    /// The disk is full and consensus waits for room.
    pub wal_stalled: bool,
}

/// Why consensus does not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, to what.
        what: String,
        /// The system's words.
        source: std::io::Error,
    },
    /// Stored consensus state is not what was written, and going on would lose acknowledged writes.
    #[error("{0}")]
    Damaged(#[from] crate::Damage),
    /// The directory was written by a newer version.
    #[error("{what} has format {found}, this version reads up to {known}: start the newer version")]
    Newer {
        /// Which file.
        what: String,
        /// The format it names.
        found: u16,
        /// The newest that is read here.
        known: u16,
    },
    /// The machine's files are behind or ahead of the write-ahead log in a way that cannot be bridged.
    #[error("{0}")]
    Diverged(String),
    /// The disk is full, and something that was acknowledged is not applied yet.
    #[error("the disk is full: what was acknowledged last cannot be applied")]
    Full,
    /// Raft itself has failed.
    #[error("consensus failed: {0}")]
    Raft(String),
    /// The mesh between nodes.
    #[error("the mesh: {0}")]
    Mesh(String),
    /// Nobody leads, so nothing can be decided.
    #[error("no leader: {0}")]
    NoLeader(String),
    /// It is not to be done as things are.
    #[error("{0}")]
    Refused(String),
}

impl ClusterError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
