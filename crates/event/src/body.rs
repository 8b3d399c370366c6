//! Bodies: what happened. The core kinds are a closed set; a gateway's or plug-in's own kinds travel as
//! [`Ext`], decoded only by their owner.
//!
//! A body is written as a DAG-JSON map. Fields that are absent or empty are left out, so that lines stay
//! short and a later field does not change how older events read.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

pub use crate::published::{IpfsPinned, IpfsPublished, IpfsRooted, IpfsUnpinned, IpfsUnpublished};
use crate::text_map::{self, TextMap};
use crate::{Cid, EventError, NodeId, Position, Tenant, Timestamp};
use ipld_core::ipld::Ipld;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// Through what a change came: the protocol, and what it knew of the other side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// `s3`, `api`, `cli`, …
    pub protocol: String,
    /// The other side's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The program the other side says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The request id that the answer carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

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

/// `bucket.created`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketCreated {
    pub bucket: String,
    /// The owner's canonical id; the node's administrator where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    pub via: Via,
}

/// `bucket.deleted`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketDeleted {
    pub bucket: String,
    pub via: Via,
}

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Versioning {
    /// Never enabled: an overwrite replaces.
    #[default]
    Off,
    /// Each write makes a version.
    Enabled,
    /// Versions made before stay; new writes are the `null` version.
    Suspended,
}

/// `bucket.versioned`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketVersioned {
    pub bucket: String,
    pub state: Versioning,
    pub via: Via,
}

/// `bucket.configured`: one named configuration document of a bucket (tags, CORS, …), or its removal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketConfigured {
    pub bucket: String,
    /// The document's name: `tagging`, `cors`, `lifecycle`, …
    pub name: String,
    /// The document, or `None` where it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    pub via: Via,
}

/// To whom something is granted. Written as the canonical id, or one of three words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Grantee {
    /// One user, by canonical id.
    Canonical(String),
    /// Whoever asks, signed or not.
    Everyone,
    /// Whoever signs with a key of this node.
    Authenticated,
    /// What writes access logs. Nothing does here; the grant is kept and returned.
    LogDelivery,
}

const EVERYONE: &str = "everyone";
const AUTHENTICATED: &str = "authenticated";
const LOG_DELIVERY: &str = "log-delivery";

impl From<String> for Grantee {
    fn from(text: String) -> Self {
        match text.as_str() {
            EVERYONE => Self::Everyone,
            AUTHENTICATED => Self::Authenticated,
            LOG_DELIVERY => Self::LogDelivery,
            _ => Self::Canonical(text),
        }
    }
}

impl From<Grantee> for String {
    fn from(grantee: Grantee) -> Self {
        match grantee {
            Grantee::Canonical(id) => id,
            Grantee::Everyone => EVERYONE.to_owned(),
            Grantee::Authenticated => AUTHENTICATED.to_owned(),
            Grantee::LogDelivery => LOG_DELIVERY.to_owned(),
        }
    }
}

/// What a grant permits, by the names of S3's access control lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// All of the others.
    FullControl,
    /// To read an object, or to list a bucket.
    Read,
    /// To put and delete objects in a bucket.
    Write,
    /// To read the access control list.
    ReadAcp,
    /// To change the access control list.
    WriteAcp,
}

/// One entry of an access control list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub permission: Permission,
    pub to: Grantee,
}

/// How firmly a version is retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockMode {
    /// Whoever is allowed to bypass it may delete.
    Governance,
    /// Nobody may.
    Compliance,
}

/// A version that must not be deleted before a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    pub mode: LockMode,
    pub until: Timestamp,
}

impl Retention {
    /// Whether it forbids a deletion at `now`. A bypass passes over governance, nothing else.
    pub fn binds(self, now: Timestamp, bypass: bool) -> bool {
        self.until > now && !(bypass && self.mode == LockMode::Governance)
    }
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

/// What an access key may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Reading only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Only these buckets; all of them where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<String>,
}

/// `key.created`: an access key. The secret is sealed (encrypted with the node's storage key) and base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCreated {
    pub access_key: String,
    /// The user's canonical id: 64 hexadecimal digits.
    pub canonical_id: String,
    /// The user's name.
    pub name: String,
    #[serde(default)]
    pub scope: Scope,
    pub sealed_secret: String,
    pub via: Via,
}

/// `key.revoked`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRevoked {
    pub access_key: String,
    pub via: Via,
}

/// `node.started`, in `system`: a node opened its log for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStarted {
    pub node: NodeId,
    /// The release that it ran.
    pub release: String,
}

/// `log.sealed`, in `system`: a segment of some tenant's log is complete and kept as blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSealed {
    /// The UnixFS file of the compressed segment.
    pub cid: Cid,
    pub first: Position,
    /// The CID of the last line.
    pub head: Cid,
    pub last: Position,
    /// The node that signed.
    pub node: NodeId,
    /// Ed25519 over the checkpoint text, base64; see `stead_log::checkpoint`.
    pub signature: String,
    pub signed_at: Timestamp,
    /// Compressed, in bytes.
    pub size: u64,
    pub tenant: Tenant,
}

/// `ext`: a kind that only its owner can decode. Its body must read back from DAG-JSON as it was written
/// ([`Body::check`]): no map with `/` as its only key, no float that is not finite, no integer beyond 64 bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ext {
    pub body: Ipld,
    pub owner: String,
    pub version: u32,
}

macro_rules! kinds {
    ($($variant:ident = $kind:literal,)*) => {
        /// What happened, by kind.
        ///
        /// Serde writes it as a map of one entry, the kind naming the body. A tag beside the body would not
        /// do: DAG-CBOR sorts `body` before `kind`, and serde cannot buffer a link while it looks for the tag.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[allow(clippy::large_enum_variant)] // a body lives for one fold; a box each would cost more
        pub enum Body {
            $(
                #[doc = concat!("`", $kind, "`")]
                #[serde(rename = $kind)]
                $variant($variant),
            )*
        }

        impl Body {
            /// Every kind there is.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// The kind's name, as written in the line.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)* }
            }

            /// Writes the body alone, without its kind.
            pub(crate) fn serialize_bare<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(body) => body.serialize(serializer),)* }
            }

            /// A body from its kind and its IPLD; `None` for a kind that is not known here.
            pub(crate) fn from_ipld(
                kind: &str,
                body: Ipld,
            ) -> Option<Result<Self, ipld_core::serde::SerdeError>> {
                match kind {
                    $($kind => Some(ipld_core::serde::from_ipld(body).map(Self::$variant)),)*
                    _ => None,
                }
            }
        }

        $(impl From<$variant> for Body {
            fn from(body: $variant) -> Self {
                Self::$variant(body)
            }
        })*
    };
}

kinds! {
    BucketCreated = "bucket.created",
    BucketDeleted = "bucket.deleted",
    BucketVersioned = "bucket.versioned",
    BucketConfigured = "bucket.configured",
    ObjectPut = "object.put",
    ObjectDeleted = "object.deleted",
    ObjectTagged = "object.tagged",
    ObjectGranted = "object.granted",
    ObjectRetained = "object.retained",
    ObjectHeld = "object.held",
    UploadStarted = "upload.started",
    UploadPart = "upload.part",
    UploadAborted = "upload.aborted",
    KeyCreated = "key.created",
    KeyRevoked = "key.revoked",
    NodeStarted = "node.started",
    LogSealed = "log.sealed",
    IpfsPublished = "ipfs.published",
    IpfsUnpublished = "ipfs.unpublished",
    IpfsRooted = "ipfs.rooted",
    IpfsPinned = "ipfs.pinned",
    IpfsUnpinned = "ipfs.unpinned",
    Ext = "ext",
}

impl Body {
    /// Whether the body can be written as a line and read back the same. Core kinds always can; what an
    /// [`Ext`] holds is its owner's, so it is tried. Asked before an append is proposed, because a committed
    /// event must not fail to be written.
    pub fn check(&self) -> Result<(), EventError> {
        let Self::Ext(ext) = self else { return Ok(()) };
        let written =
            serde_ipld_dagjson::to_vec(&ext.body).map_err(|e| EventError::Malformed(e.to_string()))?;
        match serde_ipld_dagjson::from_slice::<Ipld>(&written) {
            Ok(read) if read == ext.body => Ok(()),
            Ok(_) => Err(EventError::Malformed(format!(
                "ext of {}: its body reads back changed",
                ext.owner
            ))),
            Err(e) => Err(EventError::Malformed(format!("ext of {}: {e}", ext.owner))),
        }
    }

    /// The stream that an event of this body belongs to: what it is about.
    pub fn stream(&self) -> String {
        match self {
            Self::BucketCreated(BucketCreated { bucket, .. })
            | Self::BucketDeleted(BucketDeleted { bucket, .. })
            | Self::BucketVersioned(BucketVersioned { bucket, .. })
            | Self::BucketConfigured(BucketConfigured { bucket, .. })
            | Self::ObjectPut(ObjectPut { bucket, .. })
            | Self::ObjectDeleted(ObjectDeleted { bucket, .. })
            | Self::ObjectTagged(ObjectTagged { bucket, .. })
            | Self::ObjectGranted(ObjectGranted { bucket, .. })
            | Self::ObjectRetained(ObjectRetained { bucket, .. })
            | Self::ObjectHeld(ObjectHeld { bucket, .. })
            | Self::UploadStarted(UploadStarted { bucket, .. })
            | Self::UploadPart(UploadPart { bucket, .. })
            | Self::UploadAborted(UploadAborted { bucket, .. })
            | Self::IpfsPublished(IpfsPublished { bucket, .. })
            | Self::IpfsUnpublished(IpfsUnpublished { bucket, .. })
            | Self::IpfsRooted(IpfsRooted { bucket, .. })
            | Self::IpfsPinned(IpfsPinned { bucket, .. })
            | Self::IpfsUnpinned(IpfsUnpinned { bucket, .. }) => format!("bucket/{bucket}"),
            Self::KeyCreated(KeyCreated { access_key, .. })
            | Self::KeyRevoked(KeyRevoked { access_key, .. }) => format!("key/{access_key}"),
            Self::NodeStarted(NodeStarted { node, .. }) => format!("node/{node}"),
            Self::LogSealed(LogSealed { tenant, .. }) => format!("log/{tenant}"),
            Self::Ext(Ext { owner, .. }) => format!("ext/{owner}"),
        }
    }
}
