//! Copies: whole objects, and parts of them into uploads. No bytes move; those of an object are read where
//! a checksum is asked for that the source does not have.

use super::{caller, checksum_type, failed, put_checksum, tag, when};
use crate::conditions::{self, Verdict};
use crate::data::{Ask, part_number};
use crate::service::S3Gateway;
use crate::{claims, headers, range, sse};
use http::HeaderMap;
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use stead_gateway::Caller;
use stead_gateway::access::{self, Action};
use stead_gateway::objects::{CopyRequest, GetRequest, PartCopyRequest, PartRequest, Protect};
use stead_view::ObjectRecord;

/// The largest source of one copy, in bytes (5 GiB).
const SOURCE_MAX: u64 = 5 << 30;

/// What is copied from.
struct Source {
    bucket: String,
    key: String,
    version: Option<String>,
}

impl Source {
    fn of(source: &CopySource) -> S3Result<Self> {
        let CopySource::Bucket {
            bucket,
            key,
            version_id,
        } = source
        else {
            return Err(s3_error!(NotImplemented, "Access points are not implemented."));
        };
        crate::target::check_key(key)?;
        if let Some(version) = version_id {
            crate::target::check_version(version)?;
        }
        Ok(Self {
            bucket: bucket.to_string(),
            key: key.to_string(),
            version: version_id.as_ref().map(ToString::to_string),
        })
    }
}

impl S3Gateway {
    /// The source's state, if the caller may read it and the `x-amz-copy-source-if-*` headers hold.
    fn source(&self, source: &Source, caller: &Caller, headers: &HeaderMap) -> S3Result<ObjectRecord> {
        self.check_expected_owner(&source.bucket, headers.get("x-amz-source-expected-bucket-owner"))?;
        let request = GetRequest {
            who: &caller.identity,
            bucket: &source.bucket,
            key: &source.key,
            version: source.version.as_deref(),
            at: None,
            range: None,
        };
        let ask = Ask {
            headers,
            query: None,
            bucket: &source.bucket,
            key: &source.key,
            caller,
        };
        let record = self
            .seen(&ask, Action::GetObject, &request)
            .map_err(|error| match error.code() {
                S3ErrorCode::MethodNotAllowed => s3_error!(
                    InvalidRequest,
                    "The source of a copy request may not specifically refer to a delete marker by version id."
                ),
                _ => error,
            })?;
        let key = sse::SOURCE.read(headers)?;
        self.objects.check_key(&record, key.as_ref()).map_err(failed)?;
        match conditions::judge(&conditions::COPY, headers, &record.etag, record.at.as_secs()) {
            Verdict::Met => Ok(record),
            Verdict::NotModified | Verdict::Failed => Err(headers::precondition_failed()),
        }
    }

    /// Tags are copied by whoever may read them.
    fn may_read_tags(
        &self,
        source: &Source,
        caller: &Caller,
        record: &ObjectRecord,
        headers: &HeaderMap,
    ) -> S3Result<()> {
        let facts = self.keys.facts(caller, headers, None);
        let ask = access::Ask {
            object: access::Object::There(record),
            ..access::Ask::object(
                &caller.identity,
                Action::GetObjectTagging,
                &source.bucket,
                &source.key,
            )
        };
        self.keys
            .permit(&ask.version(source.version.as_deref()).values(&facts))
    }

    pub(crate) async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let caller = caller(&request)?;
        let input = &request.input;
        let source = Source::of(&input.copy_source)?;
        let described = headers::described(&request.headers)?;
        let algorithm = claims::algorithm(request.headers.get("x-amz-checksum-algorithm"))?;
        let new_metadata = replaces(
            input.metadata_directive.as_ref().map(MetadataDirective::as_str),
            "metadata",
        )?;
        let new_tags = replaces(
            input.tagging_directive.as_ref().map(TaggingDirective::as_str),
            "tagging",
        )?;
        let record = self.source(&source, &caller, &request.headers)?;
        let list = self.list_asked(&self.keys.facts(&caller, &request.headers, request.uri.query()))?;
        if !new_tags && !record.tags.is_empty() {
            self.may_read_tags(&source, &caller, &record, &request.headers)?;
        }
        if record.size > SOURCE_MAX {
            return Err(s3_error!(
                InvalidRequest,
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
            ));
        }
        let same = source.bucket == input.bucket && source.key == input.key && source.version.is_none();
        let protect = sse::wanted(&request.headers)?;
        if same && !new_metadata && matches!(protect, Protect::AsBucket) {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing \
                 the object's metadata, storage class, website redirect location or encryption attributes."
            ));
        }
        let ask = Ask {
            headers: &request.headers,
            query: None,
            bucket: &input.bucket,
            key: &input.key,
            caller: &caller,
        };
        let copy = CopyRequest {
            protect,
            source_customer_key: sse::SOURCE.read(&request.headers)?,
            source_bucket: source.bucket,
            source_key: source.key,
            source_version: source.version,
            source_at: None,
            source_etag: Some(record.etag.clone()),
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            metadata: new_metadata.then_some((described.headers, described.metadata)),
            tags: new_tags.then_some(described.tags),
            lock: self.lock_asked(&input.bucket, &request.headers)?,
            expect: self.expected(&ask)?,
            caller: caller.clone(),
        };
        let done = self
            .objects
            .copy_listed(copy, algorithm, &list)
            .await
            .map_err(failed)?;
        let mut result = CopyObjectResult {
            checksum_type: done.checksum.as_ref().map(checksum_type),
            e_tag: Some(tag(&done.etag)),
            last_modified: Some(when(done.at)),
            ..Default::default()
        };
        put_checksum!(result, &done.checksum);
        let output = CopyObjectOutput {
            copy_object_result: Some(result),
            copy_source_version_id: record.version.clone(),
            version_id: done.version,
            ..Default::default()
        };
        let mut answer = HeaderMap::new();
        headers::stead(&mut answer, Some(&done.cid), Some(done.position));
        sse::answer(&mut answer, done.encrypted, &request.headers);
        self.announce_expiry_of_new(&input.bucket, &input.key, &mut answer)?;
        Ok(S3Response::with_headers(output, answer))
    }

    pub(crate) async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let caller = caller(&request)?;
        let input = &request.input;
        let number = part_number(&input.part_number.to_string())?;
        let source = Source::of(&input.copy_source)?;
        let record = self.source(&source, &caller, &request.headers)?;
        let bytes = input
            .copy_source_range
            .as_deref()
            .map(|text| copy_range(text, record.size))
            .transpose()?;
        let length = bytes.map_or(record.size, |(first, last)| last - first + 1);
        if length > SOURCE_MAX {
            return Err(s3_error!(
                InvalidRequest,
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
            ));
        }
        let copy = PartCopyRequest {
            source_customer_key: sse::SOURCE.read(&request.headers)?,
            part: PartRequest {
                customer_key: sse::OBJECT.read(&request.headers)?,
                bucket: input.bucket.clone(),
                key: input.key.clone(),
                upload: input.upload_id.clone(),
                number,
                caller,
            },
            source_bucket: source.bucket,
            source_key: source.key,
            source_version: source.version,
            source_etag: Some(record.etag.clone()),
            range: bytes,
        };
        let done = self.objects.copy_part(copy).await.map_err(failed)?;
        let mut result = CopyPartResult {
            e_tag: Some(tag(&done.etag)),
            last_modified: Some(when(done.at)),
            ..Default::default()
        };
        put_checksum!(result, &done.checksum);
        let output = UploadPartCopyOutput {
            copy_part_result: Some(result),
            copy_source_version_id: record.version.clone(),
            ..Default::default()
        };
        let mut answer = HeaderMap::new();
        headers::stead(&mut answer, Some(&done.cid), Some(done.position));
        sse::answer(&mut answer, done.encrypted, &request.headers);
        Ok(S3Response::with_headers(output, answer))
    }
}

/// Whether a directive says `REPLACE`.
fn replaces(directive: Option<&str>, what: &str) -> S3Result<bool> {
    match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(s3_error!(InvalidArgument, "Unknown {what} directive.")),
    }
}

/// `bytes=first-last`, both within the source.
fn copy_range(text: &str, size: u64) -> S3Result<(u64, u64)> {
    match range::parse(text) {
        Some((Some(first), Some(last))) if last < size => Ok((first, last)),
        Some((Some(_), Some(_))) => Err(s3_error!(
            InvalidArgument,
            "Range specified is not valid for source object of size: {size}"
        )),
        _ => Err(s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_copy_must_lie_within_the_source() {
        assert_eq!(copy_range("bytes=0-9", 10).unwrap(), (0, 9));
        for bad in ["bytes=0-10", "bytes=5-", "bytes=-5", "bytes=5-4", "0-9", ""] {
            assert_eq!(
                copy_range(bad, 10).unwrap_err().code().as_str(),
                "InvalidArgument",
                "{bad}"
            );
        }
    }

    #[test]
    fn directives() {
        assert!(!replaces(None, "metadata").unwrap());
        assert!(!replaces(Some("COPY"), "metadata").unwrap());
        assert!(replaces(Some("REPLACE"), "metadata").unwrap());
        assert!(replaces(Some("MERGE"), "metadata").is_err());
    }
}
