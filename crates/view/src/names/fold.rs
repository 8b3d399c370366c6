//! How events change the names tables. Versioning follows what S3 documents ("How S3 Versioning works"
//! and "Adding objects to versioning-suspended buckets" in the Amazon S3 User Guide).
//!
//! Three tables hold the states of a key. `current`: its newest listed state, where that is an object.
//! `versions`: its other listed states, delete markers among them. `history`: what S3 no longer sees.

use super::stored::{StoredBucket, StoredCounts, StoredObject, StoredPart, StoredUpload};
use super::{prune_moment, rows};
use crate::error::ViewError;
use crate::projection::Projection;
use crate::tables::{Read, TableId, Tables};
use std::collections::BTreeMap;
use stead_event::body::{
    BucketConfigured, BucketVersioned, ObjectDeleted, ObjectPut, ObjectTagged, UploadPart, UploadStarted,
    Versioning,
};
use stead_event::{Body, Event, EventId, Tenant, Timestamp};

/// How many rows are taken at once where a whole range is removed.
const CHUNK: usize = 4096;

/// Folds buckets, objects and uploads of the tenant `main`.
#[derive(Default)]
pub(crate) struct NamesFold {
    /// Buckets that the transaction has met, so that each is decoded once.
    buckets: BTreeMap<String, Option<StoredBucket>>,
    /// Counts that the transaction has changed.
    counts: BTreeMap<u64, StoredCounts>,
}

impl Projection for NamesFold {
    const NAME: &'static str = "names";
    const TABLES: &'static [TableId] = &[
        TableId::Buckets,
        TableId::GoneBuckets,
        TableId::Configs,
        TableId::Counts,
        TableId::Current,
        TableId::Versions,
        TableId::VersionIds,
        TableId::History,
        TableId::Superseded,
        TableId::Uploads,
        TableId::Parts,
        TableId::Retention,
    ];

    fn fold(&mut self, tables: &mut Tables<'_>, tenant: &Tenant, event: &Event) -> Result<(), ViewError> {
        if *tenant != Tenant::main() {
            return Ok(());
        }
        match &event.body {
            Body::BucketCreated(created) => self.create_bucket(tables, event, &created.bucket),
            Body::BucketDeleted(deleted) => self.delete_bucket(tables, event, &deleted.bucket),
            Body::BucketVersioned(versioned) => self.set_versioning(tables, versioned),
            Body::BucketConfigured(configured) => self.configure(tables, configured),
            Body::ObjectPut(put) => self.put(tables, event, put),
            Body::ObjectDeleted(deleted) => self.delete(tables, event, deleted),
            Body::ObjectTagged(tagged) => self.tag(tables, tagged),
            Body::UploadStarted(started) => self.start_upload(tables, event, started),
            Body::UploadPart(part) => self.add_part(tables, event, part),
            Body::UploadAborted(aborted) => match self.bucket(tables, &aborted.bucket)? {
                Some(bucket) => close_upload(tables, bucket.id, &aborted.key, &aborted.upload),
                None => Ok(()),
            },
            Body::Ext(ext) => match prune_moment(ext) {
                Some(before) => prune(tables, before),
                None => Ok(()),
            },
            Body::KeyCreated(_) | Body::KeyRevoked(_) | Body::NodeStarted(_) | Body::LogSealed(_) => Ok(()),
        }
    }

    fn finish(&mut self, tables: &mut Tables<'_>) -> Result<(), ViewError> {
        for (bucket, counts) in std::mem::take(&mut self.counts) {
            tables.set(TableId::Counts, &bucket.to_be_bytes(), &counts)?;
        }
        Ok(())
    }
}

impl NamesFold {
    fn bucket(&mut self, tables: &Tables<'_>, name: &str) -> Result<Option<StoredBucket>, ViewError> {
        if let Some(known) = self.buckets.get(name) {
            return Ok(known.clone());
        }
        let bucket = tables.value::<StoredBucket>(TableId::Buckets, name.as_bytes())?;
        self.buckets.insert(name.to_owned(), bucket.clone());
        Ok(bucket)
    }

    fn counts(&mut self, tables: &Tables<'_>, bucket: u64) -> Result<&mut StoredCounts, ViewError> {
        if !self.counts.contains_key(&bucket) {
            let stored = tables
                .value(TableId::Counts, &bucket.to_be_bytes())?
                .unwrap_or_default();
            self.counts.insert(bucket, stored);
        }
        Ok(self.counts.entry(bucket).or_default())
    }

    fn create_bucket(&mut self, tables: &mut Tables<'_>, event: &Event, name: &str) -> Result<(), ViewError> {
        if self.bucket(tables, name)?.is_some() {
            return Ok(());
        }
        self.buckets.remove(name);
        tables.set(TableId::Buckets, name.as_bytes(), &StoredBucket::new(event))
    }

    fn set_versioning(
        &mut self,
        tables: &mut Tables<'_>,
        versioned: &BucketVersioned,
    ) -> Result<(), ViewError> {
        let Some(mut bucket) = self.bucket(tables, &versioned.bucket)? else {
            return Ok(());
        };
        // A bucket that has kept versions never becomes one that has not.
        bucket.versioning = match (bucket.versioning, versioned.state) {
            (Versioning::Enabled | Versioning::Suspended, Versioning::Off) => Versioning::Suspended,
            (_, state) => state,
        };
        self.buckets.remove(&versioned.bucket);
        tables.set(TableId::Buckets, versioned.bucket.as_bytes(), &bucket)
    }

    fn configure(&mut self, tables: &mut Tables<'_>, configured: &BucketConfigured) -> Result<(), ViewError> {
        let Some(bucket) = self.bucket(tables, &configured.bucket)? else {
            return Ok(());
        };
        let row = rows::config(bucket.id, &configured.name);
        match &configured.document {
            Some(document) => tables.put(TableId::Configs, &row, document.as_bytes()),
            None => tables.remove(TableId::Configs, &row).map(|_| ()),
        }
    }

    fn delete_bucket(&mut self, tables: &mut Tables<'_>, event: &Event, name: &str) -> Result<(), ViewError> {
        let Some(mut bucket) = self.bucket(tables, name)? else {
            return Ok(());
        };
        let id = bucket.id.to_be_bytes();
        // Whoever appended this saw to it that the bucket is empty. If not, nothing may be left behind.
        loop {
            let keys = tables.keys(TableId::Current, &id, CHUNK)?;
            for row in &keys {
                let key = rows::key_of_current(row)?;
                if let Some(state) = self.take_current(tables, bucket.id, key)? {
                    to_history(tables, bucket.id, key, state, event)?;
                }
            }
            let states = tables.keys(TableId::Versions, &id, CHUNK)?;
            for row in &states {
                let key = rows::key_of_escaped(row, 8)?;
                if let Some(state) = tables.value::<StoredObject>(TableId::Versions, row)? {
                    self.take_version(tables, bucket.id, &key, &state)?;
                    to_history(tables, bucket.id, &key, state, event)?;
                }
            }
            let uploads = tables.keys(TableId::Uploads, &id, CHUNK)?;
            for row in &uploads {
                let key = rows::key_of_escaped(row, 16)?;
                if let Some(upload) = tables.value::<StoredUpload>(TableId::Uploads, row)? {
                    close_upload(tables, bucket.id, &key, &upload.id.to_string())?;
                }
            }
            if keys.is_empty() && states.is_empty() && uploads.is_empty() {
                break;
            }
        }
        for row in tables.keys(TableId::Configs, &id, usize::MAX)? {
            tables.remove(TableId::Configs, &row)?;
        }
        self.counts.remove(&bucket.id);
        tables.remove(TableId::Counts, &id)?;
        self.buckets.remove(name);
        tables.remove(TableId::Buckets, name.as_bytes())?;
        bucket.deleted = Some((event.seq, event.at.as_micros()));
        tables.set(TableId::GoneBuckets, &rows::gone_bucket(name, bucket.id), &bucket)
    }

    fn put(&mut self, tables: &mut Tables<'_>, event: &Event, put: &ObjectPut) -> Result<(), ViewError> {
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

    fn delete(
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
    fn take_current(
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
    fn take_version(
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

    fn tag(&mut self, tables: &mut Tables<'_>, tagged: &ObjectTagged) -> Result<(), ViewError> {
        let Some(bucket) = self.bucket(tables, &tagged.bucket)? else {
            return Ok(());
        };
        let row = rows::current(bucket.id, &tagged.key);
        if let Some(mut state) = tables.value::<StoredObject>(TableId::Current, &row)?
            && tagged
                .version
                .as_ref()
                .is_none_or(|version| state.is_version(version))
        {
            state.tags = tagged.tags.clone();
            return tables.set(TableId::Current, &row, &state);
        }
        let Some(version) = &tagged.version else {
            return Ok(());
        };
        match find_version(tables, bucket.id, &tagged.key, version)? {
            Some(mut state) if !state.marker => {
                state.tags = tagged.tags.clone();
                tables.set(
                    TableId::Versions,
                    &rows::state(bucket.id, &tagged.key, state.seq),
                    &state,
                )
            }
            _ => Ok(()),
        }
    }

    fn start_upload(
        &mut self,
        tables: &mut Tables<'_>,
        event: &Event,
        started: &UploadStarted,
    ) -> Result<(), ViewError> {
        let Some(bucket) = self.bucket(tables, &started.bucket)? else {
            return Ok(());
        };
        let row = rows::upload(bucket.id, &started.key, &event.id);
        tables.set(TableId::Uploads, &row, &StoredUpload::new(event, started))
    }

    fn add_part(
        &mut self,
        tables: &mut Tables<'_>,
        event: &Event,
        part: &UploadPart,
    ) -> Result<(), ViewError> {
        let Some(bucket) = self.bucket(tables, &part.bucket)? else {
            return Ok(());
        };
        let Ok(upload) = part.upload.parse::<EventId>() else {
            return Ok(());
        };
        let row = rows::upload(bucket.id, &part.key, &upload);
        if tables.get(TableId::Uploads, &row, |_| Ok(()))?.is_none() {
            return Ok(());
        }
        tables.set(
            TableId::Parts,
            &rows::part(&upload, part.number),
            &StoredPart::new(event, part),
        )
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

fn to_history(
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

fn close_upload(tables: &mut Tables<'_>, bucket: u64, key: &str, upload: &str) -> Result<(), ViewError> {
    let Ok(id) = upload.parse::<EventId>() else {
        return Ok(());
    };
    if tables.remove(TableId::Uploads, &rows::upload(bucket, key, &id))? {
        for row in tables.keys(TableId::Parts, id.as_bytes(), usize::MAX)? {
            tables.remove(TableId::Parts, &row)?;
        }
    }
    Ok(())
}

/// Removes history superseded before a moment, and buckets that were deleted before it.
fn prune(tables: &mut Tables<'_>, before: Timestamp) -> Result<(), ViewError> {
    let end = rows::superseded_before(before);
    loop {
        let due = tables.rows(TableId::Superseded, &[], Some(&end))?.take(CHUNK);
        let due: Vec<Vec<u8>> = due
            .map(|row| Ok(row?.key().to_vec()))
            .collect::<Result<_, ViewError>>()?;
        for row in &due {
            tables.remove(TableId::History, &row[8..])?;
            tables.remove(TableId::Superseded, row)?;
        }
        if due.len() < CHUNK {
            break;
        }
    }
    let mut gone = Vec::new();
    for row in tables.rows(TableId::GoneBuckets, &[], None)? {
        let row = row?;
        let deleted = row.value::<StoredBucket>()?.deleted;
        if deleted.is_some_and(|(_, micros)| micros < before.as_micros()) {
            gone.push(row.key().to_vec());
        }
    }
    for row in gone {
        tables.remove(TableId::GoneBuckets, &row)?;
    }
    let pruned = super::pruned_before(tables)?;
    if pruned.is_none_or(|pruned| pruned < before) {
        tables.put(
            TableId::Retention,
            super::PRUNED_KEY,
            &before.as_micros().to_be_bytes(),
        )?;
    }
    Ok(())
}
