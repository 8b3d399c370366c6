//! Stands in for the crate of this name, of which openraft wants histograms of batch sizes and of times.
//!
//! That crate makes tables for sixteen bucket widths at its first use, 25 MiB that stay resident, and no
//! feature of it or of openraft turns them off; one width is used. This one has what openraft 0.10 calls and
//! no table at all: where a bucket begins is computed. Written anew, from what the calls are for. `[patch]` in the
//! workspace's manifest puts it in place; it goes when the crate itself makes only the table that it uses.

use std::fmt;
use std::marker::PhantomData;

/// Buckets for each power of two: a value is known to one part in four.
const STEPS: usize = 4;
const BUCKETS: usize = STEPS * 63;

/// How often which values were recorded. `T` is what the other crate attaches to periods; there are none here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram<T = ()> {
    counts: Box<[u64; BUCKETS]>,
    total: u64,
    periods: PhantomData<T>,
}

impl<T> Default for Histogram<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Below 4, the value; above, the place of the highest bit and the two bits behind it.
fn bucket_of(value: u64) -> usize {
    if value < STEPS as u64 {
        return value as usize;
    }
    let shift = value.ilog2() - STEPS.ilog2();
    (shift as usize + 1) * STEPS + (value >> shift) as usize - STEPS
}

/// The largest value of a bucket.
fn last_of(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let shift = bucket / STEPS - 1;
    let first = ((bucket % STEPS + STEPS) as u64) << shift;
    first + ((1 << shift) - 1)
}

impl<T> Histogram<T> {
    /// Nothing recorded.
    pub fn new() -> Self {
        Self {
            counts: Box::new([0; BUCKETS]),
            total: 0,
            periods: PhantomData,
        }
    }

    /// Notes a value.
    pub fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    /// Notes a value that occurred `count` times.
    pub fn record_n(&mut self, value: u64, count: u64) {
        let slot = &mut self.counts[bucket_of(value)];
        *slot = slot.saturating_add(count);
        self.total = self.total.saturating_add(count);
    }

    /// How many values were recorded.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// A value that `share` of those recorded do not exceed: the largest of its bucket. 0 where there are none.
    pub fn percentile(&self, share: f64) -> u64 {
        let rank = ((self.total as f64 * share).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0_u64;
        let reaches = |count: &u64| {
            seen = seen.saturating_add(*count);
            seen >= rank
        };
        self.counts.iter().position(reaches).map_or(0, last_of)
    }

    /// The usual percentiles.
    pub fn percentile_stats(&self) -> PercentileStats {
        PercentileStats {
            samples: self.total,
            p0_1: self.percentile(0.001),
            p1: self.percentile(0.01),
            p5: self.percentile(0.05),
            p10: self.percentile(0.1),
            p50: self.percentile(0.5),
            p90: self.percentile(0.9),
            p99: self.percentile(0.99),
            p99_9: self.percentile(0.999),
        }
    }
}

/// The usual percentiles of a [`Histogram`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is the percentile that its name says
pub struct PercentileStats {
    pub samples: u64,
    pub p0_1: u64,
    pub p1: u64,
    pub p5: u64,
    pub p10: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p99_9: u64,
}

impl fmt::Display for PercentileStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            samples,
            p50,
            p90,
            p99,
            ..
        } = self;
        write!(f, "{samples} samples, P50 {p50}, P90 {p90}, P99 {p99}")
    }
}

/// Several histograms by name. Where the other crate draws bars, this prints a line for each.
#[derive(Clone, Debug, Default)]
pub struct AsciiChart(Vec<(String, PercentileStats)>);

impl AsciiChart {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more histogram.
    pub fn add(mut self, name: &str, histogram: Histogram) -> Self {
        self.0.push((name.to_owned(), histogram.percentile_stats()));
        self
    }

    /// To be printed.
    pub fn detailed(&self) -> &Self {
        self
    }
}

impl fmt::Display for AsciiChart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(name, stats)| writeln!(f, "{name}: {stats}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_the_one_bucket_that_holds_it() {
        let around = |bit: u32| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1];
        for value in (0..10_000).chain((3..64).flat_map(around)).chain([u64::MAX]) {
            let bucket = bucket_of(value);
            assert!(value <= last_of(bucket), "{value}");
            assert!(bucket == 0 || value > last_of(bucket - 1), "{value}");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        assert_eq!(last_of(BUCKETS - 1), u64::MAX);
    }

    #[test]
    fn percentiles_are_those_of_the_values_to_a_quarter() {
        let mut histogram = Histogram::<()>::new();
        assert_eq!(histogram.percentile(0.5), 0);
        (1..=1_000).for_each(|value| histogram.record(value));
        let stats = histogram.percentile_stats();
        assert_eq!(stats.samples, 1_000);
        for (found, exact) in [
            (stats.p1, 10),
            (stats.p10, 100),
            (stats.p50, 500),
            (stats.p99, 990),
        ] {
            assert!(
                (exact..=exact + exact / 4).contains(&found),
                "{found} for {exact}"
            );
        }
        histogram.record_n(3, 1_000_000);
        assert_eq!(histogram.percentile(0.99), 3);
    }
}
