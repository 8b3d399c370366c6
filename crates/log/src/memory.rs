//! A driver for tests: no consensus, nothing durable.

use crate::{Append, Appended, Log, LogError, Machine};
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

#[async_trait]
impl<M: Machine> Log for MemoryLog<M> {
    async fn append(&self, append: Append) -> Result<Appended, LogError> {
        let _ = append;
        todo!()
    }
    async fn checkpoint(&self) -> Result<(), LogError> {
        todo!()
    }
}
