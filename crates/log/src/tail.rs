//! The read side of the log, shared by everybody.

use crate::SegmentError;
use bytes::Bytes;
use std::path::Path;
use stead_event::{ChainHead, Cid, Event, EventError, Position, Tenant};

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its position.
    pub seq: Position,
    /// Its bytes, without the line feed.
    pub bytes: Bytes,
}

impl Line {
    /// The event.
    pub fn event(&self) -> Result<Event, EventError> {
        Event::from_line(&self.bytes)
    }

    /// The line's CID, which the next line names as `prev`.
    pub fn cid(&self) -> Cid {
        stead_event::event::line_cid(&self.bytes)
    }
}

/// Reads any tenant's log up to its published head. Cheap to clone.
#[derive(Clone)]
pub struct Tail;

impl Tail {
    /// Opens `<data>/log`; each tenant's head is its last whole line until another is published.
    pub fn open(dir: &Path) -> Result<Self, SegmentError> {
        let _ = dir;
        todo!()
    }
    /// Makes lines up to `head` visible. Only the engine calls this, after it flushed them.
    pub fn publish(&self, tenant: &Tenant, head: ChainHead) {
        let _ = (tenant, head);
        todo!()
    }
    /// The published head.
    pub fn head(&self, tenant: &Tenant) -> ChainHead {
        let _ = tenant;
        todo!()
    }
    /// Every tenant with a log, sorted.
    pub fn tenants(&self) -> Vec<Tenant> {
        todo!()
    }
    /// Up to `max` lines from `from` on, blocking; fewer at the head, or where they are very long.
    pub fn read(&self, tenant: &Tenant, from: Position, max: usize) -> Result<Vec<Line>, SegmentError> {
        let _ = (tenant, from, max);
        todo!()
    }
    /// Returns when the head is past `position`.
    pub async fn wait_past(&self, tenant: &Tenant, position: Position) -> ChainHead {
        let _ = (tenant, position);
        todo!()
    }
}
