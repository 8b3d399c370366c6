//! Live power: what meters, processors and UPSes say, and what follows from it.
//!
//! Owns: the readers ([`Source`]), the judgement of a UPS ([`ups`], [`watch`]), watts and energy over time ([`meter`]),
//! and the order in which nodes are stopped and started ([`shutdown`], [`restart`]).
//! Promises: a reader answers within its time and memory, or with an error that names it. A value that cannot be is an
//! error, and is in no sum. A UPS that contradicts itself or is silent is unknown: neither fine, nor a reason by itself
//! to stop anything.
//! Never: switches anything, and stops no node itself; who calls does.

pub mod error;
mod http;
pub mod hwmon;
pub mod ipmi;
pub mod meter;
pub mod nut;
pub mod rapl;
pub mod restart;
pub mod shelly;
pub mod shutdown;
pub mod source;
pub mod tasmota;
pub mod ups;
pub mod watch;

pub use error::{PowerError, Why};
pub use http::Address;
pub use meter::{Breaker, Load, Meter};
pub use nut::Nut;
pub use source::{Look, Reading, Source};
pub use ups::{Supply, Ups};
pub use watch::{Limits, Verdict, Watch};
