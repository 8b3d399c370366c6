//! Preconditions that are about names.

use super::read::{bucket, newest, version};
use super::stored::StoredPart;
use super::{rows, uploads};
use crate::error::ViewError;
use crate::tables::{Read, TableId};
use stead_event::EventId;
use stead_log::{Expect, Precondition};

/// Whether a precondition holds; one that is not about names does.
pub(crate) fn holds(read: &impl Read, precondition: &Precondition) -> Result<bool, ViewError> {
    Ok(match precondition {
        Precondition::BucketExists(name) => bucket(read, name)?.is_some(),
        Precondition::BucketAbsent(name) => bucket(read, name)?.is_none(),
        Precondition::BucketEmpty(name) => match bucket(read, name)? {
            Some(bucket) => is_empty(read, bucket.id)?,
            None => true,
        },
        Precondition::Object { bucket, key, expect } => object(read, bucket, key, expect)?,
        Precondition::VersionExists {
            bucket: name,
            key,
            version: id,
        } => match bucket(read, name)? {
            Some(bucket) => version(read, bucket.id, key, id)?.is_some(),
            None => false,
        },
        Precondition::UploadOpen {
            bucket: name,
            key,
            upload,
        } => match bucket(read, name)? {
            Some(bucket) => uploads::upload(read, bucket.id, key, upload)?.is_some(),
            None => false,
        },
        Precondition::UploadParts { upload, parts } => parts_match(read, upload, parts)?,
        _ => true,
    })
}

/// Open uploads do not count: they go with their bucket.
pub(super) fn is_empty(read: &impl Read, bucket: u64) -> Result<bool, ViewError> {
    for table in [TableId::Current, TableId::Versions] {
        if read
            .prefixed(table, &bucket.to_be_bytes())?
            .next()
            .transpose()?
            .is_some()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn object(read: &impl Read, name: &str, key: &str, expect: &Expect) -> Result<bool, ViewError> {
    let state = match bucket(read, name)? {
        Some(bucket) => newest(read, &bucket, key)?.filter(|state| !state.marker),
        None => None,
    };
    Ok(match expect {
        Expect::Absent => state.is_none(),
        Expect::Present => state.is_some(),
        Expect::ETag(etag) => state.is_some_and(|state| state.etag == *etag),
        Expect::Event(event) => state.is_some_and(|state| state.event == *event),
    })
}

fn parts_match(read: &impl Read, upload: &str, parts: &[(u32, String)]) -> Result<bool, ViewError> {
    let Ok(id) = upload.parse::<EventId>() else {
        return Ok(false);
    };
    for (number, etag) in parts {
        let part: Option<StoredPart> = read.value(TableId::Parts, &rows::part(&id, *number))?;
        if part.is_none_or(|part| part.etag != *etag) {
            return Ok(false);
        }
    }
    Ok(true)
}
