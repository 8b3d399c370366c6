//! AWS Signature Version 4: parse, verify and sign, for every gateway, the command line and the bench.

use crate::Code;
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
        todo!()
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

/// Reads the claim of a request: from its `authorization` header or its presigned query.
pub fn parse(request: &Signable<'_>) -> Result<Claim, AuthError> {
    let _ = request;
    todo!()
}

/// Checks a claim against a secret, and against `now`. Signing keys are cached in `keys`.
pub fn verify(
    request: &Signable<'_>,
    claim: &Claim,
    secret: &str,
    now: Timestamp,
    keys: &SigningKeys,
) -> Result<(), AuthError> {
    let _ = (request, claim, secret, now, keys);
    todo!()
}

/// A bounded cache of signing keys by (access key, date, region, service).
#[derive(Debug, Default)]
pub struct SigningKeys {}

/// Signs requests for one access key.
#[derive(Debug)]
pub struct Signer {}

impl Signer {
    /// For an access key and its secret, in `region`, for `s3`.
    pub fn new(access_key: &str, secret: &str, region: &str) -> Self {
        let _ = (access_key, secret, region);
        todo!()
    }

    /// Adds `x-amz-date`, `x-amz-content-sha256` and `authorization` to `headers` (which must have
    /// `host`). `payload` is the body's SHA-256 in hexadecimal, or [`UNSIGNED_PAYLOAD`].
    pub fn sign(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &mut HeaderMap,
        payload: &str,
        now: Timestamp,
    ) -> Result<(), http::header::InvalidHeaderValue> {
        let _ = (method, path, query, headers, payload, now);
        todo!()
    }

    /// The query (without `?`) of a presigned URL for `host`, valid for `expires_secs`.
    pub fn presign(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        host: &str,
        expires_secs: u64,
        now: Timestamp,
    ) -> String {
        let _ = (method, path, query, host, expires_secs, now);
        todo!()
    }
}
