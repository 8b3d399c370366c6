//! Watts of a part, as far as they are known, and what was measured in their place.

use super::super::model::Part;
use super::Figure;
use crate::interval::Interval;

/// The source of what was measured.
pub(super) const MEASURED: &str = "measured here";

/// What says where a part's figures are from.
pub(super) fn said(part: &Part) -> String {
    format!("{} ({}; {})", part.name, part.method, part.source)
}

pub(super) fn figure<T>(value: T, source: impl Into<String>) -> Figure<T> {
    Figure {
        value,
        source: source.into(),
        known: true,
    }
}

/// The most that was found, over all ways of working hard.
pub(super) fn hardest(part: &Part) -> Option<Interval> {
    let all = [part.stress_w, part.geekbench_w, part.hpl_w];
    all.into_iter().flatten().reduce(Interval::max)
}

/// With nothing to do and with all to do, of a part of which perhaps only what is typical is known.
pub(super) fn watts(part: Option<&Part>, bound: Option<&Part>) -> (Figure<Interval>, Figure<Interval>) {
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
pub(super) fn measured(
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

pub(super) fn add(to: &mut Figure<Interval>, more: &Figure<Interval>) {
    to.value = to.value + more.value;
    to.known &= more.known;
}
