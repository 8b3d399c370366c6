//! Multipart uploads: create, list, complete, abort. Parts themselves go through the data plane.

use super::buckets::limit;
use super::listing::prefixes;
use super::{at, caller, checksum_type, failed, put_checksum, signed, tag, when};
use crate::data::Ask;
use crate::owners::Owners;
use crate::service::S3Gateway;
use crate::token::Encoding;
use crate::xml::printable;
use crate::{claims, headers, sse};
use http::HeaderMap;
use http::header::HOST;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use stead_event::body as event;
use stead_gateway::ObjectError;
use stead_gateway::objects::{self, Algorithm, CompleteRequest, StartRequest};
use stead_view::{PartRecord, UploadPage, UploadQuery, UploadRecord};

impl S3Gateway {
    pub(crate) async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let caller = caller(&request)?;
        let described = headers::described(&request.headers)?;
        let algorithm = claims::named(&request.headers)?;
        let composite = composite(algorithm, request.input.checksum_type.as_ref())?;
        let lock = self.lock_asked(&request.input.bucket, &request.headers)?;
        let CreateMultipartUploadInput {
            bucket,
            key,
            checksum_type,
            ..
        } = request.input;
        let list = self.list_asked(&self.keys.facts(&caller, &request.headers, request.uri.query()))?;
        let start = StartRequest {
            protect: sse::wanted(&request.headers)?,
            bucket: bucket.clone(),
            key: key.clone(),
            headers: described.headers,
            metadata: described.metadata,
            tags: described.tags,
            lock,
            checksum_algorithm: algorithm,
            checksum_composite: composite,
            caller,
        };
        let (upload, encrypted) = self
            .objects
            .start_upload_listed(start, &list)
            .await
            .map_err(failed)?;
        let abort = self.abort_due(&bucket, &key, self.context().now())?;
        let kind = checksum_type.or_else(|| algorithm.map(|a| ChecksumType::from_static(default_type(a))));
        let mut answer = HeaderMap::new();
        sse::answer(&mut answer, encrypted, &request.headers);
        let output = CreateMultipartUploadOutput {
            bucket: Some(bucket),
            checksum_algorithm: algorithm.map(|a| ChecksumAlgorithm::from_static(a.name())),
            checksum_type: kind,
            abort_date: abort.as_ref().map(|(date, _)| when(*date)),
            abort_rule_id: abort.map(|(_, rule)| rule),
            key: Some(printable(&key)),
            upload_id: Some(upload),
            ..Default::default()
        };
        Ok(S3Response::with_headers(output, answer))
    }

    fn upload(&self, bucket: &str, key: &str, upload: &str) -> S3Result<Option<UploadRecord>> {
        self.bucket(bucket)?;
        self.names()?.upload(bucket, key, upload).map_err(failed)
    }

    pub(crate) async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let (max, max_parts) = limit("max-parts", input.max_parts)?;
        let after = u32::try_from(input.part_number_marker.unwrap_or(0)).map_err(|_| {
            s3_error!(
                InvalidArgument,
                "Argument part-number-marker must be an integer between 0 and 2147483647"
            )
        })?;
        let Some(record) = self.upload(&input.bucket, &input.key, &input.upload_id)? else {
            return Err(s3_error!(NoSuchUpload));
        };
        let mut parts = self
            .names()?
            .parts(&input.upload_id, after, max + 1)
            .map_err(failed)?;
        let truncated = parts.len() > max;
        parts.truncate(max);
        let next = parts.last().map_or(after, |part| part.number);
        let owners = self.owners(&input.bucket)?;
        let abort = self.abort_due(&input.bucket, &input.key, record.started)?;
        Ok(S3Response::new(ListPartsOutput {
            abort_date: abort.as_ref().map(|(date, _)| when(*date)),
            abort_rule_id: abort.map(|(_, rule)| rule),
            bucket: Some(input.bucket),
            checksum_algorithm: record.checksum_algorithm.map(ChecksumAlgorithm::from),
            checksum_type: record.checksum_type.map(ChecksumType::from),
            initiator: Some(owners.initiator(&record.actor)),
            is_truncated: Some(truncated),
            key: Some(printable(&input.key)),
            max_parts: Some(max_parts),
            next_part_number_marker: Some(next as i32),
            owner: Some(owners.of(record.owner.as_deref())),
            part_number_marker: Some(after as i32),
            parts: Some(parts.into_iter().map(listed).collect()),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            upload_id: Some(input.upload_id),
            ..Default::default()
        }))
    }

    pub(crate) async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let (max, max_uploads) = limit("max-uploads", input.max_uploads)?;
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let query = UploadQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            key_marker: filled(&input.key_marker),
            // S3 ignores it without a key marker.
            upload_marker: filled(&input.upload_id_marker).filter(|_| filled(&input.key_marker).is_some()),
            delimiter: filled(&input.delimiter),
            max,
        };
        self.bucket(&input.bucket)?;
        let page = match max {
            0 => UploadPage::default(),
            _ => self.names()?.uploads(&input.bucket, &query).map_err(failed)?,
        };
        let (next_key, next_upload) = page.next.clone().unzip();
        let owners = self.owners(&input.bucket)?;
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            common_prefixes: prefixes(page.prefixes, encoding),
            delimiter: query
                .delimiter
                .as_deref()
                .map(|delimiter| encoding.text(delimiter)),
            encoding_type: input.encoding_type,
            is_truncated: Some(page.next.is_some()),
            key_marker: Some(encoding.text(input.key_marker.as_deref().unwrap_or_default())),
            max_uploads: Some(max_uploads),
            next_key_marker: next_key.map(|key| encoding.text(&key)),
            next_upload_id_marker: next_upload.flatten(),
            prefix: Some(encoding.text(&query.prefix)),
            upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
            uploads: Some(
                page.uploads
                    .into_iter()
                    .map(|record| open(record, encoding, &owners))
                    .collect(),
            ),
            request_charged: None,
        }))
    }

    pub(crate) async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let caller = caller(&request)?;
        let input = &request.input;
        let record = match self.upload(&input.bucket, &input.key, &input.upload_id)? {
            Some(record) => record,
            // A client that lost the answer asks again, and is to get the same one.
            None => return self.completed_before(&request),
        };
        let parts = completed_parts(input.multipart_upload.as_ref(), &record)?;
        let ask = Ask {
            headers: &request.headers,
            query: None,
            bucket: &input.bucket,
            key: &input.key,
            caller: &caller,
        };
        let complete = CompleteRequest {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            upload: input.upload_id.clone(),
            parts,
            checksum: whole_checksum(&request.headers, &record)?,
            size: input
                .mpu_object_size
                .map(|size| size.try_into().unwrap_or(u64::MAX)),
            expect: self.expected(&ask)?,
            caller: caller.clone(),
        };
        let done = match self.objects.complete_upload(complete).await {
            Ok(done) => done,
            Err(ObjectError::NoSuchUpload { .. }) => return self.completed_before(&request),
            Err(error) => return Err(failed(error)),
        };
        let output = completed(&request, &done.etag, done.version.clone(), done.checksum.as_ref());
        let mut answer = HeaderMap::new();
        headers::stead(&mut answer, Some(&done.cid), Some(done.position));
        self.announce_expiry_of_new(&input.bucket, &input.key, &mut answer)?;
        Ok(S3Response::with_headers(output, answer))
    }

    /// The answer to the completion of an upload that is complete already.
    fn completed_before(
        &self,
        request: &S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = &request.input;
        let states = self
            .names()?
            .versions(&input.bucket, &input.key)
            .map_err(failed)?;
        let made = states
            .into_iter()
            .find(|state| state.listed && state.upload.as_ref() == Some(&input.upload_id));
        let Some(record) = made else {
            return Err(s3_error!(NoSuchUpload));
        };
        let output = completed(
            request,
            &record.etag,
            record.version.clone(),
            record.checksum.as_ref(),
        );
        let mut answer = HeaderMap::new();
        headers::stead(&mut answer, record.cid.as_ref(), Some(record.seq));
        Ok(S3Response::with_headers(output, answer))
    }

    pub(crate) async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let caller = caller(&request)?;
        let input = request.input;
        self.objects
            .abort_upload(&input.bucket, &input.key, &input.upload_id, caller)
            .await
            .map_err(failed)?;
        Ok(at(AbortMultipartUploadOutput::default(), None))
    }
}

/// The type that an algorithm has where none is named.
fn default_type(algorithm: Algorithm) -> &'static str {
    if algorithm == Algorithm::Crc64Nvme {
        ChecksumType::FULL_OBJECT
    } else {
        ChecksumType::COMPOSITE
    }
}

/// Whether the checksum of an upload is over its parts' checksums, if that was said.
fn composite(algorithm: Option<Algorithm>, kind: Option<&ChecksumType>) -> S3Result<Option<bool>> {
    let Some(kind) = kind else { return Ok(None) };
    let Some(algorithm) = algorithm else {
        return Err(s3_error!(
            InvalidRequest,
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        ));
    };
    let composite = match kind.as_str() {
        ChecksumType::COMPOSITE => true,
        ChecksumType::FULL_OBJECT => false,
        _ => {
            return Err(s3_error!(
                InvalidRequest,
                "Value for x-amz-checksum-type header is invalid."
            ));
        }
    };
    let fits = match algorithm {
        Algorithm::Crc64Nvme => !composite,
        Algorithm::Sha1 | Algorithm::Sha256 => composite,
        Algorithm::Crc32 | Algorithm::Crc32c => true,
    };
    if !fits {
        return Err(s3_error!(
            InvalidRequest,
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            kind.as_str(),
            algorithm.name()
        ));
    }
    Ok(Some(composite))
}

fn completed_parts(
    listed: Option<&CompletedMultipartUpload>,
    record: &UploadRecord,
) -> S3Result<Vec<objects::CompletedPart>> {
    let listed = listed
        .and_then(|listed| listed.parts.as_ref())
        .filter(|parts| !parts.is_empty());
    let Some(listed) = listed else {
        return Err(s3_error!(MalformedXML));
    };
    let needed = match (&record.checksum_algorithm, record.checksum_type.as_deref()) {
        (Some(algorithm), Some("COMPOSITE")) => Some(algorithm.as_str()),
        _ => None,
    };
    let mut parts = Vec::with_capacity(listed.len());
    let mut last = 0;
    for part in listed {
        let (Some(number), Some(etag)) = (part.part_number, &part.e_tag) else {
            return Err(s3_error!(MalformedXML));
        };
        let number = u32::try_from(number)
            .ok()
            .filter(|n| (1..=10_000).contains(n))
            .ok_or_else(|| s3_error!(InvalidArgument, "PartNumber must be >= 1 and <= 10000"))?;
        if number <= last {
            return Err(s3_error!(InvalidPartOrder));
        }
        last = number;
        let checksum = part_checksum(part);
        if let (Some(algorithm), None) = (needed, &checksum) {
            let algorithm = algorithm.to_ascii_lowercase();
            return Err(s3_error!(
                InvalidRequest,
                "The upload was created using a {algorithm} checksum. The complete request must include the \
                 checksum for each part. It was missing for part {number} in the request."
            ));
        }
        parts.push(objects::CompletedPart {
            number,
            etag: etag.value().to_owned(),
            checksum,
        });
    }
    Ok(parts)
}

fn part_checksum(part: &CompletedPart) -> Option<String> {
    let values = [
        &part.checksum_crc32,
        &part.checksum_crc32c,
        &part.checksum_crc64nvme,
        &part.checksum_sha1,
        &part.checksum_sha256,
    ];
    values.into_iter().flatten().next().cloned()
}

/// The whole object's checksum as the request's headers have it.
fn whole_checksum(headers: &HeaderMap, record: &UploadRecord) -> S3Result<Option<(Algorithm, String)>> {
    let kind = headers
        .get("x-amz-checksum-type")
        .and_then(|kind| kind.to_str().ok());
    if let (Some(kind), Some(known)) = (kind, &record.checksum_type)
        && kind != known
    {
        return Err(s3_error!(
            InvalidRequest,
            "The upload was created using the {known} checksum mode. The complete request must use the same checksum \
             mode."
        ));
    }
    for algorithm in Algorithm::ALL {
        let Some(value) = headers.get(algorithm.header()) else {
            continue;
        };
        let value = claims::value(algorithm, value.to_str().unwrap_or_default().trim())?;
        return Ok(Some((algorithm, value)));
    }
    Ok(None)
}

fn completed(
    request: &S3Request<CompleteMultipartUploadInput>,
    etag: &str,
    version: Option<String>,
    checksum: Option<&event::Checksum>,
) -> CompleteMultipartUploadOutput {
    let input = &request.input;
    let host = request
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let key: Vec<_> = input
        .key
        .split('/')
        .map(|s| utf8_percent_encode(s, NON_ALPHANUMERIC).to_string())
        .collect();
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        checksum_type: checksum.map(checksum_type),
        e_tag: Some(tag(etag)),
        key: Some(printable(&input.key)),
        location: Some(format!("http://{host}/{}/{}", input.bucket, key.join("/"))),
        version_id: version,
        ..Default::default()
    };
    put_checksum!(output, checksum);
    output
}

fn listed(record: PartRecord) -> Part {
    let mut part = Part {
        e_tag: Some(tag(&record.etag)),
        last_modified: Some(when(record.at)),
        part_number: Some(record.number as i32),
        size: Some(signed(record.size)),
        ..Default::default()
    };
    put_checksum!(part, &record.checksum);
    part
}

fn open(record: UploadRecord, encoding: Encoding, owners: &Owners) -> MultipartUpload {
    MultipartUpload {
        checksum_algorithm: record.checksum_algorithm.map(ChecksumAlgorithm::from),
        checksum_type: record.checksum_type.map(ChecksumType::from),
        initiated: Some(when(record.started)),
        initiator: Some(owners.initiator(&record.actor)),
        key: Some(encoding.text(&record.key)),
        owner: Some(owners.of(record.owner.as_deref())),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(record.id.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_types_fit_their_algorithms() {
        let of = |algorithm, kind| composite(Some(algorithm), Some(&ChecksumType::from_static(kind)));
        assert_eq!(of(Algorithm::Crc32, "COMPOSITE").unwrap(), Some(true));
        assert_eq!(of(Algorithm::Crc32c, "FULL_OBJECT").unwrap(), Some(false));
        assert_eq!(of(Algorithm::Crc64Nvme, "FULL_OBJECT").unwrap(), Some(false));
        assert!(of(Algorithm::Crc64Nvme, "COMPOSITE").is_err());
        assert!(of(Algorithm::Sha256, "FULL_OBJECT").is_err());
        assert!(of(Algorithm::Sha1, "SOME").is_err());
        assert!(composite(None, Some(&ChecksumType::from_static("COMPOSITE"))).is_err());
        assert_eq!(composite(None, None).unwrap(), None);
        assert_eq!(default_type(Algorithm::Crc64Nvme), "FULL_OBJECT");
        assert_eq!(default_type(Algorithm::Sha256), "COMPOSITE");
    }
}
