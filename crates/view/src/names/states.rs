//! How the states of a key change places. Versioning follows what S3 documents ("How S3 Versioning works"
//! and "Adding objects to versioning-suspended buckets" in the Amazon S3 User Guide).
//!
//! Three tables hold the states of a key. `current`: its newest listed state, where that is an object.
//! `versions`: its other listed states, delete markers among them. `history`: what S3 no longer sees.

use super::fold::{NamesFold, close_upload};
use super::rows;
use super::stored::{StoredBucket, StoredObject};
use crate::error::ViewError;
use crate::tables::{Read, TableId, Tables};
use stead_event::body::{ObjectDeleted, ObjectPut, Versioning};
use stead_event::{Event, EventId};

impl NamesFold {
    pub(super) fn put(
        &mut self,
        tables: &mut Tables<'_>,
        event: &Event,
        put: &ObjectPut,
    ) -> Result<(), ViewError> {
        let Some(bucket) = self.bucket(tables, &put.bucket)? else {
            return Ok(());
        };
        let null = bucket.versioning != Versioning::Enabled;
        self.make_way(tables, &bucket, event, &put.key, null)?;
        self.set_current(tables, bucket.id, &put.key, &StoredObject::put(event, put, null))?;
        match &put.upload {
            Some(upload) => close_upload(tables, bucket.id, &put.key, upload),
            None => Ok(()),
        }
    }

    /// Moves what a new state (null or not) takes the place of: the current state, and the null version.
    fn make_way(
        &mut self,
        tables: &mut Tables<'_>,
        bucket: &StoredBucket,
        event: &Event,
        key: &str,
        null: bool,
    ) -> Result<(), ViewError> {
        let current = self.take_current(tables, bucket.id, key)?;
        let null_was_current = current.as_ref().is_some_and(|state| state.null);
        match current {
            Some(state) if null && state.null => to_history(tables, bucket.id, key, state, event)?,
            Some(state) => self.add_version(tables, bucket.id, key, &state)?,
            None => {}
        }
        let elsewhere = null && !null_was_current && bucket.versioning != Versioning::Off;
        if elsewhere && let Some(state) = find_version(tables, bucket.id, key, "null")? {
            self.take_version(tables, bucket.id, key, &state)?;
            to_history(tables, bucket.id, key, state, event)?;
        }
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        tables: &mut Tables<'_>,
        event: &Event,
        deleted: &ObjectDeleted,
    ) -> Result<(), ViewError> {
        let Some(bucket) = self.bucket(tables, &deleted.bucket)? else {
            return Ok(());
        };
        match (&deleted.version, bucket.versioning) {
            (None, Versioning::Off) => self.delete_version(tables, &bucket, event, deleted, "null"),
            (None, versioning) => {
                let null = versioning == Versioning::Suspended;
                self.make_way(tables, &bucket, event, &deleted.key, null)?;
                let marker = StoredObject::marker(event, deleted, null);
                self.add_version(tables, bucket.id, &deleted.key, &marker)
            }
            (Some(version), _) => self.delete_version(tables, &bucket, event, deleted, version),
        }
    }

    fn delete_version(
        &mut self,
        tables: &mut Tables<'_>,
        bucket: &StoredBucket,
        event: &Event,
        deleted: &ObjectDeleted,
        version: &str,
    ) -> Result<(), ViewError> {
        let key = &deleted.key;
        let row = rows::current(bucket.id, key);
        let current = tables.value::<StoredObject>(TableId::Current, &row)?;
        let is_current = current.as_ref().is_some_and(|state| state.is_version(version));
        let state = if is_current {
            self.take_current(tables, bucket.id, key)?
        } else {
            let found = find_version(tables, bucket.id, key, version)?;
            if let Some(state) = &found {
                self.take_version(tables, bucket.id, key, state)?;
            }
            found
        };
        let Some(state) = state else { return Ok(()) };
        to_history(tables, bucket.id, key, state, event)?;
        if bucket.versioning == Versioning::Off {
            return leave_trace(tables, bucket.id, event, deleted);
        }
        if is_current || current.is_none() {
            self.promote(tables, bucket.id, key)?;
        }
        Ok(())
    }

    /// Where a key has no current object and the newest version is one, it becomes it.
    fn promote(&mut self, tables: &mut Tables<'_>, bucket: u64, key: &str) -> Result<(), ViewError> {
        let newest = newest_version(tables, bucket, key)?;
        let Some(state) = newest.filter(|state| !state.marker) else {
            return Ok(());
        };
        self.take_version(tables, bucket, key, &state)?;
        self.set_current(tables, bucket, key, &state)
    }

    fn set_current(
        &mut self,
        tables: &mut Tables<'_>,
        bucket: u64,
        key: &str,
        state: &StoredObject,
    ) -> Result<(), ViewError> {
        let counts = self.counts(tables, bucket)?;
        counts.objects += 1;
        counts.bytes += state.size;
        tables.set(TableId::Current, &rows::current(bucket, key), state)
    }

    /// The current state, which must be put elsewhere. Its row goes.
    pub(super) fn take_current(
        &mut self,
        tables: &mut Tables<'_>,
        bucket: u64,
        key: &str,
    ) -> Result<Option<StoredObject>, ViewError> {
        let row = rows::current(bucket, key);
        let Some(state) = tables.value::<StoredObject>(TableId::Current, &row)? else {
            return Ok(None);
        };
        tables.remove(TableId::Current, &row)?;
        let counts = self.counts(tables, bucket)?;
        counts.objects = counts.objects.saturating_sub(1);
        counts.bytes = counts.bytes.saturating_sub(state.size);
        Ok(Some(state))
    }

    fn add_version(
        &mut self,
        tables: &mut Tables<'_>,
        bucket: u64,
        key: &str,
        state: &StoredObject,
    ) -> Result<(), ViewError> {
        let counts = self.counts(tables, bucket)?;
        counts.versions += 1;
        counts.version_bytes += state.size;
        let id = rows::version_id(bucket, key, state.indexed_id());
        tables.put(TableId::VersionIds, &id, &state.seq.to_be_bytes())?;
        tables.set(TableId::Versions, &rows::state(bucket, key, state.seq), state)
    }

    /// Removes a version, which must be put elsewhere.
    pub(super) fn take_version(
        &mut self,
        tables: &mut Tables<'_>,
        bucket: u64,
        key: &str,
        state: &StoredObject,
    ) -> Result<(), ViewError> {
        let counts = self.counts(tables, bucket)?;
        counts.versions = counts.versions.saturating_sub(1);
        counts.version_bytes = counts.version_bytes.saturating_sub(state.size);
        tables.remove(
            TableId::VersionIds,
            &rows::version_id(bucket, key, state.indexed_id()),
        )?;
        tables.remove(TableId::Versions, &rows::state(bucket, key, state.seq))?;
        Ok(())
    }

    /// Changes what is said of an object, or of one version of it, without a new state: its tags, its lock.
    pub(super) fn amend(
        &mut self,
        tables: &mut Tables<'_>,
        (bucket, key, version): (&String, &String, &Option<String>),
        change: impl FnOnce(&mut StoredObject),
    ) -> Result<(), ViewError> {
        let Some(bucket) = self.bucket(tables, bucket)? else {
            return Ok(());
        };
        let row = rows::current(bucket.id, key);
        if let Some(mut state) = tables.value::<StoredObject>(TableId::Current, &row)?
            && version.as_ref().is_none_or(|version| state.is_version(version))
        {
            change(&mut state);
            return tables.set(TableId::Current, &row, &state);
        }
        let Some(version) = version else {
            return Ok(());
        };
        match find_version(tables, bucket.id, key, version)? {
            Some(mut state) if !state.marker => {
                change(&mut state);
                tables.set(TableId::Versions, &rows::state(bucket.id, key, state.seq), &state)
            }
            _ => Ok(()),
        }
    }
}

/// The newest state of a key in `names.versions`.
pub(super) fn newest_version(
    read: &impl Read,
    bucket: u64,
    key: &str,
) -> Result<Option<StoredObject>, ViewError> {
    match read
        .prefixed(TableId::Versions, &rows::of_key(bucket, key))?
        .next()
    {
        Some(row) => row?.value().map(Some),
        None => Ok(None),
    }
}

/// A state in `names.versions`, by its version id.
pub(super) fn find_version(
    read: &impl Read,
    bucket: u64,
    key: &str,
    version: &str,
) -> Result<Option<StoredObject>, ViewError> {
    let id = match version {
        "null" => None,
        id => match id.parse::<EventId>() {
            Ok(id) => Some(id),
            Err(_) => return Ok(None),
        },
    };
    let seq = read.get(
        TableId::VersionIds,
        &rows::version_id(bucket, key, id.as_ref()),
        |bytes| {
            let bytes = bytes
                .try_into()
                .map_err(|_| ViewError::Damaged("a row of names.version_ids".into()))?;
            Ok(u64::from_be_bytes(bytes))
        },
    )?;
    match seq {
        Some(seq) => read.value(TableId::Versions, &rows::state(bucket, key, seq)),
        None => Ok(None),
    }
}

pub(super) fn to_history(
    tables: &mut Tables<'_>,
    bucket: u64,
    key: &str,
    mut state: StoredObject,
    event: &Event,
) -> Result<(), ViewError> {
    state.superseded = Some((event.seq, event.at.as_micros()));
    let row = rows::state(bucket, key, state.seq);
    tables.put(TableId::Superseded, &rows::superseded(event.at, &row), &[])?;
    tables.set(TableId::History, &row, &state)
}

/// Records in the history that the key was deleted, where S3 keeps no marker.
fn leave_trace(
    tables: &mut Tables<'_>,
    bucket: u64,
    event: &Event,
    deleted: &ObjectDeleted,
) -> Result<(), ViewError> {
    let row = rows::state(bucket, &deleted.key, event.seq);
    // Once everything before it is pruned it says nothing any more, so its own time counts.
    tables.put(TableId::Superseded, &rows::superseded(event.at, &row), &[])?;
    tables.set(
        TableId::History,
        &row,
        &StoredObject::marker(event, deleted, true),
    )
}
