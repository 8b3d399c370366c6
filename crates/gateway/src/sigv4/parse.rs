//! Reading what a request's signature says of itself.

use super::canonical::{ALGORITHM, pairs};
use super::{AuthError, Claim, Signable, UNSIGNED_PAYLOAD};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use stead_event::Timestamp;
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// The longest a presigned URL may be valid, in seconds: seven days.
const MAX_EXPIRES: u64 = 7 * 24 * 3600;

/// Reads the claim of a request: from its `authorization` header or its presigned query.
pub fn parse(request: &Signable<'_>) -> Result<Claim, AuthError> {
    let claim = match request.headers.get(http::header::AUTHORIZATION) {
        Some(value) => {
            let text = value
                .to_str()
                .map_err(|_| AuthError::Malformed("the header is not text"))?;
            from_header(request, text)?
        }
        None if pairs(request.query).any(|(name, _)| name == "X-Amz-Signature") => from_query(request)?,
        None => return Err(AuthError::Missing),
    };
    check_headers(request, &claim)?;
    Ok(claim)
}

fn from_header(request: &Signable<'_>, text: &str) -> Result<Claim, AuthError> {
    let rest = text
        .strip_prefix(ALGORITHM)
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or(AuthError::Malformed("only AWS4-HMAC-SHA256 is known"))?;
    let (mut credential, mut headers, mut signature) = (None, None, None);
    for field in rest.split(',') {
        match field.trim().split_once('=') {
            Some(("Credential", value)) => credential = Some(value),
            Some(("SignedHeaders", value)) => headers = Some(value),
            Some(("Signature", value)) => signature = Some(value),
            _ => return Err(AuthError::Malformed("an unknown field in the header")),
        }
    }
    let text = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let at = match (text("x-amz-date"), text("date")) {
        (Some(date), _) => basic(date)?,
        (None, Some(date)) => OffsetDateTime::parse(date, &Rfc2822)
            .map_err(|_| AuthError::Malformed("the date cannot be read"))?
            .into(),
        (None, None) => return Err(AuthError::Malformed("the date is missing")),
    };
    let payload = text("x-amz-content-sha256")
        .ok_or(AuthError::Malformed("x-amz-content-sha256 is missing"))?
        .to_owned();
    let credential = credential.ok_or(AuthError::Malformed("the credential is missing"))?;
    claim(credential, headers, signature, at, None, payload)
}

fn from_query(request: &Signable<'_>) -> Result<Claim, AuthError> {
    let field = |name: &str| {
        let found = pairs(request.query).find(|(found, _)| *found == name);
        found.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy())
    };
    let needed = |name: &str| field(name).ok_or(AuthError::Malformed("the presigned query is incomplete"));
    if needed("X-Amz-Algorithm")? != ALGORITHM {
        return Err(AuthError::Malformed("only AWS4-HMAC-SHA256 is known"));
    }
    let at = basic(&needed("X-Amz-Date")?)?;
    let expires: u64 = needed("X-Amz-Expires")?
        .parse()
        .map_err(|_| AuthError::Malformed("X-Amz-Expires is not a number of seconds"))?;
    if !(1..=MAX_EXPIRES).contains(&expires) {
        return Err(AuthError::Malformed(
            "X-Amz-Expires is not between a second and seven days",
        ));
    }
    let payload = request
        .headers
        .get("x-amz-content-sha256")
        .and_then(|value| value.to_str().ok());
    let payload = payload
        .map(Cow::Borrowed)
        .or_else(|| field("X-Amz-Content-Sha256"))
        .unwrap_or(Cow::Borrowed(UNSIGNED_PAYLOAD));
    let (headers, signature) = (field("X-Amz-SignedHeaders"), field("X-Amz-Signature"));
    let (headers, signature) = (headers.as_deref(), signature.as_deref());
    claim(
        &needed("X-Amz-Credential")?,
        headers,
        signature,
        at,
        Some(expires),
        payload.into_owned(),
    )
}

fn claim(
    credential: &str,
    headers: Option<&str>,
    signature: Option<&str>,
    at: Timestamp,
    expires_secs: Option<u64>,
    payload: String,
) -> Result<Claim, AuthError> {
    // From the right: an access key made elsewhere may hold slashes.
    let mut parts = credential.rsplitn(5, '/');
    let mut part = || {
        parts
            .next()
            .ok_or(AuthError::Malformed("the credential has not five parts"))
    };
    let (end, service, region, date, access_key) = (part()?, part()?, part()?, part()?, part()?);
    if end != "aws4_request" {
        return Err(AuthError::Malformed(
            "the credential does not end in aws4_request",
        ));
    }
    if !super::canonical::basic(at).starts_with(date) || date.len() != 8 {
        return Err(AuthError::Malformed("the credential's date is not the request's"));
    }
    let headers = headers.ok_or(AuthError::Malformed("the signed headers are missing"))?;
    let signature_text = signature.ok_or(AuthError::Malformed("the signature is missing"))?;
    let mut signature = [0; 32];
    hex::decode_to_slice(signature_text, &mut signature)
        .map_err(|_| AuthError::Malformed("the signature is not 64 hexadecimal digits"))?;
    Ok(Claim {
        access_key: access_key.to_owned(),
        date: date.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
        signed_headers: headers.split(';').map(str::to_ascii_lowercase).collect(),
        signature,
        at,
        expires_secs,
        payload,
    })
}

/// The host and every `x-amz-` header must be signed, or somebody on the way could change what the request
/// means.
fn check_headers(request: &Signable<'_>, claim: &Claim) -> Result<(), AuthError> {
    let signed = |name: &str| claim.signed_headers.iter().any(|signed| signed == name);
    if !signed("host") {
        return Err(AuthError::Malformed("the host header is not signed"));
    }
    if request
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("x-amz-") && !signed(name.as_str()))
    {
        return Err(AuthError::Malformed("an x-amz- header is not signed"));
    }
    Ok(())
}

fn basic(text: &str) -> Result<Timestamp, AuthError> {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    let at = PrimitiveDateTime::parse(text, &form)
        .map_err(|_| AuthError::Malformed("the date is not like 20130524T000000Z"))?;
    Ok(at.assume_utc().into())
}
