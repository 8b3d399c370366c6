//! Presigned URLs of Signature Version 2, which boto3 makes where nothing else is configured: verified here,
//! before `s3s` (which verifies them again) sees them.
//!
//! [`stead_gateway::sigv2`] says why these are accepted and the version's header is not.

use crate::auth::Keys;
use crate::errors::custom;
use crate::target::Target;
use http::header::{CONTENT_ENCODING, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use s3s::{S3Error, S3Result, s3_error};
use std::borrow::Cow;
use stead_event::Timestamp;
use stead_gateway::sigv2::{self, PresignError};
use stead_gateway::sigv4::{Signable, UNSIGNED_PAYLOAD};

/// Puts the headers that such a URL carries in its query where headers are looked for. As with Amazon, they
/// stand in for those that the client sends: it is the URL's that are signed.
///
/// # Errors
/// `InvalidArgument`, where a value cannot be that of a header.
pub fn unfold(head: &mut Parts) -> S3Result<()> {
    let Some(query) = head.uri.query().filter(|query| sigv2::is_presigned(query)) else {
        return Ok(());
    };
    for (name, value) in sigv2::query_pairs(query) {
        let Some(header) = sigv2::header_name(&name) else {
            continue;
        };
        let name = HeaderName::try_from(header);
        let value = HeaderValue::from_bytes(value.trim().as_bytes());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(s3_error!(
                InvalidArgument,
                "A header in the presigned URL's query cannot be one."
            ));
        };
        head.headers.insert(name, value);
    }
    Ok(())
}

/// Verifies a request that is presigned so, at the time `now`; lets every other one pass.
///
/// Of a bucket, `/bucket` may have been signed as `/bucket/`, as boto3 does (Amazon accepts both). It is then
/// made the request's path, which means the same, so that `s3s` comes to the same verdict.
///
/// # Errors
/// Those that Amazon documents for query string authentication: `AccessDenied` (also where the URL has
/// expired), `InvalidAccessKeyId`, `SignatureDoesNotMatch`; `AuthorizationQueryParametersError` for one that
/// is valid for more than a week.
///
/// Where the host says the bucket, the path that was signed begins with it all the same.
pub fn verify(
    head: &mut Parts,
    host: Option<&str>,
    target: &Target,
    keys: &Keys,
    now: Timestamp,
) -> S3Result<()> {
    let Some(query) = head.uri.query().filter(|query| sigv2::is_presigned(query)) else {
        return Ok(());
    };
    plain_body(&head.headers)?;
    let signed = match host {
        Some(bucket) => Cow::from(format!("/{bucket}{}", head.uri.path())),
        None => Cow::from(head.uri.path()),
    };
    let as_sent = judge(head, &signed, query, keys, now)?;
    let Err(refused) = as_sent else { return Ok(()) };
    if !matches!(target, Target::Bucket(_)) || head.uri.path().ends_with('/') {
        return Err(refusal(refused));
    }
    let path = format!("{}/", head.uri.path());
    judge(head, &path, query, keys, now)?.map_err(refusal)?;
    let uri = format!("{path}?{query}");
    head.uri = uri.parse().map_err(|_| s3_error!(InvalidURI))?;
    Ok(())
}

/// The signature's verdict, once everything else about the claim holds.
fn judge(
    head: &Parts,
    path: &str,
    query: &str,
    keys: &Keys,
    now: Timestamp,
) -> S3Result<Result<(), PresignError>> {
    let request = Signable {
        method: &head.method,
        path,
        query,
        headers: &head.headers,
    };
    let claim = sigv2::parse(&request, now).map_err(refusal)?;
    let identity = keys.find(&claim.access_key)?;
    Ok(sigv2::verify(&claim, identity.secret()))
}

/// Nobody would take the chunks apart, or compare the hash: both belong to Version 4.
fn plain_body(headers: &HeaderMap) -> S3Result<()> {
    let hashed = headers
        .get("x-amz-content-sha256")
        .is_some_and(|hash| hash.as_bytes() != UNSIGNED_PAYLOAD.as_bytes());
    let chunked = ["x-amz-decoded-content-length", "x-amz-trailer"]
        .iter()
        .any(|name| headers.contains_key(*name))
        || headers.get_all(CONTENT_ENCODING).iter().any(|coding| {
            coding
                .as_bytes()
                .to_ascii_lowercase()
                .split(|byte| *byte == b',')
                .any(|coding| coding.trim_ascii() == b"aws-chunked")
        });
    if hashed || chunked {
        return Err(s3_error!(
            InvalidRequest,
            "Signed payloads and aws-chunked bodies need a presigned URL of Signature Version 4."
        ));
    }
    Ok(())
}

fn refusal(error: PresignError) -> S3Error {
    let text = error.to_string();
    match error {
        PresignError::Mismatch => s3_error!(SignatureDoesNotMatch),
        PresignError::TooFarAhead => {
            S3Error::with_message(s3s::S3ErrorCode::AuthorizationQueryParametersError, text)
        }
        PresignError::Repeated(_) => custom("InvalidArgument", StatusCode::BAD_REQUEST, text),
        PresignError::Incomplete
        | PresignError::NotATime(_)
        | PresignError::Expired
        | PresignError::Unsigned(_) => S3Error::with_message(s3s::S3ErrorCode::AccessDenied, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn headers_in_the_query_stand_in_for_the_clients() {
        let sent = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-amz-meta-b", "1"),
        ];
        let mut seen = head(
            "/b/k?Signature=x&Content-Type=a%2Fb&x-amz-meta-a=c+d&prefix=p",
            &sent,
        );
        unfold(&mut seen).unwrap();
        assert_eq!(seen.headers["content-type"], "a/b");
        assert_eq!(seen.headers["x-amz-meta-a"], "c d");
        assert_eq!(seen.headers.len(), 3);
        let mut other = head("/b/k?content-type=a%2Fb&x-amz-meta-a=1", &sent);
        unfold(&mut other).unwrap();
        assert_eq!(other.headers.len(), 2, "only where such a signature is");
        let mut broken = head("/b/k?Signature=x&x-amz-meta-a=b%0Ac", &[]);
        assert!(unfold(&mut broken).is_err());
        let mut broken = head("/b/k?Signature=x&x-amz-meta%20a=1", &[]);
        assert!(unfold(&mut broken).is_err());
    }

    #[test]
    fn bodies_are_plain() {
        let plain = |headers: &[(&str, &str)]| plain_body(&head("/", headers).headers).is_ok();
        assert!(plain(&[
            ("content-encoding", "gzip"),
            ("x-amz-content-sha256", UNSIGNED_PAYLOAD)
        ]));
        assert!(!plain(&[("content-encoding", "gzip, AWS-chunked")]));
        assert!(!plain(&[("x-amz-trailer", "x-amz-checksum-crc32")]));
        assert!(!plain(&[(
            "x-amz-content-sha256",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        )]));
    }

    #[test]
    fn refusals_have_the_documented_names() {
        let named = |error| {
            let error = refusal(error);
            (
                error.code().as_str().to_owned(),
                error.message().unwrap_or_default().to_owned(),
            )
        };
        assert_eq!(
            named(PresignError::Expired),
            ("AccessDenied".into(), "Request has expired".into())
        );
        assert_eq!(named(PresignError::Mismatch).0, "SignatureDoesNotMatch");
        assert_eq!(
            named(PresignError::TooFarAhead).0,
            "AuthorizationQueryParametersError"
        );
        assert_eq!(named(PresignError::Repeated("a".into())).0, "InvalidArgument");
    }
}
