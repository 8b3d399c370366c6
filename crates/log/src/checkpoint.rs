//! Signed checkpoints.

use crate::{SegmentError, Tail};
use ed25519_dalek::SigningKey;
use stead_event::{ChainHead, Cid, NodeId, Position, Tenant, Timestamp};

/// A node's word that a tenant's log had this line at this position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it was signed.
    pub at: Timestamp,
    /// CID of the line at `position`.
    pub head: Cid,
    /// Who signed.
    pub node: NodeId,
    /// How far.
    pub position: Position,
    /// Ed25519, 64 bytes, base64 with padding.
    pub signature: String,
    /// Whose log.
    pub tenant: Tenant,
}

/// Why a checkpoint does not hold.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The text is not a checkpoint.
    #[error("not a checkpoint: {0}")]
    Malformed(String),
    /// The node's name is not a public key.
    #[error("{0:?} is not a node's public key")]
    Node(String),
    /// The signature is not this node's over this text.
    #[error("the signature is not that of node {0} over this checkpoint")]
    Signature(NodeId),
    /// The log is shorter than the checkpoint.
    #[error("the log of {tenant} ends at position {found}; the checkpoint saw {position}")]
    Shorter {
        /// Whose log.
        tenant: Tenant,
        /// Where the log ends.
        found: Position,
        /// What the checkpoint saw.
        position: Position,
    },
    /// Another line stands there: history was rewritten.
    #[error(
        "position {position} of {tenant} is {found}; the checkpoint saw {expected}: history was rewritten"
    )]
    Rewritten {
        /// Whose log.
        tenant: Tenant,
        /// Where.
        position: Position,
        /// The line now there.
        found: Cid,
        /// The line that was there.
        expected: Cid,
    },
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] SegmentError),
}

impl Checkpoint {
    /// Signs; `None` for an empty log, of which there is nothing to say.
    pub fn sign(key: &SigningKey, tenant: &Tenant, head: ChainHead, at: Timestamp) -> Option<Self> {
        let _ = (key, tenant, head, at);
        todo!()
    }
    /// The text form: one line of canonical DAG-JSON, without a line feed.
    pub fn to_line(&self) -> String {
        todo!()
    }
    /// Reads the text form; surrounding white space is allowed. Does not check the signature.
    pub fn from_line(text: &str) -> Result<Self, CheckpointError> {
        let _ = text;
        todo!()
    }
    /// Checks the signature against the node's name, which is its public key.
    pub fn verify(&self) -> Result<(), CheckpointError> {
        todo!()
    }
    /// Checks the signature, and that the log still has that line at that position.
    pub fn against(&self, tail: &Tail) -> Result<(), CheckpointError> {
        let _ = tail;
        todo!()
    }
}
