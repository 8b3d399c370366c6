//! Buffers for chunks of bodies: taken, filled, shared as [`Bytes`], and taken again when the last holder
//! lets go. A few idle ones are kept, so that an upload does not touch fresh pages for each chunk.

use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::Arc;

/// Bytes of a chunk: a leaf of the UnixFS profile that Stead writes (1 MiB).
pub(super) const CHUNK_BYTES: usize = stead_block::unixfs::LEAF_BYTES;

/// Idle buffers that are kept; more are given back to the allocator.
const KEPT: usize = 4;

#[derive(Clone, Default)]
pub(super) struct Chunks(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer being filled.
pub(super) struct Chunk {
    bytes: Vec<u8>,
    home: Chunks,
}

impl Chunks {
    pub(super) fn take(&self) -> Chunk {
        let kept = self.0.lock().pop();
        Chunk {
            bytes: kept.unwrap_or_else(|| Vec::with_capacity(CHUNK_BYTES)),
            home: self.clone(),
        }
    }
}

impl Chunk {
    /// Takes as much of `frame` as fits, and answers whether the chunk is full now.
    pub(super) fn fill(&mut self, frame: &mut Bytes) -> bool {
        let take = frame.len().min(CHUNK_BYTES - self.bytes.len());
        self.bytes.extend_from_slice(&frame.split_to(take));
        self.bytes.len() == CHUNK_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// To be shared; the buffer comes home when the last share is dropped.
    pub(super) fn share(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut kept = self.home.0.lock();
        if kept.len() < KEPT {
            bytes.clear();
            kept.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_holds_one_chunk() {
        let chunks = Chunks::default();
        let mut chunk = chunks.take();
        let mut frame = Bytes::from(vec![7; CHUNK_BYTES + 3]);
        assert!(chunk.fill(&mut frame) && frame.len() == 3);
        let shared = chunk.share();
        let again = shared.clone();
        drop(shared);
        assert!(chunks.0.lock().is_empty());
        assert_eq!(again.len(), CHUNK_BYTES);
        drop(again);
        assert_eq!(chunks.0.lock().len(), 1);
        assert!(chunks.take().is_empty());
    }
}
