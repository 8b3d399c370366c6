//! What the view says of buckets, objects and uploads.

use stead_event::body::{Checksum, Encryption, Grant, Part, Retention, Versioning};
use stead_event::{Cid, EventId, Position, Principal, TextMap, Timestamp, Via};

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketRecord {
    /// The position of the event that made it; no other bucket has it, ever.
    pub id: u64,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub owner: Principal,
    /// The owner's canonical id; the node's administrator where `None`.
    pub owner_id: Option<String>,
    /// Whether it keeps versions.
    pub versioning: Versioning,
    /// Where in the log, and when, it was deleted (only of a bucket of the past).
    pub deleted: Option<(Position, Timestamp)>,
}

/// One state of a key: an object, or that there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRecord {
    /// The event that made it.
    pub event: EventId,
    /// That event's position.
    pub seq: Position,
    /// That event's time.
    pub at: Timestamp,
    /// The version id; `None` for the `null` version.
    pub version: Option<String>,
    /// Whether it says that there is no object: a delete marker where `listed` (or once listed), else
    /// the trace that a delete in an unversioned bucket left.
    pub marker: bool,
    /// Whether S3 sees it: the current state or a version. What is not listed is history only.
    pub listed: bool,
    /// Where and when it ceased to be listed: overwritten where no versions are kept, or deleted.
    pub superseded: Option<(Position, Timestamp)>,
    /// Who made it.
    pub actor: Principal,
    /// Through what it came. The agent and the request stay in the event: see the log at `seq`.
    pub via: Via,
    /// The root of the bytes; `None` for a marker.
    pub cid: Option<Cid>,
    /// Without quotes; empty for a marker.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// `content-type` and its like, by lower-case name.
    pub headers: TextMap,
    /// User metadata, by lower-case name.
    pub metadata: TextMap,
    /// Tags.
    pub tags: TextMap,
    /// The checksum that came with it or was asked for.
    pub checksum: Option<Checksum>,
    /// The parts that it was uploaded in.
    pub parts: Vec<Part>,
    /// What it is a copy of.
    pub source: Option<String>,
    /// The multipart upload that it came from.
    pub upload: Option<String>,
    /// The owner's canonical id; the bucket's owner where `None`.
    pub owner: Option<String>,
    /// Who else may do what with it; only the owner where empty.
    pub acl: Vec<Grant>,
    /// It must not be deleted before then.
    pub retention: Option<Retention>,
    /// A legal hold: it must not be deleted.
    pub hold: bool,
    /// Whether a hold was ever placed or lifted: S3 tells `OFF` from never.
    pub hold_said: bool,
    /// Where the bytes are encrypted.
    pub encryption: Option<Encryption>,
    /// The list of the stripes that its blocks are in, where they are.
    pub stripes: Option<Cid>,
}

impl ObjectRecord {
    /// Whether it must not be deleted at `now`. A bypass passes over governance, nothing else.
    pub fn is_locked(&self, now: Timestamp, bypass: bool) -> bool {
        self.hold
            || self
                .retention
                .is_some_and(|retention| retention.binds(now, bypass))
    }

    /// The version id as S3 writes it: `null` for the null version.
    pub fn version_id(&self) -> &str {
        self.version.as_deref().unwrap_or("null")
    }
}

/// An open multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRecord {
    /// The upload's id: that of the event that started it.
    pub id: EventId,
    /// Of which object.
    pub key: String,
    /// The position of the event that started it.
    pub seq: Position,
    /// When it was started.
    pub started: Timestamp,
    /// Who started it.
    pub actor: Principal,
    /// Content headers for the object.
    pub headers: TextMap,
    /// User metadata for the object.
    pub metadata: TextMap,
    /// Tags for the object.
    pub tags: TextMap,
    /// The checksum algorithm that the parts carry.
    pub checksum_algorithm: Option<String>,
    /// `COMPOSITE` or `FULL_OBJECT`.
    pub checksum_type: Option<String>,
    /// The owner's canonical id; the bucket's owner where `None` (these four are the object's to be).
    pub owner: Option<String>,
    /// Who else may do what with it; only the owner where empty.
    pub acl: Vec<Grant>,
    /// It must not be deleted before then.
    pub retention: Option<Retention>,
    /// A legal hold: it must not be deleted.
    pub hold: bool,
    /// Where the bytes are encrypted.
    pub encryption: Option<Encryption>,
}

/// One part of an open upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRecord {
    /// From 1 to 10,000.
    pub number: u32,
    /// The root of its bytes.
    pub cid: Cid,
    /// Without quotes.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// The checksum that came with it.
    pub checksum: Option<Checksum>,
    /// The position of the event that brought it.
    pub seq: Position,
    /// When it came.
    pub at: Timestamp,
    /// Where the upload is encrypted: the salt of its bytes.
    pub salt: Option<String>,
    /// The list of the stripes that its blocks are in, where they are.
    pub stripes: Option<Cid>,
}

/// What a bucket holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Current objects.
    pub objects: u64,
    /// Bytes of the current objects.
    pub bytes: u64,
    /// Versions behind the current ones, delete markers included.
    pub versions: u64,
    /// Bytes of those versions.
    pub version_bytes: u64,
}

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only keys that begin so.
    pub prefix: String,
    /// Only keys behind this one. Where it is a common prefix that a page ended with, what it stands for
    /// is passed over.
    pub after: Option<String>,
    /// Keys that have it behind the prefix are rolled up to there.
    pub delimiter: Option<String>,
    /// At most this many objects and common prefixes together.
    pub max: usize,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects by key, ascending.
    pub objects: Vec<(String, ObjectRecord)>,
    /// Common prefixes, ascending.
    pub prefixes: Vec<String>,
    /// Where there is more: the `after` of the next page.
    pub next: Option<String>,
}

/// What versions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionQuery {
    /// Only keys that begin so.
    pub prefix: String,
    /// Only keys behind this one (and, with `version_marker`, the older versions of this one).
    pub key_marker: Option<String>,
    /// Only versions of `key_marker` that are older than this one.
    pub version_marker: Option<String>,
    /// As in [`ListQuery`].
    pub delimiter: Option<String>,
    /// At most this many versions and common prefixes together.
    pub max: usize,
}

/// One version in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionEntry {
    /// The key.
    pub key: String,
    /// Whether it is the newest listed one.
    pub latest: bool,
    /// The version.
    pub record: ObjectRecord,
}

/// A page of a listing of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// By key ascending, each key's newest first.
    pub versions: Vec<VersionEntry>,
    /// Common prefixes, ascending.
    pub prefixes: Vec<String>,
    /// Where there is more: `key_marker` and `version_marker` of the next page.
    pub next: Option<(String, Option<String>)>,
}

/// What uploads to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadQuery {
    /// Only keys that begin so.
    pub prefix: String,
    /// Only keys behind this one (and, with `upload_marker`, later uploads of this one).
    pub key_marker: Option<String>,
    /// Only uploads of `key_marker` behind this id.
    pub upload_marker: Option<String>,
    /// As in [`ListQuery`].
    pub delimiter: Option<String>,
    /// At most this many uploads and common prefixes together.
    pub max: usize,
}

/// A page of a listing of uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadPage {
    /// By key, then by id.
    pub uploads: Vec<UploadRecord>,
    /// Common prefixes, ascending.
    pub prefixes: Vec<String>,
    /// Where there is more: `key_marker` and `upload_marker` of the next page.
    pub next: Option<(String, Option<String>)>,
}
