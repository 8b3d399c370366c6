//! Power and network: who still has power when these things fail, and who still reaches whom.
//!
//! Owns: both graphs of a lab, as numbers. Promises: what is not described is taken as always there (a device without
//! a plug has power; in a lab without a cable all machines reach each other), and [`Graph::notes`] says so; more
//! failures never give anybody more power, nor more others to reach.
//! Machines pass nothing on: a machine with cables to two switches reaches both, and does not connect them. Switches
//! with a way to the internet reach each other through it where they are in different buildings.

use super::bits::Bits;
use super::failure::Failure;
use crate::lab::{Resolved, ThingId, ThingKind};
use crate::map::NodeState;
use std::collections::BTreeMap;
use std::ops::Range;

/// What is broken. Everything that is not is whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Broken {
    pub things: Bits,
    pub links: Bits,
    pub plugs: Bits,
    pub batteries: Bits,
    /// Disks with data that never come back, by their leaf.
    pub lost: Bits,
}

impl Broken {
    pub(super) fn add(&mut self, other: &Self) {
        self.things.add(&other.things);
        self.links.add(&other.links);
        self.plugs.add(&other.plugs);
        self.batteries.add(&other.batteries);
        self.lost.add(&other.lost);
    }
}

/// A plug: what it is fed by, and the network cable that carries its power, if one does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plug {
    pub(super) feed: usize,
    pub(super) cable: Option<usize>,
}

/// Both graphs.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub(super) kinds: Vec<ThingKind>,
    pub(super) order: Vec<usize>,
    pub(super) plugs: Vec<Plug>,
    /// Each thing's own among the plugs.
    pub(super) plugs_of: Vec<Range<usize>>,
    pub(super) links: Vec<(usize, usize)>,
    /// Each thing's own among the links.
    pub(super) links_of: Vec<Vec<usize>>,
    /// Switches with a way to the internet, if there is more than one building.
    pub(super) gateways: Vec<usize>,
    pub uplinks: Vec<usize>,
    /// Members, by their position in the map.
    pub members: Vec<usize>,
    pub(super) member_of: BTreeMap<usize, usize>,
    pub(super) switched: bool,
    leaves: usize,
    /// The leaf of each disk with data.
    pub leaf_of: BTreeMap<(usize, usize), usize>,
    pub notes: Vec<String>,
}

impl Graph {
    pub(super) fn new(lab: &Resolved) -> Self {
        let kinds: Vec<ThingKind> = lab.things.iter().map(|thing| thing.kind).collect();
        let links: Vec<(usize, usize)> = lab.links.iter().map(|link| (link.from.0, link.to.0)).collect();
        let mut links_of = vec![Vec::new(); kinds.len()];
        for (at, (from, to)) in links.iter().enumerate() {
            links_of[*from].push(at);
            links_of[*to].push(at);
        }
        let (mut plugs, mut plugs_of) = (Vec::new(), Vec::new());
        for (at, thing) in lab.things.iter().enumerate() {
            let begin = plugs.len();
            let mut used: Vec<usize> = Vec::new();
            for feed in &thing.feeds {
                let over_ethernet = kinds[feed.0] == ThingKind::Switch;
                let between = |link: &&usize| {
                    let (from, to) = links[**link];
                    !used.contains(*link) && (from == feed.0 || to == feed.0)
                };
                let cable = links_of[at].iter().find(between).copied();
                let cable = cable.filter(|_| over_ethernet);
                used.extend(cable);
                plugs.push(Plug { feed: feed.0, cable });
            }
            plugs_of.push(begin..plugs.len());
        }
        let members: Vec<usize> = lab.members().map(|(id, _)| id.0).collect();
        let member_of = members
            .iter()
            .enumerate()
            .map(|(at, thing)| (*thing, at))
            .collect();
        let uplinks: Vec<usize> = lab
            .of_kind(ThingKind::Switch)
            .filter(|(id, _)| lab.switch(*id).is_some_and(|switch| switch.uplink))
            .map(|(id, _)| id.0)
            .collect();
        let several_sites = lab.lab.sites.len() > 1;
        let gateways = if several_sites {
            uplinks.clone()
        } else {
            Vec::new()
        };
        let switched = kinds.contains(&ThingKind::Switch) && !links.is_empty();
        let mut graph = Self {
            order: lab.power_order.iter().map(|id| id.0).collect(),
            notes: Vec::new(),
            leaves: 0,
            leaf_of: BTreeMap::new(),
            kinds,
            plugs,
            plugs_of,
            links,
            links_of,
            gateways,
            uplinks,
            members,
            member_of,
            switched,
        };
        graph.number_leaves(lab);
        graph.note(lab);
        graph
    }

    /// Gives each disk with data a number: by member, then by the disk's position.
    fn number_leaves(&mut self, lab: &Resolved) {
        for thing in self.members.clone() {
            let disks = lab.thing(ThingId(thing)).disks.iter().enumerate();
            for (disk, _) in disks.filter(|(_, disk)| disk.data) {
                self.leaf_of.insert((thing, disk), self.leaves);
                self.leaves += 1;
            }
        }
    }

    fn note(&mut self, lab: &Resolved) {
        let unplugged = |thing: &usize| self.plugs_of[*thing].is_empty();
        let of_members = self.members.iter().copied();
        let switches = (0..self.kinds.len()).filter(|at| self.kinds[*at] == ThingKind::Switch);
        let names: Vec<&str> = of_members
            .chain(switches)
            .filter(unplugged)
            .map(|thing| lab.things[thing].name.as_str())
            .collect();
        if !names.is_empty() {
            let names = super::reasons::listed(&names);
            let note = format!("Nothing says where the power of {names} comes from: taken as always there.");
            self.notes.push(note);
        }
        if self.links.is_empty() && self.members.len() > 1 {
            let note = "No network cable is described: all machines are taken to reach each other.";
            self.notes.push(note.to_owned());
        }
    }

    pub(super) fn leaves(&self) -> usize {
        self.leaves
    }

    /// Whether machines are reached through switches, as far as is described.
    pub(super) fn switched(&self) -> bool {
        self.switched
    }

    pub(super) fn whole(&self) -> Broken {
        Broken {
            things: Bits::none(self.kinds.len()),
            links: Bits::none(self.links.len()),
            plugs: Bits::none(self.plugs.len()),
            batteries: Bits::none(self.kinds.len()),
            lost: Bits::none(self.leaves),
        }
    }

    /// What does not answer before anything fails: machines that the file says are away or gone.
    pub(super) fn as_it_is(&self, lab: &Resolved) -> Broken {
        let mut broken = self.whole();
        for thing in &self.members {
            let state = lab.node(ThingId(*thing)).map(|node| node.state);
            match state {
                Some(NodeState::Down) => broken.things.set(*thing),
                Some(NodeState::Lost) => self.lose(*thing, &mut broken),
                _ => {}
            }
        }
        broken
    }

    fn lose(&self, thing: usize, broken: &mut Broken) {
        broken.things.set(thing);
        for (_, leaf) in self.leaf_of.range((thing, 0)..(thing + 1, 0)) {
            broken.lost.set(*leaf);
        }
    }

    /// Breaks what a failure breaks.
    pub(super) fn fail(&self, lab: &Resolved, failure: Failure, broken: &mut Broken) {
        match failure {
            Failure::Disk { node, disk } => {
                if let Some(leaf) = self.leaf_of.get(&(node.0, disk)) {
                    broken.lost.set(*leaf);
                }
                if system_disk(lab, node) == Some(disk) {
                    broken.things.set(node.0);
                }
            }
            Failure::Node(id) => self.lose(id.0, broken),
            Failure::Card { link, .. } => broken.links.set(link),
            Failure::Cable(link) => {
                broken.links.set(link);
                let carried = |plug: &Plug| plug.cable == Some(link);
                let carried = self.plugs.iter().enumerate().filter(|(_, plug)| carried(plug));
                carried.for_each(|(at, _)| broken.plugs.set(at));
            }
            Failure::Supply { device, plug } => broken.plugs.set(self.plugs_of[device.0].start + plug),
            Failure::Outlet(id)
            | Failure::Circuit(id)
            | Failure::Pdu(id)
            | Failure::Ups(id)
            | Failure::Switch(id)
            | Failure::Off(id) => broken.things.set(id.0),
            Failure::Battery(id) => broken.batteries.set(id.0),
            Failure::Power(site) => {
                for (id, thing) in lab.of_kind(ThingKind::Circuit) {
                    if site.is_none() || thing.site == site {
                        broken.things.set(id.0);
                    }
                }
            }
            Failure::Site(site) => {
                for (id, thing) in lab.ids().filter(|(_, thing)| thing.site == Some(site)) {
                    match thing.kind {
                        ThingKind::Node => self.lose(id.0, broken),
                        _ => broken.things.set(id.0),
                    }
                }
            }
        }
    }

    /// Who has power and is whole, while batteries last or when they are empty.
    pub(super) fn alive(&self, broken: &Broken, batteries_last: bool) -> Bits {
        let mut alive = Bits::none(self.kinds.len());
        for at in &self.order {
            if broken.things.has(*at) {
                continue;
            }
            let mut plugs = self.plugs_of[*at].clone();
            let fed = plugs.is_empty()
                || plugs.any(|plug| alive.has(self.plugs[plug].feed) && !broken.plugs.has(plug));
            let stored = batteries_last && self.kinds[*at] == ThingKind::Ups && !broken.batteries.has(*at);
            if fed || stored {
                alive.set(*at);
            }
        }
        alive
    }
}

/// The disk that the system is on: the first that holds no data, where there is such, else the first.
fn system_disk(lab: &Resolved, node: ThingId) -> Option<usize> {
    let disks = &lab.thing(node).disks;
    let apart = disks.iter().position(|disk| !disk.data);
    apart.or((!disks.is_empty()).then_some(0))
}
