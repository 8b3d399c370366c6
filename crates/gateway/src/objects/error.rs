//! What can go wrong with an object, for people and programs: every variant has a stable code.

use super::{Algorithm, BodyError};
use crate::{Code, codes};
use stead_block::BlockError;
use stead_event::{Position, Timestamp};
use stead_log::SegmentError;
use stead_view::ViewError;

/// Why a request was not done. Nothing was stored, unless [`ObjectError::Unavailable`] says otherwise.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the message says what each is
pub enum ObjectError {
    #[error("there is no bucket {0}")]
    NoSuchBucket(String),
    #[error("bucket {bucket} has no object {key}")]
    NoSuchKey { bucket: String, key: String },
    #[error("{bucket}/{key} has no version {version}")]
    NoSuchVersion {
        bucket: String,
        key: String,
        version: String,
    },
    /// gc has forgotten states of the time that was asked for.
    #[error(
        "{what} at position {at} is forgotten: gc has dropped what was overwritten or deleted before {before}"
    )]
    Forgotten {
        what: String,
        at: Position,
        before: Timestamp,
    },
    /// The current state (`named == false`) or the named version is a delete marker.
    #[error("{bucket}/{key} is deleted: version {version} is a delete marker")]
    Marker {
        bucket: String,
        key: String,
        version: String,
        named: bool,
    },
    #[error("{bucket}/{key} has no open upload {upload}")]
    NoSuchUpload {
        bucket: String,
        key: String,
        upload: String,
    },
    #[error("the access key {0} does not exist or was revoked")]
    NoSuchAccessKey(String),
    #[error("bucket {0} exists already")]
    BucketExists(String),
    #[error("bucket {0} is not empty")]
    BucketNotEmpty(String),
    #[error("the access key {0} exists already")]
    AccessKeyExists(String),
    #[error("{name:?} cannot name a bucket: {why}")]
    BucketName { name: String, why: &'static str },
    #[error("the key is {bytes} bytes long; at most 1,024 are allowed")]
    KeyTooLong { bytes: usize },
    #[error("the key cannot be stored: {why}")]
    KeyName { why: &'static str },
    #[error("the version id {0:?} is malformed")]
    VersionId(String),
    #[error("{what} is too large: {size}, at most {max}")]
    TooLarge { what: &'static str, size: u64, max: u64 },
    #[error("{0}")]
    Invalid(String),
    #[error("the body has {got} bytes, {expected} were announced")]
    Length { expected: u64, got: u64 },
    #[error("the body's MD5 is {got}, Content-MD5 says {expected}")]
    Md5 { expected: String, got: String },
    #[error("the body's SHA-256 is {got}, x-amz-content-sha256 says {expected}")]
    Sha256 { expected: String, got: String },
    #[error("the {algorithm} checksum is {got}, the client says {expected}")]
    Checksum {
        algorithm: Algorithm,
        expected: String,
        got: String,
    },
    #[error("the {0} checksum that was announced as a trailer did not arrive")]
    NoTrailer(Algorithm),
    #[error("{value:?} is not a {algorithm} checksum in base64")]
    ChecksumText { algorithm: Algorithm, value: String },
    #[error("the body did not arrive whole: {0}")]
    Body(#[from] BodyError),
    #[error("the range begins behind the end: the object has {size} bytes")]
    Range { size: u64 },
    #[error("part number {0} is not between 1 and 10,000")]
    PartNumber(u32),
    #[error("part {number} does not exist, or has another ETag or checksum")]
    NoSuchPart { number: u32 },
    #[error("the parts are not in ascending order of their numbers")]
    PartOrder,
    #[error("part {number} has {size} bytes; every part but the last needs at least {min}")]
    PartTooSmall { number: u32, size: u64, min: u64 },
    #[error("no parts are listed")]
    NoParts,
    #[error("a precondition does not hold: {0}")]
    Precondition(String),
    #[error("{who} may not {what} {on}")]
    Denied { who: String, what: String, on: String },
    #[error("bucket {0} has no access control lists: everything in it is its owner's")]
    ListsOff(String),
    #[error("bucket {0} cannot do without access control lists: its own lets others than its owner in")]
    ListsInUse(String),
    #[error("{0}")]
    Policy(String),
    #[error("bucket {0} is somebody else's")]
    BucketTaken(String),
    /// Of a version, or (with an empty key) of the bucket.
    #[error("{bucket}/{key} is locked: by retention or a legal hold, or because its bucket locks objects")]
    Locked { bucket: String, key: String },
    #[error("bucket {0} does not lock objects")]
    NotLocking(String),
    #[error("{0}")]
    BucketState(String),
    #[error("the object is encrypted with a key of its owner's, which must come with the request")]
    KeyNeeded,
    #[error("the object is not encrypted with a key of its owner's")]
    NotEncrypted,
    #[error("the object is encrypted with another key")]
    WrongKey,
    #[error("the shared settings are not at revision {0} any more")]
    ConfigChanged(u64),
    #[error("lock {name:?} is held by {owner}")]
    LockTaken { name: String, owner: String },
    #[error(
        "lock {name:?} is not held with token {token}: it was released, its lease ran out, or it was broken"
    )]
    LockLost { name: String, token: Position },
    #[error("nobody holds lock {0:?}")]
    NoSuchLock(String),
    #[error("{0} locks are held, which is as many as there may be")]
    TooManyLocks(usize),
    #[error("the disk is full: nothing was stored")]
    Full,
    #[error("too many writes are waiting; try again")]
    Busy,
    #[error("the node cannot take writes now: {0}; whether this one was stored is not known")]
    Unavailable(String),
    #[error("state is being rebuilt; try again in a moment")]
    Rebuilding,
    #[error("{0}")]
    State(String),
    #[error("{0}")]
    LogDamaged(String),
    #[error("{0}")]
    Diverged(String),
    /// A file of the node's could not be read or written.
    #[error("{0}")]
    File(String),
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    #[error(transparent)]
    Ipfs(#[from] crate::ipfs::IpfsError),
    #[error("{0}")]
    Internal(String),
}

impl ObjectError {
    /// Its stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NoSuchBucket(_) => codes::NO_SUCH_BUCKET,
            Self::NoSuchKey { .. } => codes::NO_SUCH_KEY,
            Self::NoSuchVersion { .. } => codes::NO_SUCH_VERSION,
            Self::Forgotten { .. } => codes::FORGOTTEN,
            Self::Marker { .. } => codes::DELETE_MARKER,
            Self::NoSuchUpload { .. } => codes::NO_SUCH_UPLOAD,
            Self::NoSuchAccessKey(_) => codes::UNKNOWN_KEY,
            Self::BucketExists(_) => codes::BUCKET_EXISTS,
            Self::BucketNotEmpty(_) => codes::BUCKET_NOT_EMPTY,
            Self::AccessKeyExists(_) => codes::CONFLICT,
            Self::BucketName { .. } => codes::BUCKET_NAME,
            Self::KeyTooLong { .. } | Self::KeyName { .. } => codes::KEY_NAME,
            Self::VersionId(_) => codes::VERSION_ID,
            Self::TooLarge { .. } => codes::TOO_LARGE,
            Self::Invalid(_) => codes::INVALID,
            Self::Length { .. } => codes::LENGTH,
            Self::Md5 { .. } | Self::Sha256 { .. } | Self::Checksum { .. } => codes::BAD_DIGEST,
            Self::NoTrailer(_) | Self::ChecksumText { .. } => codes::BAD_CHECKSUM_TEXT,
            Self::Body(_) => codes::BODY,
            Self::Range { .. } => codes::RANGE,
            Self::PartNumber(_) | Self::NoSuchPart { .. } => codes::PART,
            Self::PartOrder | Self::NoParts => codes::PART_ORDER,
            Self::PartTooSmall { .. } => codes::PART_TOO_SMALL,
            Self::Precondition(_) => codes::PRECONDITION,
            Self::Denied { .. } => codes::ACCESS_DENIED,
            Self::ListsOff(_) | Self::ListsInUse(_) | Self::Policy(_) => codes::INVALID,
            Self::BucketTaken(_) => codes::BUCKET_EXISTS,
            Self::Locked { .. } => codes::OBJECT_LOCKED,
            Self::NotLocking(_) | Self::BucketState(_) => codes::BUCKET_STATE,
            Self::KeyNeeded | Self::NotEncrypted | Self::WrongKey => codes::OBJECT_KEY,
            Self::ConfigChanged(_) => codes::CONFIG_CHANGED,
            Self::LockTaken { .. } => codes::LOCK_TAKEN,
            Self::LockLost { .. } => codes::LOCK_LOST,
            Self::NoSuchLock(_) => codes::NO_SUCH_LOCK,
            Self::TooManyLocks(_) => codes::LOCK_TAKEN,
            Self::Full => codes::DISK_FULL,
            Self::Busy => codes::BUSY,
            Self::Unavailable(_) => codes::UNAVAILABLE,
            Self::Rebuilding => codes::REBUILDING,
            Self::Damaged(_) => codes::BLOCK_DAMAGED,
            Self::State(_) => codes::STATE_DAMAGED,
            Self::LogDamaged(_) => codes::LOG_DAMAGED,
            Self::Diverged(_) => codes::DIVERGED,
            Self::File(_) => codes::FILE,
            Self::Ipfs(error) => error.code(),
            Self::Internal(_) => codes::INTERNAL,
        }
    }
}

impl From<BlockError> for ObjectError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Full => Self::Full,
            BlockError::IndexRebuilding => Self::Rebuilding,
            BlockError::Elsewhere(why) => Self::Unavailable(why),
            BlockError::NotFound(_) | BlockError::Damaged { .. } | BlockError::NotAFile { .. } => {
                Self::Damaged(error.to_string())
            }
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<Box<BlockError>> for ObjectError {
    fn from(error: Box<BlockError>) -> Self {
        (*error).into()
    }
}

impl From<ViewError> for ObjectError {
    fn from(error: ViewError) -> Self {
        if error.is_full() {
            return Self::Full;
        }
        let text = error.to_string();
        match error {
            ViewError::Rebuilding => Self::Rebuilding,
            ViewError::Damaged(_) | ViewError::Database(_) | ViewError::Stored(_) => Self::State(text),
            ViewError::Diverged(_) => Self::Diverged(text),
            ViewError::Log { source, .. } => match *source {
                SegmentError::Io { .. } => Self::File(text),
                _ => Self::LogDamaged(text),
            },
            ViewError::Io { .. } => Self::File(text),
            ViewError::Block(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_errors_have_pages() {
        let some = [
            ObjectError::NoSuchBucket("b".into()),
            ObjectError::Full,
            ObjectError::PartOrder,
            ObjectError::Damaged("x".into()),
            ObjectError::Internal("x".into()),
            ObjectError::Body(BodyError::TooSlow("x".into())),
        ];
        for error in some {
            assert!(codes::page(error.code()).is_some(), "{error}");
        }
    }
}
