//! When a request was signed that carries its signature (Version 4) in the `Authorization` header.
//!
//! `s3s` knows `x-amz-date` only, and says of a wrong time what Amazon does not. Here `Date` stands in for it,
//! as Amazon documents, and a time that cannot be read or is too far off is refused by its own name, before
//! the signature is computed.

use crate::dates;
use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE, HeaderName, HeaderValue};
use s3s::{S3Result, s3_error};
use stead_event::Timestamp;
use stead_gateway::sigv4::MAX_SKEW;

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// An empty `Authorization` says nothing: the request is nobody's.
pub fn forget_empty(headers: &mut HeaderMap) {
    let mut values = headers.get_all(AUTHORIZATION).iter().peekable();
    if values.peek().is_some() && values.all(|value| value.as_bytes().trim_ascii().is_empty()) {
        headers.remove(AUTHORIZATION);
    }
}

/// Checks the time of signing against `now`, and makes `x-amz-date` of `Date` where only that was sent.
/// Requests that are not signed so pass.
///
/// # Errors
/// `AccessDenied` where there is no time that can be read, `RequestTimeTooSkewed` where it is more than
/// fifteen minutes off.
pub fn settle(headers: &mut HeaderMap, now: Timestamp) -> S3Result<()> {
    let version_4 = |value: &HeaderValue| value.as_bytes().starts_with(b"AWS4-");
    if !headers.get(AUTHORIZATION).is_some_and(version_4) {
        return Ok(());
    }
    let at = signed_at(headers).ok_or_else(|| {
        s3_error!(
            AccessDenied,
            "AWS authentication requires a valid Date or x-amz-date header"
        )
    })?;
    if (now.as_secs() - at.as_secs()).unsigned_abs() > MAX_SKEW.as_secs() {
        return Err(s3_error!(RequestTimeTooSkewed));
    }
    if !headers.contains_key(X_AMZ_DATE) {
        let value = HeaderValue::try_from(dates::to_basic(at));
        headers.insert(X_AMZ_DATE, value.map_err(|_| s3_error!(AccessDenied))?);
    }
    Ok(())
}

fn signed_at(headers: &HeaderMap) -> Option<Timestamp> {
    if let Some(value) = headers.get(X_AMZ_DATE) {
        return dates::basic(value.to_str().ok()?);
    }
    let text = headers.get(DATE)?.to_str().ok()?.trim();
    // As mail writes it, and so botocore.
    let gmt = ["-0000", "+0000"].iter().find_map(|zone| text.strip_suffix(zone));
    let http = gmt.map_or_else(|| text.to_owned(), |start| format!("{start}GMT"));
    let from_http = || dates::parse_http(&http).map(|secs| Timestamp::default().plus_secs(secs));
    dates::basic(text).or_else(from_http)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(pairs: &[(&'static str, &'static str)]) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        forget_empty(&mut headers);
        let now = dates::basic("20260101T000000Z").unwrap();
        settle(&mut headers, now).map_err(|error| error.code().as_str().to_owned())?;
        let date = headers.get(X_AMZ_DATE).map(|value| value.to_str().unwrap());
        Ok(date.unwrap_or_default().to_owned())
    }

    #[test]
    fn the_time_of_signing() {
        let signed = ("authorization", "AWS4-HMAC-SHA256 x");
        let at = |name, value| settled(&[signed, (name, value)]);
        assert_eq!(at("x-amz-date", "20260101T001000Z").unwrap(), "20260101T001000Z");
        assert_eq!(
            at("date", "Thu, 01 Jan 2026 00:05:00 GMT").unwrap(),
            "20260101T000500Z"
        );
        assert_eq!(at("date", "20260101T000500Z").unwrap(), "20260101T000500Z");
        let mail = at("date", "Thu, 01 Jan 2026 00:05:00 -0000");
        assert_eq!(mail.unwrap(), "20260101T000500Z");
        for wrong in ["", "Bad Date", "Thu, 01 Jan 2026 00:05:00 GMT"] {
            assert_eq!(at("x-amz-date", wrong).unwrap_err(), "AccessDenied");
        }
        for far in ["20260101T002000Z", "19500101T000000Z", "99990101T000000Z"] {
            assert_eq!(at("x-amz-date", far).unwrap_err(), "RequestTimeTooSkewed");
        }
        assert_eq!(settled(&[signed]).unwrap_err(), "AccessDenied");
        assert_eq!(settled(&[("x-amz-date", "x")]).unwrap(), "x", "nobody signed");
        assert_eq!(settled(&[("authorization", "")]).unwrap(), "");
    }
}
