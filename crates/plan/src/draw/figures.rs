//! Figures as pictures have them.

use crate::interval::Interval;
use crate::lab::model::Role;
use crate::lab::{Figures, Resolved, ThingId, ThingKind};

/// With at most one decimal, and none from a hundred on.
pub(super) fn plain(value: f64) -> String {
    match value.abs() < 100.0 {
        true => super::svg::number(value),
        false => format!("{value:.0}"),
    }
}

/// `9.3–42.5`.
pub(super) fn span(value: Interval) -> String {
    let (low, high) = (plain(value.low), plain(value.high));
    match low == high {
        true => low,
        false => format!("{low}–{high}"),
    }
}

/// `9.3–42.5 W`.
pub(super) fn watts(value: Interval) -> String {
    format!("{} W", span(value))
}

/// From rest to hard work.
pub(super) fn load(figures: &Figures) -> Interval {
    Interval {
        low: figures.idle_w.value.low,
        high: figures.stress_w.value.high.max(figures.idle_w.value.high),
    }
}

/// What a device takes.
pub(super) fn device_watts(lab: &Resolved, id: ThingId) -> String {
    let figures = lab.thing(id).figures.as_ref();
    figures.map_or(String::new(), |figures| watts(load(figures)))
}

/// What a thing is, in a few words: its part, or its kind.
pub(super) fn part(lab: &Resolved, id: ThingId) -> String {
    if let Some(part) = lab.common(id).and_then(|common| common.part.as_ref()) {
        return part.clone();
    }
    match (lab.thing(id).kind, lab.role(id)) {
        (ThingKind::Node, Some(Role::Witness)) => "witness".to_owned(),
        (ThingKind::Node, _) => "machine".to_owned(),
        (ThingKind::Ups, _) => "UPS".to_owned(),
        (ThingKind::Pdu, _) => "power strip".to_owned(),
        (kind, _) => kind.word().to_owned(),
    }
}

/// `1 cable`, `2 cables`.
pub(super) fn counted(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

/// `1 Gbit/s`, `100 Mbit/s`.
pub(super) fn speed(mbit_per_second: f64) -> String {
    match mbit_per_second >= 1_000.0 {
        true => format!("{} Gbit/s", plain(mbit_per_second / 1_000.0)),
        false => format!("{} Mbit/s", plain(mbit_per_second)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_are_needed() {
        assert_eq!(
            watts(Interval {
                low: 9.34,
                high: 142.51
            }),
            "9.3–143 W"
        );
        assert_eq!(watts(Interval::exactly(4.0)), "4 W");
        assert_eq!(
            (speed(2_500.0), speed(100.0)),
            ("2.5 Gbit/s".to_owned(), "100 Mbit/s".to_owned())
        );
        assert_eq!(counted(1, "cable") + &counted(2, " port"), "1 cable2  ports");
    }
}
