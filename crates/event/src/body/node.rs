//! Bodies of the tenant `system`: what a node did with itself and with logs.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use crate::{Cid, NodeId, Position, Tenant, Timestamp};
use serde::{Deserialize, Serialize};

/// `node.started`, in `system`: a node opened its log for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStarted {
    pub node: NodeId,
    /// The release that it ran.
    pub release: String,
}

/// `log.sealed`, in `system`: a segment of some tenant's log is complete and kept as blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSealed {
    /// The UnixFS file of the compressed segment.
    pub cid: Cid,
    pub first: Position,
    /// The CID of the last line.
    pub head: Cid,
    pub last: Position,
    /// The node that signed.
    pub node: NodeId,
    /// Ed25519 over the checkpoint text, base64; see `stead_log::checkpoint`.
    pub signature: String,
    pub signed_at: Timestamp,
    /// Compressed, in bytes.
    pub size: u64,
    pub tenant: Tenant,
}
