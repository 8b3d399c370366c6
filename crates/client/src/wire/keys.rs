//! Access keys and tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stead_event::Timestamp;
use stead_event::body::Scope;

/// How [`Scope`] is written.
#[derive(JsonSchema)]
#[allow(dead_code)] // only its schema is used
struct KeyScope {
    /// Reading only.
    #[serde(default)]
    read_only: bool,
    /// Only these buckets; all of them where empty.
    #[serde(default)]
    buckets: Vec<String>,
}

/// An access key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    pub access_key: String,
    pub name: String,
    /// The canonical id: 64 hexadecimal digits.
    pub id: String,
    #[schemars(with = "KeyScope")]
    pub scope: Scope,
    #[schemars(with = "String")]
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub revoked: Option<Timestamp>,
}

/// `POST /api/v1/keys`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CreateKey {
    pub name: String,
    #[serde(default)]
    #[schemars(with = "KeyScope")]
    pub scope: Scope,
}

/// A new access key. This is the only time that its secret is told.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct NewKey {
    pub access_key: String,
    pub secret_key: String,
    pub id: String,
}

/// `POST /api/v1/console/link`
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConsoleLink {
    /// Signs one browser in, once.
    pub url: String,
    #[schemars(with = "String")]
    pub expires: Timestamp,
}

/// `POST /api/v1/tokens`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct CreateToken {
    /// How long it works, in seconds: at most twelve hours, a quarter of an hour where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u64>,
    /// What it may do; never more than its maker.
    #[serde(default)]
    #[schemars(with = "KeyScope")]
    pub scope: Scope,
}

/// A token: for `Authorization: Bearer`, or (with GET and HEAD) for `?token=`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct NewToken {
    pub token: String,
    #[schemars(with = "String")]
    pub expires: Timestamp,
}
