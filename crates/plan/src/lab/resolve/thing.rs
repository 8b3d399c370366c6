//! The things of a lab, with what is known of each.

use super::super::model::DiskKind;
use crate::interval::Interval;
use serde::Serialize;

/// A thing of a lab, by its position in [`Resolved::things`](super::Resolved::things).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ThingId(pub usize);

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ThingKind {
    /// A building.
    Site,
    /// What one breaker feeds.
    Circuit,
    /// A wall outlet.
    Outlet,
    /// A battery.
    Ups,
    /// A power strip or power distribution unit.
    Pdu,
    /// A rack or shelf.
    Rack,
    /// A switch or router.
    Switch,
    /// A machine.
    Node,
}

impl ThingKind {
    /// Its word, as in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Circuit => "circuit",
            Self::Outlet => "outlet",
            Self::Ups => "ups",
            Self::Pdu => "pdu",
            Self::Rack => "rack",
            Self::Switch => "switch",
            Self::Node => "node",
        }
    }

    /// Whether it takes power.
    pub fn is_device(self) -> bool {
        matches!(self, Self::Ups | Self::Pdu | Self::Switch | Self::Node)
    }
}

/// A figure with where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure<T> {
    /// The figure, in the unit of what holds it.
    pub value: T,
    /// `measured here`, or a part with its source and method, or a bound.
    pub source: String,
    /// Whether it is a figure of the thing itself; no if a bound of what such a thing may take is in it.
    pub known: bool,
}

/// What is known of a device. Watts are of the whole device at its plug, its disks included, what it passes on to
/// others not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// With nothing to do.
    pub idle_w: Figure<Interval>,
    /// With all to do: the most that was found.
    pub stress_w: Figure<Interval>,
    /// While it starts, its disks spinning up.
    pub start_w: Figure<Interval>,
    /// How loud it is at one metre.
    pub noise_dba: Option<Figure<Interval>>,
    /// What it cost or costs, without its disks, in the lab's currency.
    pub price: Option<Figure<f64>>,
    /// How many units it takes.
    pub height_u: Figure<f64>,
    /// A machine's memory.
    pub memory_gb: Option<Figure<f64>>,
    /// A machine's cores.
    pub cores: Option<Figure<u32>>,
    /// A switch's ports.
    pub ports: Option<Figure<u32>>,
    /// What a switch gives over Ethernet in all.
    pub poe_budget_w: Option<Figure<f64>>,
    /// A battery's or power strip's plugs.
    pub plugs: Option<Figure<u32>>,
    /// What a battery can give at once.
    pub max_w: Option<Figure<f64>>,
    /// What is in a full battery.
    pub battery_wh: Option<Figure<Interval>>,
    /// What a power strip may carry.
    pub max_amps: Option<Figure<f64>>,
}

/// A disk with its figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DiskThing {
    /// Its name, unique within its machine.
    pub name: String,
    /// What it is made of.
    pub kind: DiskKind,
    /// Its size, in gigabytes of 10^9 bytes.
    pub size_gb: f64,
    /// Whether the cluster's data is on it.
    pub data: bool,
    /// With nothing to do.
    pub idle_w: Figure<Interval>,
    /// While it works.
    pub active_w: Figure<Interval>,
    /// While it spins up; none for what does not spin.
    pub spin_up_w: Option<Figure<Interval>>,
    /// What it cost or costs, in the lab's currency.
    pub price: Option<Figure<f64>>,
}

/// A thing of a lab.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Thing {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ThingKind,
    /// Its position in the lab's list of its kind.
    pub index: usize,
    /// Where its power comes from: a device's plugs, an outlet's circuit. Empty for what takes none.
    pub feeds: Vec<ThingId>,
    /// The rack or shelf that it is in.
    pub rack: Option<ThingId>,
    /// The building, as far as the file says.
    pub site: Option<ThingId>,
    /// What is known of a device; none for what is no device.
    pub figures: Option<Figures>,
    /// A machine's disks.
    pub disks: Vec<DiskThing>,
}

/// A network cable.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Link {
    /// Its name: the file's, or `pi-1 to switch-1`.
    pub name: String,
    /// One end: a machine or a switch.
    pub from: ThingId,
    /// The other one.
    pub to: ThingId,
    /// How fast it is.
    pub mbit_per_second: Option<f64>,
}
