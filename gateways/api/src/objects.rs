//! Objects: get, put, delete, copy.

use crate::gateway::Shared;
use crate::permit::May;
use crate::{ApiError, body, locks, wire};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::{Extension, Json};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use stead_event::{Position, TextMap, Timestamp};
use stead_gateway::Caller;
use stead_gateway::access::Action;
use stead_gateway::objects::{
    ByteRange, ChecksumSpec, CopyRequest, DeleteRequest, DeleteTarget, GetRequest, Lock, PutRequest, Verify,
};
use stead_view::ObjectRecord;

/// Headers that are kept with an object.
const KEPT: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
];
const META: &str = "x-stead-meta-";
/// How far a client's clock may be ahead of this node's before its "now" is taken for the future.
const SKEW_SECS: i64 = 60;

/// Which state is meant.
#[derive(Default, Deserialize, JsonSchema)]
pub(crate) struct Which {
    /// A position of the log, or a moment (RFC 3339).
    pub(crate) at: Option<String>,
    /// A version id; `null` names the version of an unversioned write.
    pub(crate) version: Option<String>,
}

/// `at=`: a position, or a moment (RFC 3339), as a position that the log has reached.
pub(crate) fn position(shared: &Shared, at: Option<&str>) -> Result<Option<Position>, ApiError> {
    let Some(at) = at else { return Ok(None) };
    let views = &shared.context().views;
    if let Ok(position) = at.parse::<Position>() {
        let reached = views.position(shared.tenant());
        if position > reached {
            return Err(ApiError::invalid(format!(
                "position {position} is not reached yet; the log is at {reached}"
            ))
            .next(format!(
                "give a position from 0 to {reached}, or a moment that has passed"
            )));
        }
        return Ok(Some(position));
    }
    let moment: Timestamp = at.parse().map_err(|_| {
        ApiError::invalid(format!("{at:?} is neither a position nor a moment in RFC 3339"))
            .next("write a position like 1842, or a moment like 2026-11-20T13:00:00Z")
    })?;
    let now = shared.context().now();
    if moment > now.plus_secs(SKEW_SECS) {
        return Err(
            ApiError::invalid(format!("{moment} is in the future; the node's clock says {now}"))
                .next("give a moment that has passed; where the node's clock is wrong, set it"),
        );
    }
    Ok(Some(views.position_at(moment)?))
}

/// A state of an object as JSON.
pub(crate) fn describe(bucket: &str, key: &str, record: &ObjectRecord) -> wire::Object {
    wire::Object {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        size: record.size,
        cid: record.cid.map(|cid| cid.to_string()).unwrap_or_default(),
        etag: record.etag.clone(),
        at: record.at,
        position: record.seq,
        version: record.version_id().to_owned(),
        headers: record.headers.clone(),
        metadata: record.metadata.clone(),
        marker: record.marker,
        latest: None,
    }
}

/// `GET` and `HEAD /api/v1/objects/{bucket}/{key}?at=&version=`, with `Range: bytes=`.
pub(crate) async fn get(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    Path((bucket, key)): Path<(String, String)>,
    Query(which): Query<Which>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let at = position(&shared, which.at.as_deref())?;
    may.at(&bucket, at)?;
    let request = GetRequest {
        who: &caller.identity,
        bucket: &bucket,
        key: &key,
        version: which.version.as_deref(),
        at,
        range: headers.get(header::RANGE).map(range).transpose()?,
    };
    let record = shared.reader.head(&request)?;
    let mut response = Response::new(Body::empty());
    tell(response.headers_mut(), &record);
    if method == Method::HEAD {
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, record.size.into());
        return Ok(response);
    }
    // What is being resumed must still be the same object.
    let same = headers
        .get(header::IF_MATCH)
        .is_none_or(|etag| etag.as_bytes() == quoted(&record.etag).as_bytes());
    if !same {
        return Err(stead_gateway::ObjectError::Precondition(format!("{bucket}/{key} has changed")).into());
    }
    let opened = shared.reader.body(&record, request.range).await?;
    let length = opened.range.end - opened.range.start;
    if request.range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let last = opened.range.end.saturating_sub(1);
        let told = format!("bytes {}-{last}/{}", opened.range.start, opened.size);
        insert(response.headers_mut(), header::CONTENT_RANGE, &told);
    }
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length.into());
    shared.context().metrics.sent("api", length);
    *response.body_mut() = Body::new(opened.body);
    Ok(response)
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// What is known about an object, as headers. User metadata is percent-encoded.
fn tell(headers: &mut HeaderMap, record: &ObjectRecord) {
    for (name, value) in &record.headers {
        if let Ok(name) = HeaderName::try_from(name.as_str()) {
            insert(headers, name, value);
        }
    }
    for (name, value) in &record.metadata {
        if let Ok(name) = HeaderName::try_from(format!("{META}{name}")) {
            insert(
                headers,
                name,
                &utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
            );
        }
    }
    insert(headers, header::ETAG, &quoted(&record.etag));
    insert(headers, header::ACCEPT_RANGES, "bytes");
    if let Some(cid) = record.cid {
        insert(headers, HeaderName::from_static("x-stead-cid"), &cid.to_string());
    }
    insert(
        headers,
        HeaderName::from_static("x-stead-position"),
        &record.seq.to_string(),
    );
    insert(
        headers,
        HeaderName::from_static("x-stead-version"),
        record.version_id(),
    );
    insert(
        headers,
        HeaderName::from_static("x-stead-at"),
        &record.at.to_string(),
    );
}

fn range(value: &HeaderValue) -> Result<ByteRange, ApiError> {
    let text = value.to_str().unwrap_or_default();
    let wrong = || ApiError::invalid(format!("the range {text:?} is not understood"));
    let parsed = || {
        let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
        match (from.is_empty(), to.is_empty()) {
            (true, _) => to.parse().ok().map(ByteRange::Last),
            (_, true) => Some(ByteRange::From(from.parse().ok()?, None)),
            _ => Some(ByteRange::From(from.parse().ok()?, Some(to.parse().ok()?))),
        }
    };
    parsed().ok_or_else(|| wrong().next("write bytes=FROM-TO, bytes=FROM- or bytes=-LAST"))
}

/// The headers and the metadata that a request wants kept.
pub(crate) fn kept(headers: &HeaderMap) -> (TextMap, TextMap) {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let content = KEPT
        .iter()
        .filter_map(|name| Some((name.as_str().to_owned(), text(headers.get(name)?)?)))
        .collect();
    let metadata = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(META)?;
            let value = percent_decode_str(value.to_str().ok()?).decode_utf8().ok()?;
            Some((name.to_owned(), value.into_owned()))
        })
        .collect();
    (content, metadata)
}

/// What a request claims about its body.
pub(crate) fn claims(headers: &HeaderMap) -> Result<Verify, ApiError> {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    Ok(Verify {
        content_length: length.and_then(|text| text.parse().ok()),
        md5: None,
        sha256: body::signed_hash(headers)?,
        checksum: ChecksumSpec::Default,
    })
}

/// `PUT /api/v1/objects/{bucket}/{key}`
pub(crate) async fn put(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path((bucket, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::Stored>, ApiError> {
    let (content, metadata) = kept(&headers);
    let request = PutRequest {
        protect: stead_gateway::objects::Protect::AsBucket,
        bucket,
        key,
        headers: content,
        metadata,
        tags: TextMap::new(),
        lock: Lock::default(),
        expect: None,
        caller,
    };
    let done = locks::fenced(&shared, &headers)?
        .put(request, body::stream(body), claims(&headers)?)
        .await?;
    shared.context().metrics.received("api", done.size);
    Ok(Json(stored(done)))
}

pub(crate) fn stored(done: stead_gateway::objects::PutDone) -> wire::Stored {
    wire::Stored {
        cid: done.cid.to_string(),
        etag: done.etag,
        size: done.size,
        position: done.position,
        version: done.version.unwrap_or_else(|| "null".to_owned()),
    }
}

/// `DELETE /api/v1/objects/{bucket}/{key}?version=`
pub(crate) async fn delete(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path((bucket, key)): Path<(String, String)>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Json<wire::Deleted>, ApiError> {
    let target = DeleteTarget {
        key,
        version: which.version,
        expect: None,
        bypass: false,
    };
    let done = locks::fenced(&shared, &headers)?
        .delete(DeleteRequest {
            bucket,
            target,
            caller,
        })
        .await?;
    Ok(Json(wire::Deleted {
        position: done.position,
        marker: done.marker,
        version: done.version,
    }))
}

/// `POST /api/v1/copy`
pub(crate) async fn copy(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::Stored>, ApiError> {
    let wanted: wire::Copy = body::json(&headers, body).await?;
    let source_at = position(&shared, wanted.source_at.as_deref())?;
    may_copy(&shared, &caller, &may, &wanted, source_at)?;
    let request = CopyRequest {
        protect: stead_gateway::objects::Protect::AsBucket,
        source_customer_key: None,
        source_bucket: wanted.source_bucket,
        source_key: wanted.source_key,
        source_version: wanted.source_version,
        source_at,
        source_etag: None,
        bucket: wanted.bucket,
        key: wanted.key,
        metadata: None,
        tags: None,
        lock: Lock::default(),
        expect: None,
        caller,
    };
    Ok(Json(stored(shared.objects()?.copy(request).await?)))
}

/// Reading the source, with its tags, and putting the copy.
fn may_copy(
    shared: &Shared,
    caller: &Caller,
    may: &May,
    wanted: &wire::Copy,
    at: Option<Position>,
) -> Result<(), ApiError> {
    let (bucket, key) = (wanted.source_bucket.as_str(), wanted.source_key.as_str());
    let version = wanted.source_version.as_deref();
    match at {
        Some(_) => {
            may.past(Action::GetObjectVersion, bucket, Some(key))?;
            may.at(bucket, at)?;
        }
        None => may.object(Action::GetObject, bucket, key, version)?,
    }
    may.object(Action::PutObject, &wanted.bucket, &wanted.key, None)?;
    let source = shared.reader.head(&GetRequest {
        who: &caller.identity,
        bucket,
        key,
        version,
        at,
        range: None,
    })?;
    if !source.tags.is_empty() {
        if at.is_none() {
            may.object(Action::GetObjectTagging, bucket, key, version)?;
        }
        may.not_denied(Action::PutObjectTagging, &wanted.bucket, &wanted.key)?;
    }
    Ok(())
}
