//! Listings: prefix, delimiter and paging, by seeking rather than by reading what is not asked for.

use super::merge::{Merge, Start};
use super::read::Names;
use super::stored::StoredObject;
use super::{ListQuery, Page, VersionEntry, VersionPage, VersionQuery, rows};
use crate::error::ViewError;
use crate::tables::{Read, TableId, successor};

/// What of a key stands for it in a listing: itself, or the common prefix that it is rolled up into.
pub(super) fn rolled_up<'k>(key: &'k str, prefix: &str, delimiter: Option<&str>) -> Option<&'k str> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let at = key.strip_prefix(prefix)?.find(delimiter)?;
    Some(&key[..prefix.len() + at + delimiter.len()])
}

/// Where a listing begins that goes on behind `after`.
pub(super) fn start(prefix: &str, after: Option<&str>, delimiter: Option<&str>) -> Start {
    match after {
        Some(after) if rolled_up(after, prefix, delimiter) == Some(after) => {
            Start::BehindPrefix(after.into())
        }
        Some(after) if after >= prefix => Start::Behind(after.into()),
        _ => Start::At(prefix.into()),
    }
}

impl Names {
    /// Current objects, by key. A bucket that is not there is empty.
    pub fn list(&self, bucket: &str, query: &ListQuery) -> Result<Page, ViewError> {
        let mut page = Page::default();
        let Some(bucket) = self.id(bucket)? else {
            return Ok(page);
        };
        if query.max == 0 {
            return Ok(page);
        }
        let delimiter = query.delimiter.as_deref();
        let end = successor(&rows::current(bucket, &query.prefix));
        let mut from = match start(&query.prefix, query.after.as_deref(), delimiter) {
            Start::BehindPrefix(prefix) => successor(&rows::current(bucket, &prefix)),
            Start::Behind(key) | Start::Within(key, _) => {
                Some([&rows::current(bucket, &key)[..], &[0]].concat())
            }
            Start::At(key) => Some(rows::current(bucket, &key)),
        };
        let mut last = String::new();
        'seek: while let Some(begin) = from.take() {
            for row in self.snapshot.rows(TableId::Current, &begin, end.as_deref())? {
                let row = row?;
                if page.objects.len() + page.prefixes.len() == query.max {
                    page.next = Some(last);
                    return Ok(page);
                }
                let key = rows::key_of_current(row.key())?;
                if let Some(common) = rolled_up(key, &query.prefix, delimiter) {
                    last = common.to_owned();
                    page.prefixes.push(last.clone());
                    from = successor(&rows::current(bucket, common));
                    continue 'seek;
                }
                last.clear();
                last.push_str(key);
                page.objects
                    .push((key.to_owned(), row.value::<StoredObject>()?.record(true)));
            }
        }
        Ok(page)
    }

    /// Listed versions and delete markers, by key, newest first.
    pub fn list_versions(&self, bucket: &str, query: &VersionQuery) -> Result<VersionPage, ViewError> {
        let mut page = VersionPage::default();
        let Some(bucket) = self.id(bucket)? else {
            return Ok(page);
        };
        if query.max == 0 {
            return Ok(page);
        }
        let delimiter = query.delimiter.as_deref();
        const TABLES: [TableId; 2] = [TableId::Current, TableId::Versions];
        let begin = self.versions_start(bucket, query)?;
        // Within a key, what comes first is not the newest.
        let mut before = match &begin {
            Start::Within(key, _) => Some(key.clone()),
            _ => None,
        };
        let mut merge = Merge::begin(&*self.snapshot, bucket, &TABLES, &begin)?;
        let mut last = None;
        while let Some(key) = merge.peek().filter(|key| key.starts_with(&query.prefix)) {
            if page.versions.len() + page.prefixes.len() == query.max {
                page.next = last;
                return Ok(page);
            }
            if let Some(common) = rolled_up(key, &query.prefix, delimiter) {
                let common = common.to_owned();
                page.prefixes.push(common.clone());
                last = Some((common.clone(), None));
                let behind = Start::BehindPrefix(common);
                merge = Merge::begin(&*self.snapshot, bucket, &TABLES, &behind)?;
                continue;
            }
            let Some((key, _, state)) = merge.next()? else {
                break;
            };
            let latest = before.as_ref() != Some(&key);
            before = Some(key.clone());
            let record = state.record(true);
            last = Some((key.clone(), Some(record.version_id().to_owned())));
            page.versions.push(VersionEntry { key, latest, record });
        }
        Ok(page)
    }

    fn versions_start(&self, bucket: u64, query: &VersionQuery) -> Result<Start, ViewError> {
        let begin = start(
            &query.prefix,
            query.key_marker.as_deref(),
            query.delimiter.as_deref(),
        );
        let (Start::Behind(key), Some(version)) = (&begin, &query.version_marker) else {
            return Ok(begin);
        };
        // The marker may have been deleted since the page that ended with it; the history still says where
        // it was. Where even that is gone, the key's other versions are passed over.
        let seq = match super::read::version(&*self.snapshot, bucket, key, version)? {
            Some(state) => Some(state.seq),
            None => self.superseded_version(bucket, key, version)?,
        };
        Ok(match seq {
            Some(seq) => Start::Within(key.clone(), seq),
            None => begin,
        })
    }

    fn superseded_version(&self, bucket: u64, key: &str, version: &str) -> Result<Option<u64>, ViewError> {
        for row in self
            .snapshot
            .prefixed(TableId::History, &rows::of_key(bucket, key))?
        {
            let state: StoredObject = row?.value()?;
            if state.is_version(version) {
                return Ok(Some(state.seq));
            }
        }
        Ok(None)
    }
}
