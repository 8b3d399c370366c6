//! Clock, randomness and tasks: the only crate that may read time, draw numbers or spawn.
//!
//! Owns: [`Clock`], [`Rng`], [`Tasks`], values that are changed while everything runs ([`Adjustable`]) and the free-space
//! probe.
//! Promises: every task has a kind, can be listed, is told to stop, and is waited for no longer than a
//! bound. Tests put their own clock and seed in.
//! Never: knows what the tasks do.

mod adjustable;
mod clock;
mod rng;
mod space;
mod tasks;

pub use adjustable::{Adjustable, Changes};
pub use clock::{Clock, ManualTime, TimeSource};
pub use rng::Rng;
pub use space::{Space, free_bytes, total_bytes};
pub use tasks::{Shutdown, TaskInfo, TaskKind, Tasks, blocking, blocking_behind};
