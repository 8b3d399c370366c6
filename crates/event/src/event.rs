//! The event and its canonical line.
//!
//! A line is DAG-JSON (<https://ipld.io/specs/codecs/dag-json/spec/>): sorted keys, no spaces, links as
//! `{"/":"…"}`. The event's CID is CIDv1(dag-json, sha2-256(line)), without the line feed.

use crate::{Body, Cid, EventId, NodeId, Position, Principal, Timestamp, cids};
use ipld_core::ipld::Ipld;
use serde::{Deserialize, Serialize, Serializer};

/// The version of the line format that this release writes.
pub const LINE_VERSION: u32 = 1;

/// A fact, at its place in a tenant's log.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Who did it.
    pub actor: Principal,
    /// When it was accepted.
    pub at: Timestamp,
    /// What happened.
    pub body: Body,
    /// The event that led to this one; itself where nothing did.
    pub cause: EventId,
    /// The first event of the chain of causes; itself where nothing did.
    pub correlation: EventId,
    /// The event's name.
    pub id: EventId,
    /// Where it was accepted.
    pub node: NodeId,
    /// The CID of the line before; `None` only at position 1.
    pub prev: Option<Cid>,
    /// The position.
    pub seq: Position,
    /// What it is about.
    pub stream: String,
}

/// Why a line is not an event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not DAG-JSON, or a field is missing or of another type.
    #[error("the line is not an event: {0}")]
    Malformed(String),
    /// An event, but not written in the one canonical way, so its CID cannot be trusted.
    #[error("the line is not canonical DAG-JSON")]
    NotCanonical,
    /// A newer release wrote it.
    #[error("the line has format version {0}; the newest known here is {LINE_VERSION}")]
    TooNew(u32),
    /// A kind of event that this release does not know.
    #[error("unknown kind of event {0:?}")]
    UnknownKind(String),
}

/// A body without its kind, which the line has in a field of its own.
struct Bare<'a>(&'a Body);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_bare(serializer)
    }
}

/// The line as it is written, without a copy of anything; `serde_ipld_dagjson` sorts the keys.
#[derive(Serialize)]
struct LineOf<'a> {
    actor: &'a Principal,
    at: Timestamp,
    body: Bare<'a>,
    cause: EventId,
    correlation: EventId,
    id: EventId,
    kind: &'static str,
    node: &'a NodeId,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<Cid>,
    seq: Position,
    stream: &'a str,
    v: u32,
}

/// The line as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    actor: Principal,
    at: Timestamp,
    body: Ipld,
    cause: EventId,
    correlation: EventId,
    id: EventId,
    kind: String,
    node: NodeId,
    #[serde(default)]
    prev: Option<Cid>,
    seq: Position,
    stream: String,
    v: u32,
}

impl Event {
    /// The canonical line, without a line feed.
    pub fn to_line(&self) -> Result<Vec<u8>, EventError> {
        let line = LineOf {
            actor: &self.actor,
            at: self.at,
            body: Bare(&self.body),
            cause: self.cause,
            correlation: self.correlation,
            id: self.id,
            kind: self.body.kind(),
            node: &self.node,
            prev: self.prev,
            seq: self.seq,
            stream: &self.stream,
            v: LINE_VERSION,
        };
        serde_ipld_dagjson::to_vec(&line).map_err(|e| EventError::Malformed(e.to_string()))
    }

    /// Reads a line, without its line feed.
    pub fn from_line(line: &[u8]) -> Result<Self, EventError> {
        let line: Line =
            serde_ipld_dagjson::from_slice(line).map_err(|e| EventError::Malformed(e.to_string()))?;
        if line.v > LINE_VERSION {
            return Err(EventError::TooNew(line.v));
        }
        let body = match Body::from_ipld(&line.kind, line.body) {
            Some(body) => body.map_err(|e| EventError::Malformed(format!("{}: {e}", line.kind)))?,
            None => return Err(EventError::UnknownKind(line.kind)),
        };
        Ok(Self {
            actor: line.actor,
            at: line.at,
            body,
            cause: line.cause,
            correlation: line.correlation,
            id: line.id,
            node: line.node,
            prev: line.prev,
            seq: line.seq,
            stream: line.stream,
        })
    }

    /// As [`Self::from_line`], and refuses a line that is not the canonical one for its event.
    pub fn from_canonical_line(line: &[u8]) -> Result<Self, EventError> {
        let event = Self::from_line(line)?;
        if event.to_line()? != line {
            return Err(EventError::NotCanonical);
        }
        Ok(event)
    }
}

/// The CID of a line (without its line feed).
pub fn line_cid(line: &[u8]) -> Cid {
    cids::dag_json(line)
}
