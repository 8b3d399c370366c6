//! Compare-and-append: a batch of events with preconditions over views, accepted or rejected as one.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use stead_event::{Body, Cid, EventId, NodeId, Position, Principal, Tenant, Timestamp};

/// Blocks of at most this many bytes travel beside their event (64 KiB); larger ones are made durable in
/// the block store first.
pub const INLINE_MAX: usize = 64 * 1024;

/// An event before it has a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Who acts.
    pub actor: Principal,
    /// When it was proposed; becomes the event's time.
    pub at: Timestamp,
    /// What is to happen.
    pub body: Body,
    /// The event that leads to this one, and the first of that chain; `None` for a root event, which then
    /// names itself in both.
    pub cause: Option<(EventId, EventId)>,
    /// The event's name.
    pub id: EventId,
}

/// What a key must be at when an append is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expect {
    /// No current object (a delete marker counts as none).
    Absent,
    /// Some current object.
    Present,
    /// A current object with this ETag (without quotes).
    ETag(String),
    /// A current object that came to be by this event.
    Event(EventId),
}

/// What must hold for an append to be accepted. Evaluated when the append is applied, so two racing
/// appends cannot both see the state before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precondition {
    /// The bucket is there.
    BucketExists(String),
    /// No bucket has that name.
    BucketAbsent(String),
    /// The bucket has no object and no version. Uploads that are open in it are given up with it.
    BucketEmpty(String),
    /// The key's current state.
    Object {
        /// In this bucket.
        bucket: String,
        /// Of this key.
        key: String,
        /// What it must be.
        expect: Expect,
    },
    /// The version is there (`null` names the null version).
    VersionExists {
        /// In this bucket.
        bucket: String,
        /// Of this key.
        key: String,
        /// Its version id.
        version: String,
    },
    /// The multipart upload is open.
    UploadOpen {
        /// In this bucket.
        bucket: String,
        /// For this key.
        key: String,
        /// The upload's id.
        upload: String,
    },
    /// The upload's parts of these numbers have these ETags (without quotes).
    UploadParts {
        /// The upload's id.
        upload: String,
        /// Number and ETag, ascending.
        parts: Vec<(u32, String)>,
    },
    /// No lock forbids the change: not retention, not a legal hold, not the bucket's object lock. It need not
    /// be listed: whoever applies an append demands it of every event in it.
    Unlocked {
        /// In this bucket.
        bucket: String,
        /// Of this key; empty where it is about the bucket.
        key: String,
        /// Its version id; the current state where `None`.
        version: Option<String>,
    },
    /// No access key of that name was ever made.
    KeyAbsent(String),
    /// The access key is there and not revoked.
    KeyActive(String),
    /// Nobody holds the lock.
    LockFree(String),
    /// The lock is held by the acquisition with this token.
    LockHeld {
        /// The lock's name.
        name: String,
        /// The position of its `lock.acquired` event.
        token: Position,
    },
    /// The shared settings are at this revision; 0 where they were never set.
    ConfigAt(u64),
    /// The append was put in order by whoever leads in this term: nobody else has led since that one decided on it.
    Term(u64),
    /// The tenant's log ends at exactly this position.
    LogAt(Position),
    /// No `log.sealed` event names this tenant and first position yet.
    SegmentUnsealed {
        /// Whose log.
        tenant: Tenant,
        /// The segment's first position.
        first: Position,
    },
}

/// Events for one tenant, appended together or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Append {
    /// The node that brings it, which its lines name; the driver sets it. Every node that applies the append
    /// writes the same line because of it. `None` in what a release before clusters wrote: the node that
    /// applies it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Whose log.
    pub tenant: Tenant,
    /// All must hold.
    pub require: Vec<Precondition>,
    /// At least one.
    pub events: Vec<Draft>,
    /// Small blocks that the events refer to, each at most [`INLINE_MAX`] bytes.
    pub blocks: Vec<(Cid, Bytes)>,
}

/// Where an append went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// Position of the first event.
    pub first: Position,
    /// Position of the last event.
    pub last: Position,
}

/// The precondition that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("precondition does not hold: {0:?}")]
pub struct Rejection(pub Precondition);
