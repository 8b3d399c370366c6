//! The data plane: GET, HEAD and PUT of objects, and PUT of parts, from HTTP to HTTP.
//!
//! Reached from [`crate::route`], behind `s3s`' authentication.

use crate::conditions::{self, Verdict};
use crate::facts::Facts;
use crate::headers;
use crate::range::{self, Wanted};
use crate::service::S3Gateway;
use crate::target::query_value;
use crate::{body, errors, lock, sse};
use bytes::Bytes;
use futures::Stream;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderValue};
use http::{HeaderMap, Response, StatusCode, header};
use s3s::{Body, S3Result, s3_error};
use std::ops::Range;
use stead_gateway::access::{self, Action, Object};
use stead_gateway::objects::{
    BodyError, ByteRange, CustomerKey, GetRequest, Lock, PartRequest, PutRequest, Verify,
};
use stead_gateway::{Caller, ObjectError};
use stead_view::ObjectRecord;

/// An authenticated request for one key.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its query, as sent.
    pub query: Option<&'a str>,
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
    /// Who asks.
    pub caller: &'a Caller,
}

impl Ask<'_> {
    /// The request, to a condition.
    pub(crate) fn facts(&self, gateway: &S3Gateway) -> Facts<'_> {
        gateway.keys.facts(self.caller, self.headers, self.query)
    }

    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn value(&self, name: &str) -> Option<String> {
        query_value(self.query, name)
    }

    fn part_number(&self) -> S3Result<Option<u32>> {
        self.value("partNumber")
            .map(|text| part_number(&text))
            .transpose()
    }
}

/// A part number in a query: 1 to 10,000.
pub fn part_number(text: &str) -> S3Result<u32> {
    text.parse()
        .ok()
        .filter(|number| (1..=10_000).contains(number))
        .ok_or_else(errors::part_number)
}

/// What part of an object an answer carries.
struct Slice {
    bytes: Range<u64>,
    status: StatusCode,
    /// The number of the part that was asked for.
    part: Option<u32>,
}

impl S3Gateway {
    /// GET and HEAD of an object.
    pub async fn read(&self, ask: &Ask<'_>, with_body: bool) -> S3Result<Response<Body>> {
        let version = ask.value("versionId");
        let request = GetRequest {
            who: &ask.caller.identity,
            bucket: ask.bucket,
            key: ask.key,
            version: version.as_deref(),
            at: None,
            range: None,
        };
        let record = self.seen(ask, Action::GetObject, &request)?;
        let key = sse::of_read(ask.headers)?;
        self.objects
            .check_key(&record, key.as_ref())
            .map_err(errors::from_object)?;
        match conditions::judge(&conditions::READ, ask.headers, &record.etag, record.at.as_secs()) {
            Verdict::Met => {}
            Verdict::NotModified => return Err(headers::not_modified(&record)),
            Verdict::Failed => return Err(headers::precondition_failed()),
        }
        let slice = slice(ask, &record)?;
        let mut answer = headers::object(&record, ask.headers);
        self.withhold(ask, &record, version.as_deref(), &mut answer);
        self.null_version(ask.bucket, &record, version.is_some(), &mut answer)?;
        if version.is_none() {
            self.announce_expiry(ask.bucket, ask.key, &record, &mut answer)?;
        }
        describe_slice(ask, &record, &slice, &mut answer);
        headers::override_with(&mut answer, ask.query)?;
        let body = if with_body {
            self.bytes(&record, &slice, key.as_ref()).await?
        } else {
            Body::empty()
        };
        let mut response = Response::new(body);
        *response.status_mut() = slice.status;
        *response.headers_mut() = answer;
        Ok(response)
    }

    /// Leaves out what the caller may not ask for by itself: how many tags there are, and what is locked.
    fn withhold(&self, ask: &Ask<'_>, record: &ObjectRecord, version: Option<&str>, answer: &mut HeaderMap) {
        for (action, names) in [
            (Action::GetObjectTagging, &[headers::TAGGING_COUNT][..]),
            (Action::GetObjectRetention, &[lock::MODE, lock::UNTIL]),
            (Action::GetObjectLegalHold, &[lock::HOLD]),
        ] {
            if !names.iter().any(|name| answer.contains_key(name)) {
                continue;
            }
            let facts = ask.facts(self);
            let wanted = access::Ask {
                object: Object::There(record),
                ..access::Ask::object(&ask.caller.identity, action, ask.bucket, ask.key)
            };
            if self.keys.permit(&wanted.version(version).values(&facts)).is_err() {
                for name in names {
                    answer.remove(name);
                }
            }
        }
    }

    /// A state that the caller may read by `action`. Whoever may not list learns nothing of what is not there.
    pub(crate) fn seen(
        &self,
        ask: &Ask<'_>,
        action: Action,
        request: &GetRequest<'_>,
    ) -> S3Result<ObjectRecord> {
        let found = self.objects.head(request);
        let object = match &found {
            Ok(record) => Object::There(record),
            Err(
                ObjectError::NoSuchBucket(_)
                | ObjectError::NoSuchKey { .. }
                | ObjectError::NoSuchVersion { .. }
                | ObjectError::Marker { .. },
            ) => Object::Missing,
            Err(_) => return found.map_err(errors::from_object),
        };
        let facts = ask.facts(self);
        let wanted = access::Ask {
            object,
            ..access::Ask::object(request.who, action, request.bucket, request.key)
        };
        self.keys
            .permit(&wanted.version(request.version).values(&facts))?;
        found.map_err(errors::from_object)
    }

    /// The null version is named only in buckets that know versions.
    fn null_version(
        &self,
        bucket: &str,
        record: &ObjectRecord,
        named: bool,
        answer: &mut HeaderMap,
    ) -> S3Result<()> {
        if record.version.is_none() && (named || self.is_versioned(bucket)?) {
            headers::version(answer, Some("null"));
        }
        Ok(())
    }

    async fn bytes(&self, record: &ObjectRecord, slice: &Slice, key: Option<&CustomerKey>) -> S3Result<Body> {
        let Range { start, end } = slice.bytes;
        if start == end {
            return Ok(Body::empty());
        }
        let range = (start > 0 || end < record.size).then(|| ByteRange::From(start, Some(end - 1)));
        let mut opened = self
            .objects
            .body_with(record, range, key)
            .await
            .map_err(errors::from_object)?;
        match opened.body.take_small() {
            Some(bytes) => Ok(Body::from(bytes)),
            None => Ok(Body::http_body(opened.body)),
        }
    }

    /// PUT of an object. What the headers claim is checked before anything is stored.
    pub async fn put<S>(&self, ask: &Ask<'_>, verify: Verify, body: S) -> S3Result<Response<Body>>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let described = headers::described(ask.headers)?;
        let list = self.list_asked(&ask.facts(self))?;
        let expect = self.expected(ask)?;
        let request = PutRequest {
            protect: sse::wanted(ask.headers)?,
            bucket: ask.bucket.to_owned(),
            key: ask.key.to_owned(),
            headers: described.headers,
            metadata: described.metadata,
            tags: described.tags,
            lock: self.lock_asked(ask.bucket, ask.headers)?,
            expect,
            caller: ask.caller.clone(),
        };
        let done = self
            .objects
            .put_listed(request, &list, body, verify)
            .await
            .map_err(errors::from_object)?;
        let mut response = Response::new(Body::empty());
        let answer = response.headers_mut();
        headers::etag(answer, &done.etag);
        headers::version(answer, done.version.as_deref());
        headers::stead(answer, Some(&done.cid), Some(done.position));
        if let Some(checksum) = &done.checksum {
            headers::checksum(answer, checksum);
        }
        sse::answer(answer, done.encrypted, ask.headers);
        self.announce_expiry_of_new(ask.bucket, ask.key, answer)?;
        Ok(response)
    }

    /// The lock that a new object's headers ask for. Any takes a bucket that locks objects.
    pub(crate) fn lock_asked(&self, bucket: &str, headers: &HeaderMap) -> S3Result<Lock> {
        let Some(asked) = lock::asked(headers, self.context().now())? else {
            return Ok(Lock::default());
        };
        self.objects.require_lock(bucket).map_err(errors::from_object)?;
        Ok(asked)
    }

    /// What `If-Match` and `If-None-Match` of a write ask of the key, with an early look at it, so that a
    /// body that cannot be stored is not read.
    pub(crate) fn expected(&self, ask: &Ask<'_>) -> S3Result<Option<stead_gateway::objects::Expect>> {
        use stead_gateway::objects::Expect;
        let matches = ask.header(header::IF_MATCH);
        let expect = match (matches, ask.header(header::IF_NONE_MATCH)) {
            (None, None) => return Ok(None),
            (Some("*"), None) => Expect::Present,
            (Some(tag), None) => Expect::ETag(conditions::bare_tag(tag).to_owned()),
            (None, Some("*")) => Expect::Absent,
            _ => return Err(s3_error!(NotImplemented)),
        };
        let current = self.current(ask)?;
        match (&expect, &current) {
            (Expect::Absent, Some(_)) => Err(headers::precondition_failed()),
            (Expect::Present | Expect::ETag(_), None) => Err(s3_error!(NoSuchKey)),
            (Expect::ETag(tag), Some(record)) if *tag != record.etag => Err(headers::precondition_failed()),
            _ => Ok(Some(expect)),
        }
    }

    fn current(&self, ask: &Ask<'_>) -> S3Result<Option<ObjectRecord>> {
        let request = GetRequest {
            who: &ask.caller.identity,
            bucket: ask.bucket,
            key: ask.key,
            version: None,
            at: None,
            range: None,
        };
        match self.objects.head(&request) {
            Ok(record) => Ok(Some(record)),
            Err(ObjectError::NoSuchKey { .. } | ObjectError::Marker { .. }) => Ok(None),
            Err(error) => Err(errors::from_object(error)),
        }
    }

    /// PUT of a part.
    pub async fn put_part<S>(&self, ask: &Ask<'_>, verify: Verify, body: S) -> S3Result<Response<Body>>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let Some(number) = ask.part_number()? else {
            return Err(errors::part_number());
        };
        let request = PartRequest {
            customer_key: sse::OBJECT.read(ask.headers)?,
            bucket: ask.bucket.to_owned(),
            key: ask.key.to_owned(),
            upload: ask.value("uploadId").unwrap_or_default(),
            number,
            caller: ask.caller.clone(),
        };
        let done = self
            .objects
            .put_part(request, body, verify)
            .await
            .map_err(sse::of_part)?;
        let mut response = Response::new(Body::empty());
        let answer = response.headers_mut();
        headers::etag(answer, &done.etag);
        headers::stead(answer, Some(&done.cid), Some(done.position));
        if let Some(checksum) = &done.checksum {
            headers::checksum(answer, checksum);
            answer.remove("x-amz-checksum-type");
        }
        sse::answer(answer, done.encrypted, ask.headers);
        Ok(response)
    }

    /// A PUT whose body `s3s` has unwrapped.
    pub async fn store(&self, ask: &Ask<'_>, verify: Verify, body: Body) -> S3Result<Response<Body>> {
        match ask.value("uploadId") {
            Some(_) => self.put_part(ask, verify, body::stream(body)).await,
            None => self.put(ask, verify, body::stream(body)).await,
        }
    }
}

fn slice(ask: &Ask<'_>, record: &ObjectRecord) -> S3Result<Slice> {
    let range = ask.header(header::RANGE);
    let whole = Slice {
        bytes: 0..record.size,
        status: StatusCode::OK,
        part: None,
    };
    if let Some(number) = ask.part_number()? {
        if range.is_some() {
            return Err(s3_error!(
                InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter"
            ));
        }
        let bytes = part_bytes(record, number).ok_or_else(|| {
            errors::custom(
                "InvalidPartNumber",
                StatusCode::RANGE_NOT_SATISFIABLE,
                "The requested partnumber is not satisfiable".into(),
            )
        })?;
        let status = if bytes.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::PARTIAL_CONTENT
        };
        return Ok(Slice {
            bytes,
            status,
            part: Some(number),
        });
    }
    match range::wanted(range, record.size) {
        Wanted::Whole => Ok(whole),
        Wanted::Part(bytes) => Ok(Slice {
            bytes,
            status: StatusCode::PARTIAL_CONTENT,
            part: None,
        }),
        Wanted::Unsatisfiable => Err(errors::from_object(ObjectError::Range { size: record.size })),
    }
}

/// Where a part lies in its object. An object that was put whole is its own first part.
fn part_bytes(record: &ObjectRecord, number: u32) -> Option<Range<u64>> {
    if record.parts.is_empty() {
        return (number == 1).then_some(0..record.size);
    }
    let mut start = 0;
    for part in &record.parts {
        if part.number == number {
            return Some(start..start + part.size);
        }
        start += part.size;
    }
    None
}

fn describe_slice(ask: &Ask<'_>, record: &ObjectRecord, slice: &Slice, answer: &mut HeaderMap) {
    let Range { start, end } = slice.bytes;
    answer.insert(CONTENT_LENGTH, HeaderValue::from(end - start));
    if slice.status == StatusCode::PARTIAL_CONTENT {
        errors::insert(
            answer,
            CONTENT_RANGE,
            &format!("bytes {start}-{}/{}", end - 1, record.size),
        );
    }
    if slice.part.is_some() && !record.parts.is_empty() {
        answer.insert("x-amz-mp-parts-count", HeaderValue::from(record.parts.len()));
    }
    let asked = ask
        .headers
        .get("x-amz-checksum-mode")
        .is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"enabled"));
    if !asked {
        return;
    }
    // A checksum is over the whole; of a part it is the part's own.
    let part = slice
        .part
        .and_then(|number| record.parts.iter().find(|part| part.number == number));
    let checksum = match part {
        Some(part) => part.checksum.as_ref(),
        None if end - start == record.size => record.checksum.as_ref(),
        None => None,
    };
    if let Some(checksum) = checksum {
        headers::checksum(answer, checksum);
    }
}
