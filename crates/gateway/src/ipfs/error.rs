//! What can go wrong with what comes from IPFS or goes there.

use crate::{Code, codes};
use stead_event::Cid;

/// Why something about IPFS was not done. Nothing was stored.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the message says what each is
pub enum IpfsError {
    #[error("{bucket}/{prefix} is not public to IPFS")]
    NotPublished { bucket: String, prefix: String },
    #[error("{0:?} is not a CID")]
    NotACid(String),
    #[error("{cid}: {why}")]
    Unsupported { cid: Box<Cid>, why: &'static str },
    #[error("this is not a whole CAR file: {0}")]
    Car(String),
    #[error("the bytes that came for {0} are not its bytes")]
    Mismatch(Box<Cid>),
    #[error("block {0} is missing")]
    Missing(Box<Cid>),
    #[error("this is more than is taken: {0}")]
    Limit(String),
    #[error("no source gave {cid}: {why}")]
    Source { cid: Box<Cid>, why: String },
    #[error("the name's record is not valid: {0}")]
    Record(&'static str),
}

impl IpfsError {
    /// Its stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotPublished { .. } => codes::IPFS_NOT_PUBLISHED,
            Self::NotACid(_) => codes::IPFS_CID,
            Self::Unsupported { .. } => codes::IPFS_UNSUPPORTED,
            Self::Car(_) => codes::IPFS_CAR,
            Self::Mismatch(_) => codes::IPFS_MISMATCH,
            Self::Missing(_) => codes::IPFS_MISSING,
            Self::Limit(_) => codes::IPFS_LIMIT,
            Self::Source { .. } => codes::IPFS_SOURCE,
            Self::Record(_) => codes::IPFS_RECORD,
        }
    }
}
