//! Plans of a small datacenter: where copies go, and what may fail.
//!
//! Owns: a lab's inventory ([`lab`]) and what it takes, costs and holds ([`budget`]); the cluster map with its failure
//! domains, placement ([`place`](fn@place), [`Placer`]), what a failure does ([`survive`]), and what members decide
//! ([`rules`], [`votes`]), which the cluster, the planner and the simulation share; and a cluster as it is now, as a lab
//! ([`live`]).
//! Promises: every function is pure; the same input gives the same answer on every machine, whatever its
//! processor, because nothing here uses a mathematical function of the system's library.
//! Never: I/O, a clock, randomness, async.

pub mod budget;
pub mod design;
pub mod draw;
pub mod failures;
pub mod interval;
pub mod lab;
pub mod live;
pub mod map;
pub mod place;
pub mod policy;
pub mod rules;
pub mod survive;
pub mod votes;

pub use budget::Budget;
pub use interval::Interval;
pub use lab::Lab;
pub use map::{ClusterMap, Disk, DomainKind, Domains, MapError, Node, NodeId, NodeState};
pub use place::{Copy, Placed, Placer, Shared, place};
pub use policy::{Policy, PolicyError, Redundancy, Writes};
