//! Names: buckets, objects, versions, uploads, and what they were before.

mod records;

pub use records::*;

use crate::ViewError;
use stead_event::{Body, Cid, Position, Timestamp};

/// The body of an event that drops the history (states that S3 no longer sees) superseded before `before`.
pub fn prune_body(before: Timestamp) -> Body {
    let _ = before;
    todo!()
}

/// Buckets and objects at one moment: a read transaction. Every method blocks, but not for long.
pub struct Names {
    _snapshot: (),
}

impl Names {
    /// The position of the main tenant's log that this is the state at.
    pub fn position(&self) -> Position {
        todo!()
    }
    /// A bucket.
    pub fn bucket(&self, name: &str) -> Result<Option<BucketRecord>, ViewError> {
        let _ = name;
        todo!()
    }
    /// Every bucket, by name.
    pub fn buckets(&self) -> Result<Vec<(String, BucketRecord)>, ViewError> {
        todo!()
    }
    /// The bucket that had the name at `position`.
    pub fn bucket_at(&self, name: &str, position: Position) -> Result<Option<BucketRecord>, ViewError> {
        let _ = (name, position);
        todo!()
    }
    /// A bucket's configuration document (`tagging`, `cors`, …).
    pub fn config(&self, bucket: &str, name: &str) -> Result<Option<String>, ViewError> {
        let _ = (bucket, name);
        todo!()
    }
    /// What a bucket holds; zeros where there is no such bucket.
    pub fn counts(&self, bucket: &str) -> Result<Counts, ViewError> {
        let _ = bucket;
        todo!()
    }
    /// The newest listed state of a key: an object, or a delete marker (`marker`).
    pub fn object(&self, bucket: &str, key: &str) -> Result<Option<ObjectRecord>, ViewError> {
        let _ = (bucket, key);
        todo!()
    }
    /// A listed version (`null` names the null version).
    pub fn version(&self, bucket: &str, key: &str, id: &str) -> Result<Option<ObjectRecord>, ViewError> {
        let _ = (bucket, key, id);
        todo!()
    }
    /// Every state of a key that is still kept, newest first: current, versions, and history.
    pub fn versions(&self, bucket: &str, key: &str) -> Result<Vec<ObjectRecord>, ViewError> {
        let _ = (bucket, key);
        todo!()
    }
    /// The newest listed state of a key as of `position`.
    pub fn object_at(
        &self,
        bucket: &str,
        key: &str,
        position: Position,
    ) -> Result<Option<ObjectRecord>, ViewError> {
        let _ = (bucket, key, position);
        todo!()
    }
    /// Current objects, by key. A bucket that is not there is empty.
    pub fn list(&self, bucket: &str, query: &ListQuery) -> Result<Page, ViewError> {
        let _ = (bucket, query);
        todo!()
    }
    /// As [`Self::list`], as of `position`.
    pub fn list_at(&self, bucket: &str, query: &ListQuery, position: Position) -> Result<Page, ViewError> {
        let _ = (bucket, query, position);
        todo!()
    }
    /// Listed versions and delete markers, by key, newest first.
    pub fn list_versions(&self, bucket: &str, query: &VersionQuery) -> Result<VersionPage, ViewError> {
        let _ = (bucket, query);
        todo!()
    }
    /// An open upload.
    pub fn upload(&self, bucket: &str, key: &str, upload: &str) -> Result<Option<UploadRecord>, ViewError> {
        let _ = (bucket, key, upload);
        todo!()
    }
    /// Open uploads, by key, then by id.
    pub fn uploads(&self, bucket: &str, query: &UploadQuery) -> Result<UploadPage, ViewError> {
        let _ = (bucket, query);
        todo!()
    }
    /// Parts of an open upload behind number `after`, ascending, at most `max`.
    pub fn parts(&self, upload: &str, after: u32, max: usize) -> Result<Vec<PartRecord>, ViewError> {
        let _ = (upload, after, max);
        todo!()
    }
    /// The last position whose event is not younger than `time`; zero where all are.
    pub fn position_at(&self, time: Timestamp) -> Result<Position, ViewError> {
        let _ = time;
        todo!()
    }
    /// The moment that history has been pruned up to: what was superseded before it is gone.
    pub fn pruned_before(&self) -> Result<Option<Timestamp>, ViewError> {
        todo!()
    }
    /// Root CIDs of everything that must be kept: current objects, listed versions, history that was
    /// superseded at `since` or later (all of it for `None`), parts of open uploads, sealed segments. A
    /// CID may come more than once.
    pub fn reachable(
        &self,
        since: Option<Timestamp>,
    ) -> Result<Box<dyn Iterator<Item = Result<Cid, ViewError>> + Send>, ViewError> {
        let _ = since;
        todo!()
    }
}
