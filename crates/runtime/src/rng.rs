//! Randomness: the operating system's, or a seeded sequence for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes; cheap to clone.
#[derive(Clone, Debug)]
pub struct Rng(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Seeded(Arc<AtomicU64>),
}

impl Rng {
    /// The operating system's generator, fit for keys.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A reproducible sequence, for tests only: SplitMix64 (Steele, Lea, Flood 2014).
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(AtomicU64::new(seed))))
    }

    /// Fills `bytes`.
    ///
    /// # Panics
    /// Where the operating system has no randomness to give: nothing safe can be done without it.
    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            #[allow(clippy::disallowed_methods)] // this is the one place
            Source::System => getrandom::fill(bytes).expect("the operating system gives random bytes"),
            Source::Seeded(state) => {
                for chunk in bytes.chunks_mut(8) {
                    chunk.copy_from_slice(&split_mix(state).to_le_bytes()[..chunk.len()]);
                }
            }
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number below `bound` (zero where `bound` is zero); biased by at most 2^-32 for bounds below 2^32.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_le_bytes(self.bytes()).checked_rem(bound).unwrap_or(0)
    }
}

fn split_mix(state: &AtomicU64) -> u64 {
    let mut z = state
        .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        let [a, b] = [Rng::seeded(7).bytes::<24>(), Rng::seeded(7).bytes::<24>()];
        assert_eq!(a, b);
        assert_ne!(Rng::system().bytes::<16>(), Rng::system().bytes::<16>());
    }
}
