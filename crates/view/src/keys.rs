//! Access keys: who may sign requests.

use crate::ViewError;
use stead_event::body::Scope;
use stead_event::{Position, Timestamp};

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The public half.
    pub access_key: String,
    /// The user's name.
    pub name: String,
    /// The user's canonical id: 64 hexadecimal digits.
    pub canonical_id: String,
    /// What it may do.
    pub scope: Scope,
    /// The secret half, encrypted with the node's storage key, base64.
    pub sealed_secret: String,
    /// Where in the log, and when, it was made.
    pub created: (Position, Timestamp),
    /// Where in the log, and when, it was revoked.
    pub revoked: Option<(Position, Timestamp)>,
}

/// The access keys at one moment.
pub struct Keys {
    _snapshot: (),
}

impl Keys {
    /// A key, also one that was revoked.
    pub fn key(&self, access_key: &str) -> Result<Option<KeyRecord>, ViewError> {
        let _ = access_key;
        todo!()
    }
    /// Every key ever made, by access key.
    pub fn keys(&self) -> Result<Vec<KeyRecord>, ViewError> {
        todo!()
    }
}
