//! Content identifiers: CIDv1 with sha2-256, in the three codecs that Stead writes.
//!
//! Codes are from the multicodec table (<https://github.com/multiformats/multicodec>).

use cid::Cid;
use multihash::Multihash;
use sha2::{Digest, Sha256};

/// Multicodec `raw`: the block is the bytes themselves.
pub const RAW: u64 = 0x55;
/// Multicodec `dag-pb`: an inner node of a UnixFS tree.
pub const DAG_PB: u64 = 0x70;
/// Multicodec `dag-cbor`: IPLD data from elsewhere.
pub const DAG_CBOR: u64 = 0x71;
/// Multicodec `dag-json`: an event line.
pub const DAG_JSON: u64 = 0x0129;
/// Multihash code of identity: the digest is the block itself.
pub const IDENTITY: u64 = 0x00;
/// Multihash code of sha2-256.
pub const SHA2_256: u64 = 0x12;

/// CIDv1 of `codec` for a sha2-256 digest that is known already.
pub fn from_digest(codec: u64, digest: [u8; 32]) -> Cid {
    // A 32-byte digest always fits the 64-byte multihash.
    let hash = Multihash::wrap(SHA2_256, &digest).expect("32 bytes fit a multihash");
    Cid::new_v1(codec, hash)
}

/// CIDv1(raw, sha2-256(bytes)).
pub fn raw(bytes: &[u8]) -> Cid {
    from_digest(RAW, Sha256::digest(bytes).into())
}

/// CIDv1(dag-pb, sha2-256(bytes)).
pub fn dag_pb(bytes: &[u8]) -> Cid {
    from_digest(DAG_PB, Sha256::digest(bytes).into())
}

/// CIDv1(dag-cbor, sha2-256(bytes)).
pub fn dag_cbor(bytes: &[u8]) -> Cid {
    from_digest(DAG_CBOR, Sha256::digest(bytes).into())
}

/// CIDv1(dag-json, sha2-256(bytes)).
pub fn dag_json(bytes: &[u8]) -> Cid {
    from_digest(DAG_JSON, Sha256::digest(bytes).into())
}

/// Whether `bytes` hash to `cid`. Only sha2-256 is known; any other hash function answers `false`.
pub fn verify(cid: &Cid, bytes: &[u8]) -> bool {
    cid.hash().code() == SHA2_256 && cid.hash().digest() == Sha256::digest(bytes).as_slice()
}

/// The sha2-256 digest inside `cid`, or `None` where it is of another hash function.
pub fn digest(cid: &Cid) -> Option<[u8; 32]> {
    (cid.hash().code() == SHA2_256)
        .then(|| cid.hash().digest().try_into().ok())
        .flatten()
}
