//! The [`Log`] that clients of consensus see.

use crate::{ClusterError, ClusterOptions, Status};
use async_trait::async_trait;
use std::sync::Arc;
use stead_log::{Append, Appended, Log, LogError, Machine};

/// Appends through Raft. Dropping it does not stop Raft: call [`RaftLog::stop`].
pub struct RaftLog {
    _private: (),
}

/// Starts consensus on `options.dir` over `machine`, making a cluster of one voter at the first start.
/// Returns as soon as appends are accepted; they wait for the election, which takes milliseconds.
///
/// # Errors
/// Where the directory cannot be read or written, is damaged above what the machine holds durably, or was
/// written by a newer version.
pub async fn start(options: ClusterOptions, machine: Box<dyn Machine>) -> Result<Arc<RaftLog>, ClusterError> {
    let _ = (options, machine);
    todo!()
}

impl RaftLog {
    /// How consensus stands.
    pub fn status(&self) -> Status {
        todo!()
    }

    /// Makes a checkpoint, ends Raft and its threads. Appends answer `Unavailable` afterwards.
    ///
    /// # Errors
    /// Where the checkpoint or the shut-down fails; everything acknowledged is durable all the same.
    pub async fn stop(&self) -> Result<(), ClusterError> {
        todo!()
    }
}

#[async_trait]
impl Log for RaftLog {
    async fn append(&self, append: Append) -> Result<Appended, LogError> {
        let _ = append;
        todo!()
    }

    async fn checkpoint(&self) -> Result<(), LogError> {
        todo!()
    }
}
