//! Simulated labs: what the planner forecasts is injected, and what happens is compared with what it said.
//!
//! Owns: a lab of things that have power or not and pass packets on or not ([`wires`]), a cluster on it that elects,
//! reads and writes ([`cluster`]), labs at random ([`plan`]), the comparison ([`agree`]).
//! Promises: nothing of `stead_plan::failures` is asked but for its verdict: power is switched on plug by plug, packets
//! walk from cable to cable, members vote, every object is read and written. Placement, voters and the rules of writing
//! are the cluster's own.

pub mod agree;
pub mod cluster;
pub mod plan;
pub mod wires;

pub use agree::{Agreement, agreement, tried};
pub use cluster::Spoil;
pub use plan::{Machine, Plan};
