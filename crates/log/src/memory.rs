//! A driver for tests: no consensus, nothing durable.

use crate::{Append, Appended, Committed, Log, LogError, Machine, MachineError, Marker};
use async_trait::async_trait;
use parking_lot::Mutex;

/// Applies every append at once to its machine.
pub struct MemoryLog<M: Machine>(Mutex<M>);

impl<M: Machine> MemoryLog<M> {
    /// A driver over `machine`, going on from what it has applied.
    pub fn new(machine: M) -> Self {
        Self(Mutex::new(machine))
    }
    /// Lets a test look at the machine.
    pub fn with<T>(&self, look: impl FnOnce(&mut M) -> T) -> T {
        look(&mut self.0.lock())
    }
}

fn unavailable(failed: MachineError) -> LogError {
    match failed {
        MachineError::Full => LogError::Full,
        other => LogError::Unavailable(other.to_string()),
    }
}

#[async_trait]
impl<M: Machine> Log for MemoryLog<M> {
    async fn append(&self, append: Append) -> Result<Appended, LogError> {
        append.check()?;
        let mut machine = self.0.lock();
        let marker = Marker {
            index: machine.applied().index + 1,
            ..Marker::default()
        };
        let entry = Committed {
            marker,
            term: 0,
            appends: vec![append],
        };
        let outcomes = machine.apply(vec![entry]).map_err(unavailable)?;
        match outcomes.into_iter().flatten().next() {
            Some(outcome) => Ok(outcome?),
            None => Err(LogError::Unavailable("the machine gave no outcome".into())),
        }
    }

    async fn checkpoint(&self) -> Result<(), LogError> {
        self.0.lock().checkpoint().map(drop).map_err(unavailable)
    }
}
