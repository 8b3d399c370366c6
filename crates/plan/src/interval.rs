//! A figure that is known to lie between two others.
//!
//! Promises: arithmetic never makes an interval narrower than what went into it; what is not known is wide, never
//! zero and never left out.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul};

/// From `low` to `high`, both included, both finite, `low <= high`. Its unit is in the name of what holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
pub struct Interval {
    /// Not less than this.
    pub low: f64,
    /// Not more than this.
    pub high: f64,
}

/// Two figures that are no interval.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{low} to {high} is no range: two numbers of at least 0, the smaller one first")]
pub struct IntervalError {
    /// As given.
    pub low: f64,
    /// As given.
    pub high: f64,
}

impl Interval {
    /// Nothing.
    pub const ZERO: Self = Self { low: 0.0, high: 0.0 };

    /// A figure that is known.
    pub const fn exactly(value: f64) -> Self {
        Self {
            low: value,
            high: value,
        }
    }

    /// Between two figures of at least 0.
    pub fn new(low: f64, high: f64) -> Result<Self, IntervalError> {
        let fits = low.is_finite() && high.is_finite() && 0.0 <= low && low <= high;
        fits.then_some(Self { low, high })
            .ok_or(IntervalError { low, high })
    }

    /// Whether it is one figure.
    pub fn is_exact(self) -> bool {
        self.low == self.high
    }

    /// The narrowest that holds both.
    pub fn hull(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// The larger one of both, end by end.
    pub fn max(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.max(other.high),
        }
    }
}

impl Add for Interval {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }
}

impl Sum for Interval {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl Mul<f64> for Interval {
    type Output = Self;

    /// By a factor of at least 0.
    fn mul(self, factor: f64) -> Self {
        Self {
            low: self.low * factor,
            high: self.high * factor,
        }
    }
}

impl fmt::Display for Interval {
    /// With as many decimals as asked for: `9.3` or `9.3 to 28.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = f.precision().unwrap_or(1);
        match self.is_exact() {
            true => write!(f, "{:.places$}", self.low),
            false => write!(f, "{:.places$} to {:.places$}", self.low, self.high),
        }
    }
}

/// A number, `[low, high]`, or `{low, high}`.
impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(f64),
            Pair([f64; 2]),
            Named { low: f64, high: f64 },
        }
        let (low, high) = match Written::deserialize(deserializer)
            .map_err(|_| serde::de::Error::custom("expected a number, or [low, high]"))?
        {
            Written::One(value) => (value, value),
            Written::Pair([low, high]) | Written::Named { low, high } => (low, high),
        };
        Self::new(low, high).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_people_write() {
        let read = |text: &str| serde_json::from_str::<Interval>(text);
        assert_eq!(read("3").expect("one"), Interval::exactly(3.0));
        assert_eq!(read("[3, 4.5]").expect("two").to_string(), "3.0 to 4.5");
        assert_eq!(read(r#"{"low":1,"high":2}"#).expect("named").high, 2.0);
        for wrong in ["-1", "[4, 3]", "[1]", "\"3 W\"", "{}", "1e999"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sums_stay_as_wide_as_what_is_in_them() {
        let all = [Interval::exactly(2.0), Interval { low: 1.0, high: 4.0 }];
        assert_eq!(
            all.into_iter().sum::<Interval>(),
            Interval { low: 3.0, high: 6.0 }
        );
        assert_eq!(all[1] * 2.0, Interval { low: 2.0, high: 8.0 });
    }
}
