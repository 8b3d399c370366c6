//! Figures over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/series`: what the node has measured of itself since it started, at most a day back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SeriesSet {
    /// Seconds between two points.
    pub step_s: u64,
    pub series: Vec<Series>,
}

/// One figure over time.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    pub name: String,
    /// `1/s`, `B/s`, `ms`, `B` or empty for a plain number.
    pub unit: String,
    /// What the figure is, and where it comes from.
    pub what: String,
    /// Seconds since 1970 and the value, oldest first; a step without a value has no point.
    pub points: Vec<(i64, f64)>,
}

/// What moves now, averaged over the last seconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rates {
    pub requests_per_s: f64,
    pub bytes_in_per_s: f64,
    pub bytes_out_per_s: f64,
    /// Answers with a status of 500 or above.
    pub errors_per_s: f64,
}
