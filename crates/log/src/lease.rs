//! Leases of locks: what a driver passes on to the node that counts the time.
//!
//! Who holds a lock is in the log; how long still is not, because a line for every sign of life would fill the log.
//! Whoever leads counts, by a clock that only goes forward, and whoever leads next begins to count anew, so that a lease
//! may last longer than agreed, never shorter.

use crate::LogError;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stead_event::Position;

/// A sign of life of whoever holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The lock's name.
    pub name: String,
    /// The acquisition.
    pub token: Position,
    /// The canonical id of the user whose it has to be; anybody's where `None`.
    pub of: Option<String>,
}

/// Counts the leases' time where its node leads.
#[async_trait]
pub trait Leases: Send + Sync + 'static {
    /// Begins a lease anew; answers whether the lock was still held.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] where this node does not lead, or was not sure to until the end of the call.
    async fn renew(&self, renewal: &Renewal) -> Result<bool, LogError>;
}
