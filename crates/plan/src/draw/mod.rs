//! Pictures of a lab: racks, power and network as SVG, and what can be printed.
//!
//! Owns: how a lab looks. Promises: texts come out, nothing is read or written; the same lab gives the same picture; a
//! picture has no script and takes nothing from outside, whatever the names in the lab hold; no two texts overlap.
//! Never: decides anything; figures are the [budget](crate::budget)'s.

mod circuits;
mod device;
mod figures;
mod network;
mod power;
mod rack;
mod report;
mod svg;
mod text;
mod theme;

pub use device::Side;
pub use network::network;
pub use power::power;
pub use rack::racks;
pub use report::{Item, Runbook, bill, report};
pub use svg::{Area, Label, Picture};
pub use theme::Theme;
