//! An inventory that holds together: every name found, every figure with its source.
//!
//! Owns: [`Resolved`], and the search for all that cannot be in a lab ([`Lab::resolve`]). Promises: what is resolved
//! has no circle of power, no more plugs or cables than there is room for, and no two devices in one unit; every
//! device has watts, if need be between bounds, and says where they come from.
//! Never: decides whether the lab is a good one.

mod disks;
mod figures;
mod links;
mod names;
mod order;
mod racks;
mod thing;
mod watts;

pub use thing::{DiskThing, Figure, Figures, Link, Thing, ThingId, ThingKind};

use super::catalogue::Catalogue;
use super::error::{LabError, LabErrorKind as Kind};
use super::model::{Circuit, Common, Lab, Node, Rack, Role, Switch, Ups};
use std::collections::{BTreeMap, BTreeSet};

/// The most things that a lab may have, disks not counted.
pub const MAX_THINGS: usize = 4_096;

/// The most errors that are told at once.
const MAX_ERRORS: usize = 50;

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
