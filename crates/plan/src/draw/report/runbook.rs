//! What to do by hand: switching off, switching on, and when a circuit or a switch fails.
//!
//! Owns: the runbook that follows from power and network alone. Whoever knows more about failures (what becomes of
//! data) may put other texts in its place; a runbook is a plain value.

use crate::budget::Budget;
use crate::lab::model::Role;
use crate::lab::{Resolved, ThingId, ThingKind};
use serde::Serialize;
use std::collections::BTreeSet;

/// Not more names in a sentence.
const SHOWN: usize = 10;

/// What to do by hand.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Runbook {
    /// Switching everything off, step by step.
    pub stop: Vec<String>,
    /// Switching everything on.
    pub start: Vec<String>,
    /// What may fail, with what then happens and what to do.
    pub failures: Vec<(String, String)>,
}

/// How a thing is fed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fed {
    Dark,
    Battery,
    Wall,
}

fn names(lab: &Resolved, ids: &[ThingId]) -> String {
    let all: Vec<&str> = ids.iter().map(|id| lab.thing(*id).name.as_str()).collect();
    listed(&all)
}

fn listed(all: &[&str]) -> String {
    let shown = all.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl Runbook {
    /// Of a lab with its budget.
    pub fn of(lab: &Resolved, budget: &Budget) -> Self {
        let circuits = lab.of_kind(ThingKind::Circuit).map(|(id, _)| circuit(lab, id));
        let switches = lab.of_kind(ThingKind::Switch).map(|(id, _)| switch(lab, id));
        Self {
            stop: stop(lab),
            start: start(budget),
            failures: circuits.chain(switches).collect(),
        }
    }
}

fn stop(lab: &Resolved) -> Vec<String> {
    let nodes = |role: Role| -> Vec<ThingId> {
        let all = lab
            .of_kind(ThingKind::Node)
            .filter(|(id, _)| lab.role(*id) == Some(role));
        all.map(|(id, _)| id).collect()
    };
    let kinds = |kinds: &[ThingKind]| -> Vec<ThingId> {
        let all = lab.ids().filter(|(_, thing)| kinds.contains(&thing.kind));
        all.map(|(id, _)| id).collect()
    };
    let mut feeding = kinds(&[ThingKind::Ups, ThingKind::Pdu]);
    feeding.reverse();
    let groups = [
        (nodes(Role::Other), "Shut down what is no member of the cluster"),
        (
            nodes(Role::Storage),
            "Shut down the machines with data, one after the other",
        ),
        (nodes(Role::Witness), "Shut down the witnesses"),
        (kinds(&[ThingKind::Switch]), "Switch off the network"),
        (feeding, "Switch off batteries and power strips"),
    ];
    let full = groups.iter().filter(|(ids, _)| !ids.is_empty());
    full.map(|(ids, what)| format!("{what}: {}.", names(lab, ids)))
        .collect()
}

/// The groups of a cold start, each circuit's.
fn start(budget: &Budget) -> Vec<String> {
    let mut all = Vec::new();
    for circuit in budget.circuits.iter().filter(|circuit| !circuit.steps.is_empty()) {
        for step in &circuit.steps {
            let devices: Vec<&str> = step.devices.iter().map(String::as_str).collect();
            let when = match step.after_seconds {
                0 => "switch on".to_owned(),
                seconds => format!("after {seconds} s"),
            };
            all.push(format!("Circuit {}, {when}: {}.", circuit.name, listed(&devices)));
        }
    }
    all
}

/// How everything is fed once a thing gives no power any more.
fn fed(lab: &Resolved, gone: ThingId) -> Vec<Fed> {
    let mut fed = vec![Fed::Wall; lab.things.len()];
    for id in &lab.power_order {
        let thing = lab.thing(*id);
        let best = thing.feeds.iter().map(|feed| fed[feed.0]).max();
        let best = match (best, thing.kind) {
            (Some(Fed::Dark), ThingKind::Ups) => Fed::Battery,
            (best, _) => best.unwrap_or(Fed::Wall),
        };
        fed[id.0] = if *id == gone { Fed::Dark } else { best };
    }
    fed
}

/// Devices that are fed in a way.
fn those(lab: &Resolved, fed: &[Fed], how: Fed) -> Vec<ThingId> {
    let works = |kind| matches!(kind, ThingKind::Node | ThingKind::Switch);
    let all = lab
        .ids()
        .filter(|(id, thing)| works(thing.kind) && fed[id.0] == how);
    all.map(|(id, _)| id).collect()
}

fn circuit(lab: &Resolved, id: ThingId) -> (String, String) {
    let fed = fed(lab, id);
    let mut says = Vec::new();
    for (how, words) in [(Fed::Dark, "Off at once"), (Fed::Battery, "On battery")] {
        let all = those(lab, &fed, how);
        if !all.is_empty() {
            says.push(format!("{words}: {}.", names(lab, &all)));
        }
    }
    if says.is_empty() {
        says.push("Everything has another feed and goes on.".to_owned());
    }
    says.push(
        "Find out why the breaker opened before you close it; then switch on in groups, as above.".to_owned(),
    );
    (format!("circuit {}", lab.thing(id).name), says.join(" "))
}

/// What the uplinks reach without one switch and without what has no power.
fn reached(lab: &Resolved, without: Option<ThingId>) -> BTreeSet<ThingId> {
    let mut near = vec![Vec::new(); lab.things.len()];
    for link in &lab.links {
        near[link.from.0].push(link.to);
        near[link.to.0].push(link.from);
    }
    let switches = lab.of_kind(ThingKind::Switch).map(|(id, _)| id);
    let mut open: Vec<ThingId> = switches
        .filter(|id| lab.switch(*id).is_some_and(|switch| switch.uplink))
        .collect();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if Some(id) != without && found.insert(id) {
            open.extend(&near[id.0]);
        }
    }
    found
}

fn switch(lab: &Resolved, id: ThingId) -> (String, String) {
    let mut says = Vec::new();
    let dark: Vec<ThingId> = those(lab, &fed(lab, id), Fed::Dark)
        .into_iter()
        .filter(|other| *other != id)
        .collect();
    if !dark.is_empty() {
        says.push(format!("Off, being fed by it: {}.", names(lab, &dark)));
    }
    let (before, after) = (reached(lab, None), reached(lab, Some(id)));
    let cut: Vec<ThingId> = before
        .difference(&after)
        .copied()
        .filter(|other| *other != id && !dark.contains(other))
        .collect();
    match after.is_empty() && !before.is_empty() {
        true => says.push("It is the only way to the internet.".to_owned()),
        false if !cut.is_empty() => says.push(format!("Without network: {}.", names(lab, &cut))),
        false => {}
    }
    if says.is_empty() {
        says.push("Everything else keeps its network.".to_owned());
    }
    says.push("Put another switch in its place and plug the cables in by their labels.".to_owned());
    (format!("switch {}", lab.thing(id).name), says.join(" "))
}
