//! The JSON of what is public to IPFS.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stead_event::{Position, Timestamp};

/// A bucket, or a prefix of one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IpfsPlace {
    pub bucket: String,
    /// Whole path segments; the whole bucket where empty.
    #[serde(default)]
    pub prefix: String,
}

/// Something public.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IpfsPublication {
    pub bucket: String,
    pub prefix: String,
    /// The IPNS name, which stays while the CID changes.
    pub ipns: String,
    /// The directory's root; absent while the first one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    pub sequence: u64,
    /// What the root is as of.
    pub position: Position,
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Entries of the root directory itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u64>,
    /// Bytes of all blocks below, counted once for each mention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Events of the log that were not looked at yet.
    pub behind: u64,
}

/// A DAG from elsewhere that is kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IpfsPin {
    pub bucket: String,
    pub key: String,
    pub cid: String,
    /// Some of its blocks did not come with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    #[schemars(with = "String")]
    pub at: Timestamp,
}

/// `GET /api/v1/ipfs`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Ipfs {
    pub published: Vec<IpfsPublication>,
    pub pins: Vec<IpfsPin>,
}

/// `POST /api/v1/ipfs/unpublish`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IpfsUnpublished {
    pub position: Position,
    /// Nothing of it is given any more; else it will be so shortly.
    pub done: bool,
}

/// `POST /api/v1/ipfs/pin`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IpfsFetch {
    pub cid: String,
    /// Trustless gateways, in the order in which they are asked: `http://HOST:PORT`.
    pub from: Vec<String>,
    pub bucket: String,
    /// A file's key, or what a directory's keys begin with.
    #[serde(default)]
    pub key: String,
}

/// `POST /api/v1/ipfs/unpin`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IpfsUnpin {
    pub bucket: String,
    pub key: String,
    pub cid: String,
}

/// What an import or a fetch did.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IpfsImported {
    pub roots: Vec<String>,
    /// Blocks that came.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were stored.
    pub objects: u64,
    pub position: Position,
}
