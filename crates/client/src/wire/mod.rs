//! What goes over the wire: the JSON of requests and answers.
//!
//! Owns: these types and nothing else; the OpenAPI document is made of them. A field that may be absent is
//! left out rather than `null`. Sizes are in bytes, moments RFC 3339 in UTC, positions those of the log.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

mod cluster;
mod config;
mod guides;
mod ipfs;
mod keys;
mod locks;
mod log;
mod node;
mod objects;
mod power;
mod problem;
mod series;
mod upkeep;

pub use cluster::*;
pub use config::*;
pub use guides::*;
pub use ipfs::*;
pub use keys::*;
pub use locks::*;
pub use log::*;
pub use node::*;
pub use objects::*;
pub use power::*;
pub use problem::*;
pub use series::*;
pub use upkeep::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `cursor` of the next page; absent on the last. Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How far long work is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    pub done: u64,
    /// Zero where it is not known.
    pub total: u64,
}

/// A line of the answer to long work (`application/x-ndjson`): progress, then the result or an error.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step<T> {
    Progress(Progress),
    Result(T),
    Error(Problem),
}
