//! Changes that might help.
//!
//! Owns: which are tried. Whether one helps is judged by who tries it.

use super::additions;
use super::edit::Edit;
use crate::interval::Interval;
use crate::lab::model::{Circuit, Outlet, Role};
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
pub(super) struct Made {
    pub(super) title: String,
    pub(super) price: Option<Interval>,
    pub(super) assumed: bool,
    pub(super) note: Option<String>,
}

impl Made {
    pub(super) fn free(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            price: Some(Interval::ZERO),
            assumed: false,
            note: None,
        }
    }

    pub(super) fn assumed(title: impl Into<String>, price: Interval) -> Self {
        Self {
            price: Some(price),
            assumed: true,
            ..Self::free(title)
        }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

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
            Make::SecondSwitch => additions::second_switch(lab, &mut edit),
            Make::OwnSupplies => additions::own_supplies(lab, &mut edit),
            Make::Witness => additions::witness(lab, &mut edit),
            Make::Ups(outlet) => additions::ups(lab, &mut edit, outlet),
            Make::AnotherNode => additions::another_node(lab, &mut edit),
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
pub(super) fn members(lab: &Resolved) -> Vec<(ThingId, String)> {
    lab.members()
        .map(|(id, _)| (id, lab.thing(id).name.clone()))
        .collect()
}

/// The outlets, one for each circuit.
pub(super) fn one_outlet_each(lab: &Resolved) -> Vec<String> {
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
