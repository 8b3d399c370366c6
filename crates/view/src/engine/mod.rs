//! The machine that committed appends are applied to.
//!
//! One lock holds all that an apply changes. It is free but for a repair or the end of a rebuild, when
//! another thread than the driver's holds it.

mod adopt;
mod core;
mod open;
mod preconditions;
mod refold;
#[cfg(test)]
mod testing;

pub(crate) use self::core::Core;
pub(crate) use self::open::Paths;
pub(crate) use self::refold::{begin, compare, fold, put_in_place, rebuild};

use crate::{ViewError, Views};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use stead_block::LocalStore;
use stead_event::{NodeId, Position, Tenant};
use stead_log::{Committed, Machine, MachineError, Marker, NextLines, Outcome, Tail};
use stead_runtime::{Space, Tasks};

/// What the engine is made with.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The data directory: `log/` and `state/` are in it.
    pub data: PathBuf,
    /// This node, named in each line that it writes.
    pub node: NodeId,
    /// Memory for pages of the view database, in bytes (32 MiB is plenty).
    pub cache_bytes: usize,
    /// A segment of this many bytes is closed and the next begun (64 MiB).
    pub rotate_bytes: u64,
    /// The disk's free space.
    pub space: Space,
    /// Where the thread that folds damaged views anew comes from.
    pub tasks: Tasks,
}

/// Evaluates preconditions, writes lines and inline blocks, folds views.
pub struct Engine {
    core: Arc<Mutex<Core>>,
}

impl Engine {
    /// Opens (or makes) the log and the views of a data directory.
    ///
    /// # Errors
    /// Where files cannot be read or written, or where views are missing and the log that they would be
    /// folded from is damaged.
    pub fn open(options: EngineOptions, store: LocalStore) -> Result<(Self, Views, Tail), ViewError> {
        let core = open::open(options, store)?;
        let shared = core.shared.clone();
        let core = Arc::new(Mutex::new(core));
        shared.attach(Arc::downgrade(&core));
        let tail = shared.tail.clone();
        Ok((Self { core }, Views::new(shared), tail))
    }
}

impl Machine for Engine {
    fn applied(&self) -> Marker {
        self.core.lock().marker.clone()
    }

    fn apply(&mut self, entries: Vec<Committed>) -> Result<Vec<Vec<Outcome>>, MachineError> {
        Ok(self.core.lock().apply(&entries)?)
    }

    fn checkpoint(&mut self) -> Result<Marker, MachineError> {
        Ok(self.core.lock().checkpoint()?)
    }

    fn heads(&self) -> Vec<(Tenant, Position)> {
        let points = self.core.lock().points();
        points
            .into_iter()
            .map(|(tenant, point)| (tenant, point.head.seq))
            .collect()
    }

    fn adopt(&mut self, next: NextLines<'_>, marker: Marker) -> Result<(), MachineError> {
        Ok(self.core.lock().adopt(next, marker)?)
    }
}
