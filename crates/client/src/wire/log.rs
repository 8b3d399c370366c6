//! The log, and where things came from.

use super::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stead_event::Position;

/// `GET /api/v1/log`: a line of the log.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    pub position: Position,
    /// The line's CID.
    pub cid: String,
    /// The event.
    pub line: serde_json::Value,
}

/// `GET /api/v1/events`: the data of one event.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// The line's CID.
    pub cid: String,
    /// The event.
    pub line: serde_json::Value,
}

/// `GET /api/v1/log/{position}`: a line, and what proves its place.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Proven {
    pub position: Position,
    pub cid: String,
    /// The event.
    pub line: serde_json::Value,
    /// The line byte for byte, without its line feed: its SHA-256 is in its CID.
    pub text: String,
    /// Whether it names the line before as it is.
    pub prev_ok: bool,
    pub proof: Proof,
}

/// What proves a line's place, and how to check it without Stead.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// SHA-256 of the line, in hexadecimal.
    pub sha256: String,
    /// The CID of the line before, as computed from that line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Whether the line behind names this one; absent at the end of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ok: Option<bool>,
    /// The end of the log: a signed checkpoint of it vouches for every line before.
    pub head: Head,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// A shell command whose output is `sha256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

/// The end of a log.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    pub position: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
}

/// A line of the log, and what is known about its place.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    pub file: String,
    /// From 1.
    pub line: u64,
}

/// `GET /api/v1/history/{bucket}` and `…/{key}`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct History {
    pub bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Oldest first.
    pub items: Vec<Fact>,
    /// `cursor` of the next page; absent on the last. Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether all that the log knows is here (older states may have been pruned from the views).
    pub complete: bool,
}

/// `GET /api/v1/why`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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

/// A tenant's log was checked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    pub ok: bool,
    pub logs: Vec<VerifiedLog>,
    /// Whether the log still contains the checkpoint that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointVerdict>,
}

/// Whether a checkpoint holds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CheckpointVerdict {
    pub ok: bool,
    pub position: Position,
    pub node: String,
    /// Whether it was this node that signed.
    pub own: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
