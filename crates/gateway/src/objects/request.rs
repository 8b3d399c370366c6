//! What gateways ask for and what they get: plain values.

use super::checksum::Algorithm;
use super::{CustomerKey, Protect};
use crate::access::{Ownership, Wanted};
use crate::{Caller, Identity};
use stead_event::body::{Checksum, KeyHolder, Retention, Scope};
use stead_event::{Cid, EventId, Position, TextMap};
pub use stead_log::Expect;

/// Why a body ended before its end, whatever it came through.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// No byte for too long, or too slow on average.
    #[error("{0}")]
    TooSlow(String),
    /// The connection broke or the framing was wrong.
    #[error("{0}")]
    Interrupted(String),
    /// A chunk's or the trailer's signature does not match.
    #[error("{0}")]
    Signature(String),
    /// Anything else that the protocol's decoder says of it.
    #[error("{0}")]
    Malformed(String),
}

/// A range of bytes as asked for, before the size is known (RFC 9110 §14.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first byte's offset to the last byte's (inclusive; to the end where `None`).
    From(u64, Option<u64>),
    /// The last so many bytes.
    Last(u64),
}

/// Which state of a key to read.
#[derive(Clone, Copy, Debug)]
pub struct GetRequest<'a> {
    /// Who asks.
    pub who: &'a Identity,
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
    /// A version id (`null` names the null version); the current state where `None`.
    pub version: Option<&'a str>,
    /// The state as of this position instead.
    pub at: Option<Position>,
    /// The bytes wanted; all where `None`.
    pub range: Option<ByteRange>,
}

/// What a new bucket has from its beginning on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewBucket {
    /// It locks objects, and so keeps versions.
    pub locks: bool,
    /// Its access control list.
    pub list: Wanted,
    /// Its object ownership.
    pub ownership: Option<Ownership>,
}

/// The lock that a new version is to have. It takes a bucket that locks objects, whose default retention
/// takes the place of what is not named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// It must not be deleted before then.
    pub retention: Option<Retention>,
    /// It must not be deleted while this stands.
    pub hold: bool,
}

/// A new object.
#[derive(Clone, Debug)]
pub struct PutRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// `content-type` and its like, by lower-case name.
    pub headers: TextMap,
    /// User metadata, by lower-case name without prefix.
    pub metadata: TextMap,
    /// Tags.
    pub tags: TextMap,
    /// Retention and hold.
    pub lock: Lock,
    /// Whether and how it is encrypted.
    pub protect: Protect,
    /// What the key must be at (`If-Match`, `If-None-Match: *`).
    pub expect: Option<Expect>,
    /// Who puts.
    pub caller: Caller,
}

/// A stored object.
#[derive(Clone, Debug)]
pub struct PutDone {
    /// The root of its bytes.
    pub cid: Cid,
    /// Without quotes.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// Where the log has it.
    pub position: Position,
    /// The event that made it.
    pub event: EventId,
    /// When.
    pub at: stead_event::Timestamp,
    /// The version id, where the bucket keeps versions (`null` where suspended).
    pub version: Option<String>,
    /// The checksum kept with it.
    pub checksum: Option<Checksum>,
    /// Whose key it is encrypted with.
    pub encrypted: Option<KeyHolder>,
}

/// A copy of an object.
#[derive(Clone, Debug)]
pub struct CopyRequest {
    /// From this bucket.
    pub source_bucket: String,
    /// Of this key.
    pub source_key: String,
    /// This version; the current one where `None`.
    pub source_version: Option<String>,
    /// The state as of this position instead (time travel, restore).
    pub source_at: Option<Position>,
    /// The source must still have this ETag, where set (the gateway has evaluated the conditions on it).
    pub source_etag: Option<String>,
    /// To this bucket.
    pub bucket: String,
    /// As this key.
    pub key: String,
    /// New headers and metadata; the source's where `None`.
    pub metadata: Option<(TextMap, TextMap)>,
    /// New tags; the source's where `None`.
    pub tags: Option<TextMap>,
    /// Retention and hold, which are never the source's.
    pub lock: Lock,
    /// Whether and how the copy is encrypted; the source's encryption does not matter.
    pub protect: Protect,
    /// The key that the source is encrypted with, where its owner keeps it.
    pub source_customer_key: Option<CustomerKey>,
    /// What the target must be at.
    pub expect: Option<Expect>,
    /// Who copies.
    pub caller: Caller,
}

/// What is to be deleted.
#[derive(Clone, Debug)]
pub struct DeleteRequest {
    /// The bucket.
    pub bucket: String,
    /// The key and version.
    pub target: DeleteTarget,
    /// Who deletes.
    pub caller: Caller,
}

/// One key or version to delete.
#[derive(Clone, Debug)]
pub struct DeleteTarget {
    /// The key.
    pub key: String,
    /// One version; the current state (or a new delete marker) where `None`.
    pub version: Option<String>,
    /// What the key must be at (`If-Match`).
    pub expect: Option<Expect>,
    /// Whether retention of the mode governance is passed over. The gateway has seen that the caller may.
    pub bypass: bool,
}

/// New retention of a version.
#[derive(Clone, Debug)]
pub struct RetainRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// One version; the current one where `None`.
    pub version: Option<String>,
    /// Its retention from now on, or `None` to remove it.
    pub retention: Option<Retention>,
    /// As in [`DeleteTarget`].
    pub bypass: bool,
    /// Who asks.
    pub caller: Caller,
}

/// A legal hold to place or to lift.
#[derive(Clone, Debug)]
pub struct HoldRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// One version; the current one where `None`.
    pub version: Option<String>,
    /// Whether it is held from now on.
    pub hold: bool,
    /// Who asks.
    pub caller: Caller,
}

/// A deletion that a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The key.
    pub key: String,
    /// One version; the current state (or a new delete marker) where `None`.
    pub version: Option<String>,
    /// The event of the key's current object, which must still be it; `None` where there is none.
    pub current: Option<EventId>,
    /// The rule's name, for the event.
    pub rule: String,
}

/// What a delete did.
#[derive(Clone, Debug)]
pub struct DeleteDone {
    /// The key.
    pub key: String,
    /// The version id of the deleted version, or of the delete marker that was made.
    pub version: Option<String>,
    /// Whether a delete marker was made, or the deleted version was one.
    pub marker: bool,
    /// Where the log has it; `None` where there was nothing to delete.
    pub position: Option<Position>,
}

/// New tags.
#[derive(Clone, Debug)]
pub struct TagRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// One version; the current one where `None`.
    pub version: Option<String>,
    /// All tags from now on.
    pub tags: TextMap,
    /// Who tags.
    pub caller: Caller,
}

/// A new access control list of an object.
#[derive(Clone, Debug)]
pub struct GrantRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// One version; the current one where `None`.
    pub version: Option<String>,
    /// The list from now on.
    pub list: Wanted,
    /// Who grants.
    pub caller: Caller,
}

/// A multipart upload to open.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// As of [`PutRequest`].
    pub headers: TextMap,
    /// As of [`PutRequest`].
    pub metadata: TextMap,
    /// As of [`PutRequest`].
    pub tags: TextMap,
    /// As of [`PutRequest`].
    pub lock: Lock,
    /// As of [`PutRequest`].
    pub protect: Protect,
    /// The checksum algorithm that the parts will carry, where one was asked for.
    pub checksum_algorithm: Option<Algorithm>,
    /// Whether the object's checksum is over the parts' checksums; the algorithm's default where `None`.
    pub checksum_composite: Option<bool>,
    /// Who uploads.
    pub caller: Caller,
}

/// One part.
#[derive(Clone, Debug)]
pub struct PartRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The upload's id.
    pub upload: String,
    /// From 1 to 10,000.
    pub number: u32,
    /// The key that the upload was started with, where it was with one of the client's.
    pub customer_key: Option<CustomerKey>,
    /// Who uploads.
    pub caller: Caller,
}

/// A stored part.
#[derive(Clone, Debug)]
pub struct PartDone {
    /// The root of its bytes.
    pub cid: Cid,
    /// Without quotes.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// Where the log has it.
    pub position: Position,
    /// When.
    pub at: stead_event::Timestamp,
    /// Its checksum.
    pub checksum: Option<Checksum>,
    /// As of [`PutDone`].
    pub encrypted: Option<KeyHolder>,
}

/// A part that is (a range of) an object.
#[derive(Clone, Debug)]
pub struct PartCopyRequest {
    /// The part.
    pub part: PartRequest,
    /// From this bucket.
    pub source_bucket: String,
    /// Of this key.
    pub source_key: String,
    /// This version; the current one where `None`.
    pub source_version: Option<String>,
    /// As of [`CopyRequest`].
    pub source_etag: Option<String>,
    /// As of [`CopyRequest`].
    pub source_customer_key: Option<CustomerKey>,
    /// First and last byte (inclusive); all where `None`. Both must lie within the source.
    pub range: Option<(u64, u64)>,
}

/// One part as the client lists it when it completes.
#[derive(Clone, Debug)]
pub struct CompletedPart {
    /// The part's number.
    pub number: u32,
    /// Its ETag, without quotes.
    pub etag: String,
    /// Its checksum's value in base64, where the client repeats it.
    pub checksum: Option<String>,
}

/// An upload to complete.
#[derive(Clone, Debug)]
pub struct CompleteRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The upload's id.
    pub upload: String,
    /// The parts, in ascending order of number.
    pub parts: Vec<CompletedPart>,
    /// The whole object's checksum as the client knows it, where it says so.
    pub checksum: Option<(Algorithm, String)>,
    /// The whole object's size as the client knows it (`x-amz-mp-object-size`).
    pub size: Option<u64>,
    /// What the key must be at.
    pub expect: Option<Expect>,
    /// Who completes.
    pub caller: Caller,
}

/// A new access key.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    /// The user's name; what events will carry as actor.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// A given access key and secret (for moving from elsewhere); made up where `None`.
    pub given: Option<(String, String)>,
}

/// A new access key's only full showing.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyDone {
    /// 20 characters.
    pub access_key: String,
    /// 40 characters. Shown once.
    pub secret_key: String,
    /// 64 hexadecimal digits.
    pub canonical_id: String,
    /// The user's name.
    pub name: String,
    /// Where the log has it.
    pub position: Position,
}

impl std::fmt::Debug for KeyDone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyDone")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}
