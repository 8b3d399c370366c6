//! What would save power: a machine that idles high against one of the catalogue that idles low.
//!
//! Owns: the comparison by watts and price alone. Never: says that the other one is fast enough; no figure of that is
//! in the catalogue.

use super::totals::MONTH_HOURS;
use super::{counts, round};
use crate::lab::model::{Part, PartKind};
use crate::lab::{Resolved, ThingId, ThingKind};
use serde::Serialize;

/// A saving of less than this is not worth a word.
const LEAST_W: f64 = 10.0;

/// What takes longer than ten years to pay for itself will not.
const MOST_MONTHS: f64 = 120.0;

/// How many are proposed for one machine.
const SHOWN: usize = 2;

/// A machine that another would replace.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hint {
    /// The machine.
    pub name: String,
    /// What it takes with nothing to do, without its disks.
    pub idle_w: f64,
    /// A part of the catalogue that takes less.
    pub instead: String,
    /// What that takes with nothing to do, without disks.
    pub instead_idle_w: f64,
    /// What that costs, in the lab's currency.
    pub instead_price: f64,
    /// What is saved in a month if both idle.
    pub saved_kwh_per_month: f64,
    /// Months until the saving has paid for it, at the file's tariff.
    pub payback_months: Option<f64>,
}

/// For every machine, the ones that pay back soonest.
pub(super) fn all(lab: &Resolved) -> Vec<Hint> {
    let mut all = Vec::new();
    for (id, thing) in lab.of_kind(ThingKind::Node).filter(|(id, _)| counts(lab, *id)) {
        let Some(idle_w) = bare_idle(lab, id) else {
            continue;
        };
        let own = lab
            .common(id)
            .and_then(|common| lab.catalogue.get(common.part.as_deref()?));
        let fitting = lab.catalogue.parts().filter(|part| fits(part, own));
        let mut found: Vec<Hint> = fitting
            .filter_map(|part| compare(lab, &thing.name, idle_w, part))
            .collect();
        found.sort_by(|one, other| {
            let months = |hint: &Hint| hint.instead_price / hint.saved_kwh_per_month;
            months(one)
                .total_cmp(&months(other))
                .then_with(|| one.instead.cmp(&other.instead))
        });
        found.truncate(SHOWN);
        all.extend(found);
    }
    all
}

/// What a machine takes with nothing to do, at least, without its disks: they would move. None if it is not known.
fn bare_idle(lab: &Resolved, id: ThingId) -> Option<f64> {
    let common = lab.common(id)?;
    let disks: f64 = lab
        .thing(id)
        .disks
        .iter()
        .map(|disk| disk.idle_w.value.high)
        .sum();
    if let Some(measured) = common.idle_w {
        return Some(measured.low - disks);
    }
    let part = lab.catalogue.get(common.part.as_deref()?)?;
    let idle = part.idle_w?.low;
    Some(if part.with_disks.is_some() {
        idle - disks
    } else {
        idle
    })
}

/// Whether it is a machine that runs the same programs and is no older.
fn fits(part: &Part, own: Option<&Part>) -> bool {
    let same_arch = match own.and_then(|own| own.arch.as_ref()) {
        Some(arch) => part.arch.as_ref() == Some(arch),
        None => true,
    };
    let not_older = match own.and_then(|own| own.year) {
        Some(year) => part.year.is_some_and(|other| other >= year),
        None => true,
    };
    part.kind == PartKind::Node && same_arch && not_older
}

fn compare(lab: &Resolved, name: &str, idle_w: f64, part: &Part) -> Option<Hint> {
    let instead_idle_w = part.idle_w?.high;
    // Half at most: anything less is no reason to change.
    if idle_w - instead_idle_w < LEAST_W || instead_idle_w > idle_w / 2.0 {
        return None;
    }
    let dollars = lab.lab.currency.is_empty() || lab.lab.currency.eq_ignore_ascii_case("USD");
    let instead_price = part.price_usd? * lab.lab.price_per_usd.or(dollars.then_some(1.0))?;
    let saved = (idle_w - instead_idle_w) * MONTH_HOURS / 1e3;
    let money = lab
        .lab
        .tariff_per_kwh
        .map(|tariff| tariff * saved)
        .filter(|money| *money > 0.0);
    let payback = money.map(|money| instead_price / money);
    if payback.is_some_and(|months| months > MOST_MONTHS) {
        return None;
    }
    Some(Hint {
        name: name.to_owned(),
        idle_w: round(idle_w),
        instead: part.name.clone(),
        instead_idle_w,
        instead_price: round(instead_price),
        saved_kwh_per_month: round(saved),
        payback_months: payback.map(round),
    })
}
