//! Consensus: the Raft log as the write-ahead log of everything small, and the driver of the event log.
//!
//! Owns: the write-ahead log's files (`<data>/raft`), the vote, the thread that applies committed entries
//! to a [`stead_log::Machine`], and the policy of checkpoints.
//! Promises: an append that was answered is in a synced record of the write-ahead log or in the machine's
//! durable files; concurrent appends share one Raft entry and one `fdatasync`; entries are dropped only
//! below what the machine calls durable.
//! Never: knows what an event means, or what a view does with it.

mod batch;
mod machine;
mod members;
mod network;
mod options;
mod proposer;
mod raft_log;
mod store;
#[cfg(test)]
mod suite_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod types;
mod wal;

pub use options::{ClusterError, ClusterOptions, Status};
pub use raft_log::{RaftLog, start};
pub use wal::Damage;
