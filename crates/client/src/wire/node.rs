//! The node: how it is, and what it holds.

use super::Rates;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stead_event::{Position, TextMap, Timestamp};

/// `GET /api/v1/status`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Whether a node is running (`false`: the directory was read without one).
    pub running: bool,
    pub node: String,
    pub release: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_secs: Option<u64>,
    /// URLs by gateway.
    #[serde(default)]
    pub endpoints: TextMap,
    pub data: String,
    pub free_bytes: u64,
    pub logs: Vec<LogStatus>,
    pub buckets: u64,
    pub objects: u64,
    /// Of current objects.
    pub object_bytes: u64,
    pub blocks: BlockStatus,
    /// The directories that blocks are kept in, the data directory's own first.
    #[serde(default)]
    pub disks: Vec<Disk>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raft: Option<RaftStatus>,
    #[serde(default)]
    pub tasks: Vec<TaskStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<super::Power>,
    /// The nodes that share its consensus, itself among them.
    #[serde(flatten)]
    pub cluster: super::Cluster,
}

/// A tenant's log.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LogStatus {
    pub tenant: String,
    pub position: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

/// What the block store holds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct BlockStatus {
    pub blocks: u64,
    pub bytes: u64,
    pub disk_bytes: u64,
    pub packs: u64,
}

/// A directory that blocks are kept in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Disk {
    pub path: String,
    pub state: DiskState,
    /// Files of blocks in it.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of its file system; 0 where it is away.
    pub free_bytes: u64,
    /// Of its file system; 0 where it is away.
    pub total_bytes: u64,
}

/// How a directory of blocks is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DiskState {
    /// Read and written.
    InUse,
    /// Read, and written no more: it is being emptied, or is empty.
    Leaving,
    /// Its disk was not there when the node started: what is on it is missing.
    Away,
    /// Writing to it failed: what is on it is missing until the node starts again.
    Failed,
}

impl DiskState {
    /// In a word or two, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::InUse => "in use",
            Self::Leaving => "leaving",
            Self::Away => "away",
            Self::Failed => "failed",
        }
    }
}

/// `POST /api/v1/disks/empty`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyDisk {
    /// As `status` names it.
    pub path: String,
}

/// What emptying a directory of blocks came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct EmptiedDisk {
    /// Files of blocks that were moved.
    pub moved: u64,
    /// Bytes that were copied.
    pub bytes: u64,
    /// Files that stay, for something in them cannot be read.
    pub stuck: u64,
}

/// Consensus. Indexes count Raft entries, not events.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RaftStatus {
    pub term: u64,
    pub leader: Option<u64>,
    pub voters: Vec<u64>,
    pub last_log: Option<u64>,
    pub applied: Option<u64>,
    pub durable: Option<u64>,
    pub purged: Option<u64>,
    pub wal_bytes: u64,
}

/// A task that runs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TaskStatus {
    pub kind: String,
    pub name: String,
    pub count: u64,
}

/// `GET /api/v1/overview`: what a person wants to see first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Overview {
    pub node: NodeFacts,
    pub space: Space,
    /// Those that the caller may see, by name; at most a thousand.
    pub buckets: Vec<super::Bucket>,
    /// The last position of the log.
    pub position: Position,
    pub warnings: Vec<Warning>,
    pub rates: Rates,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<super::Power>,
}

/// Who the node is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NodeFacts {
    pub id: String,
    pub release: String,
    /// Seconds since it started.
    pub uptime_s: u64,
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// URLs by gateway.
    #[serde(default)]
    pub endpoints: TextMap,
}

/// Room in the file system of the data directory, in bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Space {
    pub total: u64,
    pub free: u64,
    /// By the blocks of this node.
    pub used: u64,
}

/// Something that a person should look at.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// `STEAD-nnnn`.
    pub code: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub next: String,
    /// Where the page of the code is.
    pub explain: String,
}
