//! What was: every state of a key that is still kept, and buckets as of a past position.

use super::listing::{rolled_up, start};
use super::merge::{Merge, Start};
use super::read::Names;
use super::stored::{StoredBucket, StoredObject};
use super::{BucketRecord, ListQuery, ObjectRecord, Page, rows};
use crate::error::ViewError;
use crate::tables::{Read, Snapshot, TableId};
use stead_event::Position;

const TABLES: [TableId; 3] = [TableId::Current, TableId::Versions, TableId::History];

fn states(snapshot: &Snapshot, bucket: u64, key: &str) -> Result<Vec<(TableId, StoredObject)>, ViewError> {
    let current = snapshot.value(TableId::Current, &rows::current(bucket, key))?;
    let mut states: Vec<(TableId, StoredObject)> = current
        .map(|state| (TableId::Current, state))
        .into_iter()
        .collect();
    for table in [TableId::Versions, TableId::History] {
        for row in snapshot.prefixed(table, &rows::of_key(bucket, key))? {
            states.push((table, row?.value()?));
        }
    }
    states.sort_by_key(|(_, state)| std::cmp::Reverse(state.seq));
    Ok(states)
}

/// The better of two candidates for "the state at that position": the newer.
fn newer(
    best: Option<(TableId, StoredObject)>,
    table: TableId,
    state: StoredObject,
) -> Option<(TableId, StoredObject)> {
    match best {
        Some(best) if best.1.seq > state.seq => Some(best),
        _ => Some((table, state)),
    }
}

/// What S3 would have shown of a state that stood then: nothing where it is only the trace of a delete.
fn shown((table, state): (TableId, StoredObject)) -> Option<ObjectRecord> {
    let trace = table == TableId::History && state.marker && state.superseded.is_none();
    (!trace).then(|| state.record(table != TableId::History))
}

impl Names {
    fn bucket_then(&self, name: &str, position: Position) -> Result<Option<StoredBucket>, ViewError> {
        if let Some(bucket) = super::read::bucket(&*self.snapshot, name)?
            && bucket.id <= position
        {
            return Ok(Some(bucket));
        }
        let prefix = [name.as_bytes(), &[0]].concat();
        for row in self.snapshot.prefixed(TableId::GoneBuckets, &prefix)? {
            let bucket: StoredBucket = row?.value()?;
            if bucket.id <= position && bucket.deleted.is_none_or(|(seq, _)| seq > position) {
                return Ok(Some(bucket));
            }
        }
        Ok(None)
    }

    /// The bucket that had the name at `position`.
    pub fn bucket_at(&self, name: &str, position: Position) -> Result<Option<BucketRecord>, ViewError> {
        Ok(self.bucket_then(name, position)?.map(StoredBucket::record))
    }

    /// Every state of a key that is still kept, newest first: current, versions, and history. Where the
    /// bucket is gone, of the last bucket of that name.
    pub fn versions(&self, bucket: &str, key: &str) -> Result<Vec<ObjectRecord>, ViewError> {
        let prefix = [bucket.as_bytes(), &[0]].concat();
        let id = match self.id(bucket)? {
            Some(id) => id,
            None => match self.snapshot.prefixed(TableId::GoneBuckets, &prefix)?.next() {
                Some(row) => row?.value::<StoredBucket>()?.id,
                None => return Ok(Vec::new()),
            },
        };
        let states = states(&self.snapshot, id, key)?.into_iter();
        Ok(states
            .map(|(table, state)| state.record(table != TableId::History))
            .collect())
    }

    /// The newest listed state of a key as of `position`: an object, or a delete marker.
    pub fn object_at(
        &self,
        bucket: &str,
        key: &str,
        position: Position,
    ) -> Result<Option<ObjectRecord>, ViewError> {
        let Some(bucket) = self.bucket_then(bucket, position)? else {
            return Ok(None);
        };
        let states = states(&self.snapshot, bucket.id, key)?;
        Ok(states
            .into_iter()
            .find(|(_, state)| state.stood_at(position))
            .and_then(shown))
    }

    /// As [`Self::list`], as of `position`.
    pub fn list_at(&self, bucket: &str, query: &ListQuery, position: Position) -> Result<Page, ViewError> {
        let mut page = Page::default();
        let Some(bucket) = self.bucket_then(bucket, position)? else {
            return Ok(page);
        };
        if query.max == 0 {
            return Ok(page);
        }
        let delimiter = query.delimiter.as_deref();
        let begin = start(&query.prefix, query.after.as_deref(), delimiter);
        let mut merge = Merge::begin(&*self.snapshot, bucket.id, &TABLES, &begin)?;
        let mut last = None;
        while let Some((key, record)) = next_then(&mut merge, &query.prefix, position)? {
            if page.objects.len() + page.prefixes.len() == query.max {
                page.next = last;
                return Ok(page);
            }
            if let Some(common) = rolled_up(&key, &query.prefix, delimiter) {
                page.prefixes.push(common.to_owned());
                let behind = Start::BehindPrefix(common.to_owned());
                merge = Merge::begin(&*self.snapshot, bucket.id, &TABLES, &behind)?;
                last = Some(common.to_owned());
            } else {
                last = Some(key.clone());
                page.objects.push((key, record));
            }
        }
        Ok(page)
    }
}

/// The next key with the prefix that was an object at `position`.
fn next_then(
    merge: &mut Merge<'_>,
    prefix: &str,
    position: Position,
) -> Result<Option<(String, ObjectRecord)>, ViewError> {
    while let Some(key) = merge.peek().filter(|key| key.starts_with(prefix)) {
        let key = key.to_owned();
        let mut best = None;
        while merge.peek() == Some(&key)
            && let Some((_, table, state)) = merge.next()?
        {
            if state.stood_at(position) {
                best = newer(best, table, state);
            }
        }
        if let Some(record) = best.and_then(shown).filter(|record| !record.marker) {
            return Ok(Some((key, record)));
        }
    }
    Ok(None)
}
