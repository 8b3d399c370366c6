//! Sound levels added up.
//!
//! Owns: the sum of decibels, computed by basic arithmetic alone, so that it is the same on every machine.

use crate::interval::Interval;
use crate::place::hash::ln;

/// The natural logarithm of 10.
const LN_10: f64 = std::f64::consts::LN_10;

/// The level of all sources together: ten times the logarithm of the sum of their powers. None of none.
pub(super) fn sum(levels: &[Interval]) -> Option<Interval> {
    let add = |end: fn(&Interval) -> f64| {
        let highest = levels.iter().map(end).reduce(f64::max)?;
        // Relative to the loudest, so that every power is at most 1.
        let powers: f64 = levels.iter().map(|level| power(end(level) - highest)).sum();
        Some(highest + 10.0 * ln(powers) / LN_10)
    };
    Some(Interval {
        low: add(|level| level.low)?,
        high: add(|level| level.high)?,
    })
}

/// 10 to a tenth of this, which is not above nothing.
fn power(decibels: f64) -> f64 {
    let exponent = decibels / 10.0 * LN_10;
    if exponent < -60.0 {
        return 0.0;
    }
    // e^x = (e^(x/64))^64; the series of the small part is exact after twelve terms.
    let small = exponent / 64.0;
    let (mut term, mut value) = (1.0, 1.0);
    for count in 1..=12 {
        term *= small / f64::from(count);
        value += term;
    }
    (0..6).fold(value, |value, _| value * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(levels: &[f64]) -> f64 {
        let all: Vec<_> = levels.iter().copied().map(Interval::exactly).collect();
        (sum(&all).expect("a level").high * 100.0).round() / 100.0
    }

    #[test]
    fn levels_add_as_powers() {
        assert_eq!(sum(&[]), None);
        assert_eq!(level(&[30.0]), 30.0);
        assert_eq!(level(&[30.0, 30.0]), 33.01);
        assert_eq!(level(&[30.0; 10]), 40.0);
        assert_eq!(level(&[40.0, 30.0]), 40.41);
        assert_eq!(level(&[60.0, 0.0]), 60.0);
        assert_eq!(level(&[1e9, 3.0]), 1e9);
    }
}
