//! The node's own work and its findings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stead_event::{Position, TextMap, Timestamp};

/// `GET /api/v1/upkeep`: what the node's own work found, last time since it started.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Upkeep {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrub: Option<LastScrub>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gc: Option<LastCollect>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<LastCheckpoint>,
    /// Segments of the logs that are sealed and kept as blocks.
    pub sealed_segments: u64,
}

/// The last scrub.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LastScrub {
    /// When it ended.
    #[schemars(with = "String")]
    pub at: Timestamp,
    #[serde(flatten)]
    pub result: Scrubbed,
}

/// The last collection that was no dry run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LastCollect {
    /// When it ended.
    #[schemars(with = "String")]
    pub at: Timestamp,
    #[serde(flatten)]
    pub result: Collected,
}

/// How far the node's files are durable without its write-ahead log.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LastCheckpoint {
    /// Raft entries that are applied.
    pub applied: u64,
    /// Raft entries that are durable in log, blocks and views.
    pub durable: u64,
    /// Size of the write-ahead log.
    pub wal_bytes: u64,
    /// The last position of the log.
    pub position: Position,
}

/// `POST /api/v1/scrub`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Scrubbed {
    pub blocks: u64,
    pub bytes: u64,
    pub damaged: Vec<DamagedBlock>,
    /// Whether everything was read.
    pub complete: bool,
    /// Sealed segments of logs that were read; none where no node runs.
    #[serde(default)]
    pub segments: u64,
    /// Files of sealed segments that were damaged and are written anew from their blocks.
    #[serde(default)]
    pub restored: Vec<String>,
    /// Files of sealed segments that are damaged, as are their blocks.
    #[serde(default)]
    pub lost: Vec<LostSegment>,
}

impl Scrubbed {
    /// Whether nothing is damaged that was not put in order.
    pub fn is_ok(&self) -> bool {
        self.damaged.is_empty() && self.lost.is_empty()
    }
}

/// A sealed segment that could not be put in order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LostSegment {
    pub file: String,
    pub why: String,
}

/// A block that is not what was written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DamagedBlock {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    pub pack: u32,
    pub offset: u64,
    pub why: String,
}

/// `POST /api/v1/gc`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Collect {
    #[serde(default)]
    pub dry_run: bool,
    #[serde(default)]
    pub grace_secs: Option<u64>,
    #[serde(default)]
    pub retention_secs: Option<u64>,
}

/// What a collection did, or would do.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Collected {
    pub dry_run: bool,
    /// Whether overwritten and deleted states were forgotten because their retention had passed.
    pub pruned: bool,
    pub reachable: u64,
    pub protected: u64,
    pub deleted: u64,
    pub deleted_bytes: u64,
    pub packs_removed: u64,
    pub freed_bytes: u64,
    /// Where there are any, nothing is deleted.
    pub unreadable: u64,
}

/// `POST /api/v1/view/rebuild`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rebuilt {
    /// Whether the rebuilt views are byte for byte what they were.
    pub equal: bool,
    pub events: u64,
    /// SHA-256 by table.
    pub tables: TextMap,
    /// Tables that differ.
    #[serde(default)]
    pub different: Vec<String>,
}

/// How a check of `doctor` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// One thing that `doctor` looked at.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    pub name: String,
    pub verdict: Verdict,
    pub message: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
}

/// `GET /api/v1/doctor`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Doctor {
    pub checks: Vec<Check>,
}
