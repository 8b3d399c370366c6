//! The seam to other nodes' stores: what a node that is one of several is given by whoever knows the others.

use crate::{BlockError, LocalStore};
use bytes::Bytes;
use stead_event::Cid;

/// Copies of blocks on other nodes. Both calls block the thread, for a bounded time.
pub trait Elsewhere: Send + Sync + 'static {
    /// The bytes of a block that is missing or damaged here, checked against its name; `None` where nobody
    /// that answers has it.
    fn fetch(&self, cid: &Cid) -> Option<Bytes>;

    /// Makes copies of blocks that are durable here, and returns when enough nodes have them durably.
    ///
    /// # Errors
    /// [`BlockError::Elsewhere`] where too few do.
    fn replicate(&self, store: &LocalStore, names: &[Cid]) -> Result<(), BlockError>;
}
