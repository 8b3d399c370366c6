//! A cold start in groups, so that a breaker bears it.
//!
//! Owns: the order (what feeds and connects others, then machines that vote or hold data, then the rest) and the size
//! of each group: as many as the breaker bears, what is on already working hard.

use super::{counts, rounded};
use crate::interval::Interval;
use crate::lab::model::Role;
use crate::lab::{Resolved, Thing, ThingId, ThingKind};
use serde::Serialize;

/// How long a group has before the next one: hard disks spin up in 5 to 10 s (storedbits.com), and three times that
/// leaves room for slower ones.
pub const SECONDS: u32 = 30;

/// One group of a start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// When it is switched on, counted from the first one.
    pub after_seconds: u32,
    /// What is switched on, in this order.
    pub devices: Vec<String>,
    /// What all that is on then takes together.
    pub peak_w: Interval,
}

/// Where in the order a device is.
fn rank(lab: &Resolved, id: ThingId, thing: &Thing) -> u8 {
    match (thing.kind, lab.role(id)) {
        (ThingKind::Ups | ThingKind::Pdu, _) => 0,
        (ThingKind::Switch, _) => 1,
        (_, Some(Role::Storage | Role::Witness)) => 2,
        _ => 3,
    }
}

/// The groups, and the highest peak of all.
pub(super) fn steps(
    lab: &Resolved,
    factors: &[Interval],
    other: Interval,
    breaker: f64,
) -> (Vec<Step>, Interval) {
    let mut order: Vec<(u8, ThingId)> = lab
        .power_order
        .iter()
        .filter(|id| lab.thing(**id).figures.is_some() && factors[id.0].high > 0.0 && counts(lab, **id))
        .map(|id| (rank(lab, *id, lab.thing(*id)), *id))
        .collect();
    order.sort_by_key(|(rank, id)| ((*rank).max(1), *id));
    let scaled = |id: ThingId, value: Interval| Interval {
        low: value.low * factors[id.0].low,
        high: value.high * factors[id.0].high,
    };
    let mut steps: Vec<Step> = Vec::new();
    let mut highest = other;
    let (mut on, mut group, mut begun) = (other, Group::default(), None);
    for (rank, id) in order {
        let Some(figures) = &lab.thing(id).figures else {
            continue;
        };
        let start = scaled(id, figures.start_w.value);
        let rank = rank.max(1);
        let full = on.high + group.start.high + start.high > breaker;
        if !group.names.is_empty() && (begun != Some(rank) || full) {
            highest = highest.max(on + group.start);
            on = on + group.close(on, &mut steps);
        }
        begun = Some(rank);
        group.names.push(lab.thing(id).name.clone());
        group.start = group.start + start;
        let (idle, hard) = (figures.idle_w.value, figures.stress_w.value);
        group.run = group.run + scaled(id, super::share::span(idle, hard));
    }
    if !group.names.is_empty() {
        highest = highest.max(on + group.start);
        group.close(on, &mut steps);
    }
    (steps, highest)
}

#[derive(Default)]
struct Group {
    names: Vec<String>,
    start: Interval,
    run: Interval,
}

impl Group {
    /// Makes a step of it; answers what its devices take from then on.
    fn close(&mut self, on: Interval, steps: &mut Vec<Step>) -> Interval {
        let group = std::mem::take(self);
        steps.push(Step {
            after_seconds: SECONDS.saturating_mul(u32::try_from(steps.len()).unwrap_or(u32::MAX)),
            devices: group.names,
            peak_w: rounded(on + group.start),
        });
        group.run
    }
}
