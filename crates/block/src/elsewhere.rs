//! The seam to other nodes' stores: what a node that is one of several is given by whoever knows the others.

use crate::stripe::{Quorum, Stripe};
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

/// Blocks that are to be on other nodes.
#[derive(Clone, Debug, Default)]
pub struct Lot {
    /// Those that are in no stripe.
    pub names: Vec<Cid>,
    /// How many copies of them there are to be in all; as many as is usual where that is not said.
    pub copies: Option<u8>,
    /// When enough nodes have them.
    pub quorum: Quorum,
    /// Stripes, each with the block that describes it.
    pub stripes: Vec<(Cid, Stripe)>,
}

impl Lot {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.stripes.is_empty()
    }
}

/// Copies of blocks on other nodes.
pub trait Elsewhere: Send + Sync + 'static {
    /// A block that is missing or damaged here; `None` where nobody that answers has it. Blocks the thread, for a
    /// bounded time.
    fn fetch(&self, cid: &Cid) -> Option<Fetched>;

    /// Begins to make copies of blocks that can be read here, durable or not yet.
    fn replicate(&self, store: &LocalStore, lot: Lot) -> Copying;
}
