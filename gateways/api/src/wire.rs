//! What goes over the wire: the JSON of requests and answers, shared with the command line.
//!
//! Owns: these types and nothing else. A field that may be absent is left out rather than `null`.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use serde::{Deserialize, Serialize};
use stead_event::TextMap;
use stead_event::body::{Scope, Versioning};
use stead_event::{Position, Timestamp};

/// An error, as every endpoint answers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Error {
    /// `STEAD-nnnn`.
    pub code: String,
    /// What failed, and why.
    pub message: String,
    /// What to do next; may be empty.
    #[serde(default)]
    pub next: String,
}

/// `GET /api/v1/status`
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raft: Option<RaftStatus>,
    #[serde(default)]
    pub tasks: Vec<TaskStatus>,
}

/// A tenant's log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogStatus {
    pub tenant: String,
    pub position: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

/// What the block store holds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct BlockStatus {
    pub blocks: u64,
    pub bytes: u64,
    pub disk_bytes: u64,
    pub packs: u64,
}

/// Consensus. Indexes count Raft entries, not events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskStatus {
    pub kind: String,
    pub name: String,
    pub count: u64,
}

/// A bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bucket {
    pub name: String,
    pub created: Timestamp,
    pub versioning: Versioning,
    pub objects: u64,
    pub bytes: u64,
}

/// `GET /api/v1/buckets`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Buckets {
    pub buckets: Vec<Bucket>,
}

/// One state of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Object {
    pub bucket: String,
    pub key: String,
    /// In bytes.
    pub size: u64,
    pub cid: String,
    pub etag: String,
    pub at: Timestamp,
    pub position: Position,
    /// `null` for the version of an unversioned write.
    pub version: String,
    #[serde(default, skip_serializing_if = "TextMap::is_empty")]
    pub headers: TextMap,
    #[serde(default, skip_serializing_if = "TextMap::is_empty")]
    pub metadata: TextMap,
}

/// `GET /api/v1/objects/{bucket}`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Listing {
    pub objects: Vec<Object>,
    /// What stands before the delimiter, where one was given.
    pub prefixes: Vec<String>,
    /// `after` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The position that the listing is of.
    pub position: Position,
}

/// One version of an object, or a delete marker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    #[serde(flatten)]
    pub object: Object,
    /// Whether it is the key's newest.
    pub latest: bool,
    /// Whether it says that the object is deleted.
    pub marker: bool,
}

/// `GET /api/v1/versions/{bucket}`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Versions {
    /// By key, each key's newest first.
    pub versions: Vec<Version>,
    /// What stands before the delimiter, where one was given.
    pub prefixes: Vec<String>,
    /// `after` and `after_version` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_version: Option<String>,
}

/// An object was stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored {
    pub cid: String,
    pub etag: String,
    pub size: u64,
    pub position: Position,
    pub version: String,
}

/// An object or a version was deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deleted {
    /// Absent where there was nothing to delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Whether a delete marker was left.
    pub marker: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// `POST /api/v1/uploads`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StartUpload {
    pub bucket: String,
    pub key: String,
    #[serde(default)]
    pub headers: TextMap,
    #[serde(default)]
    pub metadata: TextMap,
}

/// An upload and the parts that arrived.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    pub bucket: String,
    pub key: String,
    pub upload: String,
    pub parts: Vec<Part>,
}

/// A part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    pub number: u32,
    pub size: u64,
    pub etag: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cid: String,
}

/// `POST /api/v1/uploads/{upload}`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompleteUpload {
    /// Number and ETag, ascending.
    pub parts: Vec<(u32, String)>,
}

/// `POST /api/v1/copy`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Copy {
    pub source_bucket: String,
    pub source_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_version: Option<String>,
    /// A position or a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_at: Option<String>,
    pub bucket: String,
    pub key: String,
}

/// A line of the log, and what is known about its place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fact {
    pub tenant: String,
    pub position: Position,
    /// The line's CID.
    pub cid: String,
    /// The line before's CID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// The line itself.
    pub event: serde_json::Value,
    /// The version that it made, where the bucket keeps versions and that one is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where the line stands on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Where a line stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    pub file: String,
    /// From 1.
    pub line: u64,
}

/// `GET /api/v1/history/{bucket}` and `…/{key}`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct History {
    pub bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Oldest first.
    pub facts: Vec<Fact>,
    /// Whether all that the log knows is here (older states may have been pruned from the views).
    pub complete: bool,
}

/// `GET /api/v1/why`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Why {
    /// What was asked about.
    pub subject: String,
    /// The state of the object that this is about; absent for a CID that is a line of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// The event that made it.
    pub fact: Fact,
    /// What happened to the same key before, oldest first.
    pub before: Vec<Fact>,
    /// What happened to it since, oldest first.
    pub after: Vec<Fact>,
    /// Other events with the same content, at most ten.
    #[serde(default)]
    pub also: Vec<Fact>,
}

/// An access key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Key {
    pub access_key: String,
    pub name: String,
    /// The canonical id: 64 hexadecimal digits.
    pub id: String,
    pub scope: Scope,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
}

/// `GET /api/v1/keys`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Keys {
    pub keys: Vec<Key>,
}

/// `POST /api/v1/keys`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateKey {
    pub name: String,
    #[serde(default)]
    pub scope: Scope,
}

/// A new access key. This is the only time that its secret is told.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewKey {
    pub access_key: String,
    pub secret_key: String,
    pub id: String,
}

/// `POST /api/v1/console/link`
#[derive(Clone, Serialize, Deserialize)]
pub struct ConsoleLink {
    /// Signs one browser in, once.
    pub url: String,
    pub expires: Timestamp,
}

/// A tenant's log was checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerifiedLog {
    pub tenant: String,
    pub position: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    pub segments: u64,
    /// What is wrong; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

/// `POST /api/v1/log/verify`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verified {
    pub ok: bool,
    pub logs: Vec<VerifiedLog>,
    /// Whether the log still contains the checkpoint that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointVerdict>,
}

/// Whether a checkpoint holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckpointVerdict {
    pub ok: bool,
    pub position: Position,
    pub node: String,
    /// Whether it was this node that signed.
    pub own: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// `POST /api/v1/scrub`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LostSegment {
    pub file: String,
    pub why: String,
}

/// A block that is not what was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DamagedBlock {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    pub pack: u32,
    pub offset: u64,
    pub why: String,
}

/// `POST /api/v1/gc`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Collect {
    #[serde(default)]
    pub dry_run: bool,
    #[serde(default)]
    pub grace_secs: Option<u64>,
    #[serde(default)]
    pub retention_secs: Option<u64>,
}

/// What a collection did, or would do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// One thing that `doctor` looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub verdict: Verdict,
    pub message: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
}

/// `GET /api/v1/doctor`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Doctor {
    pub checks: Vec<Check>,
}

/// How far long work is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Progress {
    pub done: u64,
    /// Zero where it is not known.
    pub total: u64,
}

/// A line of the answer to long work (`application/x-ndjson`): progress, then the result or an error.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step<T> {
    Progress(Progress),
    Result(T),
    Error(Error),
}
