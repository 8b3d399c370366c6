//! An inventory that holds together: every name found, every figure with its source.
//!
//! Owns: [`Resolved`], and the search for all that cannot be in a lab ([`Lab::resolve`]). Promises: what is resolved
//! has no circle of power, no more plugs or cables than there is room for, and no two devices in one unit; every
//! device has watts, if need be between bounds, and says where they come from.
//! Never: decides whether the lab is a good one.

mod figures;
mod links;
mod names;
mod order;
mod racks;

use super::catalogue::Catalogue;
use super::error::{LabError, LabErrorKind as Kind};
use super::model::{Circuit, Common, DiskKind, Lab, Node, Rack, Role, Switch, Ups};
use crate::interval::Interval;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most things that a lab may have, disks not counted.
pub const MAX_THINGS: usize = 4_096;

/// The most errors that are told at once.
const MAX_ERRORS: usize = 50;

/// A thing of a lab, by its position in [`Resolved::things`].
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

/// A lab that holds together.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// As read.
    pub lab: Lab,
    /// Parts: the built-in ones and the lab's.
    pub catalogue: Catalogue,
    /// All things: by kind, and in the order of the file.
    pub things: Vec<Thing>,
    /// All network cables.
    pub links: Vec<Link>,
    /// What has to do with power, each after all that feeds it.
    pub power_order: Vec<ThingId>,
    by_name: BTreeMap<String, ThingId>,
}

impl Lab {
    /// Finds what every name means and what every figure is, with the built-in catalogue.
    ///
    /// # Errors
    ///
    /// All that is wrong, though not more than 50; [`locate`](super::locate) finds the lines and sorts by them.
    pub fn resolve(&self) -> Result<Resolved, Vec<LabError>> {
        let mut errors = Errors::default();
        let count = names::count(self);
        if count > MAX_THINGS {
            let message = format!("the lab has {count} things; a plan has at most {MAX_THINGS}");
            return Err(vec![LabError::new(
                Kind::TooLarge,
                message,
                "Split it into one file a site.",
            )]);
        }
        let catalogue = Catalogue::built_in().clone().with(&self.parts);
        let (mut things, by_name) = names::index(self, &mut errors);
        links::feeds(self, &mut things, &by_name, &mut errors);
        racks::place(self, &mut things, &by_name, &mut errors);
        let links = links::cables(self, &things, &by_name, &mut errors);
        figures::fill(self, &catalogue, &mut things, &mut errors);
        let power_order = order::power(&things, &mut errors);
        links::sites(self, &mut things, &by_name, &power_order);
        links::room(&things, &links, &mut errors);
        racks::room(self, &things, &mut errors);
        names::data(self, &mut errors);
        errors.or(Resolved {
            lab: self.clone(),
            catalogue,
            things,
            links,
            power_order,
            by_name,
        })
    }
}

impl Resolved {
    /// The thing of this name.
    pub fn by_name(&self, name: &str) -> Option<ThingId> {
        self.by_name.get(name).copied()
    }

    /// A thing.
    ///
    /// # Panics
    ///
    /// With an id of another lab.
    pub fn thing(&self, id: ThingId) -> &Thing {
        &self.things[id.0]
    }

    /// All things of a kind.
    pub fn of_kind(&self, kind: ThingKind) -> impl Iterator<Item = (ThingId, &Thing)> {
        self.ids().filter(move |(_, thing)| thing.kind == kind)
    }

    /// All things.
    pub fn ids(&self) -> impl Iterator<Item = (ThingId, &Thing)> {
        self.things
            .iter()
            .enumerate()
            .map(|(at, thing)| (ThingId(at), thing))
    }

    /// What the file says of a machine; none for what is no machine.
    pub fn node(&self, id: ThingId) -> Option<&Node> {
        let thing = self.thing(id);
        self.lab
            .nodes
            .get(thing.index)
            .filter(|_| thing.kind == ThingKind::Node)
    }

    /// What the file says of a switch.
    pub fn switch(&self, id: ThingId) -> Option<&Switch> {
        let thing = self.thing(id);
        self.lab
            .switches
            .get(thing.index)
            .filter(|_| thing.kind == ThingKind::Switch)
    }

    /// What the file says of a circuit.
    pub fn circuit(&self, id: ThingId) -> Option<&Circuit> {
        let thing = self.thing(id);
        self.lab
            .circuits
            .get(thing.index)
            .filter(|_| thing.kind == ThingKind::Circuit)
    }

    /// What the file says of a battery.
    pub fn ups(&self, id: ThingId) -> Option<&Ups> {
        let thing = self.thing(id);
        self.lab
            .upses
            .get(thing.index)
            .filter(|_| thing.kind == ThingKind::Ups)
    }

    /// What the file says of a rack.
    pub fn rack(&self, id: ThingId) -> Option<&Rack> {
        let thing = self.thing(id);
        self.lab
            .racks
            .get(thing.index)
            .filter(|_| thing.kind == ThingKind::Rack)
    }

    /// What the file says of a device, whatever it is.
    pub fn common(&self, id: ThingId) -> Option<&Common> {
        let thing = self.thing(id);
        names::common(&self.lab, thing.kind, thing.index)
    }

    /// What is plugged into a thing itself.
    pub fn fed_by(&self, id: ThingId) -> impl Iterator<Item = (ThingId, &Thing)> {
        self.ids().filter(move |(_, thing)| thing.feeds.contains(&id))
    }

    /// The circuits that a thing's power may come from.
    pub fn circuits_of(&self, id: ThingId) -> BTreeSet<ThingId> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                let thing = self.thing(next);
                if thing.kind == ThingKind::Circuit {
                    found.insert(next);
                }
                open.extend(&thing.feeds);
            }
        }
        found
    }

    /// What a machine does; none for what is no machine.
    pub fn role(&self, id: ThingId) -> Option<Role> {
        self.node(id).map(Node::role)
    }
}

/// Errors as they are found.
#[derive(Debug, Default)]
struct Errors(Vec<LabError>);

impl Errors {
    fn is_full(&self) -> bool {
        self.0.len() >= MAX_ERRORS
    }

    /// Unless there are enough.
    fn push(&mut self, about: &str, kind: Kind, message: impl Into<String>, next: impl Into<String>) {
        if !self.is_full() {
            self.0.push(LabError::new(kind, message, next).about(about));
        }
    }

    fn or<T>(self, good: T) -> Result<T, Vec<LabError>> {
        if self.0.is_empty() { Ok(good) } else { Err(self.0) }
    }
}
