//! Bodies of buckets.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use super::Via;
use serde::{Deserialize, Serialize};

/// `bucket.created`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketCreated {
    pub bucket: String,
    /// The owner's canonical id; the node's administrator where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    pub via: Via,
}

/// `bucket.deleted`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketDeleted {
    pub bucket: String,
    pub via: Via,
}

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Versioning {
    /// Never enabled: an overwrite replaces.
    #[default]
    Off,
    /// Each write makes a version.
    Enabled,
    /// Versions made before stay; new writes are the `null` version.
    Suspended,
}

/// `bucket.versioned`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketVersioned {
    pub bucket: String,
    pub state: Versioning,
    pub via: Via,
}

/// `bucket.configured`: one named configuration document of a bucket (tags, CORS, …), or its removal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketConfigured {
    pub bucket: String,
    /// The document's name: `tagging`, `cors`, `lifecycle`, …
    pub name: String,
    /// The document, or `None` where it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    pub via: Via,
}
