//! Hashing: what every byte that is stored costs.

use super::Effort;
use futures::future::join_all;
use sha2::{Digest, Sha256};
use std::time::Duration;
use stead_runtime::{Clock, blocking};

/// A block, as Stead cuts data.
const BLOCK: usize = 1 << 20;

/// Runs, each on so many threads at once: 10^6 bytes a second, all threads together, over the time that all of it took:
/// where the process has fewer threads than the machine, some wait their turn, and that shows.
pub(super) async fn hashing(clock: &Clock, effort: Effort, threads: usize) -> Vec<f64> {
    let mut seen = Vec::with_capacity(effort.runs);
    for _ in 0..effort.runs {
        let one = |_| {
            let clock = clock.clone();
            blocking(move || hashed(&clock, effort.each))
        };
        let began = clock.instant();
        let bytes: usize = join_all((0..threads.max(1)).map(one)).await.iter().sum();
        let took = clock.instant().saturating_duration_since(began);
        seen.push(bytes as f64 / 1e6 / took.as_secs_f64().max(1e-9));
    }
    seen
}

/// How many bytes one thread hashes in this time; at least one block.
fn hashed(clock: &Clock, limit: Duration) -> usize {
    // Not all zero, though SHA-256 takes as long for anything.
    let block: Vec<u8> = (0..BLOCK).map(|at| (at * 31 % 251) as u8).collect();
    let began = clock.instant();
    let mut bytes = 0;
    loop {
        std::hint::black_box(Sha256::digest(std::hint::black_box(&block)));
        bytes += BLOCK;
        if clock.instant().saturating_duration_since(began) >= limit {
            return bytes;
        }
    }
}
