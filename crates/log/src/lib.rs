//! The event log: what may be appended and when, and the text that `tail`, `jq` and `sha256sum` can check.
//!
//! Owns: [`Append`] (events with preconditions), the [`Log`] trait that a driver implements, the
//! [`Machine`] trait that committed appends are applied to, segment files, verification, checkpoints.
//! Promises: an accepted append is in the chain once, whole, at consecutive positions.
//! Never: knows what consensus is, or what a view does with an event.

pub mod command;
pub mod driver;

pub use command::{Append, Appended, Draft, Expect, Precondition, Rejection};
pub use driver::{Committed, Log, LogError, Machine, MachineError, Marker, Outcome};
