//! Breakers: what they carry for hours, and when everything starts.

use super::share::{Shares, span};
use super::start::{self, Step};
use super::{Verdict, listed, round, rounded};
use crate::interval::Interval;
use crate::lab::{Resolved, ThingId, ThingKind};
use serde::Serialize;

/// What a cold power supply may draw for some milliseconds, at 230 V: a bound of ours, above what data sheets of
/// supplies of up to 150 W say. It grows with the voltage.
const INRUSH_A: f64 = 100.0;
const INRUSH_V: f64 = 230.0;

/// A breaker of the fast kind may open at once from three times its rating (IEC 60898-1, type B).
const INSTANT: f64 = 3.0;

/// The first milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inrush {
    /// Power supplies on the circuit that switch on with it.
    pub supplies: u32,
    /// What they may draw together: a bound, for no data sheet of theirs is known.
    pub inrush_a: Interval,
    /// From where on a breaker of the fast kind may open at once.
    pub instant_trip_a: f64,
}

/// What one breaker carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CircuitBudget {
    /// Its name.
    pub name: String,
    /// Nominal voltage.
    pub volts: f64,
    /// The breaker's rating.
    pub amps: f64,
    /// From rest to hard work, what others take included.
    pub continuous_w: Interval,
    /// Volts by amps by the part that a continuous load may take.
    pub limit_w: f64,
    /// `continuous_w` in percent of `limit_w`.
    pub share_percent: Interval,
    /// Everything starting at once.
    pub cold_start_w: Interval,
    /// Volts by amps: what a start may take for some seconds.
    pub breaker_w: f64,
    /// The same in groups: the highest of all steps.
    pub staggered_start_w: Interval,
    /// The groups.
    pub steps: Vec<Step>,
    /// The first milliseconds. Not in the verdict.
    pub inrush: Inrush,
    /// The worse of the continuous load's and the cold start's.
    pub verdict: Verdict,
    /// What is wrong and what to do, if something is.
    pub findings: Vec<String>,
}

/// Of all circuits.
pub(super) fn all(lab: &Resolved, shares: &Shares<'_>, notes: &mut Vec<String>) -> Vec<CircuitBudget> {
    let all: Vec<_> = lab
        .of_kind(ThingKind::Circuit)
        .filter_map(|(id, _)| one(lab, shares, id))
        .collect();
    let unplugged: Vec<&str> = lab
        .ids()
        .filter(|(id, thing)| thing.kind.is_device() && lab.circuits_of(*id).is_empty())
        .map(|(_, thing)| thing.name.as_str())
        .collect();
    if !unplugged.is_empty() {
        notes.push(format!(
            "Plugged in nowhere, so on no circuit, though in the totals: {}. State `power`.",
            listed(&unplugged)
        ));
    }
    if all.iter().any(|circuit| circuit.inrush.supplies > 0) {
        notes.push(format!(
            "Inrush is a bound ({INRUSH_A:.0} A a power supply at {INRUSH_V:.0} V, for milliseconds): no figure of the \
             supplies is known. It is in no verdict."
        ));
    }
    all
}

fn one(lab: &Resolved, shares: &Shares<'_>, id: ThingId) -> Option<CircuitBudget> {
    let circuit = lab.circuit(id)?;
    let factors = shares.at(id);
    let idle = shares.sum(&factors, |figures| figures.idle_w.value);
    let hard = shares.sum(&factors, |figures| figures.stress_w.value);
    let other = circuit.other_load_w;
    let continuous = span(idle, hard) + other;
    let start = shares.sum(&factors, |figures| figures.start_w.value) + other;
    let breaker = circuit.volts * circuit.amps;
    let limit = breaker * circuit.continuous_percent / 100.0;
    let (steps, staggered) = start::steps(lab, &factors, other, breaker);
    let steady = Verdict::of(continuous, Some(limit));
    let cold = Verdict::of(start, Some(breaker));
    let mut found = CircuitBudget {
        name: circuit.name.clone(),
        volts: circuit.volts,
        amps: circuit.amps,
        continuous_w: rounded(continuous),
        limit_w: round(limit),
        share_percent: rounded(continuous * (100.0 / limit)),
        cold_start_w: rounded(start),
        breaker_w: round(breaker),
        staggered_start_w: rounded(staggered),
        steps,
        inrush: inrush(lab, id, circuit.volts, circuit.amps),
        verdict: steady.max(cold),
        findings: Vec::new(),
    };
    found.findings = findings(&found, steady, cold, Verdict::of(staggered, Some(breaker)));
    Some(found)
}

fn findings(found: &CircuitBudget, steady: Verdict, cold: Verdict, staggered: Verdict) -> Vec<String> {
    let mut all = Vec::new();
    let CircuitBudget {
        name,
        continuous_w,
        limit_w,
        cold_start_w,
        breaker_w,
        ..
    } = found;
    match steady {
        Verdict::Over => all.push(format!(
            "`{name}` carries {continuous_w:.0} W for hours, and may carry {limit_w:.0} W: move devices to another circuit."
        )),
        Verdict::MayBeOver => all.push(format!(
            "`{name}` may come to {:.0} W with all to do, above the {limit_w:.0} W that it may carry for hours.",
            continuous_w.high
        )),
        Verdict::Within | Verdict::Unknown => {}
    }
    if cold.is_bad() {
        let way = match staggered.is_bad() {
            false => "started in the groups of the list, it stays below",
            true => "even in groups it may pass that",
        };
        all.push(format!(
            "`{name}` may take {:.0} W when everything starts at once, and the breaker is rated for {breaker_w:.0} W; {way}.",
            cold_start_w.high
        ));
    }
    all
}

/// Supplies: every plug of a device that hangs on the circuit by outlets and power strips alone. A battery switches on
/// by itself, and what is fed over Ethernet is switched on by its switch.
fn inrush(lab: &Resolved, id: ThingId, volts: f64, amps: f64) -> Inrush {
    let mut direct = vec![false; lab.things.len()];
    let mut supplies: u32 = 0;
    for at in &lab.power_order {
        let thing = lab.thing(*at);
        let on = thing
            .feeds
            .iter()
            .filter(|feed| direct[feed.0] || **feed == id)
            .count();
        match thing.kind {
            ThingKind::Outlet | ThingKind::Pdu => direct[at.0] = on > 0,
            ThingKind::Node | ThingKind::Switch | ThingKind::Ups => {
                supplies = supplies.saturating_add(on as u32)
            }
            ThingKind::Site | ThingKind::Circuit | ThingKind::Rack => {}
        }
    }
    Inrush {
        supplies,
        inrush_a: Interval {
            low: 0.0,
            high: round(f64::from(supplies) * INRUSH_A * volts / INRUSH_V),
        },
        instant_trip_a: round(amps * INSTANT),
    }
}
