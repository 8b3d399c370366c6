//! Errors, as every endpoint answers them (RFC 9457).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The content type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error (`application/problem+json`).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Where the page of the code is: `/api/v1/explain/STEAD-nnnn`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What failed, and why.
    pub detail: String,
    /// `STEAD-nnnn`.
    pub code: String,
    /// What to do next; may be empty.
    #[serde(default)]
    pub next: String,
}

/// `GET /api/v1/explain/{code}`: what there is to say about a code.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    pub code: String,
    pub title: String,
    pub meaning: String,
    pub next: String,
}
