//! Bodies of objects: what is put, deleted, and said of one version.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use super::{Grant, Retention, Via};
use crate::Cid;
use crate::text_map::{self, TextMap};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A checksum that a client sent or asked for, kept and returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`, as S3 names them.
    pub algorithm: String,
    /// Whether it is over the parts' checksums (`COMPOSITE`) rather than over the bytes (`FULL_OBJECT`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub composite: bool,
    /// Base64; for a composite checksum with `-N`, the number of parts, behind it.
    pub value: String,
}

/// Whose key an object's bytes are encrypted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyHolder {
    /// The node's storage key (S3's SSE-S3).
    Node,
    /// A key that comes with each request and is never stored (S3's SSE-C).
    Customer,
}

/// That an object's bytes are encrypted, and what is needed beside the key to read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// What tells the right key from another one: hexadecimal, derived from key and salt.
    pub check: String,
    pub holder: KeyHolder,
    /// 16 random bytes, hexadecimal. Where the object has parts, each has a salt of its own for its bytes.
    pub salt: String,
}

/// One part of an object that was uploaded in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// From 1 to 10,000.
    pub number: u32,
    /// Where the object is encrypted: the salt of the part's bytes, as in [`Encryption`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// In bytes.
    pub size: u64,
    /// The part's own checksum, where one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
}

/// `object.put`: a new state of a key. The version id is this event's id where the bucket's versioning is
/// enabled at that position, else `null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectPut {
    /// Who else may do what with it; only the owner where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acl: Vec<Grant>,
    pub bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// The root of the object's bytes: a raw block, or a UnixFS file.
    pub cid: Cid,
    /// Where the bytes are encrypted: the CID is that of the ciphertext, ETag and checksum of what was put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Without quotes: the MD5 in hexadecimal, or the MD5 of the parts' MD5s and `-N`.
    pub etag: String,
    /// `content-type`, `cache-control` and their like, by lower-case name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "text_map")]
    pub headers: TextMap,
    /// A legal hold: it must not be deleted while this stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hold: bool,
    pub key: String,
    /// User metadata, by lower-case name without `x-amz-meta-`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "text_map")]
    pub metadata: TextMap,
    /// The owner's canonical id; the bucket's owner where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// It must not be deleted before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// In bytes.
    pub size: u64,
    /// The list of the stripes that its blocks are in, where they are: parity is beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripes: Option<Cid>,
    /// `bucket/key` (and `?versionId=…`) that this is a copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "text_map")]
    pub tags: TextMap,
    /// The multipart upload that this completes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    pub via: Via,
}

/// `object.deleted`: the key's current state, or one named version, goes. In a versioned bucket a delete
/// without a version leaves a delete marker whose version id is this event's id (`null` where suspended).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectDeleted {
    pub bucket: String,
    /// Whether retention of the mode governance is passed over, by somebody who may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bypass: bool,
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub via: Via,
}

/// `object.tagged`: the tags of one version (the current one where none is named) are replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectTagged {
    pub bucket: String,
    pub key: String,
    #[serde(default, with = "text_map")]
    pub tags: TextMap,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub via: Via,
}

/// `object.striped`: the blocks of one version (the current one where none is named) were put into stripes, or are in
/// none any more. Of no effect where the version has other bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectStriped {
    pub bucket: String,
    /// The root of the bytes that were meant.
    pub cid: Cid,
    pub key: String,
    /// The list of the stripes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripes: Option<Cid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub via: Via,
}

/// `object.granted`: the access control list of one version (the current one where none is named) is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectGranted {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acl: Vec<Grant>,
    pub bucket: String,
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub via: Via,
}

/// `object.retained`: the retention of one version (the current one where none is named) is set or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRetained {
    pub bucket: String,
    /// As in [`ObjectDeleted`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bypass: bool,
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub via: Via,
}

/// `object.held`: the legal hold of one version (the current one where none is named) is placed or lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectHeld {
    pub bucket: String,
    pub hold: bool,
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub via: Via,
}
