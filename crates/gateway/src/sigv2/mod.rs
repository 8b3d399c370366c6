//! AWS Signature Version 2 in the query: presigned URLs; and of the policies of POST forms.
//!
//! After "Signing and authenticating REST requests" and its "Query string request authentication
//! alternative" (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html>).
//!
//! Why in the query: boto3 presigns with this version for `us-east-1` unless it is configured otherwise, and
//! such URLs stand in many programs. A presigned URL of Version 4 leaves the body unsigned as well, so little
//! is lost; what else this version leaves unsigned is let through only where it is harmless (see [`parse`]).
//! Listings are the exception to know: their prefix is not signed, so a presigned listing is one of the whole
//! bucket. Why not in the `Authorization` header: there Version 4 vouches for the body and every parameter,
//! this version for neither, and no client of today signs so unless it is told to.
//!
//! Promises: signatures are compared in constant time; no URL is good for longer than seven days; what a
//! URL's holder can add to it without breaking the signature changes neither the operation nor its target.
//! Never: looks into the body, or knows virtual-hosted buckets (the path begins with the bucket).

mod canonical;

use crate::sigv4::{MAX_SKEW, Signable};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use canonical::{is_signed, pairs, string_to_sign};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::time::Duration;
use stead_event::Timestamp;
use subtle::ConstantTimeEq;

pub use canonical::{header_name, pairs as query_pairs};

/// The furthest ahead that a presigned URL may expire, as with Signature Version 4.
pub const MAX_AHEAD: Duration = Duration::from_secs(7 * 24 * 3600);

const ACCESS_KEY: &str = "AWSAccessKeyId";
const SIGNATURE: &str = "Signature";
const EXPIRES: &str = "Expires";

/// Parameters that the version does not sign and that change neither operation nor target: its own three,
/// those that page and filter a listing, and what SDKs add for their own use. (`attributes` needs
/// `x-amz-object-attributes`, which is signed.)
const FREE: [&str; 22] = [
    ACCESS_KEY,
    SIGNATURE,
    EXPIRES,
    "attributes",
    "bucket-region",
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-buckets",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "prefix",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
    "x-id",
];

/// Why a presigned URL is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresignError {
    /// One of the three parameters is missing.
    #[error("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")]
    Incomplete,
    /// `Expires` is not a number.
    #[error("Invalid date (should be seconds since epoch): {0}")]
    NotATime(String),
    /// `Expires` is too far ahead.
    #[error("Expires must be at most a week (604800 seconds) ahead of the server's time")]
    TooFarAhead,
    /// The URL's time has passed.
    #[error("Request has expired")]
    Expired,
    /// A parameter stands there more than once, so that it is unclear which one was signed.
    #[error("The query parameter {0} stands in the presigned URL more than once")]
    Repeated(String),
    /// A parameter that the signature does not cover and that could change what is asked for.
    #[error("There were query parameters present in the request which were not signed: {0}")]
    Unsigned(String),
    /// The signature is not that of the request.
    #[error("the signature does not match the request")]
    Mismatch,
}

/// What a presigned URL says of itself; its time has been checked, its signature not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who claims to have signed.
    pub access_key: String,
    signature: [u8; 20],
    text: String,
}

/// Whether a query (as in the request line) carries this version's signature, or half of one.
pub fn is_presigned(query: &str) -> bool {
    pairs(query).any(|(name, _)| name == SIGNATURE || name == ACCESS_KEY)
}

/// Whether a query parameter is this version's own, or a header that it carries in the query.
pub fn is_own(name: &str) -> bool {
    matches!(name, ACCESS_KEY | SIGNATURE | EXPIRES) || header_name(name).is_some()
}

/// Reads the claim of a presigned URL, at the time `now`. Headers that the query carries (see
/// [`header_name`]) must be among the request's headers already.
///
/// # Errors
/// Everything but [`PresignError::Mismatch`] for a wrong secret: a URL that is incomplete, ambiguous, past
/// its time or too long of life, or that has a parameter outside the signature which is not known to be
/// harmless.
pub fn parse(request: &Signable<'_>, now: Timestamp) -> Result<Claim, PresignError> {
    let query: Vec<(String, String)> = pairs(request.query).collect();
    check_names(&query)?;
    let value = |name: &str| {
        let found = query
            .iter()
            .find(|(found, value)| found == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    };
    let (Some(access_key), Some(signature), Some(expires)) =
        (value(ACCESS_KEY), value(SIGNATURE), value(EXPIRES))
    else {
        return Err(PresignError::Incomplete);
    };
    check_time(expires, now)?;
    let signature = BASE64
        .decode(signature)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    Ok(Claim {
        access_key: access_key.to_owned(),
        signature: signature.ok_or(PresignError::Mismatch)?,
        text: string_to_sign(request, &query, expires).ok_or(PresignError::Mismatch)?,
    })
}

/// Checks a claim against a secret.
///
/// # Errors
/// [`PresignError::Mismatch`].
pub fn verify(claim: &Claim, secret: &str) -> Result<(), PresignError> {
    if bool::from(sign(secret, &claim.text).ct_eq(&claim.signature)) {
        Ok(())
    } else {
        Err(PresignError::Mismatch)
    }
}

/// Checks the signature (base64) of a text that was signed as it stands: the policy of a POST form.
///
/// # Errors
/// [`PresignError::Mismatch`].
pub fn verify_text(text: &str, signature: &str, secret: &str) -> Result<(), PresignError> {
    let given = BASE64.decode(signature).map_err(|_| PresignError::Mismatch)?;
    if bool::from(sign(secret, text).as_slice().ct_eq(&given)) {
        Ok(())
    } else {
        Err(PresignError::Mismatch)
    }
}

fn sign(secret: &str, text: &str) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn check_names(query: &[(String, String)]) -> Result<(), PresignError> {
    for (at, (name, _)) in query.iter().enumerate() {
        let header = header_name(name);
        let same = |(other, _): &(String, String)| {
            other == name || (header.is_some() && header_name(other) == header)
        };
        if query[..at].iter().any(same) {
            return Err(PresignError::Repeated(name.chars().take(100).collect()));
        }
        if header.is_none() && !is_signed(name) && !FREE.contains(&name.as_str()) {
            return Err(PresignError::Unsigned(name.chars().take(100).collect()));
        }
    }
    Ok(())
}

fn check_time(expires: &str, now: Timestamp) -> Result<(), PresignError> {
    if !expires.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PresignError::NotATime(expires.chars().take(100).collect()));
    }
    // What no i64 holds is too far ahead as well.
    let until = expires.parse().unwrap_or(i64::MAX);
    // A client that presigns for the full week may have a clock ahead of ours.
    let furthest = now.as_secs() + (MAX_AHEAD + MAX_SKEW).as_secs() as i64;
    match until {
        until if until > furthest => Err(PresignError::TooFarAhead),
        until if now > Timestamp::default().plus_secs(until) => Err(PresignError::Expired),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
