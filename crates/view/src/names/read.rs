//! Single buckets and objects, as of now.

use super::states::{find_version, newest_version};
use super::stored::{StoredBucket, StoredCounts, StoredObject};
use super::{BucketRecord, Counts, ObjectRecord, rows};
use crate::database;
use crate::error::ViewError;
use crate::segments::StoredSegment;
use crate::tables::{Read, Rows, Snapshot, TableId};
use crate::times;
use std::sync::Arc;
use stead_event::body::Versioning;
use stead_event::{Cid, Position, Tenant, Timestamp};
use stead_log::Tail;

/// Buckets and objects at one moment: a read transaction. Every method blocks, but not for long.
pub struct Names {
    pub(super) snapshot: Arc<Snapshot>,
    tail: Tail,
}

/// The bucket of that name.
pub(super) fn bucket(read: &impl Read, name: &str) -> Result<Option<StoredBucket>, ViewError> {
    read.value(TableId::Buckets, name.as_bytes())
}

/// The newest listed state of a key: an object, or a delete marker.
pub(super) fn newest(
    read: &impl Read,
    bucket: &StoredBucket,
    key: &str,
) -> Result<Option<StoredObject>, ViewError> {
    let current = read.value(TableId::Current, &rows::current(bucket.id, key))?;
    if current.is_some() || bucket.versioning == Versioning::Off {
        return Ok(current);
    }
    newest_version(read, bucket.id, key)
}

/// A listed state, by its version id.
pub(super) fn version(
    read: &impl Read,
    bucket: u64,
    key: &str,
    id: &str,
) -> Result<Option<StoredObject>, ViewError> {
    let current = read.value::<StoredObject>(TableId::Current, &rows::current(bucket, key))?;
    match current {
        Some(state) if state.is_version(id) => Ok(Some(state)),
        _ => find_version(read, bucket, key, id),
    }
}

impl Names {
    pub(crate) fn new(snapshot: Snapshot, tail: Tail) -> Self {
        Self {
            snapshot: Arc::new(snapshot),
            tail,
        }
    }

    pub(super) fn id(&self, bucket_name: &str) -> Result<Option<u64>, ViewError> {
        Ok(bucket(&*self.snapshot, bucket_name)?.map(|bucket| bucket.id))
    }

    /// The position of the main tenant's log that this is the state at.
    pub fn position(&self) -> Result<Position, ViewError> {
        Ok(database::point(&*self.snapshot, &Tenant::main())?.head.seq)
    }

    /// A bucket.
    pub fn bucket(&self, name: &str) -> Result<Option<BucketRecord>, ViewError> {
        Ok(bucket(&*self.snapshot, name)?.map(StoredBucket::record))
    }

    /// Every bucket, by name.
    pub fn buckets(&self) -> Result<Vec<(String, BucketRecord)>, ViewError> {
        let all = self.snapshot.rows(TableId::Buckets, &[], None)?.map(|row| {
            let row = row?;
            let name = String::from_utf8_lossy(row.key()).into_owned();
            Ok((name, row.value::<StoredBucket>()?.record()))
        });
        all.collect()
    }

    /// A bucket's configuration document (`tagging`, `cors`, …).
    pub fn config(&self, bucket: &str, name: &str) -> Result<Option<String>, ViewError> {
        let Some(bucket) = self.id(bucket)? else {
            return Ok(None);
        };
        self.snapshot
            .get(TableId::Configs, &rows::config(bucket, name), |document| {
                let text = std::str::from_utf8(document);
                text.map(str::to_owned)
                    .map_err(|_| ViewError::Damaged("a document is not UTF-8".into()))
            })
    }

    /// What a bucket holds; zeros where there is no such bucket.
    pub fn counts(&self, bucket: &str) -> Result<Counts, ViewError> {
        let Some(bucket) = self.id(bucket)? else {
            return Ok(Counts::default());
        };
        let counts = self
            .snapshot
            .value::<StoredCounts>(TableId::Counts, &bucket.to_be_bytes())?;
        Ok(counts.unwrap_or_default().record())
    }

    /// The newest listed state of a key: an object, or a delete marker (`marker`).
    pub fn object(&self, bucket_name: &str, key: &str) -> Result<Option<ObjectRecord>, ViewError> {
        let Some(bucket) = bucket(&*self.snapshot, bucket_name)? else {
            return Ok(None);
        };
        Ok(newest(&*self.snapshot, &bucket, key)?.map(|state| state.record(true)))
    }

    /// A listed version (`null` names the null version).
    pub fn version(&self, bucket: &str, key: &str, id: &str) -> Result<Option<ObjectRecord>, ViewError> {
        let Some(bucket) = self.id(bucket)? else {
            return Ok(None);
        };
        Ok(version(&*self.snapshot, bucket, key, id)?.map(|state| state.record(true)))
    }

    /// The last position whose event is not younger than `time`; zero where all are.
    pub fn position_at(&self, time: Timestamp) -> Result<Position, ViewError> {
        times::position_at(
            &*self.snapshot,
            &self.tail,
            &Tenant::main(),
            self.position()?,
            time,
        )
    }

    /// The moment that history has been pruned up to: what was superseded before it is gone.
    pub fn pruned_before(&self) -> Result<Option<Timestamp>, ViewError> {
        super::pruned_before(&*self.snapshot)
    }

    /// Root CIDs of everything that must be kept: current objects, listed versions, history that was
    /// superseded at `since` or later (all of it for `None`), parts of open uploads, the stripes of these, sealed segments,
    /// directories that are public to IPFS and what is pinned from there. A
    /// CID may come more than once.
    pub fn reachable(
        &self,
        since: Option<Timestamp>,
    ) -> Result<impl Iterator<Item = Result<Cid, ViewError>> + Send + use<>, ViewError> {
        let roots = self.reachable_by_bucket(since)?;
        Ok(roots.map(|root| root.map(|(_, cid)| cid)))
    }

    /// As [`Self::reachable`], each with the number of the bucket that an object of that root is in; with none
    /// where it is no object's.
    pub fn reachable_by_bucket(
        &self,
        since: Option<Timestamp>,
    ) -> Result<impl Iterator<Item = Result<(Option<u64>, Cid), ViewError>> + Send + use<>, ViewError> {
        let kept = move |state: &StoredObject| match (state.superseded, since) {
            (Some((_, micros)), Some(since)) => micros >= since.as_micros(),
            _ => true,
        };
        let states = |table| {
            self.roots(table, move |row| {
                let state: StoredObject = row.value()?;
                let roots = if kept(&state) {
                    [state.cid, state.stripes]
                } else {
                    [None, None]
                };
                Ok((rows::bucket_of(row.key()), roots))
            })
        };
        let [current, versions, history] = [
            states(TableId::Current)?,
            states(TableId::Versions)?,
            states(TableId::History)?,
        ];
        let nobodys = |cid: Option<Cid>| (None, [cid, None]);
        let parts = self.roots(TableId::Parts, move |row| {
            let part: super::stored::StoredPart = row.value()?;
            Ok((None, [Some(part.cid), part.stripes]))
        })?;
        let sealed = self.roots(TableId::Sealed, move |row| {
            Ok(nobodys(Some(row.value::<StoredSegment>()?.0.cid)))
        })?;
        let published = self.roots(TableId::Published, move |row| {
            Ok(nobodys(crate::published::root_of(row)?))
        })?;
        let pinned = self.roots(TableId::Pins, move |row| {
            Ok(nobodys(crate::published::pin_of(row)?))
        })?;
        let stored = current.chain(versions).chain(history).chain(parts).chain(sealed);
        Ok(stored.chain(published).chain(pinned))
    }

    fn roots(
        &self,
        table: TableId,
        roots: impl Fn(&crate::tables::Row<'_>) -> Result<(Option<u64>, [Option<Cid>; 2]), ViewError>
        + Send
        + 'static,
    ) -> Result<Roots, ViewError> {
        let rows: Rows<'static> = self.snapshot.owned_rows(table)?;
        let snapshot = self.snapshot.clone();
        Ok(Box::new(rows.flat_map(move |row| {
            let _keep = &snapshot;
            let (found, error) = match row.and_then(|row| roots(&row)) {
                Ok((bucket, roots)) => (roots.map(|root| root.map(|cid| (bucket, cid))), None),
                Err(error) => ([None, None], Some(Err(error))),
            };
            found.into_iter().flatten().map(Ok).chain(error)
        })))
    }
}

/// The bucket that a root is in, and the root.
type Root = (Option<u64>, Cid);
type Roots = Box<dyn Iterator<Item = Result<Root, ViewError>> + Send>;
