//! Consensus: the Raft log as the write-ahead log of everything small, the driver of the event log, and the
//! mesh between nodes that share it.
//!
//! Owns: the write-ahead log's files (`<data>/raft`), the vote, the thread that applies committed entries
//! to a [`stead_log::Machine`], the policy of checkpoints; who is a member and who votes; connections between
//! members, and the copies of blocks that they keep for each other.
//! Promises: an append that was answered is in a synced record of the write-ahead log of most voters or in
//! their machines' durable files; concurrent appends share one Raft entry and one `fdatasync`; entries are
//! dropped only below what the machine calls durable. Nobody gets in who was not approved.
//! Never: knows what an event means, or what a view does with it.

mod batch;
mod code;
mod convert;
mod copies;
mod discovery;
mod forward;
mod join;
mod machine;
mod members;
mod membership;
mod mesh;
mod network;
mod options;
mod placement;
mod proposer;
mod raft_log;
mod recover;
mod service;
mod store;
#[cfg(test)]
mod suite_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod ticket;
mod types;
mod wal;

pub use copies::{CopyProgress, LevelOptions};
pub use discovery::{Nearby, find_nearby};
pub use join::{Door, JoinOptions, Joined, Waiting, join};
pub use membership::{NodeStatus, Survival};
pub use options::{ClusterError, ClusterOptions, Status, Together};
pub use placement::{Classes, MAX_COPIES, USUAL_COPIES, Wants};
pub use raft_log::{RaftLog, start};
pub use recover::decide_to_recover;
pub use ticket::{Ticket, TicketError};
pub use types::{FOUNDER, Facts};
pub use wal::Damage;
