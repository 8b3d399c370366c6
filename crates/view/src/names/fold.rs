//! How events change the names tables: buckets, uploads, pruning. What becomes of objects is in `states`.

use super::states::to_history;
use super::stored::{StoredBucket, StoredCounts, StoredObject, StoredPart, StoredUpload};
use super::{prune_moment, rows};
use crate::error::ViewError;
use crate::projection::Projection;
use crate::tables::{Read, TableId, Tables};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use stead_event::body::{
    BucketConfigured, BucketCreated, BucketVersioned, UploadPart, UploadStarted, Versioning,
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
            Body::BucketCreated(created) => self.create_bucket(tables, event, created),
            Body::BucketDeleted(deleted) => self.delete_bucket(tables, event, &deleted.bucket),
            Body::BucketVersioned(versioned) => self.set_versioning(tables, versioned),
            Body::BucketConfigured(configured) => self.configure(tables, configured),
            Body::ObjectPut(put) => self.put(tables, event, put),
            Body::ObjectDeleted(deleted) => self.delete(tables, event, deleted),
            Body::ObjectTagged(tagged) => {
                let target = (&tagged.bucket, &tagged.key, &tagged.version);
                self.amend(tables, target, |state| state.tags = tagged.tags.clone())
            }
            Body::ObjectGranted(granted) => {
                let target = (&granted.bucket, &granted.key, &granted.version);
                self.amend(tables, target, |state| state.acl = granted.acl.clone())
            }
            Body::ObjectRetained(retained) => {
                let target = (&retained.bucket, &retained.key, &retained.version);
                self.amend(tables, target, |state| state.retention = retained.retention)
            }
            Body::ObjectHeld(held) => {
                let target = (&held.bucket, &held.key, &held.version);
                self.amend(tables, target, |state| state.set_hold(held.hold))
            }
            Body::ObjectStriped(striped) => {
                let target = (&striped.bucket, &striped.key, &striped.version);
                self.amend(tables, target, |state| {
                    if state.cid == Some(striped.cid) {
                        state.stripes = striped.stripes;
                    }
                })
            }
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
            Body::KeyCreated(_)
            | Body::KeyRevoked(_)
            | Body::LockAcquired(_)
            | Body::LockReleased(_)
            | Body::ConfigSet(_)
            | Body::NodeStarted(_)
            | Body::LogSealed(_)
            | Body::IpfsPublished(_)
            | Body::IpfsUnpublished(_)
            | Body::IpfsRooted(_)
            | Body::IpfsPinned(_)
            | Body::IpfsUnpinned(_) => Ok(()),
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
    pub(super) fn bucket(
        &mut self,
        tables: &Tables<'_>,
        name: &str,
    ) -> Result<Option<StoredBucket>, ViewError> {
        if let Some(known) = self.buckets.get(name) {
            return Ok(known.clone());
        }
        let bucket = tables.value::<StoredBucket>(TableId::Buckets, name.as_bytes())?;
        self.buckets.insert(name.to_owned(), bucket.clone());
        Ok(bucket)
    }

    pub(super) fn counts(
        &mut self,
        tables: &Tables<'_>,
        bucket: u64,
    ) -> Result<&mut StoredCounts, ViewError> {
        Ok(match self.counts.entry(bucket) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let stored = tables.value(TableId::Counts, &bucket.to_be_bytes())?;
                unknown.insert(stored.unwrap_or_default())
            }
        })
    }

    fn create_bucket(
        &mut self,
        tables: &mut Tables<'_>,
        event: &Event,
        created: &BucketCreated,
    ) -> Result<(), ViewError> {
        let name = &created.bucket;
        if self.bucket(tables, name)?.is_some() {
            return Ok(());
        }
        self.buckets.remove(name);
        tables.set(
            TableId::Buckets,
            name.as_bytes(),
            &StoredBucket::new(event, created.owner.clone()),
        )
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

pub(super) fn close_upload(
    tables: &mut Tables<'_>,
    bucket: u64,
    key: &str,
    upload: &str,
) -> Result<(), ViewError> {
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
