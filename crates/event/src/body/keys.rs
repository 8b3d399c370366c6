//! Bodies of access keys.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use super::Via;
use serde::{Deserialize, Serialize};

/// What an access key may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Reading only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Only these buckets; all of them where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<String>,
}

/// `key.created`: an access key. The secret is sealed (encrypted with the node's storage key) and base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCreated {
    pub access_key: String,
    /// The user's canonical id: 64 hexadecimal digits.
    pub canonical_id: String,
    /// The user's name.
    pub name: String,
    #[serde(default)]
    pub scope: Scope,
    pub sealed_secret: String,
    pub via: Via,
}

/// `key.revoked`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRevoked {
    pub access_key: String,
    pub via: Via,
}
