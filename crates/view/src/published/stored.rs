//! What the projection's rows hold.

use super::{Pinned, Publication, Root};
use serde::{Deserialize, Serialize};
use stead_event::{Cid, Position, Timestamp};

#[derive(Serialize, Deserialize)]
pub(super) struct StoredPublication {
    #[serde(rename = "i")]
    pub(super) id: Position,
    #[serde(rename = "a")]
    pub(super) active: bool,
    #[serde(rename = "n")]
    pub(super) ipns: String,
    #[serde(rename = "x")]
    pub(super) sealed_seed: String,
    #[serde(rename = "t")]
    pub(super) at: i64,
    #[serde(rename = "s")]
    pub(super) sequence: u64,
    /// CID, what it is as of, when it was said.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub(super) root: Option<(Cid, Position, i64)>,
}

first_version!(StoredPublication, "publication");

impl StoredPublication {
    pub(super) fn record(self, bucket: &str, prefix: &str) -> Publication {
        let root = self.root.map(|(cid, position, at)| Root {
            cid,
            position,
            at: Timestamp::from_micros(at),
        });
        Publication {
            id: self.id,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            active: self.active,
            ipns: self.ipns,
            sealed_seed: self.sealed_seed,
            at: Timestamp::from_micros(self.at),
            sequence: self.sequence,
            root,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredPin {
    #[serde(rename = "b")]
    pub(super) bucket: String,
    #[serde(rename = "k")]
    pub(super) key: String,
    #[serde(rename = "c")]
    pub(super) cid: Cid,
    #[serde(rename = "p")]
    pub(super) partial: bool,
    #[serde(rename = "t")]
    pub(super) at: i64,
}

first_version!(StoredPin, "pin");

impl StoredPin {
    pub(super) fn record(self) -> Pinned {
        Pinned {
            bucket: self.bucket,
            key: self.key,
            cid: self.cid,
            partial: self.partial,
            at: Timestamp::from_micros(self.at),
        }
    }
}
