//! Numbers from a seed.

use stead_runtime::Rng;

/// A generator, from which whatever is random in a simulation comes.
#[derive(Debug)]
pub struct Draw(Rng);

impl Draw {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(Rng::seeded(seed))
    }

    /// A number below `bound`; zero where that is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// A position in a list of this length.
    pub fn at(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A number from `least` to `most`.
    pub fn from_to(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True in so many of a hundred.
    pub fn percent(&mut self, of: u64) -> bool {
        self.below(100) < of
    }

    /// One of several.
    pub fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.at(of.len())).cloned()
    }

    /// Bytes.
    pub fn key(&mut self) -> [u8; 8] {
        self.0.bytes()
    }
}
