//! The figures of every device: its own measurement, else its part's, else the bound of its kind.

use super::super::catalogue::Catalogue;
use super::super::model::{Common, Disk, DiskKind, Lab, Node, Part, PartKind};
use super::super::nearest::did_you_mean;
use super::names::common;
use super::{DiskThing, Errors, Figure, Figures, Kind, Thing, ThingKind};
use crate::interval::Interval;

const HERE: &str = "stated in this file";
const MEASURED: &str = "measured here";

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
fn part<'c>(
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
struct From<'a> {
    lab: &'a Lab,
    catalogue: &'a Catalogue,
    part: Option<&'a Part>,
    common: &'a Common,
}

fn said(part: &Part) -> String {
    format!("{} ({}; {})", part.name, part.method, part.source)
}

fn figure<T>(value: T, source: impl Into<String>) -> Figure<T> {
    Figure {
        value,
        source: source.into(),
        known: true,
    }
}

/// The most that was found, over all ways of working hard.
fn hardest(part: &Part) -> Option<Interval> {
    let all = [part.stress_w, part.geekbench_w, part.hpl_w];
    all.into_iter().flatten().reduce(Interval::max)
}

/// With nothing to do and with all to do, of a part of which perhaps only what is typical is known.
fn watts(part: Option<&Part>, bound: Option<&Part>) -> (Figure<Interval>, Figure<Interval>) {
    let no = Interval::ZERO;
    let bound_idle = bound.and_then(|bound| bound.idle_w).unwrap_or(no);
    let bound_hard = bound.and_then(|bound| bound.stress_w).unwrap_or(no);
    let unknown = |value, why: &str| Figure {
        value,
        source: why.to_owned(),
        known: false,
    };
    let bounded = bound.map_or("a bound".to_owned(), |bound| format!("bound: {}", said(bound)));
    let typical = part.and_then(|part| part.typical_w);
    let idle = match (part.and_then(|part| part.idle_w), typical, part) {
        (Some(idle), _, Some(part)) => figure(idle, said(part)),
        (None, Some(typical), Some(part)) => {
            let value = Interval {
                low: bound_idle.low.min(typical.high),
                high: typical.high,
            };
            unknown(value, &format!("not more than typical of {}", said(part)))
        }
        _ => unknown(bound_idle, &bounded),
    };
    let hard = match (part.and_then(hardest), typical, part) {
        (Some(hard), _, Some(part)) => figure(hard, said(part)),
        (None, Some(typical), Some(part)) => {
            let value = Interval {
                low: typical.low,
                high: bound_hard.high.max(typical.high),
            };
            unknown(
                value,
                &format!("not less than typical of {}; {bounded}", said(part)),
            )
        }
        _ => unknown(bound_hard, &bounded),
    };
    (idle, hard)
}

/// Own measurements before what is derived, and neither of the two beyond the other.
fn measured(
    (mut idle, mut hard): (Figure<Interval>, Figure<Interval>),
    own_idle: Option<Interval>,
    own_hard: Option<Interval>,
) -> (Figure<Interval>, Figure<Interval>) {
    if let Some(own) = own_idle {
        idle = figure(own, MEASURED);
    }
    if let Some(own) = own_hard {
        hard = figure(own, MEASURED);
    }
    match (idle.known, hard.known) {
        (false, true) => {
            idle.value.high = idle.value.high.min(hard.value.high);
            idle.value.low = idle.value.low.min(idle.value.high);
        }
        _ => hard.value = hard.value.max(idle.value),
    }
    (idle, hard)
}

fn add(to: &mut Figure<Interval>, more: &Figure<Interval>) {
    to.value = to.value + more.value;
    to.known &= more.known;
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

/// Its price here, else the catalogue's in the lab's money, if it is known what a dollar costs.
fn price(lab: &Lab, own: Option<f64>, part: Option<&Part>) -> Option<Figure<f64>> {
    if let Some(own) = own {
        return Some(figure(own, HERE));
    }
    let dollars = lab.currency.is_empty() || lab.currency.eq_ignore_ascii_case("USD");
    let rate = lab.price_per_usd.or(dollars.then_some(1.0))?;
    let part = part?;
    Some(figure(part.price_usd? * rate, said(part)))
}

fn spins(kind: DiskKind) -> bool {
    matches!(kind, DiskKind::HddSmall | DiskKind::HddLarge)
}

fn disks(from: &From<'_>, node: &Node, errors: &mut Errors) -> Vec<DiskThing> {
    let mut all = Vec::new();
    for (at, disk) in node.disks.iter().enumerate() {
        let named = (node.common.name.as_str(), PartKind::Disk);
        let part = part(disk.part.as_deref(), named, from.catalogue, errors);
        all.push(one_disk(from, at, disk, part));
    }
    all
}

fn one_disk(from: &From<'_>, at: usize, disk: &Disk, part: Option<&Part>) -> DiskThing {
    let bound = from.catalogue.bound(PartKind::Disk, Some(disk.kind));
    let (idle_w, active_w) = measured(watts(part, bound), disk.idle_w, disk.active_w);
    let own = disk.spin_up_w.map(|own| figure(own, MEASURED));
    let of_part = || part.and_then(|part| Some(figure(part.start_w?, said(part))));
    let of_bound = || {
        let bound = bound?;
        Some(Figure {
            value: bound.start_w?,
            source: format!("bound: {}", said(bound)),
            known: false,
        })
    };
    let name = match disk.name.is_empty() {
        true => format!("disk-{}", at + 1),
        false => disk.name.clone(),
    };
    DiskThing {
        name,
        kind: disk.kind,
        size_gb: disk.size_gb,
        data: disk.data,
        idle_w,
        active_w,
        spin_up_w: own
            .or_else(of_part)
            .or_else(of_bound)
            .filter(|_| spins(disk.kind)),
        price: price(from.lab, disk.price, part),
    }
}
