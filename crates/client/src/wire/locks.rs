//! Named locks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stead_event::{Position, Timestamp};

/// A lock that is held.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Lock {
    pub name: String,
    /// The fencing token: it grows with every acquisition of any lock.
    pub token: Position,
    /// The holder in words for people.
    pub owner: String,
    /// The user whose it is.
    pub actor: String,
    /// How long it is held without a sign of life, in seconds.
    pub ttl_s: u64,
    #[schemars(with = "String")]
    pub since: Timestamp,
}

/// `POST /api/v1/locks/{name}`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct AcquireLock {
    /// The holder in words for people; the caller's name where absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Something random, drawn once for one wish: the same request made again, after an answer that was lost, is
    /// granted the same. Drawn by the node where absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request: String,
    /// How long the lock is held without a sign of life, in seconds: 1 to 86,400, 15 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u64>,
    /// How long to wait where somebody else holds it, in seconds: 60 at most, not at all where absent.
    #[serde(default)]
    pub wait_s: u64,
}

/// `PUT /api/v1/locks/{name}`: a sign of life.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RenewLock {
    pub token: Position,
}
