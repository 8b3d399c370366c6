//! Headers: what a request's headers say of an object, and an object's headers in an answer.
//!
//! The one place for them, so that no two operations can differ.

use crate::errors::{self, X_AMZ_VERSION_ID, insert};
use crate::{dates, rfc2047, tags};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, header};
use s3s::{S3Error, S3Result, s3_error};
use stead_event::TextMap;
use stead_event::body::Checksum;
use stead_event::{Cid, Position};
use stead_view::ObjectRecord;

/// The object's CID.
pub const X_STEAD_CID: HeaderName = HeaderName::from_static("x-stead-cid");
/// The position in the log of the event that this answer is about.
pub const X_STEAD_POSITION: HeaderName = HeaderName::from_static("x-stead-position");
/// How many tags an object has.
pub const TAGGING_COUNT: HeaderName = HeaderName::from_static("x-amz-tagging-count");

const REDIRECT: &str = "x-amz-website-redirect-location";
const META: &str = "x-amz-meta-";
/// Content headers that are kept with an object.
const CONTENT: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    REDIRECT,
];

/// What S3 answers where an object was stored without a content type.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// What the headers of a PUT, a copy or a new upload say of the object to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Content headers by lower-case name.
    pub headers: TextMap,
    /// User metadata by lower-case name.
    pub metadata: TextMap,
    /// Tags.
    pub tags: TextMap,
}

/// Reads the description of an object, refusing what could not be kept.
pub fn described(headers: &HeaderMap) -> S3Result<Described> {
    refuse_unsupported(headers)?;
    let mut described = Described::default();
    for name in CONTENT {
        if let Some(value) = content(headers, name)? {
            described.headers.insert(name.to_owned(), value);
        }
    }
    for name in headers.keys() {
        let Some(short) = name.as_str().strip_prefix(META).filter(|short| !short.is_empty()) else {
            continue;
        };
        described
            .metadata
            .insert(short.to_owned(), metadata(headers, name)?);
    }
    if let Some(value) = headers.get("x-amz-tagging") {
        described.tags = tags::from_header(text(value)?)?;
    }
    Ok(described)
}

fn content(headers: &HeaderMap, name: &str) -> S3Result<Option<String>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(s3_error!(
            InvalidArgument,
            "The header {name} stands there more than once."
        ));
    }
    let value = text(value)?.trim();
    let value = if name == "content-encoding" {
        without_chunked(value)
    } else {
        value.to_owned()
    };
    Ok(Some(value).filter(|value| !value.is_empty()))
}

/// `aws-chunked` says how the bytes travelled, not what they are. Without it a value stays as it was sent.
fn without_chunked(value: &str) -> String {
    let is_chunked = |coding: &str| coding.trim().eq_ignore_ascii_case("aws-chunked");
    if !value.split(',').any(is_chunked) {
        return value.to_owned();
    }
    let kept: Vec<_> = value
        .split(',')
        .map(str::trim)
        .filter(|coding| !is_chunked(coding) && !coding.is_empty())
        .collect();
    kept.join(",")
}

fn metadata(headers: &HeaderMap, name: &HeaderName) -> S3Result<String> {
    let mut values = Vec::new();
    for value in headers.get_all(name) {
        values.push(rfc2047::decode(text(value)?.trim()).into_owned());
    }
    Ok(values.join(","))
}

fn text(value: &HeaderValue) -> S3Result<&str> {
    std::str::from_utf8(value.as_bytes())
        .map_err(|_| s3_error!(InvalidArgument, "A header's value must be valid UTF-8."))
}

/// Refuses what an object is asked to have and Stead has not, so that nobody takes it for granted.
fn refuse_unsupported(headers: &HeaderMap) -> S3Result<()> {
    let has = |name: &str| headers.contains_key(name);
    if has("x-amz-write-offset-bytes") {
        return Err(s3_error!(
            NotImplemented,
            "Appending to an object is not implemented."
        ));
    }
    if let Some(class) = headers.get("x-amz-storage-class")
        && class.as_bytes() != b"STANDARD"
    {
        return Err(s3_error!(InvalidStorageClass));
    }
    Ok(())
}

/// Puts CID and position into an answer.
pub fn stead(headers: &mut HeaderMap, cid: Option<&Cid>, position: Option<Position>) {
    if let Some(cid) = cid {
        insert(headers, X_STEAD_CID, &cid.to_string());
    }
    if let Some(position) = position.filter(|position| *position > 0) {
        headers.insert(X_STEAD_POSITION, HeaderValue::from(position));
    }
}

/// Puts an ETag, with quotes, into an answer.
pub fn etag(headers: &mut HeaderMap, etag: &str) {
    insert(headers, header::ETAG, &format!("\"{etag}\""));
}

/// Puts a version id into an answer.
pub fn version(headers: &mut HeaderMap, version: Option<&str>) {
    if let Some(version) = version {
        insert(headers, X_AMZ_VERSION_ID, version);
    }
}

/// Puts a checksum into an answer, under its own header, with its type.
pub fn checksum(headers: &mut HeaderMap, checksum: &Checksum) {
    let name = format!("x-amz-checksum-{}", checksum.algorithm.to_ascii_lowercase());
    let Ok(name) = HeaderName::try_from(name) else {
        return;
    };
    insert(headers, name, &checksum.value);
    headers.insert(
        "x-amz-checksum-type",
        HeaderValue::from_static(checksum_type(checksum)),
    );
}

/// `COMPOSITE` or `FULL_OBJECT`.
pub fn checksum_type(checksum: &Checksum) -> &'static str {
    if checksum.composite {
        "COMPOSITE"
    } else {
        "FULL_OBJECT"
    }
}

/// The headers that tell a state of a key apart: also those of a 304.
pub fn identity(headers: &mut HeaderMap, record: &ObjectRecord) {
    etag(headers, &record.etag);
    insert(headers, header::LAST_MODIFIED, &dates::http(record.at));
    version(headers, record.version.as_deref());
    stead(headers, record.cid.as_ref(), Some(record.seq));
}

/// The headers of an object, for the answer to a GET or HEAD with these headers.
pub fn object(record: &ObjectRecord, request: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    identity(&mut headers, record);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(DEFAULT_TYPE));
    for (name, value) in &record.headers {
        stored(&mut headers, name, value);
    }
    for (name, value) in &record.metadata {
        stored(&mut headers, &format!("{META}{name}"), &rfc2047::encode(value));
    }
    crate::lock::answer(&mut headers, record);
    let holder = record.encryption.as_ref().map(|encryption| encryption.holder);
    crate::sse::answer(&mut headers, holder, request);
    if !record.tags.is_empty() {
        headers.insert(TAGGING_COUNT, HeaderValue::from(record.tags.len()));
    }
    headers
}

fn stored(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (
        HeaderName::try_from(name),
        HeaderValue::from_bytes(value.as_bytes()),
    ) {
        headers.insert(name, value);
    }
}

/// Headers that a GET's query may set in the answer, for signed requests.
const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-cache-control", header::CACHE_CONTROL),
    ("response-content-disposition", header::CONTENT_DISPOSITION),
    ("response-content-encoding", header::CONTENT_ENCODING),
    ("response-content-language", header::CONTENT_LANGUAGE),
    ("response-content-type", header::CONTENT_TYPE),
    ("response-expires", header::EXPIRES),
];

/// Applies the `response-*` values of a query.
pub fn override_with(headers: &mut HeaderMap, query: Option<&str>) -> S3Result<()> {
    let Some(query) = query.filter(|query| query.contains("response-")) else {
        return Ok(());
    };
    for (name, value) in crate::target::query_pairs(query) {
        let Some((_, header)) = OVERRIDES.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| s3_error!(InvalidArgument, "{name} is not a header value."))?;
        headers.insert(header.clone(), value);
    }
    Ok(())
}

/// The error of a read whose conditions do not hold: 304 keeps what identifies the state.
pub fn not_modified(record: &ObjectRecord) -> S3Error {
    let mut headers = HeaderMap::new();
    identity(&mut headers, record);
    for name in ["cache-control", "expires"] {
        if let Some(value) = record.headers.get(name) {
            stored(&mut headers, name, value);
        }
    }
    let mut error = s3_error!(NotModified);
    error.set_headers(headers);
    error
}

/// The error of a conditional request that failed.
pub fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "{}", errors::message("PreconditionFailed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_bytes(v.as_bytes()).unwrap()))
            .collect()
    }

    fn code(pairs: &[(&'static str, &str)]) -> String {
        described(&from(pairs)).unwrap_err().code().as_str().to_owned()
    }

    #[test]
    fn codings_stay_as_they_were_sent() {
        assert_eq!(without_chunked("deflate, gzip"), "deflate, gzip");
        assert_eq!(without_chunked("deflate, AWS-chunked, gzip"), "deflate,gzip");
        assert_eq!(without_chunked("aws-chunked"), "");
    }

    #[test]
    fn headers_metadata_and_tags_are_kept() {
        let found = described(&from(&[
            ("content-type", "text/plain"),
            ("content-encoding", "gzip, aws-chunked"),
            ("x-amz-meta-colour", "=?UTF-8?B?w6k=?="),
            ("x-amz-meta-raw", "é"),
            ("x-amz-tagging", "a=b&c"),
            ("user-agent", "not kept"),
        ]))
        .unwrap();
        let map = |pairs: &[(&str, &str)]| -> TextMap {
            pairs
                .iter()
                .map(|(n, v)| (n.to_string(), v.to_string()))
                .collect()
        };
        assert_eq!(
            found.headers,
            map(&[("content-type", "text/plain"), ("content-encoding", "gzip")])
        );
        assert_eq!(found.metadata, map(&[("colour", "é"), ("raw", "é")]));
        assert_eq!(found.tags, map(&[("a", "b"), ("c", "")]));
        assert!(
            described(&from(&[("content-encoding", "aws-chunked")]))
                .unwrap()
                .headers
                .is_empty()
        );
    }

    #[test]
    fn what_could_not_be_kept_is_refused() {
        assert_eq!(code(&[("x-amz-storage-class", "GLACIER")]), "InvalidStorageClass");
        assert!(
            described(&from(&[
                ("x-amz-acl", "private"),
                ("x-amz-storage-class", "STANDARD")
            ]))
            .is_ok()
        );
    }

    #[test]
    fn a_query_overrides_headers() {
        let mut headers = from(&[("content-type", "a/b")]);
        override_with(&mut headers, Some("response-content-type=text%2Fplain&x=y")).unwrap();
        assert_eq!(headers[header::CONTENT_TYPE], "text/plain");
        assert!(override_with(&mut headers, Some("response-expires=a%0Ab")).is_err());
    }
}
