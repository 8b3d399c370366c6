//! What helps: changes of a lab, each judged as the lab itself is, by risk removed for its price.
//!
//! Owns: the measure of risk, and the choice among changes ([`candidates`]). Promises: every change is tried on a copy
//! of the lab that holds together; what does not lower the risk is not proposed; the same lab gives the same list.
//!
//! Risk is the sum, over all single failures, of how often such a thing fails in a year ([`per_year`]) by how bad it
//! is then ([`badness`]). Both are plain assumptions, good for an order and for nothing else.

mod additions;
mod candidates;
mod edit;

use super::all::Single;
use super::failure::FailureKind;
use super::judge::Forecaster;
use super::verdict::{Outcome, Verdict};
use crate::interval::Interval;
use crate::lab::Resolved;
use candidates::Candidate;
use serde::Serialize;
use std::collections::BTreeMap;

/// Fixes that are told.
pub const SHOWN: usize = 8;
/// Fixes that are tried in pairs, because some help only together.
const PAIRED: usize = 6;
/// Less than this is no difference.
const LEAST: f64 = 1e-6;

/// A change that helps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fix {
    /// What to do, in a sentence.
    pub title: String,
    /// What it costs, in the lab's currency; none if that is not known.
    pub price: Option<Interval>,
    /// Whether the price is a bound of ours, without a source.
    pub price_assumed: bool,
    /// Risk that it removes.
    pub removed: f64,
    /// Of the risk that there is, in percent.
    pub removed_percent: f64,
    /// Failures that become less bad: what fails, before and after.
    pub better: Vec<(String, Verdict, Verdict)>,
    /// What to change in the file.
    pub change: Vec<String>,
    /// What else there is to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How often such a thing fails in a year. Assumed; the order of magnitude is what counts.
pub fn per_year(kind: FailureKind) -> f64 {
    match kind {
        FailureKind::Power => 1.0,
        FailureKind::Circuit => 0.3,
        FailureKind::Off | FailureKind::Battery => 0.2,
        FailureKind::Ups => 0.05,
        FailureKind::Node => 0.03,
        FailureKind::Disk | FailureKind::Supply | FailureKind::Cable | FailureKind::Switch => 0.02,
        FailureKind::Outlet | FailureKind::Pdu => 0.01,
        FailureKind::Card => 0.005,
        FailureKind::Site => 0.001,
    }
}

/// How bad a verdict is, once. Assumed.
pub fn badness(verdict: Verdict) -> f64 {
    match verdict {
        Verdict::Safe => 0.0,
        Verdict::Slower => 1.0,
        Verdict::ReadOnly => 5.0,
        Verdict::Down => 10.0,
        Verdict::DataLost => 1_000.0,
    }
}

/// How bad an outcome is. Half of all failures that a battery bridges are taken to be over before it is empty.
fn outcome_badness(outcome: &Outcome) -> f64 {
    let first = badness(outcome.verdict);
    let later = outcome.beyond.as_ref().map(|beyond| badness(beyond.verdict));
    later.map_or(first, |later| (first + later) / 2.0)
}

/// The risk of a lab, by its single failures.
pub fn risk(singles: &[Single]) -> f64 {
    let each = singles.iter().map(|single| {
        let same = single.same.iter().map(|named| per_year(named.kind));
        (per_year(single.fails.kind) + same.sum::<f64>()) * outcome_badness(&single.outcome)
    });
    each.sum()
}

/// What helps, free things first, then by risk removed for the price, those of unknown price last.
pub fn fixes(at: &Forecaster<'_>, singles: &[Single]) -> Vec<Fix> {
    let (lab, before) = (at.lab(), risk(singles));
    let tried = candidates::all(lab).into_iter();
    let mut tried: Vec<(Candidate, Fix)> = tried
        .filter_map(|one| attempt(at, singles, before, one))
        .collect();
    tried.sort_by(|(_, one), (_, other)| other.removed.total_cmp(&one.removed));
    let mut found: Vec<Fix> = Vec::new();
    for (place, (one, alone)) in tried.iter().enumerate().take(PAIRED) {
        for (other, other_alone) in tried.iter().take(PAIRED).skip(place + 1) {
            let Some(both) = one.with(other) else { continue };
            let enough = alone.removed.max(0.0) + other_alone.removed.max(0.0);
            let fix = attempt(at, singles, before, both).map(|(_, fix)| fix);
            found.extend(fix.filter(|fix| fix.removed > enough * 1.05 + LEAST));
        }
    }
    found.extend(
        tried
            .into_iter()
            .map(|(_, fix)| fix)
            .filter(|fix| fix.removed > LEAST),
    );
    found.sort_by(|one, other| {
        worth(other)
            .total_cmp(&worth(one))
            .then_with(|| one.title.cmp(&other.title))
    });
    found.truncate(SHOWN);
    found
}

/// Free things are worth more than all that costs; what has no known price, less.
fn worth(fix: &Fix) -> f64 {
    const ABOVE_ALL: f64 = 1e12;
    match fix.price {
        Some(price) if price.high <= 0.0 => ABOVE_ALL + fix.removed,
        Some(price) => fix.removed / ((price.low + price.high) / 2.0),
        None => fix.removed / ABOVE_ALL,
    }
}

/// Judges a lab with a change; none if the changed lab does not hold together.
fn attempt(
    at: &Forecaster<'_>,
    singles: &[Single],
    before: f64,
    candidate: Candidate,
) -> Option<(Candidate, Fix)> {
    let changed: Resolved = candidate.edit.lab.resolve().ok()?;
    let after = at.again(&changed).singles();
    let removed = before - risk(&after);
    let fix = Fix {
        title: candidate.title.clone(),
        price: candidate.price.map(|price| price * rate(at.lab()).unwrap_or(1.0)),
        price_assumed: candidate.assumed,
        removed: (removed * 1e3).round() / 1e3,
        removed_percent: (removed / before.max(LEAST) * 1e3).round() / 10.0,
        better: better(singles, &after),
        change: candidate.edit.change.clone(),
        note: candidate.note.clone(),
    };
    Some((candidate, fix))
}

/// What a dollar costs in the lab's money; none if that is not known.
pub(super) fn rate(lab: &Resolved) -> Option<f64> {
    let dollars = lab.lab.currency.is_empty() || lab.lab.currency.eq_ignore_ascii_case("USD");
    lab.lab.price_per_usd.or(dollars.then_some(1.0))
}

/// Failures that are in both labs, and less bad in the second.
fn better(before: &[Single], after: &[Single]) -> Vec<(String, Verdict, Verdict)> {
    let each = |singles: &[Single]| {
        let named = singles.iter().flat_map(|single| {
            let all = std::iter::once(&single.fails).chain(&single.same);
            let worst = single.outcome.worst();
            all.map(move |named| ((named.kind, named.name.clone()), worst))
        });
        named.collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (each(before), each(after));
    let mut found: Vec<(String, Verdict, Verdict)> = before
        .into_iter()
        .filter_map(|(named, was)| {
            let now = *after.get(&named)?;
            (now < was).then_some((named.1, was, now))
        })
        .collect();
    found.sort_by_key(|(_, was, _)| std::cmp::Reverse(*was));
    found
}
