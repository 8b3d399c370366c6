//! Bodies of multipart uploads.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

use super::{Checksum, Encryption, Grant, Retention, Via};
use crate::Cid;
use crate::text_map::{self, TextMap};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `upload.started`: a multipart upload; its id is this event's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadStarted {
    /// As in [`ObjectPut`], for the object that it will be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acl: Vec<Grant>,
    pub bucket: String,
    /// The checksum algorithm that the parts will carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum_algorithm: Option<String>,
    /// `COMPOSITE` or `FULL_OBJECT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum_type: Option<String>,
    /// As in [`ObjectPut`]: of every part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "text_map")]
    pub headers: TextMap,
    /// As in [`ObjectPut`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hold: bool,
    pub key: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "text_map")]
    pub metadata: TextMap,
    /// As in [`ObjectPut`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// As in [`ObjectPut`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "text_map")]
    pub tags: TextMap,
    pub via: Via,
}

/// `upload.part`: a part arrived, replacing an earlier one of the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadPart {
    pub bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    pub cid: Cid,
    pub etag: String,
    pub key: String,
    pub number: u32,
    /// As in [`Part`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    pub size: u64,
    /// The list of the stripes that its blocks are in, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripes: Option<Cid>,
    pub upload: String,
    pub via: Via,
}

/// `upload.aborted`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadAborted {
    pub bucket: String,
    pub key: String,
    pub upload: String,
    pub via: Via,
}
