//! Identifiers: tenants, events, nodes, principals.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is not an identifier.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not a valid {what}")]
pub struct IdentError {
    what: &'static str,
    text: String,
}

fn invalid(what: &'static str, text: &str) -> IdentError {
    IdentError {
        what,
        text: text.chars().take(80).collect(),
    }
}

/// The unit of isolation: it has its own log, keys and quotas. Lower-case letters, digits and `-`,
/// 1 to 63 of them, beginning with a letter; it names a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tenant(String);

impl Tenant {
    /// The first tenant, where a single user's data lives.
    pub fn main() -> Self {
        Self("main".into())
    }

    /// The cluster's own tenant: sealed segments, nodes, keys.
    pub fn system() -> Self {
        Self("system".into())
    }

    /// The tenant's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tenant {
    type Err = IdentError;

    fn from_str(text: &str) -> Result<Self, IdentError> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let starts = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if starts && text.len() <= 63 && text.bytes().all(legal) {
            Ok(Self(text.into()))
        } else {
            Err(invalid("tenant name", text))
        }
    }
}

impl TryFrom<String> for Tenant {
    type Error = IdentError;

    fn try_from(text: String) -> Result<Self, IdentError> {
        text.parse()
    }
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 128 bits that name an event, laid out as UUIDv7 (RFC 9562 §5.7: milliseconds, then randomness), so
/// that identifiers sort by time. Written as 32 lower-case hexadecimal digits. The identifier of the
/// event that made an object version is that version's S3 version id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId([u8; 16]);

impl EventId {
    /// From a time in milliseconds since the epoch and ten random bytes.
    pub fn new(millis: u64, random: [u8; 10]) -> Self {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        id[6..].copy_from_slice(&random);
        id[6] = 0x70 | (id[6] & 0x0f);
        id[8] = 0x80 | (id[8] & 0x3f);
        Self(id)
    }

    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventId {
    type Err = IdentError;

    fn from_str(text: &str) -> Result<Self, IdentError> {
        let mut id = [0; 16];
        let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut id) {
            Ok(()) if lower => Ok(Self(id)),
            _ => Err(invalid("event id", text)),
        }
    }
}

impl TryFrom<String> for EventId {
    type Error = IdentError;

    fn try_from(text: String) -> Result<Self, IdentError> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

/// A node: the Ed25519 public key that is its identity, as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub String);

impl NodeId {
    /// From the public key's bytes.
    pub fn from_public_key(key: &[u8; 32]) -> Self {
        Self(hex::encode(key))
    }

    /// The public key's bytes, or `None` where the text is not one.
    pub fn public_key(&self) -> Option<[u8; 32]> {
        let mut key = [0; 32];
        hex::decode_to_slice(&self.0, &mut key).ok().map(|()| key)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user, service or node that acts: for a person the name its access key was made with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Principal(pub String);

impl Principal {
    /// The node itself, for what it does on its own account (sealing, collecting).
    pub fn node() -> Self {
        Self("node".into())
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
