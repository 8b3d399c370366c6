//! Sums over all gateways, as numbers that can be subtracted: what the node's own history is drawn from.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Bounds of latency: 100 µs, and then each twice the one before, to 52 s; the last is everything above.
const BUCKETS: usize = 21;
const FIRST_MICROS: u64 = 100;

/// How many answers took how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency([u64; BUCKETS]);

impl Latency {
    /// What came since `before`.
    pub fn since(&self, before: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at].saturating_sub(before.0[at])))
    }

    /// The median in milliseconds, to within its bucket; `None` where nothing was answered.
    pub fn median_ms(&self) -> Option<f64> {
        let all: u64 = self.0.iter().sum();
        let mut left = all as f64 / 2.0;
        for (at, count) in self.0.iter().enumerate().filter(|(_, count)| **count > 0) {
            if left <= *count as f64 {
                let high = (FIRST_MICROS << at) as f64;
                let low = if at == 0 { 0.0 } else { high / 2.0 };
                return Some((low + (high - low) * left / *count as f64) / 1000.0);
            }
            left -= *count as f64;
        }
        None
    }
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Answered requests.
    pub requests: u64,
    /// Those of them with a status of 500 or above.
    pub errors: u64,
    /// Bytes of bodies received.
    pub received: u64,
    /// Bytes of bodies sent.
    pub sent: u64,
    /// Of puts of objects.
    pub puts: Latency,
    /// Of gets of objects.
    pub gets: Latency,
}

/// [`Totals`], as they are counted.
#[derive(Default)]
pub(super) struct Live {
    requests: AtomicU64,
    errors: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    puts: [AtomicU64; BUCKETS],
    gets: [AtomicU64; BUCKETS],
}

fn bucket(took: Duration) -> usize {
    let times = u64::try_from(took.as_micros())
        .unwrap_or(u64::MAX)
        .div_ceil(FIRST_MICROS);
    (times.max(1).next_power_of_two().trailing_zeros() as usize).min(BUCKETS - 1)
}

impl Live {
    pub(super) fn answered(&self, operation: &str, status: u16, took: Duration) {
        self.requests.fetch_add(1, Relaxed);
        if status >= 500 {
            self.errors.fetch_add(1, Relaxed);
        }
        match operation {
            "PutObject" => self.puts[bucket(took)].fetch_add(1, Relaxed),
            "GetObject" => self.gets[bucket(took)].fetch_add(1, Relaxed),
            _ => 0,
        };
    }

    pub(super) fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Relaxed);
    }

    pub(super) fn sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Relaxed);
    }

    pub(super) fn totals(&self) -> Totals {
        let read =
            |buckets: &[AtomicU64; BUCKETS]| Latency(std::array::from_fn(|at| buckets[at].load(Relaxed)));
        Totals {
            requests: self.requests.load(Relaxed),
            errors: self.errors.load(Relaxed),
            received: self.received.load(Relaxed),
            sent: self.sent.load(Relaxed),
            puts: read(&self.puts),
            gets: read(&self.gets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_its_bucket() {
        let live = Live::default();
        let before = live.totals();
        assert_eq!(before.puts.median_ms(), None);
        for micros in [90, 3_000, 3_100, 3_200, 900_000] {
            live.answered("PutObject", 200, Duration::from_micros(micros));
        }
        let median = live.totals().puts.since(&before.puts).median_ms().unwrap();
        assert!((1.6..=3.2).contains(&median), "{median}");
        assert_eq!(bucket(Duration::from_micros(100)), 0);
        assert_eq!(bucket(Duration::from_micros(101)), 1);
        assert_eq!(bucket(Duration::from_secs(3600)), BUCKETS - 1);
    }
}
