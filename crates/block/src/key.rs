//! What blocks are filed under: the codec and the sha2-256 digest of a CID, in 34 bytes.

use crate::BlockError;
use stead_event::{Cid, cids};

/// Bytes of a [`Key`].
pub(crate) const KEY_BYTES: usize = 34;

/// Codec (big-endian) and digest. Sorts as its CID's text does not, but the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub [u8; KEY_BYTES]);

impl Key {
    /// The key of a CID, where it is one that can be stored. CIDv0 is its CIDv1.
    pub fn of(cid: &Cid) -> Result<Self, BlockError> {
        let unsupported = || BlockError::Unsupported(*cid);
        let digest = cids::digest(cid).ok_or_else(unsupported)?;
        let codec = u16::try_from(cid.codec()).map_err(|_| unsupported())?;
        let mut key = [0; KEY_BYTES];
        key[..2].copy_from_slice(&codec.to_be_bytes());
        key[2..].copy_from_slice(&digest);
        Ok(Self(key))
    }

    /// The CID (version 1).
    pub fn cid(&self) -> Cid {
        let codec = u16::from_be_bytes([self.0[0], self.0[1]]);
        let mut digest = [0; 32];
        digest.copy_from_slice(&self.0[2..]);
        cids::from_digest(codec.into(), digest)
    }

    /// The first eight bytes of the digest.
    pub fn prefix(&self) -> u64 {
        let mut prefix = [0; 8];
        prefix.copy_from_slice(&self.0[2..10]);
        u64::from_be_bytes(prefix)
    }

    /// One of `count` (at most 65,536) buckets, evenly filled.
    pub fn bucket(&self, count: usize) -> usize {
        usize::from(u16::from_be_bytes([self.0[32], self.0[33]])) % count
    }
}
