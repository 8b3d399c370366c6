//! Plugs and cables: where they go, and whether there is room for them.

use super::super::model::Lab;
use super::names::{ByName, common, look_up};
use super::{Errors, Kind, Link, Thing, ThingId, ThingKind};
use std::collections::{BTreeMap, BTreeSet};

const PLUGS: &[ThingKind] = &[ThingKind::Outlet, ThingKind::Ups, ThingKind::Pdu];
const PLUGS_AND_ETHERNET: &[ThingKind] = &[
    ThingKind::Outlet,
    ThingKind::Ups,
    ThingKind::Pdu,
    ThingKind::Switch,
];

/// Finds where the power of each thing comes from, and what site is stated for it.
pub(super) fn feeds(lab: &Lab, things: &mut [Thing], by_name: &ByName, errors: &mut Errors) {
    for at in 0..things.len() {
        let (name, kind, index) = (things[at].name.clone(), things[at].kind, things[at].index);
        let mut find = |target: &str, field, kinds: &[_]| {
            look_up(target, (&name, field), kinds, (things, by_name), errors)
        };
        let (feeds, site): (Vec<ThingId>, Option<&String>) = match kind {
            ThingKind::Outlet => {
                let circuit = find(&lab.outlets[index].circuit, "circuit", &[ThingKind::Circuit]);
                (circuit.into_iter().collect(), None)
            }
            ThingKind::Circuit => (Vec::new(), lab.circuits[index].site.as_ref()),
            ThingKind::Rack => (Vec::new(), lab.racks[index].site.as_ref()),
            ThingKind::Site => (Vec::new(), None),
            ThingKind::Ups | ThingKind::Pdu | ThingKind::Switch | ThingKind::Node => {
                let over_ethernet = matches!(kind, ThingKind::Switch | ThingKind::Node);
                let kinds = if over_ethernet { PLUGS_AND_ETHERNET } else { PLUGS };
                let power = common(lab, kind, index).map_or(&[][..], |common| &common.power);
                (
                    power
                        .iter()
                        .filter_map(|plug| find(plug, "power", kinds))
                        .collect(),
                    None,
                )
            }
        };
        let site = site.and_then(|site| find(site, "site", &[ThingKind::Site]));
        things[at].feeds = feeds;
        things[at].site = site;
    }
}

/// Every network cable, those that machines and switches name and those that are listed.
pub(super) fn cables(lab: &Lab, things: &[Thing], by_name: &ByName, errors: &mut Errors) -> Vec<Link> {
    const ENDS: &[ThingKind] = &[ThingKind::Switch, ThingKind::Node];
    let all = (things, by_name);
    let mut ends: Vec<(ThingId, ThingId, Option<&str>, Option<f64>)> = Vec::new();
    for (at, thing) in things.iter().enumerate() {
        let network = match thing.kind {
            ThingKind::Switch => &lab.switches[thing.index].network,
            ThingKind::Node => &lab.nodes[thing.index].network,
            _ => continue,
        };
        for to in network {
            let found = look_up(to, (&thing.name, "network"), &[ThingKind::Switch], all, errors);
            ends.extend(found.map(|to| (ThingId(at), to, None, None)));
        }
    }
    for cable in &lab.cables {
        let name = cable.name.as_deref().unwrap_or("a cable");
        let from = look_up(&cable.from, (name, "from"), ENDS, all, errors);
        let to = look_up(&cable.to, (name, "to"), ENDS, all, errors);
        if let (Some(from), Some(to)) = (from, to) {
            ends.push((from, to, cable.name.as_deref(), cable.mbit_per_second));
        }
    }
    let mut links = Vec::new();
    let mut names = BTreeMap::new();
    for (from, to, name, mbit_per_second) in ends {
        let (one, other) = (&things[from.0].name, &things[to.0].name);
        if from == to {
            let message = format!("a cable goes from `{one}` to itself");
            errors.push(
                one,
                Kind::CableLoop,
                message,
                "Name the device at the cable's other end.",
            );
            continue;
        }
        let name = name.map_or_else(|| format!("{one} to {other}"), str::to_owned);
        let count = names
            .entry(name.clone())
            .and_modify(|count| *count += 1)
            .or_insert(1);
        let name = if *count > 1 {
            format!("{name} ({count})")
        } else {
            name
        };
        links.push(Link {
            name,
            from,
            to,
            mbit_per_second,
        });
    }
    links
}

/// Whether all plugs and cables have room where they go. A cable that carries power as well takes one port.
pub(super) fn room(things: &[Thing], links: &[Link], errors: &mut Errors) {
    let mut used = vec![0_usize; things.len()];
    let mut cables: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for link in links {
        used[link.from.0] += 1;
        used[link.to.0] += 1;
        *cables
            .entry((link.from.0.min(link.to.0), link.from.0.max(link.to.0)))
            .or_default() += 1;
    }
    for (at, thing) in things.iter().enumerate() {
        let mut fed: BTreeMap<usize, usize> = BTreeMap::new();
        for feed in &thing.feeds {
            *fed.entry(feed.0).or_default() += 1;
        }
        for (feed, times) in fed {
            let carried = match things[feed].kind {
                ThingKind::Switch => cables.get(&(at.min(feed), at.max(feed))).copied().unwrap_or(0),
                _ => 0,
            };
            used[feed] += times.saturating_sub(carried);
        }
    }
    for (thing, used) in things.iter().zip(used) {
        let Some(figures) = &thing.figures else { continue };
        let (room, kind, what) = match thing.kind {
            ThingKind::Switch => (&figures.ports, Kind::TooFewPorts, "ports"),
            ThingKind::Ups | ThingKind::Pdu => (&figures.plugs, Kind::TooFewPlugs, "plugs"),
            _ => continue,
        };
        if let Some(room) = room
            && used > room.value as usize
        {
            let name = &thing.name;
            let message = format!(
                "`{name}` has {} {what} ({}), and {used} are taken",
                room.value, room.source
            );
            errors.push(name, kind, message, "Move some to another device.");
        }
    }
}

/// Completes the sites: the only one there is, the rack's, or that of all circuits that feed a device.
pub(super) fn sites(lab: &Lab, things: &mut [Thing], by_name: &ByName, order: &[ThingId]) {
    if let [only] = lab.sites.as_slice() {
        let only = by_name.get(&only.name).copied();
        for thing in things.iter_mut().filter(|thing| thing.kind != ThingKind::Site) {
            thing.site = only;
        }
        return;
    }
    for id in order {
        let thing = &things[id.0];
        if thing.site.is_some() {
            continue;
        }
        let by_rack = thing.rack.and_then(|rack| things[rack.0].site);
        let of_feeds: BTreeSet<_> = thing.feeds.iter().map(|feed| things[feed.0].site).collect();
        let by_power = match of_feeds.len() {
            1 => of_feeds.into_iter().next().flatten(),
            _ => None,
        };
        things[id.0].site = by_rack.or(by_power);
    }
}
