//! Object lock, kept by the log: an event that a lock forbids is refused where it would be applied, whatever
//! the gateway that proposed it had checked. So a locked version stays listed, and the collector keeps its
//! blocks. Rules as in "Locking objects with Object Lock" of the Amazon S3 User Guide.

use super::preconditions::is_empty;
use super::read::{bucket, newest, version};
use super::rows;
use super::stored::{StoredBucket, StoredObject};
use crate::error::ViewError;
use crate::tables::{Read, TableId};
use stead_event::Body;
use stead_event::body::{BucketConfigured, BucketDeleted, BucketVersioned, Versioning};
use stead_log::{Draft, Precondition};

/// The name of the configuration document that says that a bucket locks objects.
pub const OBJECT_LOCK: &str = "object-lock";

/// The lock that forbids an event, as the precondition that does not hold.
pub(crate) fn lock_against(read: &impl Read, draft: &Draft) -> Result<Option<Precondition>, ViewError> {
    let (on, forbids) = match &draft.body {
        Body::ObjectDeleted(deleted) => {
            let on = (&deleted.bucket, &deleted.key, &deleted.version);
            // Without a version, a delete in a versioned bucket only puts a marker on top.
            let state = match (&deleted.version, bucket(read, on.0)?) {
                (None, Some(bucket)) if bucket.versioning != Versioning::Off => None,
                (_, Some(bucket)) => state(read, &bucket, on.1, on.2.as_deref())?,
                (_, None) => None,
            };
            (
                on,
                state.is_some_and(|state| state.is_locked(draft.at, deleted.bypass)),
            )
        }
        Body::ObjectRetained(retained) => {
            let on = (&retained.bucket, &retained.key, &retained.version);
            let state = match bucket(read, on.0)? {
                Some(bucket) => state(read, &bucket, on.1, on.2.as_deref())?,
                None => None,
            };
            let may = |state: StoredObject| state.may_retain(retained.retention, draft.at, retained.bypass);
            (on, state.is_some_and(|state| !may(state)))
        }
        body => return on_bucket(read, body),
    };
    let (bucket, key, version) = on;
    Ok(forbids.then(|| Precondition::Unlocked {
        bucket: bucket.clone(),
        key: key.clone(),
        version: version.clone(),
    }))
}

/// What a bucket that locks objects forbids: to stop keeping versions, to stop locking, to go with them.
fn on_bucket(read: &impl Read, body: &Body) -> Result<Option<Precondition>, ViewError> {
    let name = match body {
        Body::BucketVersioned(BucketVersioned { bucket, state, .. }) if *state != Versioning::Enabled => {
            bucket
        }
        Body::BucketConfigured(BucketConfigured {
            bucket,
            name,
            document: None,
            ..
        }) if name == OBJECT_LOCK => bucket,
        Body::BucketDeleted(BucketDeleted { bucket, .. }) => bucket,
        _ => return Ok(None),
    };
    let Some(found) = bucket(read, name)? else {
        return Ok(None);
    };
    let row = rows::config(found.id, OBJECT_LOCK);
    let locks = read.get(TableId::Configs, &row, |_| Ok(()))?.is_some();
    let forbids = locks && !(matches!(body, Body::BucketDeleted(_)) && is_empty(read, found.id)?);
    Ok(forbids.then(|| Precondition::Unlocked {
        bucket: name.clone(),
        key: String::new(),
        version: None,
    }))
}

fn state(
    read: &impl Read,
    bucket: &StoredBucket,
    key: &str,
    id: Option<&str>,
) -> Result<Option<StoredObject>, ViewError> {
    match id {
        Some(id) => version(read, bucket.id, key, id),
        None => newest(read, bucket, key),
    }
}
