//! Bodies: what happened. The core kinds are a closed set; a gateway's or plug-in's own kinds travel as
//! [`Ext`], decoded only by their owner.
//!
//! A body is written as a DAG-JSON map. Fields that are absent or empty are left out, so that lines stay
//! short and a later field does not change how older events read.
#![allow(missing_docs)] // a field is documented where its name alone does not say it

mod buckets;
mod grants;
mod keys;
mod leases;
mod locks;
mod node;
mod objects;
mod published;
mod settings;
mod uploads;

pub use buckets::{BucketConfigured, BucketCreated, BucketDeleted, BucketVersioned, Versioning};
pub use grants::{Grant, Grantee, Permission};
pub use keys::{KeyCreated, KeyRevoked, Scope};
pub use leases::{LockAcquired, LockEnd, LockReleased};
pub use locks::{LockMode, Retention};
pub use node::{LogSealed, NodeStarted};
pub use objects::{
    Checksum, Encryption, KeyHolder, ObjectDeleted, ObjectGranted, ObjectHeld, ObjectPut, ObjectRetained,
    ObjectStriped, ObjectTagged, Part,
};
pub use published::{IpfsPinned, IpfsPublished, IpfsRooted, IpfsUnpinned, IpfsUnpublished};
pub use settings::ConfigSet;
pub use uploads::{UploadAborted, UploadPart, UploadStarted};

use crate::EventError;
use ipld_core::ipld::Ipld;
use serde::{Deserialize, Serialize, Serializer};

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
    ObjectStriped = "object.striped",
    UploadStarted = "upload.started",
    UploadPart = "upload.part",
    UploadAborted = "upload.aborted",
    KeyCreated = "key.created",
    KeyRevoked = "key.revoked",
    LockAcquired = "lock.acquired",
    LockReleased = "lock.released",
    ConfigSet = "config.set",
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
            | Self::ObjectStriped(ObjectStriped { bucket, .. })
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
            Self::LockAcquired(LockAcquired { name, .. }) | Self::LockReleased(LockReleased { name, .. }) => {
                format!("lock/{name}")
            }
            Self::ConfigSet(_) => "config".into(),
            Self::NodeStarted(NodeStarted { node, .. }) => format!("node/{node}"),
            Self::LogSealed(LogSealed { tenant, .. }) => format!("log/{tenant}"),
            Self::Ext(Ext { owner, .. }) => format!("ext/{owner}"),
        }
    }
}
