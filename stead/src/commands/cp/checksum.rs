//! The CID of what is sent, computed on this side, so that what was stored can be compared with it.

use bytes::{Bytes, BytesMut};
use stead_block::unixfs::{DagBuilder, LEAF_BYTES};
use stead_event::{Cid, cids};

/// Computes the CID of bytes as they go by.
#[derive(Default)]
pub(super) struct Sum {
    builder: DagBuilder,
    leaf: BytesMut,
}

impl Sum {
    /// The next bytes.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let take = (LEAF_BYTES - self.leaf.len()).min(bytes.len());
            self.leaf.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if self.leaf.len() == LEAF_BYTES {
                self.close();
            }
        }
    }

    /// The CID of all bytes.
    pub(super) fn finish(mut self) -> Cid {
        if !self.leaf.is_empty() {
            self.close();
        }
        self.builder.finish().root
    }

    fn close(&mut self) {
        // Inner nodes matter only for their CIDs, which the builder keeps.
        let _ = self.builder.push(cids::raw(&self.leaf), self.leaf.len() as u64);
        self.leaf.clear();
    }
}

/// The CID of bytes that are all there.
pub(super) fn of(bytes: &Bytes) -> Cid {
    let mut sum = Sum::default();
    sum.push(bytes);
    sum.finish()
}
