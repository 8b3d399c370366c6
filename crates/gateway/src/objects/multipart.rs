//! Multipart uploads: start, parts, abort. Each part is a file of its own until the upload is complete.

use super::checksum::{Algorithm, ChecksumSpec};
use super::cipher::{self, Cipher};
use super::ingest::{Incoming, Ingested, Keeping, ingest};
use super::{
    BodyError, ByteRange, CustomerKey, GetRequest, Lock, ObjectError, Objects, PartCopyRequest, PartDone,
    PartRequest, StartRequest, Verify, put, rules,
};
use crate::Caller;
use crate::access::Wanted;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::pin::pin;
use stead_event::body::{KeyHolder, UploadAborted, UploadPart, UploadStarted};
use stead_log::{Draft, Precondition};
use stead_view::UploadRecord;

impl Objects {
    /// Opens a multipart upload; answers its id, and whose key it is encrypted with.
    pub async fn start_upload(
        &self,
        request: StartRequest,
    ) -> Result<(String, Option<KeyHolder>), ObjectError> {
        self.start_upload_listed(request, &Wanted::Unsaid).await
    }

    /// As [`Self::start_upload`], with the access control list that the object is to have.
    pub async fn start_upload_listed(
        &self,
        request: StartRequest,
        list: &Wanted,
    ) -> Result<(String, Option<KeyHolder>), ObjectError> {
        let StartRequest {
            bucket,
            key,
            headers,
            metadata,
            tags,
            lock,
            protect,
            checksum_algorithm,
            checksum_composite,
            caller,
        } = request;
        let Caller { identity, via } = caller;
        identity.check_write(&bucket)?;
        rules::key(&key)?;
        if lock != Lock::default() {
            self.require_lock(&bucket)?;
        }
        let belongs = self.context().access().belongs(&identity, &bucket, list)?;
        put::check_metadata(&self.context().limits, &metadata)?;
        put::check_tags(&self.context().limits, &tags)?;
        let kind = checksum_kind(checksum_algorithm, checksum_composite)?;
        let encryption = self
            .secret_for(&bucket, protect)?
            .map(|secret| secret.describe(hex::encode(self.context().rng.bytes::<16>())));
        let encrypted = encryption.as_ref().map(|encryption| encryption.holder);
        let require = vec![Precondition::BucketExists(bucket.clone())];
        let draft = self.draft(
            &identity,
            UploadStarted {
                encryption,
                acl: belongs.acl,
                hold: lock.hold,
                owner: belongs.owner,
                retention: lock.retention,
                bucket,
                checksum_algorithm: checksum_algorithm.map(|algorithm| algorithm.name().into()),
                checksum_type: kind.map(Into::into),
                headers,
                key,
                metadata,
                tags,
                via,
            },
        );
        let id = draft.id;
        self.append(require, vec![draft], Vec::new()).await?;
        Ok((id.to_string(), encrypted))
    }

    /// Stores one part.
    pub async fn put_part<S>(
        &self,
        request: PartRequest,
        body: S,
        verify: Verify,
    ) -> Result<PartDone, ObjectError>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let body = pin!(body);
        self.put_part_pinned(request, body, verify).await
    }

    async fn put_part_pinned(
        &self,
        request: PartRequest,
        body: Incoming<'_>,
        mut verify: Verify,
    ) -> Result<PartDone, ObjectError> {
        let upload = self.open_upload(&request)?;
        verify.checksum = part_checksum(&upload, verify.checksum)?;
        let encrypted = upload.encryption.as_ref().map(|encryption| encryption.holder);
        let (cipher, salt) = self.begin_part(&upload, request.customer_key.as_ref())?.unzip();
        let PartRequest {
            bucket,
            key,
            upload,
            number,
            customer_key: _,
            caller,
        } = request;
        let Caller { identity, via } = caller;
        let max = self.context().limits.put_bytes;
        let durability = self.durability_for(&bucket, verify.content_length)?;
        let keeping = Keeping { cipher, durability };
        let taken = ingest(self.context(), &self.intake, body, verify, max, keeping).await?;
        let Ingested {
            cid,
            size,
            md5,
            checksum,
            inline,
            stripes,
            pin,
        } = taken;
        let etag = hex::encode(md5);
        let require = vec![Precondition::UploadOpen {
            bucket: bucket.clone(),
            key: key.clone(),
            upload: upload.clone(),
        }];
        let part = UploadPart {
            salt,
            stripes,
            bucket,
            checksum: Some(checksum.clone()),
            cid,
            etag: etag.clone(),
            key,
            number,
            size,
            upload,
            via,
        };
        let draft = self.draft(&identity, part);
        let Draft { at, .. } = draft;
        let appended = self.append(require, vec![draft], inline).await;
        drop(pin);
        Ok(PartDone {
            cid,
            etag,
            size,
            position: appended?.first,
            at,
            checksum: Some(checksum),
            encrypted,
        })
    }

    /// The cipher of a new part's bytes and its salt, where the upload is encrypted.
    fn begin_part(
        &self,
        upload: &UploadRecord,
        key: Option<&CustomerKey>,
    ) -> Result<Option<(Cipher, String)>, ObjectError> {
        let Some(encryption) = &upload.encryption else {
            return match key {
                Some(_) => Err(ObjectError::NotEncrypted),
                None => Ok(None),
            };
        };
        let secret = cipher::open(encryption, &self.context().secrets, key)?;
        Ok(Some(secret.begin(&self.context().rng)))
    }

    /// Checks the request for a part against the open upload, before any byte is read.
    fn open_upload(&self, request: &PartRequest) -> Result<UploadRecord, ObjectError> {
        let PartRequest {
            bucket,
            key,
            upload,
            number,
            caller,
            ..
        } = request;
        caller.identity.check_write(bucket)?;
        if !(1..=self.context().limits.parts).contains(number) {
            return Err(ObjectError::PartNumber(*number));
        }
        self.upload_record(bucket, key, upload)
    }

    pub(super) fn upload_record(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
    ) -> Result<UploadRecord, ObjectError> {
        let names = self.context().views.names()?;
        match names.upload(bucket, key, upload)? {
            Some(record) => Ok(record),
            None if names.bucket(bucket)?.is_none() => Err(ObjectError::NoSuchBucket(bucket.to_owned())),
            None => Err(no_upload(bucket, key, upload)),
        }
    }

    /// Makes a part of (a range of) an object. The bytes pass through this node once more, because the
    /// part's MD5 must be known; its leaves are mostly there already and are not stored again.
    pub async fn copy_part(&self, request: PartCopyRequest) -> Result<PartDone, ObjectError> {
        let PartCopyRequest {
            part,
            source_bucket,
            source_key,
            source_version,
            source_etag,
            source_customer_key,
            range,
        } = request;
        let (record, pin) = self.pinned(&GetRequest {
            who: &part.caller.identity,
            bucket: &source_bucket,
            key: &source_key,
            version: source_version.as_deref(),
            at: None,
            range: None,
        })?;
        put::check_source_etag(source_etag.as_deref(), &record.etag)?;
        let range = match range {
            None => None,
            Some((first, last)) if first <= last && last < record.size => {
                Some(ByteRange::From(first, Some(last)))
            }
            Some(_) => return Err(ObjectError::Range { size: record.size }),
        };
        let opened = self
            .body_with(&record, range, source_customer_key.as_ref())
            .await?;
        let verify = Verify {
            content_length: Some(opened.body.remaining()),
            ..Verify::default()
        };
        let body = opened
            .body
            .map(|frame| frame.map_err(|error| BodyError::Interrupted(error.to_string())));
        let done = self.put_part(part, body, verify).await;
        drop(pin);
        done
    }

    /// Gives an upload up.
    pub async fn abort_upload(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let Caller { identity, via } = caller;
        identity.check_write(bucket)?;
        self.upload_record(bucket, key, upload)?;
        let [bucket, key, upload] = [bucket, key, upload].map(str::to_owned);
        let open = Precondition::UploadOpen {
            bucket: bucket.clone(),
            key: key.clone(),
            upload: upload.clone(),
        };
        self.append_one(
            &identity,
            vec![open],
            UploadAborted {
                bucket,
                key,
                upload,
                via,
            },
        )
        .await?;
        Ok(())
    }
}

pub(super) fn no_upload(bucket: &str, key: &str, upload: &str) -> ObjectError {
    ObjectError::NoSuchUpload {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        upload: upload.chars().take(100).collect(),
    }
}

/// S3's table of which algorithm goes with which type
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>).
fn checksum_kind(
    algorithm: Option<Algorithm>,
    composite: Option<bool>,
) -> Result<Option<&'static str>, ObjectError> {
    let Some(algorithm) = algorithm else {
        return match composite {
            Some(true) => Err(ObjectError::Invalid(
                "a checksum type needs a checksum algorithm".into(),
            )),
            _ => Ok(None),
        };
    };
    let wrong = |kind| {
        ObjectError::Invalid(format!(
            "{algorithm} has no {kind} checksum of a multipart object"
        ))
    };
    match (algorithm, composite) {
        (Algorithm::Crc64Nvme, Some(true)) => Err(wrong("COMPOSITE")),
        (Algorithm::Sha1 | Algorithm::Sha256, Some(false)) => Err(wrong("FULL_OBJECT")),
        (Algorithm::Crc64Nvme, _) | (Algorithm::Crc32 | Algorithm::Crc32c, Some(false)) => {
            Ok(Some("FULL_OBJECT"))
        }
        _ => Ok(Some("COMPOSITE")),
    }
}

/// A part's checksum is of the upload's algorithm; one that the client does not send is computed.
fn part_checksum(upload: &UploadRecord, spec: ChecksumSpec) -> Result<ChecksumSpec, ObjectError> {
    let Some(algorithm) = upload
        .checksum_algorithm
        .as_deref()
        .and_then(|name| name.parse().ok())
    else {
        return Ok(spec);
    };
    match spec {
        ChecksumSpec::Default => Ok(ChecksumSpec::Compute(algorithm)),
        spec if spec.algorithm() == algorithm => Ok(spec),
        spec => Err(ObjectError::Invalid(format!(
            "the upload was started with {algorithm} checksums, the part has {}",
            spec.algorithm()
        ))),
    }
}
