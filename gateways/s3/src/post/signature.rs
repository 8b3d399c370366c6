//! Who signed a form: its policy, under Signature Version 4 or 2.

use super::form::Form;
use crate::auth::Keys;
use s3s::{S3Error, S3Result, s3_error};
use std::sync::Arc;
use stead_event::Timestamp;
use stead_gateway::Identity;
use stead_gateway::sigv4::{Claim, SigningKeys};
use stead_gateway::{sigv2, sigv4};

/// The identity whose secret signed the form's policy; `None` where the form has neither.
///
/// # Errors
/// `InvalidArgument` where a field is missing or cannot be read, `InvalidAccessKeyId`,
/// `SignatureDoesNotMatch`, `InvalidToken`.
pub fn signer(form: &Form, keys: &Keys) -> S3Result<Option<Arc<Identity>>> {
    let has = |name: &str| form.value(name).is_some();
    if has("x-amz-security-token") {
        // There are no temporary credentials here that it could belong to.
        return Err(s3_error!(InvalidToken));
    }
    let version_4 = ["x-amz-signature", "x-amz-algorithm", "x-amz-credential"]
        .into_iter()
        .any(has);
    if version_4 {
        return version_4_signer(form, keys).map(Some);
    }
    if !["policy", "signature", "awsaccesskeyid"].into_iter().any(has) {
        return Ok(None);
    }
    let access_key = needed(form, "awsaccesskeyid", "AWSAccessKeyId")?;
    let signature = needed(form, "signature", "signature")?;
    let policy = needed(form, "policy", "policy")?;
    let identity = keys.find(access_key)?;
    sigv2::verify_text(policy, signature, identity.secret()).map_err(|_| s3_error!(SignatureDoesNotMatch))?;
    Ok(Some(identity))
}

fn needed<'a>(form: &'a Form, name: &str, shown: &str) -> S3Result<&'a str> {
    form.value(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| missing(shown))
}

/// A field that the form must have.
pub fn missing(name: &str) -> S3Error {
    s3_error!(
        InvalidArgument,
        "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )
}

fn version_4_signer(form: &Form, keys: &Keys) -> S3Result<Arc<Identity>> {
    let policy = needed(form, "policy", "policy")?;
    if needed(form, "x-amz-algorithm", "X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
        return Err(s3_error!(
            InvalidArgument,
            "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""
        ));
    }
    let credential = needed(form, "x-amz-credential", "X-Amz-Credential")?;
    let date = needed(form, "x-amz-date", "X-Amz-Date")?;
    let signature = needed(form, "x-amz-signature", "X-Amz-Signature")?;
    let claim = claim(credential, date, signature).ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "Error parsing the X-Amz-Credential or X-Amz-Date parameter; expecting \
             \"<YOUR-AKID>/YYYYMMDD/REGION/s3/aws4_request\" and that date as YYYYMMDD'T'HHMMSS'Z'"
        )
    })?;
    let identity = keys.find(&claim.access_key)?;
    sigv4::verify_text(&claim, policy, identity.secret(), &SigningKeys::new())
        .map_err(|_| s3_error!(SignatureDoesNotMatch))?;
    Ok(identity)
}

fn claim(credential: &str, date: &str, signature: &str) -> Option<Claim> {
    let mut parts = credential.rsplitn(5, '/');
    let [end, service, region, day, access_key] = std::array::from_fn(|_| parts.next());
    let (region, day, access_key) = (region?, day?, access_key?);
    let is_time = date.len() == 16 && date.ends_with('Z') && date.as_bytes()[8] == b'T';
    let is_scope = end? == "aws4_request" && service? == "s3" && day.len() == 8;
    if !is_time || !is_scope || !date.starts_with(day) || access_key.is_empty() {
        return None;
    }
    // A signature that is none cannot match; it is not malformed to whoever asks.
    let mut bytes = [0; 32];
    let _ = hex::decode_to_slice(signature, &mut bytes);
    Some(Claim {
        access_key: access_key.to_owned(),
        date: day.to_owned(),
        region: region.to_owned(),
        service: "s3".into(),
        signed_headers: Vec::new(),
        signature: bytes,
        at: Timestamp::default(),
        expires_secs: None,
        payload: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_from_the_right() {
        let scope = "A/K/20260101/eu-west-1/s3/aws4_request";
        let found = claim(scope, "20260101T000000Z", &"0a".repeat(32)).unwrap();
        assert_eq!(
            (found.access_key.as_str(), found.region.as_str()),
            ("A/K", "eu-west-1")
        );
        assert!(claim(scope, "20260102T000000Z", "").is_none());
        assert!(claim("AK/20260101/s3/aws4_request", "20260101T000000Z", "").is_none());
        assert!(claim("", "", "").is_none());
    }
}
