//! Blocks of any codec that Stead understands: whether they are what their names say, and what they name.
//!
//! Codecs: raw, dag-pb, dag-cbor, dag-json, and cbor and json, which name nothing. Hashes: sha2-256, and
//! identity, whose CID is the block itself.

use crate::unixfs::node::PbNode;
use crate::{BlockError, MAX_BLOCK_BYTES};
use bytes::Bytes;
use ipld_core::ipld::Ipld;
use std::collections::HashSet;
use stead_event::{Cid, cids};

/// Multicodec `cbor`: data without links.
pub const CBOR: u64 = 0x51;
/// Multicodec `json`: data without links.
pub const JSON: u64 = 0x0200;
/// Bytes of an identity CID's block at most, as the specifications recommend.
pub const IDENTITY_MAX: usize = 128;

/// The block that an identity CID is.
pub fn inline(cid: &Cid) -> Option<Bytes> {
    (cid.hash().code() == cids::IDENTITY).then(|| Bytes::copy_from_slice(cid.hash().digest()))
}

/// Whether the codec is one that is understood.
pub fn is_known(codec: u64) -> bool {
    matches!(
        codec,
        cids::RAW | cids::DAG_PB | cids::DAG_CBOR | cids::DAG_JSON | CBOR | JSON
    )
}

/// That a block from elsewhere is what its name says, and of a kind and a size that can be kept.
pub fn check(cid: &Cid, bytes: &[u8]) -> Result<(), BlockError> {
    if bytes.len() > MAX_BLOCK_BYTES {
        return Err(BlockError::TooLarge(bytes.len() as u64));
    }
    let same = match cid.hash().code() {
        cids::IDENTITY => cid.hash().digest() == bytes,
        cids::SHA2_256 if cids::digest(cid).is_some() => cids::verify(cid, bytes),
        _ => return Err(BlockError::Unsupported(*cid)),
    };
    if !same {
        return Err(BlockError::Mismatch(*cid));
    }
    Ok(())
}

/// The data of a dag-cbor or dag-json block.
pub fn data(cid: &Cid, bytes: &[u8]) -> Result<Ipld, BlockError> {
    let not = BlockError::NotAFile {
        cid: *cid,
        why: "it is not in the codec that its CID names",
    };
    match cid.codec() {
        cids::DAG_CBOR | CBOR => serde_ipld_dagcbor::from_slice(bytes).map_err(|_| not),
        cids::DAG_JSON | JSON => serde_ipld_dagjson::from_slice(bytes).map_err(|_| not),
        _ => Err(not),
    }
}

/// Data in dag-cbor or dag-json; `None` where it does not encode so, or the codec is another.
pub fn encode(codec: u64, data: &Ipld) -> Option<Bytes> {
    match codec {
        cids::DAG_CBOR => serde_ipld_dagcbor::to_vec(data).ok().map(Bytes::from),
        cids::DAG_JSON => serde_ipld_dagjson::to_vec(data).ok().map(Bytes::from),
        _ => None,
    }
}

/// The CIDs that a block names, in their order, as often as it names them.
pub fn all_links(cid: &Cid, bytes: &Bytes) -> Result<Vec<Cid>, BlockError> {
    let mut found = Vec::new();
    match cid.codec() {
        cids::DAG_PB => {
            let node = PbNode::decode(bytes).ok_or(BlockError::NotAFile {
                cid: *cid,
                why: "it is not a dag-pb node",
            })?;
            found.extend(node.links.into_iter().map(|link| link.cid));
        }
        cids::DAG_CBOR | cids::DAG_JSON => data(cid, bytes)?.references(&mut found),
        _ => {}
    }
    Ok(found)
}

/// The CIDs that a block names, each once, in the order of their first mention.
pub fn links(cid: &Cid, bytes: &Bytes) -> Result<Vec<Cid>, BlockError> {
    let mut found = all_links(cid, bytes)?;
    let mut seen = HashSet::new();
    found.retain(|cid| seen.insert(*cid));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_each_codec_are_found_once() {
        let child = cids::raw(b"child");
        let text = format!("{{\"a\":{{\"/\":\"{child}\"}},\"b\":[{{\"/\":\"{child}\"}}]}}");
        let json = Bytes::from(text);
        let cid = cids::dag_json(&json);
        assert!(check(&cid, &json).is_ok());
        assert_eq!(links(&cid, &json).unwrap(), [child]);
        assert_eq!(links(&child, &json).unwrap(), []);
        let cbor = serde_ipld_dagcbor::to_vec(&data(&cid, &json).unwrap()).unwrap();
        let cid = cids::from_digest(cids::DAG_CBOR, cids::digest(&cids::raw(&cbor)).unwrap());
        assert_eq!(links(&cid, &cbor.into()).unwrap(), [child]);
    }

    #[test]
    fn what_does_not_match_its_name_is_refused() {
        let cid = cids::raw(b"a");
        assert!(matches!(check(&cid, b"b"), Err(BlockError::Mismatch(_))));
        let large = vec![0; MAX_BLOCK_BYTES + 1];
        assert!(matches!(check(&cid, &large), Err(BlockError::TooLarge(_))));
    }
}
