//! Putting and copying objects.

use super::cipher::{Cipher, CustomerKey, Runs, Secret};
use super::digest::{Claims, Digester};
use super::ingest::{Incoming, Ingested, Keeping, ingest};
use super::{
    Algorithm, BodyError, ChecksumSpec, CopyRequest, GetRequest, Lock, ObjectError, Objects, Protect,
    PutDone, PutRequest, Verify, rules,
};
use crate::access::{Belongs, Wanted};
use crate::{Caller, Limits};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::pin::pin;
use stead_block::Durability;
use stead_event::body::{Checksum, Encryption, KeyHolder, ObjectPut, Part, Versioning};
use stead_event::{Cid, EventId, TextMap};
use stead_log::command::INLINE_MAX;
use stead_log::{Draft, Expect, Precondition};
use stead_runtime::blocking;
use stead_view::ObjectRecord;

/// The name of the configuration document that says that a bucket's objects are encrypted with the node's key.
pub const ENCRYPTION: &str = "encryption";

/// What a copy's event says of its bytes.
struct Stored {
    cid: Cid,
    etag: String,
    checksum: Option<Checksum>,
    parts: Vec<Part>,
    encryption: Option<Encryption>,
    inline: Vec<(Cid, Bytes)>,
    pin: Option<stead_block::Pin>,
}

impl Objects {
    /// Stores an object.
    pub async fn put<S>(&self, request: PutRequest, body: S, verify: Verify) -> Result<PutDone, ObjectError>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        self.put_listed(request, &Wanted::Unsaid, body, verify).await
    }

    /// As [`Self::put`], with an access control list.
    pub async fn put_listed<S>(
        &self,
        request: PutRequest,
        list: &Wanted,
        body: S,
        verify: Verify,
    ) -> Result<PutDone, ObjectError>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let access = self.context().access();
        let belongs = access.belongs(&request.caller.identity, &request.bucket, list)?;
        let body = pin!(body);
        self.put_pinned(request, belongs, body, verify).await
    }

    async fn put_pinned(
        &self,
        request: PutRequest,
        belongs: Belongs,
        body: Incoming<'_>,
        verify: Verify,
    ) -> Result<PutDone, ObjectError> {
        let PutRequest {
            bucket,
            key,
            headers,
            metadata,
            tags,
            lock,
            protect,
            expect,
            caller,
        } = request;
        let Caller { identity, via } = caller;
        identity.check_write(&bucket)?;
        rules::key(&key)?;
        if lock != Lock::default() {
            self.require_lock(&bucket)?;
        }
        let limits = &self.context().limits;
        check_metadata(limits, &metadata)?;
        check_tags(limits, &tags)?;
        if verify
            .content_length
            .is_none_or(|length| length > INLINE_MAX as u64)
        {
            // The append checks this for all; here it spares a client from sending gigabytes in vain.
            self.require_bucket(&bucket)?;
        }
        let (cipher, encryption) = self.begin(self.secret_for(&bucket, protect)?).unzip();
        let durability = self.durability_for(&bucket, verify.content_length)?;
        let taken = ingest(
            self.context(),
            &self.intake,
            body,
            verify,
            limits.put_bytes,
            Keeping { cipher, durability },
        )
        .await?;
        let Ingested {
            cid,
            size,
            md5,
            checksum,
            inline,
            stripes,
            pin,
        } = taken;
        let put = ObjectPut {
            encryption,
            acl: belongs.acl,
            hold: lock.hold,
            owner: belongs.owner,
            retention: lock.retention,
            bucket,
            checksum: Some(checksum),
            cid,
            stripes,
            etag: hex::encode(md5),
            headers,
            key,
            metadata,
            parts: Vec::new(),
            size,
            source: None,
            tags,
            upload: None,
            via,
        };
        let done = self.append_put(&identity, put, Vec::new(), expect, inline).await;
        drop(pin);
        done
    }

    /// Appends a put whose blocks are stored, or in `inline`.
    pub(super) async fn append_put(
        &self,
        who: &crate::Identity,
        mut put: ObjectPut,
        mut require: Vec<Precondition>,
        expect: Option<Expect>,
        inline: Vec<(stead_event::Cid, Bytes)>,
    ) -> Result<PutDone, ObjectError> {
        let (bucket, checksum) = (put.bucket.clone(), put.checksum.clone());
        let (cid, etag, size) = (put.cid, put.etag.clone(), put.size);
        let encrypted = put.encryption.as_ref().map(|encryption| encryption.holder);
        require.insert(0, Precondition::BucketExists(bucket.clone()));
        // Whoever asked for nothing to be there is never told that nothing is: the object that was in the way may
        // be gone again by the time that this is looked at.
        let expected = expect.as_ref().filter(|expect| **expect != Expect::Absent);
        let expected = expected.map(|_| put.key.clone());
        if let Some(expect) = expect {
            require.push(Precondition::Object {
                bucket: bucket.clone(),
                key: put.key.clone(),
                expect,
            });
        }
        let asked = Lock {
            retention: put.retention,
            hold: put.hold,
        };
        put.retention = self.lock_of_put(&bucket, asked, self.context().now())?.retention;
        let draft = self.draft(who, put);
        let Draft { id: event, at, .. } = draft;
        let appended = match self.append(require, vec![draft], inline).await {
            Err(ObjectError::Precondition(why)) => return Err(self.unmet(&bucket, expected, why)),
            appended => appended?,
        };
        let version = self.version_of(&bucket, event)?;
        Ok(PutDone {
            cid,
            etag,
            size,
            position: appended.first,
            event,
            at,
            version,
            checksum,
            encrypted,
        })
    }

    /// A condition on a key that does not exist says so, as S3 does.
    fn unmet(&self, bucket: &str, key: Option<String>, why: String) -> ObjectError {
        let missing = |key: &str| {
            let names = self.context().views.names().ok()?;
            let found = names.object(bucket, key).ok()?;
            Some(found.is_none_or(|record| record.marker))
        };
        match key {
            Some(key) if missing(&key) == Some(true) => ObjectError::NoSuchKey {
                bucket: bucket.to_owned(),
                key,
            },
            _ => ObjectError::Precondition(why),
        }
    }

    /// What a new object in `bucket` is encrypted from; `None` where it is not encrypted.
    pub(super) fn secret_for(&self, bucket: &str, protect: Protect) -> Result<Option<Secret>, ObjectError> {
        let node = || Secret::Node(self.context().secrets.clone());
        Ok(match protect {
            Protect::Node => Some(node()),
            Protect::Customer(key) => Some(Secret::Customer(key)),
            Protect::AsBucket => {
                let configured = self.context().views.names()?.config(bucket, ENCRYPTION)?;
                configured.map(|_| node())
            }
        })
    }

    pub(crate) fn require_bucket(&self, bucket: &str) -> Result<(), ObjectError> {
        match self.context().views.names()?.bucket(bucket)? {
            Some(_) => Ok(()),
            None => Err(ObjectError::NoSuchBucket(bucket.to_owned())),
        }
    }

    /// The version id that `event` gave a key of `bucket`; `None` where the bucket keeps no versions. It is
    /// read after the append: a change of the bucket's versioning in between gives the later answer.
    pub(super) fn version_of(&self, bucket: &str, event: EventId) -> Result<Option<String>, ObjectError> {
        let record = self.context().views.names()?.bucket(bucket)?;
        Ok(match record.map(|record| record.versioning).unwrap_or_default() {
            Versioning::Off => None,
            Versioning::Enabled => Some(event.to_string()),
            Versioning::Suspended => Some("null".into()),
        })
    }

    /// Makes an object of the blocks of another; no bytes move. The checksum is the source's.
    pub async fn copy(&self, request: CopyRequest) -> Result<PutDone, ObjectError> {
        self.copy_with(request, None).await
    }

    /// As [`Self::copy`], with a checksum of the whole by `algorithm`: where the source has another one, its
    /// bytes are read once more.
    pub async fn copy_with(
        &self,
        request: CopyRequest,
        algorithm: Option<Algorithm>,
    ) -> Result<PutDone, ObjectError> {
        self.copy_listed(request, algorithm, &Wanted::Unsaid).await
    }

    /// As [`Self::copy_with`], with an access control list: the source's is never copied.
    pub async fn copy_listed(
        &self,
        request: CopyRequest,
        algorithm: Option<Algorithm>,
        list: &Wanted,
    ) -> Result<PutDone, ObjectError> {
        let CopyRequest {
            source_bucket,
            source_key,
            source_version,
            source_at,
            source_etag,
            bucket,
            key,
            metadata,
            tags,
            lock,
            protect,
            source_customer_key,
            expect,
            caller: Caller { identity, via },
        } = request;
        identity.check_write(&bucket)?;
        rules::key(&key)?;
        let belongs = self.context().access().belongs(&identity, &bucket, list)?;
        let same_place = source_bucket == bucket && source_key == key;
        let current = source_version.is_none() && source_at.is_none();
        let as_is = metadata.is_none() && tags.is_none() && matches!(protect, Protect::AsBucket);
        if same_place && current && as_is {
            let why = "a copy of an object onto itself must change its metadata, its tags or its encryption";
            return Err(ObjectError::Invalid(why.into()));
        }
        let (record, pin) = self.pinned(&GetRequest {
            who: &identity,
            bucket: &source_bucket,
            key: &source_key,
            version: source_version.as_deref(),
            at: source_at,
            range: None,
        })?;
        check_source_etag(source_etag.as_deref(), &record.etag)?;
        let (headers, metadata) =
            metadata.unwrap_or_else(|| (record.headers.clone(), record.metadata.clone()));
        let tags = tags.unwrap_or_else(|| record.tags.clone());
        check_metadata(&self.context().limits, &metadata)?;
        check_tags(&self.context().limits, &tags)?;
        let secret = self.secret_for(&bucket, protect)?;
        let stored = self
            .stored_as(&record, secret, source_customer_key.as_ref(), algorithm)
            .await?;
        let stripes = self.stripes_of_copy(&bucket, &record, stored.cid)?;
        let source = source_name(&source_bucket, &source_key, record.version.as_deref());
        let put = ObjectPut {
            encryption: stored.encryption,
            acl: belongs.acl,
            hold: lock.hold,
            owner: belongs.owner,
            retention: lock.retention,
            bucket,
            checksum: stored.checksum,
            cid: stored.cid,
            stripes,
            etag: stored.etag,
            headers,
            key,
            metadata,
            parts: stored.parts,
            size: record.size,
            source: Some(source),
            tags,
            upload: None,
            via,
        };
        let done = self
            .append_put(&identity, put, Vec::new(), expect, stored.inline)
            .await;
        drop((pin, stored.pin));
        done
    }

    /// The bytes of a copy: those of its source, unless they are encrypted in another way.
    async fn stored_as(
        &self,
        record: &ObjectRecord,
        secret: Option<Secret>,
        key: Option<&CustomerKey>,
        algorithm: Option<Algorithm>,
    ) -> Result<Stored, ObjectError> {
        // Tells a wrong key before anything else.
        Runs::of(record, &self.context().secrets, key)?;
        let holder = record.encryption.as_ref().map(|encryption| encryption.holder);
        let same = matches!(
            (&secret, holder),
            (None, None) | (Some(Secret::Node(_)), Some(KeyHolder::Node))
        );
        if !same {
            return self.stored_anew(record, secret, key, algorithm).await;
        }
        let (checksum, parts) = self.checksum_of_copy(record, algorithm).await?;
        let cid = record
            .cid
            .ok_or_else(|| ObjectError::Damaged("an object without a CID".into()))?;
        Ok(Stored {
            cid,
            etag: record.etag.clone(),
            checksum,
            parts,
            encryption: record.encryption.clone(),
            inline: Vec::new(),
            pin: None,
        })
    }

    /// The bytes of an object once more, encrypted (or not) in another way: one run, so without parts.
    async fn stored_anew(
        &self,
        record: &ObjectRecord,
        secret: Option<Secret>,
        key: Option<&CustomerKey>,
        algorithm: Option<Algorithm>,
    ) -> Result<Stored, ObjectError> {
        let before = record.checksum.as_ref();
        let algorithm = algorithm.or_else(|| before.and_then(|checksum| checksum.algorithm.parse().ok()));
        let verify = Verify {
            content_length: Some(record.size),
            checksum: algorithm.map_or(ChecksumSpec::Default, ChecksumSpec::Compute),
            ..Verify::default()
        };
        let body = self.body_with(record, None, key).await?.body;
        let body = body.map(|frame| frame.map_err(|error| BodyError::Interrupted(error.to_string())));
        let (cipher, encryption) = self.begin(secret).unzip();
        let max = self.context().limits.object_bytes;
        // More copies, where its new bucket wants them, are made when copies are levelled.
        let keeping = Keeping {
            cipher,
            durability: Durability::default(),
        };
        let taken = ingest(self.context(), &self.intake, pin!(body), verify, max, keeping).await?;
        Ok(Stored {
            cid: taken.cid,
            etag: hex::encode(taken.md5),
            checksum: Some(taken.checksum),
            parts: Vec::new(),
            encryption,
            inline: taken.inline,
            pin: taken.pin,
        })
    }

    /// A run's cipher, and what its event says of it.
    fn begin(&self, secret: Option<Secret>) -> Option<(Cipher, Encryption)> {
        let secret = secret?;
        let (cipher, salt) = secret.begin(&self.context().rng);
        Some((cipher, secret.describe(salt)))
    }

    /// The checksum that a copy of `record` has, and its parts: those of a multipart object keep no checksums
    /// of another kind than the whole's.
    async fn checksum_of_copy(
        &self,
        record: &ObjectRecord,
        algorithm: Option<Algorithm>,
    ) -> Result<(Option<Checksum>, Vec<Part>), ObjectError> {
        let there = |algorithm: Algorithm| {
            let found = record.checksum.as_ref();
            found.is_some_and(|found| !found.composite && found.algorithm == algorithm.name())
        };
        let Some(algorithm) = algorithm.filter(|algorithm| !there(*algorithm)) else {
            return Ok((record.checksum.clone(), record.parts.clone()));
        };
        let mut digester = Digester::new(algorithm, false);
        let mut body = self.body(record, None).await?.body;
        while let Some(bytes) = body.next().await {
            let bytes = bytes?;
            digester = blocking(move || {
                digester.update(&bytes);
                digester
            })
            .await;
        }
        let claims = Claims::new(Verify {
            content_length: Some(record.size),
            checksum: ChecksumSpec::Compute(algorithm),
            ..Verify::default()
        })?;
        let checksum = claims.check(&digester.finish())?;
        let bare = |part: &Part| Part {
            checksum: None,
            ..part.clone()
        };
        Ok((Some(checksum), record.parts.iter().map(bare).collect()))
    }
}

/// `bucket/key`, and `?versionId=…` where the source is a version.
pub(super) fn source_name(bucket: &str, key: &str, version: Option<&str>) -> String {
    match version {
        None => format!("{bucket}/{key}"),
        Some(version) => format!("{bucket}/{key}?versionId={version}"),
    }
}

pub(super) fn check_source_etag(expected: Option<&str>, etag: &str) -> Result<(), ObjectError> {
    match expected {
        Some(expected) if expected != etag => Err(ObjectError::Precondition(format!(
            "the source is not at ETag {expected}"
        ))),
        _ => Ok(()),
    }
}

/// User metadata within the limit.
pub(super) fn check_metadata(limits: &Limits, metadata: &TextMap) -> Result<(), ObjectError> {
    let bytes: usize = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > limits.metadata_bytes {
        let (size, max) = (bytes as u64, limits.metadata_bytes as u64);
        return Err(ObjectError::TooLarge {
            what: "the user metadata",
            size,
            max,
        });
    }
    Ok(())
}

/// Tags by S3's rules: their number, and the length of names (1 to 128) and values (up to 256 characters).
pub(super) fn check_tags(limits: &Limits, tags: &TextMap) -> Result<(), ObjectError> {
    if tags.len() > limits.tags {
        let (size, max) = (tags.len() as u64, limits.tags as u64);
        return Err(ObjectError::TooLarge {
            what: "the number of tags",
            size,
            max,
        });
    }
    for (name, value) in tags {
        if !(1..=128).contains(&name.chars().count()) || value.chars().count() > 256 {
            let why = "a tag's name has 1 to 128 characters and its value at most 256";
            return Err(ObjectError::Invalid(why.into()));
        }
    }
    Ok(())
}
