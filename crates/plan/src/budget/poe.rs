//! Power over Ethernet: what each switch gives.

use super::share::{Shares, span};
use super::{Verdict, listed, rounded};
use crate::interval::Interval;
use crate::lab::{Resolved, ThingKind};
use serde::Serialize;

/// What a switch gives over Ethernet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoeBudget {
    /// The switch.
    pub name: String,
    /// From rest to hard work, at its ports, with what cables may lose.
    pub poe_w: Interval,
    /// What it may give in all, if that is known.
    pub limit_w: Option<f64>,
    /// While everything that it feeds starts.
    pub cold_start_w: Interval,
    /// The worse one of both.
    pub verdict: Verdict,
}

/// Of all switches that feed something.
pub(super) fn all(lab: &Resolved, shares: &Shares<'_>, notes: &mut Vec<String>) -> Vec<PoeBudget> {
    let mut all = Vec::new();
    for (id, thing) in lab
        .of_kind(ThingKind::Switch)
        .filter(|(id, _)| shares.feeds_any(*id))
    {
        let factors = shares.at(id);
        let idle = shares.sum(&factors, |figures| figures.idle_w.value);
        let hard = shares.sum(&factors, |figures| figures.stress_w.value);
        let start = shares.sum(&factors, |figures| figures.start_w.value);
        let load = span(idle, hard);
        let budget = thing
            .figures
            .as_ref()
            .and_then(|figures| figures.poe_budget_w.as_ref());
        let limit = budget.map(|budget| budget.value);
        all.push(PoeBudget {
            name: thing.name.clone(),
            poe_w: rounded(load),
            limit_w: limit,
            cold_start_w: rounded(start),
            verdict: Verdict::of(load, limit).max(Verdict::of(start, limit)),
        });
    }
    let unknown: Vec<&str> = all
        .iter()
        .filter(|switch| switch.limit_w.is_none())
        .map(|switch| switch.name.as_str())
        .collect();
    if !unknown.is_empty() {
        let names = listed(&unknown);
        notes.push(format!(
            "What a switch may give over Ethernet is not known: {names}. State `poe_budget_w`."
        ));
    }
    if !all.is_empty() {
        notes.push(
            "What is fed over Ethernet counts up to 19 % more at the switch: that much a cable of 100 m loses \
             (IEEE 802.3af)."
                .to_owned(),
        );
    }
    all
}
