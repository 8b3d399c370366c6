//! Bodies of the settings that all nodes share.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use super::Via;
use serde::{Deserialize, Serialize};

/// `config.set`: the document of the settings that all nodes share is another one. It stands whole in the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigSet {
    /// TOML.
    pub document: String,
    /// Why, in words for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Which document this is, counted from 1.
    pub revision: u64,
    pub via: Via,
}
