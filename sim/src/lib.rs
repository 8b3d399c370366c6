//! A cluster in one thread, from a seed.
//!
//! Owns: the simulated cluster ([`world`]), its faults ([`schedule`]), and labs.
//! are compared with ([`labs`]).
//! Promises: the same seed gives the same trace, line by line. What members decide is not written down a second time:
//! the simulation calls [`stead_plan::rules`], [`stead_plan::votes`] and [`stead_plan::Placer`], as the cluster does;
//! around them are time, messages, disks and faults, which are simulated.
//! Not simulated: Raft. Who leads, and that an entry which most voters have is not lost, is taken for granted here;
//! `sim/tests/raft.rs` simulates that, with openraft itself. Bytes are not simulated either: a block is whole, damaged,
//! or not there.
//! Never: reads a clock, draws a number that does not come from the seed, starts a thread.

pub mod draw;
pub mod labs;
pub mod schedule;
pub mod shrink;
pub mod world;

pub use draw::Draw;
pub use schedule::{Fault, Schedule, Step};
pub use world::{Run, Spoil, Violation, run};
