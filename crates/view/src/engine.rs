//! The machine that committed appends are applied to.

use crate::{ViewError, Views};
use std::path::PathBuf;
use stead_block::LocalStore;
use stead_event::NodeId;
use stead_log::{Committed, Machine, MachineError, Marker, Outcome, Tail};
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
    _core: (),
}

impl Engine {
    /// Opens (or makes) the log and the views of a data directory.
    ///
    /// # Errors
    /// Where files cannot be read or written, or where views are missing and the log that they would be
    /// folded from is damaged.
    pub fn open(options: EngineOptions, store: LocalStore) -> Result<(Self, Views, Tail), ViewError> {
        let _ = (options, store);
        todo!()
    }
}

impl Machine for Engine {
    fn applied(&self) -> Marker {
        todo!()
    }
    fn apply(&mut self, entries: Vec<Committed>) -> Result<Vec<Vec<Outcome>>, MachineError> {
        let _ = entries;
        todo!()
    }
    fn checkpoint(&mut self) -> Result<Marker, MachineError> {
        todo!()
    }
}
