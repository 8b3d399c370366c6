//! Batteries and power strips: what they carry, and for how long.

use super::share::{Shares, UPS_LOSS, span};
use super::{Verdict, listed, round, rounded};
use crate::interval::Interval;
use crate::lab::{Resolved, ThingId, ThingKind};
use serde::Serialize;

/// The longest time that is told: a week. A battery with no load never ends.
const MOST_MINUTES: f64 = 7.0 * 24.0 * 60.0;

/// What a battery carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UpsBudget {
    /// Its name.
    pub name: String,
    /// From rest to hard work, at its plugs.
    pub load_w: Interval,
    /// What it can give at once, if that is known.
    pub limit_w: Option<f64>,
    /// Everything behind it starting at once.
    pub cold_start_w: Interval,
    /// How long it lasts with nothing to do, if its capacity is known.
    pub runtime_idle_minutes: Option<Interval>,
    /// How long it lasts with all to do.
    pub runtime_stress_minutes: Option<Interval>,
    /// The worse of the load's and the cold start's.
    pub verdict: Verdict,
}

/// What a power strip carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PduBudget {
    /// Its name.
    pub name: String,
    /// From rest to hard work.
    pub load_w: Interval,
    /// What it may carry at the lowest voltage that feeds it, if that is known.
    pub limit_w: Option<f64>,
    /// Of the load.
    pub verdict: Verdict,
}

/// Of all batteries.
pub(super) fn upses(lab: &Resolved, shares: &Shares<'_>, notes: &mut Vec<String>) -> Vec<UpsBudget> {
    let all: Vec<_> = lab
        .of_kind(ThingKind::Ups)
        .filter_map(|(id, thing)| {
            let figures = thing.figures.as_ref()?;
            let factors = shares.at(id);
            let idle = shares.sum(&factors, |figures| figures.idle_w.value);
            let hard = shares.sum(&factors, |figures| figures.stress_w.value);
            let start = shares.sum(&factors, |figures| figures.start_w.value);
            let load = span(idle, hard);
            let limit = figures.max_w.as_ref().map(|limit| limit.value);
            let battery = figures.battery_wh.as_ref().map(|battery| battery.value);
            Some(UpsBudget {
                name: thing.name.clone(),
                load_w: rounded(load),
                limit_w: limit,
                cold_start_w: rounded(start),
                runtime_idle_minutes: battery.map(|battery| minutes(battery, idle)),
                runtime_stress_minutes: battery.map(|battery| minutes(battery, hard)),
                verdict: Verdict::of(load, limit).max(Verdict::of(start, limit)),
            })
        })
        .collect();
    let missing = |of: &dyn Fn(&UpsBudget) -> bool| {
        let names: Vec<&str> = all
            .iter()
            .filter(|ups| of(ups))
            .map(|ups| ups.name.as_str())
            .collect();
        (!names.is_empty()).then(|| listed(&names))
    };
    if let Some(names) = missing(&|ups| ups.limit_w.is_none()) {
        notes.push(format!(
            "What a UPS can give is not known: {names}. State `max_w`."
        ));
    }
    if let Some(names) = missing(&|ups| ups.runtime_idle_minutes.is_none()) {
        notes.push(format!(
            "How long a UPS lasts is not known: {names}. State `battery_wh`."
        ));
    }
    if !all.is_empty() {
        notes.push(format!(
            "Between a UPS's input and its plugs up to {:.0} % is lost (a bound of ours); loading its battery after an \
             outage takes more, which is not counted.",
            (1.0 - 1.0 / UPS_LOSS.high) * 100.0
        ));
    }
    all
}

/// How long so many watt hours last.
fn minutes(battery_wh: Interval, load: Interval) -> Interval {
    let last = |wh: f64, w: f64| round((wh / w.max(f64::MIN_POSITIVE) * 60.0).min(MOST_MINUTES));
    Interval {
        low: last(battery_wh.low, load.high),
        high: last(battery_wh.high, load.low),
    }
}

/// The lowest voltage of the circuits that may feed it.
fn volts(lab: &Resolved, id: ThingId) -> Option<f64> {
    let circuits = lab.circuits_of(id);
    let all = circuits
        .iter()
        .filter_map(|id| lab.circuit(*id))
        .map(|circuit| circuit.volts);
    all.reduce(f64::min)
}

/// Of all power strips.
pub(super) fn pdus(lab: &Resolved, shares: &Shares<'_>, notes: &mut Vec<String>) -> Vec<PduBudget> {
    let all: Vec<_> = lab
        .of_kind(ThingKind::Pdu)
        .filter_map(|(id, thing)| {
            let figures = thing.figures.as_ref()?;
            let factors = shares.at(id);
            let idle = shares.sum(&factors, |figures| figures.idle_w.value);
            let hard = shares.sum(&factors, |figures| figures.stress_w.value);
            let load = span(idle, hard);
            let amps = figures.max_amps.as_ref().map(|amps| amps.value);
            let limit = amps.zip(volts(lab, id)).map(|(amps, volts)| round(amps * volts));
            Some(PduBudget {
                name: thing.name.clone(),
                load_w: rounded(load),
                limit_w: limit,
                verdict: Verdict::of(load, limit),
            })
        })
        .collect();
    let unknown: Vec<&str> = all
        .iter()
        .filter(|pdu| pdu.limit_w.is_none())
        .map(|pdu| pdu.name.as_str())
        .collect();
    if !unknown.is_empty() {
        let names = listed(&unknown);
        notes.push(format!(
            "What a power strip may carry is not known: {names}. State `max_amps`."
        ));
    }
    all
}
