//! Names: one thing each, and what a name means.

use super::super::model::{Common, Lab, Role};
use super::super::nearest::did_you_mean;
use super::{Errors, Kind, Thing, ThingId, ThingKind};
use std::collections::{BTreeMap, BTreeSet};

/// Things by name.
pub(super) type ByName = BTreeMap<String, ThingId>;

/// How many things there are.
pub(super) fn count(lab: &Lab) -> usize {
    every(lab).count()
}

/// All things by kind, each with its position in its list.
fn every(lab: &Lab) -> impl Iterator<Item = (ThingKind, usize, &str)> {
    fn of<'l>(
        kind: ThingKind,
        names: impl Iterator<Item = &'l String>,
    ) -> impl Iterator<Item = (ThingKind, usize, &'l str)> {
        names.enumerate().map(move |(at, name)| (kind, at, name.as_str()))
    }
    of(ThingKind::Site, lab.sites.iter().map(|it| &it.name))
        .chain(of(ThingKind::Circuit, lab.circuits.iter().map(|it| &it.name)))
        .chain(of(ThingKind::Outlet, lab.outlets.iter().map(|it| &it.name)))
        .chain(of(ThingKind::Ups, lab.upses.iter().map(|it| &it.common.name)))
        .chain(of(ThingKind::Pdu, lab.pdus.iter().map(|it| &it.common.name)))
        .chain(of(ThingKind::Rack, lab.racks.iter().map(|it| &it.name)))
        .chain(of(
            ThingKind::Switch,
            lab.switches.iter().map(|it| &it.common.name),
        ))
        .chain(of(ThingKind::Node, lab.nodes.iter().map(|it| &it.common.name)))
}

/// What the file says of a device.
pub(super) fn common(lab: &Lab, kind: ThingKind, index: usize) -> Option<&Common> {
    match kind {
        ThingKind::Ups => lab.upses.get(index).map(|ups| &ups.common),
        ThingKind::Pdu => lab.pdus.get(index).map(|pdu| &pdu.common),
        ThingKind::Switch => lab.switches.get(index).map(|switch| &switch.common),
        ThingKind::Node => lab.nodes.get(index).map(|node| &node.common),
        _ => None,
    }
}

/// A list of all things, nothing known of them yet but what they are.
pub(super) fn index(lab: &Lab, errors: &mut Errors) -> (Vec<Thing>, ByName) {
    let mut things = Vec::new();
    let mut by_name = ByName::new();
    for (kind, index, name) in every(lab) {
        let id = ThingId(things.len());
        things.push(Thing {
            name: name.to_owned(),
            kind,
            index,
            feeds: Vec::new(),
            rack: None,
            site: None,
            figures: None,
            disks: Vec::new(),
        });
        if let Some(first) = by_name.insert(name.to_owned(), id) {
            let message = format!(
                "two things are named `{name}` ({}, {})",
                things[first.0].kind.word(),
                kind.word()
            );
            errors.push(name, Kind::NameTwice, message, "Give one of them another name.");
        }
    }
    twice(lab, errors);
    (things, by_name)
}

/// Names of what is no thing: parts, kinds of data, named cables, disks of a machine.
fn twice(lab: &Lab, errors: &mut Errors) {
    let mut check = |what: &str, inside: Option<&str>, names: &mut dyn Iterator<Item = &str>| {
        let mut seen = BTreeSet::new();
        for name in names {
            if !name.is_empty() && !seen.insert(name) {
                let whose = inside.map_or(String::new(), |inside| format!(" of `{inside}`"));
                let message = format!("two {what}{whose} are named `{name}`");
                let about = inside.unwrap_or(name);
                errors.push(about, Kind::NameTwice, message, "Give one of them another name.");
            }
        }
    };
    check(
        "parts",
        None,
        &mut lab.parts.iter().map(|part| part.name.as_str()),
    );
    check(
        "kinds of data",
        None,
        &mut lab.data.iter().map(|data| data.name.as_str()),
    );
    check(
        "cables",
        None,
        &mut lab.cables.iter().filter_map(|cable| cable.name.as_deref()),
    );
    for node in &lab.nodes {
        let mut disks = node.disks.iter().map(|disk| disk.name.as_str());
        check("disks", Some(&node.common.name), &mut disks);
    }
}

/// The thing that `from` names in `field`, if it is of one of these kinds; else an error.
pub(super) fn look_up(
    name: &str,
    (from, field): (&str, &str),
    kinds: &[ThingKind],
    (things, by_name): (&[Thing], &ByName),
    errors: &mut Errors,
) -> Option<ThingId> {
    let words = || {
        kinds
            .iter()
            .map(|kind| kind.word())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let Some(id) = by_name.get(name).copied() else {
        if !errors.is_full() {
            let fitting = things.iter().filter(|thing| kinds.contains(&thing.kind));
            let next = did_you_mean(name, fitting.map(|thing| thing.name.as_str()))
                .unwrap_or_else(|| format!("Add it to the file, or name another one of: {}.", words()));
            let message = format!("`{from}` names `{name}` as its `{field}`, and there is no such thing");
            errors.push(from, Kind::UnknownName, message, next);
        }
        return None;
    };
    let kind = things[id.0].kind;
    if kinds.contains(&kind) {
        return Some(id);
    }
    let message = format!("`{from}` names the {} `{name}` as its `{field}`", kind.word());
    errors.push(
        from,
        Kind::WrongKind,
        message,
        format!("Name one of these: {}.", words()),
    );
    None
}

/// Data needs somebody to keep it.
pub(super) fn data(lab: &Lab, errors: &mut Errors) {
    let keeps = lab.nodes.iter().any(|node| node.role() == Role::Storage);
    if let (Some(data), false) = (lab.data.first(), keeps) {
        let message = format!(
            "there is data (`{}`), and no node with the role `storage`",
            data.name
        );
        errors.push(
            &data.name,
            Kind::NoStorage,
            message,
            "Add a node, or take the [[data]] out.",
        );
    }
}
