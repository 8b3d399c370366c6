//! URLs that work for a while without a key: S3's own, signed with the caller's secret.

use crate::auth::Until;
use crate::gateway::Shared;
use crate::permit::May;
use crate::tokens::keyed;
use crate::{ApiError, body, wire};
use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use stead_gateway::access::Action;
use stead_gateway::sigv4::Signer;
use stead_gateway::{Caller, codes};

/// S3's region, as this node's gateway takes it.
const REGION: &str = "us-east-1";
/// Where nobody says how long, in seconds.
const USUAL: u64 = 3600;
/// The longest, in seconds.
const LONGEST: u64 = 7 * 24 * 3600;
/// All but what RFC 3986 §2.3 leaves alone.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// The same, for keys: a slash stays one.
const KEY: &AsciiSet = &SEGMENT.remove(b'/');

/// `POST /api/v1/presign`
pub(crate) async fn presign(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    until: Option<Extension<Until>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::Presigned>, ApiError> {
    let wanted: wire::Presign = body::json(&headers, body).await?;
    let method = method(wanted.method.as_deref())?;
    let reads = matches!(method, Method::GET | Method::HEAD);
    if wanted.key.is_empty() {
        // Such a URL would be about the bucket itself.
        return Err(ApiError::invalid(
            "name the key of the object that the URL is for",
        ));
    }
    let action = match method {
        Method::PUT => Action::PutObject,
        Method::DELETE => Action::DeleteObject,
        _ => Action::GetObject,
    };
    may.object(action, &wanted.bucket, &wanted.key, wanted.version.as_deref())?;
    let mut seconds = wanted.expires_s.unwrap_or(USUAL);
    if !(1..=LONGEST).contains(&seconds) {
        return Err(ApiError::invalid(
            "a presigned URL lasts from a second to seven days",
        ));
    }
    let now = shared.context().now();
    if let Some(Extension(Until(until))) = until.filter(|_| !reads) {
        // What a token may change, it may not hand on for longer than itself.
        let left = (until.as_micros() - now.as_micros()) / 1_000_000;
        seconds = seconds.min(u64::try_from(left).unwrap_or(0).max(1));
    }
    let endpoint = match &wanted.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => shared
            .operations
            .facts()
            .endpoints
            .get("s3")
            .cloned()
            .ok_or_else(|| {
                ApiError::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    codes::NOT_RUNNING,
                    "no S3 endpoint is listening",
                )
            })?,
    };
    let endpoint = endpoint.trim_end_matches('/');
    let host = host(endpoint)?;
    let path = format!(
        "/{}/{}",
        utf8_percent_encode(&wanted.bucket, SEGMENT),
        utf8_percent_encode(&wanted.key, KEY)
    );
    let query = match &wanted.version {
        Some(version) => format!("versionId={}", utf8_percent_encode(version, SEGMENT)),
        None => String::new(),
    };
    let key = keyed(&shared, &caller)?;
    let signer = Signer::new(&key.access_key, key.secret(), REGION);
    let query = signer.presign(&method, &path, &query, host, seconds, now);
    Ok(Json(wire::Presigned {
        url: format!("{endpoint}{path}?{query}"),
        expires: now.plus_secs(seconds as i64),
    }))
}

fn method(name: Option<&str>) -> Result<Method, ApiError> {
    match name.unwrap_or("GET") {
        "GET" => Ok(Method::GET),
        "HEAD" => Ok(Method::HEAD),
        "PUT" => Ok(Method::PUT),
        "DELETE" => Ok(Method::DELETE),
        other => Err(ApiError::invalid(format!(
            "{other:?} cannot be presigned: GET, HEAD, PUT or DELETE"
        ))),
    }
}

/// `HOST[:PORT]` of an endpoint.
fn host(endpoint: &str) -> Result<&str, ApiError> {
    let rest = endpoint
        .strip_prefix("http://")
        .or_else(|| endpoint.strip_prefix("https://"));
    rest.filter(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']))
        .ok_or_else(|| ApiError::invalid(format!("{endpoint:?} is not http://HOST:PORT")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_and_methods_are_checked() {
        assert_eq!(host("http://127.0.0.1:7300").unwrap(), "127.0.0.1:7300");
        for bad in ["ftp://x", "http://", "http://x/y", "http://u@x", "x:1"] {
            assert!(host(bad).is_err(), "{bad}");
        }
        assert_eq!(method(None).unwrap(), Method::GET);
        assert!(method(Some("POST")).is_err());
    }
}
