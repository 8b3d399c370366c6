//! What keeps a version from being deleted.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// How firmly a version is retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockMode {
    /// Whoever is allowed to bypass it may delete.
    Governance,
    /// Nobody may.
    Compliance,
}

/// A version that must not be deleted before a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    pub mode: LockMode,
    pub until: Timestamp,
}

impl Retention {
    /// Whether it forbids a deletion at `now`. A bypass passes over governance, nothing else.
    pub fn binds(self, now: Timestamp, bypass: bool) -> bool {
        self.until > now && !(bypass && self.mode == LockMode::Governance)
    }
}
