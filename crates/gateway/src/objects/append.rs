//! From a change to an append and back: drafts, and rejections as errors that people understand.

use super::{ObjectError, Objects};
use crate::Identity;
use crate::locks::Fence;
use bytes::Bytes;
use stead_event::{Body, Cid, Tenant, Timestamp};
use stead_log::{Append, Appended, Draft, Expect, LogError, Precondition, Rejection};

impl Objects {
    pub(super) fn draft(&self, who: &Identity, body: impl Into<Body>) -> Draft {
        let context = self.context();
        let micros = context.clock.now_micros();
        let millis = u64::try_from(micros / 1000).unwrap_or(0);
        Draft {
            actor: who.principal.clone(),
            at: Timestamp::from_micros(micros),
            body: body.into(),
            cause: None,
            id: stead_event::EventId::new(millis, context.rng.bytes()),
        }
    }

    pub(super) async fn append(
        &self,
        mut require: Vec<Precondition>,
        events: Vec<Draft>,
        blocks: Vec<(Cid, Bytes)>,
    ) -> Result<Appended, ObjectError> {
        require.extend(self.fence.as_ref().map(Fence::precondition));
        self.append_to(self.context().tenant.clone(), require, events, blocks)
            .await
    }

    /// An append to another tenant's log: the system's, which has the keys.
    pub(super) async fn append_to(
        &self,
        tenant: Tenant,
        require: Vec<Precondition>,
        events: Vec<Draft>,
        blocks: Vec<(Cid, Bytes)>,
    ) -> Result<Appended, ObjectError> {
        let context = self.context();
        let append = Append {
            node: None,
            tenant,
            require,
            events,
            blocks,
        };
        let appended = context.log().append(append).await?;
        context.metrics.appended(appended.last + 1 - appended.first);
        Ok(appended)
    }

    /// An append of one event without blocks.
    pub(crate) async fn append_one(
        &self,
        who: &Identity,
        require: Vec<Precondition>,
        body: impl Into<Body>,
    ) -> Result<Appended, ObjectError> {
        let draft = self.draft(who, body);
        self.append(require, vec![draft], Vec::new()).await
    }
}

impl From<LogError> for ObjectError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Rejected(rejection) => rejection.into(),
            LogError::Full => Self::Full,
            LogError::Busy => Self::Busy,
            LogError::Unavailable(why) => Self::Unavailable(why),
            LogError::Invalid(why) => Self::Internal(format!("the append is not valid: {why}")),
        }
    }
}

impl From<Rejection> for ObjectError {
    fn from(Rejection(precondition): Rejection) -> Self {
        match precondition {
            Precondition::BucketExists(bucket) => Self::NoSuchBucket(bucket),
            Precondition::BucketAbsent(bucket) => Self::BucketExists(bucket),
            Precondition::BucketEmpty(bucket) => Self::BucketNotEmpty(bucket),
            Precondition::Object { bucket, key, expect } => Self::Precondition(match expect {
                Expect::Absent => format!("{bucket}/{key} exists already"),
                Expect::Present => format!("{bucket}/{key} does not exist"),
                Expect::ETag(etag) => format!("{bucket}/{key} is not at ETag {etag}"),
                Expect::Event(event) => format!("{bucket}/{key} is not what event {event} made of it"),
            }),
            Precondition::VersionExists { bucket, key, version } => {
                Self::NoSuchVersion { bucket, key, version }
            }
            Precondition::UploadOpen { bucket, key, upload } => Self::NoSuchUpload { bucket, key, upload },
            Precondition::UploadParts { upload, .. } => {
                Self::Precondition(format!("the parts of upload {upload} changed meanwhile"))
            }
            Precondition::Unlocked { bucket, key, .. } => Self::Locked { bucket, key },
            Precondition::KeyAbsent(key) => Self::AccessKeyExists(key),
            Precondition::KeyActive(key) => Self::NoSuchAccessKey(key),
            Precondition::LockFree(name) => Self::LockTaken {
                name,
                owner: "somebody else".into(),
            },
            Precondition::LockHeld { name, token } => Self::LockLost { name, token },
            Precondition::ConfigAt(revision) => Self::ConfigChanged(revision),
            Precondition::Term(term) => Self::Unavailable(format!("term {term} is over")),
            Precondition::LogAt(position) => {
                Self::Precondition(format!("the log does not end at position {position}"))
            }
            Precondition::SegmentUnsealed { tenant, first } => {
                Self::Precondition(format!("the segment {first} of {tenant} is sealed already"))
            }
        }
    }
}
