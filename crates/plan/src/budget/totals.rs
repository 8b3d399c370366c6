//! All together: watts, heat, noise, energy, money.

use super::share::{Shares, span};
use super::{counts, listed, noise, round, rounded};
use crate::interval::Interval;
use crate::lab::{Resolved, ThingKind};
use serde::Serialize;

/// BTU per hour of one watt.
const BTU_PER_HOUR: f64 = 3.412;

/// Hours of an average month: 365.25 days by 24 hours by a twelfth.
pub(super) const MONTH_HOURS: f64 = 730.5;

/// What a lab takes and costs in all, at the wall.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// With nothing to do.
    pub idle_w: Interval,
    /// With all to do.
    pub stress_w: Interval,
    /// From rest to hard work.
    pub continuous_w: Interval,
    /// Everything starting at once.
    pub cold_start_w: Interval,
    /// All of that becomes heat.
    pub heat_btu_per_hour: Interval,
    /// How loud all of known noise are together, at one metre; none if nothing is known.
    pub noise_dba: Option<Interval>,
    /// Devices of which the noise is not known.
    pub noise_unknown: usize,
    /// In an average month.
    pub energy_kwh_per_month: Interval,
    /// At the file's tariff.
    pub cost_per_month: Option<Interval>,
    /// The sum of all prices that are known.
    pub price_at_least: f64,
    /// Of what the price is not known.
    pub price_unknown: Vec<String>,
}

/// Of a lab.
pub(super) fn of(lab: &Resolved, shares: &Shares<'_>, notes: &mut Vec<String>) -> Totals {
    let factors = shares.at_the_wall();
    let idle = shares.sum(&factors, |figures| figures.idle_w.value);
    let hard = shares.sum(&factors, |figures| figures.stress_w.value);
    let start = shares.sum(&factors, |figures| figures.start_w.value);
    let continuous = span(idle, hard);
    let energy = continuous * (MONTH_HOURS / 1e3);
    let (levels, silent) = levels(lab);
    let (price, unpriced) = prices(lab);
    if lab.lab.tariff_per_kwh.is_none() {
        notes.push("What a month costs is not known: state `tariff_per_kwh`.".to_owned());
    }
    if !silent.is_empty() {
        notes.push(format!(
            "Noise not known, so not in the sum: {}.",
            listed(&silent)
        ));
    }
    if !unpriced.is_empty() {
        let names: Vec<&str> = unpriced.iter().map(String::as_str).collect();
        let rate = match lab.lab.price_per_usd {
            None if !lab.lab.currency.is_empty() && !lab.lab.currency.eq_ignore_ascii_case("USD") => {
                " The catalogue's prices are in dollars: `price_per_usd` makes them count."
            }
            _ => "",
        };
        notes.push(format!(
            "Price not known, so not in the sum: {}.{rate}",
            listed(&names)
        ));
    }
    Totals {
        idle_w: rounded(idle),
        stress_w: rounded(hard),
        continuous_w: rounded(continuous),
        cold_start_w: rounded(start),
        heat_btu_per_hour: rounded(continuous * BTU_PER_HOUR),
        noise_dba: noise::sum(&levels).map(rounded),
        noise_unknown: silent.len(),
        energy_kwh_per_month: rounded(energy),
        cost_per_month: lab.lab.tariff_per_kwh.map(|tariff| rounded(energy * tariff)),
        price_at_least: round(price),
        price_unknown: unpriced,
    }
}

/// The levels that are known, and of whom not. Power strips and batteries make no noise of note unless it is stated.
fn levels(lab: &Resolved) -> (Vec<Interval>, Vec<&str>) {
    let (mut levels, mut silent) = (Vec::new(), Vec::new());
    for (_, thing) in lab.ids().filter(|(id, _)| counts(lab, *id)) {
        let Some(figures) = &thing.figures else { continue };
        match &figures.noise_dba {
            Some(level) => levels.push(level.value),
            None if matches!(thing.kind, ThingKind::Node | ThingKind::Switch) => {
                silent.push(thing.name.as_str())
            }
            None => {}
        }
    }
    (levels, silent)
}

/// The sum of the prices that are known, and what has none.
fn prices(lab: &Resolved) -> (f64, Vec<String>) {
    let mut sum = 0.0;
    let mut unknown = Vec::new();
    for (id, thing) in lab.ids() {
        let stated = lab.rack(id).map(|rack| rack.price);
        let price = match (&thing.figures, stated) {
            (Some(figures), _) => figures.price.as_ref().map(|price| price.value),
            (None, Some(price)) => price,
            (None, None) => continue,
        };
        match price {
            Some(price) => sum += price,
            None => unknown.push(thing.name.clone()),
        }
        for disk in &thing.disks {
            match &disk.price {
                Some(price) => sum += price.value,
                None => unknown.push(format!("{}/{}", thing.name, disk.name)),
            }
        }
    }
    (sum, unknown)
}
