//! Power and network of a lab, by doing: plugs are put in one by one, packets walk from cable to cable.

use std::collections::BTreeSet;
use stead_plan::NodeState;
use stead_plan::failures::Failure;
use stead_plan::lab::{Resolved, ThingId, ThingKind};

/// What is broken.
#[derive(Clone, Debug, Default)]
pub struct Damage {
    /// Things that do nothing.
    pub dead: BTreeSet<usize>,
    /// Network cables through which nothing goes: no packets, and, where the cable itself is cut, no power.
    silent: BTreeSet<usize>,
    cut: BTreeSet<usize>,
    /// Plugs that are pulled: of which thing, and which of its.
    pulled: BTreeSet<(usize, usize)>,
    /// UPSes without a battery.
    no_battery: BTreeSet<usize>,
    /// Disks that never come back: of which machine, and which of its.
    pub lost: BTreeSet<(usize, usize)>,
}

impl Damage {
    /// What is broken before anything fails: machines that the file says are away or gone.
    pub fn before(lab: &Resolved) -> Self {
        let mut damage = Self::default();
        for (id, machine) in lab.members() {
            match machine.state {
                NodeState::Down => drop(damage.dead.insert(id.0)),
                NodeState::Lost => damage.lose(lab, id),
                NodeState::Active | NodeState::Draining => {}
            }
        }
        damage
    }

    fn lose(&mut self, lab: &Resolved, machine: ThingId) {
        self.dead.insert(machine.0);
        let disks = 0..lab.thing(machine).disks.len();
        self.lost.extend(disks.map(|disk| (machine.0, disk)));
    }

    /// Injects a failure.
    pub fn inject(&mut self, lab: &Resolved, failure: Failure) {
        match failure {
            Failure::Disk { node, disk } => {
                self.lost.insert((node.0, disk));
                // The system is on the first disk without data, else on the first: a machine without it stops.
                let disks = &lab.thing(node).disks;
                let system = disks.iter().position(|disk| !disk.data).unwrap_or(0);
                if system == disk {
                    self.dead.insert(node.0);
                }
            }
            Failure::Node(machine) => self.lose(lab, machine),
            Failure::Card { link, .. } => drop(self.silent.insert(link)),
            Failure::Cable(link) => {
                self.silent.insert(link);
                self.cut.insert(link);
            }
            Failure::Supply { device, plug } => drop(self.pulled.insert((device.0, plug))),
            Failure::Battery(ups) => drop(self.no_battery.insert(ups.0)),
            Failure::Outlet(id)
            | Failure::Circuit(id)
            | Failure::Pdu(id)
            | Failure::Ups(id)
            | Failure::Switch(id)
            | Failure::Off(id) => drop(self.dead.insert(id.0)),
            Failure::Power(site) => {
                let circuits = lab.of_kind(ThingKind::Circuit);
                let out = circuits.filter(|(_, thing)| site.is_none() || thing.site == site);
                self.dead.extend(out.map(|(id, _)| id.0));
            }
            Failure::Site(site) => {
                for (id, thing) in lab.ids().filter(|(_, thing)| thing.site == Some(site)) {
                    match thing.kind {
                        ThingKind::Node => self.lose(lab, id),
                        _ => drop(self.dead.insert(id.0)),
                    }
                }
            }
        }
    }
}

/// The network cable that carries the power of a machine's plug, where a switch feeds it: each cable between the two
/// carries one plug's.
fn carrying(lab: &Resolved, thing: usize, plug: usize) -> Option<usize> {
    let feed = lab.things[thing].feeds.get(plug)?.0;
    let before = lab.things[thing].feeds[..plug]
        .iter()
        .filter(|other| other.0 == feed)
        .count();
    let between = lab.links.iter().enumerate().filter(|(_, link)| {
        let ends = (link.from.0, link.to.0);
        ends == (thing, feed) || ends == (feed, thing)
    });
    between.map(|(at, _)| at).nth(before)
}

/// Which things have power and work: everything that can be switched on is, until nothing more can be.
pub fn powered(lab: &Resolved, damage: &Damage, batteries: bool) -> BTreeSet<usize> {
    let mut on: BTreeSet<usize> = BTreeSet::new();
    loop {
        let before = on.len();
        for (thing, own) in lab.things.iter().enumerate() {
            if damage.dead.contains(&thing) || on.contains(&thing) {
                continue;
            }
            let gives = |(plug, feed): (usize, &ThingId)| {
                let over_network = lab.things[feed.0].kind == ThingKind::Switch;
                let cable = carrying(lab, thing, plug).filter(|_| over_network);
                on.contains(&feed.0)
                    && !damage.pulled.contains(&(thing, plug))
                    && cable.is_none_or(|cable| !damage.cut.contains(&cable))
            };
            let fed = own.feeds.is_empty() || own.feeds.iter().enumerate().any(gives);
            let stored = batteries && own.kind == ThingKind::Ups && !damage.no_battery.contains(&thing);
            if fed || stored {
                on.insert(thing);
            }
        }
        if on.len() == before {
            return on;
        }
    }
}

/// Where packets from a machine get to, and whether anybody outside gets to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Machines that are members, itself included.
    pub machines: BTreeSet<usize>,
    /// Clients get to it.
    pub by_clients: bool,
}

/// Lets a packet walk from a machine wherever it can. Machines pass nothing on; switches do; those with a way to the
/// internet find each other through it, from building to building.
pub fn walk(lab: &Resolved, damage: &Damage, on: &BTreeSet<usize>, from: usize) -> Reach {
    let members: BTreeSet<usize> = lab.members().map(|(id, _)| id.0).collect();
    let there = |machine: &usize| members.contains(machine) && on.contains(machine);
    if lab.links.is_empty() {
        return Reach {
            machines: members.iter().copied().filter(there).collect(),
            by_clients: true,
        };
    }
    let is_switch = |thing: usize| lab.things[thing].kind == ThingKind::Switch;
    let internet: Vec<usize> = lab
        .of_kind(ThingKind::Switch)
        .filter(|(id, _)| lab.lab.sites.len() > 1 && lab.switch(*id).is_some_and(|switch| switch.uplink))
        .map(|(id, _)| id.0)
        .filter(|switch| on.contains(switch))
        .collect();
    let next = |at: usize| {
        let links = lab.links.iter().enumerate();
        links.filter_map(move |(number, link)| {
            let (one, other) = (link.from.0, link.to.0);
            let to = if one == at { other } else { one };
            let good = (one == at || other == at) && !damage.silent.contains(&number) && on.contains(&to);
            good.then_some(to)
        })
    };
    let mut reach = Reach::default();
    reach.machines.insert(from);
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let mut front = vec![from];
    while let Some(at) = front.pop() {
        let mut ends: Vec<usize> = next(at).collect();
        if internet.contains(&at) {
            ends.extend(&internet);
        }
        for end in ends {
            if is_switch(end) {
                reach.by_clients |= at == from;
                if seen.insert(end) {
                    front.push(end);
                }
            } else if there(&end) {
                reach.machines.insert(end);
            }
        }
    }
    let switched = lab.of_kind(ThingKind::Switch).next().is_some();
    reach.by_clients |= !switched;
    reach
}
