//! The seam to other nodes' stores: what a node that is one of several is given by whoever knows the others.

use crate::{BlockError, LocalStore};
use bytes::Bytes;
use stead_event::Cid;
use tokio::sync::oneshot;

/// Answers, in bounded time, when enough nodes have copies durably, or with [`BlockError::Elsewhere`] when too few
/// do. An answer that never comes is as good as the latter.
pub type Copying = oneshot::Receiver<Result<(), BlockError>>;

/// A block that came from another node.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its bytes, checked against its name.
    pub bytes: Bytes,
    /// Whether a copy belongs on this node.
    pub keep: bool,
}

/// Copies of blocks on other nodes.
pub trait Elsewhere: Send + Sync + 'static {
    /// A block that is missing or damaged here; `None` where nobody that answers has it. Blocks the thread, for a
    /// bounded time.
    fn fetch(&self, cid: &Cid) -> Option<Fetched>;

    /// Begins to make copies of blocks that can be read here, durable or not yet: so many in all, or as many as
    /// is usual.
    fn replicate(&self, store: &LocalStore, names: Vec<Cid>, copies: Option<u8>) -> Copying;
}
