//! What the load consists of: bytes that differ in every MiB, made from one block kept in the cache.
//!
//! A server that stores equal blocks once gains nothing here, nor does one that compresses (Garage does unless
//! told otherwise), and making and comparing the bytes costs the load tool next to nothing.

use crate::content::Random;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Bytes from one stamp to the next.
const STRIDE: u64 = 1 << 20;
const STAMP: usize = 16;

static BASE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = Random::new(0x57EAD);
    (0..STRIDE / 8)
        .flat_map(|_| random.next().to_le_bytes())
        .collect()
});

/// The bytes of object `id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Two objects with different ids have no MiB in common.
    pub id: u64,
    /// In bytes.
    pub size: u64,
}

impl Content {
    fn stamp(&self, chunk: u64) -> [u8; STAMP] {
        let mut stamp = [0; STAMP];
        stamp[..8].copy_from_slice(&self.id.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
        stamp[8..].copy_from_slice(&(chunk ^ self.id.rotate_left(17)).to_le_bytes());
        stamp
    }

    /// Calls `each` with the pieces from `offset` on, at most `length` bytes, until it answers false.
    pub fn pieces(&self, offset: u64, length: u64, mut each: impl FnMut(&[u8]) -> bool) {
        let end = self.size.min(offset.saturating_add(length));
        let mut at = offset;
        while at < end {
            let (chunk, within) = (at / STRIDE, (at % STRIDE) as usize);
            let left = ((end - at) as usize).min(STRIDE as usize - within);
            let go_on = if within < STAMP {
                let length = left.min(STAMP - within);
                at += length as u64;
                each(&self.stamp(chunk)[within..within + length])
            } else {
                at += left as u64;
                each(&BASE[within..within + left])
            };
            if !go_on {
                return;
            }
        }
    }

    /// Everything, for small objects.
    pub fn append_to(&self, buffer: &mut Vec<u8>) {
        self.pieces(0, self.size, |piece| {
            buffer.extend_from_slice(piece);
            true
        });
    }

    /// Whether `bytes` are what stands at `offset`.
    pub fn matches(&self, offset: u64, bytes: &[u8]) -> bool {
        let (mut rest, mut same) = (bytes, offset + bytes.len() as u64 <= self.size);
        self.pieces(offset, bytes.len() as u64, |piece| {
            same &= rest.starts_with(piece);
            rest = rest.get(piece.len()..).unwrap_or_default();
            same
        });
        same && rest.is_empty()
    }

    /// The ETag (hex MD5) and hex SHA-256.
    pub fn digests(&self) -> (String, String) {
        let (mut md5, mut sha256) = (Md5::new(), Sha256::new());
        self.pieces(0, self.size, |piece| {
            md5.update(piece);
            sha256.update(piece);
            true
        });
        (hex::encode(md5.finalize()), hex::encode(sha256.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_compare_at_every_offset_and_objects_differ() {
        let content = Content {
            id: 7,
            size: 2 * STRIDE + 100,
        };
        let mut whole = Vec::new();
        content.append_to(&mut whole);
        assert_eq!(whole.len() as u64, content.size);
        for offset in [0, 1, 15, 16, STRIDE - 1, STRIDE, STRIDE + 3, 2 * STRIDE + 99] {
            assert!(content.matches(offset, &whole[offset as usize..]));
        }
        assert!(!content.matches(1, &whole));
        assert!(!Content { id: 8, ..content }.matches(0, &whole));
        whole[STRIDE as usize + 500] ^= 1;
        assert!(!content.matches(0, &whole));
    }
}
