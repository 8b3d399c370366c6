//! Changes that might help.
//!
//! Owns: which are tried. Whether one helps is judged by who tries it.

use super::super::prices;
use super::edit::Edit;
use crate::interval::Interval;
use crate::lab::model::{Circuit, Common, Node, Outlet, Part, PartKind, Role, Switch, Ups};
use crate::lab::{Resolved, ThingId, ThingKind};
use crate::policy::{MAX_REPLICAS, Policy, Redundancy, Writes};
use std::collections::BTreeSet;

/// A change to try. Its price is in US dollars.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub title: String,
    pub price: Option<Interval>,
    pub assumed: bool,
    pub edit: Edit,
    pub note: Option<String>,
    /// How it is made on another copy.
    make: Make,
}

/// A kind of change.
#[derive(Clone, Debug, PartialEq)]
enum Make {
    Policy(String, Policy),
    Move(String, String),
    Spread,
    SecondCircuit,
    SecondSwitch,
    OwnSupplies,
    Witness,
    Ups(String),
    AnotherNode,
}

/// A change with its price, on a copy.
struct Made {
    title: String,
    price: Option<Interval>,
    assumed: bool,
    note: Option<String>,
}

impl Made {
    fn free(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            price: Some(Interval::ZERO),
            assumed: false,
            note: None,
        }
    }

    fn assumed(title: impl Into<String>, price: Interval) -> Self {
        Self {
            price: Some(price),
            assumed: true,
            ..Self::free(title)
        }
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// The boards that a witness is proposed on, the first that is in the catalogue with a price.
const WITNESSES: [&str; 3] = [
    "Raspberry Pi 3 model B+",
    "Raspberry Pi 4 model B",
    "Raspberry Pi 5 model B",
];

/// Everything that might help, and holds together on its own or with another.
pub(super) fn all(lab: &Resolved) -> Vec<Candidate> {
    let mut makes = Vec::new();
    for data in &lab.lab.data {
        let others = other_policies(data.redundancy).into_iter();
        makes.extend(others.map(|policy| Make::Policy(data.name.clone(), policy)));
    }
    makes.extend(moves(lab));
    makes.extend([
        Make::Spread,
        Make::SecondCircuit,
        Make::SecondSwitch,
        Make::OwnSupplies,
        Make::Witness,
        Make::AnotherNode,
    ]);
    let outlets = lab
        .of_kind(ThingKind::Outlet)
        .filter(|(id, _)| lab.fed_by(*id).next().is_some());
    makes.extend(outlets.map(|(_, outlet)| Make::Ups(outlet.name.clone())));
    makes
        .into_iter()
        .filter_map(|make| Candidate::of(lab, Edit::of(&lab.lab), make))
        .collect()
}

fn other_policies(policy: Policy) -> Vec<Policy> {
    let other = |redundancy, writes| Policy::new(redundancy, writes).ok();
    let (redundancy, writes) = (policy.redundancy(), policy.writes());
    let looser = (writes == Writes::Strict)
        .then(|| other(redundancy, Writes::Majority))
        .flatten();
    let more = match redundancy {
        Redundancy::Replicas(count) if count < MAX_REPLICAS.min(3) => {
            other(Redundancy::Replicas(count + 1), Writes::Majority)
        }
        Redundancy::Replicas(_) => None,
        Redundancy::Erasure { k, m } => other(Redundancy::Erasure { k, m: m + 1 }, Writes::Majority),
    };
    looser.into_iter().chain(more).collect()
}

/// Each device with one plug, to a plug behind another circuit or a UPS.
fn moves(lab: &Resolved) -> Vec<Make> {
    /// More devices than these are not looked at one by one.
    const MOST: usize = 24;
    let mut makes = Vec::new();
    let single = lab.ids().filter(|(id, thing)| {
        let counts = thing.kind == ThingKind::Switch || lab.role(*id).is_some_and(|role| role != Role::Other);
        counts && thing.feeds.len() == 1
    });
    for (id, thing) in single.take(MOST) {
        let own = lab.circuits_of(id);
        let behind_ups = |id: ThingId| {
            let mut feeds = lab.thing(id).feeds.clone();
            feeds.push(id);
            feeds.iter().any(|feed| lab.thing(*feed).kind == ThingKind::Ups)
        };
        let plugs = [ThingKind::Outlet, ThingKind::Ups, ThingKind::Pdu];
        let mut seen = BTreeSet::new();
        for (to, plug) in lab.ids().filter(|(_, plug)| plugs.contains(&plug.kind)) {
            let there = (lab.circuits_of(to), behind_ups(to));
            let differs = there.0 != own || (there.1 && !behind_ups(id));
            // Of several plugs that are alike, the first.
            if differs && seen.insert(there) {
                makes.push(Make::Move(thing.name.clone(), plug.name.clone()));
            }
        }
    }
    makes
}

impl Candidate {
    fn of(lab: &Resolved, mut edit: Edit, make: Make) -> Option<Self> {
        let made = match &make {
            Make::Policy(data, policy) => keep_as(lab, &mut edit, data, *policy),
            Make::Move(device, plug) => {
                edit.power(device, vec![plug.clone()]);
                Some(Made::free(format!("Plug {device} into {plug}.")))
            }
            Make::Spread => spread(lab, &mut edit),
            Make::SecondCircuit => second_circuit(lab, &mut edit),
            Make::SecondSwitch => second_switch(lab, &mut edit),
            Make::OwnSupplies => own_supplies(lab, &mut edit),
            Make::Witness => witness(lab, &mut edit),
            Make::Ups(outlet) => ups(lab, &mut edit, outlet),
            Make::AnotherNode => another_node(lab, &mut edit),
        }?;
        Some(Self {
            title: made.title,
            price: made.price,
            assumed: made.assumed,
            note: made.note,
            edit,
            make,
        })
    }

    /// Both changes, the other one on top of this; none if they are of one kind.
    pub(super) fn with(&self, other: &Self) -> Option<Self> {
        if std::mem::discriminant(&self.make) == std::mem::discriminant(&other.make) {
            return None;
        }
        let between = self.edit.lab.resolve().ok()?;
        let both = Self::of(&between, self.edit.clone(), other.make.clone())?;
        let note = [&self.note, &both.note]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>();
        Some(Self {
            title: format!("{} {}", self.title, both.title),
            price: self.price.zip(both.price).map(|(one, other)| one + other),
            assumed: self.assumed || both.assumed,
            note: (!note.is_empty()).then(|| note.join(" ")),
            edit: both.edit,
            make: both.make,
        })
    }
}

fn keep_as(lab: &Resolved, edit: &mut Edit, data: &str, policy: Policy) -> Option<Made> {
    let was = lab.lab.data.iter().find(|it| it.name == data)?.redundancy;
    edit.redundancy(data, policy);
    let made = Made::free(format!("Keep {data} as `{policy}` instead of `{was}`."));
    let factor = policy.overhead() / was.overhead();
    Some(match factor {
        more if more > 1.0 => made.note(format!("It takes {more:.2} times the space.")),
        _ if was.writes() == Writes::Strict => made.note(
            "A write is then answered before every copy is made; one that fails in that moment has fewer.",
        ),
        _ => made,
    })
}

/// Machines that count, each with its name.
fn members(lab: &Resolved) -> Vec<(ThingId, String)> {
    lab.members()
        .map(|(id, _)| (id, lab.thing(id).name.clone()))
        .collect()
}

/// The outlets, one for each circuit.
fn one_outlet_each(lab: &Resolved) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let outlets = lab.of_kind(ThingKind::Outlet);
    outlets
        .filter(|(_, outlet)| seen.insert(outlet.feeds.clone()))
        .map(|(_, outlet)| outlet.name.clone())
        .collect()
}

/// Machines with one plug each, in turn over all circuits.
fn spread(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
    let outlets = one_outlet_each(lab);
    if outlets.len() < 2 {
        return None;
    }
    let single = members(lab).into_iter().filter(
        |(id, _)| matches!(lab.thing(*id).feeds[..], [feed] if lab.thing(feed).kind != ThingKind::Switch),
    );
    for (at, (id, name)) in single.enumerate() {
        let outlet = &outlets[at % outlets.len()];
        let same = lab
            .by_name(outlet)
            .is_some_and(|outlet| lab.circuits_of(outlet) == lab.circuits_of(id));
        if !same {
            edit.power(&name, vec![outlet.clone()]);
        }
    }
    let changed = !edit.change.is_empty();
    changed.then(|| {
        Made::free(format!(
            "Spread the machines over the {} circuits.",
            outlets.len()
        ))
    })
}

fn second_circuit(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
    let [circuit] = lab.lab.circuits.as_slice() else {
        return None;
    };
    let (name, outlet) = (edit.fresh("circuit"), edit.fresh("outlet"));
    let added = Circuit {
        name: name.clone(),
        other_load_w: Interval::ZERO,
        ..circuit.clone()
    };
    let plug = Outlet {
        name: outlet.clone(),
        circuit: name.clone(),
    };
    edit.add_circuit(added, plug);
    let wired = members(lab).into_iter().filter(
        |(id, _)| matches!(lab.thing(*id).feeds[..], [feed] if lab.thing(feed).kind != ThingKind::Switch),
    );
    let moved: Vec<String> = wired.map(|(_, name)| name).skip(1).step_by(2).collect();
    if moved.is_empty() {
        return None;
    }
    for device in &moved {
        edit.power(device, vec![outlet.clone()]);
    }
    let title = format!("Plug {} into an outlet behind another breaker.", moved.join(", "));
    Some(Made::free(title).note("Free where another breaker's outlet is in reach."))
}

/// A switch beside the first, behind another plug if there is one, with a cable to every machine.
fn second_switch(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
    let first = lab.lab.switches.first()?;
    let own = lab.by_name(&first.common.name).map(|id| lab.circuits_of(id));
    let other = one_outlet_each(lab).into_iter().find(|outlet| {
        let there = lab.by_name(outlet).map(|id| lab.circuits_of(id));
        there != own
    });
    let plug = other.map_or_else(|| first.common.power.clone(), |outlet| vec![outlet]);
    let name = edit.fresh("switch");
    edit.add_switch(Switch {
        common: Common {
            name: name.clone(),
            power: plug,
            ..Common::default()
        },
        network: vec![first.common.name.clone()],
        ..Switch::default()
    });
    let all = members(lab);
    for (_, node) in &all {
        edit.cable(node, &name);
    }
    let count = all.len() as f64;
    let priced = priced_switch(lab, all.len() + 1);
    let switch = priced.map_or(prices::SWITCH, |(_, price)| Interval::exactly(price));
    let price = switch + (prices::CARD + prices::CABLE) * count + prices::CABLE;
    let title = format!("Add {name}, a second switch, with a cable and a card for each machine.");
    Some(Made::assumed(title, price).note("A machine that has a free network port needs no card."))
}

/// The cheapest switch of the catalogue with a price and so many ports.
fn priced_switch(lab: &Resolved, ports: usize) -> Option<(&Part, f64)> {
    let switches = lab.catalogue.parts().filter(|part| part.kind == PartKind::Switch);
    let fit = switches.filter(|part| part.ports.is_none_or(|own| own as usize >= ports));
    let priced = fit.filter_map(|part| Some((part, part.price_usd?)));
    priced.min_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// Machines that are fed over Ethernet get supplies of their own, in turn over the circuits.
fn own_supplies(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
    let outlets = one_outlet_each(lab);
    let fed: Vec<String> = members(lab)
        .into_iter()
        .filter(|(id, _)| {
            let feeds = &lab.thing(*id).feeds;
            !feeds.is_empty()
                && feeds
                    .iter()
                    .all(|feed| lab.thing(*feed).kind == ThingKind::Switch)
        })
        .map(|(_, name)| name)
        .collect();
    if outlets.is_empty() || fed.is_empty() {
        return None;
    }
    for (at, name) in fed.iter().enumerate() {
        let mut power = lab
            .lab
            .nodes
            .iter()
            .find(|it| it.common.name == *name)?
            .common
            .power
            .clone();
        power.push(outlets[at % outlets.len()].clone());
        edit.power(name, power);
    }
    let title = format!(
        "Give {} a power supply of their own beside the cable.",
        fed.join(", ")
    );
    let price = prices::SUPPLY * fed.len() as f64;
    Some(
        Made::assumed(title, price)
            .note("Look up whether the boards take both at once; else the supply alone."),
    )
}

fn witness(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
    let part = WITNESSES.iter().filter_map(|name| lab.catalogue.get(name));
    let (part, price) = part.filter_map(|part| Some((part, part.price_usd?))).next()?;
    if members(lab).len() >= crate::votes::MOST {
        return None;
    }
    let outlets = one_outlet_each(lab);
    let used = |outlet: &&String| {
        let circuits = lab
            .by_name(outlet)
            .map(|id| lab.circuits_of(id))
            .unwrap_or_default();
        members(lab)
            .iter()
            .filter(|(id, _)| lab.circuits_of(*id) == circuits)
            .count()
    };
    let outlet = outlets.iter().min_by_key(used);
    let name = edit.fresh("witness");
    edit.add_node(Node {
        common: Common {
            name: name.clone(),
            part: Some(part.name.clone()),
            power: outlet.cloned().into_iter().collect(),
            ..Common::default()
        },
        role: Some(Role::Witness),
        network: lab
            .lab
            .switches
            .first()
            .map(|it| it.common.name.clone())
            .into_iter()
            .collect(),
        ..Node::default()
    });
    let title = format!("Add {name} on a {}, which votes and holds no data.", part.name);
    Some(Made {
        price: Some(Interval::exactly(price)),
        ..Made::free(title)
    })
}

/// A UPS between an outlet and all that is plugged into it.
fn ups(lab: &Resolved, edit: &mut Edit, outlet: &str) -> Option<Made> {
    let id = lab.by_name(outlet)?;
    let fed: Vec<String> = lab
        .fed_by(id)
        .filter(|(_, thing)| !matches!(thing.kind, ThingKind::Ups))
        .map(|(_, thing)| thing.name.clone())
        .collect();
    if fed.is_empty() {
        return None;
    }
    let name = edit.fresh("ups");
    edit.add_ups(Ups {
        common: Common {
            name: name.clone(),
            power: vec![outlet.to_owned()],
            ..Common::default()
        },
        ..Ups::default()
    });
    for device in &fed {
        let common = lab.by_name(device).and_then(|id| lab.common(id))?;
        let plug = |plug: &String| {
            if plug == outlet {
                name.clone()
            } else {
                plug.clone()
            }
        };
        edit.power(device, common.power.iter().map(plug).collect());
    }
    let title = format!("Add {name}, a UPS, between {outlet} and what is plugged into it.");
    Some(Made::assumed(title, prices::UPS).note("State its `battery_wh` to know for how many minutes."))
}

/// One more machine like the last one that holds data.
fn another_node(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
    let holds = |node: &&Node| node.role() == Role::Storage && node.disks.iter().any(|disk| disk.data);
    let like = lab.lab.nodes.iter().rev().find(holds)?;
    let id = lab.by_name(&like.common.name)?;
    let thing = lab.thing(id);
    let disks = thing.disks.iter().map(|disk| match &disk.price {
        Some(price) => Interval::exactly(price.value),
        None => prices::disk_per_tb(disk.kind) * (disk.size_gb / 1e3),
    });
    let assumed = thing.disks.iter().any(|disk| disk.price.is_none());
    let board = thing.figures.as_ref().and_then(|figures| figures.price.as_ref());
    let rate = super::rate(lab).unwrap_or(1.0);
    let price = board.map(|board| Interval::exactly(board.value / rate) + disks.sum());
    let name = edit.fresh("node");
    let mut node = like.clone();
    node.common.name = name.clone();
    (node.common.rack, node.common.at_u) = (None, None);
    edit.add_node(node);
    let title = format!("Add {name}, one more machine like {}.", like.common.name);
    Some(Made {
        price,
        assumed,
        ..Made::free(title)
    })
}
