//! Which part of a device's load goes through what.
//!
//! Owns: the factors by which a device's watts count at a circuit, a battery, a power strip or a switch: losses on the
//! way, and the choice of a device with two power supplies, which takes anything from nothing to all from each.

use super::counts;
use crate::interval::Interval;
use crate::lab::{Figures, Resolved, ThingId, ThingKind};

/// What is lost between a battery's input and its plugs: at most a fifth of the input. A bound of ours.
pub(crate) const UPS_LOSS: Interval = Interval { low: 1.0, high: 1.25 };

/// What is lost between a switch's port and the device at the cable's other end: of 15.4 W that a port gives, 12.95
/// arrive at the end of 100 m (IEEE 802.3af, clause 33), of 30 W 25.5 (802.3at). A short cable loses almost nothing.
pub(super) const ETHERNET_LOSS: Interval = Interval {
    low: 1.0,
    high: 15.4 / 12.95,
};

/// No chain of losses is believed beyond this.
const MOST: f64 = 16.0;

/// Factors of all things at one place.
pub(super) struct Shares<'l> {
    lab: &'l Resolved,
    /// Who is plugged into each thing at all.
    feeds_any: Vec<bool>,
}

impl<'l> Shares<'l> {
    pub(super) fn new(lab: &'l Resolved) -> Self {
        let mut feeds_any = vec![false; lab.things.len()];
        for thing in &lab.things {
            for feed in &thing.feeds {
                feeds_any[feed.0] = true;
            }
        }
        Self { lab, feeds_any }
    }

    /// Whether anything is plugged into it.
    pub(super) fn feeds_any(&self, id: ThingId) -> bool {
        self.feeds_any[id.0]
    }

    /// By what each thing's watts count behind this one.
    pub(super) fn at(&self, target: ThingId) -> Vec<Interval> {
        self.behind(&|id| id == target)
    }

    /// By what each thing's watts count at the wall. What is plugged in nowhere counts once.
    pub(super) fn at_the_wall(&self) -> Vec<Interval> {
        let root = |id: ThingId| self.lab.thing(id).feeds.is_empty();
        let mut all = self.behind(&root);
        for (id, _) in self.lab.ids().filter(|(id, _)| root(*id)) {
            all[id.0] = Interval::exactly(1.0);
        }
        all
    }

    fn behind(&self, is_target: &dyn Fn(ThingId) -> bool) -> Vec<Interval> {
        let mut factors = vec![Interval::ZERO; self.lab.things.len()];
        for id in &self.lab.power_order {
            let through = |feed: &ThingId| {
                let kind = self.lab.thing(*feed).kind;
                let loss = match (kind, is_target(*feed)) {
                    (ThingKind::Switch, _) => ETHERNET_LOSS,
                    (ThingKind::Ups, false) => UPS_LOSS,
                    _ => Interval::exactly(1.0),
                };
                let factor = match is_target(*feed) {
                    true => Interval::exactly(1.0),
                    false => factors[feed.0],
                };
                Interval {
                    low: factor.low * loss.low,
                    high: (factor.high * loss.high).min(MOST),
                }
            };
            let ways = self.lab.thing(*id).feeds.iter().map(through);
            factors[id.0] = ways.reduce(Interval::hull).unwrap_or(Interval::ZERO);
        }
        factors
    }

    /// The sum of a figure of all devices, by their factors.
    pub(super) fn sum(&self, factors: &[Interval], figure: impl Fn(&Figures) -> Interval) -> Interval {
        let all = self.lab.ids().filter(|(id, _)| counts(self.lab, *id));
        all.filter_map(|(id, thing)| {
            let value = figure(thing.figures.as_ref()?);
            let factor = factors[id.0];
            Some(Interval {
                low: value.low * factor.low,
                high: value.high * factor.high,
            })
        })
        .sum()
    }
}

/// From rest to hard work.
pub(super) fn span(idle: Interval, hard: Interval) -> Interval {
    Interval {
        low: idle.low,
        high: hard.high.max(idle.high),
    }
}
