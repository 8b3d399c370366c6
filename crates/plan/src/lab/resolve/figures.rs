//! The figures of every device: its own measurement, else its part's, else the bound of its kind.

use super::super::catalogue::Catalogue;
use super::super::model::{Common, Lab, Node, Part, PartKind};
use super::super::nearest::did_you_mean;
use super::disks::{disks, price};
use super::names::common;
use super::watts::{MEASURED, add, figure, measured, said, watts};
use super::{DiskThing, Errors, Figure, Figures, Kind, Thing, ThingKind};
use crate::interval::Interval;

/// The source of what is stated.
pub(super) const HERE: &str = "stated in this file";

/// Gives every device its figures.
pub(super) fn fill(lab: &Lab, catalogue: &Catalogue, things: &mut [Thing], errors: &mut Errors) {
    positive(lab, errors);
    for thing in things {
        let Some(common) = common(lab, thing.kind, thing.index) else {
            continue;
        };
        let part_kind = match thing.kind {
            ThingKind::Ups => PartKind::Ups,
            ThingKind::Pdu => PartKind::Pdu,
            ThingKind::Switch => PartKind::Switch,
            _ => PartKind::Node,
        };
        let part = part(
            common.part.as_deref(),
            (&common.name, part_kind),
            catalogue,
            errors,
        );
        let from = From {
            lab,
            catalogue,
            part,
            common,
        };
        let node = lab
            .nodes
            .get(thing.index)
            .filter(|_| thing.kind == ThingKind::Node);
        if let Some(node) = node {
            thing.disks = disks(&from, node, errors);
        }
        thing.figures = Some(from.figures(thing, part_kind, node));
    }
}

/// Figures that may not be nothing.
fn positive(lab: &Lab, errors: &mut Errors) {
    let mut check = |name: &str, field: &str, value: f64, most: f64| {
        if value <= 0.0 || value > most {
            let message = format!("`{field}` of `{name}` cannot be {value}");
            let next = match most.is_finite() {
                true => format!("Write a number above 0, and at most {most}."),
                false => "Write a number above 0.".to_owned(),
            };
            errors.push(name, Kind::WrongFigure, message, next);
        }
    };
    for circuit in &lab.circuits {
        check(&circuit.name, "volts", circuit.volts, f64::INFINITY);
        check(&circuit.name, "amps", circuit.amps, f64::INFINITY);
        check(
            &circuit.name,
            "continuous_percent",
            circuit.continuous_percent,
            100.0,
        );
    }
    for rack in &lab.racks {
        check(&rack.name, "units", f64::from(rack.units), 100.0);
    }
    for node in &lab.nodes {
        for disk in &node.disks {
            check(&node.common.name, "size_gb", disk.size_gb, f64::INFINITY);
        }
    }
}

/// The part of this name, if it is one of this kind.
pub(super) fn part<'c>(
    name: Option<&str>,
    (of, kind): (&str, PartKind),
    catalogue: &'c Catalogue,
    errors: &mut Errors,
) -> Option<&'c Part> {
    let name = name?;
    match catalogue.get(name) {
        Some(part) if part.kind == kind => Some(part),
        Some(_) => {
            let message = format!("`{of}` names the part `{name}`, which is another kind of thing");
            errors.push(
                of,
                Kind::WrongKind,
                message,
                "Name a part of its own kind, or none.",
            );
            None
        }
        None if errors.is_full() => None,
        None => {
            let fitting = catalogue.parts().filter(|part| part.kind == kind);
            let next = did_you_mean(name, fitting.map(|part| part.name.as_str())).unwrap_or_else(|| {
                "Leave `part` out and state its figures here, or add a [[part]] with their source.".to_owned()
            });
            let message = format!("`{of}` names the part `{name}`, which is not in the catalogue");
            errors.push(of, Kind::UnknownPart, message, next);
            None
        }
    }
}

/// Where a device's figures may come from.
pub(super) struct From<'a> {
    pub(super) lab: &'a Lab,
    pub(super) catalogue: &'a Catalogue,
    part: Option<&'a Part>,
    common: &'a Common,
}

impl From<'_> {
    fn figures(&self, thing: &Thing, kind: PartKind, node: Option<&Node>) -> Figures {
        let bound = self.catalogue.bound(kind, None);
        let (mut idle, mut hard) = watts(self.part, bound);
        // A machine that was measured here was measured with its disks; a part's figures say how many were in it.
        let counted = self.part.and_then(|part| part.with_disks).unwrap_or(0) as usize;
        for disk in thing.disks.iter().skip(counted) {
            add(&mut idle, &disk.idle_w);
            add(&mut hard, &disk.active_w);
        }
        if thing.disks.len() > counted {
            let disks = thing.disks.len() - counted;
            for figure in [&mut idle, &mut hard] {
                figure.source.push_str(&format!("; and {disks} disk(s)"));
            }
        }
        let (idle, hard) = measured((idle, hard), self.common.idle_w, self.common.stress_w);
        let start = self.start(&idle, &hard, &thing.disks);
        let of_part = |value: fn(&Part) -> Option<f64>| self.own_part(value);
        let (ups, pdu, switch) = (
            self.lab.upses.get(thing.index).filter(|_| kind == PartKind::Ups),
            self.lab.pdus.get(thing.index).filter(|_| kind == PartKind::Pdu),
            self.lab
                .switches
                .get(thing.index)
                .filter(|_| kind == PartKind::Switch),
        );
        let here = |value: Option<f64>| value.map(|value| figure(value, HERE));
        let here_count = |value: Option<u32>| value.map(|value| figure(value, HERE));
        let noise = self.common.noise_dba.map(|noise| figure(noise, MEASURED));
        let plugs = ups.and_then(|ups| ups.plugs).or(pdu.and_then(|pdu| pdu.plugs));
        let battery = ups
            .and_then(|ups| ups.battery_wh)
            .map(|battery| figure(battery, HERE));
        Figures {
            idle_w: idle,
            stress_w: hard,
            start_w: start,
            noise_dba: noise.or_else(|| self.own_part(|part| part.noise_dba)),
            price: price(self.lab, self.common.price, self.part),
            height_u: here(self.common.height_u)
                .or_else(|| of_part(|part| part.height_u))
                .unwrap_or(Figure {
                    value: 1.0,
                    source: "not known; 1 U taken".to_owned(),
                    known: false,
                }),
            memory_gb: here(node.and_then(|node| node.memory_gb)).or_else(|| of_part(|part| part.memory_gb)),
            cores: here_count(node.and_then(|node| node.cores)).or_else(|| self.own_part(|part| part.cores)),
            ports: here_count(switch.and_then(|it| it.ports)).or_else(|| self.own_part(|part| part.ports)),
            poe_budget_w: here(switch.and_then(|switch| switch.poe_budget_w))
                .or_else(|| of_part(|part| part.poe_budget_w)),
            plugs: here_count(plugs).or_else(|| self.own_part(|part| part.plugs)),
            max_w: here(ups.and_then(|ups| ups.max_w)).or_else(|| of_part(|part| part.max_w)),
            battery_wh: battery.or_else(|| self.own_part(|part| part.battery_wh)),
            max_amps: here(pdu.and_then(|pdu| pdu.max_amps)).or_else(|| of_part(|part| part.max_amps)),
        }
    }

    fn own_part<T>(&self, value: impl Fn(&Part) -> Option<T>) -> Option<Figure<T>> {
        let part = self.part?;
        value(part).map(|value| figure(value, said(part)))
    }

    /// While it starts: what was measured; else anything from rest to hard work, and the disks spinning up.
    fn start(
        &self,
        idle: &Figure<Interval>,
        hard: &Figure<Interval>,
        disks: &[DiskThing],
    ) -> Figure<Interval> {
        if let Some(own) = self.common.start_w {
            return figure(own, MEASURED);
        }
        let machine = match self.own_part(|part| part.start_w) {
            Some(start) => start,
            None => Figure {
                value: Interval {
                    low: idle.value.low,
                    high: hard.value.high,
                },
                source: "from rest to hard work".to_owned(),
                known: idle.known && hard.known,
            },
        };
        disks
            .iter()
            .filter_map(|disk| disk.spin_up_w.as_ref().map(|spin| (disk, spin)))
            .fold(machine, |mut sum, (disk, spin)| {
                // In place of what the disk takes at rest or at work, which is in the machine's figure.
                sum.value.low += (spin.value.low - disk.idle_w.value.high).max(0.0);
                sum.value.high += (spin.value.high - disk.active_w.value.low).max(0.0);
                sum.known &= spin.known;
                if !sum.source.ends_with("spinning up") {
                    sum.source.push_str("; hard disks spinning up");
                }
                sum
            })
    }
}
