//! Open multipart uploads and their parts.

use super::listing::{rolled_up, start};
use super::merge::Start;
use super::read::Names;
use super::stored::{StoredPart, StoredUpload};
use super::{PartRecord, UploadPage, UploadQuery, UploadRecord, rows};
use crate::error::ViewError;
use crate::tables::{Read, TableId, successor};
use stead_event::EventId;

/// An open upload.
pub(super) fn upload(
    read: &impl Read,
    bucket: u64,
    key: &str,
    upload: &str,
) -> Result<Option<StoredUpload>, ViewError> {
    match upload.parse::<EventId>() {
        Ok(id) => read.value(TableId::Uploads, &rows::upload(bucket, key, &id)),
        Err(_) => Ok(None),
    }
}

impl Names {
    /// An open upload.
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Option<UploadRecord>, ViewError> {
        let Some(bucket) = self.id(bucket)? else {
            return Ok(None);
        };
        Ok(upload(&*self.snapshot, bucket, key, id)?.map(|upload| upload.record(key.to_owned())))
    }

    /// Parts of an open upload behind number `after`, ascending, at most `max`.
    pub fn parts(&self, upload: &str, after: u32, max: usize) -> Result<Vec<PartRecord>, ViewError> {
        let (Ok(id), Some(from)) = (upload.parse::<EventId>(), after.checked_add(1)) else {
            return Ok(Vec::new());
        };
        let end = successor(id.as_bytes());
        let parts = self
            .snapshot
            .rows(TableId::Parts, &rows::part(&id, from), end.as_deref())?;
        parts
            .take(max)
            .map(|row| Ok(row?.value::<StoredPart>()?.record()))
            .collect()
    }

    /// Open uploads, by key, then by id.
    pub fn uploads(&self, bucket: &str, query: &UploadQuery) -> Result<UploadPage, ViewError> {
        let mut page = UploadPage::default();
        let Some(bucket) = self.id(bucket)? else {
            return Ok(page);
        };
        if query.max == 0 {
            return Ok(page);
        }
        let delimiter = query.delimiter.as_deref();
        let end = successor(&rows::escaped(bucket, query.prefix.as_bytes()));
        let mut from = uploads_start(bucket, query);
        let mut last = None;
        'seek: while let Some(begin) = from.take() {
            for row in self.snapshot.rows(TableId::Uploads, &begin, end.as_deref())? {
                let row = row?;
                if page.uploads.len() + page.prefixes.len() == query.max {
                    page.next = last;
                    return Ok(page);
                }
                let key = rows::key_of_escaped(row.key(), 16)?;
                if let Some(common) = rolled_up(&key, &query.prefix, delimiter) {
                    page.prefixes.push(common.to_owned());
                    from = successor(&rows::escaped(bucket, common.as_bytes()));
                    last = Some((common.to_owned(), None));
                    continue 'seek;
                }
                let upload: StoredUpload = row.value()?;
                last = Some((key.clone(), Some(upload.id.to_string())));
                page.uploads.push(upload.record(key));
            }
        }
        Ok(page)
    }
}

fn uploads_start(bucket: u64, query: &UploadQuery) -> Option<Vec<u8>> {
    match start(
        &query.prefix,
        query.key_marker.as_deref(),
        query.delimiter.as_deref(),
    ) {
        Start::BehindPrefix(prefix) => successor(&rows::escaped(bucket, prefix.as_bytes())),
        Start::Behind(key) | Start::Within(key, _) => {
            match query.upload_marker.as_deref().map(str::parse::<EventId>) {
                Some(Ok(id)) => Some([&rows::upload(bucket, &key, &id)[..], &[0]].concat()),
                _ => successor(&rows::of_key(bucket, &key)),
            }
        }
        Start::At(key) => Some(rows::escaped(bucket, key.as_bytes())),
    }
}
