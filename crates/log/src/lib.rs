//! The event log: what may be appended and when, and the text that `tail`, `jq` and `sha256sum` can check.
//!
//! Owns: [`Append`] (events with preconditions), the [`Log`] trait that a driver implements, the
//! [`Machine`] trait that committed appends are applied to, segment files, verification, checkpoints.
//! Promises: an accepted append is in the chain once, whole, at consecutive positions.
//! Never: knows what consensus is, or what a view does with an event.
#![allow(clippy::todo)]

pub mod checkpoint;
pub mod command;
pub mod conformance;
pub mod driver;
pub mod memory;
pub mod seal;
pub mod segment;
pub mod tail;
pub mod verify;
pub mod writer;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use command::{Append, Appended, Draft, Expect, Precondition, Rejection};
pub use conformance::log_conformance;
pub use driver::{Committed, Log, LogError, Machine, MachineError, Marker, Outcome};
pub use memory::MemoryLog;
pub use seal::{SealCandidate, compress, install_sealed, unsealed};
pub use segment::{Damage, DamageKind, LogPoint, SegmentError, SegmentOptions};
pub use tail::{Line, Tail};
pub use verify::{Salvage, Verified, VerifyError, longest_valid, scan, verify, verify_with};
pub use writer::SegmentWriter;
