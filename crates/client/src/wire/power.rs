//! Power: what meters and UPSes of a node said last.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stead_event::Timestamp;

/// What is known of power; absent where no source is configured.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Power {
    /// When it was last asked.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// What all sources draw together, without parts of others; absent where none has said within a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watts: Option<f64>,
    /// Watt-hours of this month (UTC), as far as this node saw them.
    pub month_watt_hours: f64,
    pub readings: Vec<PowerReading>,
    pub ups: Vec<PowerUps>,
    /// Sources that did not answer, or said what cannot be.
    pub failed: Vec<PowerFailure>,
    /// `fine`, `near` (above nine tenths of what may be drawn for hours), `above`, or `over` (it will trip); absent
    /// without a breaker or a reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<String>,
    /// Where the UPS that feeds this node fails: in how many seconds this node stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stops_in_seconds: Option<u64>,
}

/// One device.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PowerReading {
    pub source: String,
    pub device: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watts: Option<f64>,
    /// Since a moment that only the device knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watt_hours: Option<f64>,
    /// Another device of the source that measures this too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<String>,
}

/// One UPS.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PowerUps {
    pub source: String,
    pub name: String,
    /// `mains`, `battery`, `battery_low`, `switches_off` or `unknown`.
    pub supply: String,
    /// Why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge_percent: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_percent: Option<f64>,
    /// Whether it feeds this node.
    pub feeds_this: bool,
}

/// A source that could not be read.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PowerFailure {
    pub source: String,
    pub why: String,
}
