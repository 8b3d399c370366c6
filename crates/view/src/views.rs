//! The read side of all views.

use crate::{Keys, Names, Segments, ViewError};
use std::collections::BTreeMap;
use std::path::Path;
use stead_event::{Position, Tenant, Timestamp};
use stead_log::Tail;

/// What a rebuild found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebuildReport {
    /// Whether the tables folded anew are the ones that stood there, byte for byte.
    pub equal: bool,
    /// Tables that differ, sorted.
    pub different: Vec<String>,
    /// How many events were folded.
    pub events: u64,
    /// SHA-256 of each table folded anew, in hexadecimal.
    pub tables: BTreeMap<String, String>,
}

/// The read side of all views; cheap to clone. Everything but `at` and `rebuild` blocks, but not for long.
#[derive(Clone)]
pub struct Views {
    _shared: (),
}

impl Views {
    /// The views of a directory that no node runs on, without changing anything in it: what the views
    /// lack is folded from the log in memory.
    pub fn offline(data: &Path, cache_bytes: usize) -> Result<(Self, Tail), ViewError> {
        let _ = (data, cache_bytes);
        todo!()
    }
    /// How far a tenant's log is folded.
    pub fn position(&self, tenant: &Tenant) -> Position {
        let _ = tenant;
        todo!()
    }
    /// Returns when `position` is folded.
    pub async fn at(&self, tenant: &Tenant, position: Position) {
        let _ = (tenant, position);
        todo!()
    }
    /// The last position of the main tenant's log whose event is not younger than `time`; zero where all are.
    pub fn position_at(&self, time: Timestamp) -> Result<Position, ViewError> {
        let _ = time;
        todo!()
    }
    /// Buckets and objects, as of now, unchanging while the answer is held.
    pub fn names(&self) -> Result<Names, ViewError> {
        todo!()
    }
    /// Access keys, as of now.
    pub fn keys(&self) -> Result<Keys, ViewError> {
        todo!()
    }
    /// Sealed segments, as of now.
    pub fn segments(&self) -> Result<Segments, ViewError> {
        todo!()
    }
    /// SHA-256 (hexadecimal) of every table's rows, by table: two directories with the same log answer
    /// the same.
    pub fn dump_hash(&self) -> Result<BTreeMap<String, String>, ViewError> {
        todo!()
    }
    /// Folds all views anew beside the present ones, compares, and puts the new ones in their place.
    /// Reading and writing go on meanwhile. `progress` is told (events folded, events in all).
    pub async fn rebuild(
        &self,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<RebuildReport, ViewError> {
        let _ = progress;
        todo!()
    }
}

/// As [`Views::rebuild`], of a directory that no node runs on.
pub fn rebuild_offline(data: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<RebuildReport, ViewError> {
    let _ = (data, progress);
    todo!()
}
