//! Chain-checked reading of whole logs.

use crate::{Damage, LogPoint, SegmentError};
use std::ops::ControlFlow;
use std::path::Path;
use stead_event::{ChainHead, Event, Position, Tenant};

/// What a check found to be in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The end of the chain.
    pub head: ChainHead,
    /// How many segment files there are.
    pub segments: u64,
}

/// How far a damaged log is good.
#[derive(Debug)]
pub struct Salvage {
    /// The end of the last line that follows from all before.
    pub point: LogPoint,
    /// What stands there; `None` where the log simply ends.
    pub damage: Option<Damage>,
}

/// Why a log does not verify.
pub type VerifyError = SegmentError;

/// Checks the whole chain of a tenant.
pub fn verify(
    dir: &Path,
    tenant: &Tenant,
    progress: &mut dyn FnMut(Position),
) -> Result<Verified, VerifyError> {
    verify_with(dir, tenant, None, progress)
}
/// As [`verify`], and the chain must reach `expected`, with that line there.
pub fn verify_with(
    dir: &Path,
    tenant: &Tenant,
    expected: Option<ChainHead>,
    progress: &mut dyn FnMut(Position),
) -> Result<Verified, VerifyError> {
    let _ = (dir, tenant, expected, progress);
    todo!()
}
/// Chain-checked streaming from `from` on.
pub fn scan(
    dir: &Path,
    tenant: &Tenant,
    from: Position,
    each: &mut dyn FnMut(&Event, &[u8]) -> ControlFlow<()>,
) -> Result<ChainHead, VerifyError> {
    let _ = (dir, tenant, from, each);
    todo!()
}
/// As far as the chain holds from `from` on: damage ends it and is told, but is no error.
pub fn longest_valid(
    dir: &Path,
    tenant: &Tenant,
    from: LogPoint,
    each: &mut dyn FnMut(&Event, &[u8]) -> ControlFlow<()>,
) -> Result<Salvage, SegmentError> {
    let _ = (dir, tenant, from, each);
    todo!()
}
