//! What a lab takes, costs and holds, and whether it is within its limits.
//!
//! Owns: the budget of a lab that holds together. Promises: every figure has its unit in its name; what is not known
//! makes a figure wide, or is named among the notes, never nothing; the same lab gives the same budget.
//! Never: says that something is within a limit that it may pass.

mod backup;
mod circuits;
mod hints;
mod noise;
mod poe;
mod share;
mod start;
mod storage;
mod text;
mod totals;

pub use backup::{PduBudget, UpsBudget};
pub use circuits::{CircuitBudget, Inrush};
pub use hints::Hint;
pub use poe::PoeBudget;
pub use start::Step;
pub use storage::{Per, Usable};
pub use totals::Totals;

use crate::interval::Interval;
use crate::lab::{Resolved, ThingId};
use crate::map::NodeState;
use serde::Serialize;
use share::Shares;
pub(crate) use share::UPS_LOSS;

/// How a load stands to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Never above it.
    Within,
    /// The limit is not known.
    Unknown,
    /// Above it with all to do, or perhaps.
    MayBeOver,
    /// Above it whatever it does.
    Over,
}

impl Verdict {
    fn of(load: Interval, limit: Option<f64>) -> Self {
        match limit {
            None => Self::Unknown,
            Some(limit) if load.low > limit => Self::Over,
            Some(limit) if load.high > limit => Self::MayBeOver,
            Some(_) => Self::Within,
        }
    }

    /// Whether it is known to be passed, or may be.
    pub fn is_bad(self) -> bool {
        self >= Self::MayBeOver
    }
}

/// What one device takes, and how that is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceBudget {
    /// Its name.
    pub name: String,
    /// With nothing to do.
    pub idle_w: Interval,
    /// With all to do.
    pub stress_w: Interval,
    /// While it starts.
    pub start_w: Interval,
    /// Whether these are its own figures; no if a bound is in them.
    pub known: bool,
    /// Where `idle_w` comes from.
    pub idle_source: String,
    /// Where `stress_w` comes from.
    pub stress_source: String,
}

/// What a lab takes, costs and holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Budget {
    /// The lab's name.
    pub name: String,
    /// The money of all prices; empty where the file does not say.
    pub currency: String,
    /// The worst of all verdicts.
    pub verdict: Verdict,
    /// Each breaker.
    pub circuits: Vec<CircuitBudget>,
    /// Each battery.
    pub upses: Vec<UpsBudget>,
    /// Each power strip.
    pub pdus: Vec<PduBudget>,
    /// Each switch that gives power over Ethernet.
    pub poe: Vec<PoeBudget>,
    /// All together.
    pub totals: Totals,
    /// Room for data, for each way that it is kept.
    pub usable: Vec<Usable>,
    /// Watts and prices by memory and cores.
    pub per: Per,
    /// What would save power.
    pub hints: Vec<Hint>,
    /// Each device.
    pub devices: Vec<DeviceBudget>,
    /// What is not known or was taken for granted.
    pub notes: Vec<String>,
}

impl Budget {
    /// Of a lab.
    pub fn of(lab: &Resolved) -> Self {
        let mut notes = Vec::new();
        let shares = Shares::new(lab);
        let circuits = circuits::all(lab, &shares, &mut notes);
        let upses = backup::upses(lab, &shares, &mut notes);
        let pdus = backup::pdus(lab, &shares, &mut notes);
        let poe = poe::all(lab, &shares, &mut notes);
        let totals = totals::of(lab, &shares, &mut notes);
        let usable = storage::usable(lab, &totals, &mut notes);
        let per = storage::per(lab, &totals);
        let devices = devices(lab, &mut notes);
        let all = circuits.iter().map(|circuit| circuit.verdict);
        let all = all.chain(upses.iter().map(|ups| ups.verdict));
        let all = all.chain(pdus.iter().map(|pdu| pdu.verdict));
        let all = all.chain(poe.iter().map(|switch| switch.verdict));
        let too_much = usable.iter().any(|usable| usable.fits == Some(false));
        let all = all.chain(too_much.then_some(Verdict::Over));
        Self {
            name: lab.lab.name.clone(),
            currency: lab.lab.currency.clone(),
            verdict: all.max().unwrap_or(Verdict::Unknown),
            circuits,
            upses,
            pdus,
            poe,
            totals,
            usable,
            per,
            hints: hints::all(lab),
            devices,
            notes,
        }
    }

    /// Whether no limit is passed or may be. Limits that are not known are in the notes.
    pub fn is_within(&self) -> bool {
        !self.verdict.is_bad()
    }
}

/// What goes through a thing to all behind it, from rest to hard work.
pub(crate) fn load_of(lab: &Resolved, id: ThingId) -> Interval {
    let shares = Shares::new(lab);
    let factors = shares.at(id);
    let idle = shares.sum(&factors, |figures| figures.idle_w.value);
    let hard = shares.sum(&factors, |figures| figures.stress_w.value);
    share::span(idle, hard)
}

/// Whether it takes power: a machine that is gone for good does not.
fn counts(lab: &Resolved, id: ThingId) -> bool {
    lab.node(id).is_none_or(|node| node.state != NodeState::Lost)
}

fn devices(lab: &Resolved, notes: &mut Vec<String>) -> Vec<DeviceBudget> {
    let mut all = Vec::new();
    let mut bounded = Vec::new();
    for (id, thing) in lab.ids() {
        let Some(figures) = thing.figures.as_ref().filter(|_| counts(lab, id)) else {
            continue;
        };
        let known = figures.idle_w.known && figures.stress_w.known && figures.start_w.known;
        if !known {
            bounded.push(thing.name.as_str());
        }
        all.push(DeviceBudget {
            name: thing.name.clone(),
            idle_w: rounded(figures.idle_w.value),
            stress_w: rounded(figures.stress_w.value),
            start_w: rounded(figures.start_w.value),
            known,
            idle_source: figures.idle_w.source.clone(),
            stress_source: figures.stress_w.source.clone(),
        });
    }
    if !bounded.is_empty() {
        notes.push(format!(
            "Watts not known, so bounds count in part or whole: {}. Measure at the plug and state `idle_w` and `stress_w`.",
            listed(&bounded)
        ));
    }
    all
}

/// Names for a sentence, not more than a dozen.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// To a thousandth, so that sums of decimal figures read as such.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn rounded(value: Interval) -> Interval {
    Interval {
        low: round(value.low),
        high: round(value.high),
    }
}
