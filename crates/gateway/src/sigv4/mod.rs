//! AWS Signature Version 4: parse, verify and sign, for every gateway, the command line and the bench.
//!
//! Promises: signatures are compared in constant time; a claim is checked whole (time, host, every
//! `x-amz-` header) before it counts. Never: looks into the body; a signed payload hash is the caller's to
//! compare.

mod canonical;
mod keys;
mod parse;
mod sign;
mod verify;

pub use keys::SigningKeys;
pub use parse::parse;
pub use sign::Signer;
pub use verify::{verify, verify_text};

use crate::{Code, codes};
use http::{HeaderMap, Method};
use std::time::Duration;
use stead_event::Timestamp;

/// How far a client's clock may be from ours.
pub const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// `x-amz-content-sha256` of a request whose body is not signed.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Why a request is not authentic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No signature at all.
    #[error("the request is not signed")]
    Missing,
    /// The signature's header or query cannot be read.
    #[error("the signature is malformed: {0}")]
    Malformed(&'static str),
    /// The client's clock is too far off.
    #[error("the request's time {at} is too far from this node's {now}: set the clocks")]
    Skewed {
        /// The request's time.
        at: Timestamp,
        /// Ours.
        now: Timestamp,
    },
    /// The presigned URL's time has passed.
    #[error("the presigned URL expired at {0}")]
    Expired(Timestamp),
    /// The access key is unknown or revoked.
    #[error("the access key {0} does not exist or was revoked")]
    UnknownKey(String),
    /// The signature is not that of the request.
    #[error(
        "the signature does not match: check the secret key, and that nothing on the way changes the request"
    )]
    Mismatch,
}

impl AuthError {
    /// Its stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Missing => codes::UNSIGNED,
            Self::Malformed(_) => codes::SIGNATURE_FORM,
            Self::Skewed { .. } => codes::CLOCK_SKEW,
            Self::Expired(_) => codes::EXPIRED,
            Self::UnknownKey(_) => codes::UNKNOWN_KEY,
            Self::Mismatch => codes::SIGNATURE,
        }
    }
}

/// The parts of a request that are signed. `path` and `query` are as sent (percent-encoded).
#[derive(Clone, Copy, Debug)]
pub struct Signable<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path, percent-encoded as in the request line.
    pub path: &'a str,
    /// The query without `?`, as in the request line.
    pub query: &'a str,
    /// The headers; `host` must be among them.
    pub headers: &'a HeaderMap,
}

/// What a signature says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who claims to have signed.
    pub access_key: String,
    /// `YYYYMMDD`.
    pub date: String,
    /// The region.
    pub region: String,
    /// `s3`.
    pub service: String,
    /// The signed headers' names, lower case, in order.
    pub signed_headers: Vec<String>,
    /// The signature.
    pub signature: [u8; 32],
    /// The request's time.
    pub at: Timestamp,
    /// For a presigned URL: how many seconds it is valid.
    pub expires_secs: Option<u64>,
    /// `x-amz-content-sha256` as claimed.
    pub payload: String,
}

#[cfg(test)]
mod tests;
