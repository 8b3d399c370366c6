//! What can fail.
//!
//! Owns: the list of all that can fail in a lab, each with its name. Promises: the same lab gives the same list.

use crate::lab::{Resolved, ThingId, ThingKind};
use crate::map::NodeState;
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// One thing that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// A disk, with what is on it, for good.
    Disk {
        /// Its machine.
        node: ThingId,
        /// Its position among the machine's disks.
        disk: usize,
    },
    /// A machine with all its disks, for good.
    Node(ThingId),
    /// A machine's network card: the one that a cable ends at.
    Card {
        /// The machine.
        node: ThingId,
        /// The cable, by its position among the lab's links.
        link: usize,
    },
    /// A power supply, or its cord: one of a device's plugs.
    Supply {
        /// The device.
        device: ThingId,
        /// The plug's position among the device's feeds.
        plug: usize,
    },
    /// A network cable, by its position among the lab's links, with the power that it carries.
    Cable(usize),
    /// A wall outlet.
    Outlet(ThingId),
    /// A breaker trips.
    Circuit(ThingId),
    /// A power strip.
    Pdu(ThingId),
    /// A UPS: nothing comes out of it.
    Ups(ThingId),
    /// A UPS's battery: it passes on what comes in, and no more.
    Battery(ThingId),
    /// A switch or router.
    Switch(ThingId),
    /// A machine is off, or hangs; its disks are whole.
    Off(ThingId),
    /// All power of a building, or of the whole lab where it has no buildings.
    Power(Option<ThingId>),
    /// A building with all that is in it, for good: fire, flood, theft.
    Site(ThingId),
}

/// What kind of thing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A disk.
    Disk,
    /// A machine, for good.
    Node,
    /// A network card.
    Card,
    /// A power supply.
    Supply,
    /// A network cable.
    Cable,
    /// A wall outlet.
    Outlet,
    /// A breaker.
    Circuit,
    /// A power strip.
    Pdu,
    /// A UPS.
    Ups,
    /// A UPS's battery.
    Battery,
    /// A switch.
    Switch,
    /// A machine, for a while.
    Off,
    /// A building's power.
    Power,
    /// A building.
    Site,
}

impl FailureKind {
    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Node => "node",
            Self::Card => "network card",
            Self::Supply => "power supply",
            Self::Cable => "cable",
            Self::Outlet => "outlet",
            Self::Circuit => "circuit",
            Self::Pdu => "power strip",
            Self::Ups => "UPS",
            Self::Battery => "battery",
            Self::Switch => "switch",
            Self::Off => "node off",
            Self::Power => "power cut",
            Self::Site => "site lost",
        }
    }
}

impl Failure {
    /// Its kind.
    pub fn kind(self) -> FailureKind {
        match self {
            Self::Disk { .. } => FailureKind::Disk,
            Self::Node(_) => FailureKind::Node,
            Self::Card { .. } => FailureKind::Card,
            Self::Supply { .. } => FailureKind::Supply,
            Self::Cable(_) => FailureKind::Cable,
            Self::Outlet(_) => FailureKind::Outlet,
            Self::Circuit(_) => FailureKind::Circuit,
            Self::Pdu(_) => FailureKind::Pdu,
            Self::Ups(_) => FailureKind::Ups,
            Self::Battery(_) => FailureKind::Battery,
            Self::Switch(_) => FailureKind::Switch,
            Self::Off(_) => FailureKind::Off,
            Self::Power(_) => FailureKind::Power,
            Self::Site(_) => FailureKind::Site,
        }
    }

    /// What fails, in words: `disk-1 of node-3`, `the power at home`.
    pub fn name(self, lab: &Resolved) -> String {
        let of = |id: ThingId| lab.thing(id).name.as_str();
        match self {
            Self::Disk { node, disk } => {
                let thing = lab.thing(node);
                let disk = thing.disks.get(disk).map_or("a disk", |disk| &disk.name);
                format!("{disk} of {}", thing.name)
            }
            Self::Node(id) | Self::Switch(id) | Self::Ups(id) | Self::Pdu(id) | Self::Off(id) => {
                of(id).to_owned()
            }
            Self::Card { node, link } => {
                let link = &lab.links[link];
                let end = if link.from == node { link.to } else { link.from };
                format!("the network card of {} to {}", of(node), of(end))
            }
            Self::Supply { device, plug } => {
                let thing = lab.thing(device);
                let from = thing.feeds.get(plug).map_or("nowhere", |feed| of(*feed));
                format!("the power supply of {} at {from}", thing.name)
            }
            Self::Cable(link) => format!("the cable {}", lab.links[link].name),
            Self::Outlet(id) => format!("outlet {}", of(id)),
            Self::Circuit(id) => format!("circuit {}", of(id)),
            Self::Battery(id) => format!("the battery of {}", of(id)),
            Self::Power(Some(id)) => format!("the power at {}", of(id)),
            Self::Power(None) => "the power".to_owned(),
            Self::Site(id) => format!("site {}", of(id)),
        }
    }

    /// What happens, in words: `switch-1 fails`.
    pub fn happens(self, lab: &Resolved) -> String {
        let verb = match self {
            Self::Disk { .. } | Self::Node(_) => "dies",
            Self::Circuit(_) => "trips",
            Self::Battery(_) => "is dead",
            Self::Off(_) => "is off",
            Self::Power(_) => "goes out",
            Self::Site(_) => "is lost (fire, flood, theft)",
            _ => "fails",
        };
        format!("{} {verb}", self.name(lab))
    }

    /// Every single failure of a lab. A machine that is off is not among them: it does what a dead one does, but for
    /// what is on its disks.
    pub fn all(lab: &Resolved) -> Vec<Self> {
        let mut all = Vec::new();
        let there = |id: ThingId| lab.node(id).is_none_or(|node| node.state != NodeState::Lost);
        let members: Vec<ThingId> = lab.members().map(|(id, _)| id).filter(|id| there(*id)).collect();
        for node in &members {
            let disks = 0..lab.thing(*node).disks.len();
            all.extend(disks.map(|disk| Self::Disk { node: *node, disk }));
        }
        all.extend(members.iter().map(|node| Self::Node(*node)));
        let is_member: BTreeSet<ThingId> = members.iter().copied().collect();
        for (link, ends) in lab.links.iter().enumerate() {
            let ends = [ends.from, ends.to].into_iter();
            let nodes = ends.filter(|end| is_member.contains(end));
            all.extend(nodes.map(|node| Self::Card { node, link }));
        }
        for (device, thing) in lab.ids() {
            let matters = thing.kind != ThingKind::Node || is_member.contains(&device);
            if thing.kind.is_device() && matters {
                all.extend((0..thing.feeds.len()).map(|plug| Self::Supply { device, plug }));
            }
        }
        all.extend((0..lab.links.len()).map(Self::Cable));
        let of = |kind: ThingKind, make: fn(ThingId) -> Self| lab.of_kind(kind).map(move |(id, _)| make(id));
        all.extend(of(ThingKind::Outlet, Self::Outlet));
        all.extend(of(ThingKind::Circuit, Self::Circuit));
        all.extend(of(ThingKind::Pdu, Self::Pdu));
        all.extend(of(ThingKind::Ups, Self::Ups));
        all.extend(of(ThingKind::Ups, Self::Battery));
        all.extend(of(ThingKind::Switch, Self::Switch));
        if lab.of_kind(ThingKind::Circuit).next().is_some() {
            match lab.lab.sites.is_empty() {
                true => all.push(Self::Power(None)),
                false => all.extend(of(ThingKind::Site, |id| Self::Power(Some(id)))),
            }
        }
        all.extend(of(ThingKind::Site, Self::Site));
        all
    }
}

/// A failure as programs read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// What kind of thing.
    pub kind: FailureKind,
    /// What fails.
    pub name: String,
    /// What happens, in a sentence.
    pub text: String,
}

impl Named {
    /// Of a lab's failure.
    pub fn of(failure: Failure, lab: &Resolved) -> Self {
        Self {
            kind: failure.kind(),
            name: failure.name(lab),
            text: failure.happens(lab),
        }
    }
}

/// Verdicts' words, by serde.
pub(super) fn by_display<T: std::fmt::Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
