//! The write side of a tenant's segments.

use crate::{Draft, LogPoint, SegmentError, SegmentOptions};
use std::path::Path;
use stead_event::{ChainHead, Event, NodeId, Tenant};

/// Appends lines to one tenant's segments. Owned by one thread.
pub struct SegmentWriter;

impl SegmentWriter {
    /// Opens where the log stood at `at`, and cuts off whatever was written after it.
    pub fn open(
        dir: &Path,
        tenant: &Tenant,
        at: LogPoint,
        options: SegmentOptions,
    ) -> Result<Self, SegmentError> {
        let _ = (dir, tenant, at, options);
        todo!()
    }
    /// The last event pushed.
    pub fn head(&self) -> ChainHead {
        todo!()
    }
    /// Where the next line goes.
    pub fn point(&self) -> LogPoint {
        todo!()
    }
    /// Gives a draft its position and its line.
    pub fn push(&mut self, draft: Draft, node: &NodeId) -> Result<Event, SegmentError> {
        let _ = (draft, node);
        todo!()
    }
    /// Hands buffered lines to the system (no fsync).
    pub fn flush(&mut self) -> Result<(), SegmentError> {
        todo!()
    }
    /// Takes back every line pushed after `to`.
    pub fn rollback(&mut self, to: LogPoint) -> Result<(), SegmentError> {
        let _ = to;
        todo!()
    }
    /// Makes everything pushed durable.
    pub fn sync(&mut self) -> Result<(), SegmentError> {
        todo!()
    }
}
