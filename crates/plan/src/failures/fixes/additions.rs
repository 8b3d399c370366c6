//! Changes that take something new: a switch, a supply, a witness, a UPS, a machine.

use super::super::prices;
use super::candidates::{Made, members, one_outlet_each};
use super::edit::Edit;
use crate::interval::Interval;
use crate::lab::model::{Common, Node, Part, PartKind, Role, Switch, Ups};
use crate::lab::{Resolved, ThingKind};

/// The boards that a witness is proposed on, the first that is in the catalogue with a price.
const WITNESSES: [&str; 3] = [
    "Raspberry Pi 3 model B+",
    "Raspberry Pi 4 model B",
    "Raspberry Pi 5 model B",
];

/// A switch beside the first, behind another plug if there is one, with a cable to every machine.
pub(super) fn second_switch(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
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
pub(super) fn own_supplies(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
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

pub(super) fn witness(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
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
pub(super) fn ups(lab: &Resolved, edit: &mut Edit, outlet: &str) -> Option<Made> {
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
pub(super) fn another_node(lab: &Resolved, edit: &mut Edit) -> Option<Made> {
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
