//! Signed checkpoints: a node's word that a tenant's log had this line at this position. A copy kept
//! elsewhere proves later whether history was rewritten.
//!
//! # Text
//! One line of canonical DAG-JSON (keys sorted, no spaces), for example:
//! ```json
//! {"at":"2026-11-20T13:00:00.000000Z","head":{"/":"baguqee…"},"node":"0707…","position":42,"signature":"…","tenant":"main","v":1}
//! ```
//! `head` is the CID of the line at `position`; `node` is the signer's Ed25519 public key in hexadecimal;
//! `signature` is base64 (RFC 4648 §4, with padding) of 64 bytes.
//!
//! # What is signed
//! Ed25519 (RFC 8032) over the ASCII bytes `stead checkpoint` and a line feed, then the same line without
//! its `signature` field, without a line feed. The prefix keeps the signature from meaning anything else.

use crate::{SegmentError, Tail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use stead_event::{ChainHead, Cid, NodeId, Position, Tenant, Timestamp};

const PREFIX: &[u8] = b"stead checkpoint\n";
const VERSION: u32 = 1;

/// A signed position and head.
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

/// The text form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    at: Timestamp,
    head: Cid,
    node: NodeId,
    position: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    tenant: Tenant,
    v: u32,
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
    #[error("the log of {tenant} ends at position {found}; the checkpoint saw {position}: lines are missing")]
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
        found: Box<Cid>,
        /// The line that was there.
        expected: Box<Cid>,
    },
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] SegmentError),
}

impl Checkpoint {
    /// Signs; `None` for an empty log, of which there is nothing to say.
    pub fn sign(key: &SigningKey, tenant: &Tenant, head: ChainHead, at: Timestamp) -> Option<Self> {
        let node = NodeId::from_public_key(&key.verifying_key().to_bytes());
        let (position, tenant) = (head.seq, tenant.clone());
        let mut signed = Self {
            at,
            head: head.cid?,
            node,
            position,
            signature: String::new(),
            tenant,
        };
        signed.signature = STANDARD.encode(key.sign(&signed.message()).to_bytes());
        Some(signed)
    }

    /// The checkpoint that a `log.sealed` event carries.
    pub fn of_sealed(sealed: &stead_event::body::LogSealed) -> Self {
        Self {
            at: sealed.signed_at,
            head: sealed.head,
            node: sealed.node.clone(),
            position: sealed.last,
            signature: sealed.signature.clone(),
            tenant: sealed.tenant.clone(),
        }
    }

    fn text(&self, signature: Option<String>) -> Vec<u8> {
        let text = Text {
            at: self.at,
            head: self.head,
            node: self.node.clone(),
            position: self.position,
            signature,
            tenant: self.tenant.clone(),
            v: VERSION,
        };
        // Strings, numbers and a link: there is nothing in it that DAG-JSON cannot hold.
        serde_ipld_dagjson::to_vec(&text).expect("a checkpoint is plain DAG-JSON")
    }

    /// The bytes that are signed.
    fn message(&self) -> Vec<u8> {
        [PREFIX, &self.text(None)].concat()
    }

    /// The text form: one line of canonical DAG-JSON, without a line feed.
    pub fn to_line(&self) -> String {
        String::from_utf8_lossy(&self.text(Some(self.signature.clone()))).into_owned()
    }

    /// Reads the text form; surrounding white space is allowed. Does not check the signature.
    pub fn from_line(text: &str) -> Result<Self, CheckpointError> {
        let malformed = CheckpointError::Malformed;
        let text: Text =
            serde_ipld_dagjson::from_slice(text.trim().as_bytes()).map_err(|e| malformed(e.to_string()))?;
        if text.v != VERSION {
            return Err(malformed(format!(
                "its version is {}, the one known here is {VERSION}",
                text.v
            )));
        }
        let Text {
            at,
            head,
            node,
            position,
            signature,
            tenant,
            ..
        } = text;
        let signature = signature.ok_or_else(|| malformed("it has no signature".into()))?;
        Ok(Self {
            at,
            head,
            node,
            position,
            signature,
            tenant,
        })
    }

    /// Checks the signature against the node's name, which is its public key. Whether that node is one to
    /// believe is for the caller to know.
    pub fn verify(&self) -> Result<(), CheckpointError> {
        let key = self
            .node
            .public_key()
            .and_then(|key| VerifyingKey::from_bytes(&key).ok());
        let key = key.ok_or_else(|| CheckpointError::Node(self.node.0.clone()))?;
        let wrong = || CheckpointError::Signature(self.node.clone());
        let signature = STANDARD.decode(&self.signature).map_err(|_| wrong())?;
        let signature = Signature::from_slice(&signature).map_err(|_| wrong())?;
        key.verify_strict(&self.message(), &signature)
            .map_err(|_| wrong())
    }

    /// Checks the signature, and that the log still has that line at that position. Together with
    /// [`crate::verify`] this says that nothing up to there was rewritten. Blocking.
    pub fn against(&self, tail: &Tail) -> Result<(), CheckpointError> {
        self.verify()?;
        let found = tail.head(&self.tenant).seq;
        let (tenant, position) = (self.tenant.clone(), self.position);
        let line = match tail.read(&self.tenant, position, 1)?.into_iter().next() {
            Some(line) if position > 0 => line,
            _ => {
                return Err(CheckpointError::Shorter {
                    tenant,
                    found,
                    position,
                });
            }
        };
        if line.cid() != self.head {
            let (found, expected) = (Box::new(line.cid()), Box::new(self.head));
            return Err(CheckpointError::Rewritten {
                tenant,
                position,
                found,
                expected,
            });
        }
        Ok(())
    }
}
