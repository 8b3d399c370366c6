//! The settings that all nodes share, and those of the node that answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stead_event::{Position, Timestamp};

/// `GET /api/v1/config`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Config {
    /// Which document counts, counted from 1; 0 where settings were never shared.
    pub revision: u64,
    /// The shared document, TOML; empty where there is none.
    pub document: String,
    /// Every setting of the node that answers.
    pub settings: Vec<Setting>,
    /// Settings that this node runs with otherwise until it is started anew.
    pub waiting: Vec<String>,
}

/// Where a setting's value is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Nobody said anything else.
    Default,
    /// The document that all nodes share.
    Cluster,
    /// The node's own stead.toml, which wins.
    Node,
}

/// A setting.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// Its whole name, such as `gc.retention_days`.
    pub name: String,
    /// What it is to be. Logins and secrets are left out.
    pub value: Value,
    pub origin: Origin,
    /// Whether all nodes may share it; else it is each node's own.
    pub shared: bool,
    /// Whether a change counts at once; else after a restart.
    pub live: bool,
    /// What this node runs with until it is started anew, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Value>,
}

/// `GET /api/v1/config/history`, `GET /api/v1/config/revisions/{revision}`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConfigRevision {
    pub revision: u64,
    /// TOML.
    pub document: String,
    /// Why, in words for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    pub set_by: String,
    #[schemars(with = "String")]
    pub set_at: Timestamp,
    /// In the log of the tenant `system`.
    pub position: Position,
}

/// `PUT /api/v1/config`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetConfig {
    /// TOML.
    pub document: String,
    /// The revision that the change began from; refused where another one counts by now.
    pub revision: u64,
    #[serde(default)]
    pub message: String,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
}

/// What setting a document changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ConfigChanged {
    /// The revision that counts now; what it was where nothing changes, or only that was asked.
    pub revision: u64,
    pub changes: Vec<SettingChange>,
}

/// A setting that changes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SettingChange {
    pub name: String,
    pub from: Value,
    pub to: Value,
    /// Whether nodes have to be started anew for it.
    pub restart: bool,
}
