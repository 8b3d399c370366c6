//! Sealing: rotated segments become compressed ones.

use crate::SegmentError;
use std::path::{Path, PathBuf};
use stead_event::{Cid, Position, Tenant};

/// A rotated segment that is not compressed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealCandidate {
    /// First position.
    pub first: Position,
    /// Last position.
    pub last: Position,
    /// CID of the last line.
    pub head: Cid,
    /// The `.jsonl` file.
    pub path: PathBuf,
}

/// Rotated segments that are still `.jsonl`, oldest first.
pub fn unsealed(dir: &Path, tenant: &Tenant) -> Result<Vec<SealCandidate>, SegmentError> {
    let _ = (dir, tenant);
    todo!()
}
/// Compresses beside the segment and makes the result durable; the segment itself stays.
pub fn compress(candidate: &SealCandidate) -> Result<PathBuf, SegmentError> {
    let _ = candidate;
    todo!()
}
/// Checks what [`compress`] wrote against the segment, puts it in place, and removes the segment.
pub fn install_sealed(candidate: &SealCandidate, compressed: &Path) -> Result<PathBuf, SegmentError> {
    let _ = (candidate, compressed);
    todo!()
}
