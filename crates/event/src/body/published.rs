//! Bodies of what is public to IPFS: that it is, at which root, and which DAGs from elsewhere are kept.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use crate::{Cid, Position, Via};
use serde::{Deserialize, Serialize};

/// `ipfs.published`: everybody who knows a CID may fetch what the bucket's keys below `prefix` are now, and
/// will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpfsPublished {
    pub bucket: String,
    /// The IPNS name: a libp2p-key CID in base36, `k51…`.
    pub ipns: String,
    /// Empty for the whole bucket; else it ends with a slash.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The seed of the name's Ed25519 key, hexadecimal, sealed as access keys' secrets are.
    pub sealed_seed: String,
    pub via: Via,
}

/// `ipfs.unpublished`: no more. The name's key stays, for the next time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpfsUnpublished {
    pub bucket: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    pub via: Via,
}

/// `ipfs.rooted`: the directory that a publication is, as of a position of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpfsRooted {
    pub bucket: String,
    /// The directory's root.
    pub cid: Cid,
    /// Everything up to here is in it.
    pub position: Position,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The sequence of the IPNS record: one more than the root before.
    pub sequence: u64,
}

/// `ipfs.pinned`: a DAG from elsewhere is kept as it came, and is public where `bucket`/`key` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpfsPinned {
    pub bucket: String,
    pub cid: Cid,
    /// The key, or the beginning of the keys, that its content is stored at.
    pub key: String,
    /// Some of its blocks did not come with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    pub via: Via,
}

/// `ipfs.unpinned`: the DAG need not be kept any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpfsUnpinned {
    pub bucket: String,
    pub cid: Cid,
    pub key: String,
    pub via: Via,
}
