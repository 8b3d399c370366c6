//! Buckets, objects and uploads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stead_event::body::{Checksum, Versioning};
use stead_event::{Position, TextMap, Timestamp};

/// How [`Versioning`] is written.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)] // only its schema is used
enum VersioningState {
    Off,
    Enabled,
    Suspended,
}

/// `PUT /api/v1/buckets/{bucket}/copies`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketCopies {
    /// 1 to 5; `null` leaves it to the cluster.
    #[serde(default)]
    pub copies: Option<u8>,
    /// In place of copies: data and parity pieces, such as `4+2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<String>,
}

/// `PUT /api/v1/buckets/{bucket}/writes`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketWrites {
    /// `majority` (the usual), `local` or `across-sites`.
    pub writes: String,
}

/// A bucket.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    pub name: String,
    #[schemars(with = "String")]
    pub created: Timestamp,
    #[schemars(with = "VersioningState")]
    pub versioning: Versioning,
    /// Current ones.
    pub objects: u64,
    /// Of current objects.
    pub bytes: u64,
    /// Behind the current ones, delete markers included.
    #[serde(default)]
    pub versions: u64,
    #[serde(default)]
    pub version_bytes: u64,
    /// The name of whoever made it.
    #[serde(default)]
    pub owner: String,
    /// Whether it is published to IPFS.
    #[serde(default)]
    pub public_ipfs: bool,
    /// How many nodes have its blocks, where it says so; else as many as is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<u8>,
    /// When a writer is answered, where that is not by a majority: `local` or `across-sites`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<String>,
    /// Data and parity pieces of its blocks, such as `4+2`, where it has these instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<String>,
}

/// One state of an object.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    pub bucket: String,
    pub key: String,
    /// In bytes.
    pub size: u64,
    pub cid: String,
    pub etag: String,
    #[schemars(with = "String")]
    pub at: Timestamp,
    pub position: Position,
    /// `null` for the version of an unversioned write.
    pub version: String,
    #[serde(default, skip_serializing_if = "TextMap::is_empty")]
    pub headers: TextMap,
    #[serde(default, skip_serializing_if = "TextMap::is_empty")]
    pub metadata: TextMap,
    /// Whether it is a delete marker (or, in history, says that there was none).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marker: bool,
    /// In listings of versions: whether it is the newest of its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<bool>,
}

/// `GET /api/v1/objects/{bucket}`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Listing {
    /// Objects; with `versions=true` versions and delete markers, each key's newest first.
    pub items: Vec<Object>,
    /// What stands before the delimiter, where one was given.
    pub prefixes: Vec<String>,
    /// `cursor` of the next page; absent on the last. Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The position that the listing is of.
    pub position: Position,
}

/// An object was stored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Stored {
    pub cid: String,
    pub etag: String,
    pub size: u64,
    pub position: Position,
    pub version: String,
}

/// An object or a version was deleted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Absent where there was nothing to delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Whether a delete marker was left.
    pub marker: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// `POST /api/v1/uploads`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StartUpload {
    pub bucket: String,
    pub key: String,
    #[serde(default)]
    pub headers: TextMap,
    #[serde(default)]
    pub metadata: TextMap,
}

/// An upload and the parts that arrived.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Upload {
    pub bucket: String,
    pub key: String,
    pub upload: String,
    pub parts: Vec<Part>,
}

/// A part.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    pub number: u32,
    pub size: u64,
    pub etag: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cid: String,
}

/// `POST /api/v1/uploads/{upload}`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CompleteUpload {
    /// Number and ETag, ascending.
    pub parts: Vec<(u32, String)>,
}

/// `POST /api/v1/copy`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Copy {
    pub source_bucket: String,
    pub source_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_version: Option<String>,
    /// A position or a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_at: Option<String>,
    pub bucket: String,
    pub key: String,
}

/// `GET /api/v1/meta/{bucket}/{key}`: everything that is known about one state of a key, and which others
/// there are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Meta {
    #[serde(flatten)]
    pub object: Object,
    /// Whether S3 shows it; what is not listed is history only.
    pub listed: bool,
    /// Who made it.
    pub actor: String,
    /// Through what it came: `s3`, `api`, `cli`, …
    pub via: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    #[serde(default, skip_serializing_if = "TextMap::is_empty")]
    pub tags: TextMap,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<ChecksumText>,
    /// The parts that it was uploaded in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartSize>,
    /// What it is a copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The upload that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// When it ceased to be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Moment>,
    /// Every state that is still kept, newest first; `next` is the `cursor` of the next page.
    pub versions: super::Page<State>,
}

/// One of the states of a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct State {
    #[serde(flatten)]
    pub object: Object,
    /// Whether S3 shows it; what is not listed can be restored by its position.
    pub listed: bool,
    pub actor: String,
    pub via: String,
}

/// A checksum that is kept with an object.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChecksumText {
    /// As S3 names them: `CRC64NVME`, `SHA256`, …
    pub algorithm: String,
    /// Over the parts' checksums rather than over the bytes.
    pub composite: bool,
    /// Base64.
    pub value: String,
}

impl From<&Checksum> for ChecksumText {
    fn from(checksum: &Checksum) -> Self {
        Self {
            algorithm: checksum.algorithm.clone(),
            composite: checksum.composite,
            value: checksum.value.clone(),
        }
    }
}

/// A part that an object was uploaded in.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PartSize {
    pub number: u32,
    pub size: u64,
}

/// A place in the log and its time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    pub position: Position,
    #[schemars(with = "String")]
    pub time: Timestamp,
}

/// `GET /api/v1/timeline/{bucket}`: between which moments the bucket can be looked at.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Timeline {
    /// When the bucket was made.
    pub first: Moment,
    /// The end of the log.
    pub last: Moment,
    /// What was overwritten or deleted before this moment may be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub kept_since: Option<Timestamp>,
}

/// `GET /api/v1/at?time=`
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct At {
    /// The last position that is not younger than the moment; zero where all are.
    pub position: Position,
    #[schemars(with = "String")]
    pub time: Timestamp,
}

/// `POST /api/v1/undelete`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Undelete {
    pub bucket: String,
    pub key: String,
}

/// An object is there again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Undeleted {
    pub position: Position,
    /// The version that is current now.
    pub version: String,
    /// Whether a delete marker was removed (else the last state was stored again).
    pub marker_removed: bool,
}

/// `POST /api/v1/presign`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Presign {
    pub bucket: String,
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `GET` (as it is by default), `HEAD`, `PUT` or `DELETE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How long the URL works, in seconds: a second to seven days, an hour where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u64>,
    /// The S3 endpoint as whoever gets the URL reaches it; the node's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// A URL that needs no key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Presigned {
    pub url: String,
    #[schemars(with = "String")]
    pub expires: Timestamp,
}

/// `POST /api/v1/zip`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Zip {
    pub bucket: String,
    #[serde(default)]
    pub keys: Vec<String>,
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// A position or a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}
