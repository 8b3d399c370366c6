//! Bodies of named locks, which programs hold by a lease.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use super::Via;
use crate::Position;
use serde::{Deserialize, Serialize};

/// `lock.acquired`: somebody holds a lock. The event's position is the lock's fencing token: it grows with every
/// acquisition of any lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockAcquired {
    pub name: String,
    /// Who holds it, in words for people: a host and a process, say.
    pub owner: String,
    /// The canonical id of the user whose it is; empty for the owner of the data directory.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Drawn by whoever asks, so that the same request made twice is granted once.
    pub request: String,
    /// How long the lock is held without a word of its holder's, in seconds.
    pub ttl_s: u64,
    pub via: Via,
}

/// Why a lock is free again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockEnd {
    /// Its holder gave it up.
    Released,
    /// Its holder was not heard of for as long as the lease lasts.
    Expired,
    /// An administrator took it away.
    Broken,
}

/// `lock.released`: a lock is free again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockReleased {
    pub name: String,
    /// The acquisition that ends.
    pub token: Position,
    pub why: LockEnd,
    pub via: Via,
}
