//! Labs that bear what is asked: a search over the catalogue.
//!
//! Owns: which machines, disks, ways of keeping data and switches are tried, and the choice of a few designs that
//! nothing beats in everything. Promises: the same wishes and the same catalogue give the same designs; what a design
//! is said to survive is what [`crate::failures`] says of it, and its watts are those of [`crate::Budget`].
//! Never: proposes a machine of which price or watts are not known.

mod impossible;
mod options;
mod search;
mod shape;
mod text;

pub use impossible::Impossible;
pub use search::search;

use crate::failures::FailureKind;
use crate::interval::Interval;
use crate::policy::Policy;
use serde::Serialize;
use std::collections::BTreeSet;

/// Designs that are proposed.
pub const SHOWN: usize = 5;
/// Machines with data that a design has at most.
pub const MOST_NODES: usize = 7;

/// What may be asked to be survived.
pub const SURVIVABLE: [FailureKind; 9] = [
    FailureKind::Disk,
    FailureKind::Node,
    FailureKind::Card,
    FailureKind::Cable,
    FailureKind::Switch,
    FailureKind::Supply,
    FailureKind::Outlet,
    FailureKind::Circuit,
    FailureKind::Power,
];

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wish {
    /// Room for data with all copies, in terabytes of 10^12 bytes.
    pub usable_tb: f64,
    /// What it may cost, in US dollars.
    pub budget_usd: Option<f64>,
    /// What it may take with all to do.
    pub watts: Option<f64>,
    /// Of which things any one may fail, and everything goes on.
    pub survive: BTreeSet<FailureKind>,
}

/// A design.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Design {
    /// Why it is proposed: `cheapest`, `least power`, …
    pub best_at: Vec<&'static str>,
    /// What it is, in one sentence.
    pub title: String,
    /// Why, and what it does not bear.
    pub explained: String,
    /// Between bounds, because some prices are bounds of ours.
    pub price_usd: Interval,
    /// From rest to hard work.
    pub watts: Interval,
    /// Room for data, with all copies.
    pub usable_tb: f64,
    /// How data is kept.
    pub redundancy: Policy,
    /// Of which things any one may fail, and everything goes on.
    pub survives: BTreeSet<FailureKind>,
    /// The inventory.
    pub lab_toml: String,
}
