//! What can go wrong with an object, for people and programs: every variant has a stable code.

use super::{Algorithm, BodyError};
use crate::Code;
use stead_block::BlockError;
use stead_log::LogError;
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
    #[error("the disk is full: nothing was stored")]
    Full,
    #[error("too many writes are waiting; try again")]
    Busy,
    #[error("the node cannot take writes now: {0}; whether this one was stored is not known")]
    Unavailable(String),
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    #[error("{0}")]
    Internal(String),
}

impl ObjectError {
    /// Its stable code.
    pub fn code(&self) -> Code {
        todo!()
    }
}

impl From<BlockError> for ObjectError {
    fn from(error: BlockError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<ViewError> for ObjectError {
    fn from(error: ViewError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<LogError> for ObjectError {
    fn from(error: LogError) -> Self {
        Self::Internal(error.to_string())
    }
}
