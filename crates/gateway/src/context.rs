//! What a gateway may touch, by type: a [`ReadContext`] has no log, so whoever holds only that cannot
//! write. Built by the binary alone, from its components.

use crate::access::Access;
use crate::ipfs::Peers;
use crate::{Credentials, Metrics, ObjectError, SecretBox};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use stead_block::LocalStore;
use stead_event::{EventId, NodeId, Tenant, Timestamp};
use stead_log::{Log, Tail};
use stead_runtime::{Clock, Rng, Space, Tasks};
use stead_view::Views;

/// The sizes that an object, a part and an upload may have. Defaults are S3's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body of one put or part, in bytes (5 GiB).
    pub put_bytes: u64,
    /// The largest object, in bytes (5 TiB).
    pub object_bytes: u64,
    /// The smallest part that is not the last, in bytes (5 MiB).
    pub part_bytes: u64,
    /// The highest part number (10,000).
    pub parts: u32,
    /// User metadata, names and values together, in bytes (2 KiB).
    pub metadata_bytes: usize,
    /// Tags of an object (10).
    pub tags: usize,
    /// Keys that one delete-many may name (1,000).
    pub delete_many: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            put_bytes: 5 << 30,
            object_bytes: 5 << 40,
            part_bytes: 5 << 20,
            parts: 10_000,
            metadata_bytes: 2 << 10,
            tags: 10,
            delete_many: 1000,
        }
    }
}

/// The components that a context is made of.
pub struct Parts {
    /// Whose data the gateways of this context serve.
    pub tenant: Tenant,
    /// This node.
    pub node: NodeId,
    /// The views to read from.
    pub views: Views,
    /// The log's read side.
    pub tail: Tail,
    /// The local blocks.
    pub store: LocalStore,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
    /// Where tasks run.
    pub tasks: Tasks,
    /// Room on the disk.
    pub space: Space,
    /// What is counted.
    pub metrics: Metrics,
    /// Seals and unseals secrets.
    pub secrets: SecretBox,
    /// Sizes.
    pub limits: Limits,
}

/// Everything needed to answer a read. Cheap to clone.
#[derive(Clone)]
pub struct ReadContext(Arc<Inner>);

struct Inner {
    parts: Parts,
    credentials: Credentials,
    access: Access,
    published: OnceLock<stead_view::published::Index>,
    peers: OnceLock<Arc<dyn Peers>>,
}

impl ReadContext {
    /// From its components.
    pub fn new(parts: Parts) -> Self {
        let credentials = Credentials::new(parts.views.clone(), parts.secrets.clone());
        let access = Access::new(parts.views.clone(), parts.clock.clone());
        Self(Arc::new(Inner {
            parts,
            credentials,
            access,
            published: OnceLock::new(),
            peers: OnceLock::new(),
        }))
    }

    /// The access keys, unsealed as they are needed.
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// Who may do what.
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// The index of what is public to IPFS, where it is kept up.
    pub fn published(&self) -> Option<&stead_view::published::Index> {
        self.0.published.get()
    }

    /// Says where the index of what is public is; called once, by the composition.
    pub fn set_published(&self, index: stead_view::published::Index) {
        let _ = self.0.published.set(index);
    }

    /// The node among IPFS peers, where there is one.
    pub fn peers(&self) -> Option<&Arc<dyn Peers>> {
        self.0.peers.get()
    }

    /// Says which node is among IPFS peers; called once, by the composition.
    pub fn set_peers(&self, peers: Arc<dyn Peers>) {
        let _ = self.0.peers.set(peers);
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.now_micros())
    }

    /// A new event id, for this moment.
    pub fn event_id(&self) -> EventId {
        let millis = u64::try_from(self.clock.now_micros() / 1000).unwrap_or(0);
        EventId::new(millis, self.rng.bytes())
    }
}

impl Deref for ReadContext {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

/// A read context and the log: whoever holds it can write. Cheap to clone.
#[derive(Clone)]
pub struct WriteContext {
    read: ReadContext,
    log: Arc<dyn Log>,
}

impl WriteContext {
    /// From a read context and the log's driver.
    pub fn new(read: ReadContext, log: Arc<dyn Log>) -> Self {
        Self { read, log }
    }

    /// The log.
    pub fn log(&self) -> &Arc<dyn Log> {
        &self.log
    }

    /// Whether what one node does for all is this node's to do.
    pub fn leads(&self) -> bool {
        self.log.leads()
    }

    /// Returns when this node has applied everything that was acknowledged before, by any node.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`] where nobody leads, or this node is too far behind.
    pub async fn caught_up(&self) -> Result<(), ObjectError> {
        Ok(self.log.caught_up().await?)
    }

    /// The same without the log.
    pub fn read_only(&self) -> &ReadContext {
        &self.read
    }
}

impl Deref for WriteContext {
    type Target = ReadContext;

    fn deref(&self) -> &ReadContext {
        &self.read
    }
}
